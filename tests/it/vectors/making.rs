//! Graphs whose making is interrupted go on from what was kept.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use blaze::VectorIndexStats;
use blaze_core::{CommitRequest, Direction, Family, KeyRange, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use super::*;

/// So many that the first ones are kept before all are linked.
const COUNT: usize = 24_000;

/// As many are kept, at least, when a process that has linked more is killed.
const KEPT: u64 = 16_384;
const LINKED: u64 = 17_500;

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_VECTOR_MAKING_DIRECTORY";

fn open(path: &Path) -> Database {
    Database::builder().durability(Durability::Buffered).open(path).unwrap()
}

fn points(db: &Database) -> Collection<Document> {
    db.collection("points").unwrap()
}

/// Documents, and then an index of them, so that its graph is made of all at once.
fn begin(db: &Database) {
    let rows = vectors(1, COUNT);
    let documents = rows.iter().enumerate().map(|(n, vector)| (n as u64, document(vector, n)));
    points(db).bulk().insert_with_ids(documents).unwrap();
    points(db).ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
}

/// Waits until so many vectors are linked of a graph that is being made.
fn progress(db: &Database, linked: u64) -> VectorIndexStats {
    loop {
        let stats = db.stats().unwrap().vector_indexes;
        let found = stats.into_iter().find(|stats| stats.linked >= linked && (stats.unlinked > 0 || stats.is_complete));
        if let Some(stats) = found {
            return stats;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Closes a database while the graph of its vectors is made.
fn begin_and_close(path: &Path) -> u64 {
    let db = open(path);
    begin(&db);
    let seen = progress(&db, 5_000);
    assert!(seen.unlinked > 0 && !seen.is_complete, "{seen:?}");
    assert_eq!(seen.linked + seen.unlinked, COUNT as u64);
    db.close().unwrap();
    seen.linked
}

/// Has the making go on, and answers how many vectors were linked already.
fn go_on(db: &Database) -> u64 {
    assert!(!search(&points(db), &[1.0; DIMENSION], 10).0, "what is only begun is not searched");
    progress(db, 1).linked
}

#[test]
fn closing_in_the_middle_loses_little_of_a_graph() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let seen = begin_and_close(&path);
    for round in 0..2 {
        let db = open(&path);
        let kept = go_on(&db);
        assert!(kept >= seen, "round {round}: {kept} were kept, {seen} were linked");
        if round == 0 {
            db.close().unwrap();
            continue;
        }
        db.settle().unwrap();
        assert_finds(&points(&db), 2, true);
        let stats = &db.stats().unwrap().vector_indexes[0];
        assert_eq!((stats.linked, stats.unlinked, stats.is_complete), (COUNT as u64, 0, true));
        assert_eq!(db.verify().unwrap().problems, []);
        db.close().unwrap();
    }
    let db = open(&path);
    assert_finds(&points(&db), 2, true);
}

#[test]
fn documents_that_change_while_a_graph_is_only_begun_are_found_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    begin_and_close(&path);
    let places = vectors(77, 700);
    let place = |n: u64| places[n as usize].as_slice();
    let db = open(&path);
    for n in 0..200 {
        points(&db).put(n, &document(place(n), 0)).unwrap();
        points(&db).delete(1_000 + n).unwrap();
        points(&db).insert_with_id(format!("new {n}"), &document(place(500 + n), 0)).unwrap();
    }
    db.close().unwrap();
    let db = open(&path);
    let kept = go_on(&db);
    // And while it is made.
    for n in 200..300 {
        points(&db).put(n, &document(place(n), 0)).unwrap();
        points(&db).delete(1_000 + n).unwrap();
    }
    db.settle().unwrap();
    assert!(kept >= 4_000, "{kept} were kept");
    let first = |vector: &[f32]| search(&points(&db), vector, 1);
    for n in 0..300_u64 {
        assert_eq!(first(place(n)), (true, vec![n.into()]), "moved");
    }
    for n in 0..200 {
        assert_eq!(first(place(500 + n)), (true, vec![format!("new {n}").into()]), "added");
    }
    for (n, vector) in vectors(1, 1_300).iter().enumerate().skip(1_000) {
        assert_ne!(first(vector).1, [(n as u64).into()], "deleted");
    }
    assert_finds(&points(&db), 2, true);
    assert_eq!(db.verify().unwrap().problems, []);
}

#[test]
fn any_damage_of_what_is_begun_costs_the_making_and_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    begin_and_close(&path);
    for round in 0..3_u8 {
        let store = LsmStore::open(&path, LsmOptions::new(Arc::new(blaze::SystemClock))).unwrap();
        let mut rows = Vec::new();
        let mut cursor =
            store.read_point().unwrap().cursor(Family::Vector, &KeyRange::all(), Direction::Forward).unwrap();
        while let Some((key, value)) = cursor.next().unwrap() {
            // Of the header, of keys and of codes.
            let wanted: &[u8] = [&[1][..], &[3, 3], &[3, 0]][usize::from(round)];
            if key[4] == 0xFF && key[5..].starts_with(wanted) {
                rows.push((key.to_vec(), value.to_vec()));
            }
        }
        drop(cursor);
        let (key, mut value) = rows.swap_remove(rows.len() / 2);
        let middle = value.len() / 2;
        value[middle] ^= 4;
        let write = Write::put(Family::Vector, key, value);
        store.commit(CommitRequest { writes: vec![write], ..CommitRequest::default() }).unwrap();
        store.close().unwrap();
        let db = open(&path);
        assert!(go_on(&db) < 5_000, "round {round}: it begins anew");
        if round == 2 {
            db.settle().unwrap();
            assert_finds(&points(&db), 2, true);
        } else {
            progress(&db, 5_000);
        }
        db.close().unwrap();
    }
}

#[test]
fn an_index_that_is_dropped_while_its_graph_is_made_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = open(&path);
    begin(&db);
    progress(&db, 5_000);
    assert!(points(&db).drop_index("v").unwrap());
    db.settle().unwrap();
    assert_eq!(db.stats().unwrap().vector_indexes, []);
    db.close().unwrap();
    let store = LsmStore::open(&path, LsmOptions::new(Arc::new(blaze::SystemClock))).unwrap();
    let left = store.read_point().unwrap().cursor(Family::Vector, &KeyRange::all(), Direction::Forward);
    assert_eq!(left.unwrap().next().unwrap().map(|(key, _)| key.to_vec()), None);
}

/// The role of the child: it makes a graph until it is killed.
#[test]
fn child_makes_a_graph_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = open(Path::new(&directory));
    begin(&db);
    progress(&db, LINKED);
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\nkept").unwrap();
    stdout.flush().unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_process_that_is_killed_in_the_middle_loses_little_of_a_graph() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let test = "vectors::making::child_makes_a_graph_until_it_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, &path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_kept = lines.any(|line| line.is_ok_and(|line| line == "kept"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_kept, "the child ended by itself");
    let db = open(&path);
    let kept = go_on(&db);
    assert!(kept >= KEPT, "{kept} of {COUNT} need not be linked again");
    db.settle().unwrap();
    assert_finds(&points(&db), 2, true);
    assert_eq!(db.verify().unwrap().problems, []);
}
