//! Vector search: what "near" means, the kernels that compute it, exact search, and the graph that finds most of the nearest
//! without a look at all vectors.
//!
//! * **Exact search.** A [`Query`] is checked and prepared once, then compared with vectors as they stream by; [`Nearest`] keeps
//!   the best of them. [`ExactIndex`] holds vectors in memory and is the oracle for every faster index.
//! * **The graph.** A [`Graph`] (HNSW) holds links and [codes](Code) of a few bits a component, not the vectors themselves. It is
//!   built by all cores ([`Graph::build`]), changed one vector at a time ([`Graph::prepare`], [`Graph::insert`],
//!   [`Graph::delete`]), and written and read in blocks ([`GraphReader`]). A search ([`Graph::search`], [`Graph::search_among`] of a
//!   [`SlotSet`] that a filter leaves) proposes candidates; who has the vectors compares them in full
//!   ([`Found::rerank_adaptively`]).
//! * **Recall.** A [`Calibration`] is what was measured of such searches, and chooses how wide one has to be for a
//!   [`RecallTarget`].
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use blaze_core::Result;
//! use blaze_vector::{Graph, GraphOptions, Metric, Query, VectorBuffer, VectorRef, VectorSource};
//!
//! struct Points(Vec<[f32; 2]>);
//!
//! impl VectorSource for Points {
//!     fn len(&self) -> usize {
//!         self.0.len()
//!     }
//!
//!     fn vector<'a>(&'a self, index: usize, _: &'a mut VectorBuffer) -> Result<VectorRef<'a>> {
//!         Ok(VectorRef::from(&self.0[index]))
//!     }
//! }
//!
//! let points = Points((0..1_000u16).map(|n| [f32::from(n % 40), f32::from(n / 40)]).collect());
//! let graph = Graph::build(GraphOptions::new(Metric::L2, 2), &points, 2, &mut |_| ControlFlow::Continue(()))?;
//! let query = Query::new(Metric::L2, &[7.2, 11.1])?;
//! let mut found = graph.search(&graph.query(&[7.2, 11.1])?, 50, 10, |_| true);
//! found.rerank_adaptively(1, |slot| query.distance(&points.0[slot as usize]).ok());
//! assert_eq!(points.0[found.candidates[0].slot as usize], [7.0, 11.0]);
//! # Ok::<(), blaze_core::Error>(())
//! ```
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
