//! The total order of values.
