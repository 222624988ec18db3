//! A load that a crash ends leaves nothing behind.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use blaze::ManualClock;
use blaze_core::{CommitRequest, Family, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use super::*;

/// Tells the child which directory to write to, and where to stop.
const DIRECTORY: &str = "BLAZE_TEST_COLLECTION_LOAD_DIRECTORY";
const STOP_AT_ROWS: &str = "BLAZE_TEST_COLLECTION_LOAD_ROWS";

/// The role of the child: it finishes one load, begins another, says how far it has come, and waits to be killed.
#[test]
fn child_loads_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let stop_at: u64 = std::env::var(STOP_AT_ROWS).unwrap().parse().unwrap();
    let db = Database::open(directory).unwrap();
    load_films(&db, TINY, &shuffled(1_000, 8));
    let mut load = films_load(&db)
        .replace()
        .memory_bytes(TINY)
        .progress(|progress| {
            if progress.documents >= 10_000 && progress.written_rows >= stop_at {
                writeln!(std::io::stdout(), "\nloading").unwrap();
                std::io::stdin().lines().for_each(drop); // for ever: nobody writes there
            }
            ControlFlow::Continue(())
        })
        .begin()
        .unwrap();
    shuffled(10_240, 9).into_iter().for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
    load.finish().unwrap();
}

#[test]
fn a_killed_loader_leaves_no_files_and_no_rows() {
    // While documents come in, while the records are written, and while the entries of the last index are.
    for stop_at in [0, 5_000, 45_000] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "collection_load::crashes::child_loads_until_it_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(DIRECTORY, &path)
            .env(STOP_AT_ROWS, stop_at.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "loading"), "the child ended by itself, rows {stop_at}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(files_of_loads(&path) > 0, "rows {stop_at}");
        let db = Database::open(&path).unwrap();
        assert_eq!(files_of_loads(&path), 0);
        let films = db.collection::<Document>("films").unwrap();
        assert_eq!(films.count().unwrap(), 1_000);
        assert_eq!(ids(&films, field("year").eq(1950)).len(), 15);
        let report = db.verify().unwrap();
        assert_eq!(report.problems, []);
        let multi_entry_markers = 1;
        let expected = report.documents + report.index_entries + multi_entry_markers;
        db.close().unwrap();
        assert_eq!(stored_keys(&path).len() as u64, expected, "rows {stop_at}");
    }
}

/// The moment cannot be hit by killing, so it is staged: all rows are in, and the commit that shows them is not.
#[test]
fn a_crash_between_the_rows_and_the_name_leaves_no_rows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    db.keyspace("other").unwrap().put("key", "value").unwrap();
    db.close().unwrap();
    let store = LsmStore::open(&path, LsmOptions::new(Arc::new(ManualClock::at_ms(1)))).unwrap();
    for (family, hidden) in [(Family::Data, 77_u32), (Family::Index, 78), (Family::Vector, 79)] {
        let orphan = [&[0, 0, 0, 1, b'o', family as u8], hidden.to_be_bytes().as_slice()].concat();
        let declared = Write::put(Family::Data, orphan, *b"\0");
        store.commit(CommitRequest { writes: vec![declared], ..CommitRequest::default() }).unwrap();
        let mut load = store.load(family).unwrap();
        for n in 0..1_000_u32 {
            load.put(&[hidden.to_be_bytes(), n.to_be_bytes()].concat(), b"value").unwrap();
        }
        load.finish().unwrap();
    }
    store.close().unwrap();
    assert_eq!(stored_keys(&path).len(), 3_004);
    Database::open(&path).unwrap().close().unwrap();
    assert_eq!(stored_keys(&path).len(), 1, "only the key of the keyspace");
}
