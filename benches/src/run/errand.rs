//! What a job has done by yet another process: loading where memory is not limited, opening what it has never seen, and dying.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Task;
use crate::Result;
use crate::engine::{Durability, Engine, EngineOptions};
use crate::report::EngineInfo;
use crate::workload::{EngineWorkload, Reopen, VectorTable, Ycsb};

/// The hidden command of every runner that reads a [`Task`].
pub const WORKER: &str = "worker";

/// What is done to a store by a process of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// Adds the pairs of some positions durably, as [`Reopen`] has them, and dies without closing the store.
    WriteAndDie(Range<u64>),
    /// Loads so many records of [`Ycsb`].
    Load(u64),
    /// Loads so many rows of [`EngineWorkload`].
    LoadRows(u64),
    /// Loads so many vectors of [`VectorTable`].
    LoadVectors(u64),
    /// Opens a store with so many vectors of [`VectorTable`], and tells how that went.
    OpenVectors(u64),
}

/// What a program with the same harness says about one of its engines.
///
/// # Errors
/// When it does not start or fails, and when it says something else.
pub fn describe(program: &Path, engine: &str, cache_bytes: usize) -> Result<EngineInfo> {
    let Output { status, stdout, stderr } = start(program, &Task::Describe { engine: engine.to_owned(), cache_bytes })?;
    match status.success() {
        true => Ok(serde_json::from_slice(&stdout)?),
        false => Err(format!("it ended with {status} and said: {}", String::from_utf8_lossy(&stderr).trim()).into()),
    }
}

/// What the process says when it has done its errand.
const DONE: &[u8] = b"done\n";

impl Errand {
    /// Starts this program once more for the errand, on a store that nobody has open, and waits for its end.
    ///
    /// # Errors
    /// When it does not start, fails, or ends in another way than it should.
    pub fn run(self, engine: &dyn Engine, options: &EngineOptions, seed: u64) -> Result<()> {
        self.send(engine, options, seed).map(drop)
    }

    /// As [`run`](Errand::run), for an errand that tells something.
    ///
    /// # Errors
    /// Those of [`run`](Errand::run); when it tells something else, or nothing.
    pub fn ask<T: DeserializeOwned>(self, engine: &dyn Engine, options: &EngineOptions, seed: u64) -> Result<T> {
        Ok(serde_json::from_slice(&self.send(engine, options, seed)?)?)
    }

    /// What the process has told before it was done.
    fn send(self, engine: &dyn Engine, options: &EngineOptions, seed: u64) -> Result<Vec<u8>> {
        let dies = matches!(self, Errand::WriteAndDie(_));
        let task = Task::Errand {
            engine: engine.name().to_owned(),
            directory: options.directory.clone(),
            cache_bytes: options.cache_bytes,
            seed,
            errand: self,
        };
        let Output { status, stdout, stderr } = start(&std::env::current_exe()?, &task)?;
        if let Some(told) = told_before_done(&stdout).filter(|_| status.success() != dies) {
            return Ok(told.to_vec());
        }
        let said = [stdout, stderr].concat();
        Err(format!("a process on an errand ended with {status} and said: {}", String::from_utf8_lossy(&said).trim())
            .into())
    }

    /// Does the errand in this process, which does not return from it if it is to die.
    pub(super) fn serve(self, engine: &dyn Engine, options: &EngineOptions, seed: u64) -> Result<()> {
        match self {
            Errand::Load(records) => Ycsb::load(&*engine.open_key_value(options)?, records)?,
            Errand::LoadRows(rows) => EngineWorkload::load(engine, options, rows, seed)?,
            Errand::LoadVectors(rows) => VectorTable::load(engine, options, rows, seed)?,
            Errand::OpenVectors(rows) => tell(&VectorTable::open(engine, options, rows, seed)?)?,
            Errand::WriteAndDie(positions) => {
                let store = engine.open_key_value(options)?;
                Reopen::add(&*store, seed, positions, Durability::Sync)?;
                say_done()?;
                std::process::abort() // with the store open
            }
        }
        Ok(say_done()?)
    }
}

fn start(program: &Path, task: &Task) -> Result<Output> {
    let mut command = Command::new(program);
    command.arg(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&serde_json::to_vec(task)?)?;
    }
    Ok(child.wait_with_output()?)
}

/// `None` where it was not done.
fn told_before_done(said: &[u8]) -> Option<&[u8]> {
    said.strip_suffix(DONE).filter(|told| told.is_empty() || told.ends_with(b"\n"))
}

fn tell(what: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    Ok(io::stdout().write_all(&line)?)
}

fn say_done() -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(DONE)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_tells_counts_only_when_it_was_done() {
        assert_eq!(told_before_done(b"done\n"), Some(&b""[..]));
        assert_eq!(told_before_done(b"{\"seconds\":1}\ndone\n"), Some(&b"{\"seconds\":1}\n"[..]));
        for said in [&b""[..], b"{\"seconds\":1}\n", b"undone\n", b"done\nand more"] {
            assert_eq!(told_before_done(said), None, "{}", String::from_utf8_lossy(said));
        }
    }
}
