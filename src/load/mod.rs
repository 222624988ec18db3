//! Bulk load: rows become a keyspace, documents a collection, past the log and the memory tables.
//!
//! Everything is written under numbers that no name leads to, declared orphans before, and shown by one commit.

mod collection;
mod keyspace;
mod options;
mod rows;
mod sink;
mod target;

pub use collection::{CollectionLoader, LoadProgress};
pub use keyspace::KeyspaceLoader;
pub use options::CollectionLoad;
