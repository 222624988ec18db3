//! Verification finds what is damaged, and what does not belong together.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze::{Database, Document, Durability, ErrorKind, Index, IndexState, Value, VerifyReport};
use blaze_core::{CommitRequest, Direction, Family, KeyRange, ManualClock, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

const DOCUMENTS: i64 = 3_000;

pub(crate) fn document(n: i64) -> Document {
    let tags: Value = [format!("t{}", n % 10), format!("u{}", n % 7)].into_iter().collect();
    let numbers: Value = [n as f64, 1.0, 2.0].into_iter().collect();
    // What does not compress makes the file of the documents the largest.
    let noise: String =
        (1..9).map(|factor| format!("{:016x}", (n + factor).wrapping_mul(0x1E37_79B9_7F4A_7C15))).collect();
    let document = Document::new().with("n", n).with("tags", tags).with("at", numbers);
    document.with("text", format!("{n}").repeat(20)).with("noise", noise)
}

/// A database with all kinds of things in it, in the directory `db` below; closed, its files sorted.
pub(crate) fn filled(directory: &Path) -> PathBuf {
    let path = directory.join("db");
    let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
    fill(&db);
    db.compact().unwrap();
    db.close().unwrap();
    path
}

fn fill(db: &Database) {
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::on("n")).unwrap();
    films.ensure_index(Index::on("tags").then_desc("n")).unwrap();
    films.ensure_index(Index::vector("at", 3)).unwrap();
    films.bulk().insert_with_ids((0..DOCUMENTS).map(|n| (n, document(n)))).unwrap();
    films.update(1, blaze::set("tags", Value::Null)).unwrap();
    films.delete(2).unwrap();
    let settings = db.keyspace("settings").unwrap();
    for n in 0..500_u32 {
        settings.put(n.to_be_bytes(), n.to_string().repeat(10)).unwrap();
    }
    settings.put("large", vec![7; 100_000]).unwrap();
    db.collection::<Document>("gone").unwrap().insert(&document(1)).unwrap();
    db.drop_collection("gone").unwrap();
}

fn verify(path: &Path) -> VerifyReport {
    Database::builder().must_exist().open(path).unwrap().verify().unwrap()
}

/// The largest sorted file.
pub(crate) fn largest(path: &Path, extension: &str) -> PathBuf {
    let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let of_kind = files.filter(|path| path.extension().is_some_and(|found| found == extension));
    of_kind.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

/// Flips a byte at some thousandths of a file.
pub(crate) fn flip(path: &Path, thousandths: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() * thousandths / 1_000;
    bytes[at] ^= 0x55;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_healthy_database_has_no_problems_wherever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let in_memory = Database::in_memory().unwrap();
    fill(&in_memory);
    for report in [verify(&filled(directory.path())), in_memory.verify().unwrap()] {
        assert_eq!(report.problems, []);
        assert!(report.is_healthy());
        let counts = (report.collections, report.keyspaces, report.documents, report.keys, report.indexes);
        assert_eq!(counts, (1, 1, DOCUMENTS as u64 - 1, 501, 3));
        // For n and the vector one each; for tags, the whole array and its elements, but for the one without.
        assert_eq!(report.index_entries, 2 * 2_999 + 3 * 2_998 + 1);
        assert!(report.bytes > 100_000);
    }
}

#[test]
fn a_database_with_a_half_built_index_is_healthy() {
    let db = Database::temporary().unwrap();
    fill(&db);
    let films = db.collection::<Document>("films").unwrap();
    let building = || films.ensure_index_with(Index::on("text"), |_| panic!("the thread ends"));
    assert!(std::thread::scope(|scope| scope.spawn(building).join().is_err()));
    assert_eq!(films.indexes().unwrap()[3].state, IndexState::Building);
    let report = db.verify().unwrap();
    assert_eq!((report.problems, report.indexes), (vec![], 3));
}

#[test]
fn a_flipped_byte_is_found_while_the_database_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    let db = Database::builder().must_exist().open(&path).unwrap();
    assert!(db.verify().unwrap().is_healthy());
    let file = largest(&path, "sst");
    flip(&file, 300);
    let report = db.verify().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(report.problems.iter().any(|problem| problem.message.contains(name)), "{:?}", report.problems);
    flip(&file, 300);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn an_unreadable_part_of_a_collection_is_named_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    flip(&largest(&path, "sst"), 300);
    let report = verify(&path);
    assert!(report.documents > 2_900 && report.documents < DOCUMENTS as u64 - 1, "{}", report.documents);
    let named = report.problems.iter().find(|problem| problem.name.as_deref() == Some("films"));
    assert!(named.is_some_and(|problem| !problem.key.is_empty()), "{:?}", report.problems);
    assert_eq!(report.keys, 501);
}

#[test]
fn a_damaged_large_value_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    flip(&largest(&path, "blob"), 500);
    let report = verify(&path);
    assert!(report.problems.iter().any(|problem| problem.name.as_deref() == Some("settings")), "{:?}", report.problems);
}

/// Writes to the store behind the database's back.
pub(crate) fn tamper(path: &Path, tamper: impl FnOnce(&LsmStore) -> Vec<Write>) {
    let store = LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(0)))).unwrap();
    let writes = tamper(&store);
    store.commit(CommitRequest { writes, ..CommitRequest::default() }).unwrap();
    store.close().unwrap();
}

/// The entry of a family at some position.
pub(crate) fn entry(store: &LsmStore, family: Family, position: usize) -> (Vec<u8>, Vec<u8>) {
    let mut cursor = store.read_point().unwrap().cursor(family, &KeyRange::all(), Direction::Forward).unwrap();
    (0..position).for_each(|_| assert!(cursor.next().unwrap().is_some()));
    let (key, value) = cursor.next().unwrap().unwrap();
    (key.to_vec(), value.to_vec())
}

#[test]
fn a_missing_entry_of_an_index_is_found() {
    let directory = tempfile::tempdir().unwrap();
    for (family, index) in [(Family::Index, "n"), (Family::Vector, "at")] {
        let path = filled(&directory.path().join(index));
        tamper(&path, |store| vec![Write::Delete { family, key: entry(store, family, 5).0 }]);
        let report = verify(&path);
        assert_eq!(report.problem_count, 1, "{:?}", report.problems);
        let problem = &report.problems[0];
        assert_eq!((problem.name.as_deref(), problem.index.as_deref()), (Some("films"), Some(index)));
        assert!(problem.to_string().contains("has no entry"), "{problem}");
    }
}

#[test]
fn a_stray_entry_of_an_index_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    let films = |store: &LsmStore| entry(store, Family::Data, 10).0;
    // A document goes away and its entries stay.
    tamper(&path, |store| vec![Write::Delete { family: Family::Data, key: films(store) }]);
    let report = verify(&path);
    assert_eq!(report.problem_count, 1 + 2 + 3, "{:?}", report.problems);
    let (count, entries) = report.problems.split_first().unwrap();
    assert_eq!(count.to_string(), "\"films\": 2999 documents are counted, and 2998 are there");
    assert!(entries.iter().all(|problem| problem.message.contains("which is not there")));
}

#[test]
fn a_wrong_vector_in_an_index_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    tamper(&path, |store| {
        let (key, mut value) = entry(store, Family::Vector, 5);
        value[0] ^= 1;
        vec![Write::put(Family::Vector, key, value)]
    });
    let report = verify(&path);
    assert_eq!(report.problem_count, 1, "{:?}", report.problems);
    assert!(report.problems[0].message.contains("another value"), "{:?}", report.problems);
}

#[test]
fn a_record_and_a_row_that_do_not_decode_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    tamper(&path, |store| {
        let (key, mut value) = entry(store, Family::Data, 7);
        *value.last_mut().unwrap() ^= 1;
        vec![Write::put(Family::Data, key, value)]
    });
    let report = verify(&path);
    assert_eq!(report.problem_count, 1, "{:?}", report.problems);
    assert_eq!(report.problems[0].name.as_deref(), Some("films"));
    assert!(report.problems[0].message.contains("checksum"), "{:?}", report.problems);

    // The rows of names begin with 1, 'n'.
    let name = [&1_u32.to_be_bytes()[..], b"nfilms"].concat();
    tamper(&path, |_| vec![Write::put(Family::Catalog, name, *b"nonsense")]);
    let report = verify(&path);
    assert!(report.problems.iter().any(|problem| problem.to_string().contains("the catalog")), "{:?}", report.problems);
}

#[test]
fn verification_stops_when_asked_or_when_the_database_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::builder().must_exist().open(filled(directory.path())).unwrap();
    let mut reports = Vec::new();
    let stopped = db.verify_with(|progress| {
        reports.push(progress.entries);
        if reports.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(reports, [0, 1_024, 2_048]);

    let (begun, wait) = std::sync::mpsc::channel();
    let (closing, go_on) = std::sync::mpsc::channel::<()>();
    let closed = std::thread::scope(|scope| {
        let verification = scope.spawn(|| {
            db.verify_with(move |progress| {
                if progress.entries == 1_024 {
                    begun.send(()).unwrap();
                    let _ = go_on.recv_timeout(std::time::Duration::from_millis(300));
                }
                ControlFlow::Continue(())
            })
        });
        wait.recv().unwrap();
        db.close().unwrap();
        drop(closing);
        verification.join().unwrap()
    });
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::Closed);
}
