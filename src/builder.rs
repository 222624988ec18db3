//! How a database is opened.

use std::path::Path;
use std::sync::Arc;

use blaze_core::{Clock, Durability, Entropy, Isolation, MemStore, Result, Store};
use blaze_lsm::{CreateMode, LsmOptions, LsmStore};

use crate::catalog;
use crate::database::Database;
use crate::database::core::{Core, Storage};
use crate::system::{SystemClock, SystemEntropy, TemporaryDirectory};

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
    create: CreateMode,
    cache_bytes: Option<usize>,
    write_buffer_bytes: Option<usize>,
}

impl DatabaseBuilder {
    pub(crate) fn new() -> DatabaseBuilder {
        DatabaseBuilder {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            durability: Durability::default(),
            isolation: Isolation::default(),
            create: CreateMode::default(),
            cache_bytes: None,
            write_buffer_bytes: None,
        }
    }

    /// The clock behind commit timestamps and automatic ids; the operating system's by default.
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

    /// Bytes of memory for data read from disk; 64 MiB by default.
    pub fn cache_bytes(mut self, bytes: usize) -> DatabaseBuilder {
        self.cache_bytes = Some(bytes);
        self
    }

    /// Bytes of memory for writes on their way to sorted files; 64 MiB by default.
    pub fn write_buffer_bytes(mut self, bytes: usize) -> DatabaseBuilder {
        self.write_buffer_bytes = Some(bytes);
        self
    }

    /// Opens the database in the directory `path`, or creates it.
    ///
    /// # Errors
    /// [`Locked`](crate::ErrorKind::Locked) when it is open already, here or in another process;
    /// [`Invalid`](crate::ErrorKind::Invalid) when `path` is not a database or was written by a newer version: nothing
    /// there is touched; [`NotFound`](crate::ErrorKind::NotFound) and
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) as [`must_exist`](DatabaseBuilder::must_exist) and
    /// [`must_be_new`](DatabaseBuilder::must_be_new) say; [`Corruption`](crate::ErrorKind::Corruption);
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database> {
        self.open_directory(path.as_ref(), None)
    }

    /// A database in memory, which is gone with its last handle.
    ///
    /// It keeps every version of what is written and is meant for tests and small tools;
    /// [`temporary`](DatabaseBuilder::temporary) suits more data.
    ///
    /// # Errors
    /// None today.
    pub fn in_memory(self) -> Result<Database> {
        let store = Arc::new(MemStore::new(Arc::clone(&self.clock)));
        self.assemble(store, Storage::Memory)
    }

    /// A database in a new directory among the system's temporary files, which is removed with its last handle.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the directory cannot be made.
    pub fn temporary(mut self) -> Result<Database> {
        self.create = CreateMode::OpenOrCreate;
        let directory = TemporaryDirectory::create()?;
        let path = directory.path().to_path_buf();
        self.open_directory(&path, Some(directory))
    }

    fn open_directory(self, path: &Path, temporary: Option<TemporaryDirectory>) -> Result<Database> {
        let mut options = LsmOptions::new(Arc::clone(&self.clock)).create(self.create);
        if let Some(bytes) = self.cache_bytes {
            options = options.block_cache_bytes(bytes);
        }
        if let Some(bytes) = self.write_buffer_bytes {
            options = options.write_buffer_bytes(bytes);
        }
        let store = Arc::new(LsmStore::open(path, options)?);
        let storage = Storage::Directory { store: Arc::clone(&store), _temporary: temporary };
        self.assemble(store, storage)
    }

    fn assemble(self, store: Arc<dyn Store>, storage: Storage) -> Result<Database> {
        let core = Core::new(store, storage, self.clock, self.entropy, self.isolation, self.durability)?;
        let core = Arc::new(core);
        catalog::reclaim_orphans(&core)?;
        Ok(Database::new(core))
    }
}
