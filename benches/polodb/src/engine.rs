//! PoloDB as an engine.

use blaze_bench::Result;
use blaze_bench::engine::{Engine, EngineOptions, Faculty, Orders};
use polodb_core::Database;

use crate::orders::{LOAD_ORDERS_PER_TRANSACTION, PoloDbOrders};

/// PoloDB, through the interface that applications use.
#[derive(Clone, Copy, Debug)]
pub struct PoloDb;

impl Engine for PoloDb {
    fn name(&self) -> &'static str {
        "polodb"
    }

    fn version(&self) -> String {
        format!("{}, polodb-librocksdb-sys {}", Database::get_version(), env!("LOCKED_ROCKSDB"))
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::Orders]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        vec![
            "orders: a program of its own, since it has a RocksDB of its own; no setting of that RocksDB can be changed, so that \
             it has the defaults: a block cache of 32 MiB whatever the row says, as much as a quarter of 200,000 orders; write \
             buffers of 64 MiB, no filters, no compression, which is not compiled in; the system's page cache is there for all \
             engines"
                .to_owned(),
            "orders: every commit is synced (WriteOptions::sync), also where a row asks for less: its durable inserts are \
             durable, its buffered ones do more than they have to"
                .to_owned(),
            format!(
                "orders: `_id` is the number; indexes of one field each, the one on the number unique; loads with insert_many \
                 into the collection with its indexes, {LOAD_ORDERS_PER_TRANSACTION} orders in a transaction"
            ),
            "orders: no row for 20 by an index, because indexes serve equality only: a range reads and sorts everything; no row \
             for groups, because $group makes one group whatever its _id says; no compaction, because there is none to call"
                .to_owned(),
            "orders: settling is closing, which flushes and waits for compactions, and opening again".to_owned(),
        ]
    }

    fn open_orders(&self, options: &EngineOptions) -> Result<Box<dyn Orders>> {
        Ok(Box::new(PoloDbOrders::open(&options.directory)?))
    }
}
