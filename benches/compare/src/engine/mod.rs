//! The rivals. Each is configured as its authors recommend and used by the fastest way that keeps what [`KeyValue`]
//! promises; where it promises less, its configuration says so.
//!
//! [`KeyValue`]: blaze_bench::engine::KeyValue

#[cfg(feature = "fjall")]
mod fjall;
#[cfg(feature = "lmdb")]
mod lmdb;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "rocksdb")]
mod rocksdb;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_documents;
#[cfg(feature = "sqlite")]
mod sqlite_orders;
#[cfg(feature = "surrealkv")]
mod surrealkv;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transactional_tests;

use blaze_bench::engine::{Blaze, Engine};

static ENGINES: &[&dyn Engine] = &[
    &Blaze,
    #[cfg(feature = "rocksdb")]
    &rocksdb::RocksDb,
    #[cfg(feature = "rocksdb")]
    &rocksdb::RocksDbOptimistic,
    #[cfg(feature = "redb")]
    &redb::Redb,
    #[cfg(feature = "fjall")]
    &fjall::Fjall,
    #[cfg(feature = "lmdb")]
    &lmdb::Lmdb,
    #[cfg(feature = "sqlite")]
    &sqlite::Sqlite,
    #[cfg(feature = "sqlite")]
    &sqlite::SqliteText,
    #[cfg(feature = "surrealkv")]
    &surrealkv::SurrealKv,
];

/// Blaze, and every rival that was compiled in.
pub(crate) fn all() -> Vec<&'static dyn Engine> {
    ENGINES.to_vec()
}

/// Waits until background work that can only be looked at has not been seen for 50 ms.
#[cfg(any(feature = "fjall", feature = "surrealkv"))]
#[expect(clippy::disallowed_methods, reason = "neither product can wake a caller")]
fn wait_while(busy: impl Fn() -> bool) {
    let mut idle_looks = 0;
    while idle_looks < 5 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        idle_looks = if busy() { 0 } else { idle_looks + 1 };
    }
}
