//! History: what was replaced stays readable, as of any commit that is remembered.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use blaze::{
    Collection, Database, DatabaseBuilder, Document, Durability, Entropy, ErrorKind, History, Index, ManualClock,
    Result, SeededEntropy, Timestamp, Version, asc, field, set,
};

const SECOND_MS: u64 = 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn builder(clock: &Arc<ManualClock>) -> DatabaseBuilder {
    Database::builder().clock(clock.clone()).durability(Durability::Buffered)
}

/// The same database in memory and on disk, each with its clock.
fn fixtures() -> [(Database, Arc<ManualClock>); 2] {
    [false, true].map(|in_memory| {
        let clock = Arc::new(ManualClock::at_ms(20_000 * DAY_MS));
        let db = if in_memory { builder(&clock).in_memory() } else { builder(&clock).temporary() };
        (db.unwrap(), clock)
    })
}

fn age(ms: u64) -> History {
    History::Age(Duration::from_millis(ms))
}

fn now(db: &Database) -> Timestamp {
    db.snapshot().unwrap().read_ts()
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn year(year: i64) -> Document {
    Document::new().with("year", year)
}

fn films(db: &Database) -> Collection<Document> {
    db.collection("films").unwrap()
}

#[test]
fn documents_are_found_as_they_were() {
    for (db, _) in fixtures() {
        let films = films(&db);
        films.ensure_index(Index::on("year")).unwrap();
        films.set_history(History::Forever).unwrap();
        for number in 0..20 {
            films.insert_with_id(number, &year(2000 + number)).unwrap();
        }
        let then = now(&db);
        films.update(3, set("year", 1900)).unwrap();
        films.delete(4).unwrap();
        films.insert_with_id(99, &year(2003)).unwrap();
        films.put(5, &year(2003)).unwrap();

        let view = db.as_of(then).unwrap();
        assert_eq!(view.read_ts(), then);
        let past = view.collection::<Document>("films").unwrap();
        assert_eq!((past.count().unwrap(), films.count().unwrap()), (20, 20));
        assert_eq!(past.get(3).unwrap().unwrap().value, year(2003));
        assert!(past.contains(4).unwrap() && !past.contains(99).unwrap());
        let query = past.find(field("year").between(2003, 2005)).sort(asc("year"));
        let found = query.run().unwrap();
        assert_eq!(found.iter().map(|film| film.id.to_string()).collect::<Vec<_>>(), ["3", "4", "5"]);
        assert!(found.iter().all(|film| film.version <= then));
        assert_eq!(query.explain().unwrap().index(), None, "indexes tell of the present");
        assert_eq!(films.find(field("year").eq(2003)).count().unwrap(), 2);
        assert_eq!(kind(past.update(3, set("year", 1))), Some(ErrorKind::Invalid));
        assert_eq!(db.as_of(Timestamp::MAX).unwrap().collection::<Document>("films").unwrap().count().unwrap(), 20);
    }
}

#[test]
fn keys_are_read_in_order_as_they_were() {
    for (db, _) in fixtures() {
        let prices = db.keyspace("prices").unwrap();
        prices.set_history(History::Forever).unwrap();
        for key in ["a", "b", "c", "d"] {
            prices.put(key, "old").unwrap();
        }
        let then = now(&db);
        prices.delete_range("b"..).unwrap();
        prices.put("bb", "new").unwrap();
        let past = db.as_of(then).unwrap().keyspace("prices").unwrap();
        let keys = |entries: blaze::KeyValues| entries.map(|entry| entry.unwrap().0).collect::<Vec<_>>().concat();
        assert_eq!(keys(past.iter().unwrap()), b"abcd");
        assert_eq!(keys(past.range_reverse("b".."d").unwrap()), b"cb");
        assert_eq!((past.count().unwrap(), prices.count().unwrap()), (4, 2));
        let rows = past.iter().unwrap();
        drop(past);
        prices.clear().unwrap();
        assert_eq!(keys(rows), b"abcd", "an iterator outlives its handle and sees one moment");
    }
}

#[test]
fn what_is_not_remembered_is_refused_by_name() {
    for (db, _) in fixtures() {
        let films = films(&db);
        films.ensure_index(Index::vector("v", 2)).unwrap();
        films.insert_with_id(1, &year(1)).unwrap();
        let before = now(&db);
        let error = db.as_of(before).unwrap().collection::<Document>("films").map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("\"films\""), "{error}");
        assert_eq!(kind(films.versions(1)), Some(ErrorKind::Unsupported));
        assert_eq!(films.history_start().unwrap(), None);

        films.set_history(age(SECOND_MS)).unwrap();
        assert_eq!(films.history().unwrap(), age(SECOND_MS));
        let start = films.history_start().unwrap().unwrap();
        assert_eq!(start, now(&db), "it begins with the commit that switches it on");
        let error = db.as_of(before).unwrap().collection::<Document>("films").map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HistoryExpired);
        assert!(error.to_string().contains("\"films\"") && error.to_string().contains(&start.to_string()), "{error}");

        let past = db.as_of(start).unwrap().collection::<Document>("films").unwrap();
        assert_eq!(past.search().nearest("v", &[1.0, 0.0]).run().unwrap().len(), 0, "it has no vector");
        assert_eq!(kind(db.as_of(start).unwrap().collection::<Document>("none")), Some(ErrorKind::NotFound));
        assert_eq!(kind(films.set_history(age(SECOND_MS - 1))), Some(ErrorKind::Invalid));
        assert_eq!(kind(films.set_history(History::Age(Duration::MAX))), Some(ErrorKind::Invalid));
        assert_eq!(kind(past.set_history(History::Off)), Some(ErrorKind::Invalid));
        assert_eq!(films.history().unwrap(), age(SECOND_MS));
    }
}

#[test]
fn the_versions_of_a_document_tell_its_life() {
    for (db, _) in fixtures() {
        let films = films(&db);
        films.insert_with_id(1, &year(0)).unwrap();
        let inserted = films.get(1).unwrap().unwrap().version;
        films.set_history(History::Forever).unwrap();
        films.put(1, &year(1)).unwrap();
        let put = now(&db);
        films.delete(1).unwrap();
        let deleted = now(&db);
        films.put(1, &year(2)).unwrap();
        let again = now(&db);
        let versions: Vec<_> = films.versions(1).unwrap().collect::<Result<_>>().unwrap();
        let version = |from, until, value| Version { from: Some(from), until, value };
        assert_eq!(
            versions,
            [
                version(again, None, Some(year(2))),
                version(deleted, Some(again), None),
                version(put, Some(deleted), Some(year(1))),
                version(inserted, Some(put), Some(year(0))),
            ]
        );
        let past = db.as_of(put).unwrap().collection::<Document>("films").unwrap();
        assert_eq!(past.versions(1).unwrap().count(), 2);
        assert_eq!(films.versions(2).unwrap().count(), 0);
    }
}

#[test]
fn a_history_goes_when_it_is_switched_off_or_its_collection_dropped() {
    for (db, _) in fixtures() {
        let films = films(&db);
        films.set_history(History::Forever).unwrap();
        films.insert_with_id(1, &year(1)).unwrap();
        let first = now(&db);
        films.put(1, &year(2)).unwrap();
        films.set_history(History::Off).unwrap();
        assert_eq!(kind(films.versions(1)), Some(ErrorKind::Unsupported));
        films.put(1, &year(3)).unwrap();
        films.set_history(History::Forever).unwrap();
        let at = |ts| db.as_of(ts).unwrap().collection::<Document>("films").map(drop);
        assert_eq!(kind(at(first)), Some(ErrorKind::HistoryExpired));
        assert_eq!(films.versions(1).unwrap().count(), 1);

        let second = now(&db);
        let open = db.as_of(second).unwrap().collection::<Document>("films").unwrap();
        assert!(db.drop_collection("films").unwrap());
        assert_eq!(open.get(1).unwrap().unwrap().value, year(3), "an open view keeps what it sees");
        assert_eq!(kind(at(second)), Some(ErrorKind::NotFound));
        let anew = db.collection::<Document>("films").unwrap();
        anew.set_history(History::Forever).unwrap();
        assert_eq!(kind(at(second)), Some(ErrorKind::HistoryExpired));
    }
}

#[test]
fn a_transaction_may_switch_a_history_on_and_write() {
    for (db, _) in fixtures() {
        db.keyspace("k").unwrap().put("a", "0").unwrap();
        db.transaction(|tx| {
            let keys = tx.keyspace("k")?;
            keys.put("a", "1")?;
            keys.set_history(History::Forever)?;
            keys.put("b", "1")
        })
        .unwrap();
        let start = db.keyspace("k").unwrap().history_start().unwrap().unwrap();
        assert_eq!(start, now(&db));
        db.keyspace("k").unwrap().clear().unwrap();
        assert_eq!(db.as_of(start).unwrap().keyspace("k").unwrap().count().unwrap(), 2);
    }
}

#[test]
fn a_range_too_large_to_be_remembered_is_not_deleted() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let keys = db.keyspace("k").unwrap();
    keys.set_history(History::Forever).unwrap();
    for number in 0..17_u8 {
        keys.put([number], vec![number; 4 << 20]).unwrap();
    }
    assert_eq!(kind(keys.clear()), Some(ErrorKind::LimitExceeded));
    assert_eq!(keys.count().unwrap(), 17);
    keys.delete_range([0_u8].as_slice()..&[8]).unwrap();
    keys.clear().unwrap();
    assert_eq!(keys.count().unwrap(), 0);
}

/// A keyspace with a minute of history and a value for each second of five, the oldest first; answers their commits.
fn five_seconds(db: &Database, clock: &ManualClock) -> Vec<Timestamp> {
    let keys = db.keyspace("k").unwrap();
    keys.set_history(age(60 * SECOND_MS)).unwrap();
    (0..5)
        .map(|second: u8| {
            keys.put("a", [second]).unwrap();
            clock.advance_ms(SECOND_MS);
            now(db)
        })
        .collect()
}

fn value_at(db: &Database, ts: Timestamp) -> Result<Option<Vec<u8>>> {
    db.as_of(ts)?.keyspace("k")?.get("a")
}

#[test]
fn what_is_too_old_is_forgotten_but_for_those_who_read_it() {
    for (db, clock) in fixtures() {
        let commits = five_seconds(&db, &clock);
        clock.advance_ms(57 * SECOND_MS);
        let open = db.as_of(commits[0]).unwrap().keyspace("k").unwrap();
        db.apply_retention().unwrap();
        let start = db.keyspace("k").unwrap().history_start().unwrap().unwrap();
        assert_eq!(start, Timestamp::from_ms(20_000 * DAY_MS + 2 * SECOND_MS));
        assert_eq!(kind(value_at(&db, commits[1])), Some(ErrorKind::HistoryExpired));
        assert_eq!(value_at(&db, commits[2]).unwrap(), Some(vec![2]));
        assert_eq!(db.keyspace("k").unwrap().versions("a").unwrap().count(), 3);
        db.compact().unwrap();
        assert_eq!(open.get("a").unwrap(), Some(vec![0]));
        drop(open);
        db.apply_retention().unwrap();
        db.compact().unwrap();
        assert_eq!(value_at(&db, commits[2]).unwrap(), Some(vec![2]));
    }
}

#[test]
fn commits_apply_retention_by_themselves() {
    for (db, clock) in fixtures() {
        let commits = five_seconds(&db, &clock);
        clock.advance_ms(120 * SECOND_MS);
        db.keyspace("other").unwrap().put("a", "").unwrap();
        assert!(value_at(&db, commits[0]).is_ok(), "a commit that leaves nothing behind does not care");
        db.keyspace("k").unwrap().put("a", "now").unwrap();
        assert_eq!(kind(value_at(&db, commits[4])), Some(ErrorKind::HistoryExpired));
        assert_eq!(value_at(&db, now(&db)).unwrap(), Some(b"now".to_vec()));
    }
}

#[test]
fn the_space_of_what_was_forgotten_comes_back() {
    let clock = Arc::new(ManualClock::at_ms(DAY_MS));
    let db = builder(&clock).temporary().unwrap();
    let keys = db.keyspace("k").unwrap();
    keys.set_history(age(SECOND_MS)).unwrap();
    let random = SeededEntropy::new(1);
    for _ in 0..500 {
        let value: Vec<u8> = (0..1_000).flat_map(|_| random.next_u64().to_be_bytes()).collect();
        keys.put("a", value).unwrap();
    }
    db.compact().unwrap();
    let before = db.bytes_used().unwrap();
    assert!(before > 3_900_000, "{before} bytes for 500 versions of 8,000");
    clock.advance_ms(60 * SECOND_MS);
    db.apply_retention().unwrap();
    db.compact().unwrap();
    let after = db.bytes_used().unwrap();
    assert!(before - after > 3_800_000, "{after} bytes are left of {before}");
    assert_eq!(keys.versions("a").unwrap().count(), 1);
}

#[test]
fn a_clock_that_jumps_ahead_does_not_erase_history() {
    for (db, clock) in fixtures() {
        let commits = five_seconds(&db, &clock);
        let right_ms = 20_000 * DAY_MS + 10 * SECOND_MS;
        let keys = db.keyspace("k").unwrap();
        clock.set_ms(right_ms + 3_000 * DAY_MS);
        keys.put("a", "far ahead").unwrap();
        db.apply_retention().unwrap();
        assert_eq!(value_at(&db, commits[0]).unwrap(), Some(vec![0]));
        clock.set_ms(right_ms);
        db.apply_retention().unwrap();
        assert_eq!(value_at(&db, commits[0]).unwrap(), Some(vec![0]));
        clock.set_ms(right_ms + 58 * SECOND_MS);
        db.apply_retention().unwrap();
        assert_eq!(kind(value_at(&db, commits[0])), Some(ErrorKind::HistoryExpired), "set right, it goes on");
    }
}

#[test]
fn a_clock_that_jumped_ahead_is_believed_once_commits_confirm_it() {
    for (db, clock) in fixtures() {
        let commits = five_seconds(&db, &clock);
        clock.advance_ms(3_000 * DAY_MS);
        for minute in 0..=10 {
            let value = value_at(&db, commits[4]);
            assert_eq!(value.unwrap(), Some(vec![4]), "minute {minute}");
            db.keyspace("k").unwrap().put("b", "").unwrap();
            clock.advance_ms(60 * SECOND_MS);
        }
        assert_eq!(kind(value_at(&db, commits[4])), Some(ErrorKind::HistoryExpired));
    }
}

#[test]
fn a_clock_that_goes_back_erases_nothing() {
    for (db, clock) in fixtures() {
        let commits = five_seconds(&db, &clock);
        clock.set_ms(DAY_MS);
        db.keyspace("k").unwrap().put("a", "behind").unwrap();
        db.apply_retention().unwrap();
        assert_eq!(value_at(&db, commits[0]).unwrap(), Some(vec![0]));
        assert_eq!(value_at(&db, now(&db)).unwrap(), Some(b"behind".to_vec()));
    }
}

#[test]
fn a_history_survives_reopening_and_copying() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("db"), directory.path().join("copy"));
    let clock = Arc::new(ManualClock::at_ms(20_000 * DAY_MS));
    let db = builder(&clock).open(&path).unwrap();
    let commits = five_seconds(&db, &clock);
    clock.advance_ms(57 * SECOND_MS);
    db.apply_retention().unwrap();
    db.checkpoint(&copy).unwrap();
    db.close().unwrap();
    for path in [path, copy] {
        let db = builder(&clock).open(path).unwrap();
        assert_eq!(db.keyspace("k").unwrap().history().unwrap(), age(60 * SECOND_MS));
        assert_eq!(kind(value_at(&db, commits[1])), Some(ErrorKind::HistoryExpired));
        assert_eq!(value_at(&db, commits[2]).unwrap(), Some(vec![2]));
        db.keyspace("k").unwrap().put("a", "later").unwrap();
        assert_eq!(value_at(&db, commits[4]).unwrap(), Some(vec![4]));
        db.close().unwrap();
    }
}

/// What one commit of a thread wrote: each key, with a value or gone.
type Written = BTreeMap<String, Option<String>>;

#[test]
fn any_commit_of_many_threads_can_be_seen_again() {
    for (db, _) in fixtures() {
        db.keyspace("k").unwrap().set_history(History::Forever).unwrap();
        let start = now(&db);
        let commits: BTreeMap<Timestamp, Written> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    scope.spawn({
                        let db = &db;
                        move || write_at_random(db, thread)
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(commits.len(), 4 * 60);
        let mut state = BTreeMap::new();
        assert_eq!(entries(&db, start), state);
        for (number, (ts, written)) in commits.iter().enumerate() {
            for (key, value) in written {
                match value {
                    Some(value) => drop(state.insert(key.clone(), value.clone())),
                    None => drop(state.remove(key)),
                }
            }
            if number % 7 == 0 {
                assert_eq!(entries(&db, *ts), state, "as of {ts}");
            }
        }
        assert_eq!(entries(&db, Timestamp::MAX), state);
    }
}

fn write_at_random(db: &Database, thread: u64) -> Vec<(Timestamp, Written)> {
    let random = SeededEntropy::new(thread);
    let below = |limit: u64| random.next_u64() % limit;
    let commit = |_| {
        let tx = db.begin().unwrap();
        let keys = tx.keyspace("k").unwrap();
        let mut written = Written::new();
        for _ in 0..=below(3) {
            let key = format!("{}", below(12));
            let value = (below(3) > 0).then(|| format!("{thread} {}", below(1_000)));
            match &value {
                Some(value) => keys.put(&key, value).unwrap(),
                None => keys.delete(&key).unwrap(),
            }
            written.insert(key, value);
        }
        (tx.commit().unwrap(), written)
    };
    (0..60).map(commit).collect()
}

fn entries(db: &Database, ts: Timestamp) -> BTreeMap<String, String> {
    let keys = db.as_of(ts).unwrap().keyspace("k").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    keys.iter().unwrap().map(|entry| entry.map(|(key, value)| (text(key), text(value))).unwrap()).collect()
}
