//! What holds of a graph that has caught up, however it came about: it has the vector of every document, and no other one.

use std::collections::BTreeMap;

use blaze::SearchPath;

use super::*;

/// How far beside a vector it is looked for as well: far less than there is between two of them, and enough to have another code.
/// At its own code a search begins, whether or not any edge leads there.
const BESIDE: f32 = 0.05;

/// Of so many vectors, one may be missed from beside it.
const FOUND_OF_ONE_MISSED: usize = 500;

/// The vectors that documents have, by the ids of these.
pub(super) fn vectors_of(points: &Collection<Document>) -> BTreeMap<DocumentId, Vec<f32>> {
    let vector = |found: blaze::Found<Document>| match found.value.get("v") {
        Some(blaze::Value::Vector(Vector::F32(vector))) => Some((found.id, vector.clone())),
        _ => None,
    };
    points.find_all().run().unwrap().into_iter().filter_map(vector).collect()
}

/// Has the database catch up; fails unless the graph has as many vectors as documents do, each of which finds itself by it, and
/// nothing else is found. Answers these vectors.
#[track_caller]
pub(super) fn assert_whole(db: &Database, points: &Collection<Document>, when: &str) -> BTreeMap<DocumentId, Vec<f32>> {
    let explain = || points.search().nearest("v", &[0.5; DIMENSION]).explain().unwrap();
    explain(); // who searches has it be read, or made
    db.settle().unwrap();
    let (there, explain) = (vectors_of(points), explain());
    assert_eq!(explain.path, SearchPath::Graph, "{when}, of {} vectors: {explain}", there.len());
    let stats = db.stats().unwrap().vector_indexes.remove(0);
    let (linked, left) = (stats.linked as usize, stats.tail + stats.unlinked);
    assert_eq!((linked, left, stats.is_complete), (there.len(), 0, true), "{when}, linked, left, complete: {stats:?}");
    let nearest = |vector: &[f32]| {
        let hits = points.search().nearest("v", vector).limit(3).ids().unwrap();
        assert!(hits.iter().all(|hit| there.contains_key(&hit.id)), "{when}: no document has all of {hits:?}");
        (hits[0].id.clone(), hits[0].distance)
    };
    let mut missed = Vec::new();
    for (id, vector) in &there {
        assert_eq!(nearest(vector), (id.clone(), 0.0), "{when}: {id:?} looks for itself");
        let beside: Vec<f32> = vector.iter().map(|number| number + BESIDE).collect();
        if nearest(&beside).0 != *id {
            missed.push(id.to_string());
        }
    }
    assert!(missed.len() <= there.len() / FOUND_OF_ONE_MISSED, "{when}: from beside, these are not found: {missed:?}");
    there
}
