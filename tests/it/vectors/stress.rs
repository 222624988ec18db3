//! Many threads write and search while an oracle, the documents themselves, says what is right.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use blaze::SearchPath;

use super::whole::assert_whole;
use super::*;

const WRITERS: u64 = 3;
const SEARCHERS: u64 = 2;
const OPERATIONS: u64 = 1_500;

/// One change by one writer, among ids of its own.
fn change(db: &Database, points: &Collection<Document>, random: &dyn Entropy, writer: u64) {
    let id = |random: &dyn Entropy| (random.next_u64() % (MANY as u64 / WRITERS)) * WRITERS + writer;
    match random.next_u64() % 8 {
        0..=3 => points.put(id(random), &document(&random_vector(random), 1)).unwrap(),
        4 | 5 => drop(points.delete(id(random)).unwrap()),
        6 => {
            let tx = db.begin().unwrap();
            let own = tx.collection::<Document>("points").unwrap();
            (0..20).for_each(|_| own.put(id(random), &document(&random_vector(random), 2)).unwrap());
            tx.rollback();
        }
        _ => db
            .transaction(|tx| {
                let own = tx.collection::<Document>("points")?;
                (0..20).try_for_each(|_| own.put(id(random), &document(&random_vector(random), 3)))
            })
            .unwrap(),
    }
}

/// Compares a search in a view with what its documents say; it is done by the graph, whatever happens meanwhile.
fn check(db: &Database, random: &dyn Entropy) -> (u64, u64) {
    let view = db.snapshot().unwrap();
    let points = view.collection::<Document>("points").unwrap();
    let query = random_vector(random);
    let search = points.search().nearest("v", &query).limit(10);
    let explain = search.explain().unwrap();
    assert_eq!(explain.path, SearchPath::Graph, "{explain}");
    let hits = search.run().unwrap();
    let expected = exactly(&points, &query, 10);
    assert_eq!(hits.len(), expected.len(), "k of k");
    let distinct: BTreeSet<_> = hits.iter().map(|hit| hit.id.clone()).collect();
    assert_eq!(distinct.len(), hits.len(), "no document twice");
    for hit in &hits {
        let document = points.get(&hit.id).unwrap().expect("a search finds what its view sees");
        let Some(blaze::Value::Vector(Vector::F32(vector))) = document.value.get("v") else { panic!("no vector") };
        let exact = vector.iter().zip(&query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
        assert!((hit.distance - exact).abs() < 1e-3, "{} is not {exact}", hit.distance);
    }
    (hits.iter().filter(|hit| expected.contains(&hit.id)).count() as u64, expected.len() as u64)
}

#[test]
fn searches_agree_with_documents_while_these_come_change_and_go() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let points = fill(&db, &vectors(1, MANY));
    let (found, expected, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (db, points) = (&db, &points);
                scope.spawn(move || {
                    let random = SeededEntropy::new(100 + writer);
                    (0..OPERATIONS).for_each(|_| change(db, points, &random, writer));
                })
            })
            .collect();
        for searcher in 0..SEARCHERS {
            let (db, found, expected, done) = (&db, &found, &expected, &done);
            scope.spawn(move || {
                let random = SeededEntropy::new(200 + searcher);
                while !done.load(Ordering::Relaxed) {
                    let (right, all) = check(db, &random);
                    found.fetch_add(right, Ordering::Relaxed);
                    expected.fetch_add(all, Ordering::Relaxed);
                }
            });
        }
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    let (found, expected) = (found.into_inner(), expected.into_inner());
    let recall = found as f64 / expected as f64;
    assert!(expected >= 200 && recall > 0.95, "recall {recall}, of {expected} that were to be found");
    assert_whole(&db, &points, "once all is done");
    assert_finds(&points, 5, true);
    assert_eq!(db.verify().unwrap().problems, []);
    let stats = &db.stats().unwrap().vector_indexes[0];
    assert!(stats.removed < stats.linked / 4 + 600, "what is removed is reclaimed: {stats:?}");
}
