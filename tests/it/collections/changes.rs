//! Changing what a query finds: many documents, the first one, or one that is not there yet.

use std::thread;

use blaze::{Collection, Database, Document, ErrorKind, Index, Isolation, Timestamp, TransactionOptions};
use blaze::{UpdateReport, asc, desc, field, inc, set, unset};

use super::{n, number};

fn numbers(db: &Database, count: i64) -> Collection<Document> {
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.ensure_index(Index::on("n")).unwrap();
    numbers.insert_many_with_ids((0..count).map(|n| (n, number(n)))).unwrap();
    numbers
}

fn all(numbers: &Collection<Document>) -> Vec<i64> {
    numbers.find_all().sort(asc("_id")).run().unwrap().iter().map(|found| n(found)).collect()
}

#[test]
fn an_update_that_moves_documents_in_the_index_it_reads_meets_each_once() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = numbers(&db, 1_000);
        let report = numbers.update_many(field("n").ge(0), inc("n", 10)).unwrap();
        assert_eq!((report.matched, report.modified, report.inserted), (1_000, 1_000, None));
        assert_eq!(all(&numbers), (10..1_010).collect::<Vec<_>>());
        db.transaction(|tx| {
            let own = tx.collection::<Document>("numbers")?;
            own.put(0, &number(5))?;
            own.update_many(field("n").is_in(0..3_000), inc("n", 10)).map(drop)
        })
        .unwrap();
        assert_eq!(all(&numbers), std::iter::once(15).chain(21..1_020).collect::<Vec<_>>());
    }
}

#[test]
fn sort_skip_and_limit_choose_what_is_changed() {
    let db = Database::in_memory().unwrap();
    let numbers = numbers(&db, 10);
    let query = numbers.find(field("n").ge(2)).sort(desc("n")).skip(1).limit(3);
    assert_eq!(query.clone().update(set("n", -1)).run().unwrap().modified, 3);
    assert_eq!(all(&numbers), [0, 1, 2, 3, 4, 5, -1, -1, -1, 9]);
    assert_eq!(query.delete().run().unwrap(), 3);
    assert_eq!(all(&numbers), [0, 1, 2, -1, -1, -1, 9]);
    assert_eq!(numbers.delete_many(field("n").lt(0)).unwrap(), 3);
    assert_eq!(numbers.find(field("n").lt(0)).count().unwrap(), 0, "nor in the index");
}

#[test]
fn what_matches_without_being_changed_is_counted_apart_and_not_written() {
    let db = Database::in_memory().unwrap();
    let numbers = numbers(&db, 4);
    let before = numbers.get(3).unwrap().unwrap().version;
    let report = numbers.update_many(field("n").ge(2), set("n", 3)).unwrap();
    assert_eq!((report.matched, report.modified), (2, 1));
    assert_eq!(numbers.get(3).unwrap().unwrap().version, before);
    assert_eq!(numbers.update_many(field("n").ge(9), set("n", 3)).unwrap(), UpdateReport::default());
}

#[test]
fn an_update_that_fails_on_one_document_changes_none() {
    let db = Database::in_memory().unwrap();
    let numbers = numbers(&db, 5);
    numbers.update(4, set("n", "four")).unwrap();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("numbers").unwrap();
    own.put(9, &number(9)).unwrap();
    for (collection, count) in [(&numbers, 5), (&own, 6)] {
        let error = collection.update_many(field("_id").ge(0), inc("n", 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("document 4"), "{error}");
        assert_eq!(collection.find(field("n").le(3)).count().unwrap(), 4);
        assert_eq!(collection.count().unwrap(), count);
    }
}

#[test]
fn an_upsert_updates_or_inserts_what_filter_and_update_say() {
    let db = Database::in_memory().unwrap();
    let views = db.collection::<Document>("views").unwrap();
    let query = views.find(field("_id").eq("a").and(field("page.path").eq("/")).and(field("count").lt(5)));
    let report = query.clone().upsert(inc("count", 1)).run().unwrap();
    assert_eq!((report.matched, report.modified, report.inserted), (0, 0, Some("a".into())));
    let page = Document::new().with("path", "/");
    let expected = Document::new().with("page", page.clone()).with("count", 1);
    assert_eq!(views.get("a").unwrap().unwrap().value, expected);
    let report = query.upsert(inc("count", 1)).run().unwrap();
    assert_eq!((report.matched, report.modified, report.inserted), (1, 1, None));
    let other = views.find(field("page").eq(page)).upsert(unset("absent")).run().unwrap();
    assert!(other.inserted.is_none(), "{other:?}");
}

#[test]
fn upserts_at_once_make_one_document_and_each_counts() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let views = db.collection::<Document>("views").unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        views.upsert("by id", inc("count", 1)).unwrap();
                        views.find(field("page").eq("/")).upsert(inc("count", 1)).run().unwrap();
                    }
                });
            }
        });
        let found = views.find_all().run().unwrap();
        let counts: Vec<_> = found.iter().map(|view| view.get("count").unwrap().as_i64()).collect();
        assert_eq!(counts, [Some(100), Some(100)]);
    }
}

#[test]
fn upserts_of_one_id_agree_under_snapshot_isolation_too() {
    let db = Database::in_memory().unwrap();
    db.collection::<Document>("views").unwrap();
    let options = TransactionOptions::new().isolation(Isolation::Snapshot);
    let [one, two] = [(); 2].map(|()| db.begin_with(options).unwrap());
    for tx in [&one, &two] {
        assert!(tx.collection::<Document>("views").unwrap().upsert(1, inc("count", 1)).unwrap());
    }
    one.commit().unwrap();
    assert_eq!(two.commit().unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn the_first_document_is_changed_and_returned_before_or_after() {
    let db = Database::in_memory().unwrap();
    let numbers = numbers(&db, 5);
    let last = || numbers.find(field("n").lt(100)).sort(desc("n"));
    let before = last().update_first(inc("n", 100)).run().unwrap().unwrap();
    assert_eq!((n(&before), &before.id), (4, &4.into()));
    let after = last().update_first(inc("n", 100)).return_after().run().unwrap().unwrap();
    assert_eq!((n(&after), &after.id), (103, &3.into()));
    assert_eq!(numbers.get(3).unwrap().unwrap(), after, "with the version that the commit gave it");
    let same = last().skip(2).update_first(set("n", 0)).return_after().run().unwrap().unwrap();
    assert_eq!(numbers.get(0).unwrap().unwrap(), same, "an update that changes nothing leaves the version");
    let replaced = last().replace_first(&number(7)).unwrap().return_after().run().unwrap().unwrap();
    assert_eq!((n(&replaced), replaced.id), (7, 2.into()));
    let deleted = last().delete_first().run().unwrap().unwrap();
    assert_eq!((n(&deleted), numbers.contains(deleted.id).unwrap()), (7, false));
    assert!(last().limit(0).delete_first().run().unwrap().is_none());
    assert_eq!(numbers.count().unwrap(), 4);
}

#[test]
fn the_first_document_is_inserted_if_that_is_asked_for() {
    let db = Database::in_memory().unwrap();
    let numbers = numbers(&db, 1);
    let none = || numbers.find(field("_id").eq(7));
    assert!(none().update_first(set("n", 8)).run().unwrap().is_none());
    assert!(none().update_first(set("n", 8)).upsert().run().unwrap().is_none(), "there was none before");
    numbers.delete(7).unwrap();
    let found = none().update_first(set("n", 8)).upsert().return_after().run().unwrap().unwrap();
    assert_eq!(numbers.get(7).unwrap().unwrap(), found);
    let found =
        numbers.find(field("n").eq(9)).replace_first(&number(10)).unwrap().upsert().return_after().run().unwrap();
    assert_eq!(found.map(|found| n(&found)), Some(10));
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("numbers").unwrap();
    let found = own.find(field("n").eq(8)).update_first(inc("n", 1)).return_after().run().unwrap().unwrap();
    assert_eq!(found.version, Timestamp::ZERO, "not committed yet");
}

#[test]
fn takers_of_the_first_job_never_get_the_same() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = numbers(&db, 60);
        let take = || {
            let mut taken = Vec::new();
            while let Some(job) = numbers.find(field("n").ge(0)).sort(asc("n")).delete_first().run().unwrap() {
                taken.push(n(&job));
            }
            taken
        };
        let mut taken: Vec<i64> = thread::scope(|scope| {
            let takers: Vec<_> = (0..3).map(|_| scope.spawn(take)).collect();
            takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect()
        });
        taken.sort_unstable();
        assert_eq!(taken, (0..60).collect::<Vec<_>>());
    }
}

#[test]
fn an_upsert_for_two_ids_at_once_is_refused_and_inserts_neither() {
    let db = Database::in_memory().unwrap();
    let numbers = numbers(&db, 0);
    let both = field("_id").eq(1).and(field("_id").eq(2));
    let error = numbers.find(both).upsert(inc("n", 1)).run().unwrap_err();
    assert_eq!((error.kind(), numbers.count().unwrap()), (ErrorKind::Invalid, 0), "{error}");
}

#[test]
fn a_panic_of_the_callers_within_an_operation_leaves_nothing_of_that_in_the_transaction() {
    struct Refused;
    impl<'de> serde::Deserialize<'de> for Refused {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Refused, D::Error> {
            std::panic::resume_unwind(Box::new("the caller's"))
        }
    }
    let db = Database::in_memory().unwrap();
    let numbers = numbers(&db, 3);
    db.transaction(|tx| {
        let within = tx.collection::<Refused>("numbers")?;
        let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            within.find(field("n").eq(1)).update_first(set("n", 7)).return_after().run()
        }));
        assert!(changed.is_err());
        Ok(())
    })
    .unwrap();
    assert_eq!(all(&numbers), [0, 1, 2]);
    assert_eq!(db.verify().unwrap().problems, []);
}
