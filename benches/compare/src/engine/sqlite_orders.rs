//! SQLite as a collection of orders: a table of JSON by number, with indexes on what `json_extract` finds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use blaze_bench::Result;
use blaze_bench::dataset::orders::Order;
use blaze_bench::engine::{Durability, EngineOptions, Orders, StatusGroup};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::sqlite::set_durability;

/// How a document is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As text, which is read as it is.
    Text,
    /// As JSONB, in which a path is found without parsing, and which becomes text to be read.
    Jsonb,
}

const LOG_PAGES: u32 = 16_384;
const STATEMENTS: usize = 32;

/// What a reader of the figures must know.
pub(crate) fn configuration(options: &EngineOptions) -> Vec<String> {
    vec![
        format!(
            "orders: one connection with a cache of {} bytes, files not mapped, journal_mode WAL with a checkpoint every \
             {LOG_PAGES} pages; Sync is synchronous FULL, Buffered is synchronous NORMAL; prepared statements",
            options.cache_bytes
        ),
        "orders: INTEGER PRIMARY KEY; expression indexes on json_extract(body, path), the one on the number unique; loads in \
         one transaction, in which the indexes are built after the rows"
            .to_owned(),
    ]
}

/// The statements of one form.
#[derive(Debug)]
struct Statements {
    insert: String,
    get: String,
    placed_from: String,
    with_status: String,
}

const BY_STATUS: &str = "SELECT json_extract(body, '$.status'), count(*), avg(json_extract(body, '$.total')) \
                         FROM orders GROUP BY 1";
const INDEXES: &str = "
    CREATE UNIQUE INDEX IF NOT EXISTS by_number ON orders (json_extract(body, '$.number'));
    CREATE INDEX IF NOT EXISTS by_placed ON orders (json_extract(body, '$.placed_ms'));
    CREATE INDEX IF NOT EXISTS by_city ON orders (json_extract(body, '$.customer.city'));";

#[derive(Debug)]
pub(crate) struct SqliteOrders {
    state: Mutex<State>,
    statements: Statements,
}

#[derive(Debug)]
struct State {
    connection: Connection,
    /// What `synchronous` is set to.
    durability: Durability,
}

impl SqliteOrders {
    /// Opens the collection in a directory.
    pub(crate) fn open(options: &EngineOptions, form: Form) -> Result<SqliteOrders> {
        let connection = Connection::open(options.directory.join("orders.sqlite"))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let kibibytes = options.cache_bytes / 1024; // the unit of a negative cache_size
        connection.execute_batch(&format!(
            "PRAGMA cache_size = -{kibibytes}; PRAGMA mmap_size = 0; PRAGMA journal_mode = WAL; \
             PRAGMA wal_autocheckpoint = {LOG_PAGES}; PRAGMA synchronous = FULL; \
             CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, body NOT NULL)"
        ))?;
        let (stored, read) = match form {
            Form::Text => ("?2", "body"),
            Form::Jsonb => ("jsonb(?2)", "json(body)"),
        };
        let statements = Statements {
            insert: format!("INSERT INTO orders (id, body) VALUES (?1, {stored})"),
            get: format!("SELECT {read} FROM orders WHERE id = ?1"),
            placed_from: format!(
                "SELECT {read} FROM orders WHERE json_extract(body, '$.placed_ms') >= ?1 \
                 ORDER BY json_extract(body, '$.placed_ms') LIMIT ?2"
            ),
            with_status: format!(
                "SELECT {read} FROM orders WHERE json_extract(body, '$.status') = ?1 AND json_extract(body, '$.total') >= ?2"
            ),
        };
        Ok(SqliteOrders { state: Mutex::new(State { connection, durability: Durability::Sync }), statements })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, durability: Durability) -> Result<()> {
        set_durability(&self.connection, &mut self.durability, durability)
    }

    fn select(&self, sql: &str, parameters: impl rusqlite::Params, visit: &mut dyn FnMut(Order)) -> Result<()> {
        let mut select = self.connection.prepare_cached(sql)?;
        let mut rows = select.query(parameters)?;
        while let Some(row) = rows.next()? {
            visit(order(row)?);
        }
        Ok(())
    }
}

fn order(row: &Row<'_>) -> Result<Order> {
    Ok(serde_json::from_slice(row.get_ref(0)?.as_bytes()?)?)
}

impl Orders for SqliteOrders {
    fn load(&self, orders: &mut dyn Iterator<Item = (i64, &Order)>) -> Result<()> {
        let mut state = self.state();
        state.set(Durability::Sync)?;
        let transaction = state.connection.transaction()?;
        let mut insert = transaction.prepare_cached(&self.statements.insert)?;
        for (id, order) in orders {
            insert.execute(params![id, serde_json::to_string(order)?])?;
        }
        drop(insert);
        transaction.execute_batch(INDEXES)?;
        Ok(transaction.commit()?)
    }

    fn insert(&self, id: i64, order: &Order, durability: Durability) -> Result<()> {
        let mut state = self.state();
        state.set(durability)?;
        let mut insert = state.connection.prepare_cached(&self.statements.insert)?;
        insert.execute(params![id, serde_json::to_string(order)?])?;
        Ok(())
    }

    fn get(&self, id: i64) -> Result<Option<Order>> {
        let state = self.state();
        let mut select = state.connection.prepare_cached(&self.statements.get)?;
        let found = select.query_row([id], |row| Ok(order(row))).optional()?;
        found.transpose()
    }

    fn placed_from(&self, placed_ms: i64, limit: usize, visit: &mut dyn FnMut(Order)) -> Result<()> {
        self.state().select(&self.statements.placed_from, params![placed_ms, i64::try_from(limit)?], visit)
    }

    fn with_status(&self, status: &str, total: f64, visit: &mut dyn FnMut(Order)) -> Result<()> {
        self.state().select(&self.statements.with_status, params![status, total], visit)
    }

    fn by_status(&self) -> Result<Vec<StatusGroup>> {
        let state = self.state();
        let mut select = state.connection.prepare_cached(BY_STATUS)?;
        let group = |row: &Row<'_>| {
            let orders: i64 = row.get(1)?;
            Ok(StatusGroup { status: row.get(0)?, orders: orders.cast_unsigned(), mean_total: row.get(2)? })
        };
        Ok(select.query_map([], group)?.collect::<rusqlite::Result<_>>()?)
    }

    fn settle(&self) -> Result<()> {
        Ok(self.state().connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    fn compact(&self) -> Result<()> {
        Ok(self.state().connection.execute_batch("VACUUM")?)
    }
}
