//! SQLite as a collection of which the size is measured: a table of JSON by number, with indexes on what `json_extract`
//! finds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use blaze_bench::Result;
use blaze_bench::engine::{Archive, ArchiveIndex, EngineOptions};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde_json::{Map, Value as Json};

use super::sqlite_documents::statement::extracted;
use super::sqlite_orders::Form;

type Object = Map<String, Json>;

/// What a reader of the figures must know.
pub(crate) fn configuration() -> String {
    "archive: INTEGER PRIMARY KEY and indexes on json_extract(body, path); loads in one transaction with journal_mode OFF, in \
     which the indexes are built after the rows, which takes the least space; compaction is VACUUM with journal_mode OFF"
        .to_owned()
}

#[derive(Debug)]
pub(crate) struct SqliteArchive {
    connection: Mutex<Connection>,
    /// What JSON is stored as, and how it is read.
    stored: &'static str,
    read: &'static str,
}

impl SqliteArchive {
    /// Opens the collection in a directory.
    pub(crate) fn open(options: &EngineOptions, form: Form) -> Result<SqliteArchive> {
        let connection = Connection::open(options.directory.join("archive.sqlite"))?;
        let kibibytes = options.cache_bytes / 1024; // the unit of a negative cache_size
        connection.execute_batch(&format!(
            "PRAGMA cache_size = -{kibibytes}; PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL; \
             CREATE TABLE IF NOT EXISTS archive (id INTEGER PRIMARY KEY, body NOT NULL)"
        ))?;
        let (stored, read) = match form {
            Form::Text => ("?2", "body"),
            Form::Jsonb => ("jsonb(?2)", "json(body)"),
        };
        Ok(SqliteArchive { connection: Mutex::new(connection), stored, read })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A string or an integer, which is all that is looked for.
struct Wanted<'a>(&'a Json);

impl ToSql for Wanted<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Json::String(text) => text.to_sql(),
            other => {
                let number = other.as_i64().ok_or_else(|| format!("{other} is neither a string nor an integer"));
                number.map(ToSqlOutput::from).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
            }
        }
    }
}

impl Archive for SqliteArchive {
    fn load(&self, objects: &mut dyn Iterator<Item = (i64, Object)>, indexes: &[ArchiveIndex]) -> Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut insert =
            transaction.prepare(&format!("INSERT INTO archive (id, body) VALUES (?1, {})", self.stored))?;
        for (id, object) in objects {
            insert.execute(params![id, serde_json::to_string(&object)?])?;
        }
        drop(insert);
        for ArchiveIndex { path, unique } in indexes {
            let unique = if *unique { "UNIQUE" } else { "" };
            let on = extracted(path)?;
            transaction.execute_batch(&format!("CREATE {unique} INDEX \"index:{path}\" ON archive ({on})"))?;
        }
        Ok(transaction.commit()?)
    }

    fn get(&self, id: i64) -> Result<Option<Object>> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(&format!("SELECT {} FROM archive WHERE id = ?1", self.read))?;
        let object = |row: &rusqlite::Row<'_>| Ok(serde_json::from_slice(row.get_ref(0)?.as_bytes()?));
        Ok(select.query_row([id], object).optional()?.transpose()?)
    }

    fn count(&self, path: &str, value: &Json) -> Result<u64> {
        let connection = self.connection();
        let on = extracted(path)?;
        let mut select = connection.prepare_cached(&format!("SELECT count(*) FROM archive WHERE {on} = ?1"))?;
        let count: i64 = select.query_row([Wanted(value)], |row| row.get(0))?;
        Ok(u64::try_from(count)?)
    }

    fn compact(&self) -> Result<()> {
        Ok(self.connection().execute_batch("VACUUM")?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        let connection = self.connection.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(connection.close().map_err(|(_, error)| error)?)
    }
}
