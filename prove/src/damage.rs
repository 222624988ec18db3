//! Damage that a database mends: the log has a torn end, or rows are missing that documents make again.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use blaze::SystemClock;
use blaze_core::{CommitRequest, Direction, Family, KeyRange, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use crate::Result;
use crate::random::Random;

/// Rows of each kind that are removed.
const ROWS: usize = 4;

/// How the keys of counts begin: the catalog's own number, and what it has there.
const COUNTS: &[u8] = &[0, 0, 0, 1, b'c'];

/// The end of a log as a loss of power may leave it: the head of a record of a kind on which RocksDB would not end, and nothing
/// that it could be.
const TORN_END: &[u8] = &[0xAB, 0xCD, 0xEF, 0x01, 8, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8];

/// Tears the end of the log.
///
/// # Errors
/// Those of the system.
pub fn tear_log(path: &Path) -> Result<()> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("log")) {
            logs.push(path);
        }
    }
    logs.sort();
    match logs.last() {
        Some(last) => Ok(File::options().append(true).open(last)?.write_all(TORN_END)?),
        None => Ok(()),
    }
}

/// Removes rows of indexes and of texts, and spoils a count, of a database in which no index is being built: repair looks at none
/// of these.
///
/// # Errors
/// Those of the database.
pub fn inflict(path: &Path, random: &Random) -> Result<()> {
    let store = LsmStore::open(path, LsmOptions::new(Arc::new(SystemClock)))?;
    let mut writes = Vec::new();
    for family in [Family::Index, Family::Text] {
        // What is no entry stands behind FF.
        let entries = rows(&store, family, |key| key.get(4).is_some_and(|first| *first != 0xFF))?;
        let chosen = (0..ROWS).filter_map(|_| random.pick(&entries).cloned());
        writes.extend(chosen.map(|key| Write::delete(family, key)));
    }
    for key in rows(&store, Family::Data, |key| key.starts_with(COUNTS))? {
        writes.push(Write::put(Family::Data, key, 12_345_i64.to_be_bytes()));
    }
    store.commit(CommitRequest { writes, ..CommitRequest::default() })?;
    Ok(store.close()?)
}

fn rows(store: &LsmStore, family: Family, is_meant: impl Fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>> {
    let point = store.read_point()?;
    let mut cursor = point.cursor(family, &KeyRange::all(), Direction::Forward)?;
    let mut keys = Vec::new();
    while let Some((key, _)) = cursor.next()? {
        if is_meant(key) {
            keys.push(key.to_vec());
        }
    }
    Ok(keys)
}
