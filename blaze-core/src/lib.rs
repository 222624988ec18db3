//! The vocabulary of Blaze: values, documents, ids, keys, records, filters, clocks, errors, and the Store port.
//!
//! This crate does no I/O, starts no thread and asks neither the clock nor the operating system for anything: time and
//! randomness come in through [`Clock`] and [`Entropy`].

#![forbid(unsafe_code)]

mod clock;
mod document;
mod entropy;
mod error;
mod id;
pub mod limits;
mod path;
mod store;
mod value;

pub use clock::{Clock, HybridClock, ManualClock, Timestamp};
pub use document::Document;
pub use entropy::{Entropy, SeededEntropy};
pub use error::{Error, ErrorKind, Result};
pub use id::{DocumentId, Uuid};
pub use path::{Path, Segment};
pub use store::{
    CommitRequest, Cursor, Direction, Durability, Entry, Family, Isolation, KeyRange, PointRead, RangeRead, ReadPoint,
    Store, VisitMany, Write,
};
pub use value::{Decimal, Time, Value, Vector, VectorKind};
