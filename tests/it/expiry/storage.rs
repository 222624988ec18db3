//! What is stored of values that expire: loaded, copied, verified, given back.

use std::path::Path;

use blaze_core::{CommitRequest, Direction, Family, KeyRange, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use super::*;

/// The keys of a family, without those of the catalog itself.
fn rows(store: &LsmStore, family: Family) -> Vec<Vec<u8>> {
    let mut cursor = store.read_point().unwrap().cursor(family, &KeyRange::all(), Direction::Forward).unwrap();
    let mut keys = Vec::new();
    while let Some((key, _)) = cursor.next().unwrap() {
        keys.push(key.to_vec());
    }
    keys.retain(|key| !key.starts_with(&[0, 0, 0, 1]));
    keys
}

fn raw<R>(path: &Path, work: impl FnOnce(&LsmStore) -> R) -> R {
    let store = LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(0)))).unwrap();
    let result = work(&store);
    store.close().unwrap();
    result
}

fn write(path: &Path, writes: impl FnOnce(&LsmStore) -> Vec<Write>) {
    raw(path, |store| {
        let writes = writes(store);
        store.commit(CommitRequest { writes, ..CommitRequest::default() }).unwrap();
    });
}

/// A database with the four letters in a directory, closed, and the clock with which to open it.
fn stored(path: &Path) -> Arc<ManualClock> {
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let db = builder(&clock).open(path).unwrap();
    letters(&db);
    db.close().unwrap();
    clock
}

#[test]
fn clearing_and_dropping_take_the_index_along() {
    let directory = tempfile::tempdir().unwrap();
    let clock = stored(directory.path());
    let index = || raw(directory.path(), |store| rows(store, Family::Index).len());
    assert_eq!(index(), 2);
    let db = builder(&clock).open(directory.path()).unwrap();
    let letters = db.keyspace("letters").unwrap();
    letters.delete_range("a"..="d").unwrap();
    db.close().unwrap();
    assert_eq!(index(), 2, "these go when their time has come");

    let db = builder(&clock).open(directory.path()).unwrap();
    db.keyspace("letters").unwrap().clear().unwrap();
    db.close().unwrap();
    assert_eq!(index(), 0);

    let db = builder(&clock).open(directory.path()).unwrap();
    db.keyspace("letters").unwrap().put_expiring("a", "1", seconds(1)).unwrap();
    assert!(db.keyspace("letters").unwrap().bytes_used().is_ok());
    db.keyspace("letters").unwrap().compact().unwrap();
    assert!(db.drop_keyspace("letters").unwrap());
    db.close().unwrap();
    assert_eq!(index(), 0);
    assert_eq!(raw(directory.path(), |store| rows(store, Family::Data)), Vec::<Vec<u8>>::new());
}

#[test]
fn the_index_counts_as_space_of_the_keyspace() {
    let (db, _) = &fixtures()[1];
    let letters = letters(db);
    let values: u64 = 4 * (4 + 1 + 8 + 1);
    let entries: u64 = 2 * (4 + 8 + 1);
    letters.clear().unwrap();
    let empty = letters.bytes_used().unwrap();
    self::letters(db);
    assert_eq!(letters.bytes_used().unwrap() - empty, values + entries);
}

#[test]
fn what_is_loaded_expires_as_it_was_asked_to() {
    for (db, clock) in fixtures() {
        let mut loader = db.load_expiring_keyspace("pages").unwrap();
        for n in 0..2_000_u32 {
            let expires = if n % 2 == 0 { Expires::Never } else { seconds(u64::from(n)) };
            loader.put_expiring(n.to_be_bytes(), "page", expires).unwrap();
        }
        assert_eq!(kind(loader.put_expiring([9; 5], "", Expires::After(Duration::ZERO))), Some(ErrorKind::Invalid));
        assert_eq!(kind(loader.put_expiring([0], "", seconds(1))), Some(ErrorKind::Invalid), "keys must ascend");
        loader.put([0xFF], "never").unwrap();
        assert_eq!(loader.finish().unwrap(), 2_001);
        let pages = db.keyspace("pages").unwrap();
        assert_eq!((pages.count().unwrap(), pages.get([0xFF]).unwrap()), (2_001, Some(b"never".to_vec())));
        let report = db.verify().unwrap();
        assert_eq!((report.problems, report.keys), (vec![], 2_001));
        clock.advance_ms(999 * SECOND_MS);
        assert_eq!(pages.count().unwrap(), 1_501);
        db.apply_retention().unwrap();
        assert_eq!((reaped(&db), db.verify().unwrap().keys), (500, 1_501));
        let mut plain = db.load_keyspace("plain").unwrap();
        assert_eq!(kind(plain.put_expiring("a", "", seconds(1))), Some(ErrorKind::Unsupported));
    }
}

#[test]
fn a_load_that_is_given_up_leaves_no_index_behind() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let db = builder(&clock).open(directory.path()).unwrap();
    let mut loader = db.load_expiring_keyspace("pages").unwrap();
    // Enough for some entries to be written ahead.
    for n in 0..60_000_u32 {
        loader.put_expiring(n.to_be_bytes(), "", seconds(1)).unwrap();
    }
    drop(loader);
    assert_eq!(db.keyspaces().unwrap(), Vec::<String>::new());
    db.close().unwrap();
    for family in [Family::Data, Family::Index] {
        assert_eq!(raw(directory.path(), |store| rows(store, family)), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn a_database_that_is_read_only_hides_and_removes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let clock = stored(directory.path());
    clock.advance_ms(10 * SECOND_MS);
    let db = builder(&clock).read_only().open(directory.path()).unwrap();
    let letters = db.expiring_keyspace("letters").unwrap();
    assert_eq!(keys(letters.iter().unwrap()), ["b", "c", "d"]);
    db.apply_retention().unwrap();
    assert_eq!(db.verify().unwrap().keys, 4);
    assert_eq!(kind(letters.put_expiring("z", "", seconds(1))), Some(ErrorKind::Invalid));
    assert_eq!(kind(letters.set_expiry("b", seconds(1))), Some(ErrorKind::Invalid));
    assert_eq!(kind(db.expiring_keyspace("none")), Some(ErrorKind::NotFound));
}

#[test]
fn verification_finds_values_that_nothing_would_remove_and_entries_that_say_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let clock = stored(directory.path());
    write(directory.path(), |store| {
        let index = rows(store, Family::Index);
        let data = rows(store, Family::Data);
        vec![
            Write::delete(Family::Index, index[0].clone()),
            Write::put(Family::Index, [&index[1][..4], &[0; 8]].concat(), ""),
            Write::put(Family::Data, data[1].clone(), "short"),
        ]
    });
    let db = builder(&clock).open(directory.path()).unwrap();
    let problems = db.verify().unwrap().problems;
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 3, "{texts:?}");
    let has = |parts: [&str; 2]| texts.iter().any(|text| parts.iter().all(|part| text.contains(part)));
    assert!(has(["key \"a\"", "does not say when the value expires"]), "{texts:?}");
    assert!(has(["key \"b\"", "has 5 bytes, at least 8 are needed"]), "{texts:?}");
    assert!(has(["\"letters\"", "an entry of 8 bytes is too short"]), "{texts:?}");

    let letters = db.keyspace("letters").unwrap();
    assert_eq!(kind(letters.get("b")), Some(ErrorKind::Corruption));
    assert_eq!(kind(letters.count()), Some(ErrorKind::Corruption));
    assert_eq!(kind(letters.iter().unwrap().collect::<Result<Vec<_>>>()), Some(ErrorKind::Corruption));
    clock.advance_ms(60 * SECOND_MS);
    db.apply_retention().unwrap();
    assert_eq!((reaped(&db), letters.get("c").unwrap()), (1, None), "damage does not hold the others up");
}

#[test]
fn salvage_makes_the_index_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let clock = Arc::new(ManualClock::at_ms(START_MS));
    let db = builder(&clock).open(&from).unwrap();
    // Salvage goes by the real clock: what it saves must not expire meanwhile.
    let late = Expires::At("2999-12-31T00:00:00Z".parse().unwrap());
    let letters = db.expiring_keyspace("letters").unwrap();
    (0..2_500_u32).for_each(|n| letters.put_expiring(n.to_be_bytes(), "", late).unwrap());
    letters.put("never", "").unwrap();
    db.close().unwrap();
    write(&from, |store| {
        let removed = rows(store, Family::Index).into_iter().step_by(3);
        let mut writes: Vec<_> = removed.map(|key| Write::delete(Family::Index, key)).collect();
        writes.push(Write::put(Family::Data, rows(store, Family::Data)[7].clone(), "bad"));
        writes
    });
    let report = Database::salvage(&from, &to).unwrap();
    assert_eq!((report.keys, report.loss_count), (2_500, 1), "{:?}", report.losses);
    assert!(report.losses[0].message.contains("has 3 bytes"), "{:?}", report.losses);
    let db = builder(&clock).open(&to).unwrap();
    let verified = db.verify().unwrap();
    assert_eq!((verified.problems, verified.keys), (vec![], 2_500));
    assert!(db.keyspace("letters").unwrap().expires_at(9_u32.to_be_bytes()).unwrap().is_some());
    db.close().unwrap();
    assert_eq!(raw(&to, |store| rows(store, Family::Index).len()), 2_499);
}
