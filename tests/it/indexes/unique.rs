//! Unique indexes: no two documents with the same values, whoever writes them.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use blaze::{
    Collection, Database, Document, Durability, Error, ErrorKind, Index, Isolation, Result, Value, field, set, unset,
};

fn user(email: impl Into<Value>) -> Document {
    Document::new().with("email", email)
}

fn users(index: Index) -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let users = db.collection::<Document>("users").unwrap();
    users.ensure_index(index).unwrap();
    (db, users)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    error
}

#[test]
fn a_violation_names_the_collection_the_index_the_values_and_the_other_document() {
    let (db, users) = users(Index::on("email").unique());
    users.insert_with_id("ann", &user("a@b.org")).unwrap();
    let error = refused(users.insert_with_id("bob", &user("a@b.org"))).to_string();
    for part in ["collection \"users\"", "index \"email\"", "email = \"a@b.org\"", "\"ann\"", "\"bob\""] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert_eq!(users.count().unwrap(), 1);
    refused(users.insert_many([user("new"), user("a@b.org")]));
    refused(users.bulk().insert([user("x"), user("x")]));
    users.insert_with_id("bob", &user("b@b.org")).unwrap();
    refused(users.update("bob", set("email", "a@b.org")));
    refused(users.put("bob", &user("a@b.org")));
    refused(users.replace("bob", &user("a@b.org")));
    assert_eq!(users.count().unwrap(), 2);
    users.update("bob", set("name", "Bob")).unwrap();
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn missing_and_null_are_not_constrained_and_equal_numbers_are_one_value() {
    let (_db, users) = users(Index::on("a").then_desc("b").unique());
    let pair = |a: Value, b: Value| Document::new().with("a", a).with("b", b);
    for _ in 0..2 {
        users.insert(&Document::new().with("a", 1)).unwrap();
        users.insert(&pair(1.into(), Value::Null)).unwrap();
        users.insert(&pair(Value::Null, 1.into())).unwrap();
    }
    users.insert(&pair(1.into(), 2.into())).unwrap();
    users.insert(&pair(1.into(), 3.into())).unwrap();
    refused(users.insert(&pair(1.0.into(), 2.into())));
    let found = users.find(field("a").eq(1)).sort([blaze::asc("a"), blaze::desc("b")]);
    assert_eq!(found.explain().unwrap().index(), Some("a_b_desc"));
    assert_eq!((found.run().unwrap().len(), found.count().unwrap()), (6, 6));
    assert_eq!(users.find(field("a").eq(1).and(field("b").ge(3))).count().unwrap(), 1);
}

#[test]
fn each_element_of_an_array_is_constrained_among_documents() {
    let (db, users) = users(Index::on("email").unique());
    let emails = |all: &[&str]| user(all.iter().map(|one| Value::from(*one)).collect::<Value>());
    users.insert_with_id(1, &emails(&["a", "b", "a"])).unwrap();
    refused(users.insert_with_id(2, &emails(&["c", "b"])));
    users.insert_with_id(2, &emails(&["c"])).unwrap();
    users.insert_with_id(3, &emails(&[])).unwrap();
    users.insert_with_id(4, &emails(&[])).unwrap();
    users.insert_with_id(5, &user(vec![Value::Null])).unwrap();
    users.insert_with_id(6, &user(vec![Value::Null])).unwrap();
    users.update(1, set("email", vec![Value::from("b")])).unwrap();
    users.update(2, set("email", vec![Value::from("a")])).unwrap();
    assert_eq!(users.find(field("email").contains("a")).first().unwrap().unwrap().id, 2.into());
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn a_value_moves_from_one_document_to_another_within_a_transaction() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let db = Database::builder().isolation(isolation).in_memory().unwrap();
        let users = db.collection::<Document>("users").unwrap();
        users.ensure_index(Index::on("email").unique()).unwrap();
        users.insert_with_id(1, &user("a")).unwrap();
        users.insert_with_id(2, &user("b")).unwrap();
        db.transaction(|tx| {
            let users = tx.collection::<Document>("users")?;
            refused(users.insert_with_id(3, &user("a")));
            assert!(users.get(3)?.is_none(), "a refused operation leaves the transaction as it was");
            users.update(1, unset("email"))?;
            users.update(2, set("email", "a"))?;
            users.update(1, set("email", "b"))?;
            users.delete(2)?;
            users.insert_with_id(4, &user("a"))
        })
        .unwrap();
        let id = |email: &str| users.find(field("email").eq(email)).first().unwrap().unwrap().id;
        assert_eq!((id("a"), id("b")), (4.into(), 1.into()));
        assert!(db.verify().unwrap().is_healthy());
    }
}

#[test]
fn of_many_writers_of_one_value_one_succeeds_in_every_isolation() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let db = Database::builder().isolation(isolation).durability(Durability::Buffered).temporary().unwrap();
        let users = db.collection::<Document>("users").unwrap();
        users.ensure_index(Index::on("email").unique()).unwrap();
        let accepted = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..100 {
                        match users.insert(&user(n)) {
                            Ok(_) => drop(accepted.fetch_add(1, Ordering::Relaxed)),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
                        }
                    }
                });
            }
        });
        assert_eq!((accepted.into_inner(), users.count().unwrap()), (100, 100), "{isolation:?}");
        assert!(db.verify().unwrap().is_healthy());
    }
}

#[test]
fn of_two_transactions_that_take_one_value_one_is_refused() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let db = Database::builder().isolation(isolation).in_memory().unwrap();
        db.collection::<Document>("users").unwrap().ensure_index(Index::on("email").unique()).unwrap();
        let [one, other] = [1, 2].map(|id| {
            let tx = db.begin().unwrap();
            tx.collection::<Document>("users").unwrap().insert_with_id(id, &user("a")).unwrap();
            tx
        });
        one.commit().unwrap();
        assert_eq!(other.commit().unwrap_err().kind(), ErrorKind::Conflict, "{isolation:?}");
    }
}

#[test]
fn building_over_duplicates_names_both_and_leaves_no_index() {
    let db = Database::in_memory().unwrap();
    let users = db.collection::<Document>("users").unwrap();
    users.insert_with_id("ann", &user(1)).unwrap();
    users.insert_with_id("bob", &user(1.0)).unwrap();
    let error = refused(users.ensure_index(Index::on("email").unique())).to_string();
    assert!(error.contains("ann") && error.contains("bob") && error.contains("email = 1"), "{error}");
    assert!(users.indexes().unwrap().is_empty());
    let within = db.transaction(|tx| tx.collection::<Document>("users")?.ensure_index(Index::on("email").unique()));
    refused(within);
    users.delete("bob").unwrap();
    users.ensure_index(Index::on("email").unique()).unwrap();
    refused(users.insert(&user(1)));
}

#[test]
fn a_duplicate_that_comes_while_the_index_is_built_is_found() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let users = db.collection::<Document>("users").unwrap();
    users.bulk().insert_with_ids((0..3_000).map(|n| (n, user(n)))).unwrap();
    let built = users.ensure_index_with(Index::on("email").unique(), |progress| {
        if progress.documents == 1_000 {
            refused(users.insert(&user(5))); // behind the build
            users.insert_with_id(10_000, &user(2_500)).unwrap(); // ahead of it
        }
        ControlFlow::Continue(())
    });
    let error = refused(built).to_string();
    assert!(error.contains("document 2500") && error.contains("document 10000"), "{error}");
    assert!(users.indexes().unwrap().is_empty());
}

#[test]
fn a_document_that_gives_its_value_away_while_the_index_is_built_takes_nothing_from_the_other() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let users = db.collection::<Document>("users").unwrap();
    users.bulk().insert_with_ids((0..3_000).map(|n| (n, user(n)))).unwrap();
    let built = users.ensure_index_with(Index::on("email").unique(), |progress| {
        if progress.documents == 1_000 {
            // The one ahead of the build has no entry yet, and the new one takes its place.
            users.insert_with_id(10_000, &user(2_500)).unwrap();
            users.update(2_500, set("email", "other")).unwrap();
            users.insert_with_id(10_001, &user(2_600)).unwrap();
            users.delete(2_600).unwrap();
        }
        ControlFlow::Continue(())
    });
    built.unwrap();
    refused(users.insert(&user(2_500)));
    refused(users.insert(&user(2_600)));
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn a_load_finds_duplicates_before_anything_is_shown() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let load = || db.load_collection::<Document>("users").ensure_index(Index::on("email").unique());
        let mut loader = load().begin().unwrap();
        (0..100).for_each(|n| loader.insert_with_id(n, &user(n % 99)).unwrap());
        let error = refused(loader.finish()).to_string();
        assert!(error.contains("document 99") && error.contains("document 0"), "{error}");
        assert!(db.collections().unwrap().is_empty());
        let mut loader = load().begin().unwrap();
        (0..100).for_each(|n| loader.insert_with_id(n, &user(n)).unwrap());
        assert_eq!(loader.finish().unwrap(), 100);
        refused(db.collection::<Document>("users").unwrap().insert(&user(7)));
        assert!(db.verify().unwrap().is_healthy());
    }
}
