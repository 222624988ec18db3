//! A load that fails, is stopped or dropped leaves nothing behind.

use blaze::ErrorKind;

use super::*;

#[test]
fn two_documents_with_one_id_are_refused_by_its_name() {
    for memory_bytes in [TINY, 1 << 30] {
        let directory = tempfile::tempdir().unwrap();
        let db = Database::builder().durability(Durability::Buffered).open(directory.path()).unwrap();
        let in_memory = Database::in_memory().unwrap();
        // Its vector has the same key in any case, its other entries where the second document is like the first.
        for (db, second) in [(&db, 1), (&in_memory, 1), (&db, 1_234), (&in_memory, 1_234)] {
            let mut load = films_load(db).memory_bytes(memory_bytes).begin().unwrap();
            shuffled(5_000, 5).into_iter().for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
            load.insert_with_id(1_234, &film(second)).unwrap();
            let error = load.finish().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            assert_eq!(error.to_string(), "two documents of the load have the id 1234");
            assert_eq!(db.collections().unwrap(), Vec::<String>::new());
        }
        assert_eq!(files_of_loads(directory.path()), 0);
        db.close().unwrap();
        assert_eq!(stored_keys(directory.path()), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn a_load_that_is_stopped_or_dropped_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::builder().durability(Durability::Buffered).open(directory.path()).unwrap();
    let mut dropped = films_load(&db).memory_bytes(TINY).begin().unwrap();
    (0..5_000).for_each(|n| dropped.insert_with_id(n, &film(n)).unwrap());
    assert!(files_of_loads(directory.path()) > 0);
    drop(dropped);
    assert_eq!(files_of_loads(directory.path()), 0);

    for (documents, written_rows) in [(1_024, 0), (4_096, 0), (5_000, 1_024), (5_000, 20_000)] {
        let mut load = films_load(&db)
            .memory_bytes(TINY)
            .progress(move |progress| match progress.documents < documents || progress.written_rows < written_rows {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
            .begin()
            .unwrap();
        let stopped = match (0..5_000).try_for_each(|n| load.insert_with_id(n, &film(n))) {
            Ok(()) => load.finish().unwrap_err(),
            Err(error) => {
                assert_eq!(load.insert_with_id(1, &film(1)).unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(load.finish().unwrap_err().kind(), ErrorKind::Closed, "an ended load shows nothing");
                error
            }
        };
        assert_eq!(stopped.kind(), ErrorKind::Cancelled, "{documents} documents, {written_rows} rows: {stopped}");
    }
    assert_eq!(files_of_loads(directory.path()), 0);
    assert_eq!(db.collections().unwrap(), Vec::<String>::new());
    db.close().unwrap();
    assert_eq!(stored_keys(directory.path()), Vec::<Vec<u8>>::new());
}

#[test]
fn a_document_that_is_refused_is_left_out_and_loading_goes_on() {
    for db in fixtures() {
        let mut load = films_load(&db).begin().unwrap();
        load.insert_with_id(1, &film(1)).unwrap();
        let error = load.insert_with_id(2, &film(2).with("at", vec![1.0, 2.0])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("document 2"), "{error}");
        assert_eq!(load.insert_with_id("", &film(2)).unwrap_err().kind(), ErrorKind::Invalid);
        let large = film(3).with("text", "x".repeat(limits::DOCUMENT_BYTES_MAX));
        assert_eq!(load.insert_with_id(3, &large).unwrap_err().kind(), ErrorKind::LimitExceeded);
        load.insert_with_id(2, &film(2)).unwrap();
        assert_eq!(load.finish().unwrap(), 2);
        let films = db.collection::<Document>("films").unwrap();
        assert_eq!(ids(&films, Filter::everything()), [1.into(), 2.into()]);
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn bad_options_are_refused_before_anything_is_written() {
    for db in fixtures() {
        db.keyspace("keys").unwrap();
        let kind = |load: CollectionLoad<'_, Document>| load.begin().unwrap_err().kind();
        assert_eq!(kind(db.load_collection("keys")), ErrorKind::Invalid);
        assert_eq!(kind(db.load_collection("")), ErrorKind::Invalid);
        assert_eq!(kind(db.load_collection(&"x".repeat(limits::NAME_BYTES_MAX + 1))), ErrorKind::LimitExceeded);
        let error = db.load_collection::<Document>("films").memory_bytes(TINY - 1).begin().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.to_string(), "a load would sort in 65535 bytes of memory, at least 65536 are needed");
        assert_eq!(kind(films_load(&db).ensure_index(Index::on("other").named("tags"))), ErrorKind::Invalid);
        assert_eq!(kind(films_load(&db).ensure_index(Index::vector("v", 0))), ErrorKind::Invalid);
        let many = |load: CollectionLoad<'static, Document>, n| load.ensure_index(Index::on(format!("f{n}").as_str()));
        let many = (0..=limits::INDEXES_PER_COLLECTION_MAX).fold(db.load_collection("films"), many);
        assert_eq!(kind(many), ErrorKind::LimitExceeded);
        films_load(&db).ensure_index(Index::on("tags")).begin().unwrap().finish().unwrap();
        assert_eq!(db.collection::<Document>("films").unwrap().indexes().unwrap().len(), 3, "the same one counts once");
    }
    let directory = tempfile::tempdir().unwrap();
    Database::open(directory.path()).unwrap().close().unwrap();
    let db = Database::builder().read_only().open(directory.path()).unwrap();
    assert_eq!(db.load_collection::<Document>("films").begin().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_loader_does_not_keep_the_database_from_closing() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path()).unwrap();
    let mut load = films_load(&db).memory_bytes(TINY).begin().unwrap();
    (0..1_000).for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
    db.close().unwrap();
    let error = (0..5_000).find_map(|n| load.insert_with_id(n, &film(n)).err());
    assert_eq!(error.unwrap().kind(), ErrorKind::Closed);
    let reopened = Database::open(directory.path()).unwrap();
    assert_eq!(files_of_loads(directory.path()), 0);
    assert_eq!(load.finish().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(reopened.collections().unwrap(), Vec::<String>::new());
    reopened.close().unwrap();
    assert_eq!(stored_keys(directory.path()), Vec::<Vec<u8>>::new());
}
