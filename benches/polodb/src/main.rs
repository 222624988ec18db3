//! PoloDB as an engine of the benchmarks: a program of its own, which runs the jobs that `blaze-compare` gives it.

#![forbid(unsafe_code)]

mod engine;
mod orders;

use std::process::ExitCode;

use blaze_bench::cli;

fn main() -> ExitCode {
    cli::main(&[&engine::PoloDb])
}
