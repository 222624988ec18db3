//! SQLite: a table in a tree, a write-ahead log, one writer at a time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use blaze_bench::Result;
use blaze_bench::engine::{
    Archive, Documents, Durability, Engine, EngineOptions, Faculty, KeyValue, Orders, Pairs, Reader, TextStore, Texts,
    VisitPair, Write,
};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::sqlite_archive::{self, SqliteArchive};
use super::sqlite_documents::{self, SqliteDocuments};
use super::sqlite_orders::{self, Form, SqliteOrders};
use super::sqlite_text_store::{self, SqliteTextStore};
use super::sqlite_texts::{self, SqliteTexts};

pub(super) struct Sqlite;

/// SQLite with JSON as text, where [`Sqlite`] has JSONB.
pub(super) struct SqliteText;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS pairs (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
const PUT: &str = "INSERT OR REPLACE INTO pairs (key, value) VALUES (?1, ?2)";
const DELETE: &str = "DELETE FROM pairs WHERE key = ?1";
const GET: &str = "SELECT value FROM pairs WHERE key = ?1";
const SCAN: &str = "SELECT key, value FROM pairs WHERE key >= ?1 ORDER BY key LIMIT ?2";
const COUNT: &str = "SELECT count(*) FROM pairs";

const LOG_PAGES: u32 = 16_384;

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn version(&self) -> String {
        format!("{}, rusqlite {}", rusqlite::version(), env!("LOCKED_RUSQLITE"))
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::KeyValue, Faculty::Documents, Faculty::Orders, Faculty::Archive, Faculty::Texts, Faculty::TextStore]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        let mut configuration = vec![
            "table WITHOUT ROWID with a BLOB as primary key; prepared statements".to_owned(),
            format!(
                "one connection that writes, with a cache of {} bytes; one for each thread that reads, with {} bytes",
                options.cache_bytes,
                reader_cache_bytes(options)
            ),
            // Reading ahead, 8 MiB where this was written, makes each random read of a mapped file expensive once the file is
            // larger than memory.
            "mmap_size 0, the default".to_owned(),
            "journal_mode WAL; Sync is synchronous FULL, Buffered is synchronous NORMAL".to_owned(),
            format!("wal_autocheckpoint {LOG_PAGES} pages, 64 MiB"),
            "loads in one transaction with journal_mode OFF".to_owned(),
            "compaction is VACUUM and a checkpoint, settling is a checkpoint".to_owned(),
        ];
        configuration.extend(sqlite_documents::configuration(options));
        configuration.push("orders: JSONB, which json() turns into text to be read".to_owned());
        configuration.extend(sqlite_orders::configuration(options));
        configuration.push(sqlite_archive::configuration());
        configuration.push(sqlite_texts::configuration());
        configuration.push(sqlite_text_store::configuration());
        configuration
    }

    fn open_archive(&self, options: &EngineOptions) -> Result<Box<dyn Archive>> {
        Ok(Box::new(SqliteArchive::open(options, Form::Jsonb)?))
    }

    fn open_documents(&self, options: &EngineOptions) -> Result<Box<dyn Documents>> {
        Ok(Box::new(SqliteDocuments::open(options)?))
    }

    fn open_orders(&self, options: &EngineOptions) -> Result<Box<dyn Orders>> {
        Ok(Box::new(SqliteOrders::open(options, Form::Jsonb)?))
    }

    fn open_texts(&self, options: &EngineOptions) -> Result<Box<dyn Texts>> {
        Ok(Box::new(SqliteTexts::open(options)?))
    }

    fn open_text_store(&self, options: &EngineOptions) -> Result<Box<dyn TextStore>> {
        Ok(Box::new(SqliteTextStore::open(options)?))
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        let path = options.directory.join("pairs.sqlite");
        let connection = connect(&path, options.cache_bytes)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = {LOG_PAGES}; PRAGMA synchronous = FULL; {CREATE}"
        ))?;
        let writer = Mutex::new(Writer { connection, durability: Durability::Sync });
        let reader_cache_bytes = reader_cache_bytes(options);
        Ok(Box::new(Store { path, writer, readers: Mutex::default(), reader_cache_bytes }))
    }
}

impl Engine for SqliteText {
    fn name(&self) -> &'static str {
        "sqlite-text"
    }

    fn version(&self) -> String {
        Sqlite.version()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::Orders, Faculty::Archive]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        let mut configuration = vec!["orders: JSON as text".to_owned()];
        configuration.extend(sqlite_orders::configuration(options));
        configuration.push(sqlite_archive::configuration());
        configuration
    }

    fn open_archive(&self, options: &EngineOptions) -> Result<Box<dyn Archive>> {
        Ok(Box::new(SqliteArchive::open(options, Form::Text)?))
    }

    fn open_orders(&self, options: &EngineOptions) -> Result<Box<dyn Orders>> {
        Ok(Box::new(SqliteOrders::open(options, Form::Text)?))
    }
}

fn reader_cache_bytes(options: &EngineOptions) -> usize {
    options.cache_bytes / 4
}

fn connect(path: &Path, cache_bytes: usize) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    let kibibytes = cache_bytes / 1024; // the unit of a negative cache_size
    connection.execute_batch(&format!("PRAGMA cache_size = -{kibibytes}"))?;
    Ok(connection)
}

struct Writer {
    connection: Connection,
    /// What `synchronous` is set to.
    durability: Durability,
}

/// Has commits of a connection survive what is asked for, if they do not yet.
pub(super) fn set_durability(connection: &Connection, set: &mut Durability, wanted: Durability) -> Result<()> {
    if *set != wanted {
        connection.execute_batch(match wanted {
            Durability::Sync => "PRAGMA synchronous = FULL",
            Durability::Buffered => "PRAGMA synchronous = NORMAL",
        })?;
        *set = wanted;
    }
    Ok(())
}

impl Writer {
    fn set(&mut self, durability: Durability) -> Result<()> {
        set_durability(&self.connection, &mut self.durability, durability)
    }

    fn begin(&mut self) -> Result<Transaction<'_>> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

fn write(connection: &Connection, write: &Write<'_>) -> Result<()> {
    match write {
        Write::Put(key, value) => connection.prepare_cached(PUT)?.execute(params![key, value])?,
        Write::Delete(key) => connection.prepare_cached(DELETE)?.execute(params![key])?,
    };
    Ok(())
}

struct Store {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Those that nobody reads with at the moment.
    readers: Mutex<Vec<Connection>>,
    reader_cache_bytes: usize,
}

impl Store {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle_readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle_reader(&self) -> Result<Connection> {
        let idle = self.idle_readers().pop();
        idle.map_or_else(|| connect(&self.path, self.reader_cache_bytes), Ok)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let connection = self.idle_reader()?;
        let result = work(&connection);
        self.idle_readers().push(connection);
        result
    }
}

impl KeyValue for Store {
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()> {
        let mut writer = self.writer();
        writer.set(Durability::Sync)?;
        self.idle_readers().clear(); // only the last connection may leave the log
        writer.connection.execute_batch("PRAGMA journal_mode = OFF")?;
        let transaction = writer.begin()?;
        while let Some((key, value)) = pairs.next() {
            write(&transaction, &Write::Put(key, value))?;
        }
        transaction.commit()?;
        Ok(writer.connection.execute_batch("PRAGMA journal_mode = WAL")?)
    }

    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()> {
        let mut writer = self.writer();
        writer.set(durability)?;
        if let [single] = writes {
            return write(&writer.connection, single); // a statement is a transaction
        }
        let transaction = writer.begin()?;
        for single in writes {
            write(&transaction, single)?;
        }
        Ok(transaction.commit()?)
    }

    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool> {
        let mut writer = self.writer();
        writer.set(durability)?;
        let transaction = writer.begin()?;
        let mut value = Vec::new();
        if !get(&transaction, key, &mut |found| value.extend_from_slice(found))? {
            return Ok(false);
        }
        change(&mut value);
        write(&transaction, &Write::Put(key, &value))?;
        transaction.commit()?;
        Ok(true)
    }

    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        self.read(|connection| get(connection, key, visit))
    }

    fn scan(&self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        self.read(|connection| scan(connection, start, limit, visit))
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        let connection = self.idle_reader()?;
        connection.execute_batch("BEGIN; SELECT 1 FROM pairs LIMIT 1")?; // the first read is the moment that it sees
        Ok(Box::new(SnapshotReader { store: self, connection: Some(connection) }))
    }

    fn count(&self) -> Result<u64> {
        let count: i64 = self.read(|connection| Ok(connection.query_row(COUNT, [], |row| row.get(0))?))?;
        Ok(u64::try_from(count)?)
    }

    fn compact(&self) -> Result<bool> {
        self.writer().connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(true)
    }

    fn settle(&self) -> Result<()> {
        Ok(self.writer().connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}

struct SnapshotReader<'a> {
    store: &'a Store,
    /// In a transaction, until it goes back to the idle ones.
    connection: Option<Connection>,
}

impl SnapshotReader<'_> {
    fn connection(&self) -> Result<&Connection> {
        Ok(self.connection.as_ref().ok_or("the reader has no connection")?)
    }
}

impl Drop for SnapshotReader<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.execute_batch("COMMIT").is_ok()
        {
            self.store.idle_readers().push(connection);
        }
    }
}

impl Reader for SnapshotReader<'_> {
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        get(self.connection()?, key, visit)
    }

    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        scan(self.connection()?, start, limit, visit)
    }
}

fn get(connection: &Connection, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
    let mut statement = connection.prepare_cached(GET)?;
    let mut rows = statement.query([key])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    visit(row.get_ref(0)?.as_blob()?);
    Ok(true)
}

fn scan(connection: &Connection, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
    let mut statement = connection.prepare_cached(SCAN)?;
    let mut rows = statement.query(params![start, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut visited = 0;
    while let Some(row) = rows.next()? {
        visit(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        visited += 1;
    }
    Ok(visited)
}
