//! A keyspace of Blaze as a key-value store.

use blaze::{Database, Keyspace, Snapshot, Transaction, TransactionOptions};

use crate::Result;
use crate::engine::{Durability, KeyValue, Pairs, Reader, VisitPair, Write};

/// Blaze bounds the memory of a transaction: `limits::TRANSACTION_BYTES_MAX`.
pub(super) const WRITES_PER_TRANSACTION: usize = 100_000;
/// Small enough for the least memory in which anything is measured.
pub(super) const LOAD_BYTES_PER_TRANSACTION: usize = 4 << 20;

const NAME: &str = "pairs";

pub(super) struct BlazeKeyspace {
    pub(super) database: Database,
    pub(super) keyspace: Keyspace,
    /// The database's own, for what is written without a transaction.
    pub(super) durability: Durability,
}

impl BlazeKeyspace {
    pub(super) fn open(database: Database, durability: Durability) -> Result<BlazeKeyspace> {
        BlazeKeyspace::named(database, NAME, durability)
    }

    pub(super) fn named(database: Database, name: &str, durability: Durability) -> Result<BlazeKeyspace> {
        let keyspace = database.keyspace(name)?;
        Ok(BlazeKeyspace { database, keyspace, durability })
    }

    fn begin(&self, durability: Durability) -> Result<Transaction> {
        Ok(self.database.begin_with(TransactionOptions::new().durability(durability.into()))?)
    }
}

impl KeyValue for BlazeKeyspace {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        loop {
            let transaction = self.begin(Durability::Buffered)?;
            let keyspace = transaction.keyspace(self.keyspace.name())?;
            let mut bytes = 0;
            while bytes < LOAD_BYTES_PER_TRANSACTION
                && let Some((key, value)) = pairs.next()
            {
                keyspace.put(key, value)?;
                bytes += key.len() + value.len();
            }
            transaction.commit()?;
            if bytes < LOAD_BYTES_PER_TRANSACTION {
                return Ok(self.database.sync()?);
            }
        }
    }

    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()> {
        for writes in writes.chunks(WRITES_PER_TRANSACTION) {
            let transaction = self.begin(durability)?;
            let keyspace = transaction.keyspace(self.keyspace.name())?;
            for write in writes {
                match write {
                    Write::Put(key, value) => keyspace.put(key, value)?,
                    Write::Delete(key) => keyspace.delete(key)?,
                }
            }
            transaction.commit()?;
        }
        Ok(())
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        let options = TransactionOptions::new().durability(durability.into());
        let found = self.database.transaction_with(options, |transaction| {
            let keyspace = transaction.keyspace(self.keyspace.name())?;
            let Some(mut value) = keyspace.get(key)? else { return Ok(false) };
            change(&mut value);
            keyspace.put(key, value)?;
            Ok(true)
        })?;
        Ok(found)
    }

    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        get(&self.keyspace, key, visit)
    }

    fn scan(&self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        scan(&self.keyspace, start, limit, visit)
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        let snapshot = self.database.snapshot()?;
        Ok(Box::new(KeyspaceReader { keyspace: snapshot.keyspace(self.keyspace.name())?, _snapshot: snapshot }))
    }

    fn count(&self) -> Result<u64> {
        Ok(self.keyspace.count()?)
    }

    fn compact(&self) -> Result<bool> {
        self.database.compact()?;
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        Ok(self.database.settle()?)
    }
}

struct KeyspaceReader {
    keyspace: Keyspace,
    _snapshot: Snapshot,
}

impl Reader for KeyspaceReader {
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        get(&self.keyspace, key, visit)
    }

    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        scan(&self.keyspace, start, limit, visit)
    }
}

fn get(keyspace: &Keyspace, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
    Ok(keyspace.get_with(key, visit)?.is_some())
}

pub(super) fn scan(keyspace: &Keyspace, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
    let mut pairs = keyspace.range(start..)?;
    for visited in 0..limit {
        let Some((key, value)) = pairs.next_entry()? else { return Ok(visited) };
        visit(key, value);
    }
    Ok(limit)
}
