//! A keyspace of Blaze as the engine's own table uses it.

use blaze::{Feed, History, TransactionOptions};

use super::key_value::{BlazeKeyspace, scan};
use crate::Result;
use crate::engine::{Isolation, Keeps, KeyValue, Ranges, Transactional, VisitPair, Write};

impl Transactional for BlazeKeyspace {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        Ok(self.keyspace.put(key, value)?)
    }

    fn write(&self, writes: &[Write<'_>]) -> Result<()> {
        self.commit(writes, self.durability)
    }

    fn rewrite(
        &self,
        keys: &[&[u8]],
        visit: &mut VisitPair<'_>,
        writes: &[Write<'_>],
        isolation: Isolation,
    ) -> Result<()> {
        let options = match isolation {
            Isolation::Strongest => TransactionOptions::new(), // serializable, the default
            Isolation::Snapshot => TransactionOptions::new().isolation(blaze::Isolation::Snapshot),
        };
        self.database.transaction_with(options, |transaction| {
            let keyspace = transaction.keyspace(self.keyspace.name())?;
            for key in keys {
                keyspace.get_with(key, |value| visit(key, value))?;
            }
            for write in writes {
                match write {
                    Write::Put(key, value) => keyspace.put(key, value)?,
                    Write::Delete(key) => keyspace.delete(key)?,
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    fn begin_and_drop(&self) -> Result<()> {
        drop(self.database.snapshot()?);
        Ok(())
    }

    fn ranges(&self) -> Result<Box<dyn Ranges + '_>> {
        Ok(Box::new(KeyspaceRanges(self)))
    }

    fn another(&self, name: &str, keeps: Keeps) -> Result<Box<dyn Transactional + '_>> {
        let map = BlazeKeyspace::named(self.database.clone(), name, self.durability)?;
        if matches!(keeps, Keeps::History | Keeps::HistoryAndFeed) {
            map.keyspace.set_history(History::Forever)?;
        }
        if matches!(keeps, Keeps::Feed | Keeps::HistoryAndFeed) {
            map.keyspace.set_feed(Feed::Keys)?;
        }
        Ok(Box::new(map))
    }

    fn syncs(&self) -> Option<u64> {
        self.database.stats().ok().map(|stats| stats.commits.syncs)
    }

    fn has_weaker_isolation(&self) -> bool {
        true
    }
}

struct KeyspaceRanges<'a>(&'a BlazeKeyspace);

impl Ranges for KeyspaceRanges<'_> {
    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        scan(&self.0.keyspace, start, limit, visit)
    }
}
