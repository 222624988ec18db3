//! How a store is opened, and what that means for RocksDB.

use std::sync::Arc;

use blaze_core::{Clock, Family};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, Options as RocksOptions,
};

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
/// let options = LsmOptions::new(Arc::new(ManualClock::at_ms(0))).create(CreateMode::MustBeNew).block_cache_bytes(8 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct LsmOptions {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) create: CreateMode,
    block_cache_bytes: usize,
    pub(crate) record_cache_bytes: usize,
    write_buffer_bytes: usize,
}

impl LsmOptions {
    /// Opens or creates, with 32 MiB of block cache, 32 MiB of record cache and 64 MiB of write buffers; commit timestamps follow `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> LsmOptions {
        LsmOptions {
            clock,
            create: CreateMode::default(),
            block_cache_bytes: 32 * 1024 * 1024,
            record_cache_bytes: 32 * 1024 * 1024,
            write_buffer_bytes: 64 * 1024 * 1024,
        }
    }

    /// Whether the directory must be there.
    #[must_use]
    pub fn create(mut self, create: CreateMode) -> LsmOptions {
        self.create = create;
        self
    }

    /// Bytes of memory for blocks, indexes and filters of files, and for large values, that were read.
    #[must_use]
    pub fn block_cache_bytes(mut self, bytes: usize) -> LsmOptions {
        self.block_cache_bytes = bytes;
        self
    }

    /// Bytes of memory for the records that are read most, which are then found without looking into files or memory
    /// tables.
    #[must_use]
    pub fn record_cache_bytes(mut self, bytes: usize) -> LsmOptions {
        self.record_cache_bytes = bytes;
        self
    }

    /// Bytes of memory for writes of all families that are not yet in sorted files; at least 1 MiB is used. About
    /// twice as many bytes of log are kept at most, to be replayed at the next opening.
    #[must_use]
    pub fn write_buffer_bytes(mut self, bytes: usize) -> LsmOptions {
        self.write_buffer_bytes = bytes.max(1024 * 1024);
        self
    }

    /// The options of the whole database. Several are RocksDB's defaults today; they stand here because data depends
    /// on them.
    pub(crate) fn database(&self) -> RocksOptions {
        let mut options = RocksOptions::default();
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

        options.set_db_write_buffer_size(self.write_buffer_bytes);
        // The family that is written least pins the log: 19 GB of log for 109 MB of data have been seen.
        options.set_max_total_wal_size(2 * self.write_buffer_bytes as u64);
        // The information log must not grow with the age of a database; 1,000 files of any size are the default.
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(1024 * 1024);
        // Opening reads every file's statistics otherwise.
        options.set_skip_stats_update_on_db_open(true);
        options
    }

    /// One column family for each [`Family`], in the order of [`Family::ALL`].
    pub(crate) fn column_families(&self) -> Vec<ColumnFamilyDescriptor> {
        // Locks nothing on a hit, and finds out the size of its entries itself.
        let cache = Cache::new_hyper_clock_cache(self.block_cache_bytes, 0);
        let describe = |family| ColumnFamilyDescriptor::new(column_family_name(family), self.family(family, &cache));
        Family::ALL.into_iter().map(describe).collect()
    }

    /// The options of sorted files of a family that are written outside of the database, to be taken in: as those that
    /// RocksDB writes for the last level.
    pub(crate) fn sorted_file(&self, family: Family) -> RocksOptions {
        self.family(family, &Cache::new_lru_cache(0)) // nothing is read through it
    }

    fn family(&self, family: Family, cache: &Cache) -> RocksOptions {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_bloom_filter(10.0, false); // one in a hundred absent keys costs a read
        // Indexes and filters count against the cache: memory stays bounded however large the database is.
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);

        let mut options = RocksOptions::default();
        options.set_block_based_table_factory(&table);
        // Half of the whole, so that one family that takes all writes fills one buffer while the other is flushed.
        options.set_write_buffer_size(self.write_buffer_bytes / 2);
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
        options
    }
}

/// RocksDB must have a family of this name; it holds the catalog.
pub(crate) const fn column_family_name(family: Family) -> &'static str {
    match family {
        Family::Catalog => "default",
        other => other.name(),
    }
}
