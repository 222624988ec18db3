//! What the options of a store mean for RocksDB.

use std::sync::Arc;

use blaze_core::{Error, Family, Result};
use rocksdb::{BlockBasedOptions, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, Options as RocksOptions};

use super::LsmOptions;
use crate::environment::Environment;
use crate::trail::ExpiredFilterFactory;

/// Undo records that no one may ask for any more go when their file is compacted, and every file is after so long.
const HISTORY_COMPACTION_SECONDS: u64 = 24 * 60 * 60;

/// Disk space that the log of a database alone takes ahead. (2026-11-21: each time costs 37 µs, half a sync, and commits of
/// 4,000 bytes sync as fast as in a log that takes 36 MB ahead.)
const LOG_AHEAD_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of what is compressed together of texts: terms of documents are alike, a few hundred bytes each, and few of them are
/// read. Four pages of a segment fit in, which then are read together; who searches keeps pages in memory.
const TEXT_BLOCK_BYTES: usize = 16 * 1024;

/// How often the limit of background I/O gives out its bytes, and how seldom a low priority goes before a high one:
/// RocksDB's defaults.
const RATE_LIMIT_PERIOD_US: i64 = 100_000;
const RATE_LIMIT_FAIRNESS: i32 = 10;

impl LsmOptions {
    /// The options of the whole database. Several are RocksDB's defaults today; they stand here because data depends
    /// on them.
    pub(crate) fn database(&self, environment: &Environment) -> Result<RocksOptions> {
        let mut options = self.fresh(environment)?;
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
        // The log stays tracked: RocksDB would want to forget in the manifest what it tracks, which is a crash where nothing is
        // written.
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

    /// RocksDB's defaults, but for where files are, and for what only its parser can set. That makes new options, so it comes
    /// first.
    fn fresh(&self, environment: &Environment) -> Result<RocksOptions> {
        // Each file would have the name of the machine in it.
        let nameless = "db_host_id=blaze";
        let paranoid = "memtable_protection_bytes_per_key=8;block_protection_bytes_per_key=8;paranoid_file_checks=true";
        let text = if self.paranoid { format!("{nameless};{paranoid}") } else { nameless.to_owned() };
        let parsed = RocksOptions::default().get_options_from_string(text);
        let mut options = parsed.map_err(|error| Error::internal(format!("RocksDB's options: {error}")))?;
        if let Some(env) = environment.interposed() {
            options.set_env(env);
        }
        Ok(options)
    }

    fn family(&self, family: Family, environment: &Environment) -> Result<RocksOptions> {
        let cache = environment.cache();
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_bloom_filter(filter_bits(family), false);
        // Indexes and filters count against the cache: memory stays bounded however large the database is.
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        if family == Family::Text {
            table.set_block_size(TEXT_BLOCK_BYTES);
        }

        let mut options = self.fresh(environment)?;
        options.set_block_based_table_factory(&table);
        // Half of the whole, so that one family that takes all writes fills one buffer while the other is flushed.
        options.set_write_buffer_size(self.write_buffer_bytes_in(environment) / 2);
        if environment.is_shared() {
            // What a family takes for its first entry. An eighth of the buffer, times a thousand databases, is too much.
            options.set_arena_block_size(16 * 1024);
        }
        self.compression.apply(family, &mut options);
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
