//! The checker as a whole.

mod anomalies;
mod executor;
mod properties;
mod scale;
