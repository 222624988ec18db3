//! The system's own writing, which comes whenever it likes and in any order.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{ffi::OsStr, io};

use super::system;
use crate::random::Random;

/// The time between two writes, at most.
const BETWEEN_MICROSECONDS: u64 = 12_000;

/// The pages that are written back.
const PAGE_BYTES: u64 = 4_096;

/// Writes back what it likes below a directory, until it is dropped.
#[derive(Debug)]
pub struct Writeback {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Writeback {
    /// Begins.
    #[must_use]
    pub fn begin(directory: PathBuf, random: Random) -> Writeback {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            loop {
                let time = Duration::from_micros(random.below(BETWEEN_MICROSECONDS));
                if stopped.recv_timeout(time) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                // What is gone needs no writing.
                let _ = write_something(&directory, &random);
            }
        });
        Writeback { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Writeback {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_something(directory: &Path, random: &Random) -> io::Result<()> {
    let mut files = Vec::new();
    collect(directory, &mut files)?;
    if random.percent(60) {
        // Of what is appended to, a later part may come to the disk without an earlier one.
        files.retain(|path| path.extension() == Some(OsStr::new("log")) || is_manifest(path));
    }
    let Some(path) = random.pick(&files) else { return Ok(()) };
    let file = File::open(path)?;
    match random.below(10) {
        0 | 1 => file.sync_data(),
        2 => file.sync_all(),
        _ => {
            let pages = file.metadata()?.len().div_ceil(PAGE_BYTES);
            let from = random.below(pages);
            system::write_back(&file, from * PAGE_BYTES, (1 + random.below(pages - from)) * PAGE_BYTES)
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("MANIFEST"))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => collect(&entry.path(), files).or_else(ignore_gone)?,
            false => files.push(entry.path()),
        }
    }
    files.sort();
    Ok(())
}

fn ignore_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
