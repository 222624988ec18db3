//! How a database is opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use blaze_core::{Clock, Durability, Entropy, Error, Isolation, MemStore, Result, Store};
use blaze_lsm::{Compression, CreateMode, Environment, LogDamage, LsmOptions, LsmStore};

use crate::catalog;
use crate::database::Database;
use crate::database::core::{Core, Storage};
use crate::retention::Retention;
use crate::system::{SystemClock, SystemEntropy, TemporaryDirectory};
use crate::text::{TEXT_MEMORY_BYTES, Texts};
use crate::vector::{Graphs, VECTOR_MEMORY_BYTES};

/// How long changes are kept, unless said otherwise.
const FEED_RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The least bytes of changes that are kept: below them, what a store estimates says nothing.
const FEED_RETENTION_BYTES_MIN: u64 = 64 * 1024;

/// The shortest time for which changes are kept.
const FEED_RETENTION_MS_MIN: u64 = 1_000;

/// The settings of a database, checked when it is opened.
///
/// ```
/// use blaze::{Database, Durability};
///
/// let db = Database::builder().durability(Durability::Buffered).temporary()?;
/// db.keyspace("settings")?.put("theme", "dark")?;
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it opens a database"]
pub struct DatabaseBuilder {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    durability: Durability,
    isolation: Isolation,
    transaction_age_max_ms: Option<u64>,
    create: CreateMode,
    read_only: bool,
    paranoid: bool,
    environment: Option<Environment>,
    cache_bytes: Option<usize>,
    write_buffer_bytes: Option<usize>,
    background_io_bytes_per_second: Option<u64>,
    compression: Compression,
    slow_commit_ms: Option<Option<u64>>,
    label: Option<String>,
    feed_retention: Duration,
    feed_retention_bytes: Option<u64>,
    vector_memory_bytes: usize,
    text_memory_bytes: usize,
}

impl DatabaseBuilder {
    pub(crate) fn new() -> DatabaseBuilder {
        DatabaseBuilder {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            durability: Durability::default(),
            isolation: Isolation::default(),
            transaction_age_max_ms: None,
            create: CreateMode::default(),
            read_only: false,
            paranoid: false,
            environment: None,
            cache_bytes: None,
            write_buffer_bytes: None,
            background_io_bytes_per_second: None,
            compression: Compression::default(),
            slow_commit_ms: None,
            label: None,
            feed_retention: FEED_RETENTION,
            feed_retention_bytes: None,
            vector_memory_bytes: VECTOR_MEMORY_BYTES,
            text_memory_bytes: TEXT_MEMORY_BYTES,
        }
    }

    /// The clock behind commit timestamps, automatic ids, and what expires; the operating system's by default. With one that
    /// does not go on [by itself](Clock::is_running), nothing is done in the background.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> DatabaseBuilder {
        self.clock = clock;
        self
    }

    /// The randomness behind replica ids and the jitter of retries; the operating system's by default.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> DatabaseBuilder {
        self.entropy = entropy;
        self
    }

    /// What commits survive by the time they return, unless a transaction says otherwise; power loss by default.
    pub fn durability(mut self, durability: Durability) -> DatabaseBuilder {
        self.durability = durability;
        self
    }

    /// What transactions are protected from, unless one says otherwise; serializable by default.
    pub fn isolation(mut self, isolation: Isolation) -> DatabaseBuilder {
        self.isolation = isolation;
        self
    }

    /// Milliseconds that a transaction may take by the [clock](DatabaseBuilder::clock); as long as it likes by default.
    ///
    /// One that is older answers [`TransactionTooOld`](crate::ErrorKind::TransactionTooOld) to its next operation, its
    /// commit included. It is for applications that would rather see a transaction fail early than have it keep what is
    /// overwritten meanwhile from being reclaimed. Snapshots may be kept for as long as they are wanted.
    pub fn transaction_age_max_ms(mut self, age_ms: u64) -> DatabaseBuilder {
        self.transaction_age_max_ms = Some(age_ms);
        self
    }

    /// Refuses to create a database: [`open`](DatabaseBuilder::open) answers `NotFound` where there is none.
    pub fn must_exist(mut self) -> DatabaseBuilder {
        self.create = CreateMode::MustExist;
        self
    }

    /// Refuses to open an existing database: [`open`](DatabaseBuilder::open) answers `AlreadyExists` where there is
    /// one.
    pub fn must_be_new(mut self) -> DatabaseBuilder {
        self.create = CreateMode::MustBeNew;
        self
    }

    /// Opens for reading only. Any number of processes and handles can do that at once, while nobody has the database
    /// open for writing; nothing in its directory is changed, which may be on a medium that cannot be written to.
    /// Reading works as always; what would write answers `Invalid`.
    ///
    /// ```
    /// use blaze::{Database, ErrorKind};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path();
    /// let db = Database::open(path)?;
    /// db.keyspace("settings")?.put("theme", "dark")?;
    /// db.close()?;
    ///
    /// let one = Database::builder().read_only().open(path)?;
    /// let another = Database::builder().read_only().open(path)?;
    /// assert_eq!(another.keyspace("settings")?.get("theme")?.as_deref(), Some(b"dark".as_slice()));
    /// assert_eq!(one.keyspace("settings")?.put("theme", "light").unwrap_err().kind(), ErrorKind::Invalid);
    /// assert_eq!(Database::open(path).unwrap_err().kind(), ErrorKind::Locked);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_only(mut self) -> DatabaseBuilder {
        self.read_only = true;
        self
    }

    /// Guards data in memory by checksums, too, and reads back every file that was written, for machines whose memory
    /// is not trusted. Costs about 7 % of point reads and writes, and 30 % of scans over what was just written.
    pub fn paranoid(mut self) -> DatabaseBuilder {
        self.paranoid = true;
        self
    }

    /// Shares memory and threads with the other databases of `environment`.
    ///
    /// ```
    /// use blaze::{Database, Environment};
    ///
    /// let environment = Environment::builder().cache_bytes(256 << 20).build()?;
    /// let ann = Database::builder().environment(&environment).temporary()?;
    /// let bob = Database::builder().environment(&environment).temporary()?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn environment(mut self, environment: &Environment) -> DatabaseBuilder {
        self.environment = Some(environment.clone());
        self
    }

    /// Bytes of memory for what was read: five eighths for blocks of files, three for the records that are read most; 64 MiB
    /// by default. In an [`Environment`] all databases share a cache of blocks, which is set there.
    pub fn cache_bytes(mut self, bytes: usize) -> DatabaseBuilder {
        self.cache_bytes = Some(bytes);
        self
    }

    /// Bytes of memory for writes on their way to sorted files; 64 MiB by default. In an [`Environment`] it is what this
    /// one database may hold of the memory of all, by default a sixteenth.
    pub fn write_buffer_bytes(mut self, bytes: usize) -> DatabaseBuilder {
        self.write_buffer_bytes = Some(bytes);
        self
    }

    /// Bytes that background work, flushes and compactions together, may write in a second; no limit by default, and
    /// at least 1 MiB is used. When commits write faster than that for long, they are slowed down.
    pub fn background_io_bytes_per_second(mut self, bytes: u64) -> DatabaseBuilder {
        self.background_io_bytes_per_second = Some(bytes);
        self
    }

    /// How the files of the last level are compressed, which hold nine tenths of what is stored: [fast to be
    /// read](Compression::Fast) by default, or [small](Compression::Small). A choice holds for files that are written from then
    /// on; [`compact`](Database::compact) writes all of them anew.
    ///
    /// ```
    /// use blaze::{Compression, Database};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("archive");
    /// let archive = Database::builder().compression(Compression::Small).open(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compression(mut self, compression: Compression) -> DatabaseBuilder {
        self.compression = compression;
        self
    }

    /// Milliseconds from which a commit is slow, which is told by a warning of `tracing`; 1,000 by default, and never with
    /// `None`.
    ///
    /// A healthy disk syncs in a tenth of the default even when it is busy. The warning is told by the commit that wrote,
    /// also for those that were written together with it: `took_ms`, and of that `turn_ms` until it was its turn to write,
    /// `write_ms` for checking conflicts and writing, `sync_ms` for the disk; how many commits were `committed` and
    /// `refused`, their `rows` and `bytes`, and the [label](DatabaseBuilder::label) of the `database`. Nothing that is
    /// stored is in it. Where nobody listens to warnings no time is taken.
    pub fn slow_commit_ms(mut self, threshold_ms: Option<u64>) -> DatabaseBuilder {
        self.slow_commit_ms = Some(threshold_ms);
        self
    }

    /// What the database is called in warnings and, with the feature `metrics`, in the label `database` of all metrics:
    /// for processes that have several open. 1 to [`NAME_BYTES_MAX`](crate::limits::NAME_BYTES_MAX) bytes; nothing by default.
    pub fn label(mut self, label: impl Into<String>) -> DatabaseBuilder {
        self.label = Some(label.into());
        self
    }

    /// How long [change feeds](crate::Collection::changes) are kept, at least a second; a week by default. A reader that
    /// falls further behind gets `FeedTruncated`.
    pub fn feed_retention(mut self, age: Duration) -> DatabaseBuilder {
        self.feed_retention = age;
        self
    }

    /// Bytes that [change feeds](crate::Collection::changes) may take together, at least 64 KiB; no bound by default. What is
    /// more goes when [retention](crate::Database::apply_retention) runs, the oldest commits first, each whole, and even
    /// before it is as old as [`feed_retention`](DatabaseBuilder::feed_retention) says. A reader that falls further behind
    /// gets `FeedTruncated`.
    ///
    /// The bound is approximate: bytes are estimated as the feed takes them on disk, compressed, and between two runs, about
    /// a minute, it may grow beyond. In memory they are counted.
    pub fn feed_retention_bytes(mut self, bytes: u64) -> DatabaseBuilder {
        self.feed_retention_bytes = Some(bytes);
        self
    }

    /// Bytes of memory for the graphs of all [vector indexes](crate::Index::vector) together; 1 GiB by default.
    ///
    /// A graph takes about the dimension and 160 bytes for each vector. Beyond the bound, graphs that were not used for long are
    /// written to the database and let go of; the next search of such an index reads its graph again. The one that was used last
    /// stays, however large it is, and so do all graphs of a database [in memory](DatabaseBuilder::in_memory), which has no other
    /// place for them.
    pub fn vector_memory_bytes(mut self, bytes: usize) -> DatabaseBuilder {
        self.vector_memory_bytes = bytes;
        self
    }

    /// Bytes of memory for what is kept of all [text indexes](crate::Index::text) together; 256 MiB by default.
    ///
    /// One half is for pages of postings that were read lately. The other one is for the lengths of documents, 1 to 4 bytes for
    /// each and field, and for what is not folded into segments yet; beyond it, what was not used for long is let go of and read
    /// again by the next search. What one search needs is kept until it ends, however much it is. Snapshots and transactions that
    /// are older than what is kept keep what they have read until they end, all together an eighth of this at most.
    pub fn text_memory_bytes(mut self, bytes: usize) -> DatabaseBuilder {
        self.text_memory_bytes = bytes;
        self
    }

    /// Opens the database in the directory `path`, or creates it. When that fails, the directory stands for what it did
    /// before.
    ///
    /// # Errors
    /// [`Locked`](crate::ErrorKind::Locked) when it is open already, here or in another process, unless everybody opens
    /// it [`read_only`](DatabaseBuilder::read_only); [`Invalid`](crate::ErrorKind::Invalid) when `path` is not a database
    /// or was written by a newer version: nothing there is touched; [`NotFound`](crate::ErrorKind::NotFound) and
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) as [`must_exist`](DatabaseBuilder::must_exist) and
    /// [`must_be_new`](DatabaseBuilder::must_be_new) say, the former also for what is opened read-only; `Invalid` and
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for settings that contradict each other or are out of bounds;
    /// [`Corruption`](crate::ErrorKind::Corruption), also when the log is damaged and commits are lost that had been
    /// synced; [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database> {
        self.feed_retention_ms()?;
        let store = LsmStore::open(path.as_ref(), self.lsm_options())?;
        self.assemble_directory(store, None)
    }

    /// Opens the database in the directory `path` even if its log is damaged and commits are lost that had been
    /// synced.
    ///
    /// The commits before the damage are there, whole and in order, and all behind it are removed for good, so copy the
    /// directory first. The damage says what was lost; it is `None` when [`open`](DatabaseBuilder::open) would have
    /// opened the database, too.
    ///
    /// ```
    /// use blaze::Database;
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path();
    /// let (db, damage) = Database::builder().open_salvage(path)?;
    /// assert!(damage.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](DatabaseBuilder::open); [`Corruption`](crate::ErrorKind::Corruption) for other damage than that.
    pub fn open_salvage(self, path: impl AsRef<Path>) -> Result<(Database, Option<LogDamage>)> {
        self.feed_retention_ms()?;
        let (store, damage) = LsmStore::open_salvage(path.as_ref(), self.lsm_options())?;
        Ok((self.assemble_directory(store, None)?, damage))
    }

    /// A database in memory, which is gone with its last handle.
    ///
    /// It keeps every version of what is written and is meant for tests and small tools;
    /// [`temporary`](DatabaseBuilder::temporary) suits more data. Settings for files, their memory and slow commits do not
    /// concern it.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when it is to be read-only, or a setting is out of its range.
    pub fn in_memory(self) -> Result<Database> {
        self.check_new()?;
        let store = Arc::new(MemStore::new(Arc::clone(&self.clock)));
        self.assemble(store, Storage::Memory)
    }

    /// A database in a new directory among the system's temporary files, which is removed with its last handle.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the directory cannot be made;
    /// [`Invalid`](crate::ErrorKind::Invalid) when it is to be read-only; for settings as [`open`](DatabaseBuilder::open).
    pub fn temporary(mut self) -> Result<Database> {
        self.check_new()?;
        self.feed_retention_ms()?;
        self.create = CreateMode::OpenOrCreate;
        let directory = TemporaryDirectory::create()?;
        let store = LsmStore::open(directory.path(), self.lsm_options())?;
        self.assemble_directory(store, Some(directory))
    }

    fn lsm_options(&self) -> LsmOptions {
        let mut options = LsmOptions::new(Arc::clone(&self.clock)).create(self.create);
        if self.read_only {
            options = options.read_only();
        }
        if self.paranoid {
            options = options.paranoid();
        }
        if let Some(environment) = &self.environment {
            options = options.environment(environment);
        }
        if let Some(bytes) = self.cache_bytes {
            options = options.cache_bytes(bytes);
        }
        if let Some(bytes) = self.write_buffer_bytes {
            options = options.write_buffer_bytes(bytes);
        }
        if let Some(bytes) = self.background_io_bytes_per_second {
            options = options.background_io_bytes_per_second(bytes);
        }
        options = options.compression(self.compression);
        if let Some(threshold_ms) = self.slow_commit_ms {
            options = options.slow_commit_ms(threshold_ms);
        }
        if let Some(label) = &self.label {
            options = options.label(label);
        }
        options
    }

    fn assemble_directory(self, store: LsmStore, temporary: Option<TemporaryDirectory>) -> Result<Database> {
        let store = Arc::new(store);
        let storage = Storage::Directory { store: Arc::clone(&store), _temporary: temporary };
        self.assemble(store, storage)
    }

    /// Refuses to read what cannot be there yet.
    fn check_new(&self) -> Result<()> {
        match self.read_only {
            true => Err(Error::invalid("a database that begins empty cannot be read-only")),
            false => Ok(()),
        }
    }

    fn assemble(self, store: Arc<dyn Store>, storage: Storage) -> Result<Database> {
        let retention = Retention::new(self.feed_retention_ms()?, self.feed_retention_bytes);
        let mut core = Core::new(store, storage, self.clock, self.entropy, self.isolation, self.durability, retention)?;
        core.vectors = Arc::new(Graphs::new(self.vector_memory_bytes));
        core.texts = Arc::new(Texts::new(self.text_memory_bytes));
        core.transaction_age_max_ms = self.transaction_age_max_ms;
        let core = core.share();
        if !core.is_read_only() {
            catalog::reclaim_orphans(&core)?;
            // A database opens whatever is damaged in it: who needs that is told.
            let _ = core.texts.go_on(&core);
        }
        Ok(Database::new(core))
    }

    /// Checked before anything is created.
    fn feed_retention_ms(&self) -> Result<u64> {
        if let Some(bytes) = self.feed_retention_bytes.filter(|bytes| *bytes < FEED_RETENTION_BYTES_MIN) {
            return Err(Error::invalid(format!(
                "change feeds would be kept to {bytes} bytes, at least {FEED_RETENTION_BYTES_MIN} are needed"
            )));
        }
        match u64::try_from(self.feed_retention.as_millis()).unwrap_or(u64::MAX) {
            retention_ms if retention_ms < FEED_RETENTION_MS_MIN => Err(Error::invalid(format!(
                "the retention of change feeds is {retention_ms} ms, at least {FEED_RETENTION_MS_MIN} ms are needed"
            ))),
            retention_ms => Ok(retention_ms),
        }
    }
}
