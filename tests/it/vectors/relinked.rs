//! What an update of a document costs the graph: one node where its vector has changed, and nothing where it has not.

use blaze::{inc, set};

use super::stored::marks;
use super::*;

/// A document that is changed, and one that is not.
const CHANGED: u64 = 17;
const OTHER: u64 = 18;

/// Where nothing else is.
const FAR: [f32; DIMENSION] = [40.0; DIMENSION];

/// What is linked, and what was replaced since: one more for each node that a vector was given in place of another.
fn linked_and_replaced(db: &Database) -> (u64, u64) {
    db.settle().unwrap();
    let stats = db.stats().unwrap().vector_indexes.remove(0);
    assert_eq!((stats.tail, stats.unlinked, stats.is_complete), (0, 0, true), "{stats:?}");
    (stats.linked, stats.removed)
}

fn version(points: &Collection<Document>, id: u64) -> blaze::Timestamp {
    points.get(id).unwrap().expect("the document is there").version
}

#[test]
fn an_update_of_the_vector_alone_links_one_node_anew_and_makes_a_new_version() {
    let db = without_background();
    let all = vectors(1, MANY);
    let points = fill(&db, &all);
    let (linked, replaced) = linked_and_replaced(&db);
    assert_eq!((linked, replaced), (MANY as u64, 0));
    let (before, of_other) = (version(&points, CHANGED), version(&points, OTHER));
    points.update(CHANGED, set("v", Vector::F32(FAR.to_vec()))).unwrap();
    assert_eq!(linked_and_replaced(&db), (MANY as u64, 1), "one node came, and one is to go");
    assert!(version(&points, CHANGED) > before, "who has read the document before can tell that it has changed");
    assert_eq!(version(&points, OTHER), of_other);
    let n = points.get(CHANGED).unwrap().unwrap().value.get("n").and_then(blaze::Value::as_i64);
    assert_eq!(n, Some(CHANGED as i64), "what else is in the document stays");
    assert_eq!(search(&points, &FAR, 1), (true, vec![CHANGED.into()]), "it is found where it is");
    let (by_graph, ids) = search(&points, &all[CHANGED as usize], 10);
    assert!(by_graph && !ids.contains(&CHANGED.into()), "it is not found where it was: {ids:?}");
    assert_eq!(search(&points, &all[OTHER as usize], 1), (true, vec![OTHER.into()]));
}

#[test]
fn an_update_that_leaves_the_vector_as_it_is_links_nothing_and_makes_a_new_version() {
    let db = without_background();
    let all = vectors(1, MANY);
    let points = fill(&db, &all);
    let before = linked_and_replaced(&db);
    let same = &all[CHANGED as usize];
    let changes: [(&str, &dyn Fn()); 4] = [
        ("another field", &|| points.update(CHANGED, inc("n", 1)).unwrap()),
        ("a new field", &|| points.update(CHANGED, set("title", "Solaris")).unwrap()),
        ("the same document", &|| points.put(CHANGED, &document(same, 5)).unwrap()),
        ("the same vector", &|| points.update(CHANGED, set("v", Vector::F32(same.clone())).and(inc("n", 1))).unwrap()),
    ];
    for (what, change) in changes {
        let older = version(&points, CHANGED);
        change();
        assert_eq!(linked_and_replaced(&db), before, "{what} was written");
        assert!(version(&points, CHANGED) > older, "{what} was written");
        assert_eq!(search(&points, same, 1), (true, vec![CHANGED.into()]), "{what} was written");
    }
}

#[test]
fn a_vector_that_goes_and_comes_back_is_a_node_less_and_a_node_more() {
    let db = without_background();
    let all = vectors(1, MANY);
    let points = fill(&db, &all);
    points.update(CHANGED, blaze::unset("v")).unwrap();
    assert_eq!(linked_and_replaced(&db), (MANY as u64 - 1, 1));
    assert!(!search(&points, &all[CHANGED as usize], 10).1.contains(&CHANGED.into()));
    points.update(CHANGED, set("v", Vector::F32(all[CHANGED as usize].clone()))).unwrap();
    assert_eq!(linked_and_replaced(&db), (MANY as u64, 1));
    assert_eq!(search(&points, &all[CHANGED as usize], 1), (true, vec![CHANGED.into()]));
}

#[test]
fn only_vectors_that_have_changed_are_linked_again_after_opening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let open = || Database::builder().durability(Durability::Buffered).open(&path).unwrap();
    let db = open();
    fill(&db, &vectors(1, MANY));
    db.close().unwrap();
    assert_eq!(marks(&path), 0, "all is written");
    for (marked, change) in [(0, set("title", "Solaris")), (1, set("v", Vector::F32(FAR.to_vec())))] {
        let db = open();
        db.collection::<Document>("points").unwrap().update(CHANGED, change.clone()).unwrap();
        db.close().unwrap();
        assert_eq!(marks(&path), marked, "vectors to be linked again after {change:?}");
    }
    let db = open();
    assert_eq!(search(&db.collection("points").unwrap(), &FAR, 1), (true, vec![CHANGED.into()]));
}
