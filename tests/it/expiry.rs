//! Values that expire: who sees them until when, and what changes that.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod model;
mod past;
mod reaping;
mod storage;

use std::sync::Arc;
use std::time::Duration;

use blaze::{
    Database, DatabaseBuilder, Durability, ErrorKind, Expires, Feed, History, Isolation, Keyspace, ManualClock, Result,
    Time, TransactionOptions,
};

const SECOND_MS: u64 = 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * SECOND_MS;
const START_MS: u64 = 20_000 * DAY_MS;

fn builder(clock: &Arc<ManualClock>) -> DatabaseBuilder {
    Database::builder().clock(clock.clone()).durability(Durability::Buffered)
}

/// The same database in memory and on disk, each with its clock.
fn fixtures() -> [(Database, Arc<ManualClock>); 2] {
    [false, true].map(|in_memory| {
        let clock = Arc::new(ManualClock::at_ms(START_MS));
        let db = if in_memory { builder(&clock).in_memory() } else { builder(&clock).temporary() };
        (db.unwrap(), clock)
    })
}

fn seconds(seconds: u64) -> Expires {
    Expires::After(Duration::from_secs(seconds))
}

fn at_ms(ms: u64) -> Time {
    Time::from_micros(i64::try_from(ms * 1_000).unwrap())
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn keys(entries: blaze::KeyValues) -> Vec<String> {
    entries.map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect()
}

fn reaped(db: &Database) -> u64 {
    db.stats().unwrap().retention.expired_values
}

/// `a` expires after ten seconds, `c` after twenty, `b` and `d` never.
fn letters(db: &Database) -> Keyspace {
    let letters = db.expiring_keyspace("letters").unwrap();
    letters.put_expiring("a", "1", seconds(10)).unwrap();
    letters.put("b", "2").unwrap();
    letters.put_expiring("c", "3", seconds(20)).unwrap();
    letters.put_expiring("d", "4", Expires::Never).unwrap();
    letters
}

#[test]
fn no_way_of_reading_shows_what_has_expired() {
    for (db, clock) in fixtures() {
        let letters = letters(&db);
        clock.advance_ms(10 * SECOND_MS - 1);
        assert_eq!(letters.get("a").unwrap(), Some(b"1".to_vec()), "a millisecond before");
        assert_eq!((letters.count().unwrap(), letters.iter().unwrap().count()), (4, 4));
        clock.advance_ms(1);
        assert_eq!(letters.get("a").unwrap(), None);
        assert_eq!(letters.get_with("a", |_| panic!("it was shown")).unwrap(), None::<()>);
        assert_eq!(letters.get_with("c", <[u8]>::len).unwrap(), Some(1));
        assert_eq!(letters.get_many(["a", "b", "c"]).unwrap(), [None, Some(b"2".to_vec()), Some(b"3".to_vec())]);
        assert!(!letters.contains("a").unwrap() && letters.contains("c").unwrap());
        assert_eq!(letters.expires_at("a").unwrap(), None);
        assert_eq!(letters.expires_at("c").unwrap(), Some(at_ms(START_MS + 20 * SECOND_MS)));
        assert_eq!(letters.counter("a").unwrap(), 0);
        assert_eq!(keys(letters.iter().unwrap()), ["b", "c", "d"]);
        assert_eq!(keys(letters.range("a".."c").unwrap()), ["b"]);
        assert_eq!(keys(letters.range_reverse::<&str>(..).unwrap()), ["d", "c", "b"]);
        assert_eq!(keys(letters.prefix("a").unwrap()), Vec::<String>::new());
        assert_eq!(letters.count().unwrap(), 3);
        let mut entries = letters.iter().unwrap();
        assert_eq!(entries.next_entry().unwrap(), Some((&b"b"[..], &b"2"[..])));
        db.transaction(|tx| {
            let letters = tx.keyspace("letters")?;
            assert_eq!(letters.get_for_update("a")?, None);
            assert_eq!(letters.get_for_update("c")?, Some(b"3".to_vec()));
            assert_eq!((letters.count()?, keys(letters.range_reverse(.."c")?)), (3, vec!["b".to_owned()]));
            Ok(())
        })
        .unwrap();
        assert_eq!(reaped(&db), 0, "it was hidden, not removed");
    }
}

#[test]
fn who_began_to_read_before_goes_on_to_see_it_and_who_begins_later_does_not() {
    for (db, clock) in fixtures() {
        letters(&db);
        let snapshot = db.snapshot().unwrap();
        let transaction = db.begin().unwrap();
        let entries = db.keyspace("letters").unwrap().iter().unwrap();
        clock.advance_ms(30 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!(reaped(&db), 2);
        for letters in [snapshot.keyspace("letters").unwrap(), transaction.keyspace("letters").unwrap()] {
            assert_eq!(keys(letters.iter().unwrap()), ["a", "b", "c", "d"]);
            assert_eq!(letters.get("a").unwrap(), Some(b"1".to_vec()));
            clock.advance_ms(SECOND_MS);
        }
        assert_eq!(keys(entries), ["a", "b", "c", "d"]);
        assert_eq!(keys(db.snapshot().unwrap().keyspace("letters").unwrap().iter().unwrap()), ["b", "d"]);
    }
}

#[test]
fn a_transaction_sees_its_own_values_whatever_time_passes() {
    for (db, clock) in fixtures() {
        db.transaction(|tx| {
            let letters = tx.expiring_keyspace("letters")?;
            letters.put_expiring("a", "1", seconds(1))?;
            let savepoint = tx.savepoint()?;
            letters.put_expiring("a", "2", seconds(2))?;
            letters.put_expiring("b", "2", seconds(2))?;
            assert_eq!(letters.expires_at("a")?, Some(at_ms(START_MS + 2 * SECOND_MS)));
            tx.rollback_to(&savepoint)?;
            clock.advance_ms(10 * SECOND_MS);
            assert_eq!(letters.get_many(["a", "b"])?, [Some(b"1".to_vec()), None]);
            assert_eq!(letters.expires_at("a")?, Some(at_ms(START_MS + SECOND_MS)));
            letters.put("z", "3")
        })
        .unwrap();
        assert_eq!(keys(db.keyspace("letters").unwrap().iter().unwrap()), ["z"]);
    }
}

#[test]
fn what_replaces_a_value_has_its_own_expiry() {
    for (db, clock) in fixtures() {
        let letters = letters(&db);
        letters.put("a", "kept").unwrap();
        letters.put_expiring("c", "sooner", seconds(5)).unwrap();
        letters.put_expiring("d", "now with an end", seconds(30)).unwrap();
        clock.advance_ms(20 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!(keys(letters.iter().unwrap()), ["a", "b", "d"]);
        assert_eq!(letters.get("a").unwrap(), Some(b"kept".to_vec()));
        assert_eq!(reaped(&db), 1);
        clock.advance_ms(10 * SECOND_MS);
        letters.delete("a").unwrap();
        db.apply_retention().unwrap();
        assert_eq!(keys(letters.iter().unwrap()), ["b"]);
        assert_eq!(reaped(&db), 2);
    }
}

#[test]
fn the_expiry_of_a_value_is_changed_as_long_as_it_is_there() {
    for (db, clock) in fixtures() {
        let letters = letters(&db);
        assert!(letters.set_expiry("a", seconds(100)).unwrap());
        assert!(letters.set_expiry("b", Expires::At(at_ms(START_MS + 50 * SECOND_MS))).unwrap());
        assert!(letters.set_expiry("c", Expires::Never).unwrap());
        assert!(!letters.set_expiry("none", Expires::Never).unwrap());
        assert_eq!(letters.get("b").unwrap(), Some(b"2".to_vec()), "the value stays");
        clock.advance_ms(50 * SECOND_MS);
        assert!(!letters.set_expiry("b", Expires::Never).unwrap(), "it does not come back");
        db.apply_retention().unwrap();
        assert_eq!(keys(letters.iter().unwrap()), ["a", "c", "d"]);
        clock.advance_ms(50 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!((keys(letters.iter().unwrap()), reaped(&db)), (vec!["c".to_owned(), "d".to_owned()], 2));
        let failed = db.transaction(|tx| {
            tx.keyspace("letters")?.set_expiry("c", seconds(1))?;
            Err::<(), _>(blaze::Error::invalid("rolled back"))
        });
        assert_eq!(kind(failed), Some(ErrorKind::Invalid));
        assert_eq!(letters.expires_at("c").unwrap(), None);
    }
}

#[test]
fn a_counter_keeps_its_expiry_and_begins_anew_when_it_has_expired() {
    for (db, clock) in fixtures() {
        let hits = db.expiring_keyspace("hits").unwrap();
        hits.put_expiring("ann", 5_i64.to_be_bytes(), seconds(10)).unwrap();
        hits.add("ann", 2).unwrap();
        db.transaction(|tx| tx.keyspace("hits")?.add("ann", 3)).unwrap();
        assert_eq!(hits.counter("ann").unwrap(), 10);
        assert_eq!(hits.expires_at("ann").unwrap(), Some(at_ms(START_MS + 10 * SECOND_MS)));
        clock.advance_ms(10 * SECOND_MS);
        hits.add("ann", 1).unwrap();
        db.apply_retention().unwrap();
        assert_eq!((hits.counter("ann").unwrap(), hits.expires_at("ann").unwrap()), (1, None));
        hits.put("text", "no counter").unwrap();
        assert_eq!(kind(hits.add("text", 1)), Some(ErrorKind::Invalid));
        hits.put("full", i64::MAX.to_be_bytes()).unwrap();
        assert_eq!(kind(hits.add("full", 1)), Some(ErrorKind::LimitExceeded));
    }
}

#[test]
fn no_addition_is_lost_when_many_add_at_once() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let db = Database::builder().durability(Durability::Buffered).isolation(isolation).temporary().unwrap();
        let hits = db.expiring_keyspace("hits").unwrap();
        hits.put_expiring("all", 0_i64.to_be_bytes(), seconds(1_000)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..100).for_each(|_| hits.add("all", 1).unwrap()));
            }
        });
        assert_eq!(hits.counter("all").unwrap(), 300, "under {isolation:?}");
        assert!(hits.expires_at("all").unwrap().is_some());
    }
}

#[test]
fn what_is_no_expiry_is_refused_and_changes_nothing() {
    for (db, _) in fixtures() {
        let letters = letters(&db);
        let not_at_all = [
            (Expires::After(Duration::ZERO), "0ns, at least 1 ms"),
            (Expires::After(Duration::MAX), "beyond all time"),
            (Expires::At(Time::from_micros(-1)), "not after 1970"),
        ];
        for (expires, says) in not_at_all {
            for error in [
                letters.put_expiring("a", "new", expires).unwrap_err(),
                letters.set_expiry("a", expires).unwrap_err(),
                db.transaction(|tx| tx.keyspace("letters")?.put_expiring("a", "new", expires)).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Invalid);
                assert!(error.to_string().contains(says), "{error}");
            }
        }
        assert_eq!(letters.get("a").unwrap(), Some(b"1".to_vec()));
        letters.put_expiring("past", "", Expires::At(at_ms(1))).unwrap();
        assert!(!letters.contains("past").unwrap(), "a moment that has passed is one");
        assert_eq!(kind(letters.put_expiring("", "", seconds(1))), Some(ErrorKind::Invalid));
        assert_eq!(kind(letters.put_expiring([7; 9_000], "", seconds(1))), Some(ErrorKind::LimitExceeded));
    }
}

#[test]
fn in_a_plain_keyspace_nothing_expires() {
    for (db, _) in fixtures() {
        let plain = db.keyspace("plain").unwrap();
        plain.put("a", "1").unwrap();
        let in_transaction = db.transaction(|tx| tx.keyspace("plain")?.put_expiring("b", "", seconds(1)));
        for error in [
            plain.put_expiring("a", "2", seconds(1)).unwrap_err(),
            plain.set_expiry("a", Expires::Never).map(drop).unwrap_err(),
            plain.expires_at("a").map(drop).unwrap_err(),
            in_transaction.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("\"plain\" does not expire: make it by expiring_keyspace"), "{error}");
        }
        assert_eq!((plain.get("a").unwrap(), plain.count().unwrap()), (Some(b"1".to_vec()), 1));
    }
}

#[test]
fn an_empty_keyspace_can_be_switched_and_its_handles_go_on() {
    for (db, clock) in fixtures() {
        let before = db.keyspace("letters").unwrap();
        before.put("a", "1").unwrap();
        let error = db.expiring_keyspace("letters").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("\"letters\"") && error.to_string().contains("it has keys"), "{error}");
        before.clear().unwrap();
        let old = db.snapshot().unwrap();
        db.expiring_keyspace("letters").unwrap();
        db.expiring_keyspace("letters").unwrap();
        before.put_expiring("b", "2", seconds(1)).unwrap();
        assert_eq!(before.get("b").unwrap(), Some(b"2".to_vec()));
        assert_eq!(old.keyspace("letters").unwrap().count().unwrap(), 0);
        clock.advance_ms(SECOND_MS);
        assert_eq!(before.get("b").unwrap(), None);
    }
}

#[test]
fn what_remembers_plain_values_is_not_switched() {
    for (db, _) in fixtures() {
        let letters = db.keyspace("letters").unwrap();
        for remember in [true, false] {
            let switch = |on: bool| match remember {
                true => letters.set_history(if on { History::Forever } else { History::Off }),
                false => letters.set_feed(if on { Feed::Images } else { Feed::Off }),
            };
            switch(true).unwrap();
            letters.put("a", "1").unwrap();
            letters.clear().unwrap();
            let error = db.expiring_keyspace("letters").unwrap_err();
            assert!(error.to_string().contains("history or a change feed"), "{error}");
            let off_and_on = db.transaction(|tx| {
                tx.keyspace("letters")?.set_history(History::Off)?;
                tx.keyspace("letters")?.set_feed(Feed::Off)?;
                tx.expiring_keyspace("letters").map(drop)
            });
            assert_eq!(kind(off_and_on), Some(ErrorKind::Invalid), "its past is still there when this begins");
            switch(false).unwrap();
        }
        db.expiring_keyspace("letters").unwrap();
        letters.set_history(History::Forever).unwrap();
        letters.put_expiring("a", "1", seconds(1)).unwrap();
    }
}

#[test]
fn only_who_can_tell_that_a_keyspace_stays_empty_switches_it() {
    for (db, _) in fixtures() {
        db.keyspace("letters").unwrap();
        let options = TransactionOptions::new().isolation(Isolation::Snapshot);
        let error = db.transaction_with(options, |tx| tx.expiring_keyspace("letters").map(drop)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("serializable"), "{error}");
        db.transaction_with(options, |tx| tx.expiring_keyspace("new")?.put_expiring("a", "", seconds(1))).unwrap();

        let first = db.begin().unwrap();
        first.expiring_keyspace("letters").unwrap();
        db.keyspace("letters").unwrap().put("a", "in between").unwrap();
        assert_eq!(kind(first.commit()), Some(ErrorKind::Conflict));
        assert_eq!(db.keyspace("letters").unwrap().get("a").unwrap(), Some(b"in between".to_vec()));

        let second = db.begin().unwrap();
        second.keyspace("letters").unwrap().put("b", "plain").unwrap();
        db.keyspace("letters").unwrap().clear().unwrap();
        db.expiring_keyspace("letters").unwrap();
        assert_eq!(kind(second.commit()), Some(ErrorKind::Conflict));

        let snapshot = db.snapshot().unwrap();
        assert!(snapshot.keyspace("letters").is_ok());
        db.collection::<blaze::Document>("films").unwrap();
        assert_eq!(kind(db.expiring_keyspace("films")), Some(ErrorKind::Invalid));
        assert_eq!(kind(db.expiring_keyspace("")), Some(ErrorKind::Invalid));
    }
}
