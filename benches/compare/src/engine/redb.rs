//! redb: one file, a copy-on-write tree, one writer at a time.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use blaze_bench::Result;
use blaze_bench::engine::{Durability, Engine, EngineOptions, Faculty, KeyValue, Pairs, Reader, VisitPair, Write};
use redb::{
    Database, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction,
};

pub(super) struct Redb;

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("pairs");

impl Engine for Redb {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn version(&self) -> String {
        env!("LOCKED_REDB").to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::KeyValue]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        vec![
            format!("set_cache_size {}", options.cache_bytes),
            "Sync is Durability::Immediate in one phase, the default".to_owned(),
            "Buffered is Durability::None, which promises less than Buffered asks: when the process dies, all commits \
             since the last durable one are lost"
                .to_owned(),
            "loads in one transaction".to_owned(),
        ]
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        let path = options.directory.join("pairs.redb");
        let is_new = !path.exists();
        let database = Database::builder().set_cache_size(options.cache_bytes).create(path)?;
        let store = Store { database: RwLock::new(database) };
        if is_new {
            store.write(Durability::Sync, |_| Ok(()))?; // creates the table, so that it can be read
        }
        Ok(Box::new(store))
    }
}

type Table<'a> = redb::Table<'a, &'static [u8], &'static [u8]>;

struct Store {
    /// Only compaction takes it alone.
    database: RwLock<Database>,
}

impl Store {
    fn database(&self) -> RwLockReadGuard<'_, Database> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<TableReader> {
        Ok(TableReader(self.database().begin_read()?.open_table(TABLE)?))
    }

    fn write<T>(&self, durability: Durability, work: impl FnOnce(&mut Table<'_>) -> Result<T>) -> Result<T> {
        let mut transaction: WriteTransaction = self.database().begin_write()?;
        transaction.set_durability(match durability {
            Durability::Sync => redb::Durability::Immediate,
            Durability::Buffered => redb::Durability::None,
        })?;
        let result = work(&mut transaction.open_table(TABLE)?)?;
        transaction.commit()?;
        Ok(result)
    }
}

impl KeyValue for Store {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        self.write(Durability::Sync, |table| {
            while let Some((key, value)) = pairs.next() {
                table.insert(key, value)?;
            }
            Ok(())
        })
    }

    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()> {
        self.write(durability, |table| {
            for write in writes {
                match write {
                    Write::Put(key, value) => drop(table.insert(*key, *value)?),
                    Write::Delete(key) => drop(table.remove(*key)?),
                }
            }
            Ok(())
        })
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        self.write(durability, |table| {
            let Some(mut value) = table.get(key)?.map(|value| value.value().to_vec()) else { return Ok(false) };
            change(&mut value);
            table.insert(key, value.as_slice())?;
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
        Ok(self.read()?.0.len()?)
    }

    fn compact(&self) -> Result<bool> {
        self.database.write().unwrap_or_else(PoisonError::into_inner).compact()?;
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        Ok(()) // nothing works in the background
    }
}

struct TableReader(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl Reader for TableReader {
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let Some(value) = self.0.get(key)? else { return Ok(false) };
        visit(value.value());
        Ok(true)
    }

    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        let mut visited = 0;
        for pair in self.0.range(start..)?.take(limit) {
            let (key, value) = pair?;
            visit(key.value(), value.value());
            visited += 1;
        }
        Ok(visited)
    }
}
