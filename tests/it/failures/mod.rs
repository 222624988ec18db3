//! What becomes of a database when its disk fails, fills up or loses something, and when its process is killed.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod damaged_log;
mod failed_write;
mod full_disk;
mod killed;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze_core::{CommitRequest, Durability, Family, ManualClock, Result, Store, Timestamp, Write};
use blaze_lsm::{LsmOptions, LsmStore};

fn options() -> LsmOptions {
    LsmOptions::new(Arc::new(ManualClock::at_ms(1_000_000))).write_buffer_bytes(1 << 20)
}

fn open(path: &Path) -> Result<LsmStore> {
    LsmStore::open(path, options())
}

/// Puts a value of some bytes that only this key has.
fn put(store: &LsmStore, key: u32, bytes: usize, durability: Durability) -> Result<Timestamp> {
    let writes = vec![Write::put(Family::Data, key.to_be_bytes(), value(key, bytes))];
    store.commit(CommitRequest { writes, durability, ..CommitRequest::default() })
}

fn value(key: u32, bytes: usize) -> Vec<u8> {
    (0..bytes as u32).map(|at| (key * 7 + at * 13 + at / 256) as u8).collect()
}

fn get(store: &LsmStore, key: u32) -> Option<Vec<u8>> {
    store.read_point().unwrap().get(Family::Data, &key.to_be_bytes()).unwrap()
}

/// How many of the keys from 0 on are there without a gap; there must be none behind a gap.
fn prefix(store: &LsmStore, keys: u32) -> u32 {
    let there: Vec<bool> = (0..keys).map(|key| get(store, key).is_some()).collect();
    let count = there.iter().take_while(|is_there| **is_there).count();
    assert!(there[count..].iter().all(|is_there| !is_there), "{there:?} is no prefix");
    count as u32
}

/// Copies a directory as the death of the process would leave it: while no file comes or goes, which the background of an
/// open store has them do at times.
fn copy(from: &Path, to: &Path) {
    let names = || {
        let mut names: Vec<_> = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    loop {
        fs::create_dir(to).unwrap();
        let before = names();
        let is_whole = before.iter().all(|name| match fs::copy(from.join(name), to.join(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            copied => copied.map(|_| true).unwrap(),
        });
        if is_whole && names() == before {
            return;
        }
        fs::remove_dir_all(to).unwrap();
    }
}

/// The log files of a directory, in their order.
fn logs(path: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "log")).collect();
    logs.sort();
    logs
}
