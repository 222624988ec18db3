//! Objects: streams of bytes of any size.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod crashes;
mod damage;
mod model;
mod transactions;

use std::io::{Read, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use blaze::limits::{KEY_BYTES_MAX, OBJECT_CHUNK_BYTES, TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX};
use blaze::{Database, Durability, ErrorKind, ManualClock, ObjectInfo, Objects};
use blaze_core::{Direction, Family, KeyRange, Store};
use blaze_lsm::{LsmOptions, LsmStore};

const CHUNK: usize = OBJECT_CHUNK_BYTES;

/// An object store in memory and one on disk.
fn fixtures() -> [(Database, Objects); 2] {
    let buffered = || Database::builder().durability(Durability::Buffered);
    [buffered().in_memory().unwrap(), buffered().temporary().unwrap()].map(|db| {
        let objects = db.objects("objects").unwrap();
        (db, objects)
    })
}

/// So many bytes that do not repeat, other ones for each seed.
pub(super) fn content(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

fn write(objects: &Objects, key: &str, bytes: &[u8]) -> ObjectInfo {
    let mut writer = objects.create(key).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn read(objects: &Objects, key: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    objects.open(key).unwrap()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

fn keys(objects: &Objects, prefix: &str) -> Vec<String> {
    objects.list(prefix).unwrap().map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect()
}

/// All keys but those of the catalog in a directory whose database is closed.
pub(super) fn stored_keys(path: &Path) -> Vec<Vec<u8>> {
    let store = LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(0)))).unwrap();
    let view = store.read_point().unwrap();
    let mut keys = Vec::new();
    for family in Family::ALL.into_iter().filter(|family| *family != Family::Catalog) {
        let mut cursor = view.cursor(family, &KeyRange::all(), Direction::Forward).unwrap();
        while let Some((key, _)) = cursor.next().unwrap() {
            // How many documents a collection has is no content of it.
            if !key.starts_with(&[0, 0, 0, 1, b'c']) {
                keys.push(key.to_vec());
            }
        }
    }
    keys
}

#[test]
fn an_object_is_read_as_it_was_written_whatever_its_size() {
    for (_db, objects) in fixtures() {
        for bytes in [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let content = content(bytes, bytes as u64);
            let info = write(&objects, "key", &content);
            assert_eq!((info.bytes, info.checksum), (bytes as u64, crc32fast::hash(&content)));
            assert_eq!(objects.info("key").unwrap(), Some(info));
            assert!(read(&objects, "key").unwrap() == content, "{bytes} bytes");
        }
    }
}

#[test]
fn an_object_is_visible_when_it_is_finished_and_not_before() {
    for (_db, objects) in fixtures() {
        write(&objects, "key", b"old");
        let mut writer = objects.create("key").unwrap();
        writer.write_all(&content(2 * CHUNK, 1)).unwrap();
        assert_eq!(read(&objects, "key").unwrap(), b"old");
        assert_eq!(writer.bytes(), 2 * CHUNK as u64);
        writer.finish().unwrap();
        assert_eq!(objects.info("key").unwrap().unwrap().bytes, 2 * CHUNK as u64);
    }
}

/// Does something to the object under "key".
type Change = fn(&Database, &Objects);

#[test]
fn a_reader_goes_on_with_the_object_that_it_has_opened() {
    for (db, objects) in fixtures() {
        let old = content(3 * CHUNK, 1);
        write(&objects, "key", &old);
        let ways: [(&str, Change); 3] = [
            ("replaced", |_, objects| assert!(write(objects, "key", &content(2 * CHUNK, 2)).bytes > 0)),
            ("deleted", |_, objects| assert!(objects.delete("key").unwrap())),
            ("dropped", |db, _| assert!(db.drop_objects("objects").unwrap())),
        ];
        for (way, change) in ways {
            let before = read(&objects, "key");
            let mut reader = objects.open("key").unwrap();
            let mut start = vec![0; 10];
            if let Some(reader) = &mut reader {
                reader.read_exact(&mut start).unwrap();
            }
            change(&db, &objects);
            let Some(mut reader) = reader else { continue };
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            assert!(before.unwrap() == [start, rest].concat(), "{way}");
            if way == "deleted" {
                assert_eq!(read(&objects, "key"), None);
                write(&objects, "key", &old);
            }
        }
        assert_eq!(objects.info("key").unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn a_reader_seeks_from_the_start_the_end_and_where_it_is() {
    for (_db, objects) in fixtures() {
        let bytes = content(2 * CHUNK + 100, 1);
        write(&objects, "key", &bytes);
        let mut reader = objects.open("key").unwrap().unwrap();
        let mut ten = [0; 10];
        for position in [CHUNK - 5, 0, 2 * CHUNK + 90, CHUNK] {
            assert_eq!(reader.seek(SeekFrom::Start(position as u64)).unwrap(), position as u64);
            reader.read_exact(&mut ten).unwrap();
            assert_eq!(ten, bytes[position..position + 10]);
        }
        assert_eq!(reader.seek(SeekFrom::Current(-20)).unwrap(), CHUNK as u64 - 10);
        reader.read_exact(&mut ten).unwrap();
        assert_eq!(ten, bytes[CHUNK - 10..CHUNK]);
        reader.seek(SeekFrom::End(-3)).unwrap();
        assert_eq!(reader.read(&mut ten).unwrap(), 3);
        assert_eq!(reader.seek(SeekFrom::End(1000)).unwrap(), bytes.len() as u64 + 1000);
        assert_eq!(reader.read(&mut ten).unwrap(), 0);
        let error = reader.seek(SeekFrom::Current(i64::MIN)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(reader.stream_position().unwrap(), bytes.len() as u64 + 1000, "it stays where it was");
    }
}

#[test]
fn a_range_is_read_as_far_as_the_object_reaches() {
    for (_db, objects) in fixtures() {
        let bytes = content(CHUNK + 100, 1);
        write(&objects, "key", &bytes);
        let (at, end) = (CHUNK as u64, bytes.len() as u64);
        assert_eq!(objects.read_range("key", at - 5..at + 5).unwrap().unwrap(), bytes[CHUNK - 5..CHUNK + 5]);
        assert_eq!(objects.read_range("key", ..=9).unwrap().unwrap(), bytes[..10]);
        assert_eq!(objects.read_range("key", end - 3..end + 3).unwrap().unwrap(), bytes[bytes.len() - 3..]);
        assert_eq!(objects.read_range("key", end..).unwrap().unwrap(), b"");
        #[expect(clippy::reversed_empty_ranges, reason = "it is what is tested")]
        let reversed = objects.read_range("key", 20..10).unwrap().unwrap();
        assert_eq!(reversed, b"");
        assert_eq!(objects.read_range("other", ..).unwrap(), None);
    }
}

#[test]
fn objects_are_listed_by_prefix_in_order() {
    for (_db, objects) in fixtures() {
        for key in ["b/2", "a", "b/10", "c", "b"] {
            write(&objects, key, key.as_bytes());
        }
        let _unfinished = objects.create("b/3").unwrap();
        assert_eq!(keys(&objects, ""), ["a", "b", "b/10", "b/2", "c"]);
        assert_eq!(keys(&objects, "b/"), ["b/10", "b/2"]);
        let (key, info) = objects.list("b/1").unwrap().next().unwrap().unwrap();
        assert_eq!((key.as_slice(), Some(info)), (b"b/10".as_slice(), objects.info("b/10").unwrap()));
        assert!(objects.delete("b/2").unwrap());
        assert!(!objects.delete("b/2").unwrap());
        assert_eq!(keys(&objects, "b/"), ["b/10"]);
    }
}

#[test]
fn a_replaced_object_keeps_the_time_of_its_creation_until_it_is_deleted() {
    for (_db, objects) in fixtures() {
        let first = write(&objects, "key", b"1");
        assert_eq!(first.created_at, first.modified_at);
        let second = write(&objects, "key", b"2");
        assert_eq!(second.created_at, first.created_at);
        assert!(second.modified_at > first.modified_at);
        assert_eq!(write(&objects, "key", b"3").created_at, first.created_at);
        objects.delete("key").unwrap();
        let again = write(&objects, "key", b"4");
        assert!(again.created_at > second.modified_at);
    }
}

#[test]
fn of_two_writers_of_the_same_object_the_last_to_finish_wins() {
    for (_db, objects) in fixtures() {
        let mut writers = [1, 2].map(|seed| {
            let mut writer = objects.create("key").unwrap();
            writer.write_all(&content(CHUNK + 1, seed)).unwrap();
            writer
        });
        writers.reverse();
        for writer in writers {
            writer.finish().unwrap();
        }
        assert!(read(&objects, "key").unwrap() == content(CHUNK + 1, 1), "the first to begin was the last to finish");
    }
}

#[test]
fn writers_on_many_threads_do_not_get_into_each_others_way() {
    let (_db, objects) = &fixtures()[1];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for round in 0..5 {
                    write(objects, &format!("own {thread}"), &content(CHUNK + round, thread));
                    write(objects, "shared", &content(2 * CHUNK + thread as usize, thread));
                }
            });
        }
    });
    for thread in 0..4 {
        assert!(read(objects, &format!("own {thread}")).unwrap() == content(CHUNK + 4, thread));
    }
    let shared = read(objects, "shared").unwrap();
    assert!(shared == content(shared.len(), (shared.len() - 2 * CHUNK) as u64), "a mixture of two objects");
}

#[test]
fn an_object_may_be_larger_than_any_transaction() {
    let (_db, objects) = &fixtures()[1];
    let megabyte = vec![7; 1024 * 1024];
    let megabytes = TRANSACTION_BYTES_MAX / megabyte.len() + 1;
    let mut writer = objects.create("large").unwrap();
    let mut checksum = crc32fast::Hasher::new();
    for _ in 0..megabytes {
        writer.write_all(&megabyte).unwrap();
        checksum.update(&megabyte);
    }
    let info = writer.finish().unwrap();
    assert_eq!((info.bytes, info.checksum), ((megabytes * megabyte.len()) as u64, checksum.finalize()));
    let mut reader = objects.open("large").unwrap().unwrap();
    assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), info.bytes); // compares the checksum, too
    let error = objects.read_range("large", ..).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains(&VALUE_BYTES_MAX.to_string()), "{error}");
    assert!(objects.delete("large").unwrap());
}

#[test]
fn nothing_is_left_of_what_is_dropped_deleted_or_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let with_database = |work: &dyn Fn(&Database, &Objects)| {
        let db = Database::open(&path).unwrap();
        work(&db, &db.objects("objects").unwrap());
        db.close().unwrap();
        stored_keys(&path).len()
    };
    assert_eq!(with_database(&|_, _| {}), 0);
    let abandoned = with_database(&|_, objects| {
        let mut writer = objects.create("key").unwrap();
        writer.write_all(&content(3 * CHUNK, 1)).unwrap();
    });
    assert_eq!(abandoned, 0);
    let replaced = with_database(&|_, objects| {
        write(objects, "key", &content(3 * CHUNK, 1));
        write(objects, "key", &content(CHUNK + 1, 2));
    });
    assert_eq!(replaced, 3, "a row and two chunks");
    let deleted = with_database(&|_, objects| {
        write(objects, "empty", b"");
        assert!(objects.delete("key").unwrap() && objects.delete("empty").unwrap());
    });
    assert_eq!(deleted, 0);
    let dropped = with_database(&|db, objects| {
        write(objects, "key", b"1");
        let mut writer = objects.create("other").unwrap();
        writer.write_all(&content(2 * CHUNK, 1)).unwrap();
        assert!(db.drop_objects("objects").unwrap());
        assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::NotFound);
    });
    assert_eq!(dropped, 0);
}

#[test]
fn a_writer_does_not_reach_into_a_store_that_has_the_name_of_its_own() {
    for (db, objects) in fixtures() {
        let mut writer = objects.create("key").unwrap();
        writer.write_all(&content(2 * CHUNK, 1)).unwrap();
        db.drop_objects("objects").unwrap();
        let objects = db.objects("objects").unwrap();
        let error = writer.write_all(&content(CHUNK, 2)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<blaze::Error>()).unwrap();
        assert_eq!(cause.kind(), ErrorKind::NotFound, "{cause}");
        assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(keys(&objects, ""), Vec::<String>::new());
    }
}

#[test]
fn bad_keys_and_names_are_refused() {
    for (db, objects) in fixtures() {
        let long = "k".repeat(KEY_BYTES_MAX + 1);
        assert_eq!(objects.create("").unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(objects.open(&long).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(objects.info("").unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(objects.delete(&long).unwrap_err().kind(), ErrorKind::LimitExceeded);
        write(&objects, &long[1..], b"as long as can be");
        let error = db.keyspace("objects").unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().contains("is an object store, not a keyspace")),
            (ErrorKind::Invalid, true)
        );
        db.keyspace("keys").unwrap();
        let error = db.objects("keys").unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().contains("is a keyspace, not an object store")),
            (ErrorKind::Invalid, true)
        );
        assert_eq!(db.object_stores().unwrap(), ["objects"]);
        assert!(!db.drop_objects("nothing").unwrap());
    }
}

#[test]
fn streams_answer_closed_once_the_database_is() {
    for (db, objects) in fixtures() {
        write(&objects, "key", &content(2 * CHUNK, 1));
        let mut reader = objects.open("key").unwrap().unwrap();
        let mut writer = objects.create("other").unwrap();
        writer.write_all(&content(CHUNK, 1)).unwrap();
        db.close().unwrap();
        for error in [reader.read(&mut [0; 1]).unwrap_err(), writer.write(&[1]).unwrap_err()] {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<blaze::Error>()).unwrap();
            assert_eq!(cause.kind(), ErrorKind::Closed);
        }
        assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::Closed);
    }
}
