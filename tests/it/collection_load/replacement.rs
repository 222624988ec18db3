//! What a load does to a collection that is there.

use blaze::{Change, ErrorKind, Feed, History};

use super::*;

#[test]
fn a_collection_with_documents_is_loaded_only_to_be_replaced() {
    for db in fixtures() {
        let films = db.collection::<Document>("films").unwrap();
        films.insert_with_id(1, &film(1)).unwrap();
        let error = films_load(&db).begin().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("\"films\" has documents"), "{error}");
        films.delete(1).unwrap();
        let mut load = films_load(&db).begin().unwrap();
        load.insert_with_id(2, &film(2)).unwrap();
        films.insert_with_id(1, &film(1)).unwrap();
        assert_eq!(load.finish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(ids(&films, Filter::everything()), [1.into()]);
    }
}

#[test]
fn an_empty_collection_is_loaded_with_the_indexes_that_it_has() {
    for db in fixtures() {
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(Index::on("title")).unwrap();
        let mut load = films_load(&db).begin().unwrap();
        shuffled(1_000, 6).into_iter().for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
        load.finish().unwrap();
        let names: Vec<_> = films.indexes().unwrap().into_iter().map(|index| index.name).collect();
        assert_eq!(names, ["title", "year_title_desc", "tags", "at"]);
        let by_title = films.find(field("title").eq("film 77"));
        assert_eq!(by_title.explain().unwrap().index(), Some("title"));
        assert_eq!(by_title.run().unwrap()[0].id, 77.into());
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn a_replaced_collection_changes_in_one_commit_and_older_views_keep_what_was() {
    for db in fixtures() {
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(Index::on("year")).unwrap();
        (0..100).for_each(|n| films.insert_with_id(n, &film(n)).unwrap());
        let mut load = films_load(&db).replace().begin().unwrap();
        (1_000..1_500).for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
        films.insert_with_id(100, &film(100)).unwrap();
        assert_eq!(films.count().unwrap(), 101);
        let (snapshot, transaction) = (db.snapshot().unwrap(), db.begin().unwrap());
        transaction.collection::<Document>("films").unwrap().delete(1).unwrap();
        load.finish().unwrap();
        assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(ids(&films, Filter::everything()), (1_000..1_500).map(DocumentId::from).collect::<Vec<_>>());
        let before = snapshot.collection::<Document>("films").unwrap();
        assert_eq!(before.count().unwrap(), 101);
        assert_eq!(ids(&before, field("year").eq(1977)), [27.into(), 97.into()]);
        drop((before, snapshot));
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn nothing_is_left_of_what_was_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path()).unwrap();
    load_films(&db, TINY, &shuffled(1_000, 7));
    let mut load = db.load_collection::<Document>("films").replace().begin().unwrap();
    load.insert_with_id(1, &Document::new().with("title", "alone").with("tags", "one").with("at", Value::Null))
        .unwrap();
    load.finish().unwrap();
    db.close().unwrap();
    // The document, and its entries in the two indexes over fields.
    assert_eq!(stored_keys(directory.path()).len(), 3);
}

#[test]
fn history_and_feed_stay_set_and_begin_anew() {
    for db in fixtures() {
        let films = db.collection::<Document>("films").unwrap();
        films.set_history(History::Forever).unwrap();
        films.set_feed(Feed::Images).unwrap();
        let start = films.feed_start().unwrap().unwrap();
        films.insert_with_id(1, &film(1)).unwrap();
        let then = db.snapshot().unwrap().read_ts();
        let mut load = films_load(&db).replace().begin().unwrap();
        (0..10).for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
        load.finish().unwrap();
        assert_eq!((films.history().unwrap(), films.feed().unwrap()), (History::Forever, Feed::Images));
        assert_eq!(films.changes(start).unwrap_err().kind(), ErrorKind::FeedTruncated);
        let past = db.as_of(then).unwrap().collection::<Document>("films").map(|films| films.count());
        assert_eq!(past.and_then(|count| count).unwrap_err().kind(), ErrorKind::HistoryExpired);
        let from = films.feed_start().unwrap().unwrap();
        films.update(3, blaze::set("year", 3_000)).unwrap();
        let sets: Vec<_> = films.changes(from).unwrap().map(|set| set.unwrap().changes).collect();
        let after = film(3).with("year", 3_000);
        assert_eq!(sets, [[Change::Put { key: 3.into(), before: Some(film(3)), after: Some(after) }]]);
        let past = db.as_of(from).unwrap().collection::<Document>("films").unwrap();
        assert_eq!(past.get(3).unwrap().unwrap().value, film(3));
    }
}

#[test]
fn an_index_that_comes_or_goes_meanwhile_refuses_the_load() {
    for db in fixtures() {
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(Index::on("title")).unwrap();
        let load = films_load(&db).begin().unwrap();
        films.ensure_index(Index::on("length")).unwrap();
        let error = load.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the index \"length\" of the collection \"films\" was built while that was loaded"
        );
        let load = films_load(&db).begin().unwrap();
        films.drop_index("title").unwrap();
        let error = load.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the index \"title\" of the collection \"films\" was dropped while that was loaded"
        );
        let load = films_load(&db).begin().unwrap();
        films.ensure_index(Index::on("tags")).unwrap();
        load.finish().unwrap();
        assert_eq!(films.indexes().unwrap().len(), 4, "the same index, built meanwhile, is no change");
    }
}

#[test]
fn of_two_loads_of_one_name_the_first_to_finish_wins() {
    for db in fixtures() {
        let mut loads = [1, 2].map(|n| {
            let mut load = films_load(&db).begin().unwrap();
            load.insert_with_id(n, &film(n)).unwrap();
            Some(load)
        });
        loads[1].take().unwrap().finish().unwrap();
        assert_eq!(loads[0].take().unwrap().finish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(ids(&db.collection("films").unwrap(), Filter::everything()), [2.into()]);
    }
}

#[test]
fn what_was_loaded_before_a_migration_is_not_shown_as_if_it_had_gone_through_it() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    let mut loader = db.load_collection::<Document>("films").begin().unwrap();
    loader.insert_with_id(1, &Document::new().with("name", "Solaris")).unwrap();
    films.migrate(&blaze::Migrations::new().step(1, "name becomes title", |_| Ok(()))).unwrap();
    let error = loader.finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(error.to_string().contains("migrated"), "{error}");
}
