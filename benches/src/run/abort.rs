//! A process that writes and dies, to see what another one finds.

use std::io::Write;
use std::ops::Range;
use std::process::{Command, Stdio};

use super::Task;
use crate::Result;
use crate::engine::{Engine, EngineOptions};

/// The hidden command of every runner that reads a [`Task`].
pub const WORKER: &str = "worker";

/// Starts this program once more, lets it add pairs to a store that is closed here, and waits until it is dead.
///
/// # Errors
/// When it does not start, or ends in another way than by its own hand once everything is written.
pub fn write_and_die(engine: &dyn Engine, options: &EngineOptions, seed: u64, positions: Range<u64>) -> Result<()> {
    let task = Task::WriteAndDie {
        engine: engine.name().to_owned(),
        directory: options.directory.clone(),
        cache_bytes: options.cache_bytes,
        seed,
        positions,
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&serde_json::to_vec(&task)?)?;
    }
    let output = child.wait_with_output()?;
    // It says so when everything is written, and then it aborts.
    if output.stdout == WRITTEN && !output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(format!("the process that was to write and die ended with {} and said: {}", output.status, said.trim()).into())
}

/// What the process says before it dies.
pub(super) const WRITTEN: &[u8] = b"written\n";
