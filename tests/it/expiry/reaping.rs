//! Removing what has expired: when, how much at once, and never anything else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;

/// Longer than the background waits by far.
const DEADLINE: Duration = Duration::from_secs(120);

#[expect(clippy::disallowed_methods, reason = "the clock that the thread goes by is the real one")]
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < DEADLINE, "{what}: not after {DEADLINE:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn commits_remove_what_has_expired_some_of_it_at_a_time() {
    for (db, clock) in fixtures() {
        let letters = db.expiring_keyspace("letters").unwrap();
        db.transaction(|tx| {
            let letters = tx.keyspace("letters")?;
            (0..1_000_u32).try_for_each(|n| letters.put_expiring(n.to_be_bytes(), "", seconds(10)))
        })
        .unwrap();
        clock.advance_ms(100 * SECOND_MS);
        let mut commits = 0;
        while reaped(&db) < 1_000 {
            let before = reaped(&db);
            letters.put("other", "").unwrap();
            let by_one = reaped(&db) - before;
            assert!((1..=256).contains(&by_one), "{by_one} values were removed after one commit");
            clock.advance_ms(1);
            commits += 1;
        }
        assert_eq!((commits, letters.count().unwrap()), (4, 1));
    }
}

#[test]
fn an_overwrite_is_never_taken_for_the_value_that_expired() {
    for (db, clock) in fixtures() {
        let letters = db.expiring_keyspace("letters").unwrap();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reaper = scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    db.apply_retention().unwrap();
                }
            });
            for round in 0..300_u32 {
                let old = Expires::After(Duration::from_millis(1));
                (0..4_u8).for_each(|key| letters.put_expiring([key], "old", old).unwrap());
                clock.advance_ms(1);
                for key in 0..4_u8 {
                    let expires = if key == 0 { Expires::Never } else { seconds(1_000) };
                    letters.put_expiring([key], round.to_be_bytes(), expires).unwrap();
                    assert_eq!(letters.get([key]).unwrap(), Some(round.to_be_bytes().to_vec()), "round {round}");
                }
            }
            is_done.store(true, Ordering::Relaxed);
            reaper.join().unwrap();
        });
        db.apply_retention().unwrap();
        assert_eq!(letters.count().unwrap(), 4);
        let report = db.verify().unwrap();
        assert_eq!((report.problems, report.keys), (vec![], 4));
    }
}

#[test]
fn a_value_that_is_put_anew_with_the_same_expiry_is_still_removed_then() {
    for (db, clock) in fixtures() {
        let letters = db.expiring_keyspace("letters").unwrap();
        let past = Expires::At(at_ms(START_MS - 1));
        for _ in 0..3 {
            letters.put_expiring("a", "1", past).unwrap();
            letters.delete("a").unwrap();
            letters.put_expiring("a", "2", past).unwrap();
            db.apply_retention().unwrap();
            assert_eq!(db.verify().unwrap().keys, 0);
            clock.advance_ms(1);
        }
        assert_eq!(reaped(&db), 3);
    }
}

#[test]
fn a_clock_that_jumps_ten_years_ahead_removes_nothing() {
    for (db, clock) in fixtures() {
        let letters = letters(&db);
        clock.set_ms(START_MS + 3_650 * DAY_MS);
        assert_eq!(letters.count().unwrap(), 2, "it is hidden as long as the clock shows that time");
        db.apply_retention().unwrap();
        clock.set_ms(START_MS + SECOND_MS);
        assert_eq!(letters.count().unwrap(), 4, "and is there when the clock is set right");
        clock.set_ms(START_MS + 3_650 * DAY_MS);
        letters.put("z", "a commit goes by the clock").unwrap();
        db.apply_retention().unwrap();
        assert_eq!(reaped(&db), 0);
        for minute in 0..=10 {
            assert_eq!(reaped(&db), if minute < 10 { 0 } else { 2 }, "minute {minute}");
            clock.advance_ms(60 * SECOND_MS);
            db.apply_retention().unwrap();
        }
    }
}

#[test]
fn a_database_that_is_opened_under_such_a_clock_does_not_believe_it_either() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let open = || builder(&clock).open(directory.path()).unwrap();
    let db = open();
    letters(&db);
    db.close().unwrap();
    clock.set_ms(START_MS + 3_650 * DAY_MS);
    for _ in 0..3 {
        let db = open();
        db.keyspace("letters").unwrap().put("z", "a commit goes by the clock").unwrap();
        db.apply_retention().unwrap();
        assert_eq!(reaped(&db), 0);
        assert_eq!(db.verify().unwrap().keys, 5);
        db.close().unwrap();
    }
}

#[test]
fn a_database_that_was_closed_for_a_day_catches_up_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let open = || builder(&clock).open(directory.path()).unwrap();
    let db = open();
    letters(&db);
    for days in 1..=20_u8 {
        db.close().unwrap();
        clock.set_ms(START_MS + u64::from(days) * DAY_MS);
        let db = open();
        assert_eq!(db.keyspace("letters").unwrap().count().unwrap(), 2);
        db.keyspace("letters").unwrap().put_expiring([days], "", seconds(60)).unwrap();
        db.apply_retention().unwrap();
        assert_eq!(reaped(&db), if days == 1 { 2 } else { 1 }, "day {days}");
        db.close().unwrap();
    }
}

#[test]
fn an_idle_database_is_looked_after_by_a_thread() {
    let directory = tempfile::tempdir().unwrap();
    let buffered = || Database::builder().durability(Durability::Buffered);
    let soon = Expires::After(Duration::from_millis(50));
    for db in [buffered().in_memory().unwrap(), buffered().open(directory.path()).unwrap()] {
        db.transaction(|tx| tx.expiring_keyspace("letters")?.put_expiring("a", "1", soon)).unwrap();
        wait_for("the value is removed", || reaped(&db) == 1);
        assert_eq!(db.verify().unwrap().keys, 0);
        db.keyspace("letters").unwrap().put_expiring("b", "1", soon).unwrap();
    }
    let db = buffered().open(directory.path()).unwrap();
    wait_for("what was left is removed after the next opening", || reaped(&db) == 1);
    assert_eq!(db.verify().unwrap().keys, 0);
}

#[test]
fn an_idle_database_lets_go_of_its_history_and_feed_too() {
    let db = Database::builder()
        .durability(Durability::Buffered)
        .feed_retention(Duration::from_secs(1))
        .temporary()
        .unwrap();
    let letters = db.keyspace("letters").unwrap();
    letters.set_history(History::Age(Duration::from_secs(1))).unwrap();
    letters.set_feed(Feed::Keys).unwrap();
    let (history, feed) = (letters.history_start().unwrap(), letters.feed_start().unwrap());
    letters.put("a", "1").unwrap();
    wait_for("the history begins later", || letters.history_start().unwrap() > history);
    wait_for("the feed begins later", || letters.feed_start().unwrap() > feed);
}

#[test]
fn the_feed_of_what_was_dropped_goes_too_where_nothing_else_has_to() {
    let directory = tempfile::tempdir().unwrap();
    let builder = || Database::builder().durability(Durability::Buffered);
    let db = builder().feed_retention(Duration::from_secs(3_600)).open(directory.path()).unwrap();
    let letters = db.keyspace("letters").unwrap();
    letters.set_feed(Feed::Keys).unwrap();
    letters.put("a", "1").unwrap();
    db.drop_keyspace("letters").unwrap();
    let dropped = db.snapshot().unwrap().read_ts();
    db.close().unwrap();
    let db = builder().feed_retention(Duration::from_secs(1)).open(directory.path()).unwrap();
    wait_for("the feed begins behind the drop", || db.feed_start().unwrap() >= dropped);
}

#[test]
fn a_clock_that_stands_still_has_nothing_done_behind_its_back() {
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let db = builder(&clock).in_memory().unwrap();
    letters(&db);
    clock.advance_ms(60 * SECOND_MS);
    std::thread::park_timeout(Duration::from_millis(1_500));
    assert_eq!(reaped(&db), 0);
}

#[test]
fn closing_ends_the_removal_and_the_next_opening_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let open = || builder(&clock).open(directory.path()).unwrap();
    let db = open();
    db.expiring_keyspace("letters").unwrap();
    for part in 0..20_u32 {
        db.transaction(|tx| {
            let letters = tx.keyspace("letters")?;
            (0..1_000_u32).try_for_each(|n| letters.put_expiring((part * 1_000 + n).to_be_bytes(), "", seconds(10)))
        })
        .unwrap();
    }
    clock.advance_ms(10 * SECOND_MS);
    db.close().unwrap();
    let mut reaped_in_all = 0;
    for wait_ms in 0..4 {
        let db = open();
        std::thread::scope(|scope| {
            let reaper = scope.spawn(|| db.apply_retention());
            std::thread::park_timeout(Duration::from_millis(wait_ms * 5));
            reaped_in_all += reaped(&db);
            db.close().unwrap();
            let result = kind(reaper.join().unwrap());
            assert!(matches!(result, None | Some(ErrorKind::Closed)), "{result:?}");
        });
    }
    let db = open();
    db.apply_retention().unwrap();
    assert!(reaped_in_all + reaped(&db) <= 20_000);
    let report = db.verify().unwrap();
    assert_eq!((report.problems, report.keys), (vec![], 0));
}

#[test]
fn the_last_handle_closes_the_database_whatever_the_thread_does() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        // Opened again at once: nobody else may still have it.
        let db = Database::builder().durability(Durability::Buffered).open(directory.path()).unwrap();
        let soon = Expires::After(Duration::from_millis(1));
        db.transaction(|tx| tx.expiring_keyspace("letters")?.put_expiring("a", "1", soon)).unwrap();
    }
}
