//! From the declaration of an index on text to its end.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use blaze::{Backups, ErrorKind, IndexState, Isolation, set};

use super::*;
use crate::objects::stored_keys;

#[test]
fn an_index_is_built_while_documents_come_change_and_go() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let db = Database::builder().durability(Durability::Buffered).isolation(isolation).temporary().unwrap();
        let films = films(&db);
        fill(&films, 0..4_000);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in (0..).map(|n: i64| n * 7919 % 4_000).take_while(|_| !done.load(Ordering::Relaxed)) {
                    match n % 4 {
                        0 => drop(films.delete(n).unwrap()),
                        1 => films.put(n, &film(n + 1)).unwrap(),
                        2 => films.put(n, &film(n).with("n", -n)).unwrap(),
                        _ => films.put(n + 10_000, &film(n)).unwrap(),
                    }
                }
            });
            films.ensure_index(index()).unwrap();
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(films.indexes().unwrap()[0].state, IndexState::Ready);
        assert_healthy(&db);
    }
}

#[test]
fn an_index_is_built_within_a_transaction_or_not_at_all() {
    let db = Database::temporary().unwrap();
    let films = films(&db);
    fill(&films, 0..100);
    let transaction = db.begin().unwrap();
    let within = transaction.collection::<Document>("films").unwrap();
    within.insert_with_id(1_000, &film(1)).unwrap();
    within.ensure_index(index()).unwrap();
    within.update(1, set("title", "changed")).unwrap();
    within.delete(2).unwrap();
    transaction.commit().unwrap();
    assert_healthy(&db);
    films.drop_index("text").unwrap();
    let rolled_back: blaze::Result<()> = db.transaction(|tx| {
        tx.collection::<Document>("films")?.ensure_index(index())?;
        Err(blaze::Error::invalid("never mind"))
    });
    assert!(rolled_back.is_err() && films.indexes().unwrap().is_empty());
    assert_healthy(&db);
}

#[test]
fn a_build_that_was_cut_short_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    {
        let db = open(&path);
        let films = films(&db);
        fill(&films, 0..5_000);
        let building = || {
            films.ensure_index_with(index(), |progress| match progress.documents {
                0..2_000 => ControlFlow::Continue(()),
                _ => panic!("the thread ends"),
            })
        };
        assert!(thread::scope(|scope| scope.spawn(building).join().is_err()));
    }
    let db = open(&path);
    let films = films(&db);
    assert_eq!(films.indexes().unwrap()[0].state, IndexState::Building);
    for n in [10, 11, 4_010, 4_011] {
        films.update(n, set("title", "changed meanwhile")).unwrap();
        films.delete(n + 100).unwrap();
        films.update(n + 200, set("n", -1)).unwrap();
    }
    films.ensure_index(index()).unwrap();
    assert_healthy(&db);
    let stopped = films.ensure_index_with(english().named("other"), |_| ControlFlow::Break(()));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(films.indexes().unwrap().len(), 1);
}

#[test]
fn an_index_is_renamed_replaced_and_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = open(&path);
    let films = films(&db);
    fill(&films, 0..500);
    films.ensure_index(index()).unwrap();
    films.rename_index("text", "words").unwrap();
    let mut calls = 0;
    films
        .replace_index_with("words", english().named("words"), |_| {
            calls += 1;
            films.update(1, set("title", format!("changed {calls}"))).unwrap();
            films.put(600 + calls, &film(600 + calls)).unwrap();
            films.delete(calls).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(calls > 0);
    let info = films.indexes().unwrap();
    assert_eq!((info[0].name.as_str(), info.len()), ("words", 1));
    assert_eq!(info[0].definition, "text of title, extract (words, english)");
    assert_healthy(&db);
    assert!(films.drop_index("words").unwrap());
    assert_healthy(&db);
    let documents = films.count().unwrap() as usize;
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len(), documents, "nothing but documents is left");
}

#[test]
fn a_database_needs_to_be_read_with_its_text_indexes_from_the_first_declaration_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let db = open(&path("db"));
    let films = films(&db);
    fill(&films, 0..50);
    assert!(!needs_texts(&path("db")));
    db.collection::<Document>("empty").unwrap().ensure_index(index()).unwrap();
    assert!(needs_texts(&path("db")), "the catalog declares one");
    films.ensure_index(index()).unwrap();
    db.checkpoint(path("copy")).unwrap();
    let backup = db.backup(path("backups")).unwrap();
    Backups::open(path("backups")).unwrap().restore(backup.id, path("restored")).unwrap();
    db.close().unwrap();
    Database::salvage(path("db"), path("salvaged")).unwrap();
    for name in ["db", "copy", "restored", "salvaged"] {
        assert!(needs_texts(&path(name)), "{name}");
        assert_healthy(&Database::builder().read_only().open(path(name)).unwrap());
        let db = open(&path(name));
        self::films(&db).update(1, set("title", "changed")).unwrap();
        assert_healthy(&db);
    }
}

#[test]
fn documents_below_others_are_indexed_and_dropped_with_them() {
    let db = Database::temporary().unwrap();
    let films = films(&db);
    fill(&films, 0..10);
    let reviews = films.subcollection::<Document>(1, "reviews").unwrap();
    reviews.group().ensure_index(Index::text(["text"])).unwrap();
    for n in 0..20 {
        reviews.insert_with_id(n, &Document::new().with("text", words(n, 5))).unwrap();
    }
    reviews.update(3, set("text", "changed")).unwrap();
    reviews.delete(4).unwrap();
    assert_healthy(&db);
    db.drop_collection("films").unwrap();
    assert_healthy(&db);
}
