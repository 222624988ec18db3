//! Keyspaces: raw bytes in order.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;
use std::ops::Bound;

use blaze::{Database, KeyValues, Keyspace};

fn keys(values: KeyValues) -> Vec<String> {
    values.map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect()
}

/// The same keyspace in memory and on disk, with neighbours before and after it.
fn fixtures() -> [(Database, Keyspace); 2] {
    [Database::in_memory().unwrap(), Database::temporary().unwrap()].map(|db| {
        for name in ["before", "letters", "after"] {
            let keyspace = db.keyspace(name).unwrap();
            for key in ["a", "b", "ba", "bb", "c", "\u{7f}"] {
                keyspace.put(key, format!("{name} {key}")).unwrap();
            }
        }
        let letters = db.keyspace("letters").unwrap();
        (db, letters)
    })
}

#[test]
fn ranges_hold_what_their_bounds_say() {
    for (_db, letters) in fixtures() {
        assert_eq!(keys(letters.iter().unwrap()), ["a", "b", "ba", "bb", "c", "\u{7f}"]);
        assert_eq!(keys(letters.range("b".."c").unwrap()), ["b", "ba", "bb"]);
        assert_eq!(keys(letters.range("b"..="c").unwrap()), ["b", "ba", "bb", "c"]);
        assert_eq!(keys(letters.range::<&str>((Bound::Excluded("b"), Bound::Excluded("bb"))).unwrap()), ["ba"]);
        assert_eq!(keys(letters.range("bb"..).unwrap()), ["bb", "c", "\u{7f}"]);
        assert_eq!(keys(letters.range_reverse(.."bb").unwrap()), ["ba", "b", "a"]);
        assert_eq!(keys(letters.range_reverse::<&str>(..).unwrap()), ["\u{7f}", "c", "bb", "ba", "b", "a"]);
        assert_eq!(keys(letters.prefix("b").unwrap()), ["b", "ba", "bb"]);
        assert_eq!(keys(letters.prefix("").unwrap()).len(), 6);
        assert_eq!(keys(letters.prefix("x").unwrap()), Vec::<String>::new());
        assert_eq!(letters.count().unwrap(), 6);
        assert_eq!(letters.get("ba").unwrap().unwrap(), b"letters ba");
    }
}

#[test]
fn the_last_byte_of_all_is_a_prefix_like_any_other() {
    for (_db, letters) in fixtures() {
        letters.put([0xFF], "1").unwrap();
        letters.put([0xFF, 0xFF, 0], "2").unwrap();
        assert_eq!(letters.prefix([0xFF]).unwrap().count(), 2);
        assert_eq!(letters.prefix([0xFF, 0xFF]).unwrap().count(), 1);
        letters.delete_range([0xFF_u8].as_slice()..).unwrap();
        assert_eq!(letters.count().unwrap(), 6);
    }
}

#[test]
fn a_range_is_deleted_in_its_own_keyspace_only() {
    for (db, letters) in fixtures() {
        letters.delete_range("b".."c").unwrap();
        assert_eq!(keys(letters.iter().unwrap()), ["a", "c", "\u{7f}"]);
        letters.put("bb", "again").unwrap();
        letters.delete_range::<&str>(..).unwrap();
        assert_eq!(letters.count().unwrap(), 0);
        for neighbour in ["before", "after"] {
            assert_eq!(db.keyspace(neighbour).unwrap().count().unwrap(), 6);
        }
    }
}

#[test]
fn an_iterator_outlives_its_handle_and_sees_one_moment() {
    for (db, letters) in fixtures() {
        let mut iterator = letters.iter().unwrap();
        iterator.next().unwrap().unwrap();
        letters.delete("b").unwrap();
        letters.put("aa", "new").unwrap();
        letters.delete_range("c"..).unwrap();
        drop((letters, db));
        assert_eq!(keys(iterator), ["b", "ba", "bb", "c", "\u{7f}"]);
    }
}

#[test]
fn a_transaction_reads_its_own_writes_in_ranges() {
    for (db, letters) in fixtures() {
        let tx = db.begin().unwrap();
        let own = tx.keyspace("letters").unwrap();
        own.put("ab", "").unwrap();
        own.delete("b").unwrap();
        own.delete_range("bb".."d").unwrap();
        own.put("c", "again").unwrap();
        assert_eq!(keys(own.iter().unwrap()), ["a", "ab", "ba", "c", "\u{7f}"]);
        assert_eq!(keys(own.range_reverse::<&str>(..).unwrap()), ["\u{7f}", "c", "ba", "ab", "a"]);
        assert_eq!(own.get("c").unwrap().unwrap(), b"again");
        assert_eq!((own.get("bb").unwrap(), own.contains("b").unwrap(), own.count().unwrap()), (None, false, 5));
        assert_eq!(letters.count().unwrap(), 6, "nobody else sees them");
        tx.commit().unwrap();
        assert_eq!(keys(letters.iter().unwrap()), ["a", "ab", "ba", "c", "\u{7f}"]);
    }
}

#[test]
fn values_are_read_without_a_copy_and_many_at_once() {
    for (db, letters) in fixtures() {
        let long = "k".repeat(5_000);
        letters.put(&long, "long").unwrap();
        letters.put("empty", "").unwrap();
        let tx = db.begin().unwrap();
        let own = tx.keyspace("letters").unwrap();
        own.put("own", "mine").unwrap();
        own.delete("b").unwrap();
        let snapshot = db.snapshot().unwrap().keyspace("letters").unwrap();
        let asked = ["own", "a", "absent", "empty", "b", &long, "a"];
        let answers = |keyspace: &Keyspace| {
            let many = keyspace.get_many(asked).unwrap();
            for (key, value) in asked.iter().zip(&many) {
                let text = keyspace.get_with(key, |value| String::from_utf8(value.to_vec()).unwrap()).unwrap();
                assert_eq!(text.map(String::into_bytes), *value, "{key}");
                assert_eq!(keyspace.get(key).unwrap(), *value, "{key}");
                assert_eq!(keyspace.contains(key).unwrap(), value.is_some(), "{key}");
            }
            many.into_iter().map(|value| value.map(|value| String::from_utf8(value).unwrap())).collect::<Vec<_>>()
        };
        let some = |text: &str| Some(text.to_owned());
        let outside = [None, some("letters a"), None, some(""), some("letters b"), some("long"), some("letters a")];
        assert_eq!(answers(&letters), outside);
        assert_eq!(answers(&snapshot), outside);
        let inside = [some("mine"), some("letters a"), None, some(""), None, some("long"), some("letters a")];
        assert_eq!(answers(&own), inside);
        assert_eq!(letters.get_many(Vec::<&str>::new()).unwrap(), []);
        assert!(letters.get_many(["a", ""]).is_err());
    }
}

#[test]
fn a_dropped_keyspace_begins_anew() {
    for (db, _) in fixtures() {
        assert!(db.drop_keyspace("letters").unwrap() && !db.drop_keyspace("letters").unwrap());
        assert_eq!(db.keyspaces().unwrap(), ["after", "before"]);
        assert_eq!(db.keyspace("letters").unwrap().count().unwrap(), 0);
    }
}

#[test]
fn a_checkpoint_is_a_database_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path().join("db")).unwrap();
    let letters = db.keyspace("letters").unwrap();
    letters.put("a", "1").unwrap();
    db.checkpoint(directory.path().join("copy")).unwrap();
    letters.put("b", "2").unwrap();
    let copy = Database::open(directory.path().join("copy")).unwrap();
    assert_eq!(keys(copy.keyspace("letters").unwrap().iter().unwrap()), ["a"]);
    copy.keyspace("letters").unwrap().put("c", "3").unwrap();
    assert_eq!(keys(letters.iter().unwrap()), ["a", "b"]);
    assert!(db.bytes_used().unwrap() > 0);
}

#[test]
fn compaction_gives_the_space_of_what_was_removed_back_and_keeps_the_rest() {
    let db = Database::temporary().unwrap();
    let letters = db.keyspace("letters").unwrap();
    let random = blaze::SeededEntropy::new(5); // bytes that do not compress
    let value: Vec<u8> = (0..250_000).flat_map(|_| blaze::Entropy::next_u64(&random).to_le_bytes()).collect();
    letters.put("gone", &value).unwrap();
    letters.put("stays", &value[..1000]).unwrap();
    db.settle().unwrap();
    assert!(db.bytes_used().unwrap() > 2_000_000);

    letters.delete("gone").unwrap();
    db.compact().unwrap();
    let bytes = db.bytes_used().unwrap();
    assert!(bytes < 1_000_000, "{bytes} bytes are still taken");
    assert_eq!(letters.get("stays").unwrap().as_deref(), Some(&value[..1000]));
    Database::in_memory().unwrap().compact().unwrap();
}

#[test]
fn a_keyspace_agrees_with_a_map() {
    let (db, letters) = (Database::temporary().unwrap(), "letters");
    let keyspace = db.keyspace(letters).unwrap();
    let mut model = BTreeMap::new();
    let random = blaze::SeededEntropy::new(3);
    let next = |below: u64| blaze::Entropy::next_u64(&random) % below;
    for step in 0..500_u64 {
        let (a, b) = ([b'a' + next(8) as u8, b'a' + next(8) as u8], [b'a' + next(8) as u8]);
        let (low, high) = (a.as_slice().min(b.as_slice()), a.as_slice().max(b.as_slice()));
        match next(10) {
            0 => {
                keyspace.delete_range(low..high).unwrap();
                model.retain(|key: &Vec<u8>, _| key.as_slice() < low || key.as_slice() >= high);
            }
            1..3 => {
                keyspace.delete(a).unwrap();
                model.remove(a.as_slice());
            }
            _ => {
                keyspace.put(a, step.to_be_bytes()).unwrap();
                model.insert(a.to_vec(), step.to_be_bytes().to_vec());
            }
        }
        let expected = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        let stored: Vec<_> = keyspace.range(low..high).unwrap().map(Result::unwrap).collect();
        let range = model.range::<[u8], _>((Bound::Included(low), Bound::Excluded(high)));
        assert_eq!(stored, range.map(expected).collect::<Vec<_>>(), "step {step}");
    }
}
