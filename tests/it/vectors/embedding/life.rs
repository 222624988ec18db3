//! The life of an index that embeds: openings, other models, builds, loads, damage.

use std::ops::ControlFlow;
use std::path::Path;

use blaze_core::{Direction, Family, KeyRange, Store, Write};

use super::*;
use crate::verify::tamper;

#[test]
fn the_backlog_is_durable_and_waits_for_an_embedder() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let embedder = TestEmbedder::new("m1");
    let open = || {
        let db = still().1.open(&path).unwrap();
        let films = db.collection::<Document>("films").unwrap();
        (db, films)
    };
    {
        let (db, films) = open();
        films.ensure_index(index(&embedder)).unwrap();
        films.insert_with_id("a", &film("a")).unwrap();
        db.settle().unwrap();
        films.insert_with_id("b", &film("b")).unwrap();
        drop((db, films)); // with a backlog
    }
    {
        let (db, films) = open();
        films.insert_with_id("c", &film("c")).unwrap();
        db.settle().unwrap();
        let status = films.embedding_status("v").unwrap();
        assert_eq!((status.pending, status.has_embedder, status.model.as_str()), (2, false, "m1"));
        let error = films.search().nearest_text("v", "a").ids().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("no embedder since the database was opened"), "{error}");
        assert!(is_at(&films, "a", &embedder.vector("a")), "vectors are found by vectors");
        assert_healthy(&db);
    }
    let (db, films) = open();
    embedder.take_texts();
    films.ensure_index(index(&embedder)).unwrap();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), ["b", "c"], "what has its vector is not embedded again");
    assert_eq!((found(&films).len(), counts(&films)), (3, (0, 0, 0)));
    drop((db, films));

    // Nothing can be embedded where nothing is written, but what is searched for.
    let db = Database::builder().read_only().open(&path).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(index(&embedder)).unwrap();
    assert_eq!(films.search().nearest_text("v", "b").limit(1).ids().unwrap()[0].id, "b".into());
    let error = films.ensure_index(index(&TestEmbedder::new("m2"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn documents_that_were_there_before_the_index_are_embedded_and_loaded_ones_too() {
    for db in [still().1.temporary().unwrap(), still().1.in_memory().unwrap()] {
        let embedder = TestEmbedder::new("m1");
        let films = db.collection::<Document>("films").unwrap();
        films.bulk().insert_with_ids((0..2_500).map(|n| (format!("{n}"), film(&format!("film {n}"))))).unwrap();
        films.insert_with_id("own", &film("own").with("v", Vector::F32(vec![9.0; DIMENSION]))).unwrap();
        films.insert_with_id("none", &Document::new().with("year", 1)).unwrap();
        films.ensure_index(index(&embedder)).unwrap();
        assert_eq!(counts(&films), (2_500, 0, 0));
        db.settle().unwrap();
        assert_eq!((counts(&films), embedder.take_texts().len()), ((0, 0, 0), 2_500));
        assert!(is_at(&films, "1234", &embedder.vector("film 1234")) && is_at(&films, "own", &[9.0; DIMENSION]));
        assert_healthy(&db);

        // A load of another content, with the index that there is and with one that it declares.
        let others = Arc::clone(&embedder);
        let declared = Index::vector("w", DIMENSION).embed_from(["plot"], others);
        let mut load = db.load_collection::<Document>("films").replace().ensure_index(declared).begin().unwrap();
        for n in 0..100 {
            load.insert_with_id(format!("{n}"), &film(&format!("other {n}")).with("plot", format!("plot {n}")))
                .unwrap();
        }
        load.finish().unwrap();
        assert_eq!(counts(&films), (100, 0, 0));
        db.settle().unwrap();
        assert_eq!((counts(&films), embedder.take_texts().len()), ((0, 0, 0), 200), "the embedder is still there");
        assert!(is_at(&films, "7", &embedder.vector("other 7\nplot 7")));
        assert_eq!(films.search().nearest_text("w", "plot 8").limit(1).ids().unwrap()[0].id, "8".into());
        assert_healthy(&db);
        let mut load = db.load_collection::<Document>("films").replace().begin().unwrap();
        (0..2).for_each(|_| load.insert_with_id("same", &film("same")).unwrap());
        let error = load.finish().unwrap_err();
        assert!(error.to_string().contains("two documents of the load have the id \"same\""), "{error}");
        // And by commits, side by side with the index that comes.
        db.drop_collection("films").unwrap();
        db.settle().unwrap();
    }
}

#[test]
fn an_index_that_a_transaction_makes_embeds_after_its_commit() {
    let db = still().1.temporary().unwrap();
    let embedder = TestEmbedder::new("m1");
    db.collection::<Document>("films").unwrap().insert_with_id("a", &film("a")).unwrap();
    let make = |commit: bool| {
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("films").unwrap();
        own.ensure_index(index(&embedder)).unwrap();
        own.put("b", &film("b")).unwrap();
        match commit {
            true => assert!(tx.commit().is_ok()),
            false => tx.rollback(),
        }
        db.settle().unwrap();
    };
    make(false);
    assert_eq!(embedder.take_texts(), [""; 0]);
    make(true);
    assert_eq!(embedder.take_texts(), ["a", "b"]);
    let films = db.collection::<Document>("films").unwrap();
    assert_eq!(counts(&films), (0, 0, 0));
    let error = db
        .transaction(|tx| tx.collection::<Document>("films")?.replace_index("v", index(&TestEmbedder::new("m2"))))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_healthy(&db);
}

#[test]
fn another_model_embeds_everything_anew_while_searches_find_what_is_there() {
    let (_, db, films, _) = filled(&["a", "b", "c"]);
    let next = TestEmbedder::new("m2");
    films.insert_with_id("own", &film("own").with("v", Vector::F32(vec![9.0; DIMENSION]))).unwrap();
    films.ensure_index(index(&next)).unwrap();
    let status = films.embedding_status("v").unwrap();
    assert_eq!((status.model.as_str(), status.pending), ("m2", 3));
    assert_eq!(films.indexes().unwrap()[0].model.as_deref(), Some("m2"));
    assert_eq!(found(&films), BTreeSet::from(["own".to_owned()]), "vectors of two models are never compared");
    db.settle().unwrap();
    assert_eq!((next.take_texts().len(), found(&films).len()), (3, 4));
    assert!(is_at(&films, "b", &next.vector("b")));
    assert_healthy(&db);

    // Other sources likewise; what differs beyond that is refused.
    let other_sources = Index::vector("v", DIMENSION).metric(Metric::L2).embed_from(["plot"], Arc::clone(&next));
    films.update("a", set("plot", "a plot")).unwrap();
    films.ensure_index(other_sources.clone()).unwrap();
    db.settle().unwrap();
    assert_eq!(found(&films), ["a", "own"].map(str::to_owned).into());
    assert!(is_at(&films, "a", &next.vector("a plot")));
    let error = films.ensure_index(other_sources.metric(Metric::Cosine)).unwrap_err();
    assert!(error.to_string().contains("replace it"), "{error}");
    assert_healthy(&db);
}

#[test]
fn an_index_is_replaced_when_the_new_one_has_all_vectors() {
    let titles: Vec<String> = (0..100).map(|n| format!("film {n}")).collect();
    let (_, db, films, before) = filled(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    let next = TestEmbedder::new("m2");
    // Three, so that there are never four failures in a row, in whatever order they are tried: the embedder does not rest.
    let failing = ["film 17", "film 47", "film 87"];
    failing.iter().for_each(|film| next.answer(film, Answer::Unavailable));
    let error = films.replace_index("v", index(&next)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("no answer for"), "{error}");
    assert!(films.indexes().unwrap()[0].replacement.is_some(), "it is begun");
    assert_eq!(films.search().nearest_text("v", "film 9").limit(1).ids().unwrap()[0].distance, 0.0, "by the old model");
    films.insert_with_id("late", &film("late")).unwrap();

    failing.iter().for_each(|film| next.answer(film, Answer::Vector));
    next.take_texts();
    let (mut embedded, mut calls) = (0, 0);
    films
        .replace_index_with("v", index(&next), |progress| {
            (embedded, calls) = (progress.embedded, calls + 1);
            assert!(is_at(&films, "film 9", &before.vector("film 9")), "the old one answers until then");
            ControlFlow::Continue(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(calls > 1);
    assert_eq!((next.take_texts().len(), embedded), (4, 4), "it goes on: three films have failed, and one is new");
    let info = films.indexes().unwrap().remove(0);
    assert_eq!((info.model.as_deref(), info.replacement), (Some("m2"), None));
    assert_eq!((counts(&films), found(&films).len()), ((0, 0, 0), 101));
    assert!(is_at(&films, "film 9", &next.vector("film 9")) && is_at(&films, "late", &next.vector("late")));
    films.update("late", set("title", "later")).unwrap();
    db.settle().unwrap();
    assert!(is_at(&films, "late", &next.vector("later")));
    assert_healthy(&db);
}

/// A database with an index by one model whose replacement by another one was cut short.
fn half_replaced() -> (Database, Collection<Document>, Arc<TestEmbedder>, Arc<TestEmbedder>) {
    let (_, db, films, before) = filled(&["a", "b", "c", "d"]);
    let next = TestEmbedder::new("m2");
    next.answer("d", Answer::Unavailable);
    assert_eq!(films.replace_index("v", index(&next)).unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(films.indexes().unwrap()[0].replacement.is_some());
    next.answer("d", Answer::Vector);
    next.take_texts();
    (db, films, before, next)
}

#[test]
fn ensuring_what_is_to_replace_an_index_goes_on_with_that_and_gives_nothing_up() {
    let (db, films, before, next) = half_replaced();
    let gate = next.gate.lock();
    std::thread::scope(|scope| {
        let ensured = scope.spawn(|| films.ensure_index(index(&next)));
        std::thread::park_timeout(Duration::from_millis(100)); // the embedder is waiting, most likely
        assert!(is_at(&films, "a", &before.vector("a")), "the old one answers until then");
        drop(gate);
        ensured.join().unwrap().unwrap();
    });
    assert_eq!(next.take_texts(), ["d"], "the others have their vectors");
    let info = films.indexes().unwrap().remove(0);
    assert_eq!((info.model.as_deref(), info.replacement), (Some("m2"), None));
    assert!(found(&films).len() == 4 && is_at(&films, "d", &next.vector("d")));
    assert_healthy(&db);
}

#[test]
fn ensuring_a_third_model_gives_up_the_index_and_what_was_to_replace_it() {
    let (db, films, _, next) = half_replaced();
    let third = TestEmbedder::new("m3");
    films.ensure_index(index(&third)).unwrap();
    let indexes = films.indexes().unwrap();
    assert_eq!(indexes.len(), 1);
    assert_eq!((indexes[0].model.as_deref(), &indexes[0].replacement), (Some("m3"), &None));
    films.insert_with_id("e", &film("e")).unwrap();
    db.settle().unwrap();
    assert_eq!((next.take_texts().len(), third.take_texts().len()), (0, 5));
    assert!(found(&films).len() == 5 && is_at(&films, "d", &third.vector("d")));
    assert_healthy(&db);
}

#[test]
fn dropped_indexes_and_collections_leave_nothing_to_embed() {
    let (_, db, films, embedder) = filled(&["a"]);
    films.insert_with_id("b", &film("b")).unwrap();
    films.drop_index("v").unwrap();
    embedder.take_texts();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), [""; 0]);
    films.ensure_index(index(&embedder)).unwrap();
    assert_eq!(counts(&films), (2, 0, 0));
    db.drop_collection("films").unwrap();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), [""; 0]);
    assert_healthy(&db);
}

#[test]
fn partial_indexes_and_subcollections_embed_their_documents_alone() {
    let db = still().1.temporary().unwrap();
    let embedder = TestEmbedder::new("m1");
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(index(&embedder).only(field("year").gt(1980))).unwrap();
    films.insert_with_id("old", &film("old")).unwrap();
    films.insert_with_id("new", &film("new").with("year", 1990)).unwrap();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), ["new"]);
    films.update("old", set("year", 1990)).unwrap();
    films.update("new", set("year", 1970)).unwrap();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), ["old"]);
    let late = films.search().nearest_text("v", "new").filter(field("year").gt(1980)).ids().unwrap();
    assert_eq!(late.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), ["old"]);
    assert_healthy(&db);
}

/// Takes every key of the vector family in a database that is closed.
fn keys(store: &impl Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    let point = store.read_point().unwrap();
    let mut cursor = point.cursor(Family::Vector, &KeyRange::all(), Direction::Forward).unwrap();
    let mut all = Vec::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        all.push((key.to_vec(), value.to_vec()));
    }
    all
}

fn filled_directory(path: &Path, embedder: &Arc<TestEmbedder>) {
    let db = still().1.open(path).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(index(embedder)).unwrap();
    ["a", "b", "c", "d"].iter().for_each(|id| films.insert_with_id(*id, &film(id)).unwrap());
    db.settle().unwrap();
    films.insert_with_id("waiting", &film("waiting")).unwrap();
    db.close().unwrap();
}

#[test]
fn damage_of_what_is_embedded_is_found_and_repaired_by_embedding_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let embedder = TestEmbedder::new("m1");
    filled_directory(&path, &embedder);
    tamper(&path, |store| {
        let all = keys(store);
        let of = |id: &str, first: u8| {
            let is_its =
                |(key, _): &&(Vec<u8>, Vec<u8>)| key.ends_with(id.as_bytes()) && (key[4] == 0xFF) == (first == 0xFF);
            all.iter().find(|row| is_its(row) && (first != 0xFF || row.0[5] == 0x10)).unwrap().clone()
        };
        let ((lost, _), (short, row), (stray, _)) = (of("a", 0), of("b", 0), of("c", 0));
        let stray = [&stray[..stray.len() - 1], b"x"].concat();
        vec![
            Write::Delete { family: Family::Vector, key: lost },
            Write::put(Family::Vector, short, &row[1..]),
            Write::put(Family::Vector, stray, row),
            Write::Delete { family: Family::Vector, key: of("waiting", 0xFF).0 },
        ]
    });
    let db = still().1.open(&path).unwrap();
    let problems = db.verify().unwrap().problems;
    assert_eq!(problems.len(), 4, "{problems:?}");
    let report = db.repair().unwrap();
    assert_eq!(report.problem_count, 0, "{:?}", report.problems);
    assert_eq!((report.indexes[0].entries_added, report.indexes[0].entries_removed), (3, 2));
    assert_healthy(&db);
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(index(&embedder)).unwrap();
    embedder.take_texts();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), ["a", "b", "waiting"]);
    assert_eq!(found(&films).len(), 5);
    assert_healthy(&db);
}

#[test]
fn a_copy_and_a_salvaged_database_go_on_where_the_original_was_or_begin_anew() {
    let directory = tempfile::tempdir().unwrap();
    let [path, copy, saved] = ["db", "copy", "saved"].map(|name| directory.path().join(name));
    let embedder = TestEmbedder::new("m1");
    filled_directory(&path, &embedder);
    let db = still().1.open(&path).unwrap();
    db.checkpoint(&copy).unwrap();
    db.close().unwrap();
    Database::salvage(&path, &saved).unwrap();
    for (path, expected) in [(copy, 1), (saved, 5)] {
        let db = still().1.open(&path).unwrap();
        let films = db.collection::<Document>("films").unwrap();
        assert_eq!(counts(&films), (expected, 0, 0));
        assert_healthy(&db);
        films.ensure_index(index(&embedder)).unwrap();
        db.settle().unwrap();
        assert_eq!((found(&films).len(), counts(&films)), (5, (0, 0, 0)));
        assert_healthy(&db);
    }
}

#[test]
fn many_embedded_vectors_are_found_by_a_graph() {
    let (_, db, films, embedder) = filled(&[]);
    films.bulk().insert_with_ids((0..5_000).map(|n| (format!("{n}"), film(&format!("film {n}"))))).unwrap();
    db.settle().unwrap();
    let by_graph = || {
        let search = films.search().nearest_text("v", "film 77").limit(1);
        assert_eq!(search.explain().unwrap().path, blaze::SearchPath::Graph);
        (search.ids().unwrap()[0].id.to_string(), search.ids().unwrap()[0].distance)
    };
    assert_eq!(by_graph(), ("77".to_owned(), 0.0));
    films.update("77", set("title", "another")).unwrap();
    films.update("78", set("title", "film 77")).unwrap();
    db.settle().unwrap();
    assert_eq!(by_graph(), ("78".to_owned(), 0.0));
    films.delete("78").unwrap();
    assert!(by_graph().1 > 0.0);
    assert!(embedder.calls() >= 5_000 / 32);
    assert_healthy(&db);
}
