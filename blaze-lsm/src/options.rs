//! How a store is opened, and what that means for RocksDB.

use std::sync::Arc;

use blaze_core::limits::{CACHE_BYTES_MIN, MEMORY_BYTES_MAX, NAME_BYTES_MAX, WRITE_BUFFER_BYTES_MIN};
use blaze_core::{Clock, Error, Family, Result};
use rocksdb::{BlockBasedOptions, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, Options as RocksOptions};

use crate::environment::{Environment, check};
use crate::trail::{DropFloors, ExpiredFilterFactory};

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

/// Undo records that no one may ask for any more go when their file is compacted, and every file is after so long.
const HISTORY_COMPACTION_SECONDS: u64 = 24 * 60 * 60;

/// Milliseconds from which a commit is slow: a healthy disk syncs in a tenth of that even when it is busy, so that who is
/// warned has something to look into.
const SLOW_COMMIT_MS: u64 = 1_000;

/// Disk space that the log of a database alone takes ahead. (2026-11-21: each time costs 37 µs, half a sync, and commits of
/// 4,000 bytes sync as fast as in a log that takes 36 MB ahead.)
const LOG_AHEAD_BYTES: usize = 4 * 1024 * 1024;

/// How often the limit of background I/O gives out its bytes, and how seldom a low priority goes before a high one:
/// RocksDB's defaults.
const RATE_LIMIT_PERIOD_US: i64 = 100_000;
const RATE_LIMIT_FAIRNESS: i32 = 10;

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

    /// The options of the whole database. Several are RocksDB's defaults today; they stand here because data depends
    /// on them.
    pub(crate) fn database(&self, environment: &Environment) -> Result<RocksOptions> {
        let mut options = self.fresh()?;
        // The marker says whether there is a database, so a missing one was never finished: create it.
        options.create_if_missing(true);
        options.create_missing_column_families(true);

        // Recovery ends at the first damaged record of the log and keeps a prefix of the commits. Recycled log files
        // and partial syncs of the log have lost data in it (facebook/rocksdb 12403, 12489, 12918), a log that is
        // flushed by hand has left families inconsistent (12995).
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        options.set_recycle_log_file_num(0);
        options.set_wal_bytes_per_sync(0);
        options.set_manual_wal_flush(false);
        // A whole log file that is missing is an error at open and not a silent loss.
        options.set_track_and_verify_wals_in_manifest(true);
        options.set_paranoid_checks(true);
        // An I/O error in a mapped page would be a signal and not an error.
        options.set_allow_mmap_reads(false);
        options.set_allow_mmap_writes(false);

        let write_buffer_bytes = self.write_buffer_bytes_in(environment);
        options.set_write_buffer_manager(environment.write_buffers());
        // The family that is written least pins the log: 19 GB of log for 109 MB of data have been seen.
        options.set_max_total_wal_size(2 * write_buffer_bytes as u64);
        // Disk space that logs and manifests take ahead of their growth. With a manager of its own the former has no
        // other meaning. Half of the write buffers is RocksDB's default: 36 MB for a database that has written nothing.
        let ahead = if environment.is_shared() { 64 * 1024 } else { write_buffer_bytes.min(LOG_AHEAD_BYTES) };
        options.set_db_write_buffer_size(ahead);
        options.set_manifest_preallocation_size(64 * 1024);
        options.set_max_background_jobs(c_int(environment.settings().background_jobs));
        // Not all: a large database would use up what the system allows the process. Opening loads 16 of them.
        options.set_max_open_files(c_int(environment.settings().open_files_per_database));
        // By default each family starts 16 threads to load them.
        options.set_max_file_opening_threads(1);
        if environment.is_shared() {
            options.set_table_cache_num_shard_bits(1); // 64 shards are 30 KB
        }
        // The information log must not grow with the age of a database; 1,000 files of any size are the default.
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(1024 * 1024);
        options.set_stats_dump_period_sec(0);
        options.set_stats_persist_period_sec(0);
        // Opening reads every file's statistics otherwise.
        options.set_skip_stats_update_on_db_open(true);
        if let Some(bytes) = self.background_io_bytes_per_second {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            options.set_ratelimiter(bytes, RATE_LIMIT_PERIOD_US, RATE_LIMIT_FAIRNESS);
        }
        Ok(options)
    }

    /// As [`database`](LsmOptions::database), for reading a directory that is damaged and must not change.
    pub(crate) fn damaged_database(
        &self,
        environment: &Environment,
        recovery: DBRecoveryMode,
        checks_files: bool,
    ) -> Result<RocksOptions> {
        let mut options = self.database(environment)?;
        options.create_if_missing(false);
        options.create_missing_column_families(false);
        options.set_wal_recovery_mode(recovery);
        options.set_track_and_verify_wals_in_manifest(false);
        // Without the checks a file that cannot be opened makes its range unreadable, and not the whole database.
        options.set_paranoid_checks(checks_files);
        options.set_max_open_files(256);
        Ok(options)
    }

    /// One column family for each [`Family`], in the order of [`Family::ALL`].
    pub(crate) fn column_families(&self, environment: &Environment) -> Result<Vec<ColumnFamilyDescriptor>> {
        let describe = |family| {
            let options = self.family(family, environment)?;
            Ok(ColumnFamilyDescriptor::new(column_family_name(family), options))
        };
        Family::ALL.into_iter().map(describe).collect()
    }

    /// The options of sorted files of a family that are written outside of the database, to be taken in: as those that
    /// RocksDB writes for the last level.
    pub(crate) fn sorted_file(&self, family: Family) -> Result<RocksOptions> {
        self.family(family, &self.make_environment()?)
    }

    /// RocksDB's defaults, but for what only its parser can set. It makes new options, so it comes first.
    fn fresh(&self) -> Result<RocksOptions> {
        // Each file would have the name of the machine in it.
        let nameless = "db_host_id=blaze";
        let paranoid = "memtable_protection_bytes_per_key=8;block_protection_bytes_per_key=8;paranoid_file_checks=true";
        let text = if self.paranoid { format!("{nameless};{paranoid}") } else { nameless.to_owned() };
        let parsed = RocksOptions::default().get_options_from_string(text);
        parsed.map_err(|error| Error::internal(format!("RocksDB's options: {error}")))
    }

    fn family(&self, family: Family, environment: &Environment) -> Result<RocksOptions> {
        let cache = environment.cache();
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_bloom_filter(filter_bits(family), false);
        // Indexes and filters count against the cache: memory stays bounded however large the database is.
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);

        let mut options = self.fresh()?;
        options.set_block_based_table_factory(&table);
        // Half of the whole, so that one family that takes all writes fills one buffer while the other is flushed.
        options.set_write_buffer_size(self.write_buffer_bytes_in(environment) / 2);
        if environment.is_shared() {
            // What a family takes for its first entry. An eighth of the buffer, times a thousand databases, is too much.
            options.set_arena_block_size(16 * 1024);
        }
        // Fast where data is young and rewritten often; small in the last level, which holds nine tenths of it.
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_bottommost_compression_type(DBCompressionType::Zstd);
        // Bounds the space that overwritten values take to about a tenth.
        options.set_level_compaction_dynamic_level_bytes(true);
        if family == Family::Data {
            // Compaction moves large values only when their file holds too much that is gone.
            options.set_enable_blob_files(true);
            options.set_min_blob_size(4096);
            options.set_blob_compression_type(DBCompressionType::Lz4);
            options.set_blob_cache(cache);
            options.set_enable_blob_gc(true);
            options.set_blob_gc_age_cutoff(0.25);
            options.set_blob_gc_force_threshold(0.5); // without it files full of dead values wait for ever
        }
        if family == Family::History {
            options.set_compaction_filter_factory(ExpiredFilterFactory(Arc::clone(&self.drop_floors)));
            options.set_periodic_compaction_seconds(HISTORY_COMPACTION_SECONDS);
        }
        Ok(options)
    }
}

/// Bits of a filter for each key. With 10 of them, about one in a hundred absent keys costs a read.
///
/// An insert asks for several absent keys, its id and what is unique, so that with 10 bits one insert in a hundred read and
/// unpacked a block: what the slowest hundredth of inserts into a large collection took twice as long for as into a small one
/// (2026-11-21: 43 blocks in 5,000 inserts into 100,000 documents). With 14 it is one absent key in six hundred or so.
fn filter_bits(family: Family) -> f64 {
    match family {
        Family::Data | Family::Index => 14.0,
        _ => 10.0,
    }
}

/// RocksDB must have a family of this name; it holds the catalog.
pub(crate) const fn column_family_name(family: Family) -> &'static str {
    match family {
        Family::Catalog => "default",
        other => other.name(),
    }
}

fn c_int(value: usize) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
