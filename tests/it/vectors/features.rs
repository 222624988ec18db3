//! What an older version of Blaze would misread, it refuses to open.

use std::fs;
use std::path::Path;

use blaze_core::{FEATURE_TEXT_INDEXES, FEATURE_VECTOR_GRAPHS};

use super::*;

/// What is needed to read a database, as its marker says.
fn features(path: &Path) -> u64 {
    let marker = fs::read(path.join("BLAZE")).unwrap();
    u64::from_be_bytes(marker[12..20].try_into().unwrap())
}

#[test]
fn a_database_needs_to_be_read_with_its_graphs_from_the_first_vector_on_that_a_graph_may_lack() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let db = Database::builder().durability(Durability::Buffered).open(path("db")).unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.insert_with_id("one", &document(&[1.0; DIMENSION], 1)).unwrap();
    points.ensure_index(Index::vector("v", DIMENSION)).unwrap();
    points.ensure_index(Index::on("n")).unwrap();
    assert_eq!(features(&path("db")), 0, "rows of vectors are as they always were");
    db.checkpoint(path("before")).unwrap();
    assert_eq!(features(&path("before")), 0);

    points.insert_with_id("two", &document(&[2.0; DIMENSION], 1)).unwrap();
    assert_eq!(features(&path("db")), FEATURE_VECTOR_GRAPHS);
    db.checkpoint(path("copy")).unwrap();
    let backup = db.backup(path("backups")).unwrap();
    blaze::Backups::open(path("backups")).unwrap().restore(backup.id, path("restored")).unwrap();
    db.close().unwrap();
    // A backup does not tell what is needed: what was restored asks for all that this version knows.
    let all = FEATURE_VECTOR_GRAPHS | FEATURE_TEXT_INDEXES;
    for (name, needed) in [("db", FEATURE_VECTOR_GRAPHS), ("copy", FEATURE_VECTOR_GRAPHS), ("restored", all)] {
        assert_eq!(features(&path(name)), needed, "{name}");
        let db = Database::builder().read_only().open(path(name)).unwrap();
        assert_eq!(search(&db.collection("points").unwrap(), &[2.0; DIMENSION], 2).1.len(), 2, "{name}");
    }
}

#[test]
fn a_graph_that_is_made_of_what_was_there_before_needs_to_be_known_to_read_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
    let points = db.collection::<Document>("points").unwrap();
    let rows = vectors(1, MANY);
    points.bulk().insert_with_ids(rows.iter().enumerate().map(|(n, row)| (n as u64, document(row, n)))).unwrap();
    points.ensure_index(Index::vector("v", DIMENSION)).unwrap();
    db.settle().unwrap();
    assert_eq!(features(&path), FEATURE_VECTOR_GRAPHS, "its blocks are written");
}
