//! Blaze's engine: [`LsmStore`], the [`Store`](blaze_core::Store) port over RocksDB.
//!
//! RocksDB gives the log, the tree of sorted files, compaction, the cache and checksums. This crate adds what it lacks:
//! serializable transactions ([`Isolation`](blaze_core::Isolation)) with commit timestamps that never go back, read
//! points and cursors that own what they read, an orderly [`close`](blaze_core::Store::close), and a directory that
//! says what it is.

#![deny(unsafe_code)]

mod cache;
#[cfg(test)]
#[path = "cache/tests.rs"]
mod cache_tests;
mod commit;
mod cursor;
mod error;
#[expect(unsafe_code, reason = "what borrows from RocksDB is made to own it here, once")]
mod ffi;
mod handles;
mod interval;
mod load;
mod marker;
mod options;
mod oracle;
mod read_point;
mod store;
mod sync;

pub use load::SortedLoad;
pub use options::{CreateMode, LsmOptions};
pub use store::LsmStore;
