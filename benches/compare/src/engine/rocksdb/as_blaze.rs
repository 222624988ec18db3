//! The settings of Blaze, in the words of RocksDB: `blaze-lsm/src/options/` has the reason of each. What differs in the
//! engine's own table is then what each does with the same RocksDB.

use blaze_bench::engine::EngineOptions;
use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, Options};

/// What is said about them in a report.
pub(super) fn description(options: &EngineOptions) -> String {
    format!(
        "in the engine's own table RocksDB has the settings that Blaze gives it, and all of Blaze's memory: {} bytes of \
         block cache, {} of write buffers; reads are pinned, and ranges are read by one iterator, refreshed before each",
        options.cache_bytes,
        options.write_buffer_bytes()
    )
}

/// The settings of a database with one column family, which stands for `data`; no value is large enough for a blob.
pub(super) fn options(options: &EngineOptions) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_hyper_clock_cache(options.cache_bytes, 0));
    table.set_bloom_filter(14.0, false);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);

    let buffer_bytes = options.write_buffer_bytes();
    let mut database = Options::default();
    database.create_if_missing(true);
    database.set_block_based_table_factory(&table);
    database.set_db_write_buffer_size(buffer_bytes);
    database.set_write_buffer_size(buffer_bytes / 2);
    database.set_max_total_wal_size(2 * buffer_bytes as u64);
    database.set_compression_type(DBCompressionType::Lz4);
    database.set_level_compaction_dynamic_level_bytes(true);
    database.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    database.set_track_and_verify_wals_in_manifest(true);
    database
}
