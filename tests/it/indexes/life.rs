//! The life of an index: stopped, gone on with, renamed.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::thread;

use blaze::{Collection, Database, Document, ErrorKind, Index, IndexState, Metric, Vector, asc, field, set};

fn numbers(db: &Database) -> Collection<Document> {
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert_with_ids((0..5_000).map(|n| (n, Document::new().with("n", n)))).unwrap();
    numbers
}

#[test]
fn a_build_that_is_stopped_leaves_nothing() {
    let db = Database::temporary().unwrap();
    let numbers = numbers(&db);
    let stopped = numbers.ensure_index_with(Index::on("n"), |progress| match progress.documents {
        0..3_000 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(numbers.indexes().unwrap().is_empty());
    numbers.ensure_index(Index::on("n")).unwrap();
    assert_eq!(numbers.find(field("n").ge(4_000)).count().unwrap(), 1_000);
    let within = db.transaction(|tx| {
        let numbers = tx.collection::<Document>("numbers")?;
        numbers.ensure_index_with(Index::on("m"), |_| ControlFlow::Break(()))
    });
    assert_eq!(within.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(numbers.indexes().unwrap().len(), 1);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn a_build_that_was_cut_short_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    {
        let db = Database::open(&path).unwrap();
        let numbers = numbers(&db);
        let building = || {
            numbers.ensure_index_with(Index::on("n").unique(), |progress| match progress.documents {
                0..3_000 => ControlFlow::Continue(()),
                _ => panic!("the thread ends"),
            })
        };
        assert!(thread::scope(|scope| scope.spawn(building).join().is_err()));
    }
    let db = Database::open(&path).unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    assert_eq!(numbers.indexes().unwrap()[0].state, IndexState::Building);
    numbers.update(10, set("n", -10)).unwrap();
    numbers.update(4_000, set("n", -4_000)).unwrap();
    let mut told = Vec::new();
    numbers
        .ensure_index_with(Index::on("n").unique(), |progress| {
            told.push((progress.documents, progress.expected));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(told.last(), Some(&(2_000, Some(2_000))), "3,000 of 5,000 documents had their entries: {told:?}");
    assert_eq!(numbers.find(field("n").lt(0)).count().unwrap(), 2);
    let report = db.verify().unwrap();
    assert_eq!((report.problems, report.index_entries), (vec![], 5_000));
}

#[test]
fn batches_of_an_index_do_not_get_in_the_way_of_each_other() {
    let db = Database::temporary().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let thing = |n: i64| {
        let vector = Vector::F32(vec![n as f32, 1.0]);
        Document::new().with("n", n).with("tags", vec![n, -n - 1]).with("text", format!("text {n}")).with("v", vector)
    };
    things.bulk().insert_with_ids((0..5_000).map(|n| (n, thing(n)))).unwrap();
    let indexes = [
        (Index::on("n").then("text"), 0),
        (Index::on("n").unique(), 0),
        (Index::on("tags").unique(), 2), // that it has several entries of a document is remembered once
        (Index::vector("v", 2).metric(Metric::L2), 0),
        (Index::text(["text"]), 0),
    ];
    for (index, most) in indexes {
        let before = db.stats().unwrap().commits.refused;
        things.ensure_index(index.clone()).unwrap();
        let refused = db.stats().unwrap().commits.refused - before;
        assert!(refused <= most, "{refused} commits were refused while {index:?} was built");
    }
}

#[test]
fn what_is_changed_while_an_index_is_built_has_the_entries_that_it_should() {
    let db = Database::temporary().unwrap();
    let numbers = numbers(&db);
    let mut changed = BTreeSet::new();
    let built = numbers.ensure_index_with(Index::on("n").unique(), |progress| {
        // Of what is done, of what is next and has its entries made, and of what comes then.
        let done = i64::try_from(progress.documents).unwrap();
        for id in [done - 1, done, done + 999, done + 1_500].into_iter().filter(|id| *id < 5_000) {
            numbers.update(id, set("n", -id)).unwrap();
            changed.insert(-id);
        }
        ControlFlow::Continue(())
    });
    built.unwrap();
    let found = numbers.find(field("n").lt(0)).sort(asc("n")).run().unwrap();
    let found: Vec<i64> = found.iter().map(|found| found.get("n").unwrap().as_i64().unwrap()).collect();
    assert!(changed.len() > 10 && found == Vec::from_iter(changed.clone()), "{found:?}, not {changed:?}");
    let report = db.verify().unwrap();
    assert_eq!((report.problems, report.index_entries), (vec![], 5_000));
}

#[test]
fn a_renamed_index_answers_under_its_new_name() {
    let db = Database::temporary().unwrap();
    let numbers = numbers(&db);
    numbers.ensure_index(Index::on("n").unique()).unwrap();
    numbers.ensure_index(Index::on("m")).unwrap();
    numbers.rename_index("n", "by n").unwrap();
    assert_eq!(numbers.find(field("n").eq(7)).explain().unwrap().index(), Some("by n"));
    let taken = numbers.rename_index("by n", "m").unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists, "{taken}");
    assert_eq!(numbers.rename_index("n", "x").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(numbers.rename_index("m", "").unwrap_err().kind(), ErrorKind::Invalid);
    numbers.rename_index("m", "m").unwrap();
    let renamed = db.transaction(|tx| {
        tx.collection::<Document>("numbers")?.rename_index("by n", "n")?;
        Err::<(), _>(blaze::Error::invalid("taken back"))
    });
    assert!(renamed.is_err());
    let infos = numbers.indexes().unwrap();
    assert_eq!((infos[0].name.as_str(), infos[0].definition.as_str(), infos[0].unique), ("by n", "n, unique", true));
}

#[test]
fn an_index_says_how_many_bytes_it_takes() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = numbers(&db);
        numbers.ensure_index(Index::on("n")).unwrap();
        db.compact().unwrap();
        assert!(numbers.indexes().unwrap()[0].bytes_used > 1_000);
    }
}
