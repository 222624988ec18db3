//! The vocabulary of Blaze: values, documents, ids, keys, records, filters, clocks, errors, and the Store port.
//!
//! This crate does no I/O, starts no thread and asks neither the clock nor the operating system for anything: time and
//! randomness come in through [`Clock`] and [`Entropy`].

#![forbid(unsafe_code)]

pub mod aggregate;
mod clock;
mod collation;
mod document;
mod entropy;
mod error;
pub mod expression;
pub mod fault;
pub mod filter;
mod id;
mod identified;
mod json;
pub mod key;
pub mod limits;
mod mem_store;
mod nesting;
mod path;
mod place;
pub mod record;
pub mod schema;
mod serde;
mod spelling;
mod store;
pub mod text;
pub mod traverse;
pub mod update;
mod value;

pub use self::serde::{from_document, from_document_under, from_value, to_document, to_value};
pub use clock::{Clock, HybridClock, ManualClock, Timestamp};
pub use collation::Collation;
pub use document::Document;
pub use entropy::{Entropy, SeededEntropy};
pub use error::{Error, ErrorKind, Result};
pub use expression::Expression;
pub use filter::{Filter, Predicate, field};
pub use id::{ChildId, DocumentId, Uuid};
pub use identified::{ID_FIELD, PARENT_FIELD, fill_id, take_id, take_parent};
pub use json::JsonForm;
pub use mem_store::MemStore;
pub use path::{Path, Segment};
pub use schema::Schema;
pub use store::{
    Change, ChangeKind, ChangeSignal, Changes, CommitHook, CommitRequest, Cursor, Direction, Durability, Entry, Expiry,
    FEATURE_TEXT_INDEXES, FEATURE_VECTOR_GRAPHS, Family, Feed, Head, Isolation, KeyRange, MarkChange, Marks, PointRead,
    Prefix, RangeRead, ReadPoint, Store, Tracking, UndoKey, Version, Versions, VisitMany, Write, counter, prefix_of,
    prefix_of_range,
};
pub use text::{Analysis, Analyzer, Highlighter, Language, QueryToken, Snippet, TextQuery, Token};
pub use update::{
    Push, Update, add_each_to_set, add_to_set, inc, max, min, mul, pop_first, pop_last, pull, pull_where, push,
    push_each, rename, set, set_now, set_on_insert, unset,
};
pub use value::{Decimal, Time, Value, Vector, VectorKind, half};
