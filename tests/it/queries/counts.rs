//! How many documents a collection has.

use blaze::{Database, Document, ErrorKind, Isolation, TransactionOptions, field};

fn document(n: i64) -> Document {
    Document::new().with("n", n)
}

#[test]
fn a_count_follows_every_way_in_which_documents_come_and_go() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = db.collection::<Document>("numbers").unwrap();
        let expect = |count: u64| {
            assert_eq!(numbers.count().unwrap(), count);
            assert_eq!(numbers.find_all().run().unwrap().len() as u64, count);
            assert_eq!(numbers.find_all().skip(2).limit(5).count().unwrap(), count.saturating_sub(2).min(5));
        };
        expect(0);
        numbers.insert_with_id(1, &document(1)).unwrap();
        numbers.put(1, &document(2)).unwrap();
        numbers.put(2, &document(2)).unwrap();
        expect(2);
        assert_eq!(numbers.insert_with_id(1, &document(1)).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(numbers.delete(2).unwrap() && !numbers.delete(2).unwrap());
        numbers.insert_many((0..10).map(document)).unwrap();
        expect(11);
        let loaded = db.load_collection::<Document>("numbers").replace();
        let mut loaded = loaded.begin().unwrap();
        (0..5).for_each(|n| loaded.insert_with_id(n, &document(n)).unwrap());
        loaded.finish().unwrap();
        expect(5);
        db.drop_collection("numbers").unwrap();
        let again = db.collection::<Document>("numbers").unwrap();
        assert_eq!(again.count().unwrap(), 0);
        assert!(db.verify().unwrap().is_healthy());
    }
}

#[test]
fn a_transaction_counts_its_own_documents_and_takes_back_what_is_rolled_back() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.insert_many((0..3).map(document)).unwrap();
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        (10..20).for_each(|n| own.insert_with_id(n, &document(n)).unwrap());
        assert_eq!((own.count().unwrap(), numbers.count().unwrap()), (13, 3));
        let savepoint = tx.savepoint().unwrap();
        (20..30).for_each(|n| own.insert_with_id(n, &document(n)).unwrap());
        own.delete(10).unwrap();
        assert_eq!(own.count().unwrap(), 22);
        tx.rollback_to(&savepoint).unwrap();
        assert_eq!(own.count().unwrap(), 13);
        own.insert_many([document(7), document(8)]).unwrap();
        tx.commit().unwrap();
        assert_eq!(numbers.count().unwrap(), 15);
        assert_eq!(numbers.find(field("n").exists(true)).count().unwrap(), 15);
        assert!(db.verify().unwrap().is_healthy());
    }
}

#[test]
fn inserts_do_not_conflict_over_the_count_and_a_serializable_count_conflicts_with_them() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = db.collection::<Document>("numbers").unwrap();
        let [one, two] = [0, 1].map(|n| {
            let tx = db.begin().unwrap();
            tx.collection("numbers").unwrap().insert(&document(n)).unwrap();
            tx
        });
        one.commit().unwrap();
        two.commit().unwrap();
        assert_eq!(numbers.count().unwrap(), 2);
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        assert_eq!(own.count().unwrap(), 2);
        own.insert(&document(5)).unwrap();
        numbers.insert(&document(3)).unwrap();
        let error = tx.commit().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(error.to_string().contains("the number of documents of the collection \"numbers\""), "{error}");
        // Under snapshot isolation nothing that was only read conflicts, and no addition is lost.
        let tx = db.begin_with(TransactionOptions::new().isolation(Isolation::Snapshot)).unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        own.insert(&document(6)).unwrap();
        assert_eq!(own.count().unwrap(), 4);
        numbers.insert(&document(4)).unwrap();
        tx.commit().unwrap();
        assert_eq!(numbers.count().unwrap(), 5);
    }
}
