//! A load that a crash ends leaves nothing behind.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use blaze::{Database, ManualClock};
use blaze_core::{CommitRequest, Family, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use super::{files_of_loads, fill, rows, stored_keys};

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_LOAD_DIRECTORY";

/// The role of the child: it finishes one load, begins another, says so, and waits to be killed.
#[test]
fn child_loads_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = Database::open(directory).unwrap();
    let mut finished = db.load_keyspace("finished").unwrap();
    fill(&mut finished, 1_000, b"value");
    finished.finish().unwrap();
    let mut loader = db.load_keyspace("unfinished").unwrap();
    fill(&mut loader, 100_000, b"value");
    writeln!(std::io::stdout(), "\nloading").unwrap();
    std::io::stdin().lines().for_each(drop); // for ever: nobody writes there
}

#[test]
fn a_killed_loader_leaves_no_files_and_no_rows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bulk_load::crashes::child_loads_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "loading"), "the child ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(files_of_loads(&path).len(), 1);
    let db = Database::open(&path).unwrap();
    assert_eq!(files_of_loads(&path), Vec::<String>::new());
    assert_eq!(db.keyspaces().unwrap(), ["finished"]);
    assert_eq!(rows(&db, "finished").len(), 1_000);
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len(), 1_000);
}

/// The moment cannot be hit by killing, so it is staged: the files are in, and the commit that shows them is not.
#[test]
fn a_crash_between_the_files_and_the_name_leaves_no_rows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    db.keyspace("other").unwrap().put("key", "value").unwrap();
    db.close().unwrap();
    let hidden = 77_u32.to_be_bytes();
    let orphan = [&[0, 0, 0, 1, b'o', Family::Data as u8], hidden.as_slice()].concat();
    let store = LsmStore::open(&path, LsmOptions::new(Arc::new(ManualClock::at_ms(1)))).unwrap();
    let declared = Write::put(Family::Data, orphan, *b"\0");
    store.commit(CommitRequest { writes: vec![declared], ..CommitRequest::default() }).unwrap();
    let mut load = store.load(Family::Data).unwrap();
    for n in 0..1_000_u32 {
        load.put(&[hidden, n.to_be_bytes()].concat(), b"value").unwrap();
    }
    load.finish().unwrap();
    store.close().unwrap();
    assert_eq!(stored_keys(&path).len(), 1_002);

    let db = Database::open(&path).unwrap();
    assert_eq!(rows(&db, "other").len(), 1);
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len(), 1, "only the key of the other keyspace");
}
