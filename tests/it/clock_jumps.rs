//! Clocks that jump by ten years, ahead and back: commits stay in order, and nothing that is young is let go of.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod model;

use std::sync::Arc;
use std::time::Duration;

use blaze::{
    Clock, Database, DatabaseBuilder, Document, DocumentId, Durability, ErrorKind, Feed, ManualClock, Timestamp,
    TransactionOptions, set,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const TEN_YEARS_MS: u64 = 3_653 * DAY_MS;
const START_MS: u64 = 20_000 * DAY_MS;

fn builder(clock: &Arc<ManualClock>) -> DatabaseBuilder {
    Database::builder().clock(clock.clone()).durability(Durability::Buffered)
}

/// The same database in memory and on disk, each with its clock.
fn fixtures(settings: fn(DatabaseBuilder) -> DatabaseBuilder) -> [(Database, Arc<ManualClock>); 2] {
    [false, true].map(|in_memory| {
        let clock = Arc::new(ManualClock::at_ms(START_MS));
        let builder = settings(builder(&clock));
        (if in_memory { builder.in_memory() } else { builder.temporary() }.unwrap(), clock)
    })
}

#[test]
fn a_transaction_with_an_age_is_too_old_after_a_jump_ahead_and_young_after_one_back() {
    for (db, clock) in fixtures(|builder| builder.transaction_age_max_ms(60_000)) {
        let keys = db.keyspace("k").unwrap();
        keys.put("a", "1").unwrap();
        let open = db.begin().unwrap();
        open.keyspace("k").unwrap().put("a", "2").unwrap();
        clock.set_ms(START_MS + TEN_YEARS_MS);
        assert_eq!(open.keyspace("k").unwrap_err().kind(), ErrorKind::TransactionTooOld);
        assert_eq!(open.commit().unwrap_err().kind(), ErrorKind::TransactionTooOld);
        assert_eq!(keys.get("a").unwrap().unwrap(), b"1");

        let mut tries = 0;
        db.transaction(|tx| {
            tries += 1;
            if tries == 1 {
                clock.advance_ms(TEN_YEARS_MS);
            }
            tx.keyspace("k")?.put("a", "3")
        })
        .unwrap();
        assert_eq!((tries, keys.get("a").unwrap().unwrap()), (2, b"3".to_vec()), "it is run again and succeeds");

        let open = db.begin().unwrap();
        open.keyspace("k").unwrap().put("a", "4").unwrap();
        clock.set_ms(START_MS);
        open.commit().unwrap();
        assert_eq!(keys.get("a").unwrap().unwrap(), b"4");
    }
}

#[test]
fn a_jump_ahead_ends_no_work_that_is_running_but_its_retries() {
    for (db, clock) in fixtures(|builder| builder) {
        let keys = db.keyspace("k").unwrap();
        let options = || TransactionOptions::new().timeout(Duration::from_secs(60));
        db.transaction_with(options(), |tx| {
            tx.keyspace("k")?.put("a", "1")?;
            clock.advance_ms(TEN_YEARS_MS);
            Ok(())
        })
        .unwrap();
        assert_eq!(keys.get("a").unwrap().unwrap(), b"1");
        let mut tries = 0;
        let lost = db.transaction_with(options(), |tx| {
            tries += 1;
            let read = tx.keyspace("k")?.get("a")?;
            keys.put("a", [tries])?; // somebody else is always faster
            clock.advance_ms(TEN_YEARS_MS);
            tx.keyspace("k")?.put("b", read.unwrap_or_default())
        });
        assert_eq!((lost.unwrap_err().kind(), tries), (ErrorKind::Conflict, 1));
        // Back before the beginning, it has all the time in the world.
        let mut tries = 0;
        db.transaction_with(options(), |tx| {
            tries += 1;
            let read = tx.keyspace("k")?.get("a")?;
            if tries < 5 {
                keys.put("a", [tries])?;
                clock.set_ms(START_MS);
            }
            tx.keyspace("k")?.put("b", read.unwrap_or_default())
        })
        .unwrap();
        assert_eq!((tries, keys.get("b").unwrap()), (5, Some(vec![4])));
    }
}

#[test]
fn ids_versions_and_server_times_of_a_jumping_clock_are_told_apart() {
    for (db, clock) in fixtures(|builder| builder) {
        let films = db.collection::<Document>("films").unwrap();
        let (mut ids, mut last): (Vec<DocumentId>, Timestamp) = (Vec::new(), Timestamp::ZERO);
        for years in [0, 10, 0, 20, 10, 0] {
            clock.set_ms(START_MS + years / 10 * TEN_YEARS_MS);
            for _ in 0..20 {
                let id = films.insert(&Document::new()).unwrap();
                films.update(&id, set("years", years as i64)).unwrap();
                let version = films.get(&id).unwrap().unwrap().version;
                assert!(version > last, "{version} after {last}");
                last = version;
                ids.push(id);
            }
        }
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len() as u64, films.count().unwrap()), (120, 120));
        assert!(last.ms() >= START_MS + 2 * TEN_YEARS_MS, "time does not go back");
    }
}

/// What is young is known by when it was committed, whoever opens the database meanwhile, and whatever else it has.
#[test]
fn a_feed_is_not_let_go_of_because_a_database_is_opened_under_a_clock_that_has_jumped_ahead() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let open = || builder(&clock).open(directory.path().join("db")).unwrap();
    let db = open();
    let keys = db.keyspace("k").unwrap();
    keys.set_feed(Feed::Keys).unwrap();
    let start = keys.feed_start().unwrap().unwrap();
    keys.put("a", "1").unwrap();
    clock.set_ms(START_MS + TEN_YEARS_MS);
    keys.put("b", "2").unwrap();
    db.close().unwrap();

    let db = open();
    db.apply_retention().unwrap();
    clock.set_ms(START_MS + 1_000);
    db.apply_retention().unwrap();
    assert_eq!(db.keyspace("k").unwrap().changes(start).unwrap().count(), 2);
    assert!(clock.now_ms() < START_MS + DAY_MS);
}
