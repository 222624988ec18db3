//! SurrealKV: a log-structured tree with optimistic transactions, whose commits and background work are asynchronous.

use blaze_bench::Result;
use blaze_bench::engine::{Durability, Engine, EngineOptions, Faculty, KeyValue, Pairs, Reader, VisitPair, Write};
use surrealkv::{CompactRangeOptions, Error, LSMIterator, Mode, Options, Transaction, Tree, TreeBuilder};
use tokio::runtime::{Builder, Runtime};

use super::wait_while;

pub(super) struct SurrealKv;

/// One thread each for the log, for flushing and for compaction, which do not yield, and one in reserve.
const THREADS: usize = 4;

/// With more data than cache, reads are 1.7 times as fast as with the default; otherwise as fast (2026-11-21).
const BLOCK_BYTES: usize = 16 << 10;

/// Pairs of one transaction while loading; it keeps them in memory until it ends.
const LOAD_BATCH: usize = 10_000;

impl Engine for SurrealKv {
    fn name(&self) -> &'static str {
        "surrealkv"
    }

    fn version(&self) -> String {
        env!("LOCKED_SURREALKV").to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::KeyValue]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        vec![
            format!("with_block_cache_capacity {}", options.cache_bytes),
            format!("with_block_size {BLOCK_BYTES}: the default of 64 KiB reads too much for small values"),
            "with_wal_preallocation: syncs of the log seldom change the size of its file".to_owned(),
            "Sync is Durability::Immediate, Buffered is Durability::Eventual; retried on conflict".to_owned(),
            format!("tokio's runtime with {THREADS} threads; callers block on commits"),
            format!("loads in transactions of {LOAD_BATCH} pairs"),
        ]
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_time().build()?;
        let options = Options::new()
            .with_path(options.directory.clone())
            .with_block_cache_capacity(u64::try_from(options.cache_bytes)?)
            .with_block_size(BLOCK_BYTES)
            .with_wal_preallocation(true);
        let tree = {
            let _entered = runtime.enter(); // opening spawns the background work
            TreeBuilder::with_options(options).build()?
        };
        Ok(Box::new(Store { tree, runtime }))
    }
}

struct Store {
    tree: Tree,
    runtime: Runtime,
}

impl Drop for Store {
    /// As its documentation asks; what fails here is found when the store is opened again.
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.tree.close());
    }
}

impl Store {
    /// Runs a transaction until it commits.
    fn transaction<T>(
        &self,
        mode: Mode,
        durability: Durability,
        mut work: impl FnMut(&mut Transaction) -> Result<T>,
    ) -> Result<T> {
        let durability = match durability {
            Durability::Sync => surrealkv::Durability::Immediate,
            Durability::Buffered => surrealkv::Durability::Eventual,
        };
        loop {
            let mut transaction = self.tree.begin_with_mode(mode)?.with_durability(durability);
            let result = work(&mut transaction)?;
            match self.runtime.block_on(transaction.commit()) {
                Err(Error::TransactionWriteConflict | Error::TransactionRetry) => {}
                outcome => return Ok(outcome.map(|()| result)?),
            }
        }
    }

    fn read(&self) -> Result<TransactionReader> {
        Ok(TransactionReader(self.tree.begin_with_mode(Mode::ReadOnly)?))
    }
}

impl KeyValue for Store {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        loop {
            let mut written = 0;
            self.transaction(Mode::WriteOnly, Durability::Buffered, |transaction| {
                while written < LOAD_BATCH
                    && let Some((key, value)) = pairs.next()
                {
                    transaction.set(key, value)?;
                    written += 1;
                }
                Ok(())
            })?;
            if written < LOAD_BATCH {
                return Ok(self.tree.flush_wal(true)?);
            }
        }
    }

    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()> {
        self.transaction(Mode::WriteOnly, durability, |transaction| {
            for write in writes {
                match write {
                    Write::Put(key, value) => transaction.set(*key, *value)?,
                    Write::Delete(key) => transaction.delete(*key)?,
                }
            }
            Ok(())
        })
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        self.transaction(Mode::ReadWrite, durability, |transaction| {
            let Some(mut value) = transaction.get(key)? else { return Ok(false) };
            change(&mut value);
            transaction.set(key, value)?; // a commit fails when another one has written its keys meanwhile
            Ok(true)
        })
    }

    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        self.read()?.get(key, visit)
    }

    fn scan(&self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        self.read()?.scan(start, limit, visit)
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(self.read()?))
    }

    fn count(&self) -> Result<u64> {
        let transaction = self.tree.begin_with_mode(Mode::ReadOnly)?;
        let mut iterator = transaction.iter()?;
        let mut valid = iterator.seek_first()?;
        let mut count = 0;
        while valid {
            count += 1;
            valid = iterator.next()?;
        }
        Ok(count)
    }

    fn compact(&self) -> Result<bool> {
        self.tree.compact_range(None, None, &CompactRangeOptions::default())?;
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        let only_flush = CompactRangeOptions { target_level: Some(0), ..CompactRangeOptions::default() };
        self.tree.compact_range(None, None, &only_flush)?;
        // All background work runs on the runtime: it is done when the threads sleep, which an odd count means.
        let metrics = self.runtime.metrics();
        wait_while(|| {
            (0..metrics.num_workers()).any(|worker| metrics.worker_park_unpark_count(worker).is_multiple_of(2))
        });
        Ok(())
    }
}

struct TransactionReader(Transaction);

impl Reader for TransactionReader {
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let Some(value) = self.0.get(key)? else { return Ok(false) };
        visit(&value);
        Ok(true)
    }

    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        let mut iterator = self.0.scan(start..)?;
        let mut valid = iterator.seek_first()?;
        for visited in 0..limit {
            if visited > 0 {
                valid = iterator.next()?;
            }
            if !valid {
                return Ok(visited);
            }
            visit(iterator.key().user_key(), &iterator.value_ref()?);
        }
        Ok(limit)
    }
}
