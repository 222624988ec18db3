//! LMDB: a memory-mapped file, a copy-on-write tree, one writer at a time.
//!
//! A thread has one reader or one other read at a time: that is the faster of LMDB's two ways to keep track of readers.

use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use blaze_bench::Result;
use blaze_bench::engine::{Durability, Engine, EngineOptions, Faculty, KeyValue, Pairs, Reader, VisitPair, Write};
use heed::types::Bytes;
use heed::{
    CommitOrAbort, CompactionOption, Env, EnvFlags, EnvOpenOptions, FlagSetMode, RoTxn, RwTxn, WithTls, lmdb_version,
};

pub(super) struct Lmdb;

/// Address space; the file grows only as pages are used.
const MAP_BYTES: usize = 256 << 30;

/// Pairs of one transaction while loading. LMDB lists at most 512 MiB of dirty pages; beyond that it writes pages early and
/// takes them back when they change again, as those of random keys do.
const LOAD_BATCH: usize = 100_000;

impl Engine for Lmdb {
    fn name(&self) -> &'static str {
        "lmdb"
    }

    fn version(&self) -> String {
        let library = lmdb_version();
        format!("{}.{}.{}, heed {}", library.major, library.minor, library.patch, env!("LOCKED_HEED"))
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::KeyValue]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        vec![
            "no cache of its own: it reads from the system's page cache, whatever the size of the others' caches"
                .to_owned(),
            format!(
                "map of {} GiB, MDB_NOMEMINIT; MDB_NORDAHEAD, for random reads of more than memory",
                MAP_BYTES >> 30
            ),
            "Buffered is MDB_NOSYNC, which promises more and less: after a loss of power the file may be unreadable, \
             older commits included"
                .to_owned(),
            format!("loads in transactions of {LOAD_BATCH} pairs without syncs, then syncs"),
            "compacts into a copy, which replaces the file".to_owned(),
        ]
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        let environment = Environment::open(&options.directory)?;
        Ok(Box::new(Store { directory: options.directory.clone(), environment: RwLock::new(Some(environment)) }))
    }
}

type Table = heed::Database<'static, Bytes, Bytes>;
type ReadTransaction<'a> = RoTxn<'a, WithTls>;

struct Environment {
    environment: Env,
    table: Table,
    /// Of the writer that holds the lock, and of the commits that LMDB is set to at the moment.
    durability: Mutex<Durability>,
}

impl Environment {
    fn open(directory: &Path) -> Result<Environment> {
        let mut options = EnvOpenOptions::new();
        options.map_size(MAP_BYTES);
        // Without MDB_NORDAHEAD, on a disk that reads 8 MiB ahead, YCSB with four times as much data as memory began with 55
        // cold reads a second; with it, 8,700 (2026-11-21).
        // SAFETY: the directory is this process's own, it opens it once, and nothing else touches the mapped file.
        // Memory that is not initialised only reaches the unused parts of pages, which LMDB never reads.
        #[expect(unsafe_code, reason = "a file that is mapped must not be changed by others")]
        let environment = unsafe { options.flags(EnvFlags::NO_MEM_INIT | EnvFlags::NO_READ_AHEAD).open(directory)? };
        let create = environment.create_databases_and_commit(environment.write_txn()?, |opener, transaction| {
            opener.create_database(transaction, None).map(CommitOrAbort::<_, ()>::Commit)
        })?;
        let table = create.commit().ok_or("the table was not created")?;
        Ok(Environment { environment, table, durability: Mutex::new(Durability::Sync) })
    }

    fn write<T>(&self, durability: Durability, work: impl FnOnce(&Table, &mut RwTxn<'_>) -> Result<T>) -> Result<T> {
        let mut current = self.durability.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != durability {
            let mode = match durability {
                Durability::Sync => FlagSetMode::Disable,
                Durability::Buffered => FlagSetMode::Enable,
            };
            // SAFETY: the lock is held, so that no other thread sets flags and no transaction is being written. A file
            // that a loss of power has torn is never opened: it ends the benchmark too.
            #[expect(unsafe_code, reason = "without syncs a file can be torn, and flags have no lock")]
            unsafe {
                self.environment.set_flags(EnvFlags::NO_SYNC, mode)?;
            }
            *current = durability;
        }
        let mut transaction = self.environment.write_txn()?;
        let result = work(&self.table, &mut transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

struct Store {
    directory: PathBuf,
    /// Only compaction takes it alone; none when the file could not be opened again after that.
    environment: RwLock<Option<Environment>>,
}

impl Store {
    fn with<T>(&self, work: impl FnOnce(&Environment) -> Result<T>) -> Result<T> {
        let environment: RwLockReadGuard<'_, _> = self.environment.read().unwrap_or_else(PoisonError::into_inner);
        work(environment.as_ref().ok_or("LMDB is closed: a compaction has failed")?)
    }
}

impl KeyValue for Store {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        self.with(|environment| {
            let mut more = true;
            while more {
                more = environment.write(Durability::Buffered, |table, transaction| {
                    for _ in 0..LOAD_BATCH {
                        let Some((key, value)) = pairs.next() else { return Ok(false) };
                        table.put(transaction, key, value)?;
                    }
                    Ok(true)
                })?;
            }
            Ok(environment.environment.force_sync()?)
        })
    }

    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()> {
        self.with(|environment| {
            environment.write(durability, |table, transaction| {
                for write in writes {
                    match write {
                        Write::Put(key, value) => table.put(transaction, key, value)?,
                        Write::Delete(key) => drop(table.delete(transaction, key)?),
                    }
                }
                Ok(())
            })
        })
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        self.with(|environment| {
            environment.write(durability, |table, transaction| {
                let Some(mut value) = table.get(transaction, key)?.map(<[u8]>::to_vec) else { return Ok(false) };
                change(&mut value);
                table.put(transaction, key, &value)?;
                Ok(true)
            })
        })
    }

    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        self.with(|open| get(open.table, &open.environment.read_txn()?, key, visit))
    }

    fn scan(&self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        self.with(|open| scan(open.table, &open.environment.read_txn()?, start, limit, visit))
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        self.with(|open| -> Result<Box<dyn Reader>> {
            Ok(Box::new(TransactionReader {
                transaction: open.environment.clone().static_read_txn()?,
                table: open.table,
            }))
        })
    }

    fn count(&self) -> Result<u64> {
        self.with(|open| {
            let transaction: ReadTransaction<'_> = open.environment.read_txn()?;
            Ok(open.table.len(&transaction)?)
        })
    }

    fn compact(&self) -> Result<bool> {
        let mut slot = self.environment.write().unwrap_or_else(PoisonError::into_inner);
        let open = slot.take().ok_or("LMDB is closed: a compaction has failed")?;
        let (file, copy) = (self.directory.join("data.mdb"), self.directory.join("copy.mdb"));
        open.environment.copy_to_path(&copy, CompactionOption::Enabled)?.sync_all()?;
        if !open.environment.prepare_for_closing().wait_timeout(Duration::from_secs(10)) {
            return Err("a reader is open: LMDB cannot be compacted".into());
        }
        fs::rename(copy, file)?;
        *slot = Some(Environment::open(&self.directory)?);
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        Ok(()) // nothing works in the background
    }
}

struct TransactionReader {
    transaction: ReadTransaction<'static>,
    table: Table,
}

impl Reader for TransactionReader {
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        get(self.table, &self.transaction, key, visit)
    }

    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        scan(self.table, &self.transaction, start, limit, visit)
    }
}

fn get(table: Table, transaction: &ReadTransaction<'_>, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
    let Some(value) = table.get(transaction, key)? else { return Ok(false) };
    visit(value);
    Ok(true)
}

fn scan(
    table: Table,
    transaction: &ReadTransaction<'_>,
    start: &[u8],
    limit: usize,
    visit: &mut VisitPair<'_>,
) -> Result<usize> {
    let mut visited = 0;
    for pair in table.range(transaction, &(Bound::Included(start), Bound::Unbounded))?.take(limit) {
        let (key, value) = pair?;
        visit(key, value);
        visited += 1;
    }
    Ok(visited)
}
