//! SQLite's full-text index, FTS5, without the texts themselves.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use blaze_bench::Result;
use blaze_bench::engine::{EngineOptions, TextFormula, TextHit, TextItems, TextQuestion, TextSize, Texts, WordWeight};
use blaze_bench::measure::measure;
use rusqlite::{Connection, params};

const SELECT: &str = "SELECT rowid, rank FROM texts WHERE texts MATCH ?1 ORDER BY rank LIMIT ?2";

/// What a reader of the figures must know.
pub(crate) fn configuration() -> String {
    "texts: FTS5 with content='' and tokenize='ascii'; loads in one transaction with journal_mode OFF; merging is 'optimize' \
     and VACUUM; searches are ordered by rank, which is bm25(), with one connection and prepared statements"
        .to_owned()
}

#[derive(Debug)]
pub(crate) struct SqliteTexts {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl SqliteTexts {
    /// Opens the index in a directory.
    pub(crate) fn open(options: &EngineOptions) -> Result<SqliteTexts> {
        let path = options.directory.join("texts.sqlite");
        let connection = Connection::open(&path)?;
        let kibibytes = options.cache_bytes / 1024; // the unit of a negative cache_size
        connection.execute_batch(&format!(
            "PRAGMA cache_size = -{kibibytes}; PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL; \
             CREATE VIRTUAL TABLE texts USING fts5(text, content='', tokenize='ascii')"
        ))?;
        Ok(SqliteTexts { path, connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, items: TextItems<'_>, rows: std::ops::Range<u64>, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare("INSERT INTO texts (rowid, text) VALUES (?1, ?2)")?;
        let last = rows.end;
        for row in rows {
            insert.execute(params![i64::try_from(row)?, items.texts.text(row as usize)])?;
            if (row + 1) % 1000 == 0 || row + 1 == last {
                progress(row + 1);
            }
        }
        drop(insert);
        Ok(transaction.commit()?)
    }
}

/// A question in FTS5's own language.
fn matching(question: &TextQuestion) -> String {
    let join = |by: &str| question.words().iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(by);
    match question {
        TextQuestion::Any(_) => join(" OR "),
        TextQuestion::All(_) => join(" AND "),
        TextQuestion::Phrase(words) => format!("\"{}\"", words.join(" ")),
    }
}

impl Texts for SqliteTexts {
    fn load(&self, items: TextItems<'_>, rows: u64, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let (took, loaded) = measure(|| self.add(items, 0..rows, progress));
        loaded?;
        Ok(took)
    }

    fn insert(&self, items: TextItems<'_>, first: u64) -> Result<()> {
        self.add(items, first..items.texts.rows() as u64, &mut |_| ())
    }

    fn merge(&self) -> Result<()> {
        Ok(self.connection().execute_batch("INSERT INTO texts (texts) VALUES ('optimize'); VACUUM")?)
    }

    fn search(&self, question: &TextQuestion, limit: usize) -> Result<Vec<TextHit>> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(SELECT)?;
        let mut rows = select.query(params![matching(question), i64::try_from(limit)?])?;
        let mut hits = Vec::with_capacity(limit);
        while let Some(row) = rows.next()? {
            let (id, rank) = (row.get::<_, i64>(0)?, row.get::<_, f64>(1)?);
            hits.push(TextHit { id: u64::try_from(id)?, score: -rank as f32 }); // the best rank is the lowest
        }
        Ok(hits)
    }

    fn formula(&self) -> TextFormula {
        TextFormula { name: "fts5", weight: WordWeight::Classic, length: |length| length, counts_empty: true }
    }

    fn size(&self) -> Result<TextSize> {
        let bytes = std::fs::metadata(&self.path)?.len();
        Ok(TextSize { index_bytes: Some(bytes), total_bytes: bytes })
    }
}
