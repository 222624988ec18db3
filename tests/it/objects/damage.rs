//! Damage to what is stored is an error, and never a short or a wrong read.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use blaze::{Database, ErrorKind, ManualClock};
use blaze_core::{CommitRequest, Family, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use super::{CHUNK, content, stored_keys, write};

/// Changes the value under a key of a database that is closed.
fn damage(path: &Path, key: &[u8], change: &dyn Fn(Vec<u8>) -> Option<Vec<u8>>) {
    let store = LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(0)))).unwrap();
    let value = store.read_point().unwrap().get(Family::Data, key).unwrap().unwrap();
    let write = match change(value) {
        Some(value) => Write::put(Family::Data, key, value),
        None => Write::delete(Family::Data, key),
    };
    store.commit(CommitRequest { writes: vec![write], ..CommitRequest::default() }).unwrap();
    store.close().unwrap();
}

/// An object of three chunks whose chunk, or row if there is none, was damaged; what reading it answers.
#[track_caller]
fn is_refused(chunk: Option<usize>, word: &str, change: &dyn Fn(Vec<u8>) -> Option<Vec<u8>>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    write(&db.objects("objects").unwrap(), "key", &content(2 * CHUNK + 10, 1));
    db.close().unwrap();
    let keys = stored_keys(&path); // three chunks and the row
    damage(&path, &keys[chunk.unwrap_or(3)], change);

    let db = Database::open(&path).unwrap();
    let objects = db.objects("objects").unwrap();
    if chunk.is_none() {
        let errors = [
            objects.info("key").unwrap_err(),
            objects.open("key").unwrap_err(),
            objects.list("").unwrap().next().unwrap().unwrap_err(),
            objects.delete("key").unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
        }
        return;
    }
    let mut reader = objects.open("key").unwrap().unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<blaze::Error>()).unwrap();
    assert_eq!(cause.kind(), ErrorKind::Corruption);
    assert!(cause.to_string().contains(word) && cause.to_string().contains("key"), "{cause}");
    assert!(reader.read(&mut [0; 100]).is_err(), "the error does not go away");
}

#[test]
fn a_chunk_that_is_missing_is_an_error() {
    is_refused(Some(1), "lacks chunk 1 of 3", &|_| None);
}

#[test]
fn a_chunk_that_is_too_short_or_too_long_is_an_error() {
    is_refused(Some(0), "not 262144", &|chunk| Some(chunk[1..].to_vec()));
    is_refused(Some(2), "not 10", &|chunk| Some([&chunk[..], b"x"].concat()));
}

#[test]
fn a_bit_that_has_changed_is_an_error_when_all_was_read() {
    is_refused(Some(1), "checksum", &|mut chunk| {
        chunk[1000] ^= 1;
        Some(chunk)
    });
}

#[test]
fn a_row_that_is_damaged_is_an_error() {
    is_refused(None, "", &|row| Some(row[..row.len() - 1].to_vec()));
    is_refused(None, "", &|mut row| {
        let last = row.len() - 1;
        row[last] ^= 1;
        Some(row)
    });
}
