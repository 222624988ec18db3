//! RocksDB, in the two ways in which applications use it. How it is tuned and read is the same in both.

mod as_blaze;
mod optimistic;
mod plain;
mod ranges;
mod setup;
mod statistics;

use std::thread::available_parallelism;

use blaze_bench::Result;
use blaze_bench::engine::{Durability, EngineOptions, Reader, VisitPair};
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBAccess, DBCompressionType, DBRawIteratorWithThreadMode, DataBlockIndexType,
    OptimisticTransactionDB, Options, ReadOptions, SnapshotWithThreadMode, WriteOptions,
};

pub(super) use self::optimistic::RocksDbOptimistic;
pub(super) use self::plain::RocksDb;

/// Pairs of one batch while loading.
const LOAD_BATCH: usize = 10_000;

fn version() -> String {
    let library = env!("LOCKED_LIBROCKSDB_SYS"); // its own version, a plus sign, and that of RocksDB
    let library = library.split_once('+').map_or(library, |(_, rocksdb)| rocksdb);
    format!("{library}, rocksdb {}", env!("LOCKED_ROCKSDB"))
}

fn configuration(options: &EngineOptions) -> Vec<String> {
    [
        &format!("block cache: HyperClock, {} bytes, with index and filter blocks in it", options.cache_bytes),
        "Bloom filters of 10 bits; hash index in data blocks and Bloom filter in memtables as OptimizeForPointLookup",
        &format!("4 write buffers of 64 MiB, {} bytes at most", options.cache_bytes),
        "compression: LZ4, zstd in the last level; dynamic level sizes",
        "as many background threads as cores; bytes_per_sync 1 MiB",
        "one ReadOptions for all reads, pinned values, raw iterators; a reader seeks one iterator again",
        "loads in batches of 10,000 pairs without log, then flushes",
        &as_blaze::description(options),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn options(options: &EngineOptions) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_hyper_clock_cache(options.cache_bytes, 0));
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_bloom_filter(10.0, false);
    table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    table.set_data_block_hash_ratio(0.75);

    let mut database = Options::default();
    database.create_if_missing(true);
    database.set_block_based_table_factory(&table);
    database.set_memtable_prefix_bloom_ratio(0.02);
    database.set_memtable_whole_key_filtering(true);
    database.set_max_write_buffer_number(4);
    database.set_db_write_buffer_size(options.cache_bytes); // all memtables together: it matters where memory is short
    database.set_compression_type(DBCompressionType::Lz4);
    database.set_bottommost_compression_type(DBCompressionType::Zstd);
    database.set_level_compaction_dynamic_level_bytes(true);
    database.set_bytes_per_sync(1 << 20);
    let cores = available_parallelism().map_or(1, |cores| cores.get());
    database.increase_parallelism(i32::try_from(cores).unwrap_or(i32::MAX));
    database
}

fn write_options(durability: Durability) -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(durability == Durability::Sync);
    options
}

/// What both kinds of database can do, but `DBAccess` does not name.
trait Rocks: DBAccess + Sized {
    fn iterate(&self, options: ReadOptions) -> DBRawIteratorWithThreadMode<'_, Self>;
}

impl Rocks for DB {
    fn iterate(&self, options: ReadOptions) -> DBRawIteratorWithThreadMode<'_, DB> {
        self.raw_iterator_opt(options)
    }
}

impl Rocks for OptimisticTransactionDB {
    fn iterate(&self, options: ReadOptions) -> DBRawIteratorWithThreadMode<'_, OptimisticTransactionDB> {
        self.raw_iterator_opt(options)
    }
}

fn get(database: &impl Rocks, options: &ReadOptions, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
    let Some(value) = database.get_pinned_opt(key, options)? else { return Ok(false) };
    visit(&value);
    Ok(true)
}

fn scan<D: Rocks>(
    iterator: &mut DBRawIteratorWithThreadMode<'_, D>,
    start: &[u8],
    limit: usize,
    visit: &mut VisitPair<'_>,
) -> Result<usize> {
    iterator.seek(start);
    for visited in 0..limit {
        if visited > 0 {
            iterator.next();
        }
        let Some((key, value)) = iterator.item() else {
            iterator.status()?;
            return Ok(visited);
        };
        visit(key, value);
    }
    Ok(limit)
}

fn count(database: &impl Rocks) -> Result<u64> {
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    options.set_readahead_size(4 << 20);
    let mut iterator = database.iterate(options);
    iterator.seek_to_first();
    let mut count = 0;
    while iterator.valid() {
        count += 1;
        iterator.next();
    }
    iterator.status()?;
    Ok(count)
}

/// Fields are dropped in this order: nothing outlives the snapshot that it reads.
struct SnapshotReader<'a, D: Rocks> {
    iterator: Option<DBRawIteratorWithThreadMode<'a, D>>,
    options: ReadOptions,
    snapshot: SnapshotWithThreadMode<'a, D>,
    database: &'a D,
}

impl<D: Rocks> SnapshotReader<'_, D> {
    fn new(database: &D) -> SnapshotReader<'_, D> {
        let snapshot = SnapshotWithThreadMode::new(database);
        SnapshotReader { iterator: None, options: options_at(&snapshot), snapshot, database }
    }
}

fn options_at<D: Rocks>(snapshot: &SnapshotWithThreadMode<'_, D>) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_snapshot(snapshot);
    options
}

impl<D: Rocks> Reader for SnapshotReader<'_, D> {
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        get(self.database, &self.options, key, visit)
    }

    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        let iterator = self.iterator.get_or_insert_with(|| self.database.iterate(options_at(&self.snapshot)));
        scan(iterator, start, limit, visit)
    }
}
