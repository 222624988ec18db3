//! Transactions and snapshots.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::cell::Cell;
use std::thread;

use blaze::{
    Database, Document, Durability, Error, ErrorKind, Index, Isolation, Transaction, TransactionOptions, Value, desc,
    field, inc, set,
};

fn number(n: i64) -> Document {
    Document::new().with("n", n)
}

fn n(document: &Document) -> i64 {
    document.get("n").and_then(Value::as_i64).unwrap()
}

/// A database in memory and one on disk, each with the numbers 1 to 5 under their own ids.
fn fixtures() -> [Database; 2] {
    [Database::in_memory().unwrap(), Database::temporary().unwrap()].map(|db| {
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.ensure_index(Index::on("n")).unwrap();
        numbers.bulk().insert_with_ids((1..=5).map(|n| (n, number(n)))).unwrap();
        db
    })
}

fn numbers(db: &Database) -> Vec<i64> {
    db.collection::<Document>("numbers").unwrap().find_all().run().unwrap().iter().map(|found| n(found)).collect()
}

#[test]
fn two_collections_and_a_keyspace_change_at_once_or_not_at_all() {
    for db in fixtures() {
        let write = |tx: &Transaction| {
            tx.collection("numbers")?.insert_with_id(6, &number(6))?;
            tx.collection("others")?.insert_with_id(1, &number(1))?;
            tx.keyspace("keys")?.put("key", "value")
        };
        let rolled_back = db.begin().unwrap();
        write(&rolled_back).unwrap();
        rolled_back.rollback();
        let before = db.snapshot().unwrap();
        assert_eq!((db.collections().unwrap(), db.keyspaces().unwrap()), (vec!["numbers".to_owned()], vec![]));
        assert_eq!(numbers(&db), [1, 2, 3, 4, 5]);

        db.transaction(write).unwrap();
        assert_eq!(numbers(&db), [1, 2, 3, 4, 5, 6]);
        assert_eq!(db.collection::<Document>("others").unwrap().count().unwrap(), 1);
        assert_eq!(db.keyspace("keys").unwrap().count().unwrap(), 1);
        assert_eq!(before.collection::<Document>("numbers").unwrap().count().unwrap(), 5, "a snapshot never changes");
        assert_eq!(before.collection::<Document>("others").unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn a_lost_update_is_refused() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        for db in fixtures() {
            let options = TransactionOptions::new().isolation(isolation);
            let (first, second) = (db.begin_with(options).unwrap(), db.begin_with(options).unwrap());
            for tx in [&first, &second] {
                tx.collection::<Document>("numbers").unwrap().update(1, inc("n", 10)).unwrap();
            }
            first.commit().unwrap();
            let error = second.commit().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{isolation:?}: {error}");
            let said = "document 1 of the collection \"numbers\" was changed by another transaction";
            assert_eq!(error.to_string(), said, "{isolation:?}");
            assert_eq!(numbers(&db)[0], 11);
        }
    }
}

#[test]
fn a_conflict_names_the_key_or_the_index_that_it_is_about() {
    for db in fixtures() {
        db.keyspace("raw").unwrap().put("a", "1").unwrap();
        let tx = db.begin().unwrap();
        tx.keyspace("raw").unwrap().get("a").unwrap();
        tx.keyspace("raw").unwrap().put("b", "2").unwrap();
        db.keyspace("raw").unwrap().put("a", "3").unwrap();
        let error = tx.commit().unwrap_err();
        assert_eq!(error.to_string(), "key \"a\" of the keyspace \"raw\" was changed by another transaction");

        let documents = db.collection::<Document>("indexed").unwrap();
        documents.ensure_index(Index::on("n")).unwrap();
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("indexed").unwrap();
        assert_eq!(own.find(field("n").gt(5)).count().unwrap(), 0);
        own.insert(&Document::new().with("m", 1)).unwrap();
        documents.insert(&Document::new().with("n", 7)).unwrap();
        let error = tx.commit().unwrap_err();
        let said = "index \"n\" of the collection \"indexed\" was changed by another transaction";
        assert_eq!(error.to_string(), said);

        let tx = db.begin().unwrap();
        tx.collection::<Document>("indexed").unwrap().insert(&Document::new().with("n", 8)).unwrap();
        documents.ensure_index(Index::on("m")).unwrap();
        let error = tx.commit().unwrap_err();
        assert_eq!(error.to_string(), "the definition of \"indexed\" was changed by another transaction");
    }
}

#[test]
fn write_skew_is_refused_unless_snapshot_isolation_is_asked_for() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        for db in fixtures() {
            let options = TransactionOptions::new().isolation(isolation);
            let (first, second) = (db.begin_with(options).unwrap(), db.begin_with(options).unwrap());
            for (tx, mine) in [(&first, 1), (&second, 2)] {
                let own = tx.collection::<Document>("numbers").unwrap();
                let sum: i64 = own.get_many([1, 2]).unwrap().iter().flatten().map(|found| n(found)).sum();
                own.update(mine, inc("n", -sum)).unwrap();
            }
            first.commit().unwrap();
            let outcome = second.commit().map(drop).map_err(|error| error.kind());
            let expected = if isolation == Isolation::Serializable { Err(ErrorKind::Conflict) } else { Ok(()) };
            assert_eq!(outcome, expected, "{isolation:?}");
        }
    }
}

#[test]
fn a_phantom_in_a_query_is_refused() {
    for db in fixtures() {
        for filter in [field("n").ge(5), field("absent").exists(true)] {
            let tx = db.begin().unwrap();
            let count = tx.collection::<Document>("numbers").unwrap().find(filter).count().unwrap();
            tx.keyspace("counts").unwrap().put("count", count.to_be_bytes()).unwrap();
            db.collection("numbers").unwrap().insert(&number(7).with("absent", 1)).unwrap();
            assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
        }
    }
}

#[test]
fn what_a_transaction_did_not_read_does_not_hinder_it() {
    for db in fixtures() {
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        assert_eq!(own.find(field("n").le(2)).count().unwrap(), 2);
        own.update(1, set("seen", true)).unwrap();
        db.collection::<Document>("numbers").unwrap().update(5, inc("n", 1)).unwrap();
        db.keyspace("keys").unwrap().put("key", "value").unwrap();
        tx.commit().unwrap();
    }
}

#[test]
fn work_is_run_again_until_it_succeeds() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let counters = db.collection::<Document>("counters").unwrap();
    counters.insert_with_id("one", &number(0)).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    db.transaction(|tx| {
                        let counters = tx.collection::<Document>("counters")?;
                        let now = n(&counters.get("one")?.unwrap());
                        counters.put("one", &number(now + 1))
                    })
                    .unwrap();
                }
                for _ in 0..50 {
                    counters.update("one", inc("n", 1)).unwrap();
                }
            });
        }
    });
    assert_eq!(n(&counters.get("one").unwrap().unwrap()), 800);
}

#[test]
fn work_that_fails_is_not_run_again() {
    let db = Database::in_memory().unwrap();
    let runs = Cell::new(0);
    let work = |_: &Transaction| {
        runs.set(runs.get() + 1);
        Err::<(), _>(Error::invalid("no"))
    };
    assert_eq!(db.transaction(work).unwrap_err().to_string(), "no");
    assert_eq!(runs.get(), 1);
}

#[test]
fn queries_in_a_transaction_see_its_own_writes() {
    for db in fixtures() {
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        own.delete(2).unwrap();
        own.update(3, set("n", 30)).unwrap();
        own.insert_with_id(9, &number(4)).unwrap();
        let ids = |found: Vec<blaze::Found<Document>>| found.iter().map(|f| f.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(own.find_all().run().unwrap()), ["1", "3", "4", "5", "9"]);
        assert_eq!(ids(own.find(field("n").ge(4)).run().unwrap()), ["4", "9", "5", "3"]);
        assert_eq!(ids(own.find(field("n").ge(2)).sort(desc("n")).limit(2).run().unwrap()), ["3", "5"]);
        assert_eq!(ids(own.find(field("n").is_in([2, 3, 30])).run().unwrap()), ["3"]);
        assert_eq!((own.count().unwrap(), own.find(field("n").le(3)).count().unwrap()), (5, 1));
        assert_eq!(own.get_many([2, 3]).unwrap()[0], None);
        assert_eq!(numbers(&db), [1, 2, 3, 4, 5], "nobody else sees them");
        tx.commit().unwrap();
        assert_eq!(numbers(&db), [1, 30, 4, 5, 4]);
    }
}

#[test]
fn documents_may_be_changed_while_a_query_walks_over_them() {
    for db in fixtures() {
        db.transaction(|tx| {
            let own = tx.collection::<Document>("numbers")?;
            for found in own.find(field("n").ge(1)).iter()? {
                own.update(found?.id, inc("n", 100))?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(numbers(&db), [101, 102, 103, 104, 105]);
    }
}

#[test]
fn a_call_that_fails_leaves_the_earlier_writes_of_its_transaction() {
    for db in fixtures() {
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        own.put(1, &number(10)).unwrap();
        own.ensure_index(Index::vector("v", 2)).unwrap();
        let batch = [number(6), number(7).with("v", vec![1.0_f32])];
        assert_eq!(own.insert_many(batch).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(own.put(1, &number(11).with("v", "text")).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!((own.count().unwrap(), own.find(field("n").ge(6)).count().unwrap()), (5, 1));
        tx.commit().unwrap();
        assert_eq!(numbers(&db), [10, 2, 3, 4, 5]);
        assert_eq!(db.collection::<Document>("numbers").unwrap().indexes().unwrap().len(), 2);
    }
}

#[test]
fn an_index_made_in_a_transaction_goes_with_it() {
    for db in fixtures() {
        let numbers = db.collection::<Document>("numbers").unwrap();
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        own.insert_with_id(6, &number(6)).unwrap();
        own.ensure_index(Index::on("n").named("second")).unwrap();
        assert!(own.drop_index("n").unwrap());
        let explain = own.find(field("n").ge(5)).explain().unwrap();
        assert_eq!((explain.index(), explain.rows), (Some("second"), 2));
        tx.rollback();
        assert_eq!(numbers.indexes().unwrap().len(), 1);
        assert_eq!(numbers.find(field("n").ge(5)).explain().unwrap().index(), Some("n"));
    }
}

#[test]
fn a_name_leads_each_transaction_to_what_it_was_when_that_began() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let write = |tx: &Transaction, n: i64| tx.collection::<Document>("rows")?.insert_with_id(n, &number(n));
        let count = |tx: &Transaction| Ok::<_, Error>(tx.collection::<Document>("rows")?.indexes()?.len());
        assert!(db.snapshot().unwrap().collection::<Document>("rows").is_err());
        db.transaction(|tx| write(tx, 1)).unwrap();
        let old = db.begin().unwrap();
        assert_eq!(count(&old).unwrap(), 0);
        let rows = db.collection::<Document>("rows").unwrap();
        rows.ensure_index(Index::on("n").unique()).unwrap();
        let new = db.begin().unwrap();
        assert_eq!((count(&new).unwrap(), count(&old).unwrap(), count(&new).unwrap()), (1, 0, 1));
        write(&old, 2).unwrap();
        assert_eq!(old.commit().unwrap_err().kind(), ErrorKind::Conflict, "it would miss the index");
        write(&new, 3).unwrap();
        new.commit().unwrap();

        let stale = db.begin().unwrap();
        assert_eq!(count(&stale).unwrap(), 1);
        assert!(db.drop_collection("rows").unwrap());
        assert!(db.snapshot().unwrap().collection::<Document>("rows").is_err());
        db.transaction(|tx| {
            write(tx, 4)?;
            assert_eq!(count(tx)?, 0, "another collection of that name, made by this transaction");
            write(tx, 5)
        })
        .unwrap();
        assert_eq!(count(&stale).unwrap(), 1);
        write(&stale, 6).unwrap();
        assert_eq!(stale.commit().unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(db.collection::<Document>("rows").unwrap().count().unwrap(), 2);
    }
}

#[test]
fn a_writer_never_misses_an_index_or_a_drop() {
    for db in fixtures() {
        let tx = db.begin().unwrap();
        tx.collection("numbers").unwrap().insert(&number(6)).unwrap();
        db.collection::<Document>("numbers").unwrap().ensure_index(Index::on("other")).unwrap();
        assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
        let tx = db.begin().unwrap();
        tx.collection("numbers").unwrap().insert(&number(6)).unwrap();
        db.drop_collection("numbers").unwrap();
        assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
    }
}

#[test]
fn a_transaction_that_only_reads_never_fails() {
    for db in fixtures() {
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        assert_eq!(own.count().unwrap(), 5);
        db.collection("numbers").unwrap().insert(&number(6)).unwrap();
        assert_eq!(own.count().unwrap(), 5);
        let read_ts = tx.read_ts();
        assert_eq!(tx.commit().unwrap(), read_ts);
    }
}
