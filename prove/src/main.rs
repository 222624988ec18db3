//! `blaze-prove`: kills processes that use Blaze, cuts their power, damages their files, and proves that nothing was lost.

mod arguments;
mod everything;

use std::process::ExitCode;

use arguments::{Arguments, Task};
use blaze_prove::campaign::tell;
use blaze_prove::{Result, child, flips};
use clap::Parser;

fn main() -> ExitCode {
    let Arguments { command, limits } = Arguments::parse();
    let done = match &command {
        Some(Task::Child { life }) => as_child(child::live(life)),
        Some(Task::FlipsChild { directory, numbers }) => {
            let [seed, number, from] = [0, 1, 2].map(|at| numbers.get(at).copied().unwrap_or_default());
            as_child(flips::campaign::live(directory, seed, number, from))
        }
        Some(task) => task.run(&limits).inspect_err(say),
        None => everything::prove(&limits).inspect_err(say),
    };
    if matches!(done, Ok(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The parent reads what a child has found.
fn as_child(lived: Result<()>) -> Result<bool> {
    lived.map(|()| true).inspect_err(child::tell)
}

fn say(finding: &blaze_prove::Finding) {
    tell(&format!("blaze-prove: {finding}"));
}
