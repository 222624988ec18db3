//! Vector search: what "near" means, the kernels that compute it, and exact search.
//!
//! A [`Query`] is checked and prepared once, then compared with vectors as they stream by; [`Nearest`] keeps the best of
//! them. [`ExactIndex`] holds vectors in memory and is the oracle for every faster index.
//!
//! This crate knows nothing of documents, transactions or disks.

#![deny(unsafe_code)] // the kernels except themselves

mod chance;
mod code;
mod copies;
mod exact;
mod graph;
mod kept;
pub mod kernel;
mod metric;
mod nearest;
mod query;
mod recall;
mod slot_table;
mod slots;
mod vector;

pub use code::Code;
pub use copies::Copies;
pub use exact::ExactIndex;
pub use graph::{
    BLOCK_NODES, BlockKind, Candidate, CodeError, Found, GATHERED_BYTES_MAX, Gathered, Graph, GraphOptions, GraphQuery,
    GraphReader, Insertion, Reclaim, Strategy, Unlinked, VectorBuffer, VectorSource,
};
pub use kept::KeptHits;
pub use metric::Metric;
pub use nearest::{Hit, Nearest};
pub use query::Query;
pub use recall::{
    CALIBRATED_K, CALIBRATED_SHARES, CALIBRATION_QUERIES_MIN, Calibration, ChosenWidth, EF_MAX, RecallCurve,
    RecallPoint, RecallTarget,
};
pub use slot_table::SlotTable;
pub use slots::SlotSet;
pub use vector::{VectorRef, read_numbers, validate, validate_dimension, write_vector};
