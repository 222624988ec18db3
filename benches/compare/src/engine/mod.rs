//! The rivals. Each is configured as its authors recommend and used by the fastest way that keeps what [`KeyValue`]
//! promises; where it promises less, its configuration says so.
//!
//! [`KeyValue`]: blaze_bench::engine::KeyValue

#[cfg(feature = "fjall")]
mod fjall;
#[cfg(feature = "hnsw_rs")]
mod hnsw_rs;
#[cfg(feature = "lmdb")]
mod lmdb;
#[cfg(feature = "python")]
mod python;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "rocksdb")]
mod rocksdb;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_archive;
#[cfg(feature = "sqlite")]
mod sqlite_documents;
#[cfg(feature = "sqlite")]
mod sqlite_orders;
#[cfg(feature = "sqlite")]
mod sqlite_text_store;
#[cfg(feature = "sqlite")]
mod sqlite_texts;
#[cfg(feature = "surrealkv")]
mod surrealkv;
#[cfg(feature = "tantivy")]
mod tantivy;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;
#[cfg(test)]
mod transactional_tests;
#[cfg(test)]
mod vector_tests;

use blaze_bench::engine::{Apart, BareIndex, Blaze, BruteForce, Engine, Faculty};

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
    #[cfg(feature = "tantivy")]
    &tantivy::Tantivy,
    &BareIndex,
    &BruteForce,
    #[cfg(feature = "hnsw_rs")]
    &hnsw_rs::HnswRs,
    #[cfg(feature = "python")]
    &python::HNSWLIB,
    #[cfg(feature = "python")]
    &python::SVS,
    #[cfg(feature = "python")]
    &python::SVS_FLOAT16,
    #[cfg(feature = "python")]
    &python::FAISS,
    #[cfg(feature = "python")]
    &python::USEARCH,
];

/// Numbers of connections, M, among which the best of a graph is looked for.
#[cfg(any(feature = "hnsw_rs", feature = "python"))]
const CONNECTIONS: [usize; 3] = [16, 24, 32];
/// How many candidates searches keep: `ef`.
#[cfg(any(feature = "hnsw_rs", feature = "python"))]
const EFFORTS: [usize; 15] = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280];

/// PoloDB has a RocksDB of its own, and a program can link only one.
static POLODB: Apart = Apart {
    name: "polodb",
    faculties: &[Faculty::Orders],
    program: concat!(env!("CARGO_MANIFEST_DIR"), "/../polodb/target/release/blaze-polodb"),
    build: "cargo build --release --locked --manifest-path benches/polodb/Cargo.toml (15 minutes on two cores)",
};

/// Blaze, every rival that was compiled in, and those in programs of their own.
pub(crate) fn all() -> Vec<&'static dyn Engine> {
    ENGINES.iter().copied().chain([&POLODB as &dyn Engine]).collect()
}

/// Those that run in this program.
#[cfg(test)]
fn linked() -> Vec<&'static dyn Engine> {
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
