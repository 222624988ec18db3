//! Loads and imports into collections with indexes on text.

use blaze::{ErrorKind, set};

use super::*;

#[test]
fn a_loaded_collection_has_its_text_indexes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let on_disk = open(&path);
    let in_memory = Database::builder().in_memory().unwrap();
    for db in [&in_memory, &on_disk] {
        let mut load = db.load_collection::<Document>("films").ensure_index(index()).begin().unwrap();
        for n in (0..3_000).rev() {
            load.insert_with_id(n, &film(n)).unwrap();
        }
        assert_eq!(load.finish().unwrap(), 3_000);
        assert_healthy(db);
        let films = films(db);
        films.update(1, set("title", "changed")).unwrap();
        films.delete(2).unwrap();
        films.put(3_000, &film(1)).unwrap();
        assert_healthy(db);
    }
    assert!(needs_texts(&path));
    on_disk.close().unwrap();
    assert_healthy(&open(&path));
}

#[test]
fn a_document_that_comes_twice_is_told_by_its_id() {
    let db = Database::temporary().unwrap();
    let mut load = db.load_collection::<Document>("films").ensure_index(index()).begin().unwrap();
    for n in [1, 2, 1] {
        load.insert_with_id(n, &film(n)).unwrap();
    }
    let error = load.finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.to_string(), "two documents of the load have the id 1");
}
