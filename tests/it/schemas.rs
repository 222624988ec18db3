//! Schemas of collections: every way of writing is checked, and what is there as asked.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use blaze::schema::{Schema, int, string};
use blaze::{
    Collection, Database, Document, ErrorKind, Isolation, SchemaState, TransactionOptions, Validation, field, inc, set,
    unset,
};

fn numbers(documents: i64) -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert_with_ids((0..documents).map(|n| (n, Document::new().with("n", n)))).unwrap();
    (db, numbers)
}

fn schema() -> Schema {
    Schema::new().required("n", int().at_least(0)).refuse_others()
}

fn fit() -> Document {
    Document::new().with("n", 1)
}

fn unfit() -> Document {
    Document::new().with("n", -1)
}

#[test]
fn every_way_of_writing_is_checked_and_leaves_nothing() {
    let (db, numbers) = numbers(3);
    numbers.set_schema(&schema(), Validation::Strict).unwrap();
    let refused = [
        ("insert", numbers.insert(&unfit()).map(drop)),
        ("insert_with_id", numbers.insert_with_id(9, &unfit()).map(drop)),
        ("insert_many", numbers.insert_many([fit(), unfit()]).map(drop)),
        ("bulk", numbers.bulk().insert([fit(), unfit()]).map(drop)),
        ("put", numbers.put(1, &unfit())),
        ("put of a new one", numbers.put(9, &unfit())),
        ("replace", numbers.replace(1, &unfit())),
        ("update", numbers.update(1, inc("n", -5))),
        ("update that adds a field", numbers.update(1, set("m", 1))),
        ("update that removes a field", numbers.update(1, unset("n"))),
        ("transaction", db.transaction(|tx| tx.collection::<Document>("numbers")?.insert(&unfit()).map(drop))),
        ("import", numbers.import_json_lines(&b"{\"n\":1}\n{\"n\":-1}"[..]).run().map(drop)),
    ];
    for (way, result) in refused {
        let error = result.expect_err(way);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{way}: {error}");
        assert!(error.to_string().contains("does not fit the schema: "), "{way}: {error}");
    }
    assert_eq!(numbers.count().unwrap(), 3);
    for n in 0..3 {
        assert_eq!(numbers.get(n).unwrap().unwrap().value, Document::new().with("n", n));
    }
    numbers.delete(0).unwrap();
    assert!(numbers.remove_schema().unwrap() && !numbers.remove_schema().unwrap());
    numbers.insert(&unfit()).unwrap();
}

#[test]
fn a_bulk_load_is_checked_and_refuses_a_schema_set_meanwhile() {
    let (db, numbers) = numbers(0);
    numbers.set_schema(&schema(), Validation::Strict).unwrap();
    let mut load = db.load_collection::<Document>("numbers").begin().unwrap();
    assert_eq!(load.insert(&unfit()).unwrap_err().kind(), ErrorKind::Invalid);
    load.insert(&fit()).unwrap();
    assert_eq!(load.finish().unwrap(), 1);
    assert_eq!(numbers.schema().unwrap().unwrap().schema, schema());

    let mut load = db.load_collection::<Document>("numbers").replace().begin().unwrap();
    load.insert(&fit()).unwrap();
    numbers.set_schema(&schema().refuse_others(), Validation::WritesOnly).unwrap();
    let error = load.finish().unwrap_err().to_string();
    assert!(error.contains("the schema of the collection \"numbers\" was changed"), "{error}");
    assert_eq!(numbers.count().unwrap(), 1);
}

#[test]
fn documents_that_do_not_fit_are_named_and_the_earlier_schema_stays() {
    let (_db, numbers) = numbers(2_500);
    let earlier = Schema::new().required("n", int());
    numbers.set_schema(&earlier, Validation::Strict).unwrap();
    let later = Schema::new().required("n", int().at_most(2_397));
    let error = numbers.set_schema(&later, Validation::Strict).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("document 2398: n: expected at most 2397, found int 2398"), "{error}");
    let there = numbers.schema().unwrap().unwrap();
    assert_eq!((there.schema, there.state), (earlier.clone(), SchemaState::Checked));

    let stop = |_| ControlFlow::Break(());
    let error = numbers.set_schema_with(&schema(), Validation::Strict, stop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(numbers.schema().unwrap().unwrap().schema, earlier);

    numbers.set_schema(&later, Validation::WritesOnly).unwrap();
    assert_eq!(numbers.schema().unwrap().unwrap().state, SchemaState::WritesOnly);
    assert_eq!(numbers.update(2_400, inc("n", 1)).unwrap_err().kind(), ErrorKind::Invalid);
    numbers.update(2_400, set("n", 0)).unwrap();
}

#[test]
fn writers_that_go_on_while_documents_are_checked_bring_in_nothing_that_does_not_fit() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let (db, numbers) = numbers(5_000);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut n = 10_000;
                while !done.load(Ordering::Relaxed) {
                    n += 1;
                    let options = TransactionOptions::new().isolation(isolation);
                    let value = if n % 2 == 0 { fit() } else { Document::new().with("n", "text") };
                    let _ = db.transaction_with(options, |tx| {
                        let numbers = tx.collection::<Document>("numbers")?;
                        numbers.put(n % 5_000, &value)?;
                        numbers.put(n, &value)
                    });
                }
            });
            for _ in 0..5 {
                let _ = numbers.set_schema(&schema(), Validation::Strict);
                let is_there = numbers.schema().unwrap().is_some();
                let unfit =
                    numbers.find_all().run().unwrap().into_iter().filter(|row| schema().check(&row.value).is_err());
                assert!(!is_there || unfit.count() == 0, "{isolation:?}");
                numbers.remove_schema().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn within_a_transaction_a_schema_is_set_with_it_or_not_at_all() {
    let (db, numbers) = numbers(3);
    let result: blaze::Result<()> = db.transaction(|tx| {
        let numbers = tx.collection::<Document>("numbers")?;
        numbers.set_schema(&schema(), Validation::Strict)?;
        assert!(numbers.insert(&unfit()).is_err());
        Err(blaze::Error::cancelled("no"))
    });
    result.unwrap_err();
    assert!(numbers.schema().unwrap().is_none());
    db.transaction(|tx| {
        let numbers = tx.collection::<Document>("numbers")?;
        numbers.put(2, &unfit())?;
        assert_eq!(numbers.set_schema(&schema(), Validation::Strict).unwrap_err().kind(), ErrorKind::Invalid);
        assert!(numbers.schema()?.is_none());
        numbers.put(2, &fit())?;
        numbers.set_schema(&schema(), Validation::Strict)
    })
    .unwrap();
    assert!(numbers.insert(&unfit()).is_err());
}

#[test]
fn a_schema_survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path()).unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let schema = schema().optional("s", string().regex("^a").nullable());
    numbers.set_schema(&schema, Validation::Strict).unwrap();
    drop(numbers);
    db.close().unwrap();
    let db = Database::open(directory.path()).unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    assert_eq!(numbers.schema().unwrap().unwrap().schema, schema);
    assert!(numbers.insert(&fit().with("s", "b")).is_err());
    numbers.insert(&fit().with("s", "ab")).unwrap();
}

#[test]
fn a_schema_is_inferred_from_all_documents_or_a_sample() {
    let (_db, numbers) = numbers(1_000);
    numbers.insert_with_id("last", &Document::new().with("rare", "x")).unwrap();
    let all = numbers.infer_schema().unwrap();
    let text = "1001 documents\nn     int, in 1000 of 1001, 0 to 999\nrare  string, in 1 of 1001, such as \"x\"\n";
    assert_eq!(all.to_string(), text);
    numbers.set_schema(&all.to_schema(), Validation::Strict).unwrap();
    let sample = numbers.infer_schema_from_sample(10).unwrap();
    assert!((9..=11).contains(&sample.documents()), "{sample}");
    assert_eq!(numbers.infer_schema_from_sample(0).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_closed_schema_minds_no_field_that_is_the_id() {
    let (_db, numbers) = numbers(1);
    numbers.set_schema(&schema(), Validation::Strict).unwrap();
    numbers.insert(&Document::new().with("_id", 7).with("n", 7)).unwrap();
    let inner = Document::new().with("n", 7).with("inner", Document::new().with("_id", 1));
    assert_eq!(numbers.insert(&inner).unwrap_err().kind(), ErrorKind::Invalid);
    let mut lines = Vec::new();
    numbers.export_json_lines(&mut lines).run().unwrap();
    numbers.delete_many(field("n").ge(0)).unwrap();
    assert_eq!(numbers.import_json_lines(lines.as_slice()).run().unwrap().documents, 2);
}
