//! Writing only what has not changed since it was read.

use blaze::{Database, Document, ErrorKind, Timestamp, inc};

use super::{n, number};

#[test]
fn a_document_of_another_version_is_left_alone() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.insert_with_id(1, &number(1)).unwrap();
        let seen = numbers.get(1).unwrap().unwrap();
        numbers.if_version(seen.version).update(1, inc("n", 1)).unwrap();
        let stale = numbers.if_version(seen.version);
        for refused in
            [stale.update(1, inc("n", 1)), stale.replace(1, &number(9)), stale.delete(1), numbers.save(&seen)]
        {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::VersionMismatch);
            for word in ["document 1 ", "\"numbers\"", &seen.version.to_string(), "read it again"] {
                assert!(error.to_string().contains(word), "{word}: {error}");
            }
        }
        let mut found = numbers.get(1).unwrap().unwrap();
        assert_eq!(n(&found), 2);
        found.value.insert("n", 7);
        numbers.save(&found).unwrap();
        let found = numbers.get(1).unwrap().unwrap();
        numbers.if_version(found.version).replace(1, &number(8)).unwrap();
        let found = numbers.get(1).unwrap().unwrap();
        numbers.if_version(found.version).delete(1).unwrap();
        let gone = numbers.save(&found).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::VersionMismatch);
        assert!(gone.to_string().contains("is gone"), "{gone}");
    }
}

#[test]
fn a_mismatch_is_not_tried_again() {
    let db = Database::in_memory().unwrap();
    db.collection::<Document>("numbers").unwrap().insert_with_id(1, &number(1)).unwrap();
    let mut runs = 0;
    let error = db
        .transaction(|tx| {
            runs += 1;
            tx.collection::<Document>("numbers")?.if_version(Timestamp::from_bits(7)).delete(1)
        })
        .unwrap_err();
    assert_eq!((error.kind(), runs), (ErrorKind::VersionMismatch, 1));
    assert!(!error.kind().is_retryable());
}

#[test]
fn what_a_transaction_has_written_is_of_no_version_yet() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.insert_with_id(1, &number(1)).unwrap();
    let committed = numbers.get(1).unwrap().unwrap().version;
    db.transaction(|tx| {
        let own = tx.collection::<Document>("numbers")?;
        own.if_version(committed).update(1, inc("n", 1))?;
        assert_eq!(own.if_version(committed).delete(1).unwrap_err().kind(), ErrorKind::VersionMismatch);
        own.if_version(Timestamp::ZERO).update(1, inc("n", 1))
    })
    .unwrap();
    assert_eq!(n(&numbers.get(1).unwrap().unwrap()), 3);
}
