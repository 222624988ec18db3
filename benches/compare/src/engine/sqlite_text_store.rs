//! SQLite with texts in tables, two of which have a full-text index that triggers maintain.

use std::sync::{Mutex, MutexGuard, PoisonError};

use blaze_bench::Result;
use blaze_bench::dataset::text::TextSet;
use blaze_bench::engine::{EngineOptions, TextPlace, TextStore};
use rusqlite::{Connection, params};

/// What a reader of the figures must know.
pub(crate) fn configuration() -> String {
    "texts, durable: a table with an INTEGER PRIMARY KEY and FTS5 with that table as its content, by a trigger in the same \
     transaction; journal_mode WAL, synchronous FULL"
        .to_owned()
}

#[derive(Debug)]
pub(crate) struct SqliteTextStore {
    connection: Mutex<Connection>,
}

impl SqliteTextStore {
    /// Opens the database in a directory.
    pub(crate) fn open(options: &EngineOptions) -> Result<SqliteTextStore> {
        let connection = Connection::open(options.directory.join("texts.sqlite"))?;
        let kibibytes = options.cache_bytes / 1024; // the unit of a negative cache_size
        connection.execute_batch(&format!(
            "PRAGMA cache_size = -{kibibytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"
        ))?;
        for place in [TextPlace::Plain, TextPlace::Small, TextPlace::Large] {
            let name = name(place);
            connection.execute_batch(&format!("CREATE TABLE {name} (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"))?;
            if place != TextPlace::Plain {
                connection.execute_batch(&format!(
                    "CREATE VIRTUAL TABLE {name}_words USING fts5(text, content='{name}', content_rowid='id', tokenize='ascii'); \
                     CREATE TRIGGER {name}_inserted AFTER INSERT ON {name} BEGIN \
                     INSERT INTO {name}_words (rowid, text) VALUES (new.id, new.text); END"
                ))?;
            }
        }
        Ok(SqliteTextStore { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(place: TextPlace) -> &'static str {
    match place {
        TextPlace::Plain => "plain",
        TextPlace::Small => "small",
        TextPlace::Large => "large",
    }
}

impl TextStore for SqliteTextStore {
    fn load(&self, place: TextPlace, texts: &TextSet, rows: u64) -> Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare(&format!("INSERT INTO {} (id, text) VALUES (?1, ?2)", name(place)))?;
        for row in 0..rows {
            insert.execute(params![i64::try_from(row)?, texts.text(row as usize)])?;
        }
        drop(insert);
        transaction.commit()?;
        Ok(connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    fn insert(&self, place: TextPlace, id: u64, text: &str) -> Result<()> {
        let connection = self.connection();
        let mut insert =
            connection.prepare_cached(&format!("INSERT INTO {} (id, text) VALUES (?1, ?2)", name(place)))?;
        insert.execute(params![i64::try_from(id)?, text])?;
        Ok(())
    }

    fn count(&self, place: TextPlace, word: &str) -> Result<u64> {
        let words = format!("{}_words", name(place));
        let sql = format!("SELECT count(*) FROM {words} WHERE {words} MATCH ?1");
        let count: i64 = self.connection().query_row(&sql, [format!("\"{word}\"")], |row| row.get(0))?;
        Ok(u64::try_from(count)?)
    }
}
