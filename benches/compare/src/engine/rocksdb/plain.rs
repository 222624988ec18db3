//! RocksDB without transactions: write batches, and locks of the application's own where it reads before it writes.

use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use blaze_bench::Result;
use blaze_bench::engine::{Durability, Engine, EngineOptions, Faculty, KeyValue, Pairs, Reader, VisitPair, Write};
use rocksdb::{DB, ReadOptions, WaitForCompactOptions, WriteBatch, WriteOptions};

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
        &[Faculty::KeyValue]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        let mut lines = super::configuration(options);
        lines.push(format!(
            "no transactions: a commit is one write batch; what reads before it writes takes one of {STRIPES} locks by \
             the key's hash, which commits share"
        ));
        lines
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        Ok(Box::new(Store {
            database: DB::open(&super::options(options), &options.directory)?,
            read: ReadOptions::default(),
            sync: write_options(Durability::Sync),
            buffered: write_options(Durability::Buffered),
            stripes: Stripes::default(),
        }))
    }
}

struct Store {
    database: DB,
    read: ReadOptions,
    sync: WriteOptions,
    buffered: WriteOptions,
    stripes: Stripes,
}

impl Store {
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
        let mut batch = WriteBatch::default();
        for write in writes {
            match write {
                Write::Put(key, value) => batch.put(key, value),
                Write::Delete(key) => batch.delete(key),
            }
        }
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
        self.database.compact_range::<&[u8], &[u8]>(None, None);
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        let mut options = WaitForCompactOptions::default();
        options.set_flush(true);
        Ok(self.database.wait_for_compact(&options)?)
    }
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
