//! The checker as a whole.

mod anomalies;
mod answers;
mod executor;
mod properties;
mod scale;
