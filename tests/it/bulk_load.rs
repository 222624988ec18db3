//! Bulk load: rows in order become a keyspace.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod crashes;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blaze::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use blaze::{Database, Document, Durability, ErrorKind, Index, KeyspaceLoader, ManualClock};
use blaze_core::{CommitRequest, Family, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};
use proptest::prelude::*;

use crate::objects::stored_keys;

/// A database in memory and one on disk.
fn fixtures() -> [Database; 2] {
    let buffered = || Database::builder().durability(Durability::Buffered);
    [buffered().in_memory().unwrap(), buffered().temporary().unwrap()]
}

fn rows(db: &Database, name: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    db.keyspace(name).unwrap().iter().unwrap().map(|entry| entry.unwrap()).collect()
}

fn fill(loader: &mut KeyspaceLoader, rows: u32, value: &[u8]) {
    for n in 0..rows {
        loader.put(n.to_be_bytes(), value).unwrap();
    }
}

/// The files of loads in a directory.
fn files_of_loads(path: &Path) -> Vec<String> {
    let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("LOAD")).collect()
}

#[test]
fn nothing_is_visible_before_the_load_is_finished_and_then_everything_is() {
    for db in fixtures() {
        db.keyspace("before").unwrap().put("key", "value").unwrap();
        let mut loader = db.load_keyspace("events").unwrap();
        db.keyspace("after").unwrap().put("key", "value").unwrap();
        fill(&mut loader, 10_000, b"value");
        let snapshot = db.snapshot().unwrap();
        assert_eq!(db.keyspaces().unwrap(), ["after", "before"]);
        assert_eq!(loader.finish().unwrap(), 10_000);
        assert_eq!(db.keyspaces().unwrap(), ["after", "before", "events"]);
        assert_eq!(snapshot.keyspace("events").unwrap_err().kind(), ErrorKind::NotFound);
        let loaded = rows(&db, "events");
        assert_eq!(loaded.len(), 10_000);
        assert_eq!(loaded[&77_u32.to_be_bytes().to_vec()], b"value");
        assert_eq!((rows(&db, "before").len(), rows(&db, "after").len()), (1, 1));
    }
}

#[test]
fn a_loaded_keyspace_is_written_to_like_any_other() {
    for db in fixtures() {
        let mut loader = db.load_keyspace("events").unwrap();
        fill(&mut loader, 1_000, b"loaded");
        loader.finish().unwrap();
        let events = db.keyspace("events").unwrap();
        events.put(5_u32.to_be_bytes(), "written").unwrap();
        events.delete(6_u32.to_be_bytes()).unwrap();
        events.delete_range(10_u32.to_be_bytes()..20_u32.to_be_bytes()).unwrap();
        assert_eq!(events.count().unwrap(), 989);
        assert_eq!(events.get(5_u32.to_be_bytes()).unwrap().unwrap(), b"written");
        assert_eq!(events.get(6_u32.to_be_bytes()).unwrap(), None);
        db.compact().unwrap();
        assert_eq!(events.count().unwrap(), 989);
        assert!(db.drop_keyspace("events").unwrap());
        let mut loader = db.load_keyspace("events").unwrap();
        loader.put("again", "1").unwrap();
        assert_eq!(loader.finish().unwrap(), 1);
        assert_eq!(rows(&db, "events").len(), 1);
    }
}

#[test]
fn keys_must_ascend_and_a_row_that_is_refused_is_left_out() {
    for db in fixtures() {
        let mut loader = db.load_keyspace("events").unwrap();
        loader.put("b", "1").unwrap();
        for key in ["b", "a"] {
            let error = loader.put(key, "2").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let text = error.to_string();
            assert!(text.contains(&format!("\"{key}\" comes after \"b\"")), "{text}");
        }
        assert_eq!(loader.put("", "2").unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(loader.put("c".repeat(KEY_BYTES_MAX + 1), "2").unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(loader.put("c", vec![0; VALUE_BYTES_MAX + 1]).unwrap_err().kind(), ErrorKind::LimitExceeded);
        loader.put("c", "3").unwrap();
        assert_eq!(loader.finish().unwrap(), 2);
        assert_eq!(rows(&db, "events").into_values().collect::<Vec<_>>(), [b"1", b"3"]);
    }
}

#[test]
fn an_empty_load_makes_an_empty_keyspace() {
    for db in fixtures() {
        assert_eq!(db.load_keyspace("events").unwrap().finish().unwrap(), 0);
        assert_eq!(db.keyspaces().unwrap(), ["events"]);
        assert_eq!(rows(&db, "events").len(), 0);
    }
}

#[test]
fn only_a_name_that_nobody_has_is_loaded() {
    for db in fixtures() {
        db.keyspace("events").unwrap().put("key", "value").unwrap();
        db.collection::<Document>("films").unwrap();
        assert_eq!(db.load_keyspace("events").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(db.load_keyspace("films").unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(db.load_keyspace("").unwrap_err().kind(), ErrorKind::Invalid);
        let mut loader = db.load_keyspace("later").unwrap();
        fill(&mut loader, 1_000, b"loaded");
        db.keyspace("later").unwrap().put("key", "value").unwrap();
        assert_eq!(loader.finish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(rows(&db, "later").len(), 1);
        let mut loaders = [db.load_keyspace("both").unwrap(), db.load_keyspace("both").unwrap()];
        fill(&mut loaders[0], 10, b"first");
        fill(&mut loaders[1], 20, b"second");
        let [first, second] = loaders;
        assert_eq!(second.finish().unwrap(), 20);
        assert_eq!(first.finish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(rows(&db, "both").len(), 20);
    }
}

#[test]
fn a_transaction_that_found_no_such_keyspace_conflicts_with_the_load() {
    for db in fixtures() {
        let mut loader = db.load_keyspace("events").unwrap();
        fill(&mut loader, 10, b"loaded");
        let transaction = db.begin().unwrap();
        transaction.keyspace("events").unwrap().put("key", "value").unwrap();
        loader.finish().unwrap();
        assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(rows(&db, "events").len(), 10);
    }
}

#[test]
fn nothing_is_left_of_a_load_that_is_dropped_or_fails() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    let mut dropped = db.load_keyspace("dropped").unwrap();
    fill(&mut dropped, 10_000, b"loaded");
    assert_eq!(files_of_loads(&path).len(), 1);
    drop(dropped);
    let mut fails = db.load_keyspace("fails").unwrap();
    fill(&mut fails, 10_000, b"loaded");
    db.keyspace("fails").unwrap();
    assert_eq!(fails.finish().unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(files_of_loads(&path), Vec::<String>::new());
    db.close().unwrap();
    assert_eq!(stored_keys(&path), Vec::<Vec<u8>>::new());
}

#[test]
fn a_loader_does_not_keep_the_database_from_closing() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path()).unwrap();
    let mut loader = db.load_keyspace("events").unwrap();
    fill(&mut loader, 10, b"loaded");
    db.close().unwrap();
    assert_eq!(loader.put("z", "1").unwrap_err().kind(), ErrorKind::Closed);
    let reopened = Database::open(directory.path()).unwrap();
    assert_eq!(loader.finish().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(files_of_loads(directory.path()), Vec::<String>::new());
    assert_eq!(reopened.keyspaces().unwrap(), Vec::<String>::new());
}

#[test]
fn a_load_of_several_files_goes_on_beside_commits_and_compactions() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let counters = db.keyspace("counters").unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0_u32.. {
                counters.put((n % 100).to_be_bytes(), n.to_be_bytes()).unwrap();
                assert!(counters.get((n % 100).to_be_bytes()).unwrap().is_some());
                if n % 500 == 0 {
                    db.settle().unwrap();
                }
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for round in 0..3 {
            let name = format!("events {round}");
            let mut loader = db.load_keyspace(&name).unwrap();
            let random = crate::objects::content(1024 * 1024, round);
            // Beyond what fits one file, as it does not compress.
            let megabytes = if round == 0 { 70_u32 } else { 3 };
            for n in 0..megabytes {
                loader.put(n.to_be_bytes(), &random).unwrap();
            }
            assert_eq!(loader.finish().unwrap(), u64::from(megabytes));
            assert_eq!(db.keyspace(&name).unwrap().count().unwrap(), u64::from(megabytes));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_store_takes_no_files_over_keys_that_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let store = LsmStore::open(directory.path(), LsmOptions::new(Arc::new(ManualClock::at_ms(1)))).unwrap();
    let write = Write::put(Family::Data, *b"m", *b"there");
    store.commit(CommitRequest { writes: vec![write], ..CommitRequest::default() }).unwrap();
    let mut load = store.load(Family::Data).unwrap();
    assert_eq!(load.put(b"", b"1").unwrap_err().kind(), ErrorKind::Invalid);
    load.put(b"a", b"1").unwrap();
    assert_eq!(load.put(b"a", b"2").unwrap_err().kind(), ErrorKind::Invalid);
    load.put(b"z", b"1").unwrap();
    assert_eq!(load.finish().unwrap_err().kind(), ErrorKind::Invalid);
    let mut load = store.load(Family::Data).unwrap();
    load.put(b"n", b"1").unwrap();
    load.finish().unwrap();
    let view = store.read_point().unwrap();
    assert_eq!(view.get(Family::Data, b"a").unwrap(), None);
    assert_eq!(view.get(Family::Data, b"n").unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(files_of_loads(directory.path()), Vec::<String>::new());
}

#[test]
fn loads_that_are_joined_become_a_part_of_the_store_together() {
    let directory = tempfile::tempdir().unwrap();
    let store = LsmStore::open(directory.path(), LsmOptions::new(Arc::new(ManualClock::at_ms(1)))).unwrap();
    let write = Write::put(Family::Data, *b"m", *b"there");
    store.commit(CommitRequest { writes: vec![write], ..CommitRequest::default() }).unwrap();
    let load = |family, keys: &[&[u8]]| {
        let mut load = store.load(family).unwrap();
        keys.iter().for_each(|key| load.put(key, b"1").unwrap());
        load
    };
    let mut joined = load(Family::Data, &[b"n", b"o"]);
    joined.join(load(Family::Data, &[b"a", b"c"])).unwrap();
    joined.join(load(Family::Data, &[])).unwrap();
    for (family, keys) in [(Family::Data, [b"b", b"d"]), (Family::Data, [b"o", b"p"]), (Family::Index, [b"x", b"y"])] {
        let keys = keys.map(|key| key.as_slice());
        assert_eq!(joined.join(load(family, &keys)).unwrap_err().kind(), ErrorKind::Invalid);
    }
    // Around a key that is there: each has its own range.
    joined.finish().unwrap();
    let view = store.read_point().unwrap();
    let there = |key: &[u8]| view.get(Family::Data, key).unwrap().is_some();
    assert!([b"a", b"c", b"m", b"n", b"o"].iter().all(|key| there(*key)));
    assert!([b"b", b"d", b"p"].iter().all(|key| !there(*key)));

    let mut joined = load(Family::Data, &[b"q"]);
    joined.join(load(Family::Data, &[b"l", b"mm"])).unwrap();
    assert_eq!(joined.finish().unwrap_err().kind(), ErrorKind::Invalid, "one of them has a key on either side of m");
    assert_eq!(files_of_loads(directory.path()), Vec::<String>::new());
}

#[test]
fn nothing_is_left_of_what_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::on("year")).unwrap();
    films.insert(&Document::new().with("title", "Solaris").with("year", 1972)).unwrap();
    db.keyspace("settings").unwrap().put("theme", "dark").unwrap();
    assert!(db.drop_collection("films").unwrap() && db.drop_keyspace("settings").unwrap());
    assert!(!db.drop_collection("films").unwrap() && !db.drop_keyspace("settings").unwrap());
    db.close().unwrap();
    assert_eq!(stored_keys(&path), Vec::<Vec<u8>>::new());
}

#[test]
fn a_dropped_keyspace_gives_its_space_back_at_once_unless_someone_reads_it() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let value = crate::objects::content(100 * 1024, 1);
    let fill_events = || {
        let mut loader = db.load_keyspace("events").unwrap();
        fill(&mut loader, 100, &value);
        loader.finish().unwrap();
    };
    let empty = db.bytes_used().unwrap();
    fill_events();
    assert!(db.bytes_used().unwrap() > empty + 10_000_000);
    assert!(db.drop_keyspace("events").unwrap());
    assert!(db.bytes_used().unwrap() < empty + 1_000_000);

    fill_events();
    let snapshot = db.snapshot().unwrap();
    assert!(db.drop_keyspace("events").unwrap());
    assert_eq!(db.keyspaces().unwrap(), Vec::<String>::new());
    db.compact().unwrap();
    assert_eq!(snapshot.keyspace("events").unwrap().count().unwrap(), 100);
    drop(snapshot);
    db.compact().unwrap();
    assert!(db.bytes_used().unwrap() < empty + 1_000_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_load_is_the_same_as_puts_one_by_one(
        loaded in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 1..12),
            prop_oneof![prop::collection::vec(any::<u8>(), 0..100), Just(vec![7; 5_000])],
            0..60,
        ),
        put in prop::collection::btree_map(prop::collection::vec(any::<u8>(), 1..3), any::<[u8; 4]>(), 0..20),
    ) {
        for db in fixtures() {
            let mut loader = db.load_keyspace("loaded").unwrap();
            let one_by_one = db.keyspace("one by one").unwrap();
            for (key, value) in &loaded {
                loader.put(key, value).unwrap();
                one_by_one.put(key, value).unwrap();
            }
            prop_assert_eq!(loader.finish().unwrap(), loaded.len() as u64);
            for (key, value) in &put {
                db.keyspace("loaded").unwrap().put(key, value).unwrap();
                one_by_one.put(key, value).unwrap();
            }
            prop_assert_eq!(rows(&db, "loaded"), rows(&db, "one by one"));
        }
    }
}
