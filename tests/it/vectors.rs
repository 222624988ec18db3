//! Vector indexes with a graph: what is found is what all rows say, whatever happens meanwhile.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure that a test does not expect ends it"
)]

mod chunks;
mod cold;
mod crashes;
mod embedding;
mod explained;
mod features;
mod filter_cache;
mod filter_costs;
mod filter_model;
mod filters;
mod making;
mod options;
mod products;
mod questions;
mod recall;
mod relinked;
mod replaced;
mod rows;
mod stored;
mod stress;
mod whole;

use std::sync::Arc;

use blaze::{
    Collection, Database, Document, DocumentId, Durability, Entropy, ErrorKind, Index, ManualClock, Metric,
    SeededEntropy, Vector, field,
};

pub(crate) const DIMENSION: usize = 16;

/// Enough for a graph.
pub(crate) const MANY: usize = 5_000;

/// Vectors around some centres, as real ones lie.
pub(crate) fn random_vector(random: &dyn Entropy) -> Vec<f32> {
    let number = |random: &dyn Entropy| (random.next_u64() % 2_001) as f32 / 1_000.0 - 1.0;
    let centre = SeededEntropy::new(random.next_u64() % 50);
    (0..DIMENSION).map(|_| 3.0 * number(&centre) + number(random)).collect()
}

pub(crate) fn document(vector: &[f32], n: usize) -> Document {
    Document::new().with("v", Vector::F32(vector.to_vec())).with("n", n as i64)
}

pub(crate) fn vectors(seed: u64, count: usize) -> Vec<Vec<f32>> {
    let random = SeededEntropy::new(seed);
    (0..count).map(|_| random_vector(&random)).collect()
}

/// A collection of documents under the ids from 0 on, and a graph of their vectors.
pub(crate) fn fill(db: &Database, vectors: &[Vec<f32>]) -> Collection<Document> {
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    let documents = vectors.iter().enumerate().map(|(n, vector)| (n as u64, document(vector, n)));
    points.bulk().insert_with_ids(documents).unwrap();
    db.settle().unwrap();
    points
}

/// How a search was done, and the ids that it found.
pub(crate) fn search(points: &Collection<Document>, query: &[f32], k: usize) -> (bool, Vec<DocumentId>) {
    let search = points.search().nearest("v", query).limit(k);
    let explain = search.explain().unwrap().to_string();
    (explain.contains("graph"), search.run().unwrap().into_iter().map(|hit| hit.id).collect())
}

/// The nearest by looking at the documents.
pub(crate) fn exactly(points: &Collection<Document>, query: &[f32], k: usize) -> Vec<DocumentId> {
    let mut all: Vec<(f32, DocumentId)> = Vec::new();
    for found in points.find(field("v").exists(true)).run().unwrap() {
        let Some(blaze::Value::Vector(Vector::F32(vector))) = found.value.get("v") else { continue };
        let distance = vector.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        all.push((distance, found.id.clone()));
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    all.into_iter().take(k).map(|(_, id)| id).collect()
}

/// Which part of what is near was found, by way of the graph or not.
#[track_caller]
pub(crate) fn recall(points: &Collection<Document>, queries: &[Vec<f32>], k: usize, by_graph: bool) -> f64 {
    let mut found = 0;
    for query in queries {
        let (has_graph, ids) = search(points, query, k);
        assert_eq!(has_graph, by_graph, "by way of the graph");
        let expected = exactly(points, query, k);
        assert_eq!(ids.len(), expected.len(), "as many as there are");
        found += ids.iter().filter(|id| expected.contains(id)).count();
    }
    found as f64 / (queries.len() * k) as f64
}

#[track_caller]
pub(crate) fn assert_finds(points: &Collection<Document>, seed: u64, by_graph: bool) {
    let recall = recall(points, &vectors(seed, 20), 10, by_graph);
    assert!(recall > if by_graph { 0.95 } else { 0.999 }, "recall {recall}");
}

/// A database under a clock that stands still: all work on graphs is done by who commits.
pub(crate) fn without_background() -> Database {
    Database::builder()
        .clock(Arc::new(ManualClock::at_ms(1_000_000)))
        .durability(Durability::Buffered)
        .temporary()
        .unwrap()
}

#[test]
fn many_vectors_are_found_by_a_graph_and_few_without_one() {
    for db in [Database::temporary().unwrap(), Database::in_memory().unwrap(), without_background()] {
        let few = fill(&db, &vectors(1, 1_000));
        assert_finds(&few, 2, false);
        db.drop_collection("points").unwrap();
        let many = fill(&db, &vectors(1, MANY));
        assert_finds(&many, 2, true);
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn what_is_committed_is_found_at_once_and_what_is_rolled_back_never() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    let other = vec![50.0; DIMENSION];
    let first = |points: &Collection<Document>| {
        let (by_graph, ids) = search(points, &other, 1);
        assert!(by_graph);
        ids[0].clone()
    };
    let before = first(&points);
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("points").unwrap();
    own.insert_with_id("own", &document(&other, 0)).unwrap();
    assert_eq!(first(&own), "own".into(), "a transaction finds what it has written");
    let savepoint = tx.savepoint().unwrap();
    own.insert_with_id("taken back", &document(&[51.0; DIMENSION], 0)).unwrap();
    own.delete("own").unwrap();
    assert_eq!(first(&own), "taken back".into());
    tx.rollback_to(&savepoint).unwrap();
    assert_eq!(first(&own), "own".into());
    assert_eq!(first(&points), before, "nobody else does");
    tx.rollback();
    assert_eq!(first(&points), before);

    let view = db.snapshot().unwrap();
    points.insert_with_id("there", &document(&other, 0)).unwrap();
    assert_eq!(first(&points), "there".into());
    assert_eq!(first(&view.collection("points").unwrap()), before, "an older view does not see it");
    let view = db.snapshot().unwrap();
    points.put("there", &document(&[-50.0; DIMENSION], 0)).unwrap();
    assert_eq!(first(&points), before);
    assert_eq!(first(&view.collection("points").unwrap()), "there".into(), "an older view sees where it was");
    points.delete("there").unwrap();
    assert_eq!(first(&view.collection("points").unwrap()), "there".into());
    assert_ne!(search(&points, &[-50.0; DIMENSION], 1).1, ["there".into()]);
}

#[test]
fn an_older_view_gets_as_many_as_it_asks_for_after_everything_has_changed() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    let view = db.snapshot().unwrap();
    let then = view.collection::<Document>("points").unwrap();
    let queries = vectors(2, 10);
    let before: Vec<_> = queries.iter().map(|query| exactly(&then, query, 10)).collect();
    for n in 0..MANY / 2 {
        points.delete(n as u64).unwrap();
    }
    let moved = vectors(3, MANY);
    let documents = (MANY / 2..MANY).map(|n| (n as u64, document(&moved[n], n)));
    documents.for_each(|(id, document)| points.put(id, &document).unwrap());
    for (query, expected) in queries.iter().zip(before) {
        assert_eq!(exactly(&then, query, 10), expected);
    }
    assert!(recall(&then, &queries, 10, true) > 0.95);
    assert!(recall(&points, &queries, 10, true) > 0.95);
}

#[test]
fn a_filter_gives_k_when_k_match() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    for (filter, matching) in
        [(field("n").lt(2_500), 2_500), (field("n").lt(50), 50), (field("n").lt(7), 7), (field("n").lt(0), 0)]
    {
        for query in vectors(2, 5) {
            let hits = points.search().nearest("v", &query).filter(filter.clone()).limit(10).run().unwrap();
            assert_eq!(hits.len(), matching.min(10), "{filter}");
            assert!(hits.iter().all(|hit| hit.get("n").unwrap().as_i64().unwrap() < matching as i64));
        }
    }
    let all = points.search().nearest("v", &[0.0; DIMENSION]).limit(10_000).run().unwrap();
    assert_eq!(all.len(), MANY, "more than there are");
    let bound = all[20].distance;
    let within = points.search().nearest("v", &[0.0; DIMENSION]).limit(100).within(bound).run().unwrap();
    assert!(within.iter().all(|hit| hit.distance <= bound) && within.len() >= 20, "{}", within.len());
}

#[test]
fn a_search_in_a_serializable_transaction_conflicts_with_later_changes_of_vectors() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    let searched = |change: &dyn Fn()| {
        let tx = db.begin().unwrap();
        assert!(search(&tx.collection("points").unwrap(), &[0.0; DIMENSION], 3).0);
        tx.collection::<Document>("others").unwrap().insert(&Document::new()).unwrap();
        change();
        tx.commit().map_err(|error| error.kind())
    };
    db.collection::<Document>("others").unwrap();
    assert!(searched(&|| drop(db.collection::<Document>("others").unwrap().insert(&Document::new()).unwrap())).is_ok());
    let far = || points.put("far", &document(&[90.0; DIMENSION], 0)).unwrap();
    assert_eq!(searched(&far), Err(ErrorKind::Conflict));
    assert_eq!(searched(&|| assert!(points.delete("far").unwrap())), Err(ErrorKind::Conflict));
}

#[test]
fn an_index_that_is_dropped_built_again_or_loaded_has_a_graph_of_its_own() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    points.drop_index("v").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::Cosine)).unwrap();
    assert!(search(&points, &[1.0; DIMENSION], 3).0);
    let mut load = db.load_collection::<Document>("points").replace().begin().unwrap();
    let loaded = vectors(7, MANY);
    loaded.iter().enumerate().for_each(|(n, vector)| load.insert_with_id(n as u64, &document(vector, n)).unwrap());
    load.finish().unwrap();
    for (n, vector) in loaded.iter().enumerate().step_by(500) {
        assert_eq!(search(&points, vector, 1), (true, vec![(n as u64).into()]));
    }
}

#[test]
fn a_transaction_of_more_vectors_than_a_tail_holds_is_found_whole() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    let added = vectors(9, 2 * 4_096);
    db.transaction(|tx| {
        let points = tx.collection::<Document>("points")?;
        let documents = added.iter().enumerate().map(|(n, vector)| (format!("n{n}"), document(vector, n)));
        points.bulk().insert_with_ids(documents).map(drop)
    })
    .unwrap();
    for (n, vector) in added.iter().enumerate().step_by(800) {
        assert_eq!(search(&points, vector, 1), (true, vec![format!("n{n}").into()]));
    }
}

/// Places in fifty cities all over the world: a city is a ten-thousandth of it, and no code is fine enough.
pub(crate) fn heaps() -> Vec<Vec<f32>> {
    let random = SeededEntropy::new(9);
    let number = |range: f32| (random.next_u64() % 100_000) as f32 / 100_000.0 * range;
    let cities: Vec<[f32; 2]> = (0..50).map(|_| [number(360.0) - 180.0, number(180.0) - 90.0]).collect();
    (0..6_000).map(|n| vec![cities[n % 50][0] + number(0.05), cities[n % 50][1] + number(0.05)]).collect()
}

#[test]
fn heaps_that_codes_cannot_tell_apart_are_searched_exactly() {
    let db = without_background();
    let places = db.collection::<Document>("places").unwrap();
    places.ensure_index(Index::vector("v", 2).metric(Metric::L2)).unwrap();
    let rows = heaps();
    places.bulk().insert_with_ids(rows.iter().enumerate().map(|(n, row)| (n as u64, document(row, n)))).unwrap();
    db.settle().unwrap();
    for query in rows.iter().step_by(600) {
        let (_, ids) = search(&places, query, 10);
        assert_eq!(ids, exactly(&places, query, 10));
    }
}

#[test]
fn a_graph_that_has_shrunk_and_is_kept_can_be_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Database::open(directory.path().join("db")).unwrap();
    {
        let db = open();
        let points = fill(&db, &vectors(1, 12_000));
        points.delete_many(field("n").ge(0)).unwrap();
        db.settle().unwrap();
        let documents = vectors(2, MANY).into_iter().enumerate().map(|(n, row)| (n as u64, document(&row, n)));
        points.bulk().insert_with_ids(documents.collect::<Vec<_>>()).unwrap();
        db.settle().unwrap();
        assert!(recall(&points, &vectors(3, 20), 10, true) >= 0.9);
        db.close().unwrap();
    }
    let db = open();
    let recall = recall(&db.collection::<Document>("points").unwrap(), &vectors(3, 20), 10, true);
    assert!(recall >= 0.9, "recall {recall}");
}
