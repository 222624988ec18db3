//! Indexes by which documents expire.

use std::sync::Arc;
use std::time::Duration;

use blaze::{Collection, Database, Document, ErrorKind, History, Index, ManualClock, Time, Value, set};

const SECOND_MS: u64 = 1_000;
const START_MS: u64 = 1_000_000 * SECOND_MS;

fn fixtures() -> Vec<(Database, Arc<ManualClock>)> {
    let clocks = [(); 2].map(|()| Arc::new(ManualClock::at_ms(START_MS)));
    let builder = |clock: &Arc<ManualClock>| Database::builder().clock(clock.clone());
    let databases = [builder(&clocks[0]).in_memory().unwrap(), builder(&clocks[1]).temporary().unwrap()];
    databases.into_iter().zip(clocks).collect()
}

fn time(seconds_after_start: i64) -> Value {
    Value::Time(Time::from_micros((START_MS as i64 / 1_000 + seconds_after_start) * 1_000_000))
}

fn seen(at: impl Into<Value>) -> Document {
    Document::new().with("seen", at)
}

fn after(seconds: u64) -> Index {
    Index::on("seen").expire_after(Duration::from_secs(seconds))
}

fn ids(sessions: &Collection<Document>) -> Vec<String> {
    sessions.find_all().run().unwrap().iter().map(|found| found.id.to_string()).collect()
}

#[test]
fn documents_go_when_their_time_has_come_and_no_others_do() {
    for descending in [false, true] {
        for (db, clock) in fixtures() {
            let sessions = db.collection::<Document>("sessions").unwrap();
            let index = if descending { Index::on_desc("seen") } else { Index::on("seen") };
            sessions.ensure_index(index.expire_after(Duration::from_secs(60))).unwrap();
            sessions.insert_with_id("a", &seen(time(0))).unwrap();
            sessions.insert_with_id("b", &seen(time(30))).unwrap();
            sessions.insert_with_id("list", &seen(vec![time(500), time(10), Value::from(1)])).unwrap();
            sessions.insert_with_id("never", &Document::new()).unwrap();
            sessions.insert_with_id("number", &seen(0)).unwrap();
            let at = |seconds: u64| {
                clock.advance_ms(START_MS + seconds * SECOND_MS - blaze::Clock::now_ms(&*clock));
                db.apply_retention().unwrap();
                ids(&sessions)
            };
            assert_eq!(at(59), ["a", "b", "list", "never", "number"]);
            assert_eq!(at(60), ["b", "list", "never", "number"]);
            assert_eq!(at(70), ["b", "never", "number"], "the earliest of several times counts");
            assert_eq!(at(1_000), ["never", "number"]);
            assert_eq!(db.stats().unwrap().retention.expired_documents, 3);
            assert_eq!(db.verify().unwrap().problems, []);
        }
    }
}

#[test]
fn a_document_whose_time_has_moved_ahead_stays() {
    for (db, clock) in fixtures() {
        let sessions = db.collection::<Document>("sessions").unwrap();
        sessions.ensure_index(after(60)).unwrap();
        sessions.insert_with_id(1, &seen(time(0))).unwrap();
        clock.advance_ms(50 * SECOND_MS);
        sessions.update(1, set("seen", time(50))).unwrap();
        clock.advance_ms(50 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!(ids(&sessions), ["1"]);
        clock.advance_ms(10 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!(ids(&sessions), [""; 0]);
    }
}

#[test]
fn commits_remove_expired_documents_some_of_them_at_a_time() {
    for (db, clock) in fixtures() {
        let sessions = db.collection::<Document>("sessions").unwrap();
        sessions.ensure_index(after(10)).unwrap();
        sessions.insert_many((0..1_000).map(|_| seen(time(0)))).unwrap();
        clock.advance_ms(100 * SECOND_MS);
        let reaped = || db.stats().unwrap().retention.expired_documents;
        let mut commits = 0;
        while reaped() < 1_000 {
            let before = reaped();
            sessions.put("other", &Document::new()).unwrap();
            let by_one = reaped() - before;
            assert!((1..=256).contains(&by_one), "{by_one} documents were removed after one commit");
            clock.advance_ms(1);
            commits += 1;
        }
        assert_eq!((commits, sessions.count().unwrap()), (4, 1));
    }
}

#[test]
fn what_expires_goes_by_ordinary_commits_with_history_and_entries() {
    for (db, clock) in fixtures() {
        let sessions = db.collection::<Document>("sessions").unwrap();
        sessions.ensure_index(Index::on("user").unique()).unwrap();
        sessions.ensure_index(after(10)).unwrap();
        sessions.set_history(History::Forever).unwrap();
        sessions.insert_with_id(1, &seen(time(0)).with("user", "ann")).unwrap();
        let before = db.snapshot().unwrap().read_ts();
        clock.advance_ms(10 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!(sessions.count().unwrap(), 0);
        assert_eq!(db.as_of(before).unwrap().collection::<Document>("sessions").unwrap().count().unwrap(), 1);
        sessions.insert_with_id(2, &seen(time(10)).with("user", "ann")).unwrap();
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn a_clock_that_has_jumped_ahead_is_not_believed() {
    for (db, clock) in fixtures() {
        let sessions = db.collection::<Document>("sessions").unwrap();
        sessions.ensure_index(after(10)).unwrap();
        sessions.insert_with_id(1, &seen(time(0))).unwrap();
        db.apply_retention().unwrap();
        clock.advance_ms(3_000 * 24 * 3_600 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!(ids(&sessions), ["1"]);
    }
}

#[test]
fn expiring_takes_one_field_and_a_time_that_there_is() {
    let db = Database::in_memory().unwrap();
    let sessions = db.collection::<Document>("sessions").unwrap();
    let refused = |index: Index| {
        let error = sessions.ensure_index(index).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    let two = refused(after(1).then("user"));
    assert!(two.contains("by one field") && two.contains("has 2"), "{two}");
    assert!(refused(Index::on("seen").expire_after(Duration::MAX)).contains("beyond all time"));
    assert!(refused(Index::vector("v", 2).expire_after(Duration::ZERO)).contains("vector index"));
    sessions.ensure_index(after(3)).unwrap();
    let info = &sessions.indexes().unwrap()[0];
    assert_eq!(info.definition, "seen, expiring after 3s");
    assert!(refused(after(4)).contains("expiring after 3s, not on seen, expiring after 4s"));
}
