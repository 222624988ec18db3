//! Objects in transactions and snapshots.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};

use blaze::limits::TRANSACTION_BYTES_MAX;
use blaze::{
    Database, Durability, ErrorKind, Isolation, ObjectReader, Objects, Timestamp, Transaction, TransactionOptions,
};
use proptest::prelude::*;

use super::model::{Operation, apply, key_of, operation};
use super::{CHUNK, content, fixtures, keys, read, stored_keys, write};

/// What stops a stream.
fn cause(error: &std::io::Error) -> ErrorKind {
    error.get_ref().and_then(|cause| cause.downcast_ref::<blaze::Error>()).unwrap().kind()
}

fn rest(mut reader: ObjectReader) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map(|_| bytes)
}

#[test]
fn a_transaction_sees_its_own_objects_and_others_see_them_with_its_commit() {
    for (db, objects) in fixtures() {
        write(&objects, "kept", b"old");
        write(&objects, "replaced", b"old");
        let [small, large] = [content(10, 1), content(3 * CHUNK + 7, 2)];
        let tx = db.begin().unwrap();
        let own = tx.objects("objects").unwrap();
        assert_eq!(write(&own, "new", &large).bytes, large.len() as u64);
        write(&own, "replaced", &small);
        let mut unfinished = own.create("unfinished").unwrap();
        unfinished.write_all(&content(2 * CHUNK, 3)).unwrap();
        tx.keyspace("notes").unwrap().put("new", "is an object").unwrap();

        assert_eq!(keys(&own, ""), ["kept", "new", "replaced"]);
        assert!(read(&own, "new").unwrap() == large);
        assert_eq!(own.read_range("new", CHUNK as u64..).unwrap().unwrap(), large[CHUNK..]);
        assert_eq!(read(&own, "replaced").unwrap(), small);
        assert_eq!(keys(&objects, ""), ["kept", "replaced"]);
        assert_eq!(read(&objects, "replaced").unwrap(), b"old");

        tx.commit().unwrap();
        assert_eq!(keys(&objects, ""), ["kept", "new", "replaced"]);
        assert!(read(&objects, "new").unwrap() == large && read(&objects, "replaced").unwrap() == small);
        assert_eq!(db.keyspace("notes").unwrap().get("new").unwrap().as_deref(), Some(b"is an object".as_slice()));
        assert_eq!(unfinished.finish().unwrap_err().kind(), ErrorKind::Closed);
    }
}

#[test]
fn nothing_is_left_of_a_transaction_that_is_rolled_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    let objects = db.objects("objects").unwrap();
    let old = content(2 * CHUNK + 1, 1);
    write(&objects, "key", &old);
    let tx = db.begin().unwrap();
    let own = tx.objects("objects").unwrap();
    write(&own, "key", &content(3 * CHUNK, 2));
    write(&own, "other", &content(3 * CHUNK, 3));
    assert!(own.delete("key").unwrap());
    tx.rollback();
    assert!(read(&objects, "key").unwrap() == old);
    assert_eq!(keys(&objects, ""), ["key"]);
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len(), 4, "a row and three chunks");
}

#[test]
fn what_a_transaction_replaces_and_deletes_of_its_own_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    db.transaction(|tx| {
        let own = tx.objects("objects")?;
        for key in ["replaced", "deleted", "replaced"] {
            write(&own, key, &content(3 * CHUNK, 1));
        }
        write(&own, "replaced", b"at last");
        assert!(own.delete("deleted")?);
        assert!(!own.delete("deleted")?);
        Ok(())
    })
    .unwrap();
    assert_eq!(keys(&db.objects("objects").unwrap(), ""), ["replaced"]);
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len(), 2, "a row and a chunk");
}

#[test]
fn a_savepoint_takes_back_the_objects_that_came_after_it() {
    for (db, objects) in fixtures() {
        write(&objects, "a", b"committed");
        db.transaction(|tx| {
            let own = tx.objects("objects")?;
            write(&own, "b", b"before");
            let savepoint = tx.savepoint()?;
            write(&own, "a", &content(2 * CHUNK, 1));
            write(&own, "b", b"after");
            write(&own, "c", b"after");
            let reader = own.open("a")?.unwrap();
            tx.rollback_to(&savepoint)?;
            assert_eq!(cause(&rest(reader).unwrap_err()), ErrorKind::Invalid);
            assert_eq!(keys(&own, ""), ["a", "b"]);
            assert_eq!((read(&own, "a").unwrap(), read(&own, "b").unwrap()), (b"committed".into(), b"before".into()));
            Ok(())
        })
        .unwrap();
        assert_eq!(
            (read(&objects, "a").unwrap(), read(&objects, "b").unwrap()),
            (b"committed".into(), b"before".into())
        );
    }
}

#[test]
fn transactions_that_replace_the_same_object_conflict_under_either_isolation() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        for (db, objects) in fixtures() {
            write(&objects, "key", b"0");
            let options = TransactionOptions::new().isolation(isolation);
            let [first, second] = [1, 2].map(|_| db.begin_with(options).unwrap());
            for (tx, bytes) in [(&first, b"1"), (&second, b"2")] {
                write(&tx.objects("objects").unwrap(), "key", bytes);
            }
            first.commit().unwrap();
            let error = second.commit().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{isolation:?}");
            assert!(error.to_string().contains("object \"key\" of the object store \"objects\""), "{error}");
            assert_eq!(read(&objects, "key").unwrap(), b"1");
        }
    }
}

#[test]
fn a_transaction_that_has_read_an_object_conflicts_with_its_replacement_and_with_no_other() {
    for (db, objects) in fixtures() {
        write(&objects, "read", &content(2 * CHUNK, 1));
        let begin = || -> Transaction {
            let tx = db.begin().unwrap();
            read(&tx.objects("objects").unwrap(), "read").unwrap();
            tx.keyspace("notes").unwrap().put("read", "it").unwrap();
            tx
        };
        let tx = begin();
        write(&objects, "other", b"1");
        tx.commit().unwrap();
        let tx = begin();
        write(&objects, "read", b"2");
        assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
    }
}

#[test]
fn a_reader_of_a_transaction_goes_on_with_what_was_committed_and_ends_with_the_transaction() {
    for (db, objects) in fixtures() {
        let old = content(3 * CHUNK, 1);
        write(&objects, "key", &old);
        let tx = db.begin().unwrap();
        let own = tx.objects("objects").unwrap();
        let committed = || own.open("key").unwrap().unwrap();
        let [before, mut after] = [committed(), committed()];
        write(&own, "key", &content(2 * CHUNK, 2));
        assert!(rest(before).unwrap() == old);
        after.read_exact(&mut [0; 10]).unwrap();

        let replaced = own.open("key").unwrap().unwrap();
        write(&own, "key", b"again");
        let error = rest(replaced).unwrap_err();
        assert_eq!(cause(&error), ErrorKind::Invalid);
        assert!(error.to_string().contains("object \"key\" was replaced"), "{error}");
        tx.commit().unwrap();
        assert_eq!(cause(&rest(after).unwrap_err()), ErrorKind::Closed);
        assert_eq!(own.info("key").unwrap_err().kind(), ErrorKind::Closed);
    }
}

#[test]
fn an_object_has_no_time_before_the_commit_and_keeps_that_of_its_creation() {
    for (db, objects) in fixtures() {
        let old = write(&objects, "old", b"1");
        let tx = db.begin().unwrap();
        let own = tx.objects("objects").unwrap();
        let info = write(&own, "old", b"2");
        assert_eq!((info.created_at, info.modified_at), (old.created_at, Timestamp::ZERO));
        for content in [b"1", b"2"] {
            let info = write(&own, "new", content); // in the place of what is its own, too
            assert_eq!((info.created_at, info.modified_at), (Timestamp::ZERO, Timestamp::ZERO));
            assert_eq!(own.info("new").unwrap(), Some(info));
        }
        let committed = tx.commit().unwrap();
        let times = |key: &str| objects.info(key).unwrap().map(|info| (info.created_at, info.modified_at));
        assert_eq!(times("old"), Some((old.created_at, committed)));
        assert_eq!(times("new"), Some((committed, committed)));
    }
}

#[test]
fn an_object_that_no_transaction_could_hold_is_refused_while_it_is_written() {
    let (db, objects) = &fixtures()[0];
    let tx = db.begin().unwrap();
    let own = tx.objects("objects").unwrap();
    let mut writer = own.create("large").unwrap();
    let copied = std::io::copy(&mut std::io::repeat(7).take(TRANSACTION_BYTES_MAX as u64 + 1), &mut writer);
    let error = copied.unwrap_err();
    assert_eq!(cause(&error), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains(&TRANSACTION_BYTES_MAX.to_string()), "{error}");
    assert_eq!(writer.bytes(), TRANSACTION_BYTES_MAX as u64);
    // With its keys it is too large, but only just.
    assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(own.info("large").unwrap(), None);
    write(&own, "small", b"1");
    tx.commit().unwrap();
    assert_eq!(keys(objects, ""), ["small"]);
}

#[test]
fn a_snapshot_keeps_the_objects_that_are_replaced_deleted_and_dropped() {
    for (db, objects) in fixtures() {
        let contents = [content(3 * CHUNK + 1, 1), content(300 * CHUNK, 2)];
        for (key, content) in ["a", "b"].iter().zip(&contents) {
            write(&objects, key, content);
        }
        let snapshot = db.snapshot().unwrap();
        write(&objects, "a", b"replaced");
        objects.delete("b").unwrap();
        write(&objects, "c", b"new");
        db.compact().unwrap();
        let check = |then: &Objects| {
            assert_eq!(keys(then, ""), ["a", "b"]);
            for (key, content) in ["a", "b"].iter().zip(&contents) {
                assert!(read(then, key).unwrap() == *content, "{key}");
            }
        };
        let then = snapshot.objects("objects").unwrap();
        check(&then);
        db.drop_objects("objects").unwrap();
        db.compact().unwrap();
        check(&then);
        check(&snapshot.objects("objects").unwrap());
    }
}

#[test]
fn a_snapshot_and_the_past_say_what_they_cannot_do() {
    for (db, objects) in fixtures() {
        write(&objects, "key", b"1");
        let snapshot = db.snapshot().unwrap();
        let then = snapshot.objects("objects").unwrap();
        assert_eq!(then.create("key").unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(then.delete("key").unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(snapshot.objects("absent").unwrap_err().kind(), ErrorKind::NotFound);
        let error = db.as_of(snapshot.read_ts()).unwrap().objects("objects").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
}

#[test]
fn a_store_that_a_transaction_makes_comes_with_its_commit() {
    for (db, _) in fixtures() {
        let tx = db.begin().unwrap();
        write(&tx.objects("made").unwrap(), "key", b"1");
        assert_eq!(db.object_stores().unwrap(), ["objects"]);
        tx.commit().unwrap();
        assert_eq!(read(&db.objects("made").unwrap(), "key").unwrap(), b"1");
    }
}

/// What becomes of a part of a transaction, and of the whole.
#[derive(Clone, Debug)]
struct Work {
    kept: Vec<Operation>,
    taken_back: Vec<Operation>,
    commits: bool,
}

fn work() -> impl Strategy<Value = Work> {
    // Readers that stay open have tests of their own.
    let operations = || {
        let writes = operation().prop_filter("a reader stays open", |operation| !operation.is_of_a_reader());
        prop::collection::vec(writes, 0..6)
    };
    (operations(), operations(), prop::bool::weighted(0.7)).prop_map(|(kept, taken_back, commits)| Work {
        kept,
        taken_back,
        commits,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn transactions_over_objects_do_what_copies_of_a_map_do(
        works in prop::collection::vec(work(), 1..6),
        on_disk in any::<bool>(),
    ) {
        let builder = Database::builder().durability(Durability::Buffered);
        let db = if on_disk { builder.temporary() } else { builder.in_memory() }.unwrap();
        let objects = db.objects("objects").unwrap();
        let mut model = BTreeMap::new();
        let mut seeds = 0..;
        let mut run = |objects: &Objects, model: &mut BTreeMap<String, Vec<u8>>, operations: &[Operation]| {
            for (operation, seed) in operations.iter().zip(&mut seeds) {
                apply(objects, model, &mut Vec::new(), seed, operation);
            }
        };
        for work in &works {
            let tx = db.begin().unwrap();
            let own = tx.objects("objects").unwrap();
            let mut changed = model.clone();
            run(&own, &mut changed, &work.kept);
            let savepoint = tx.savepoint().unwrap();
            run(&own, &mut changed.clone(), &work.taken_back);
            tx.rollback_to(&savepoint).unwrap();
            run(&own, &mut changed, &work.kept);
            if work.commits {
                tx.commit().unwrap();
                model = changed;
            }
            for number in 0..4 {
                prop_assert!(read(&objects, &key_of(number)) == model.get(&key_of(number)).cloned());
            }
        }
    }
}
