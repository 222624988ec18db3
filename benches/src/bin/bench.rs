//! Measures Blaze alone. The program that sets it beside its rivals is in `benches/compare`.

use std::process::ExitCode;

use blaze_bench::cli;
use blaze_bench::engine::Blaze;

fn main() -> ExitCode {
    cli::main(&[&Blaze])
}
