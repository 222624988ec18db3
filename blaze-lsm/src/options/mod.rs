//! How a store is opened.

mod compression;
mod rocksdb;

use std::sync::Arc;

use blaze_core::limits::{CACHE_BYTES_MIN, MEMORY_BYTES_MAX, NAME_BYTES_MAX, WRITE_BUFFER_BYTES_MIN};
use blaze_core::{Clock, Error, Result};

pub use self::compression::Compression;
pub(crate) use self::rocksdb::column_family_name;
use crate::environment::{Environment, check};
use crate::trail::DropFloors;

/// Files that a database alone keeps open: half of what many systems allow a process.
const OPEN_FILES: usize = 512;

/// Bytes of memory for what was read.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The part of it that is for records: three eighths. (2026-11-21, 2 M rows of 174 bytes: with a half, data of half the size of
/// the cache no longer fit into blocks, and reads and scans of all of it lose a third; a quarter loses hits where a few rows
/// are hot.)
fn records_of(cache_bytes: usize) -> usize {
    cache_bytes / 8 * 3
}

/// Milliseconds from which a commit is slow: a healthy disk syncs in a tenth of that even when it is busy, so that who is
/// warned has something to look into.
const SLOW_COMMIT_MS: u64 = 1_000;

/// Whether the directory must be there when a store is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CreateMode {
    /// A new database is created where there is none.
    #[default]
    OpenOrCreate,
    /// There must be a database.
    MustExist,
    /// There must be none.
    MustBeNew,
}

/// How to open an [`LsmStore`](crate::LsmStore).
///
/// ```
/// use std::sync::Arc;
/// use blaze_core::ManualClock;
/// use blaze_lsm::{CreateMode, LsmOptions};
///
/// let options = LsmOptions::new(Arc::new(ManualClock::at_ms(0))).create(CreateMode::MustBeNew).cache_bytes(8 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct LsmOptions {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) create: CreateMode,
    pub(crate) read_only: bool,
    paranoid: bool,
    environment: Option<Environment>,
    cache_bytes: Option<usize>,
    record_cache_bytes: Option<usize>,
    write_buffer_bytes: Option<usize>,
    background_io_bytes_per_second: Option<u64>,
    compression: Compression,
    pub(crate) slow_commit_ms: Option<u64>,
    pub(crate) label: Option<String>,
    /// Shared with the store that is opened, which sets them.
    pub(crate) drop_floors: Arc<DropFloors>,
}

impl LsmOptions {
    /// Opens or creates, with 32 MiB of block cache, 32 MiB of record cache and 64 MiB of write buffers; commit timestamps follow `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> LsmOptions {
        LsmOptions {
            clock,
            create: CreateMode::default(),
            read_only: false,
            paranoid: false,
            environment: None,
            cache_bytes: None,
            record_cache_bytes: None,
            write_buffer_bytes: None,
            background_io_bytes_per_second: None,
            compression: Compression::default(),
            slow_commit_ms: Some(SLOW_COMMIT_MS),
            label: None,
            drop_floors: Arc::default(),
        }
    }

    /// Whether the directory must be there.
    #[must_use]
    pub fn create(mut self, create: CreateMode) -> LsmOptions {
        self.create = create;
        self
    }

    /// Opens for reading only: beside others that do, and changing nothing in the directory. What is in the log is
    /// held in memory.
    #[must_use]
    pub fn read_only(mut self) -> LsmOptions {
        self.read_only = true;
        self
    }

    /// Guards what is in memory by checksums, too, and reads every file back that was written: against memory that
    /// fails. Costs about 7 % of point reads and writes, and 30 % of scans over what was just written.
    #[must_use]
    pub fn paranoid(mut self) -> LsmOptions {
        self.paranoid = true;
        self
    }

    /// Shares memory, threads and care with other stores of the process.
    #[must_use]
    pub fn environment(mut self, environment: &Environment) -> LsmOptions {
        self.environment = Some(environment.clone());
        self
    }

    /// Bytes of memory for what was read: three eighths for records, unless said otherwise, the rest for blocks, indexes and
    /// filters of files, and for large values. That of an environment is set there.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> LsmOptions {
        self.cache_bytes = Some(bytes);
        self
    }

    /// Bytes of memory, of those of the cache, for the records that are read most, which are then found without looking
    /// into files or write buffers. In an environment there are none unless they are asked for here: they are not shared.
    #[must_use]
    pub fn record_cache_bytes(mut self, bytes: usize) -> LsmOptions {
        self.record_cache_bytes = Some(bytes);
        self
    }

    /// Bytes of memory for writes of all families that are not yet in sorted files, within those of the environment,
    /// of which a sixteenth is the default. About twice as many bytes of log are kept at most, to be replayed when the
    /// process was killed, and as many and 8 MiB are kept free on the disk: commits that put something answer
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable) before.
    #[must_use]
    pub fn write_buffer_bytes(mut self, bytes: usize) -> LsmOptions {
        self.write_buffer_bytes = Some(bytes);
        self
    }

    /// Bytes that flushes and compactions together write in a second, at most; without a limit by default, and at least
    /// 1 MiB is used. When commits write faster than that for long, they are slowed down.
    #[must_use]
    pub fn background_io_bytes_per_second(mut self, bytes: u64) -> LsmOptions {
        self.background_io_bytes_per_second = Some(bytes.max(1024 * 1024));
        self
    }

    /// How the last level of files is compressed. Another choice than before holds for files that are written from then on.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> LsmOptions {
        self.compression = compression;
        self
    }

    /// Milliseconds from which a commit is slow, which is told by a warning of `tracing`; a second unless said otherwise,
    /// never with none. The warning says how long the turn to write was waited for, the writing and the sync, of how many
    /// commits together, rows and bytes.
    #[must_use]
    pub fn slow_commit_ms(mut self, threshold_ms: Option<u64>) -> LsmOptions {
        self.slow_commit_ms = threshold_ms;
        self
    }

    /// What the store is called in metrics and in warnings, in 1 to [`NAME_BYTES_MAX`] bytes.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> LsmOptions {
        self.label = Some(label.into());
        self
    }

    /// Refuses settings that contradict each other or are out of bounds.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.read_only && self.create == CreateMode::MustBeNew {
            return Err(Error::invalid("a database that is opened read-only cannot be new"));
        }
        if self.environment.is_some() && self.cache_bytes.is_some() {
            return Err(Error::invalid("cache_bytes is set for the environment, not for a database in it"));
        }
        match self.label.as_ref().map_or(1, String::len) {
            0 => return Err(Error::invalid("label is empty, at least 1 byte is needed")),
            1..=NAME_BYTES_MAX => {}
            bytes => {
                return Err(Error::limit_exceeded(format!("label has {bytes} bytes, the limit is {NAME_BYTES_MAX}")));
            }
        }
        if let Some(bytes) = self.cache_bytes {
            check("cache_bytes", bytes, CACHE_BYTES_MIN, MEMORY_BYTES_MAX)?;
        }
        match self.write_buffer_bytes {
            Some(bytes) => check("write_buffer_bytes", bytes, WRITE_BUFFER_BYTES_MIN, MEMORY_BYTES_MAX),
            None => Ok(()),
        }
    }

    /// The environment that was given, or one for this store alone.
    pub(crate) fn make_environment(&self) -> Result<Environment> {
        if let Some(environment) = &self.environment {
            return Ok(environment.clone());
        }
        let mut alone = Environment::builder().open_files_per_database(OPEN_FILES);
        let bytes = self.cache_bytes.unwrap_or(CACHE_BYTES);
        alone.cache_bytes =
            bytes.saturating_sub(self.record_cache_bytes.unwrap_or(records_of(bytes))).max(CACHE_BYTES_MIN);
        alone.write_buffer_bytes = self.write_buffer_bytes.unwrap_or(alone.write_buffer_bytes);
        alone.make(false)
    }

    /// The same, in the environment that was made for them.
    pub(crate) fn environment_of(mut self, environment: &Environment) -> LsmOptions {
        self.environment = Some(environment.clone());
        self
    }

    /// Bytes of the record cache of this store.
    pub(crate) fn record_cache_bytes_in(&self, environment: &Environment) -> usize {
        let share = if environment.is_shared() { 0 } else { records_of(self.cache_bytes.unwrap_or(CACHE_BYTES)) };
        self.record_cache_bytes.unwrap_or(share)
    }

    /// Bytes of write buffers of this store.
    pub(crate) fn write_buffer_bytes_in(&self, environment: &Environment) -> usize {
        let all = environment.settings().write_buffer_bytes;
        let share = if environment.is_shared() { (all / 16).max(WRITE_BUFFER_BYTES_MIN) } else { all };
        self.write_buffer_bytes.unwrap_or(share).min(all)
    }
}
