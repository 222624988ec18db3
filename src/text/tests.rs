//! Nobody waits for a search, and what a session has read or analysed once serves its next searches.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use blaze_core::{Document, Durability, Isolation};
use blaze_text::TermKey;

use super::view::{TextView, view};
use crate::catalog::{self, Kind};
use crate::session::{Scope, Session};
use crate::{Collection, Database, Index};

/// How long something may take that nothing stands in the way of.
const SOON: Duration = Duration::from_secs(60);

fn film(n: i64) -> Document {
    Document::new().with("title", format!("space {n}"))
}

fn database(films: i64) -> (Database, Collection<Document>) {
    let db = Database::temporary().unwrap();
    let collection = db.collection("films").unwrap();
    collection.ensure_index(Index::text(["title"]).named("text")).unwrap();
    (0..films).for_each(|n| collection.put(n, &film(n)).unwrap());
    (db, collection)
}

fn view_of(session: &Arc<Session>) -> TextView {
    let definition = catalog::get(session, "films", Kind::Collection).unwrap();
    view(session, &definition, &definition.indexes[0]).unwrap()
}

fn index(session: &Session) -> u32 {
    catalog::get(session, "films", Kind::Collection).unwrap().indexes[0].id
}

fn with_space(view: &TextView) -> u64 {
    view.read().search(|searcher| searcher.documents_with(&TermKey::new(0, "space"))).unwrap()
}

fn within(session: &Arc<Session>) -> Collection<Document> {
    Collection::open(Scope::Session(Arc::clone(session)), "films").unwrap()
}

fn read_write(db: &Database) -> Arc<Session> {
    Session::read_write(&db.core, Isolation::Snapshot, Durability::Buffered).unwrap()
}

#[test]
fn a_search_that_does_not_end_has_neither_commits_nor_searches_wait() {
    let (db, films) = database(10);
    let session = Session::read_only(&db.core).unwrap();
    let view = view_of(&session);
    view.read()
        .search(|searcher| {
            let (tell, told) = mpsc::channel();
            let (others, core) = (films.clone(), Arc::clone(&db.core));
            thread::spawn(move || {
                for n in 0..200 {
                    others.put(n, &film(n)).unwrap();
                    assert_eq!(others.search().text("space").count().unwrap(), 10.max(n + 1).unsigned_abs());
                }
                others.delete(3).unwrap();
                let sees = others.search().text("space 3").limit(1).ids().unwrap().len();
                tell.send((sees, core.texts.stats(&core).unwrap().remove(0).unfolded)).unwrap();
            });
            assert_eq!(told.recv_timeout(SOON), Ok((1, 201)));
            assert_eq!(searcher.documents_with(&TermKey::new(0, "space"))?, 10);
            assert_eq!(searcher.documents_with(&TermKey::new(0, "150"))?, 0);
            Ok(())
        })
        .unwrap();
    assert!(view.generation.recent.levels().len() < 9, "there are few levels, whatever was held");
    assert_eq!(with_space(&view), 10);
    assert_eq!(with_space(&view_of(&Session::read_only(&db.core).unwrap())), 199);
}

#[test]
fn changes_are_appended_to_one_level_while_nobody_searches() {
    let (db, films) = database(10);
    for n in 0..20 {
        films.put(n, &film(n)).unwrap();
        films.search().text("space").ids().unwrap();
    }
    let view = view_of(&Session::read_only(&db.core).unwrap());
    assert_eq!(view.generation.recent.levels().len(), 1);
}

#[test]
fn who_reads_what_is_kept_does_not_wait_for_who_brings_the_index_further() {
    let (db, films) = database(10);
    films.search().text("space").ids().unwrap();
    let earlier = db.snapshot().unwrap();
    films.delete(1).unwrap();
    let open = {
        let session = Session::read_only(&db.core).unwrap();
        db.core.texts.open(index(&session), 1, session.read_ts()).unwrap()
    };
    let _bringing = open.bringing.lock();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let films = earlier.collection::<Document>("films").unwrap();
        tell.send(films.search().text("space").count().unwrap()).unwrap();
    });
    assert_eq!(told.recv_timeout(SOON), Ok(10));
}

#[test]
fn a_view_from_before_what_is_kept_is_read_once() {
    let (db, films) = database(10);
    let old = Session::read_only(&db.core).unwrap();
    for n in 0..3 {
        films.put(n, &film(n + 1_000)).unwrap();
        db.settle().unwrap();
        films.search().text("space").ids().unwrap();
    }
    let (first, second) = (view_of(&old), view_of(&old));
    assert!(Arc::ptr_eq(&first.generation, &second.generation));
    let of_old = Session::over(&db.core, Arc::clone(old.point()));
    let anew = view_of(&Arc::new(of_old));
    assert!(!Arc::ptr_eq(&first.generation, &anew.generation), "it is not one of those that all share");
    for view in [first, second, anew] {
        let counts = ["space", "0", "1000"]
            .map(|term| view.read().search(|searcher| searcher.documents_with(&TermKey::new(0, term))).unwrap());
        assert_eq!(counts, [10, 1, 0]);
    }
}

#[test]
fn what_a_transaction_has_written_is_analysed_once() {
    let (db, _) = database(10);
    db.settle().unwrap();
    let session = read_write(&db);
    let films = within(&session);
    (10..30).for_each(|n| films.put(n, &film(n)).unwrap());
    let changes = |view: &TextView| view.own.as_ref().map(|own| own.delta.len());
    let view = view_of(&session);
    assert_eq!((changes(&view), with_space(&view)), (Some(20), 30));
    drop(view);
    films.put(30, &film(30)).unwrap();
    films.put(10, &film(-10)).unwrap();
    films.delete(1).unwrap();
    let view = view_of(&session);
    assert_eq!((changes(&view), with_space(&view)), (Some(23), 30), "what was there before is still there");
    drop(view);
    let savepoint = session.add_savepoint().unwrap();
    films.put(10, &Document::new().with("title", "moon")).unwrap();
    films.put(31, &film(31)).unwrap();
    assert_eq!(with_space(&view_of(&session)), 30);
    session.roll_back_to(savepoint).unwrap();
    let view = view_of(&session);
    assert_eq!((changes(&view), with_space(&view)), (Some(22), 30), "it is made anew");
    // Somebody still has it: the next search makes its own.
    films.put(32, &film(32)).unwrap();
    let next = view_of(&session);
    assert_eq!((changes(&next), with_space(&next), with_space(&view)), (Some(23), 31, 30));
    session.commit().unwrap();
    assert!(session.kept_texts().take_own(index(&Session::read_only(&db.core).unwrap())).is_none());
}

#[test]
fn what_changes_again_and_again_in_a_transaction_does_not_pile_up() {
    let (db, _) = database(10);
    let session = read_write(&db);
    let films = within(&session);
    for n in 10..500 {
        films.put(n % 3, &film(n)).unwrap();
        let view = view_of(&session);
        assert_eq!(with_space(&view), 10);
        assert!(view.own.as_ref().unwrap().delta.len() < 80);
    }
}

#[test]
fn nothing_is_kept_of_an_index_that_is_gone_whoever_still_searches_it() {
    let (db, films) = database(10);
    films.search().text("space").ids().unwrap();
    let old = db.snapshot().unwrap();
    films.drop_index("text").unwrap();
    let films = old.collection::<Document>("films").unwrap();
    for _ in 0..3 {
        assert_eq!(films.search().text("space").count().unwrap(), 10);
    }
    let session = Session::read_only(&db.core).unwrap();
    assert!(catalog::get(&session, "films", Kind::Collection).unwrap().indexes.is_empty());
    assert!(db.core.texts.registry.lock().has_nothing());
}

#[test]
fn it_is_not_remembered_for_ever_which_indexes_are_gone() {
    let (db, films) = database(1);
    for _ in 0..300 {
        films.drop_index("text").unwrap();
        films.ensure_index(Index::text(["title"]).named("text")).unwrap();
    }
    assert!(db.core.texts.registry.lock().gone_count() < 130);
    assert_eq!(films.search().text("space").count().unwrap(), 1);
}
