//! Many documents in one transaction.

use std::cell::Cell;

use blaze::limits::TRANSACTION_BYTES_MAX;
use blaze::{Database, Document, ErrorKind, Value};

use super::number;

#[test]
fn documents_are_taken_one_by_one_while_they_are_inserted() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let taken = Cell::new(0);
    let rows = (0..10).map(|n| {
        taken.set(taken.get() + 1);
        if n == 4 { (3, number(n)) } else { (n, number(n)) }
    });
    let error = numbers.insert_many_with_ids(rows).unwrap_err();
    assert_eq!((error.kind(), taken.get()), (ErrorKind::AlreadyExists, 5), "none is taken after the one that fails");
    assert_eq!(numbers.count().unwrap(), 0, "all or none");
    assert_eq!(numbers.insert_many_with_ids((0..10).map(|n| (n, number(n)))).unwrap(), 10);
}

#[test]
fn an_iterator_may_write_to_the_transaction_that_it_is_inserted_in() {
    let db = Database::in_memory().unwrap();
    db.transaction(|tx| {
        let (numbers, log) = (tx.collection::<Document>("numbers")?, tx.keyspace("log")?);
        let rows = (0..3).map(|n| {
            log.put(format!("{n}"), "taken").unwrap();
            number(n)
        });
        numbers.insert_many(rows).map(drop)
    })
    .unwrap();
    assert_eq!(db.keyspace("log").unwrap().count().unwrap(), 3);
    assert_eq!(db.collection::<Document>("numbers").unwrap().count().unwrap(), 3);
}

#[test]
fn more_than_a_transaction_holds_is_refused_with_the_number_of_those_that_fit() {
    let bytes = 8 * 1024 * 1024;
    let fitting = TRANSACTION_BYTES_MAX / bytes - 1;
    let endless = || std::iter::repeat_with(|| Document::new().with("bytes", Value::from(vec![7_u8; bytes])));
    let words = [format!("{fitting} of the documents fit"), "bulk()".to_owned()];
    let db = Database::in_memory().unwrap();
    let blobs = db.collection::<Document>("blobs").unwrap();
    let alone = blobs.insert_many(endless()).unwrap_err();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("blobs").unwrap();
    let within = own.insert_many(endless()).unwrap_err();
    assert_eq!(own.count().unwrap(), 0);
    for error in [alone, within] {
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    }
    assert_eq!(blobs.count().unwrap(), 0);
}
