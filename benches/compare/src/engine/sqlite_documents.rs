//! SQLite as a store of documents: a table of JSON, indexes on what `json_extract` finds.

pub(super) mod statement;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use blaze_bench::Result;
use blaze_bench::engine::{Documents, Durability, EngineOptions, Find};
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde_json::{Map, Value as Json};

use self::statement::{DOCUMENT, ELEMENTS, Statement, elements, extracted, json_path};
use super::sqlite::set_durability;

type Object = Map<String, Json>;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS documents \
    (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL)";
const INSERT: &str = "INSERT INTO documents (id, body) VALUES (?1, jsonb(?2))";
const UPDATE: &str = "UPDATE documents SET body = jsonb(?2) WHERE id = ?1";
const DELETE: &str = "DELETE FROM documents WHERE id = ?1";

/// For each connection that reads: what it maps needs no cache.
const READER_CACHE_BYTES: usize = 16 << 20;
const MAP_BYTES: u64 = 2 << 30;
const LOG_PAGES: u32 = 16_384;
const STATEMENTS: usize = 128;

/// What a reader of the figures must know.
pub(crate) fn configuration(options: &EngineOptions) -> Vec<String> {
    vec![
        "documents: JSONB in a table with an INTEGER PRIMARY KEY and a unique id; prepared statements. JSON as text was \
         three to five times slower in questions without indexes, and up to 1.6 times faster where whole documents are read"
            .to_owned(),
        "documents: indexes on json_extract(body, path); elements of arrays in a table that triggers maintain; no ANALYZE, \
         after which no question was faster and some were slower"
            .to_owned(),
        format!(
            "documents: one connection that writes, with a cache of {} bytes; one for each thread that reads, with {} MiB; \
             mmap_size {} GiB; wal_autocheckpoint {LOG_PAGES} pages",
            options.cache_bytes,
            READER_CACHE_BYTES >> 20,
            MAP_BYTES >> 30,
        ),
        "documents: journal_mode WAL; Sync is synchronous FULL, Buffered is synchronous NORMAL; loads in one transaction \
         with journal_mode OFF; settling is a checkpoint"
            .to_owned(),
    ]
}

/// A connection that writes, and those that read.
#[derive(Debug)]
pub(crate) struct SqliteDocuments {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Those that nobody reads with at the moment.
    readers: Mutex<Vec<Connection>>,
    /// The paths whose elements are indexed.
    elements: Mutex<Vec<String>>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// What `synchronous` is set to.
    durability: Durability,
}

impl SqliteDocuments {
    /// Opens the store in a directory.
    pub(crate) fn open(options: &EngineOptions) -> Result<SqliteDocuments> {
        let path = options.directory.join("documents.sqlite");
        let connection = connect(&path, options.cache_bytes)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = {LOG_PAGES}; PRAGMA synchronous = FULL; {CREATE}"
        ))?;
        let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let names = tables.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        drop(tables);
        let elements = names.iter().filter_map(|name| name.strip_prefix(ELEMENTS)).map(str::to_owned).collect();
        let writer = Mutex::new(Writer { connection, durability: Durability::Sync });
        Ok(SqliteDocuments { path, writer, readers: Mutex::default(), elements: Mutex::new(elements) })
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elements(&self) -> MutexGuard<'_, Vec<String>> {
        self.elements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_elements(&self, path: &str) -> bool {
        self.elements().iter().any(|indexed| indexed == path)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.readers().pop();
        let connection = idle.map_or_else(|| connect(&self.path, READER_CACHE_BYTES), Ok)?;
        let result = work(&connection);
        self.readers().push(connection);
        result
    }

    /// Runs a statement, which is a transaction by itself; says how many documents it has changed.
    fn execute(&self, durability: Durability, sql: &str, parameters: impl rusqlite::Params) -> Result<usize> {
        let mut writer = self.writer();
        writer.set(durability)?;
        Ok(writer.connection.prepare_cached(sql)?.execute(parameters)?)
    }
}

fn connect(path: &Path, cache_bytes: usize) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let kibibytes = cache_bytes / 1024; // the unit of a negative cache_size
    connection.execute_batch(&format!("PRAGMA cache_size = -{kibibytes}; PRAGMA mmap_size = {MAP_BYTES}"))?;
    Ok(connection)
}

impl Writer {
    fn set(&mut self, durability: Durability) -> Result<()> {
        set_durability(&self.connection, &mut self.durability, durability)
    }
}

impl Documents for SqliteDocuments {
    fn load(&self, documents: &mut dyn Iterator<Item = (String, Object)>) -> Result<()> {
        let mut writer = self.writer();
        writer.set(Durability::Sync)?;
        self.readers().clear(); // only the last connection may leave the log
        writer.connection.execute_batch("PRAGMA journal_mode = OFF")?;
        let transaction = writer.connection.transaction()?;
        let mut insert = transaction.prepare_cached(INSERT)?;
        for (id, document) in documents {
            insert.execute(params![id, serde_json::to_string(&document)?])?;
        }
        drop(insert);
        transaction.commit()?;
        Ok(writer.connection.execute_batch("PRAGMA journal_mode = WAL")?)
    }

    fn create(&self, id: &str, document: &Object, durability: Durability) -> Result<()> {
        self.execute(durability, INSERT, params![id, serde_json::to_string(document)?])?;
        Ok(())
    }

    fn read(&self, id: &str) -> Result<Option<Object>> {
        self.read_with(|connection| {
            let mut select = connection.prepare_cached(&format!("SELECT {DOCUMENT} FROM documents WHERE id = ?1"))?;
            let mut rows = select.query([id])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(serde_json::from_slice(row.get_ref(1)?.as_bytes()?)?))
        })
    }

    fn update(&self, id: &str, document: &Object, durability: Durability) -> Result<bool> {
        Ok(self.execute(durability, UPDATE, params![id, serde_json::to_string(document)?])? > 0)
    }

    fn delete(&self, id: &str, durability: Durability) -> Result<bool> {
        Ok(self.execute(durability, DELETE, [id])? > 0)
    }

    fn create_index(&self, path: &str, elements: bool) -> Result<bool> {
        let mut writer = self.writer();
        writer.set(Durability::Sync)?;
        let transaction = writer.connection.transaction()?;
        match elements {
            true => transaction.execute_batch(&elements_table(path)?)?,
            false => transaction.execute_batch(&format!(
                "CREATE INDEX IF NOT EXISTS \"index:{path}\" ON documents ({})",
                extracted(path)?
            ))?,
        }
        transaction.commit()?;
        if elements && !self.has_elements(path) {
            self.elements().push(path.to_owned());
        }
        Ok(true)
    }

    fn find(&self, find: &Find, visit: &mut dyn FnMut(&str, &Object)) -> Result<()> {
        let Statement { sql, parameters } = Statement::select(find, |path| self.has_elements(path))?;
        self.read_with(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let mut rows = select.query(params_from_iter(parameters))?;
            while let Some(row) = rows.next()? {
                let document: Object = serde_json::from_slice(row.get_ref(1)?.as_bytes()?)?;
                visit(row.get_ref(0)?.as_str()?, &document);
            }
            Ok(())
        })
    }

    fn count(&self, find: &Find) -> Result<u64> {
        let Statement { sql, parameters } = Statement::count(find, |path| self.has_elements(path))?;
        self.read_with(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let count: Option<i64> = select.query_row(params_from_iter(parameters), |row| row.get(0)).optional()?;
            Ok(u64::try_from(count.unwrap_or_default())?)
        })
    }

    fn settle(&self) -> Result<()> {
        Ok(self.writer().connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}

/// A table of the elements of all arrays at a path, and what keeps it as the documents are.
fn elements_table(path: &str) -> Result<String> {
    let (table, literal) = (elements(path)?, json_path(path)?);
    let trigger = |event: &str| format!("\"{ELEMENTS}{path}:{event}\"");
    let scalars = "element.type IN ('integer', 'real', 'text') AND typeof(element.key) = 'integer'";
    let add = format!(
        "INSERT OR IGNORE INTO {table} SELECT element.value, new.number FROM json_each(new.body, {literal}) AS element \
         WHERE {scalars};"
    );
    let remove = format!(
        "DELETE FROM {table} WHERE document = old.number \
         AND value IN (SELECT element.value FROM json_each(old.body, {literal}) AS element);"
    );
    Ok(format!(
        "CREATE TABLE IF NOT EXISTS {table} (value, document INTEGER, PRIMARY KEY (value, document)) WITHOUT ROWID;
         INSERT OR IGNORE INTO {table} SELECT element.value, number FROM documents, json_each(body, {literal}) AS element
             WHERE {scalars} ORDER BY 1, 2;
         CREATE TRIGGER IF NOT EXISTS {} AFTER INSERT ON documents BEGIN {add} END;
         CREATE TRIGGER IF NOT EXISTS {} AFTER DELETE ON documents BEGIN {remove} END;
         CREATE TRIGGER IF NOT EXISTS {} AFTER UPDATE OF body ON documents BEGIN {remove} {add} END;",
        trigger("insert"),
        trigger("delete"),
        trigger("update"),
    ))
}
