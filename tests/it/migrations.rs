//! Migrations: each step goes over each document once, whoever gets in the way.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use blaze::schema::{Schema, int};
use blaze::{
    Collection, Database, Document, Error, ErrorKind, Isolation, Migrations, TransactionOptions, Validation, Value, inc,
};

const DOCUMENTS: i64 = 1_700;

fn people(documents: i64) -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let people = db.collection::<Document>("people").unwrap();
    people.bulk().insert_with_ids((0..documents).map(|n| (n, Document::new().with("form", 0).with("n", n)))).unwrap();
    (db, people)
}

fn form(document: &Document) -> i64 {
    document.get("form").and_then(Value::as_i64).unwrap()
}

/// Steps that each count one up: applied twice, a document is of a form that there is not.
fn steps(last: u32) -> Migrations<'static> {
    (1..=last).fold(Migrations::new(), |migrations, number| {
        migrations.step(number, format!("to {number}"), move |document| match form(document) {
            form if form == i64::from(number) - 1 => {
                document.insert("form", form + 1);
                Ok(())
            }
            form => Err(Error::invalid(format!("step {number} was given a document of the form {form}"))),
        })
    })
}

fn forms(people: &Collection<Document>) -> Vec<i64> {
    let mut forms: Vec<i64> = people.find_all().run().unwrap().iter().map(|row| form(&row.value)).collect();
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[test]
fn documents_go_through_the_steps_that_they_lack() {
    let (_db, people) = people(DOCUMENTS);
    let report = people.migrate(&steps(2)).unwrap();
    assert_eq!((report.from, report.to, report.documents, report.changed), (0, 2, 1_700, 1_700));
    assert_eq!((forms(&people), people.migration_version().unwrap()), (vec![2], 2));
    assert_eq!(people.migrate(&steps(2)).unwrap().changed, 0);
    assert_eq!(people.migrate(&steps(5)).unwrap().from, 2);
    assert_eq!(forms(&people), [5]);
}

#[test]
fn a_migration_that_was_cut_short_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Database::open(directory.path()).unwrap();
    {
        let db = open();
        let people = db.collection::<Document>("people").unwrap();
        let all = (0..DOCUMENTS).map(|n| (n, Document::new().with("form", 0)));
        people.bulk().insert_with_ids(all).unwrap();
        db.close().unwrap();
    }
    let mut runs = 0;
    loop {
        let db = open();
        let people = db.collection::<Document>("people").unwrap();
        runs += 1;
        let result = people.migrate_with(&steps(2), |_| ControlFlow::Break(()));
        let version = people.migration_version().unwrap();
        db.close().unwrap();
        if version == 2 {
            break;
        }
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(runs < 100, "it makes no progress");
    }
    let db = open();
    let people = db.collection::<Document>("people").unwrap();
    assert!(runs >= 4, "{runs} runs made {DOCUMENTS} documents");
    assert_eq!(forms(&people), [2]);
    // A program with further steps completes what was begun, and goes on.
    let _ = people.migrate_with(&steps(3), |_| ControlFlow::Break(()));
    let report = people.migrate(&steps(4)).unwrap();
    assert_eq!((forms(&people), report.to), (vec![4], 4));
}

#[test]
fn a_document_that_fails_stops_the_migration_and_a_better_step_goes_on() {
    let (_db, people) = people(DOCUMENTS);
    let picky = Migrations::new().step(1, "no 1234", |document: &mut Document| {
        if document.get("n") == Some(&Value::Int(1234)) {
            return Err(Error::invalid("1234 is no number"));
        }
        document.insert("form", form(document) + 1);
        Ok(())
    });
    let error = people.migrate(&picky).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.to_string(), "collection \"people\": document 1234, step 1 \"no 1234\": 1234 is no number");
    assert_eq!((forms(&people), people.migration_version().unwrap()), (vec![0, 1], 0));
    let dry = people.migrate_dry_run(&picky).unwrap();
    assert_eq!((dry.failed, dry.failures[0].0.clone()), (1, 1234.into()));
    people.migrate(&steps(1)).unwrap();
    assert_eq!(forms(&people), [1]);
}

#[test]
fn writers_go_on_while_documents_are_migrated() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let (db, people) = people(DOCUMENTS);
        people.migrate_with(&steps(1), |_| ControlFlow::Break(())).unwrap_err();
        // From here on the program writes the form 1, and its updates fit both.
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut n = 0_i64;
                while !done.load(Ordering::Relaxed) {
                    n += 7;
                    let options = TransactionOptions::new().isolation(isolation);
                    db.transaction_with(options, |tx| {
                        let people = tx.collection::<Document>("people")?;
                        let new = Document::new().with("form", 1).with("n", n);
                        match n % 4 {
                            0 => people.put(n % DOCUMENTS, &new),
                            1 => people.insert(&new).map(drop),
                            2 => people.delete(n % DOCUMENTS).map(drop),
                            _ if people.contains(n % DOCUMENTS)? => people.update(n % DOCUMENTS, inc("n", 1)),
                            _ => people.insert_with_id(n % DOCUMENTS, &new).map(drop),
                        }
                    })
                    .unwrap();
                }
            });
            people.migrate(&steps(1)).unwrap();
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(forms(&people), [1], "{isolation:?}");
    }
}

#[test]
fn what_is_written_ahead_and_behind_stays_of_its_form() {
    let (_db, people) = people(DOCUMENTS);
    people.migrate_with(&steps(1), |_| ControlFlow::Break(())).unwrap_err();
    let (behind, ahead) = (3, DOCUMENTS - 3);
    let form_of = |id: i64| form(&people.get(id).unwrap().unwrap());
    assert_eq!((form_of(behind), form_of(ahead)), (1, 0));
    let new = Document::new().with("form", 1);
    people.put(ahead, &new).unwrap();
    people.update(ahead, inc("n", 1)).unwrap();
    people.update(ahead + 1, inc("n", 1)).unwrap();
    people.update(behind, inc("n", 1)).unwrap();
    people.replace(behind + 1, &new).unwrap();
    people.delete(ahead + 2).unwrap();
    people.insert_with_id(ahead + 2, &new).unwrap();
    people.insert_with_id(DOCUMENTS + 10, &new).unwrap();
    people.insert_with_id(-10, &new).unwrap();
    assert_eq!(people.migrate_dry_run(&steps(1)).unwrap().failed, 0);
    people.migrate(&steps(1)).unwrap();
    assert_eq!(forms(&people), [1]);
    // Nothing of the first migration is left that the next one could mistake.
    people.migrate(&steps(2)).unwrap();
    assert_eq!(forms(&people), [2]);
}

#[test]
fn two_calls_at_once_share_the_work() {
    let (_db, people) = people(DOCUMENTS);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| people.migrate(&steps(3)).unwrap());
        }
    });
    assert_eq!(forms(&people), [3]);
}

#[test]
fn a_dry_run_writes_nothing_and_tells_what_would_be() {
    let (db, people) = people(30);
    people.set_schema(&Schema::new().required("n", int().at_most(25)), Validation::WritesOnly).unwrap();
    let before = db.snapshot().unwrap().read_ts();
    let dry = people.migrate_dry_run(&steps(2)).unwrap();
    assert_eq!((dry.from, dry.to, dry.documents, dry.changed, dry.failed), (0, 2, 30, 26, 4));
    assert_eq!((form(&dry.examples[0].before), form(&dry.examples[0].after), dry.examples.len()), (0, 2, 10));
    assert!(dry.failures[0].1.to_string().contains("n: expected at most 25, found int 26"), "{:?}", dry.failures);
    assert_eq!(db.snapshot().unwrap().read_ts(), before);
    assert_eq!((forms(&people), people.migration_version().unwrap()), (vec![0], 0));
}

#[test]
fn programs_that_do_not_fit_the_data_are_told_so() {
    let (_db, people) = people(3);
    people.migrate(&steps(3)).unwrap();
    let nothing = |_: &mut Document| Ok(());
    let refused = [
        (steps(2), "it is at version 3, and the program's migrations end at 2: the program is older than the data"),
        (
            Migrations::new().step(5, "late", nothing),
            "it is at version 3, and the first of the program's migrations is step 5",
        ),
        (Migrations::new().step(0, "none", nothing), "\"none\" has the number 0"),
        (Migrations::new().step(1, "a", nothing).step(3, "b", nothing), "\"b\" has the number 3 after 1"),
    ];
    for (migrations, reason) in refused {
        let error = people.migrate(&migrations).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(reason), "{error}");
    }
    people.migrate(&Migrations::new().step(4, "later ones", nothing)).unwrap();
    assert_eq!(people.migration_version().unwrap(), 4);
}

#[test]
fn a_collection_without_documents_is_merely_given_the_version() {
    let (_db, people) = people(0);
    let never = Migrations::new().step(1, "never", |_: &mut Document| Err(Error::invalid("never")));
    people.migrate(&never).unwrap();
    assert_eq!(people.migration_version().unwrap(), 1);
}

#[test]
fn within_a_transaction_a_migration_is_whole_or_not_at_all() {
    let (db, people) = people(DOCUMENTS);
    let result: blaze::Result<()> = db.transaction(|tx| {
        tx.collection::<Document>("people")?.migrate(&steps(1))?;
        Err(Error::cancelled("no"))
    });
    result.unwrap_err();
    assert_eq!((forms(&people), people.migration_version().unwrap()), (vec![0], 0));
    db.transaction(|tx| tx.collection::<Document>("people")?.migrate(&steps(1)).map(drop)).unwrap();
    assert_eq!((forms(&people), people.migration_version().unwrap()), (vec![1], 1));
}

#[test]
fn a_load_waits_for_the_migration_and_a_drop_does_not() {
    let (db, people) = people(DOCUMENTS);
    people.migrate_with(&steps(1), |_| ControlFlow::Break(())).unwrap_err();
    let error = db.load_collection::<Document>("people").replace().begin().unwrap_err();
    assert!(error.to_string().contains("is being migrated to version 1"), "{error}");
    db.drop_collection("people").unwrap();
    assert_eq!(db.collection::<Document>("people").unwrap().migration_version().unwrap(), 0);
    assert!(db.verify().unwrap().problems.is_empty());
}
