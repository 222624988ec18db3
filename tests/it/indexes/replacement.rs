//! An index is replaced by one that is built beside it.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze::{
    Collection, Copies, Database, Document, Durability, ErrorKind, Index, IndexState, Metric, Vector, field, set,
};

use super::drops::DeadlyClock;
use crate::objects::stored_keys;

/// Tells the child which directory to write to, and how often it may look at the clock before it dies.
const DIRECTORY: &str = "BLAZE_TEST_REPLACE_INDEX_DIRECTORY";
const LOOKS: &str = "BLAZE_TEST_REPLACE_INDEX_LOOKS";

const POINTS: i64 = 2_500;

fn fill(db: &Database) -> Collection<Document> {
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(old()).unwrap();
    let document = |n: i64| (n, Document::new().with("v", Vector::F32(vec![n as f32, 1.0])).with("n", n));
    points.bulk().insert_with_ids((0..POINTS).map(document)).unwrap();
    points
}

fn old() -> Index {
    Index::vector("v", 2).metric(Metric::L2).model("old").named("near")
}

fn new() -> Index {
    Index::vector("v", 2).metric(Metric::L2).model("new").copies(Copies::F16)
}

fn nearest(points: &Collection<Document>, to: f32) -> (String, String) {
    let search = points.search().nearest("v", &[to, 1.0]).index("near").limit(1);
    let model = points.indexes().unwrap()[0].model.clone().unwrap();
    (search.ids().unwrap()[0].id.to_string(), model)
}

#[test]
fn the_old_index_answers_until_the_new_one_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
    let points = fill(&db);
    let view = db.snapshot().unwrap();
    let mut calls = 0;
    points
        .replace_index_with("near", new(), |progress| {
            calls += 1;
            assert_eq!(nearest(&points, 7.0), ("7".to_owned(), "old".to_owned()));
            let info = &points.indexes().unwrap()[..];
            assert_eq!((info.len(), info[0].state), (1, IndexState::Ready));
            assert_eq!(info[0].replacement.as_deref(), Some("v (2, l2, model \"new\", copies in f16)"));
            assert_eq!(progress.expected, Some(POINTS as u64));
            // Behind and before what is filled; of what changes after that, marks are kept.
            if calls <= 3 {
                points.update(calls, set("v", Vector::F32(vec![-1000.0 * calls as f32, 1.0]))).unwrap();
                points.update(POINTS - calls, set("v", Vector::F32(vec![-1000.0 * calls as f32, 9.0]))).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(calls >= 3, "it was told {calls} times");
    assert_eq!(nearest(&points, 7.0), ("7".to_owned(), "new".to_owned()));
    assert_eq!(nearest(&points, -2000.0), ("2".to_owned(), "new".to_owned()));
    let before = view.collection::<Document>("points").unwrap();
    assert_eq!(nearest(&before, 2.0), ("2".to_owned(), "old".to_owned()), "a snapshot keeps its index");
    assert!(db.verify().unwrap().is_healthy());
    points.replace_index_with("near", new(), |_| panic!("nothing is built")).unwrap();
    drop((before, view));
    drop(points);
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len() as i64, 2 * POINTS, "the old entries are gone");
}

#[test]
fn a_replacement_that_fails_or_is_stopped_leaves_the_old_index_as_it_was() {
    let db = Database::temporary().unwrap();
    let points = fill(&db);
    let stopped = points.replace_index_with("near", new(), |_| ControlFlow::Break(()));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    let cases: [(&str, Index, ErrorKind, &str); 5] = [
        ("absent", new(), ErrorKind::NotFound, "\"absent\""),
        ("near", new().named("other"), ErrorKind::Invalid, "\"other\""),
        ("near", Index::vector("v", 0), ErrorKind::Invalid, "1 to 4096"),
        ("near", Index::vector("v", 3), ErrorKind::Invalid, "document 0"),
        ("near", Index::on("missing").expire_after(std::time::Duration::MAX), ErrorKind::Invalid, "beyond all time"),
    ];
    for (name, index, kind, word) in cases {
        let error = points.replace_index(name, index).unwrap_err();
        assert!(error.kind() == kind && error.to_string().contains(word), "{error}");
        let info = &points.indexes().unwrap()[0];
        assert!(points.indexes().unwrap().len() == 1 && info.replacement.is_none());
        assert_eq!(nearest(&points, 7.0), ("7".to_owned(), "old".to_owned()));
    }
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn an_index_of_any_kind_is_replaced_within_a_transaction_or_not_at_all() {
    let db = Database::temporary().unwrap();
    let points = fill(&db);
    let replace = |commit: bool| {
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("points").unwrap();
        own.insert_with_id("own", &Document::new().with("n", 10_000)).unwrap();
        own.replace_index("near", Index::on("n").unique()).unwrap();
        let found = own.find(field("n").ge(9_000));
        assert_eq!((found.count().unwrap(), found.explain().unwrap().index()), (1, Some("near")));
        own.insert_with_id("other", &Document::new().with("n", 10_000)).unwrap_err();
        if commit { tx.commit().map(drop).unwrap() } else { drop(tx) }
    };
    replace(false);
    assert_eq!(nearest(&points, 7.0), ("7".to_owned(), "old".to_owned()));
    replace(true);
    assert!(points.indexes().unwrap()[0].unique);
    assert_eq!(points.search().nearest("v", &[7.0, 1.0]).run().unwrap_err().kind(), ErrorKind::Invalid);
    points.replace_index("near", Index::on("n").then("v")).unwrap();
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn names_reach_an_index_with_what_is_built_to_replace_it() {
    let db = Database::temporary().unwrap();
    let points = fill(&db);
    let error = points.replace_index_with("near", new(), |_| {
        assert!(points.ensure_index(old()).is_ok(), "the old one is there");
        if points.indexes().unwrap()[0].name == "near" {
            points.rename_index("near", "nearest").unwrap();
            assert_eq!(points.indexes().unwrap()[0].replacement.as_deref().map(|_| ()), Some(()));
            assert!(points.drop_index("nearest").unwrap());
        }
        ControlFlow::Continue(())
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(points.indexes().unwrap().is_empty());
    points.ensure_index(old()).unwrap();
    // Another one begins anew; the same one goes on.
    let begin = |index: Index| {
        std::thread::scope(|scope| {
            let call = || points.replace_index_with("near", index, |_| panic!("the thread ends"));
            assert!(scope.spawn(call).join().is_err());
        });
    };
    begin(new());
    begin(Index::vector("v", 2).model("third"));
    assert!(points.indexes().unwrap()[0].replacement.as_deref().unwrap().contains("third"));
    let mut documents = 0;
    points
        .replace_index_with("near", Index::vector("v", 2).model("third"), |progress| {
            documents = progress.documents;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(documents, POINTS as u64 - 1_000, "the first thousand were there");
    assert_eq!(points.indexes().unwrap()[0].model.as_deref(), Some("third"));
    assert!(db.verify().unwrap().is_healthy());
}

/// The role of the child: it replaces an index, if it lives long enough.
#[test]
fn child_replaces_an_index_while_its_clock_lets_it() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let clock = Arc::new(DeadlyClock(AtomicU64::new(u64::MAX)));
    let db = Database::builder().durability(Durability::Buffered).clock(clock.clone()).open(directory).unwrap();
    let points = db.collection::<Document>("points").unwrap();
    clock.0.store(std::env::var(LOOKS).unwrap().parse().unwrap(), Ordering::Relaxed);
    points.replace_index("near", new()).unwrap();
}

fn run_child(path: &Path, looks: u64) -> bool {
    let child = "indexes::replacement::child_replaces_an_index_while_its_clock_lets_it";
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--test-threads=1"])
        .env(DIRECTORY, path)
        .env(LOOKS, looks.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap().success()
}

#[test]
fn wherever_a_replacement_is_cut_one_of_both_answers_and_the_next_call_completes_it() {
    let (mut cut_before, mut cut_between) = (0, 0);
    for looks in 0..200 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
        drop(fill(&db));
        db.close().unwrap();
        let is_complete = run_child(&path, looks);
        let db = Database::open(&path).unwrap();
        let points = db.collection::<Document>("points").unwrap();
        let info = points.indexes().unwrap().remove(0);
        let model = info.model.clone().unwrap();
        assert_eq!((info.state, nearest(&points, 70.0).0.as_str()), (IndexState::Ready, "70"), "cut after {looks}");
        assert_eq!(db.verify().unwrap().problems, [], "cut after {looks}");
        cut_before += u32::from(model == "old" && info.replacement.is_none());
        cut_between += u32::from(info.replacement.is_some());
        points.replace_index("near", new()).unwrap();
        assert_eq!(nearest(&points, 70.0), ("70".to_owned(), "new".to_owned()), "cut after {looks}");
        assert_eq!(db.verify().unwrap().problems, [], "cut after {looks}");
        drop(points);
        db.close().unwrap();
        assert_eq!(stored_keys(&path).len() as i64, 2 * POINTS, "cut after {looks}");
        if is_complete {
            assert!(model == "new" && cut_before > 0 && cut_between > 0, "cut before and during the build");
            return;
        }
    }
    panic!("an index is replaced in fewer looks at the clock");
}
