//! RocksDB's own optimistic transactions, as redb's comparison uses them.

use blaze_bench::Result;
use blaze_bench::engine::{
    Durability, Engine, EngineOptions, Faculty, Isolation, KeyValue, Opening, Pairs, Ranges, Reader, Transactional,
    VisitPair, Write,
};
use rocksdb::{
    Error, ErrorKind, OptimisticTransactionDB, OptimisticTransactionOptions, ReadOptions, Transaction,
    WaitForCompactOptions, WriteBatchWithTransaction, WriteOptions,
};

use super::ranges::RefreshedRanges;
use super::setup::Setup;
use super::statistics::Statistics;
use super::{LOAD_BATCH, Rocks, SnapshotReader, write_options};

pub(crate) struct RocksDbOptimistic;

/// The limit of redb's comparison: a transaction keeps each of its keys in memory twice.
const WRITES_PER_TRANSACTION: usize = 100_000;

impl Engine for RocksDbOptimistic {
    fn name(&self) -> &'static str {
        "rocksdb-optimistic"
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
            "each commit is an OptimisticTransaction, retried on conflict; at most {WRITES_PER_TRANSACTION} writes in \
             one, larger commits are split. In the engine's own table a put by itself is no transaction, and a \
             transaction that reads gets for update"
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
    database: OptimisticTransactionDB,
    read: ReadOptions,
    sync: WriteOptions,
    buffered: WriteOptions,
    setup: Setup,
}

impl Store {
    fn open(options: &EngineOptions, setup: Setup) -> Result<Store> {
        Ok(Store {
            database: OptimisticTransactionDB::open(&setup.settings, &options.directory)?,
            read: ReadOptions::default(),
            sync: write_options(Durability::Sync),
            buffered: write_options(Durability::Buffered),
            setup,
        })
    }

    fn write_options(&self, durability: Durability) -> &WriteOptions {
        match durability {
            Durability::Sync => &self.sync,
            Durability::Buffered => &self.buffered,
        }
    }

    /// Runs a transaction until it commits.
    fn transaction<T>(
        &self,
        durability: Durability,
        mut work: impl FnMut(&Transaction<'_, OptimisticTransactionDB>) -> Result<T>,
    ) -> Result<T> {
        let write = self.write_options(durability);
        loop {
            let transaction = self.database.transaction_opt(write, &OptimisticTransactionOptions::default());
            let result = work(&transaction)?;
            match transaction.commit() {
                Err(error) if is_conflict(&error) => {}
                outcome => return Ok(outcome.map(|()| result)?),
            }
        }
    }
}

/// `TryAgain`: the memtables reach not far enough back to tell.
fn is_conflict(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Busy | ErrorKind::TryAgain)
}

impl KeyValue for Store {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        let mut batch = WriteBatchWithTransaction::<true>::default();
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
        for writes in writes.chunks(WRITES_PER_TRANSACTION) {
            self.transaction(durability, |transaction| write_all(transaction, writes))?;
        }
        Ok(())
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        self.transaction(durability, |transaction| {
            let Some(mut value) = transaction.get_for_update_opt(key, true, &self.read)? else { return Ok(false) };
            change(&mut value);
            transaction.put(key, value)?;
            Ok(true)
        })
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
        self.commit(writes, self.setup.durability)
    }

    fn rewrite(
        &self,
        keys: &[&[u8]],
        visit: &mut VisitPair<'_>,
        writes: &[Write<'_>],
        _isolation: Isolation,
    ) -> Result<()> {
        self.transaction(self.setup.durability, |transaction| {
            for key in keys {
                if let Some(value) = transaction.get_pinned_for_update_opt(key, true, &self.read)? {
                    visit(key, &value);
                }
            }
            write_all(transaction, writes)
        })
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

fn write_all(transaction: &Transaction<'_, OptimisticTransactionDB>, writes: &[Write<'_>]) -> Result<()> {
    for write in writes {
        match write {
            Write::Put(key, value) => transaction.put(key, value)?,
            Write::Delete(key) => transaction.delete(key)?,
        }
    }
    Ok(())
}
