//! The database: the handle that everything else comes from.

mod backup;
pub(crate) mod core;
mod maintenance;

use std::path::Path;
use std::sync::Arc;

use blaze_core::{Error, Family, KeyRange, Result, Timestamp};

use crate::builder::DatabaseBuilder;
use crate::catalog::{self, Kind};
use crate::collection::Collection;
use crate::database::core::{Core, Storage};
use crate::feed::DatabaseChanges;
use crate::keyspace::Keyspace;
use crate::load::{CollectionLoad, KeyspaceLoader};
use crate::object::Objects;
use crate::session::{Scope, Session, retry};
use crate::text;
use crate::transaction::{Snapshot, Transaction, TransactionOptions};
pub use maintenance::CompactionPause;
pub(crate) use maintenance::index_bytes_used;

/// A database: one directory, one process, any number of threads.
///
/// A handle is cheap to clone and may be shared freely. The database closes when its last handle is gone, those inside
/// collections, transactions and iterators included, or on [`close`](Database::close).
///
/// ```
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// let id = films.insert(&Document::new().with("title", "Solaris").with("year", 1972))?;
/// assert!(films.get(&id)?.is_some());
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) core: Arc<Core>,
}

impl Database {
    pub(crate) fn new(core: Arc<Core>) -> Database {
        Database { core }
    }

    /// Opens the database in the directory `path`, or creates it: durable and serializable.
    ///
    /// # Errors
    /// As [`DatabaseBuilder::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Database> {
        Database::builder().open(path)
    }

    /// A database in memory; see [`DatabaseBuilder::in_memory`].
    ///
    /// # Errors
    /// As [`DatabaseBuilder::in_memory`].
    pub fn in_memory() -> Result<Database> {
        Database::builder().in_memory()
    }

    /// A database in a directory that is removed at the end; see [`DatabaseBuilder::temporary`].
    ///
    /// # Errors
    /// As [`DatabaseBuilder::temporary`].
    pub fn temporary() -> Result<Database> {
        Database::builder().temporary()
    }

    /// The settings with which to open a database.
    pub fn builder() -> DatabaseBuilder {
        DatabaseBuilder::new()
    }

    /// The collection `name` of documents of type `T`, created if it is not there.
    ///
    /// `T` is any type of serde's that is a struct or a map, or [`Document`](struct@crate::Document).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the name is empty or that of a keyspace;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too long;
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not there and the database is open read-only;
    /// [`Closed`](crate::ErrorKind::Closed); when it is created, what [`Transaction::commit`] returns.
    pub fn collection<T>(&self, name: &str) -> Result<Collection<T>> {
        Collection::open(self.scope(), name)
    }

    /// The keyspace `name` of raw bytes, created if it is not there.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the name is empty or that of a collection;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too long;
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not there and the database is open read-only;
    /// [`Closed`](crate::ErrorKind::Closed); when it is created, what [`Transaction::commit`] returns.
    pub fn keyspace(&self, name: &str) -> Result<Keyspace> {
        Keyspace::open(self.scope(), name)
    }

    /// The keyspace `name` whose values may expire, created if it is not there; an empty one that does not is switched.
    /// From then on [`keyspace`](Database::keyspace) gives it just as well.
    ///
    /// A value goes with a time to live or a moment, which [`put_expiring`](Keyspace::put_expiring) gives it. Whoever begins
    /// to read after that does not see it, be it in a transaction, a snapshot or [as of](Database::as_of) then; who began
    /// before goes on to see it. The time is that of the [clock](crate::DatabaseBuilder::clock), or that of the last commit if
    /// the clock is behind it. A little later ordinary commits remove what has expired, of which histories and feeds
    /// tell as of any other: while commits are made, and in the background where there are none. See
    /// [`apply_retention`](Database::apply_retention).
    ///
    /// Each value takes 8 bytes more, and one that expires an entry in an index. It cannot be made a plain one again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blaze::{Database, Expires};
    ///
    /// let db = Database::temporary()?;
    /// let sessions = db.expiring_keyspace("sessions")?;
    /// sessions.put_expiring("ann", "token 1", Expires::After(Duration::from_secs(3_600)))?;
    /// sessions.put("root", "token 2")?; // never expires
    /// assert_eq!(db.keyspace("sessions")?.count()?, 2);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`keyspace`](Database::keyspace); [`Invalid`](crate::ErrorKind::Invalid) for a plain keyspace that has keys, a
    /// history or a change feed, or where nothing can be written.
    #[doc(alias = "ttl")]
    pub fn expiring_keyspace(&self, name: &str) -> Result<Keyspace> {
        Keyspace::open_expiring(self.scope(), name)
    }

    /// The object store `name`, for streams of bytes of any size, created if it is not there.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the name is empty or that of a collection or keyspace;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too long; [`Closed`](crate::ErrorKind::Closed); when
    /// it is created, what [`Transaction::commit`] returns.
    pub fn objects(&self, name: &str) -> Result<Objects> {
        Objects::named(self.scope(), name)
    }

    /// Begins to load the new keyspace `name` from rows in ascending order, much faster than by commits. Nobody sees it
    /// before [`finish`](KeyspaceLoader::finish).
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is such a keyspace;
    /// [`Invalid`](crate::ErrorKind::Invalid) when the name is empty or that of a collection or object store;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too long; [`Closed`](crate::ErrorKind::Closed);
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn load_keyspace(&self, name: &str) -> Result<KeyspaceLoader> {
        KeyspaceLoader::begin(&self.core, name, false)
    }

    /// As [`load_keyspace`](Database::load_keyspace), for an [expiring keyspace](Database::expiring_keyspace).
    ///
    /// # Errors
    /// As [`load_keyspace`](Database::load_keyspace).
    pub fn load_expiring_keyspace(&self, name: &str) -> Result<KeyspaceLoader> {
        KeyspaceLoader::begin(&self.core, name, true)
    }

    /// Describes the load of the collection `name` from documents in any order, much faster than by commits. Nobody sees
    /// any of them before [`finish`](crate::CollectionLoader::finish). The collection is new or empty, or it is
    /// [replaced](CollectionLoad::replace).
    ///
    /// ```
    /// use blaze::{Database, Document, Index, field};
    ///
    /// let db = Database::temporary()?;
    /// let mut load = db.load_collection::<Document>("films").ensure_index(Index::on("year")).begin()?;
    /// for n in (0..1_000_i64).rev() {
    ///     load.insert_with_id(n, &Document::new().with("year", 1970 + n % 50))?;
    /// }
    /// assert_eq!(load.finish()?, 1_000);
    /// assert_eq!(db.collection::<Document>("films")?.find(field("year").eq(1972)).count()?, 20);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn load_collection<'a, T>(&self, name: &str) -> CollectionLoad<'a, T> {
        CollectionLoad::new(&self.core, name)
    }

    /// The names of all collections, sorted.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn collections(&self) -> Result<Vec<String>> {
        self.scope().read(|session| catalog::names(session, Kind::Collection))
    }

    /// The names of all keyspaces, sorted.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn keyspaces(&self) -> Result<Vec<String>> {
        self.scope().read(|session| catalog::names(session, Kind::Keyspace))
    }

    /// The names of all object stores, sorted.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn object_stores(&self) -> Result<Vec<String>> {
        self.scope().read(|session| catalog::names(session, Kind::Objects))
    }

    /// Removes a collection with its documents, indexes and subcollections in one commit; says whether it was there. Most of its space
    /// goes back at once, unless someone reads an older view, who then goes on to see it.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the name is that of a keyspace; [`Closed`](crate::ErrorKind::Closed).
    pub fn drop_collection(&self, name: &str) -> Result<bool> {
        catalog::remove(&self.core, name, Kind::Collection)
    }

    /// Removes a keyspace with all its keys in one commit; says whether it was there. Its space goes back as that of a
    /// [collection](Database::drop_collection).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the name is that of a collection;
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn drop_keyspace(&self, name: &str) -> Result<bool> {
        catalog::remove(&self.core, name, Kind::Keyspace)
    }

    /// Removes an object store with all its objects in one commit; says whether it was there. Readers that are open go on.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the name is that of a collection or keyspace;
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn drop_objects(&self, name: &str) -> Result<bool> {
        catalog::remove(&self.core, name, Kind::Objects)
    }

    /// Runs `work` in a transaction and commits it; rolls back when `work` fails. When another transaction gets in
    /// the way, `work` runs again from its beginning, so it should have no effect outside the transaction.
    ///
    /// ```
    /// use blaze::{Database, Document, ErrorKind, inc};
    ///
    /// let db = Database::temporary()?;
    /// db.collection::<Document>("accounts")?.insert_with_id("ann", &Document::new().with("cents", 500))?;
    /// db.collection::<Document>("accounts")?.insert_with_id("bob", &Document::new().with("cents", 0))?;
    /// db.transaction(|tx| {
    ///     let accounts = tx.collection::<Document>("accounts")?;
    ///     accounts.update("ann", inc("cents", -120))?;
    ///     accounts.update("bob", inc("cents", 120))
    /// })?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `work` returns; [`Conflict`](crate::ErrorKind::Conflict) when many tries were all in vain; what
    /// [`Transaction::commit`] returns. After `CommitOutcomeUnknown`, `work` does not run again.
    pub fn transaction<R>(&self, work: impl FnMut(&Transaction) -> Result<R>) -> Result<R> {
        self.transaction_with(TransactionOptions::default(), work)
    }

    /// As [`transaction`](Database::transaction), with options.
    ///
    /// # Errors
    /// As [`transaction`](Database::transaction).
    pub fn transaction_with<R>(
        &self,
        options: TransactionOptions,
        mut work: impl FnMut(&Transaction) -> Result<R>,
    ) -> Result<R> {
        let limits = options.retry_limits(&*self.core.clock);
        retry(&self.core, limits, || {
            let transaction = self.begin_until(options, limits.deadline_ms)?;
            let result = work(&transaction)?;
            transaction.try_commit()?;
            Ok(result)
        })
    }

    /// Begins a transaction that is committed, or rolled back, by hand. Dropping it rolls back.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn begin(&self) -> Result<Transaction> {
        self.begin_with(TransactionOptions::default())
    }

    /// As [`begin`](Database::begin), with options.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn begin_with(&self, options: TransactionOptions) -> Result<Transaction> {
        self.begin_until(options, options.retry_limits(&*self.core.clock).deadline_ms)
    }

    fn begin_until(&self, options: TransactionOptions, deadline_ms: Option<u64>) -> Result<Transaction> {
        let isolation = options.isolation.unwrap_or(self.core.isolation);
        let durability = options.durability.unwrap_or(self.core.durability);
        Ok(Transaction::new(Session::read_write_until(&self.core, isolation, durability, deadline_ms)?))
    }

    /// A view of the whole database as it is now, for any number of reads.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::new(Session::read_only(&self.core)?))
    }

    /// A view of the database as it was at `ts`: right after the last commit at or before it. Collections and keyspaces
    /// with a [history](crate::History) can be read in it, by id and key, in order and by filter; documents are found by
    /// reading all of them. What was dropped since is gone. A timestamp that is still ahead means now.
    ///
    /// A timestamp is what [`Transaction::commit`], `read_ts` and versions answer, or a wall time:
    /// [`Timestamp::from_ms`]. The view stays readable while it is kept, however old it becomes.
    ///
    /// ```
    /// use blaze::{Database, Document, History, field, set};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.set_history(History::Forever)?;
    /// films.insert_with_id("solaris", &Document::new().with("year", 1971))?;
    /// let before = db.snapshot()?.read_ts();
    /// films.update("solaris", set("year", 1972))?;
    ///
    /// let then = db.as_of(before)?.collection::<Document>("films")?;
    /// assert_eq!(then.find(field("year").eq(1971)).count()?, 1);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed). Collections and keyspaces in the view answer
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when they have no history, and
    /// [`HistoryExpired`](crate::ErrorKind::HistoryExpired) when it does not go back so far.
    pub fn as_of(&self, ts: Timestamp) -> Result<Snapshot> {
        Ok(Snapshot::new(Session::as_of(&self.core, ts)?))
    }

    /// What was committed after `after` in all collections and keyspaces that have a [change
    /// feed](crate::Collection::changes), commit by commit, each change with the name that it is under. A cursor is the
    /// [`ts`](crate::DatabaseChangeSet::ts) of the last commit that was dealt with, or the
    /// [`position`](DatabaseChanges::position); the first one is [`feed_start`](Database::feed_start), or the `read_ts` of a
    /// snapshot that was read in full.
    ///
    /// What was dropped with its feed switched on is told until the feed lets go of it, to the end that it had; a new
    /// collection of its name is another one, whose feed [begins](crate::DatabaseChange::Begun) anew. Of a feed that was
    /// switched off, what it told before stays, unless the collection is dropped.
    ///
    /// ```
    /// use blaze::{Database, DatabaseChange, Document, Feed};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.set_feed(Feed::Images)?;
    /// films.insert_with_id("solaris", &Document::new().with("year", 1972))?;
    /// let mut changes = db.changes(db.feed_start()?)?;
    /// assert!(matches!(&changes.next().unwrap()?.changes[0], DatabaseChange::Begun { name } if &**name == "films"));
    /// assert!(matches!(&changes.next().unwrap()?.changes[0], DatabaseChange::Document { .. }));
    /// assert!(changes.next().is_none());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`FeedTruncated`](crate::ErrorKind::FeedTruncated) when changes after `after` are gone;
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn changes(&self, after: Timestamp) -> Result<DatabaseChanges> {
        DatabaseChanges::open(&self.core, after)
    }

    /// The earliest time after which [`changes`](Database::changes) can be read.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn feed_start(&self) -> Result<Timestamp> {
        Ok(self.core.store.marks()?.feed_floor())
    }

    /// Lets go of history and changes that are older than they need to be kept, and of values that have expired. It happens
    /// by itself about once a minute: with commits to collections and keyspaces that have any, and in the background where
    /// there are none, unless the [clock](crate::DatabaseBuilder::clock) does not go on by itself. Takes time linear in the
    /// number of collections and of expired values; the space comes back with later compactions.
    ///
    /// A clock that has jumped ahead is not believed before it has gone on for ten minutes. A database that was not opened for
    /// more than a week waits as long.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed); what [`Transaction::commit`] returns.
    pub fn apply_retention(&self) -> Result<()> {
        self.core.retention.apply(&self.core)
    }

    /// Makes every commit so far survive power loss, those under [`Durability::Buffered`](crate::Durability::Buffered) too.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the disk fails; the database must then be reopened.
    pub fn sync(&self) -> Result<()> {
        self.core.store.sync()
    }

    /// Bytes used on disk, or in memory for a database that lives there.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn bytes_used(&self) -> Result<u64> {
        self.core.store.bytes_used()
    }

    /// Rewrites all files without what was overwritten or deleted, so that the space goes back to the file system and
    /// reads touch the fewest files, and has each text index be one segment. That happens by itself, too, bit by bit; call it
    /// after removing much, or before copying the directory. Reads and commits go on meanwhile. Takes time linear in the size
    /// of the database.
    ///
    /// ```
    /// let db = blaze::Database::temporary()?;
    /// let cache = db.keyspace("cache")?;
    /// cache.put("page", vec![0; 1_000_000])?;
    /// cache.clear()?; // constant time, and the space is still taken
    /// db.compact()?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a database that is open read-only;
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn compact(&self) -> Result<()> {
        self.core.check_writable()?;
        self.core.texts.fold_all(&self.core, &text::all_indexes(&self.core)?, true)?;
        let Storage::Directory { store, .. } = &self.core.storage else { return Ok(()) };
        // A range of keys that are still in memory only is not compacted.
        store.flush()?;
        Family::ALL.into_iter().try_for_each(|family| store.compact(family, &KeyRange::all()))?;
        store.settle()
    }

    /// Waits until the background has caught up: what commits so far wrote is in sorted files, and no compaction of
    /// them is due, texts are embedded that can be now, but for those that failed and wait to be
    /// [tried again](crate::Index::embed_from), and the graphs of vector indexes that are in memory, or are to be, have what was
    /// committed; so it is with the segments of text indexes. Commits that go on meanwhile can keep it waiting.
    ///
    /// # Errors
    /// As [`compact`](Database::compact), and [`Invalid`](crate::ErrorKind::Invalid) when an [`Embedder`](crate::Embedder) of
    /// the database calls it while it embeds.
    pub fn settle(&self) -> Result<()> {
        if !self.core.is_read_only() {
            self.core.embedding.catch_up(&self.core)?;
            self.core.vectors.catch_up(&self.core)?;
            self.core.texts.catch_up(&self.core)?;
        }
        match &self.core.storage {
            Storage::Directory { store, .. } => store.settle(),
            Storage::Memory => Ok(()),
        }
    }

    /// Writes a copy of the database, as it is at one moment during the call, to the new directory `to`. On the same
    /// file system it takes little space and time. Opened for writing, the copy gets a replica id of its own, so that it and
    /// the original never make the same automatic id; a directory that was copied by other means does not. Once this returns,
    /// the copy survives a loss of power.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is something at `to`;
    /// [`Invalid`](crate::ErrorKind::Invalid) when `to` is within the database, or for a database in memory or open
    /// read-only;
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn checkpoint(&self, to: impl AsRef<Path>) -> Result<()> {
        match &self.core.storage {
            Storage::Directory { store, .. } => store.checkpoint(to.as_ref()),
            Storage::Memory => Err(Error::invalid("a database in memory has no files to copy")),
        }
    }

    /// Makes everything durable, writes what is in memory into sorted files so that the next opening is quick, and lets
    /// go of the directory. All other handles, iterators included, answer
    /// [`Closed`](crate::ErrorKind::Closed) from then on, but for rows that a sort already holds in memory. Closing again
    /// does nothing.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the last sync fails; the database is closed all the same.
    pub fn close(&self) -> Result<()> {
        if !self.core.storage.is_temporary() {
            self.core.vectors.flush_at_the_end(&self.core);
        }
        self.core.close()
    }

    fn scope(&self) -> Scope {
        Scope::Database(Arc::clone(&self.core))
    }
}
