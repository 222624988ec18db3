//! The places at which a test may intervene.

/// Declares the places once, so that none is left out of [`Point::ALL`].
macro_rules! points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A place between two steps after which a process may have died.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Point {
            /// All of them, in the order of what they belong to.
            pub const ALL: &[Point] = &[$(Point::$point),+];

            /// What it is called in a ledger.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Point::$point => $name,)+
                }
            }
        }
    };
}

points! {
    // Creating a database.
    /// The directory of a database is there, and nothing in it.
    DirectoryMade = "a directory is made",
    /// A marker has its temporary name, and nothing in it.
    MarkerBegun = "a marker is begun",
    /// A marker is written under its temporary name, and RocksDB has written nothing.
    MarkerWritten = "a marker is written",
    /// The marker of a new database or of a copy has its name, which is not durable yet.
    MarkerNamed = "a marker has its name",
    /// A replica id is durable, and a copy still says that it is one.
    ReplicaDrawn = "a replica id is drawn",

    // Opening a database.
    /// The log was looked at, and cut if it had to be, and RocksDB has not replayed it.
    LogAudited = "the log is audited",
    /// The log of zeros is there that RocksDB is shown so that it says which files it needs.
    BlankLogMade = "a blank log is made",
    /// One file of a log that is cut is as it has to be.
    LogCut = "a file of the log is cut",
    /// RocksDB has replayed the log, and a new database has no marker yet.
    LogReplayed = "the log is replayed",
    /// A file is removed that a load or a sort left behind, and others may be left.
    LeftFileRemoved = "a file left behind is removed",
    /// What no name leads to is known, and nothing of it reclaimed.
    OrphansFound = "orphans are found",

    // Committing.
    /// The marker says what a commit needs that is not made yet.
    FeatureNoted = "a feature is noted",
    /// A batch of commits is in the log, and not synced.
    BatchWritten = "a batch is written",
    /// The log is synced, and nobody sees the commits yet.
    LogSynced = "the log is synced",
    /// Commits can be seen, and whoever waits for them was not told.
    CommitsPublished = "commits are published",
    /// It is committed that something of a history or a feed is let go of, and no compaction goes by that.
    FloorsCommitted = "floors are committed",

    // Closing a database.
    /// No commit is accepted any more and the log is synced, and the ceiling of timestamps is ahead.
    LastLogSynced = "the last log is synced",
    /// The ceiling of timestamps is the last commit, and memory is not flushed.
    CeilingSettled = "the ceiling is settled",
    /// Memory is flushed, and RocksDB is open.
    MemoryFlushed = "memory is flushed",

    // The catalog.
    /// A number is given out that nothing has yet.
    NumberGiven = "a number is given out",
    /// A dictionary has grown, and no record needs it.
    DictionaryGrown = "a dictionary has grown",
    /// A name is gone, and what it led to is an orphan.
    NameDropped = "a name is dropped",
    /// A transaction is committed, and what it let go of is an orphan.
    OrphansLeft = "a transaction leaves orphans",
    /// Nobody can adopt an orphan any more, and all of it is there.
    OrphanClaimed = "an orphan is claimed",
    /// Files of an orphan are deleted, and the rest of it is there.
    OrphanDiscarded = "files of an orphan are deleted",

    // Indexes.
    /// An index is declared, and nothing was built of it.
    IndexDeclared = "an index is declared",
    /// An index that is to replace another one is declared, and nothing was built of it.
    ReplacementDeclared = "a replacement is declared",
    /// Some of the documents that were there before an index have their entries.
    IndexBatchFilled = "a batch of an index is filled",
    /// All documents have their entries, and the index is not used.
    IndexFilled = "an index is filled",
    /// An index is used, and what it replaced is an orphan.
    IndexCompleted = "an index is completed",
    /// An index is gone, and its entries are an orphan.
    IndexDropped = "an index is dropped",
    /// An index is to be built anew, and its old entries are an orphan.
    IndexBegunAnew = "an index is begun anew",

    // Indexes of text.
    /// Pages of a segment are there of which no header knows.
    TextPagesWritten = "pages of a text are written",
    /// Pages are removed that an earlier fold or merge left behind, and none are written.
    TextPagesRemoved = "pages of a text are removed",
    /// A fold has written its segment, and the header does not lead there.
    TextFolded = "a text is folded",
    /// A merge has written its segment, and the header leads to those that it is made of.
    TextMerged = "texts are merged",

    // Graphs of vectors.
    /// The header says that blocks are being written, and none is.
    GraphBegun = "a graph is begun",
    /// Some of the blocks are those of the graph, others are older.
    GraphBlocksWritten = "blocks of a graph are written",
    /// The blocks are complete, and the marks of what they have are there.
    GraphCompleted = "a graph is completed",
    /// Some of these marks are gone.
    GraphMarksRemoved = "marks of a graph are removed",
    /// A graph that is only begun is kept as far as it has come.
    GraphStepKept = "a step of a graph is kept",

    // Embedding.
    /// Texts are embedded, and their vectors not written.
    TextsEmbedded = "texts are embedded",

    // Loading.
    /// What is to be loaded is declared an orphan, and nothing of it is there.
    LoadBegun = "a load is begun",
    /// Rows of a load are in a temporary file.
    RunSorted = "a run is sorted",
    /// All rows are in files beside the database, and none is a part of it.
    LoadFilesWritten = "files of a load are written",
    /// Some of these files are a part of the database.
    LoadFilesTaken = "files of a load are taken in",
    /// All rows of a collection are a part of the database, and no name leads there.
    LoadedUnseen = "a load is not seen",
    /// The name leads to what was loaded, and what it led to before is an orphan.
    LoadPublished = "a load is published",
    /// All rows of a keyspace are a part of the database, and no name leads there.
    KeysUnseen = "loaded keys are not seen",

    // Objects.
    /// Chunks of an object are there, and nobody sees them.
    ChunkStored = "a chunk is stored",
    /// All of an object is there but what shows it.
    ObjectUnseen = "an object is not seen",

    // Schemas and migrations.
    /// A schema is declared, and no document was checked that was there.
    SchemaDeclared = "a schema is declared",
    /// Documents were checked, and the schema does not say so.
    SchemaChecked = "a schema is checked",
    /// A document does not fit a schema that is still in force.
    SchemaRefused = "a schema is refused",
    /// A migration is under way, and no document is changed.
    MigrationBegun = "a migration is begun",
    /// Some documents are migrated, or all are.
    MigrationBatchDone = "a batch is migrated",

    // Letting go of what is old.
    /// It is kept up to when retention has come, and nothing is removed.
    RetentionTimeKept = "the time of retention is kept",
    /// Some of the values that have expired are gone.
    ValuesRemoved = "expired values are removed",
    /// Some of the documents that have expired are gone.
    DocumentsRemoved = "expired documents are removed",

    // Looking after a database.
    /// A part of a collection is repaired, and others are not.
    RepairBatchDone = "a batch is repaired",
    /// A count is known to be wrong, and not corrected.
    CountMissed = "a count is missed",

    // Copies.
    /// The directory of backups is there, and its marker has a temporary name.
    BackupsBegun = "a directory of backups is begun",
    /// A backup is begun, or some of its files are there.
    BackupGoesOn = "a backup goes on",
    /// A backup is complete, and nobody was told.
    BackupCompleted = "a backup is completed",
    /// A backup is not described any more, and its files are there.
    BackupForgotten = "a backup is forgotten",
    /// The directory of what is restored is there, and nothing in it.
    RestoreBegun = "a restore is begun",
    /// All files of a backup are restored, without what makes them a database.
    FilesRestored = "files are restored",
    /// All files of a checkpoint are there, without what makes them a database.
    CheckpointMade = "a checkpoint is made",
    /// A copy says that it is one, and is no database yet.
    CopyNoted = "a copy is noted",
    /// All that could be read is copied, without what makes it a database.
    RowsSalvaged = "rows are salvaged",
    /// What was salvaged is a database, without its indexes.
    IndexesMissing = "indexes are missing",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Point;

    #[test]
    fn no_two_places_have_one_name() {
        let names: BTreeSet<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Point::ALL.len());
    }
}
