//! All proofs in turn.

use std::env;
use std::process::Command;

use blaze_prove::campaign::tell;
use blaze_prove::{Finding, Result};

use crate::arguments::Limits;

/// Each proof with the parts of a hundred that it takes of the time.
const SHARES: [(&[&str], f64); 6] = [
    (&["kills"], 35.0),
    (&["power"], 20.0),
    (&["cuts"], 15.0),
    (&["cuts", "--faults", "3"], 10.0),
    (&["histories"], 10.0),
    (&["flips"], 10.0),
];

/// Has each proof made by a process of its own; true if none of them finds anything.
///
/// # Errors
/// Those of the system.
pub(crate) fn prove(limits: &Limits) -> Result<bool> {
    if limits.cycles.is_some() {
        return Err(Finding::new(
            "how many cycles, of which proof? Say `kills`, `power`, `cuts`, `histories` or `flips` before",
        ));
    }
    let seconds = limits.time()?.as_secs_f64();
    let mut is_right = true;
    for (proof, share) in SHARES {
        tell(&format!("\n==== {}", proof.join(" ")));
        let mut command = Command::new(env::current_exe()?);
        command.args(proof).arg("--minutes").arg((seconds * share / 6_000.0).to_string());
        is_right &= command.args(limits.for_each_proof()).status()?.success();
    }
    Ok(is_right)
}
