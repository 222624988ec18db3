//! What a serializable transaction depends upon, and what it does not.

use super::*;
use blaze::{Document, Index, desc, field, inc};

/// Begins, reads as `read` says and writes; then somebody else does what `meanwhile` says.
fn race(read: impl Fn(&Actor), meanwhile: impl Fn(&Keyspace)) -> [Result<Timestamp>; 2] {
    databases().map(|db| {
        let actor = Actor::begin(&db, Serializable);
        read(&actor);
        actor.put(100, 1);
        meanwhile(&rows(&db));
        actor.commit()
    })
}

#[track_caller]
fn depends(read: impl Fn(&Actor), meanwhile: impl Fn(&Keyspace)) {
    race(read, meanwhile).into_iter().for_each(refused);
}

#[track_caller]
fn does_not_depend(read: impl Fn(&Actor), meanwhile: impl Fn(&Keyspace)) {
    race(read, meanwhile).into_iter().for_each(|result| assert!(result.is_ok(), "{result:?}"));
}

fn put(key: &str) -> impl Fn(&Keyspace) {
    move |rows| rows.put(key, "7").unwrap()
}

#[test]
fn write_skew_is_refused() {
    for db in databases() {
        let (first, second) = (Actor::begin(&db, Serializable), Actor::begin(&db, Serializable));
        for (actor, own) in [(&first, 1), (&second, 2)] {
            let sum: i64 = actor.all().iter().map(|(_, value)| value).sum();
            actor.put(own, 30 - sum);
        }
        first.commit().unwrap();
        refused(second.commit());
        assert_eq!(committed(&db), [(1, 0), (2, 20)]);
    }
}

#[test]
fn a_phantom_in_an_empty_range_is_refused() {
    depends(|actor| assert_eq!(actor.rows.range("5".."7").unwrap().count(), 0), put("6"));
    depends(|actor| assert_eq!(actor.rows.range_reverse("5".."7").unwrap().count(), 0), put("6"));
    does_not_depend(|actor| assert_eq!(actor.rows.range("5".."7").unwrap().count(), 0), put("7"));
}

#[test]
fn a_phantom_in_a_range_that_was_deleted_is_refused() {
    for db in databases() {
        rows(&db).delete_range("1"..="2").unwrap();
        let actor = Actor::begin(&db, Serializable);
        assert_eq!(actor.all(), []);
        actor.put(100, 1);
        rows(&db).put("1", "7").unwrap();
        refused(actor.commit());
    }
}

#[test]
fn a_range_that_is_deleted_while_it_is_relied_upon_is_refused() {
    let delete = |rows: &Keyspace| rows.delete_range("1".."2").unwrap();
    depends(|actor| assert_eq!(actor.all().len(), 2), delete);
    depends(|actor| assert_eq!(actor.get(1), Some(10)), delete);
    does_not_depend(|actor| assert_eq!(actor.get(2), Some(20)), delete);
}

#[test]
fn an_absent_key_that_was_looked_for_is_depended_upon() {
    depends(|actor| assert_eq!(actor.get(3), None), put("3"));
    depends(|actor| assert!(!actor.rows.contains("3").unwrap()), put("3"));
    depends(|actor| assert_eq!(actor.rows.get_many(["2", "3"]).unwrap()[1], None), put("3"));
    does_not_depend(|actor| assert_eq!(actor.get(3), None), put("4"));
}

#[test]
fn a_count_is_depended_upon() {
    depends(|actor| assert_eq!(actor.rows.count().unwrap(), 2), put("3"));
    depends(|actor| assert_eq!(actor.rows.count().unwrap(), 2), |rows| rows.delete("1").unwrap());
}

#[test]
fn the_first_row_is_depended_upon_and_what_comes_after_it_is_not() {
    let first = |actor: &Actor| assert_eq!(actor.rows.iter().unwrap().next().unwrap().unwrap().0, b"1");
    depends(first, put("0"));
    depends(first, |rows| rows.delete("1").unwrap());
    does_not_depend(first, put("11"));
    does_not_depend(first, |rows| rows.delete("2").unwrap());
}

#[test]
fn the_last_row_is_depended_upon_and_what_comes_before_it_is_not() {
    let last = |actor: &Actor| {
        assert_eq!(actor.rows.range_reverse::<&str>(..).unwrap().next().unwrap().unwrap().0, b"2");
    };
    depends(last, put("3"));
    depends(last, |rows| rows.delete("2").unwrap());
    does_not_depend(last, put("11"));
    does_not_depend(last, |rows| rows.delete("1").unwrap());
}

#[test]
fn what_is_answered_from_own_writes_is_not_depended_upon() {
    let read_own = |actor: &Actor| {
        actor.put(1, 5);
        actor.delete(2);
        assert_eq!((actor.get(1), actor.get(2)), (Some(5), None));
    };
    does_not_depend(read_own, |rows| {
        rows.put("1", "7").unwrap();
        rows.put("2", "7").unwrap();
    });
}

#[test]
fn what_was_read_before_a_rollback_to_a_savepoint_is_depended_upon() {
    let read = |actor: &Actor| {
        let savepoint = actor.transaction.savepoint().unwrap();
        actor.put(1, 5);
        assert_eq!(actor.get(2), Some(20));
        actor.transaction.rollback_to(&savepoint).unwrap();
    };
    depends(read, put("2"));
    does_not_depend(read, put("1"));
}

#[test]
fn what_is_read_for_an_update_is_depended_upon_under_snapshot_isolation_too() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let documents = db.collection::<Document>("documents").unwrap();
        documents.put(1, &Document::new().with("n", 1)).unwrap();
        let change_row = || rows(db).put("1", "7").unwrap();
        let change_document = || documents.update(1, inc("n", 1)).unwrap();
        let changes: [&dyn Fn(); 3] = [&change_row, &change_document, &|| ()];
        for (number, change) in changes.iter().enumerate() {
            let actor = Actor::begin(db, isolation);
            assert!(actor.rows.get_for_update("1").unwrap().is_some());
            assert_eq!(actor.rows.get_for_update("absent").unwrap(), None);
            let own = actor.transaction.collection::<Document>("documents").unwrap();
            assert!(own.get_for_update(1).unwrap().is_some() && own.get_for_update(2).unwrap().is_none());
            actor.put(100, 1);
            change();
            match number {
                2 => drop(actor.commit().unwrap()),
                _ => refused(actor.commit()),
            }
        }
    }
}

#[test]
fn a_key_is_held_for_an_update_only_in_a_transaction() {
    for db in databases() {
        let refused = |error: blaze::Error| assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        refused(rows(&db).get_for_update("1").unwrap_err());
        refused(db.snapshot().unwrap().keyspace("rows").unwrap().get_for_update("1").unwrap_err());
        refused(db.collection::<Document>("documents").unwrap().get_for_update(1).unwrap_err());
    }
}

#[test]
fn an_index_that_is_made_meanwhile_is_never_missed() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let documents = db.collection::<Document>("documents").unwrap();
        documents.drop_index("n").unwrap();
        let mut runs = 0;
        db.transaction_with(TransactionOptions::new().isolation(isolation), |tx| {
            tx.collection("documents")?.insert(&Document::new().with("n", runs))?;
            runs += 1;
            if runs == 1 {
                documents.ensure_index(Index::on("n"))?; // the writer above did not know of it
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(runs, 2, "{isolation:?}");
        let found = documents.find(field("n").eq(1)).sort(desc("n"));
        assert_eq!((found.explain().unwrap().index(), found.count().unwrap()), (Some("n"), 1), "{isolation:?}");
        documents.delete(found.first().unwrap().unwrap().id).unwrap();
    }
}

#[test]
fn a_handle_notices_what_others_do_to_its_name() {
    for db in databases() {
        let (handle, clone) = (rows(&db), rows(&db).clone());
        assert_eq!(handle.get("1").unwrap().unwrap(), b"10");
        assert!(db.drop_keyspace("rows").unwrap());
        assert_eq!(handle.get("1").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(handle.put("1", "1").unwrap_err().kind(), ErrorKind::NotFound);
        let again = rows(&db);
        again.put("3", "30").unwrap();
        assert_eq!(handle.get("3").unwrap().unwrap(), b"30");
        assert_eq!((clone.get("1").unwrap(), clone.count().unwrap()), (None, 1));
    }
}

#[test]
fn a_name_that_is_made_and_taken_back_in_a_transaction_is_gone_for_its_handles() {
    for db in databases() {
        let tx = db.begin().unwrap();
        let savepoint = tx.savepoint().unwrap();
        let own = tx.keyspace("own").unwrap();
        own.put("a", "1").unwrap();
        assert_eq!(own.get("a").unwrap().unwrap(), b"1");
        tx.rollback_to(&savepoint).unwrap();
        assert_eq!(own.get("a").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(own.put("a", "1").unwrap_err().kind(), ErrorKind::NotFound);
        tx.keyspace("own").unwrap().put("b", "2").unwrap();
        assert_eq!(own.count().unwrap(), 1);
        tx.commit().unwrap();
        assert_eq!(db.keyspace("own").unwrap().get("b").unwrap().unwrap(), b"2");
    }
}
