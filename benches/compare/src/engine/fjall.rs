//! fjall: a log-structured tree, with transactions that wait for each other.

use blaze_bench::Result;
use blaze_bench::engine::{Durability, Engine, EngineOptions, Faculty, KeyValue, Pairs, Reader, VisitPair, Write};
use fjall::{
    KeyspaceCreateOptions, PersistMode, Readable, SingleWriterTxDatabase, SingleWriterTxKeyspace, SingleWriterWriteTx,
    Snapshot,
};

use super::wait_while;

pub(super) struct Fjall;

/// Pairs of one transaction while loading; it keeps them in memory until it ends.
const LOAD_BATCH: usize = 10_000;

impl Engine for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn version(&self) -> String {
        env!("LOCKED_FJALL").to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::KeyValue]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        vec![
            format!("cache_size {}", options.cache_bytes),
            "SingleWriterTxDatabase: writers never conflict".to_owned(),
            "Sync is PersistMode::SyncData, Buffered is PersistMode::Buffer".to_owned(),
            format!("loads in transactions of {LOAD_BATCH} pairs: its bulk load takes sorted pairs only"),
            "compaction, and waiting for background work, through functions that its documentation hides".to_owned(),
        ]
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        let cache_bytes = u64::try_from(options.cache_bytes)?;
        let database = SingleWriterTxDatabase::builder(&options.directory).cache_size(cache_bytes).open()?;
        let keyspace = database.keyspace("pairs", KeyspaceCreateOptions::default)?;
        Ok(Box::new(Store { database, keyspace }))
    }
}

struct Store {
    database: SingleWriterTxDatabase,
    keyspace: SingleWriterTxKeyspace,
}

impl Store {
    fn begin(&self, durability: Durability) -> SingleWriterWriteTx<'_> {
        self.database.write_tx().durability(Some(match durability {
            Durability::Sync => PersistMode::SyncData,
            Durability::Buffered => PersistMode::Buffer,
        }))
    }

    fn read(&self) -> SnapshotReader<'_> {
        SnapshotReader { snapshot: self.database.read_tx(), keyspace: &self.keyspace }
    }
}

impl KeyValue for Store {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        loop {
            let mut transaction = self.begin(Durability::Buffered);
            let mut written = 0;
            while written < LOAD_BATCH
                && let Some((key, value)) = pairs.next()
            {
                transaction.insert(&self.keyspace, key, value);
                written += 1;
            }
            transaction.commit()?;
            if written < LOAD_BATCH {
                return Ok(self.database.persist(PersistMode::SyncAll)?);
            }
        }
    }

    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()> {
        let mut transaction = self.begin(durability);
        for write in writes {
            match write {
                Write::Put(key, value) => transaction.insert(&self.keyspace, *key, *value),
                Write::Delete(key) => transaction.remove(&self.keyspace, *key),
            }
        }
        Ok(transaction.commit()?)
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        let mut transaction = self.begin(durability);
        let Some(mut value) = transaction.get(&self.keyspace, key)?.map(|value| value.to_vec()) else {
            return Ok(false);
        };
        change(&mut value);
        transaction.insert(&self.keyspace, key, value);
        transaction.commit()?;
        Ok(true)
    }

    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let Some(value) = self.keyspace.get(key)? else { return Ok(false) };
        visit(&value);
        Ok(true)
    }

    fn scan(&self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        self.read().scan(start, limit, visit)
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(self.read()))
    }

    fn count(&self) -> Result<u64> {
        Ok(u64::try_from(self.database.read_tx().len(&self.keyspace)?)?)
    }

    fn compact(&self) -> Result<bool> {
        self.settle()?; // only what is in tables is compacted
        self.keyspace.inner().major_compact()?;
        // What the compaction has replaced is deleted when the next memtable is written: some write must be in it.
        if let Some(first) = self.keyspace.first_key_value() {
            self.modify(&first.key()?, &mut |_| (), Durability::Buffered)?;
            self.settle()?;
        }
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        let (database, keyspace) = (self.database.inner(), self.keyspace.inner());
        keyspace.rotate_memtable_and_wait()?;
        wait_while(|| {
            database.outstanding_flushes() > 0
                || keyspace.sealed_memtable_count() > 0
                || database.active_compactions() > 0
        });
        Ok(())
    }
}

struct SnapshotReader<'a> {
    snapshot: Snapshot,
    keyspace: &'a SingleWriterTxKeyspace,
}

impl Reader for SnapshotReader<'_> {
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let Some(value) = self.snapshot.get(self.keyspace, key)? else { return Ok(false) };
        visit(&value);
        Ok(true)
    }

    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        let mut visited = 0;
        for pair in self.snapshot.range(self.keyspace, start..).take(limit) {
            let (key, value) = pair.into_inner()?;
            visit(&key, &value);
            visited += 1;
        }
        Ok(visited)
    }
}
