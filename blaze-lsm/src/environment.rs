//! What the databases of one process share: memory, background threads, and someone who looks after the idle ones.

use std::cmp::Reverse;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use blaze_core::limits::{
    BACKGROUND_JOBS_MAX, CACHE_BYTES_MIN, MEMORY_BYTES_MAX, OPEN_FILES_MAX, OPEN_FILES_MIN, WRITE_BUFFER_BYTES_MIN,
};
use blaze_core::{Error, Family, Result};
use parking_lot::Mutex;
use rocksdb::{Cache, WriteBufferManager};

use crate::ffi::Engine;

/// What the write buffers of a database take with nothing in them: RocksDB's arenas count 2 KiB for each family.
const EMPTY_BYTES: usize = Family::ALL.len() * 2048;

/// What a database may have in its write buffers and be left alone: flushing so little frees next to no memory.
const NEXT_TO_NOTHING_BYTES: usize = 8 * 1024;

/// What the databases of one process share: a cache, memory for writes, background threads, a bound on open files.
///
/// A thousand databases in one environment share the memory of one. Each takes about half a MiB on top and a bounded
/// number of files, and no thread. When together they hold too much that is not yet in files, those that hold most of
/// it are flushed, whether they are being written to or not.
///
/// A clone is a handle to the same environment, which lives as long as a handle or a database in it does.
///
/// ```
/// use blaze_lsm::Environment;
///
/// let environment = Environment::builder().cache_bytes(32 << 20).write_buffer_bytes(16 << 20).build()?;
/// assert_eq!(environment.write_buffer_bytes_used(), 0);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Environment(Arc<Shared>);

struct Shared {
    settings: EnvironmentBuilder,
    cache: Cache,
    write_buffers: WriteBufferManager,
    /// False for the environment of a database that was given none.
    is_shared: bool,
    engines: Mutex<Vec<Weak<Engine>>>,
    /// How full the write buffers were when somebody last looked at who fills them, or have been since.
    bytes_seen: AtomicUsize,
}

/// The settings of an [`Environment`], checked by [`build`](EnvironmentBuilder::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it builds an environment"]
pub struct EnvironmentBuilder {
    pub(crate) cache_bytes: usize,
    pub(crate) write_buffer_bytes: usize,
    pub(crate) background_jobs: usize,
    pub(crate) open_files_per_database: usize,
    #[cfg(feature = "faults")]
    files: Files,
}

/// What a test has interposed between RocksDB and its files.
#[cfg(feature = "faults")]
#[derive(Clone, Default)]
struct Files(Option<rocksdb::Env>);

#[cfg(feature = "faults")]
impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "interposed" } else { "of the system" })
    }
}

impl EnvironmentBuilder {
    /// Bytes of memory for what all databases read from disk; 64 MiB by default.
    pub fn cache_bytes(mut self, bytes: usize) -> EnvironmentBuilder {
        self.cache_bytes = bytes;
        self
    }

    /// Bytes of memory for what all databases have written and not yet put into sorted files; 64 MiB by default. Each
    /// open database takes 14 KiB of them for nothing: allow 32 KiB for each. It is not a wall: while files are
    /// written, more may come in.
    pub fn write_buffer_bytes(mut self, bytes: usize) -> EnvironmentBuilder {
        self.write_buffer_bytes = bytes;
        self
    }

    /// Threads that flush and compact, for all databases together; 2 by default. All environments of a process draw
    /// on the same threads: the largest number among them is what there is.
    pub fn background_jobs(mut self, jobs: usize) -> EnvironmentBuilder {
        self.background_jobs = jobs;
        self
    }

    /// Files that one database keeps open, about ten of them beside its sorted files; 64 by default. A database that
    /// has more opens and closes them as it reads.
    pub fn open_files_per_database(mut self, files: usize) -> EnvironmentBuilder {
        self.open_files_per_database = files;
        self
    }

    /// Has all files of RocksDB go through what a test interposes. Blaze's own, the marker and its lock, do not.
    #[cfg(feature = "faults")]
    #[doc(hidden)]
    pub fn files_through(mut self, env: rocksdb::Env) -> EnvironmentBuilder {
        self.files = Files(Some(env));
        self
    }

    /// Makes the environment.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when a setting is too small to work with, and
    /// [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) when it is too large to be meant.
    pub fn build(self) -> Result<Environment> {
        self.make(true)
    }

    pub(crate) fn make(self, is_shared: bool) -> Result<Environment> {
        check("cache_bytes", self.cache_bytes, CACHE_BYTES_MIN, MEMORY_BYTES_MAX)?;
        check("write_buffer_bytes", self.write_buffer_bytes, WRITE_BUFFER_BYTES_MIN, MEMORY_BYTES_MAX)?;
        check("background_jobs", self.background_jobs, 1, BACKGROUND_JOBS_MAX)?;
        check("open_files_per_database", self.open_files_per_database, OPEN_FILES_MIN, OPEN_FILES_MAX)?;
        Ok(Environment(Arc::new(Shared {
            // Locks nothing on a hit, and finds out the size of its entries itself.
            cache: Cache::new_hyper_clock_cache(self.cache_bytes, 0),
            // Without stalls: one database must not wait for the flush of another.
            write_buffers: WriteBufferManager::new_write_buffer_manager(self.write_buffer_bytes, false),
            settings: self,
            is_shared,
            engines: Mutex::default(),
            bytes_seen: AtomicUsize::new(0),
        })))
    }
}

/// Refuses a setting that is not within its limits.
pub(crate) fn check(name: &str, value: usize, min: usize, max: usize) -> Result<()> {
    match value {
        _ if value < min => Err(Error::invalid(format!("{name} is {value}, at least {min} is needed"))),
        _ if value > max => Err(Error::limit_exceeded(format!("{name} is {value}, the limit is {max}"))),
        _ => Ok(()),
    }
}

impl Environment {
    /// The settings with which to make an environment.
    pub fn builder() -> EnvironmentBuilder {
        EnvironmentBuilder {
            cache_bytes: 64 << 20,
            write_buffer_bytes: 64 << 20,
            background_jobs: 2,
            open_files_per_database: 64,
            #[cfg(feature = "faults")]
            files: Files::default(),
        }
    }

    /// Bytes of memory that hold what was written and is not yet in sorted files, of all databases together.
    #[must_use]
    pub fn write_buffer_bytes_used(&self) -> usize {
        self.0.write_buffers.get_usage()
    }

    /// Bytes of memory that hold what was read from disk, of all databases together.
    #[must_use]
    pub fn cache_bytes_used(&self) -> usize {
        self.0.cache.get_usage()
    }

    pub(crate) fn settings(&self) -> &EnvironmentBuilder {
        &self.0.settings
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    pub(crate) fn write_buffers(&self) -> &WriteBufferManager {
        &self.0.write_buffers
    }

    /// What a test has interposed between RocksDB and its files.
    pub(crate) fn interposed(&self) -> Option<&rocksdb::Env> {
        #[cfg(feature = "faults")]
        return self.0.settings.files.0.as_ref();
        #[cfg(not(feature = "faults"))]
        None
    }

    /// False for the environment of a database that was given none.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.is_shared
    }

    /// Takes in a database that was opened.
    pub(crate) fn add(&self, engine: &Arc<Engine>) {
        if self.0.is_shared {
            let mut engines = self.0.engines.lock();
            if engines.len() == engines.capacity() {
                engines.retain(|engine| engine.strong_count() > 0);
            }
            engines.push(Arc::downgrade(engine));
        }
    }

    /// Flushes databases when together they hold too much in memory. RocksDB flushes by itself only the one that is
    /// being written to, which, among a thousand idle ones, may have next to nothing. Call it after a write; it waits
    /// for no flush.
    pub(crate) fn relieve(&self) {
        let limit = self.0.settings.write_buffer_bytes;
        if !self.0.is_shared || !self.has_grown(limit / 2, limit / 16) {
            return;
        }
        let live: Vec<Arc<Engine>> = self.0.engines.lock().iter().filter_map(Weak::upgrade).collect();
        // What no flush gives back is not there to be filled.
        let room = limit.saturating_sub(live.len() * EMPTY_BYTES).max(limit / 4);
        // What is being flushed already is on its way out.
        let loads = live.into_iter().map(|engine| (engine.unflushed_bytes().saturating_sub(EMPTY_BYTES), engine));
        let mut loads: Vec<_> = loads.filter(|(bytes, _)| *bytes > NEXT_TO_NOTHING_BYTES).collect();
        let mut held: usize = loads.iter().map(|(bytes, _)| bytes).sum();
        if held <= room / 2 {
            return;
        }
        // The largest first: that takes the fewest files.
        loads.sort_by_key(|(bytes, _)| Reverse(*bytes));
        for (bytes, engine) in loads {
            if held <= room / 4 {
                break;
            }
            engine.begin_flush();
            held -= bytes;
        }
    }

    /// True when the write buffers hold more than `bytes_min` and `step` more than at the last time this was true.
    fn has_grown(&self, bytes_min: usize, step: usize) -> bool {
        let (used, seen) = (self.write_buffer_bytes_used(), self.0.bytes_seen.load(Ordering::Relaxed));
        if used < seen {
            self.0.bytes_seen.store(used, Ordering::Relaxed);
            return false;
        }
        let grown = used > bytes_min && used - seen >= step;
        // Of several that notice, one does the work.
        grown && self.0.bytes_seen.compare_exchange(seen, used, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
