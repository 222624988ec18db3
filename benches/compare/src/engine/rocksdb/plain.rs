//! RocksDB without transactions: write batches, and locks of the application's own where it reads before it writes.

use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use blaze_bench::Result;
use blaze_bench::engine::{
    Durability, Engine, EngineOptions, Faculty, Isolation, KeyValue, Opening, Pairs, Ranges, Reader, Transactional,
    VisitPair, Write,
};
use rocksdb::{DB, ReadOptions, WaitForCompactOptions, WriteBatch, WriteOptions};

use super::ranges::RefreshedRanges;
use super::setup::Setup;
use super::statistics::Statistics;
use super::{LOAD_BATCH, Rocks, SnapshotReader, write_options};

pub(crate) struct RocksDb;

impl Engine for RocksDb {
    fn name(&self) -> &'static str {
        "rocksdb"
    }

    fn version(&self) -> String {
        super::version()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::KeyValue, Faculty::Transactions]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        let mut lines = super::configuration(options);
        lines.push(format!(
            "no transactions: a commit is one write batch; what reads before it writes takes one of {STRIPES} locks by \
             the key's hash, which commits share. In the engine's own table there are no locks either: nothing is \
             protected, and a transaction that reads is its reads and then one batch"
        ));
        lines
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        Ok(Box::new(Store::open(options, Setup::recommended(options))?))
    }

    fn open_transactional(&self, options: &EngineOptions, opening: Opening) -> Result<Box<dyn Transactional>> {
        Ok(Box::new(Store::open(options, Setup::as_blaze(options, opening))?))
    }
}

struct Store {
    database: DB,
    read: ReadOptions,
    sync: WriteOptions,
    buffered: WriteOptions,
    stripes: Stripes,
    setup: Setup,
}

impl Store {
    fn open(options: &EngineOptions, setup: Setup) -> Result<Store> {
        Ok(Store {
            database: DB::open(&setup.settings, &options.directory)?,
            read: ReadOptions::default(),
            sync: write_options(Durability::Sync),
            buffered: write_options(Durability::Buffered),
            stripes: Stripes::default(),
            setup,
        })
    }

    fn write_options(&self, durability: Durability) -> &WriteOptions {
        match durability {
            Durability::Sync => &self.sync,
            Durability::Buffered => &self.buffered,
        }
    }
}

impl KeyValue for Store {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        let mut batch = WriteBatch::default();
        while let Some((key, value)) = pairs.next() {
            batch.put(key, value);
            if batch.len() == LOAD_BATCH {
                self.database.write_without_wal(std::mem::take(&mut batch))?;
            }
        }
        self.database.write_without_wal(batch)?;
        Ok(self.database.flush()?)
    }

    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()> {
        let batch = batch(writes);
        let _shared = self.stripes.share(writes);
        Ok(self.database.write_opt(batch, self.write_options(durability))?)
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        let _alone = self.stripes.take(key);
        let Some(mut value) = self.database.get_opt(key, &self.read)? else { return Ok(false) };
        change(&mut value);
        self.database.put_opt(key, value, self.write_options(durability))?;
        Ok(true)
    }

    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        super::get(&self.database, &self.read, key, visit)
    }

    fn scan(&self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        super::scan(&mut self.database.iterate(ReadOptions::default()), start, limit, visit)
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(SnapshotReader::new(&self.database)))
    }

    fn count(&self) -> Result<u64> {
        super::count(&self.database)
    }

    fn compact(&self) -> Result<bool> {
        self.database.compact_range_opt::<&[u8], &[u8]>(None, None, &self.setup.compaction);
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        let mut options = WaitForCompactOptions::default();
        options.set_flush(true);
        Ok(self.database.wait_for_compact(&options)?)
    }
}

impl Transactional for Store {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        Ok(self.database.put_opt(key, value, self.write_options(self.setup.durability))?)
    }

    fn write(&self, writes: &[Write<'_>]) -> Result<()> {
        Ok(self.database.write_opt(batch(writes), self.write_options(self.setup.durability))?)
    }

    fn rewrite(
        &self,
        keys: &[&[u8]],
        visit: &mut VisitPair<'_>,
        writes: &[Write<'_>],
        _isolation: Isolation,
    ) -> Result<()> {
        for key in keys {
            super::get(&self.database, &self.read, key, &mut |value| visit(key, value))?;
        }
        self.write(writes)
    }

    fn begin_and_drop(&self) -> Result<()> {
        drop(self.database.snapshot());
        Ok(())
    }

    fn ranges(&self) -> Result<Box<dyn Ranges + '_>> {
        Ok(Box::new(RefreshedRanges::new(&self.database)))
    }

    fn syncs(&self) -> Option<u64> {
        self.setup.statistics.as_ref().map(Statistics::log_syncs)
    }
}

fn batch(writes: &[Write<'_>]) -> WriteBatch {
    let bytes = |write: &Write<'_>| match write {
        Write::Put(key, value) => key.len() + value.len(),
        Write::Delete(key) => key.len(),
    };
    // Lengths and the kind of each write take some bytes, and the batch has a header.
    let mut batch = WriteBatch::with_capacity_bytes(writes.iter().map(|write| bytes(write) + 8).sum::<usize>() + 16);
    for write in writes {
        match write {
            Write::Put(key, value) => batch.put(key, value),
            Write::Delete(key) => batch.delete(key),
        }
    }
    batch
}

const STRIPES: usize = 1024;

/// Locks by the hash of a key. Writes that know nothing of the value share them, so that they still go to the log in
/// groups; one that has read it holds its lock alone.
struct Stripes {
    hasher: RandomState,
    locks: Vec<RwLock<()>>,
}

impl Default for Stripes {
    fn default() -> Stripes {
        Stripes { hasher: RandomState::new(), locks: (0..STRIPES).map(|_| RwLock::new(())).collect() }
    }
}

impl Stripes {
    fn of(&self, key: &[u8]) -> usize {
        (self.hasher.hash_one(key) % STRIPES as u64) as usize
    }

    fn take(&self, key: &[u8]) -> RwLockWriteGuard<'_, ()> {
        self.locks[self.of(key)].write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes each lock once and in ascending order, so that nobody waits in a circle.
    fn share(&self, writes: &[Write<'_>]) -> Vec<RwLockReadGuard<'_, ()>> {
        let mut stripes: Vec<usize> = match writes.len() {
            0..STRIPES => writes.iter().map(|(Write::Put(key, _) | Write::Delete(key))| self.of(key)).collect(),
            _ => (0..STRIPES).collect(),
        };
        stripes.sort_unstable();
        stripes.dedup();
        stripes.into_iter().map(|stripe| self.locks[stripe].read().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}
