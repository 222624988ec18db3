//! Blaze beside other embedded stores: the workloads of `blaze-bench`, on each of them.

#![deny(unsafe_code)]

mod engine;

fn main() -> std::process::ExitCode {
    blaze_bench::cli::main(&engine::all())
}
