#![doc = include_str!("../README.md")]
//!
//! # Where to start
//!
//! [`Database::open`] opens a directory. A [`Collection`] maps ids to documents, a [`Keyspace`] raw bytes to raw bytes;
//! [`Objects`] are streams of bytes of any size. [`Database::transaction`] spans any number of all three. [`Collection::find`] asks by a [`filter`],
//! [`Collection::search`] by similarity, by words, or by both. Every [`Error`] says through its [`kind`](Error::kind) what to do about it.

#![forbid(unsafe_code)]

extern crate self as blaze; // so that the derive macro's paths hold here, too

mod builder;
#[cfg(feature = "async")]
mod call;
mod catalog;
mod collection;
pub mod cookbook;
mod crew;
mod database;
mod embedding;
mod expiry;
mod feed;
mod history;
mod index;
mod keyspace;
mod load;
mod migration;
mod object;
pub mod pipeline;
mod query;
mod repair;
mod retention;
mod salvage;
mod seal;
mod search;
mod session;
mod system;
mod text;
mod transaction;
mod transfer;
mod typed_field;
mod validation;
mod vector;
mod verify;

#[cfg(feature = "faults")]
#[doc(hidden)]
pub use blaze_core::fault;
pub use blaze_core::{
    Analysis, Analyzer, ChildId, Clock, Collation, Decimal, Document, DocumentId, Durability, Entropy, Error,
    ErrorKind, Expression, Feed, Filter, Highlighter, Isolation, JsonForm, Language, ManualClock, Path, Predicate,
    Push, QueryToken, Result, Schema, SeededEntropy, Snippet, TextQuery, Time, Timestamp, Token, Update, Uuid, Value,
    Vector, add_each_to_set, add_to_set, aggregate, expression, field, filter, inc, limits, max, min, mul, pop_first,
    pop_last, pull, pull_where, push, push_each, rename, schema, set, set_now, set_on_insert, unset, update,
};
pub use blaze_derive::Document;
#[cfg(feature = "metrics")]
pub use blaze_lsm::metrics;
pub use blaze_lsm::{
    Backup, BackupProgress, Backups, CommitStats, CompactionStats, Compression, DatabaseStats, DiskStats, Environment,
    EnvironmentBuilder, LogDamage, MemoryStats, ReaderStats, RecordCacheStats, RetentionStats, TextIndexStats,
    VectorIndexStats,
};
pub use blaze_vector::{Code as VectorCode, Copies, Metric, RecallCurve, RecallPoint};
pub use builder::DatabaseBuilder;
#[cfg(feature = "async")]
pub use call::Call;
pub use collection::{Bulk, Collection, Found, IfVersion, RawFound, Subcollection, UpdateReport};
pub use database::{CompactionPause, Database};
pub use embedding::{Embedder, EmbeddingStatus};
pub use expiry::Expires;
pub use feed::{Change, ChangeSet, Changes, DatabaseChange, DatabaseChangeSet, DatabaseChanges};
pub use history::{History, Version, Versions};
pub use index::{Index, IndexInfo, IndexProgress, IndexState, OnMismatch};
pub use keyspace::{KeyValues, Keyspace};
pub use load::{CollectionLoad, CollectionLoader, KeyspaceLoader, LoadProgress};
pub use migration::{DryRun, MigrationExample, MigrationProgress, MigrationReport, Migrations};
pub use object::{ObjectEntries, ObjectInfo, ObjectReader, ObjectWriter, Objects};
pub use query::{
    ChangeFirst, Considered, DeleteQuery, Explain, ExplainNode, Hint, Page, PageToken, PartialRow, PartialRows, Query,
    RawRows, Rows, Select, Sort, SortKeys, UpdateQuery, asc, desc,
};
pub use repair::{IndexRepair, RepairProgress, RepairReport};
pub use salvage::{Loss, SalvageReport};
pub use search::{
    FilterStrategy, Fusion, GraphStrategy, GroupedSearch, Highlight, Hit, HitExplain, HitGroup, IdHit, PartialHit,
    PartialTextHit, RecallExplain, RecallMeasurement, RecallState, Search, SearchExplain, SearchPath, SearchSelect,
    Suggest, Suggestion, TermExplain, TermScore, TextExplain, TextHit, TextIdHit, TextRank, TextSearch, TextSelect,
    TextTarget, VectorRank,
};
pub use system::{SystemClock, SystemEntropy};
pub use transaction::{Savepoint, Snapshot, Transaction, TransactionOptions};
pub use transfer::{
    BadLine, Csv, CsvTypes, Export, ExportProgress, ExportReport, Import, ImportProgress, ImportReport, JsonLines,
    OnDuplicate, OnError,
};
pub use typed_field::{IdField, TypedField};
pub use validation::{SchemaInfo, SchemaProgress, SchemaState, Validation};
pub use vector::{CalibrationProgress, CalibrationQueries, RecallCalibration};
pub use verify::{Problem, VerifyProgress, VerifyReport};
