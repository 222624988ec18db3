//! How widely a graph has to be searched for a wanted recall.
//!
//! Queries whose true nearest are known are searched for with one width after the other: [`RecallCurve`] says what that
//! shows about all queries. [`Calibration`] has the curves of a graph, for searches among all vectors and among parts of
//! them, and chooses a width by them.

mod bound;
mod calibration;
mod curve;
mod stored;
mod target;

pub use calibration::{Calibration, ChosenWidth};
pub use curve::{RecallCurve, RecallPoint};
pub use target::RecallTarget;

/// The fewest queries that say enough: without a single miss, a thousand show a recall above 0.997.
pub const CALIBRATION_QUERIES_MIN: usize = 1_000;

/// How many hits are searched for when a graph is calibrated.
pub const CALIBRATED_K: [usize; 3] = [10, 30, 100];

/// The shares of all vectors that are searched among.
pub const CALIBRATED_SHARES: [f64; 4] = [1.0, 0.5, 0.1, 0.01];

/// The widest search that a calibration tries.
pub const EF_MAX: usize = blaze_core::limits::SEARCH_EF_MAX;
