//! Blaze's engine: [`LsmStore`], the [`Store`](blaze_core::Store) port over RocksDB.
//!
//! RocksDB gives the log, the tree of sorted files, compaction, the cache and checksums. This crate adds what it lacks:
//! serializable transactions ([`Isolation`](blaze_core::Isolation)) with commit timestamps that never go back, read
//! points and cursors that own what they read, an orderly [`close`](blaze_core::Store::close), and a directory that
//! says what it is.

#![deny(unsafe_code)]

mod backup;
mod cache;
#[cfg(test)]
#[path = "cache/tests.rs"]
mod cache_tests;
mod commit;
mod crc32c;
mod cursor;
mod directory;
mod disk_space;
mod environment;
mod error;
mod feed;
#[expect(unsafe_code, reason = "what borrows from RocksDB is made to own it here, once")]
mod ffi;
mod handles;
mod history;
mod interval;
mod load;
mod log;
mod maintenance;
mod manifest;
mod marker;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics/off.rs"]
mod metrics;
mod options;
mod oracle;
mod read_point;
mod recovery;
mod salvage;
mod sort;
mod stats;
mod store;
mod sync;
mod trail;
mod verify;

pub use backup::{Backup, BackupProgress, Backups};
pub use cache::RecordCacheStats;
pub use environment::{Environment, EnvironmentBuilder};
pub use load::SortedLoad;
pub use log::LogDamage;
pub use maintenance::CompactionPause;
pub use options::{Compression, CreateMode, LsmOptions};
pub use salvage::{SalvagedStore, Sieve, salvage};
pub use sort::{Row, RowSorter, SortedPart, SortedRows};
pub use stats::{
    CommitStats, CompactionStats, DatabaseStats, DiskStats, MemoryStats, ReaderStats, RetentionStats, TextIndexStats,
    VectorIndexStats,
};
pub use store::LsmStore;
pub use verify::{Met, Scrub};
