//! The change feed of the whole database: every commit once, with the names of what changed.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use blaze::{
    Change, Database, DatabaseBuilder, DatabaseChange, DatabaseChangeSet, Document, DocumentId, Durability, Entropy,
    ErrorKind, Expires, Feed, ManualClock, Result, SeededEntropy, Timestamp,
};
use blaze_core::{Direction, Family, KeyRange, Store};
use blaze_lsm::{LsmOptions, LsmStore};

const LONG: Duration = Duration::from_secs(600);
const SECOND_MS: u64 = 1_000;

fn builder(clock: &Arc<ManualClock>) -> DatabaseBuilder {
    let retention = Duration::from_millis(60 * SECOND_MS);
    Database::builder().clock(clock.clone()).durability(Durability::Buffered).feed_retention(retention)
}

/// The same database in memory and on disk, each with its clock.
fn fixtures() -> [(Database, Arc<ManualClock>); 2] {
    [false, true].map(|in_memory| {
        let clock = Arc::new(ManualClock::at_ms(1_000_000 * SECOND_MS));
        let db = if in_memory { builder(&clock).in_memory() } else { builder(&clock).temporary() };
        (db.unwrap(), clock)
    })
}

fn sets(db: &Database, after: Timestamp) -> Vec<DatabaseChangeSet> {
    db.changes(after).unwrap().collect::<Result<_>>().unwrap()
}

fn now(db: &Database) -> Timestamp {
    db.snapshot().unwrap().read_ts()
}

fn film(year: i64) -> Document {
    Document::new().with("year", year)
}

fn document(collection: &str, change: Change<DocumentId, Document>) -> DatabaseChange {
    DatabaseChange::Document { collection: collection.into(), change }
}

fn key(keyspace: &str, change: Change<Vec<u8>, Vec<u8>>) -> DatabaseChange {
    DatabaseChange::Key { keyspace: keyspace.into(), change }
}

fn put<K, V>(key: K, before: Option<V>, after: Option<V>) -> Change<K, V> {
    Change::Put { key, before, after }
}

fn begun(name: &str) -> DatabaseChange {
    DatabaseChange::Begun { name: name.into() }
}

fn dropped(name: &str) -> DatabaseChange {
    DatabaseChange::Dropped { name: name.into() }
}

#[test]
fn changes_of_all_come_in_the_order_of_their_commits_with_their_names() {
    for (db, _) in fixtures() {
        let (films, keys) = (db.collection::<Document>("films").unwrap(), db.keyspace("keys").unwrap());
        let silent = db.keyspace("silent").unwrap();
        films.set_feed(Feed::Images).unwrap();
        keys.set_feed(Feed::Keys).unwrap();
        films.insert_with_id(1, &film(1972)).unwrap();
        silent.put("a", "1").unwrap();
        keys.put("a", "1").unwrap();
        db.transaction(|tx| {
            tx.keyspace("keys")?.delete("a")?;
            tx.keyspace("silent")?.delete("a")?;
            tx.collection("films")?.put(1, &film(1973))
        })
        .unwrap();
        let last = now(&db);
        silent.put("b", "1").unwrap();
        let all = sets(&db, db.feed_start().unwrap());
        let changes: Vec<_> = all.iter().map(|set| set.changes.clone()).collect();
        let expected = [
            vec![begun("films")],
            vec![begun("keys")],
            vec![document("films", put(1.into(), None, Some(film(1972))))],
            vec![key("keys", put(b"a".to_vec(), None, None))],
            vec![
                key("keys", Change::Removed { key: b"a".to_vec(), before: None }),
                document("films", put(1.into(), Some(film(1972)), Some(film(1973)))),
            ],
        ];
        assert_eq!(changes, expected);
        assert_eq!(all[4].ts, last);
        for (position, set) in all.iter().enumerate() {
            assert_eq!(sets(&db, set.ts), all[position + 1..], "any cursor goes on where it was");
            assert_eq!(sets(&db, Timestamp::from_bits(set.ts.to_bits() - 1)), all[position..]);
        }
        let mut changes = db.changes(last).unwrap();
        assert!(changes.next().is_none());
        assert_eq!(changes.position(), now(&db), "one who has nothing to read does not fall behind");
    }
}

#[test]
fn what_was_dropped_is_told_to_its_end_and_a_new_one_of_its_name_is_another() {
    for (db, _) in fixtures() {
        let films = db.collection::<Document>("films").unwrap();
        films.set_feed(Feed::Images).unwrap();
        let start = now(&db);
        films.insert_with_id(1, &film(1972)).unwrap();
        assert!(db.drop_collection("films").unwrap());
        let keys = db.keyspace("films").unwrap();
        keys.set_feed(Feed::Images).unwrap();
        keys.put("a", "1").unwrap();
        let changes: Vec<_> = sets(&db, start).into_iter().flat_map(|set| set.changes).collect();
        let expected = [
            document("films", put(1.into(), None, Some(film(1972)))),
            dropped("films"),
            begun("films"),
            key("films", put(b"a".to_vec(), None, Some(b"1".to_vec()))),
        ];
        assert_eq!(changes, expected);
    }
}

#[test]
fn a_dropped_collection_is_told_after_reopening_and_forgotten_with_the_feed() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(1_000_000 * SECOND_MS));
    let db = builder(&clock).open(directory.path()).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.set_feed(Feed::Images).unwrap();
    let start = now(&db);
    films.insert_with_id(1, &film(1972)).unwrap();
    db.drop_collection("films").unwrap();
    db.close().unwrap();

    let db = builder(&clock).open(directory.path()).unwrap();
    let changes: Vec<_> = sets(&db, start).into_iter().flat_map(|set| set.changes).collect();
    assert_eq!(changes, [document("films", put(1.into(), None, Some(film(1972)))), dropped("films")]);
    assert_eq!(db.verify().unwrap().problems, []);
    let mut slow = db.changes(start).unwrap();
    slow.next().unwrap().unwrap();
    clock.advance_ms(61 * SECOND_MS);
    db.apply_retention().unwrap();
    assert_eq!(db.changes(start).unwrap_err().kind(), ErrorKind::FeedTruncated);
    assert_eq!(sets(&db, db.feed_start().unwrap()), []);
    db.close().unwrap();
    assert_eq!(slow.next().unwrap().unwrap_err().kind(), ErrorKind::Closed);

    let store = LsmStore::open(directory.path(), LsmOptions::new(clock)).unwrap();
    let point = store.read_point().unwrap();
    let mut cursor = point.cursor(Family::Catalog, &KeyRange::all(), Direction::Forward).unwrap();
    let mut kept = Vec::new();
    while let Some((key, _)) = cursor.next().unwrap() {
        kept.push(key.to_vec());
    }
    let is_other = |key: &&Vec<u8>| !key.starts_with(&[0, 0, 0, 1, b'i']) && !key.starts_with(&[0, 0, 0, 1, b'r']);
    let others: Vec<_> = kept.iter().filter(is_other).filter(|key| key.starts_with(&[0, 0, 0])).collect();
    assert_eq!(others, Vec::<&Vec<u8>>::new(), "neither the name nor the dictionary is there");
}

#[test]
fn a_collection_that_is_replaced_ends_and_begins_in_one_commit() {
    for (db, _) in fixtures() {
        let films = db.collection::<Document>("films").unwrap();
        films.set_feed(Feed::Images).unwrap();
        films.insert_with_id(1, &film(1972)).unwrap();
        let start = now(&db);
        let mut load = db.load_collection::<Document>("films").replace().begin().unwrap();
        load.insert_with_id(7, &film(2000)).unwrap();
        load.finish().unwrap();
        films.delete(7).unwrap();
        let changes: Vec<_> = sets(&db, start).into_iter().map(|set| set.changes).collect();
        let removed = document("films", Change::Removed { key: 7.into(), before: Some(film(2000)) });
        assert_eq!(changes, [vec![dropped("films"), begun("films")], vec![removed]]);
    }
}

#[test]
fn what_a_feed_told_before_it_was_switched_off_stays() {
    for (db, _) in fixtures() {
        let keys = db.keyspace("keys").unwrap();
        keys.set_feed(Feed::Images).unwrap();
        let start = now(&db);
        keys.put("a", "1").unwrap();
        keys.set_feed(Feed::Off).unwrap();
        keys.put("a", "2").unwrap();
        let first = key("keys", put(b"a".to_vec(), None, Some(b"1".to_vec())));
        let changes: Vec<_> = sets(&db, start).into_iter().flat_map(|set| set.changes).collect();
        assert_eq!(changes, std::slice::from_ref(&first));
        keys.set_feed(Feed::Images).unwrap();
        keys.put("a", "3").unwrap();
        let third = key("keys", put(b"a".to_vec(), Some(b"2".to_vec()), Some(b"3".to_vec())));
        let changes: Vec<_> = sets(&db, start).into_iter().flat_map(|set| set.changes).collect();
        assert_eq!(changes, [first, begun("keys"), third]);
        keys.set_feed(Feed::Off).unwrap();
        db.drop_keyspace("keys").unwrap();
        assert_eq!(sets(&db, start), [], "its feed was off, and nothing keeps its name");
    }
}

#[test]
fn one_who_waits_gets_the_next_commit_of_any_name_or_the_end() {
    for (db, _) in fixtures() {
        db.keyspace("keys").unwrap().set_feed(Feed::Keys).unwrap();
        let mut changes = db.changes(now(&db)).unwrap();
        assert!(changes.wait(Duration::from_millis(1)).unwrap().is_none());
        std::thread::scope(|scope| {
            let (arrived, arrival) = std::sync::mpsc::channel();
            let waits = scope.spawn(move || {
                for _ in 0..2 {
                    arrived.send(changes.wait(LONG).unwrap().unwrap().changes).unwrap();
                }
                changes.wait(LONG).map(drop).map_err(|error| error.kind())
            });
            db.keyspace("silent").unwrap().put("a", "").unwrap();
            db.keyspace("keys").unwrap().put("a", "").unwrap();
            assert_eq!(arrival.recv().unwrap(), [key("keys", put(b"a".to_vec(), None, None))]);
            db.drop_keyspace("keys").unwrap();
            assert_eq!(arrival.recv().unwrap(), [dropped("keys")]);
            db.close().unwrap();
            assert_eq!(waits.join().unwrap(), Err(ErrorKind::Closed));
        });
    }
}

type State = BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>;

fn replay(state: &mut State, set: &DatabaseChangeSet) {
    for change in &set.changes {
        match change {
            DatabaseChange::Begun { name } => drop(state.insert(name.to_string(), BTreeMap::new())),
            // One that begins and ends between two looks is told by its end alone.
            DatabaseChange::Dropped { name } => drop(state.remove(&**name)),
            DatabaseChange::Key { keyspace, change } => {
                let rows = state.get_mut(&**keyspace).unwrap();
                match change.clone() {
                    Change::Put { key, before, after } => assert_eq!(rows.insert(key, after.unwrap()), before),
                    Change::Removed { key, before } => assert_eq!(rows.remove(&key), before),
                    _ => rows.clear(),
                }
            }
            other => unreachable!("{other:?}"),
        }
    }
}

#[test]
fn a_follower_of_everything_has_at_last_what_the_database_has() {
    for seed in 0..8 {
        for (db, _) in fixtures() {
            let random = SeededEntropy::new(seed);
            let mut follower = db.changes(db.feed_start().unwrap()).unwrap();
            let mut state = State::new();
            for round in 0..150_u8 {
                let name = format!("k{}", random.next_u64() % 3);
                let keys = db.keyspace(&name).unwrap();
                if keys.feed().unwrap() == Feed::Off {
                    keys.set_feed(Feed::Images).unwrap();
                }
                let key = [(random.next_u64() % 6) as u8];
                match random.next_u64() % 12 {
                    0 => drop(db.drop_keyspace(&name).unwrap()),
                    1 => keys.clear().unwrap(),
                    2 | 3 => keys.delete(key).unwrap(),
                    _ => keys.put(key, [round]).unwrap(),
                }
                for set in follower.by_ref() {
                    replay(&mut state, &set.unwrap());
                }
            }
            let names = db.keyspaces().unwrap();
            assert_eq!(state.keys().cloned().collect::<Vec<_>>(), names, "seed {seed}");
            for name in names {
                let rows = db.keyspace(&name).unwrap().iter().unwrap().collect::<Result<BTreeMap<_, _>>>().unwrap();
                assert_eq!(state[&name], rows, "seed {seed}, {name}");
            }
        }
    }
}

#[test]
fn values_that_may_expire_are_told_as_they_were_put() {
    for (db, _) in fixtures() {
        let start = now(&db);
        let sessions = db.expiring_keyspace("sessions").unwrap();
        sessions.set_feed(Feed::Images).unwrap();
        sessions.put_expiring("ann", "1", Expires::After(LONG)).unwrap();
        sessions.put("ann", "2").unwrap();
        let value = |value: &str| Some(value.as_bytes().to_vec());
        let expected = [
            vec![begun("sessions")],
            vec![key("sessions", put(b"ann".to_vec(), None, value("1")))],
            vec![key("sessions", put(b"ann".to_vec(), value("1"), value("2")))],
            vec![dropped("sessions")],
        ];
        let told = || sets(&db, start).into_iter().map(|set| set.changes).collect::<Vec<_>>();
        assert_eq!(told(), expected[..3]);
        db.drop_keyspace("sessions").unwrap();
        // What was dropped did not begin for those who read it from its end.
        let told: Vec<_> = told().into_iter().filter(|changes| changes[0] != begun("sessions")).collect();
        assert_eq!(told, expected[1..]);
    }
}

#[test]
fn what_was_told_of_a_keyspace_before_its_values_could_expire_stays_readable() {
    for (db, _) in fixtures() {
        let start = now(&db);
        let keys = db.keyspace("keys").unwrap();
        keys.set_feed(Feed::Images).unwrap();
        keys.put("a", "1").unwrap();
        keys.put("a", "longer than eight bytes").unwrap();
        keys.clear().unwrap();
        keys.set_feed(Feed::Off).unwrap();
        let expiring = db.expiring_keyspace("keys").unwrap();
        expiring.set_feed(Feed::Images).unwrap();
        expiring.put("b", "2").unwrap();
        let told: Vec<_> = sets(&db, start).into_iter().flat_map(|set| set.changes).collect();
        let value = |value: &str| Some(value.as_bytes().to_vec());
        for expected in [
            put(b"a".to_vec(), None, value("1")),
            put(b"a".to_vec(), value("1"), value("longer than eight bytes")),
            put(b"b".to_vec(), None, value("2")),
        ] {
            assert!(told.contains(&key("keys", expected.clone())), "{expected:?} is not among {told:?}");
        }
        keys.put("c", "3").unwrap();
        assert_eq!(expiring.get("c").unwrap().as_deref(), Some(b"3".as_slice()), "a handle of before goes on");
    }
}
