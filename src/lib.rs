#![doc = include_str!("../README.md")]
//!
//! # Where to start
//!
//! [`Database::open`] opens a directory. A [`Collection`] maps ids to documents, a [`Keyspace`] raw bytes to raw bytes;
//! [`Objects`] are streams of bytes of any size. [`Database::transaction`] spans any number of all three. [`Collection::find`] asks by a [`filter`],
//! [`Collection::search`] by similarity. Every [`Error`] says through its [`kind`](Error::kind) what to do about it.

#![forbid(unsafe_code)]

extern crate self as blaze; // so that the derive macro's paths hold here, too

mod builder;
mod catalog;
mod collection;
mod database;
mod expiry;
mod feed;
mod history;
mod index;
mod keyspace;
mod load;
mod object;
mod query;
mod repair;
mod retention;
mod salvage;
mod search;
mod session;
mod system;
mod transaction;
mod typed_field;
mod verify;

pub use blaze_core::{
    Clock, Decimal, Document, DocumentId, Durability, Entropy, Error, ErrorKind, Feed, Filter, Isolation, ManualClock,
    Path, Predicate, Result, SeededEntropy, Time, Timestamp, Update, Uuid, Value, Vector, field, filter, inc, limits,
    set, unset, update,
};
pub use blaze_derive::Document;
#[cfg(feature = "metrics")]
pub use blaze_lsm::metrics;
pub use blaze_lsm::{
    Backup, BackupProgress, Backups, CommitStats, CompactionStats, DatabaseStats, DiskStats, Environment,
    EnvironmentBuilder, LogDamage, MemoryStats, ReaderStats, RecordCacheStats, RetentionStats,
};
pub use blaze_vector::Metric;
pub use builder::DatabaseBuilder;
pub use collection::{Bulk, Collection, Found};
pub use database::{CompactionPause, Database};
pub use expiry::Expires;
pub use feed::{Change, ChangeSet, Changes, DatabaseChange, DatabaseChangeSet, DatabaseChanges};
pub use history::{History, Version, Versions};
pub use index::{Index, IndexInfo, IndexProgress, IndexState};
pub use keyspace::{KeyValues, Keyspace};
pub use load::{CollectionLoad, CollectionLoader, KeyspaceLoader, LoadProgress};
pub use object::{ObjectEntries, ObjectInfo, ObjectReader, ObjectWriter, Objects};
pub use query::{Explain, Query, Rows, Sort, SortKeys, asc, desc};
pub use repair::{IndexRepair, RepairProgress, RepairReport};
pub use salvage::{Loss, SalvageReport};
pub use search::{Hit, Search};
pub use system::{SystemClock, SystemEntropy};
pub use transaction::{Savepoint, Snapshot, Transaction, TransactionOptions};
pub use typed_field::TypedField;
pub use verify::{Problem, VerifyProgress, VerifyReport};
