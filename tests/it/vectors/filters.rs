//! Filters and bounds beside a graph: as many as match are found, and the nearest of them.

use std::collections::BTreeSet;

use blaze::{Collection, Database, Document, DocumentId, Filter, FilterStrategy, Index, Metric, SearchPath, field};

use super::{DIMENSION, MANY, document, vectors};

/// Documents whose `n` counts up, and whose `part` is that of a hundred that they are in, by chance.
fn filled(is_indexed: bool) -> (Database, Collection<Document>) {
    let db = Database::temporary().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    if is_indexed {
        points.ensure_index(Index::on("part")).unwrap();
    }
    let rows = vectors(1, MANY);
    let part = |n: usize| ((n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % 100;
    let documents = rows.iter().enumerate().map(|(n, row)| (n as u64, document(row, n).with("part", part(n) as i64)));
    points.bulk().insert_with_ids(documents).unwrap();
    db.settle().unwrap();
    (db, points)
}

/// Which part of the ten nearest that match is found, and how it was looked for.
fn recall(points: &Collection<Document>, filter: &Filter) -> (f64, BTreeSet<String>) {
    let (mut found, mut all, mut ways) = (0, 0, BTreeSet::new());
    for query in vectors(7, 20) {
        let search = points.search().nearest("v", query.as_slice()).filter(filter.clone());
        let expected: Vec<DocumentId> = search.clone().exact().ids().unwrap().into_iter().map(|hit| hit.id).collect();
        let ids = search.ids().unwrap();
        assert_eq!(ids.len(), expected.len(), "as many as match, of {filter}");
        assert!(ids.is_sorted_by(|a, b| a.distance <= b.distance));
        found += ids.iter().filter(|hit| expected.contains(&hit.id)).count();
        all += expected.len();
        let explain = search.explain().unwrap();
        ways.insert(format!("{:?}, {:?}", explain.path, explain.filter));
    }
    (found as f64 / all as f64, ways)
}

#[test]
fn the_nearest_that_match_are_found_with_and_without_an_index_on_the_filter() {
    for is_indexed in [true, false] {
        let (_db, points) = filled(is_indexed);
        for percent in [90, 43, 20, 10, 3, 1] {
            let (recall, ways) = recall(&points, &field("part").lt(percent));
            assert!(recall >= 0.95, "{recall} where {percent} % match, by {ways:?}");
        }
        let ways = recall(&points, &field("part").eq(100)).1;
        assert!(!ways.contains("Graph, Checked") && ways.contains("Exact, First") == is_indexed, "{ways:?}");
    }
}

#[test]
fn documents_that_an_index_finds_are_compared_by_the_graph_unless_they_are_few() {
    let (db, points) = filled(true);
    let way = |filter: Filter| {
        let explain = points.search().nearest("v", vectors(3, 1)[0].as_slice()).filter(filter).explain().unwrap();
        (explain.path, explain.filter)
    };
    assert_eq!(way(field("part").lt(10)), (SearchPath::Graph, FilterStrategy::First));
    assert_eq!(way(field("part").eq(10)), (SearchPath::Exact, FilterStrategy::First));
    // What a transaction has written itself is found, and what it has removed is not.
    let query = vectors(3, 1)[0].clone();
    db.transaction(|tx| {
        let points = tx.collection::<Document>("points")?;
        let search = || points.search().nearest("v", query.as_slice()).filter(field("part").lt(10)).limit(3);
        let before = search().ids()?;
        points.delete(before[0].id.clone())?;
        points.insert_with_id("own", &document(&query, 0).with("part", 5))?;
        points.insert_with_id("other part", &document(&query, 0).with("part", 50))?;
        let after: Vec<DocumentId> = search().ids()?.into_iter().map(|hit| hit.id).collect();
        assert_eq!(after, [DocumentId::from("own"), before[1].id.clone(), before[2].id.clone()]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_older_snapshot_finds_what_matched_then() {
    let (db, points) = filled(true);
    let query = vectors(3, 1)[0].clone();
    let filter = field("part").lt(10);
    let snapshot = db.snapshot().unwrap();
    let then = snapshot.collection::<Document>("points").unwrap();
    let expected = then.search().nearest("v", query.as_slice()).filter(filter.clone()).exact().ids().unwrap();
    for hit in &expected {
        points.delete(hit.id.clone()).unwrap();
    }
    db.settle().unwrap();
    let found = then.search().nearest("v", query.as_slice()).filter(filter.clone()).ids().unwrap();
    assert_eq!(found, expected);
    let now = points.search().nearest("v", query.as_slice()).filter(filter).ids().unwrap();
    assert!(now.len() == 10 && now.iter().all(|hit| !expected.contains(hit)));
}

#[test]
fn a_bound_of_the_distance_is_kept_and_asks_for_no_document_beyond() {
    let (_db, points) = filled(false);
    let query = vectors(3, 1)[0].clone();
    let search = |limit: usize| points.search().nearest("v", query.as_slice()).limit(limit);
    let third = search(3).exact().ids().unwrap()[2].distance;
    let within = search(100).within(third).filter(field("part").ge(0));
    let (ids, explain) = (within.ids().unwrap(), within.explain().unwrap());
    assert_eq!(ids.len(), 3);
    assert_eq!((explain.path, explain.documents_examined), (SearchPath::Graph, 3));
}
