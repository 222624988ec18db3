//! Callbacks of an operation within a transaction that write to this transaction: refused, where they would wait for ever.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use blaze::schema::{Schema, any};
use blaze::{Database, Document, ErrorKind, Index, Migrations, Result, Transaction, Validation};

/// Runs a test in a thread that may hang, and gives up on it then.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, waits) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    let waited = waits.recv_timeout(Duration::from_secs(60));
    assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "the callback waits for itself");
    thread.join().unwrap();
}

fn begun() -> (Database, Transaction) {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.insert_many((0..10).map(|n| Document::new().with("n", n))).unwrap();
    let tx = db.begin().unwrap();
    (db, tx)
}

/// Everything that writes to a transaction is refused, what reads it is not.
fn check_within(tx: &Transaction) -> usize {
    let numbers = tx.collection::<Document>("numbers").unwrap();
    let refused: [Result<()>; 5] = [
        numbers.insert(&Document::new()).map(drop),
        tx.keyspace("numbers of another kind").map(drop),
        tx.collection::<Document>("others").map(drop),
        tx.savepoint().map(drop),
        numbers.ensure_index(Index::on("other")),
    ];
    for result in refused {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains("a callback of an operation writes to the transaction"), "{error}");
    }
    assert_eq!(numbers.count().unwrap(), 10);
    1
}

/// The operation has gone on, and so does the transaction.
fn check_after(db: &Database, tx: Transaction, called: usize) {
    assert!(called > 0, "the callback was not called");
    tx.collection::<Document>("numbers").unwrap().insert(&Document::new()).unwrap();
    tx.commit().unwrap();
    assert_eq!(db.collection::<Document>("numbers").unwrap().count().unwrap(), 11);
}

#[test]
fn progress_of_an_index_cannot_write_to_its_transaction() {
    in_time(|| {
        let (db, tx) = begun();
        let mut called = 0;
        let numbers = tx.collection::<Document>("numbers").unwrap();
        let progress = |_| {
            called += check_within(&tx);
            ControlFlow::Continue(())
        };
        numbers.ensure_index_with(Index::on("n"), progress).unwrap();
        check_after(&db, tx, called);
        assert_eq!(db.collection::<Document>("numbers").unwrap().indexes().unwrap().len(), 1);
    });
}

#[test]
fn progress_of_a_schema_cannot_write_to_its_transaction() {
    in_time(|| {
        let (db, tx) = begun();
        let mut called = 0;
        let numbers = tx.collection::<Document>("numbers").unwrap();
        let schema = Schema::new().optional("n", any());
        let progress = |_| {
            called += check_within(&tx);
            ControlFlow::Continue(())
        };
        numbers.set_schema_with(&schema, Validation::Strict, progress).unwrap();
        check_after(&db, tx, called);
    });
}

#[test]
fn a_step_of_a_migration_cannot_write_to_its_transaction() {
    in_time(|| {
        let (db, tx) = begun();
        let called = RefCell::new(0);
        let numbers = tx.collection::<Document>("numbers").unwrap();
        let step = |document: &mut Document| {
            *called.borrow_mut() += check_within(&tx);
            document.insert("seen", true);
            Ok(())
        };
        let report = numbers.migrate(&Migrations::new().step(1, "seen", step)).unwrap();
        assert_eq!(report.changed, 10);
        let refused = numbers.migrate(&Migrations::new().step(1, "seen", |_: &mut Document| Ok(())).step(
            2,
            "writes",
            |_: &mut Document| numbers.insert(&Document::new()).map(drop),
        ));
        let error = refused.unwrap_err();
        assert!(error.to_string().contains("step 2 \"writes\"") && error.kind() == ErrorKind::Invalid, "{error}");
        let called = called.into_inner();
        check_after(&db, tx, called);
        let numbers = db.collection::<Document>("numbers").unwrap();
        assert_eq!(numbers.migration_version().unwrap(), 1, "the failed one has left no trace");
    });
}

#[test]
fn a_callback_may_write_to_another_transaction() {
    in_time(|| {
        let (db, tx) = begun();
        let progress = |_| {
            let others = db.transaction(|other| other.keyspace("others")?.put("a", "b"));
            others.unwrap();
            ControlFlow::Continue(())
        };
        tx.collection::<Document>("numbers").unwrap().ensure_index_with(Index::on("n"), progress).unwrap();
        tx.commit().unwrap();
        assert_eq!(db.keyspace("others").unwrap().count().unwrap(), 1);
    });
}
