//! The bench harness of Blaze: what is done to databases, how it is measured, and how it is told.
//!
//! An [`engine::Engine`] is a product that can be measured; Blaze is one, its rivals in `benches/compare` are others, and
//! yours can be. A [`workload::Workload`] is what is done to it, each time in a process of its own; a [`dataset`] is
//! what it is done with. [`report::Report`] keeps what was found. [`cli::main`] puts them together.
//!
//! Every figure is a median over interleaved rounds and stands beside its spread and the rivals' figures from the same
//! rounds. Every answer is checked: a fast wrong one is a failure.

#![forbid(unsafe_code)]

pub mod cli;
pub mod codec;
pub mod dataset;
pub mod distribution;
pub mod engine;
pub mod machine;
pub mod measure;
pub mod report;
pub mod run;
pub mod workload;

/// The result of a benchmark's step; what failed is printed and ends the program.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
