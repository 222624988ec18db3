//! Transactions that take long, and commits whose outcome nobody knows.

use std::cell::Cell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use blaze::limits::{KEY_BYTES_MAX, ORACLE_BYTES_MAX};
use blaze::{Error, ManualClock};

use super::*;

#[test]
fn a_long_reader_keeps_its_view_while_writers_go_on() {
    for db in databases() {
        let (reader, snapshot) = (Actor::begin(&db, Serializable), db.snapshot().unwrap());
        let mut entries = reader.rows.iter().unwrap();
        assert!(entries.next_entry().unwrap().is_some());
        thread::scope(|scope| {
            for writer in 0..2 {
                let db = &db;
                scope.spawn(move || {
                    for n in 0..200 {
                        rows(db).put((3 + writer).to_string(), n.to_string()).unwrap();
                        db.transaction(|tx| {
                            let rows = tx.keyspace("rows")?;
                            rows.delete("1")?;
                            rows.put("2", (1000 + n).to_string())
                        })
                        .unwrap();
                    }
                });
            }
            for _ in 0..50 {
                assert_eq!(reader.all(), [(1, 10), (2, 20)]);
                assert_eq!(pairs(&snapshot.keyspace("rows").unwrap()), [(1, 10), (2, 20)]);
            }
        });
        assert_eq!(entries.next_entry().unwrap(), Some((b"2".as_slice(), b"20".as_slice())));
        assert_eq!(entries.next_entry().unwrap(), None);
        reader.commit().unwrap();
        assert_eq!(committed(&db), [(2, 1199), (3, 199), (4, 199)]);
    }
}

#[test]
fn a_transaction_that_outlives_the_memory_for_conflicts_is_too_old() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    rows(&db).put("1", "10").unwrap();
    let (long, reader) = (Actor::begin(&db, Serializable), Actor::begin(&db, Serializable));
    assert_eq!((long.get(1), reader.get(1)), (Some(10), Some(10)));
    long.put(2, 20);
    let others = db.keyspace("others").unwrap();
    let mut key = vec![b'k'; KEY_BYTES_MAX];
    for batch in 0..=(ORACLE_BYTES_MAX / KEY_BYTES_MAX / 1_000) as u32 {
        db.transaction(|tx| {
            let others = tx.keyspace("others")?;
            for n in 0..1_000 {
                key[..4].copy_from_slice(&(batch * 1_000 + n).to_be_bytes());
                others.put(&key, "")?;
            }
            Ok(())
        })
        .unwrap();
    }
    assert!(others.contains(&key).unwrap());
    assert_eq!(long.commit().unwrap_err().kind(), ErrorKind::TransactionTooOld);
    assert_eq!(reader.get(1), Some(10), "reading goes on");
    reader.commit().unwrap();
    assert_eq!(committed(&db), [(1, 10)]);
}

#[test]
fn a_transaction_older_than_the_limit_is_too_old_and_snapshots_are_not() {
    let clock = Arc::new(ManualClock::at_ms(1_000));
    let builder = || Database::builder().clock(clock.clone()).transaction_age_max_ms(500);
    for db in [builder().in_memory().unwrap(), builder().temporary().unwrap()] {
        rows(&db).put("1", "10").unwrap();
        let (in_time, late, snapshot) =
            (Actor::begin(&db, Serializable), Actor::begin(&db, Snapshot), db.snapshot().unwrap());
        in_time.put(2, 20);
        late.put(3, 30);
        clock.advance_ms(500);
        in_time.commit().unwrap();
        clock.advance_ms(1);
        let too_old = |error: Error| {
            assert_eq!(error.kind(), ErrorKind::TransactionTooOld);
            assert!(error.to_string().contains("older than 500 ms"), "{error}");
        };
        too_old(late.rows.get("1").unwrap_err());
        too_old(late.rows.put("1", "1").unwrap_err());
        too_old(late.transaction.savepoint().unwrap_err());
        too_old(late.commit().unwrap_err());
        assert_eq!(snapshot.keyspace("rows").unwrap().count().unwrap(), 1);
        assert_eq!(committed(&db), [(1, 10), (2, 20)]);
    }
}

/// Runs a transaction that is overtaken every time; answers how often it ran, and its error.
fn overtaken(db: &Database, options: TransactionOptions, each_time: impl Fn()) -> (u32, Error) {
    let runs = Cell::new(0);
    let result = db.transaction_with(options, |tx| {
        runs.set(runs.get() + 1);
        let own = tx.keyspace("rows")?;
        own.get("1")?;
        own.put("2", "0")?;
        each_time();
        rows(db).put("1", runs.get().to_string())
    });
    (runs.get(), result.unwrap_err())
}

#[test]
fn work_is_run_again_as_often_as_was_said_and_the_last_conflict_names_its_key() {
    for db in databases() {
        let named = "key \"1\" of the keyspace \"rows\" was changed by another transaction";
        for (retries, said) in [(0, "gave up after 1 try"), (4, "gave up after 5 tries")] {
            let (runs, error) = overtaken(&db, TransactionOptions::new().retries(retries), || ());
            assert_eq!((runs, error.kind()), (retries + 1, ErrorKind::Conflict));
            assert_eq!(error.to_string(), format!("{said}: {named}"));
        }
        let (runs, error) = overtaken(&db, TransactionOptions::new(), || ());
        assert_eq!((runs, error.kind()), (100, ErrorKind::Conflict));
    }
}

#[test]
fn work_is_not_run_again_after_its_timeout() {
    let clock = Arc::new(ManualClock::at_ms(1_000));
    let db = Database::builder().clock(clock.clone()).in_memory().unwrap();
    let options = TransactionOptions::new().timeout(Duration::from_millis(100));
    let (runs, error) = overtaken(&db, options, || clock.advance_ms(40));
    assert_eq!((runs, error.kind()), (3, ErrorKind::Conflict), "{error}");
    // What nobody overtakes is committed, however long it took.
    let late = db.transaction_with(options, |tx| {
        clock.advance_ms(1_000);
        tx.keyspace("rows")?.put("late", "1")
    });
    late.unwrap();
    assert!(rows(&db).contains("late").unwrap());
}

#[test]
fn work_that_says_its_outcome_is_unknown_is_not_run_again() {
    for db in databases() {
        let runs = Cell::new(0);
        let unknown = ErrorKind::CommitOutcomeUnknown(Timestamp::from_ms(1));
        let result = db.transaction(|_| {
            runs.set(runs.get() + 1);
            Err::<(), _>(Error::new(unknown, "the disk is gone"))
        });
        assert_eq!((result.unwrap_err().kind(), runs.get()), (unknown, 1));
    }
}

/// The log goes to a device that is full from some commit on.
#[test]
#[cfg(target_os = "linux")]
fn a_commit_with_an_unknown_outcome_is_never_retried() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::builder().durability(Durability::Buffered).open(directory.path()).unwrap();
    rows(&db).put("1", "10").unwrap();
    let links: Vec<_> = (1..100).map(|number| directory.path().join(format!("{number:06}.log"))).collect();
    let links: Vec<_> =
        links.into_iter().filter(|link| std::os::unix::fs::symlink("/dev/full", link).is_ok()).collect();
    db.settle().unwrap(); // begins a new log

    let runs = Cell::new(0);
    let failed = db.transaction(|tx| {
        runs.set(runs.get() + 1);
        tx.keyspace("rows")?.put("2", "20")
    });
    let kind = failed.unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::CommitOutcomeUnknown(_)), "{kind:?}");
    assert_eq!(runs.get(), 1);
    assert_eq!(rows(&db).put("3", "30").unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(rows(&db).get("1").unwrap().unwrap(), b"10");
    assert_eq!(db.close().unwrap_err().kind(), ErrorKind::Unavailable);

    links.iter().for_each(|link| drop(std::fs::remove_file(link)));
    let db = Database::open(directory.path()).unwrap();
    assert_eq!(rows(&db).get("1").unwrap().unwrap(), b"10");
}
