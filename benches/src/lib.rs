//! What the benchmarks of Blaze share: corpora, the formats that it is compared with, time and its statistics.
//!
//! The runners are the programs in `src/bin`. Every figure is a median over interleaved rounds and stands beside its
//! spread and the rivals' figures from the same rounds.

#![forbid(unsafe_code)]

pub mod codec;
pub mod corpus;
pub mod mirror;
pub mod stopwatch;

/// The result of a benchmark's step; what failed is printed and ends the program.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
