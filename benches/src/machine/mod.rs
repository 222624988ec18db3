//! Where a run takes place: the machine, its disk, and the limit on memory.

mod disk;
mod memory_limit;
mod processors;

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::disk::{Disk, drop_cached_pages, measure_syncs, settle};
pub use self::memory_limit::MemoryLimit;
pub use self::processors::use_processors;
use crate::Result;

/// A machine as far as it can be asked; what it does not tell is empty or 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Threads that run at once.
    pub cores: usize,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// The operating system and its kernel.
    pub system: String,
    /// The disk that the engines write to.
    pub disk: Disk,
}

impl Machine {
    /// This machine, with the disk below `directory`, whose sync is measured: about a second.
    ///
    /// # Errors
    /// Those of writing to the directory.
    pub fn of(directory: &Path) -> Result<Machine> {
        Ok(Machine {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: memory_bytes().unwrap_or(0),
            system: system(),
            disk: Disk::of(directory)?,
        })
    }
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    let kilobytes = field("/proc/meminfo", "MemTotal")?;
    Some(kilobytes.trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

fn system() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned()
}
