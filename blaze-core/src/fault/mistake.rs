//! The mistakes that a test may have the database make.

/// What a database could get wrong, for tests that prove that it would be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mistake {
    /// A commit that is to be synced is not.
    SkippedSync,
    /// A commit is seen before it is as durable as was asked for.
    PublishedBeforeDurable,
    /// A commit is in two batches: first without what it leaves to history and feed, then with that.
    SplitBatch,
    /// Nobody looks whether a key was written since it was read.
    SkippedConflictCheck,
    /// Nobody looks whether anything was written into a range since it was read.
    SkippedReadCheck,
    /// A reader puts a value into the cache that was written over since.
    StaleCacheFill,
    /// A savepoint that is gone back to keeps the first write after it.
    SavepointKeepsWrites,
    /// What was added to a counter counts twice, once the same transaction has read it.
    CounterAppliedTwice,
    /// Who opens a database forgets which commit was its last, and goes by the clock, even if that went back.
    MovedClock,
    /// A new database has its name before it has its files.
    MarkerBeforeFiles,
    /// A deletion leaves nothing in the history.
    LostUndo,
    /// The history is dropped up to a floor that nobody has set.
    WrongFloor,
    /// A deletion is not in the change feed.
    LeftOutOfFeed,
    /// A document that was changed keeps the entries that it had in an index.
    ForgottenIndexEntry,
    /// Nobody looks whether another document has the same value in a unique index.
    SkippedUniqueCheck,
    /// A document that was changed keeps the vector that it had in an index.
    ForgottenVector,
    /// A node that is added to a graph of vectors has no edges that lead to it.
    UnrepairedEdge,
    /// A change in an index of text does not say what it takes away.
    ForgottenPosting,
    /// What a fold of a text index replaces or removes stays alive in older segments.
    LostDelete,
    /// A load shows its collection before that is there.
    TornLoad,
    /// An index takes the place of another one before it is filled.
    SwapWithoutOld,
    /// What was dropped is forgotten and not removed.
    LostReclaim,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Mistake; 22] = [
        Mistake::SkippedSync,
        Mistake::PublishedBeforeDurable,
        Mistake::SplitBatch,
        Mistake::SkippedConflictCheck,
        Mistake::SkippedReadCheck,
        Mistake::StaleCacheFill,
        Mistake::SavepointKeepsWrites,
        Mistake::CounterAppliedTwice,
        Mistake::MovedClock,
        Mistake::MarkerBeforeFiles,
        Mistake::LostUndo,
        Mistake::WrongFloor,
        Mistake::LeftOutOfFeed,
        Mistake::ForgottenIndexEntry,
        Mistake::SkippedUniqueCheck,
        Mistake::ForgottenVector,
        Mistake::UnrepairedEdge,
        Mistake::ForgottenPosting,
        Mistake::LostDelete,
        Mistake::TornLoad,
        Mistake::SwapWithoutOld,
        Mistake::LostReclaim,
    ];
}
