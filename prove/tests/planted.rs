//! Mistakes that are made on purpose: the auditor names each of them.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use blaze::{Collection, Database, Document, Feed, History, set};
use blaze_core::{CommitRequest, Direction, Family, KeyRange, ManualClock, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};
use blaze_prove::model::{Lane, Operation, Shelf};
use blaze_prove::promises::{Bounds, Copy, Promises};
use blaze_prove::random::Random;
use blaze_prove::shelves::{self, CHURNED, LOADED, PAIRS, POSITIONS};
use blaze_prove::side::{Places, loaded};
use blaze_prove::{auditor, cycle::Runner, image, workload};
use tempfile::TempDir;

const SEED: u64 = 5;
const COMMITS: u64 = 120;
const LOADED_DOCUMENTS: u64 = 30;

/// A database that keeps its promises, until something is done to it.
struct Planted {
    directory: TempDir,
    promises: Promises,
    lanes: Vec<Lane>,
}

impl Planted {
    fn new() -> Planted {
        let directory = tempfile::tempdir().unwrap();
        let lanes = vec![Lane::new(SEED, 0), Lane::new(SEED, 1)];
        let promises = Promises {
            seed: SEED,
            lanes: vec![Bounds::default(); lanes.len()],
            load_documents: LOADED_DOCUMENTS,
            ..Promises::default()
        };
        let mut planted = Planted { directory, promises, lanes };
        let db = planted.open();
        shelves::prepare(&db).unwrap();
        let mut loader = db.load_collection::<Document>(LOADED);
        for index in [blaze::Index::on("n").named("n"), blaze::Index::text(["text"]).named("text")] {
            loader = loader.ensure_index(index);
        }
        let mut loader = loader.ensure_index(blaze::Index::vector("at", 3).named("at")).begin().unwrap();
        (0..LOADED_DOCUMENTS).for_each(|n| loader.insert_with_id(n as i64, &loaded(1, n)).unwrap());
        loader.finish().unwrap();
        planted.promises.load = Bounds { acknowledged: 1, asked: 1 };
        planted.commit(&db, COMMITS);
        db.close().unwrap();
        planted
    }

    fn places(&self) -> Places {
        Places(self.directory.path().to_owned())
    }

    fn path(&self) -> PathBuf {
        self.places().database()
    }

    fn open(&self) -> Database {
        shelves::open(&self.path()).unwrap()
    }

    /// Does something to the database that is in no lane.
    fn with_database(&self, change: impl FnOnce(&Database)) {
        let db = self.open();
        change(&db);
        db.close().unwrap();
    }

    /// What the auditor's second look compares.
    fn digest(&self) -> BTreeMap<String, u64> {
        let db = self.open();
        let digest = auditor::digest::of(&db).unwrap();
        db.close().unwrap();
        digest
    }

    /// Commits so many transactions in each lane, as a process that acknowledges them.
    fn commit(&mut self, db: &Database, transactions: u64) {
        for lane in &mut self.lanes {
            for _ in 0..transactions {
                let step = lane.advance();
                workload::commit(db, lane.number, &step).unwrap();
            }
            self.promises.lanes[lane.number as usize].settle(lane.position);
        }
    }

    /// What the auditor finds, of the indexes, too, and of the copies if they are to be audited.
    fn found(&self) -> Option<String> {
        let random = Random::of(&[1]);
        let look = || -> blaze_prove::Result<()> {
            let db = shelves::open(&self.path())?;
            let audit = auditor::audit(&db, &self.promises, &random)?;
            if self.promises.audits_copies {
                auditor::copies::check(&self.places(), &self.promises, &random)?;
            }
            auditor::indexes::check(&db, &audit.lanes, &random)
        };
        look().err().map(|finding| finding.0)
    }

    fn assert_found(&self, what: &str) {
        let found = self.found().unwrap_or_else(|| panic!("nothing was found instead of {what:?}"));
        assert!(found.contains(what), "{what:?} was to be found, and the auditor says: {found}");
    }

    /// Removes, behind the database's back, a row whose key or value has some bytes in it and that is no row of the index's own.
    fn remove_row(&self, family: Family, with: &str) {
        let store = LsmStore::open(&self.path(), LsmOptions::new(Arc::new(ManualClock::at_ms(0)))).unwrap();
        let has = |bytes: &[u8]| bytes.windows(with.len()).any(|window| window == with.as_bytes());
        let mut cursor = store.read_point().unwrap().cursor(family, &KeyRange::all(), Direction::Forward).unwrap();
        let mut row = None;
        while let Some((key, value)) = cursor.next().unwrap() {
            if key.get(4) != Some(&0xFF) && (has(key) || has(value)) {
                row = Some(key.to_vec());
                break;
            }
        }
        drop(cursor);
        let row = row.expect("no such row");
        store.commit(CommitRequest { writes: vec![Write::delete(family, row)], ..CommitRequest::default() }).unwrap();
        store.close().unwrap();
    }
}

fn people(db: &Database) -> Collection<Document> {
    shelves::collection(db, Shelf::People).unwrap()
}

#[test]
fn a_database_that_keeps_its_promises_is_found_in_order() {
    let planted = Planted::new();
    assert_eq!(planted.found(), None);
}

#[test]
fn a_lost_commit_is_found() {
    let mut planted = Planted::new();
    planted.promises.lanes[1] = Bounds { acknowledged: COMMITS + 1, asked: COMMITS + 1 };
    planted.assert_found("commits of lane 1: 1 lost");
}

#[test]
fn a_recovered_state_that_lacks_the_newest_commits_is_found() {
    let mut planted = Planted::new();
    let earlier = planted.directory.path().join("earlier");
    image::keep(&planted.path(), &earlier).unwrap();
    let db = planted.open();
    planted.commit(&db, 3);
    db.close().unwrap();
    assert_eq!(planted.found(), None);
    image::keep(&earlier, &planted.path()).unwrap();
    planted.assert_found("commits of lane 0: 3 lost");
}

#[test]
fn a_commit_that_nobody_asked_for_is_found() {
    let planted = Planted::new();
    planted.with_database(|db| workload::commit(db, 0, &planted.lanes[0].clone().advance()).unwrap());
    planted.assert_found("only 120 was asked for");
}

#[test]
fn half_a_transaction_is_found_by_what_it_lacks() {
    let mut planted = Planted::new();
    let db = planted.open();
    let mut lane = planted.lanes.remove(0);
    let is_of_a_document = |operation: &Operation| matches!(operation, Operation::Put(..));
    loop {
        let mut step = lane.advance();
        let torn = step.operations.iter().rposition(is_of_a_document);
        torn.into_iter().for_each(|at| drop(step.operations.drain(at..)));
        workload::commit(&db, 0, &step).unwrap();
        if torn.is_some() {
            break;
        }
    }
    planted.promises.lanes[0].settle(lane.position);
    db.close().unwrap();
    planted.assert_found("the feed of commit");
}

#[test]
fn a_transaction_without_its_position_is_found() {
    let planted = Planted::new();
    let id = planted.lanes[0].people.keys().next().unwrap();
    planted.with_database(|db| people(db).update(id.as_str(), set("age", 7)).unwrap());
    planted.assert_found("documents without a position");
}

#[test]
fn a_position_without_its_transaction_is_found() {
    let mut planted = Planted::new();
    let mut lane = planted.lanes[0].clone();
    while lane.advance().before.is_empty() {}
    planted.with_database(|db| {
        for position in COMMITS + 1..=lane.position {
            db.keyspace(POSITIONS).unwrap().put("0", position.to_string()).unwrap();
        }
    });
    planted.promises.lanes[0].settle(lane.position);
    planted.assert_found("told is None");
}

#[test]
fn a_missing_document_pair_or_object_is_found() {
    for (with, what) in
        [("0/p", "1 differ, the first is \"0/p"), ("1/n", "\"notes\": 1 differ"), ("0/k", "\"pairs\": 1 differ")]
    {
        let planted = Planted::new();
        planted.remove_row(Family::Data, with);
        planted.assert_found(what);
    }
}

#[test]
fn a_missing_entry_of_any_kind_of_index_is_found() {
    for (family, with, index) in [
        (Family::Index, "example.org", "index \"email\""),
        (Family::Index, "Lima", "index \"place\""),
        (Family::Vector, "0/n", "index \"embedding\""),
        (Family::Text, "0/n", "index \"text\""),
    ] {
        let planted = Planted::new();
        planted.remove_row(family, with);
        planted.assert_found(index);
    }
}

#[test]
fn an_index_that_answers_wrongly_is_found_without_verification() {
    let planted = Planted::new();
    planted.remove_row(Family::Index, "Lima");
    let wrong = auditor::indexes::check(&planted.open(), &planted.lanes, &Random::of(&[1])).unwrap_err().0;
    assert!(wrong.contains("by the city \"Lima\""), "{wrong}");
}

#[test]
fn commits_that_the_feed_leaves_out_are_found() {
    let mut planted = Planted::new();
    let db = planted.open();
    people(&db).set_feed(Feed::Off).unwrap();
    planted.commit(&db, 10);
    people(&db).set_feed(Feed::Images).unwrap();
    planted.commit(&db, 10);
    db.close().unwrap();
    assert!(planted.found().is_some());
}

#[test]
fn a_history_that_forgot_something_is_found() {
    let planted = Planted::new();
    planted.with_database(|db| {
        people(db).set_history(History::Off).unwrap();
        people(db).set_history(History::Forever).unwrap();
    });
    assert!(planted.found().is_some());
}

#[test]
fn pairs_that_nobody_put_are_found() {
    let planted = Planted::new();
    planted.with_database(|db| db.keyspace(PAIRS).unwrap().put("1/surplus", "x").unwrap());
    planted.assert_found("\"pairs\": 1 differ");
}

#[test]
fn a_load_of_which_a_document_is_missing_is_found() {
    let planted = Planted::new();
    planted.with_database(|db| assert!(db.collection::<Document>(LOADED).unwrap().delete(3).unwrap()));
    planted.assert_found("\"loaded\": 1 differ");
}

#[test]
fn what_was_dropped_and_is_there_is_found() {
    let mut planted = Planted::new();
    planted.promises.churn = Bounds { acknowledged: 2, asked: 2 };
    assert_eq!(planted.found(), None);
    planted.with_database(|db| drop(db.collection::<Document>(CHURNED).unwrap().insert(&loaded(1, 1)).unwrap()));
    planted.assert_found("\"churned\" was dropped (number 2) and is there");
}

#[test]
fn a_backup_that_lacks_a_commit_or_a_file_is_found() {
    let mut planted = Planted::new();
    let places = planted.places();
    let number = u64::from(planted.open().backup(places.backups()).unwrap().id);
    planted.promises.backup = Some(Copy { number, lanes: planted.promises.lanes.clone() });
    planted.promises.audits_copies = true;
    assert_eq!(planted.found(), None);
    planted.promises.backup =
        Some(Copy { number, lanes: vec![Bounds { acknowledged: COMMITS + 1, asked: COMMITS + 9 }; 2] });
    planted.assert_found("the last backup: commits of lane 0: 1 lost");
    planted.promises.backup = Some(Copy { number: number + 1, lanes: planted.promises.lanes.clone() });
    planted.assert_found("the last backup: number 2 is gone");
    planted.promises.backup = Some(Copy { number, lanes: planted.promises.lanes.clone() });
    let shared = places.backups().join("shared_checksum");
    fs::remove_file(fs::read_dir(shared).unwrap().next().unwrap().unwrap().path()).unwrap();
    planted.assert_found("the last backup");
}

#[test]
fn a_checkpoint_that_is_gone_or_torn_is_found() {
    let mut planted = Planted::new();
    let path = planted.places().checkpoints().join("1");
    fs::create_dir_all(planted.places().checkpoints()).unwrap();
    planted.with_database(|db| db.checkpoint(&path).unwrap());
    planted.promises.checkpoint = Some(Copy { number: 1, lanes: planted.promises.lanes.clone() });
    planted.promises.audits_copies = true;
    assert_eq!(planted.found(), None);
    fs::remove_file(path.join("CURRENT")).unwrap();
    planted.assert_found("checkpoint 1: the database answered Corruption");
    fs::remove_dir_all(&path).unwrap();
    planted.assert_found("checkpoint 1 is gone");
}

#[test]
fn an_opening_that_changes_something_is_found() {
    let planted = Planted::new();
    let before = planted.digest();
    assert_eq!(before, planted.digest());
    let (id, person) = planted.lanes[0].people.first_key_value().unwrap();
    planted.with_database(|db| people(db).update(id.as_str(), set("age", 91)).unwrap());
    assert_ne!(before, planted.digest(), "{person:?}");
}

/// Has a script play the child.
fn failure(script: &str) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("child");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    run(&program, directory.path())
}

fn run(program: &Path, life: &Path) -> Option<String> {
    let runner = Runner { program: program.to_owned(), limit: Duration::from_millis(300) };
    let mut promises = Promises::default();
    promises.plan.microseconds = 60_000_000;
    runner.run(life, &mut promises).unwrap().failure
}

#[test]
fn a_process_that_hangs_finds_something_or_dies_by_itself_is_a_failure() {
    for (script, what) in [
        ("echo opening; exec sleep 60", "while opening: it hangs"),
        ("echo auditing; echo found: it is torn >&2; exit 1", "found: it is torn"),
        ("echo phase writing; kill -SEGV $$", "SIGSEGV"),
        ("exit 0", "ended by itself"),
    ] {
        let failure = failure(script).unwrap();
        assert!(failure.contains(what), "{script}: {failure}");
    }
}
