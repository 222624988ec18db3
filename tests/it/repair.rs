//! Repair: indexes are made to agree with their documents, and nothing else changes.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::ops::ControlFlow;
use std::path::Path;

use blaze::{Database, Document, Durability, ErrorKind, Index, Value, field};
use blaze_core::{Direction, Family, KeyRange, Store, Write};

use crate::verify::{entry, filled, flip, largest, tamper};

fn open(path: &Path) -> Database {
    Database::builder().must_exist().open(path).unwrap()
}

#[test]
fn a_healthy_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let db = open(&filled(directory.path()));
    let before = db.snapshot().unwrap().read_ts();
    let report = db.repair().unwrap();
    assert!(report.verified.is_healthy() && report.indexes.is_empty() && report.problem_count == 0, "{report:?}");
    assert_eq!(db.snapshot().unwrap().read_ts(), before);
}

#[test]
fn missing_stray_and_wrong_entries_are_repaired_while_the_database_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    tamper(&path, |store| {
        let (vector, mut wrong) = entry(store, Family::Vector, 5);
        wrong[0] ^= 1;
        let (document, _) = entry(store, Family::Data, 10); // its entries become strays: one of n, three of tags, a vector
        vec![
            Write::Delete { family: Family::Index, key: entry(store, Family::Index, 50).0 },
            Write::Delete { family: Family::Index, key: entry(store, Family::Index, 51).0 },
            Write::Delete { family: Family::Data, key: document },
            Write::put(Family::Vector, vector, wrong),
        ]
    });
    let db = open(&path);
    let films = db.collection::<Document>("films").unwrap();
    let report = db
        .repair_with(|progress| {
            if progress.entries % 2 == 0 {
                films.insert(&crate::verify::document(1)).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(report.verified.problem_count, 2 + 5 + 1 + 1, "{:?}", report.verified.problems);
    assert_eq!(report.counts, ["films"], "the document that was taken away is not counted any more");
    assert_eq!(report.problem_count, 0, "{:?}", report.problems);
    let of = |name: &str| {
        let repair = report.indexes.iter().find(|repair| repair.index == name).unwrap();
        (repair.collection.as_str(), repair.entries_added, repair.entries_removed, repair.is_rebuilt)
    };
    assert_eq!(of("n"), ("films", 2, 1, false));
    assert_eq!(of("tags_n_desc"), ("films", 0, 3, false));
    assert_eq!(of("at"), ("films", 1, 2, false));
    assert_eq!(db.verify().unwrap().problems, []);
}

#[test]
fn documents_that_do_not_decode_are_told_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    tamper(&path, |store| {
        let (key, mut value) = entry(store, Family::Data, 7);
        *value.last_mut().unwrap() ^= 1;
        vec![
            Write::put(Family::Data, key, value),
            Write::Delete { family: Family::Index, key: entry(store, Family::Index, 100).0 },
        ]
    });
    let db = open(&path);
    let films = db.collection::<Document>("films").unwrap();
    let count = films.count().unwrap();
    let report = db.repair().unwrap();
    assert_eq!(report.problem_count, 1, "{:?}", report.problems);
    assert!(report.problems[0].message.contains("checksum"), "{:?}", report.problems);
    assert_eq!((films.count().unwrap(), report.indexes[0].entries_added), (count, 1));
    let left = db.verify().unwrap();
    assert_eq!(left.problem_count, 1, "{:?}", left.problems);
}

#[test]
fn documents_with_the_same_values_in_a_unique_index_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    {
        let db = Database::open(&path).unwrap();
        let users = db.collection::<Document>("users").unwrap();
        users.ensure_index(Index::on("email").unique()).unwrap();
        (0..10).for_each(|n| users.insert_with_id(n, &Document::new().with("email", n)).unwrap());
        db.close().unwrap();
    }
    // The record of one document is stored under the id of another, too.
    tamper(&path, |store| {
        let mut cursor =
            store.read_point().unwrap().cursor(Family::Data, &KeyRange::all(), Direction::Reverse).unwrap();
        let (mut key, value) = cursor.next().unwrap().map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap();
        *key.last_mut().unwrap() = 77;
        vec![Write::put(Family::Data, key, value)]
    });
    let db = open(&path);
    let verified = db.verify().unwrap();
    assert!(verified.problems.iter().any(|problem| problem.message.contains("is unique")), "{:?}", verified.problems);
    let report = db.repair().unwrap();
    assert_eq!((report.problem_count, report.repaired_entries()), (1, 0), "{:?}", report.problems);
    let message = &report.problems[0].message;
    assert!(
        message.contains("document 77") && message.contains("document 9") && message.contains("email = 9"),
        "{message}"
    );
    db.collection::<Document>("users").unwrap().delete(77).unwrap();
    assert_eq!(db.verify().unwrap().problems, []);
}

#[test]
fn an_index_whose_file_is_damaged_is_built_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    {
        let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
        let lists = db.collection::<Document>("lists").unwrap();
        lists.ensure_index(Index::on("items").named("items")).unwrap();
        let document = |n: i64| {
            let items: Value = (0..500).map(|k| (n * 7_919 + k * 104_729).wrapping_mul(2_654_435_761)).collect();
            Document::new().with("items", items)
        };
        lists.bulk().insert_with_ids((0..200).map(|n| (n, document(n)))).unwrap();
        db.compact().unwrap();
        db.close().unwrap();
    }
    // The entries take more than the documents.
    flip(&largest(&path, "sst"), 300);
    let db = open(&path);
    let report = db.repair().unwrap();
    let repair = &report.indexes[0];
    assert_eq!((repair.index.as_str(), repair.is_rebuilt, report.problem_count), ("items", true, 0), "{report:?}");
    let lists = db.collection::<Document>("lists").unwrap();
    let first = lists.get(3).unwrap().unwrap().get("items").unwrap().as_array().unwrap()[5].clone();
    let found = lists.find(field("items").contains(first));
    assert_eq!((found.explain().unwrap().index(), found.count().unwrap()), (Some("items"), 1));
}

#[test]
fn a_repair_stops_when_asked_and_is_refused_where_nothing_can_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    tamper(&path, |store| vec![Write::Delete { family: Family::Index, key: entry(store, Family::Index, 5).0 }]);
    {
        let db = open(&path);
        let stopped = db.repair_with(|progress| match progress.repaired {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        });
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(db.verify().unwrap().is_healthy(), "what was repaired by then stays");
    }
    let db = Database::builder().must_exist().read_only().open(&path).unwrap();
    assert_eq!(db.repair().unwrap_err().kind(), ErrorKind::Invalid);
}
