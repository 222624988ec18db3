//! Several vectors for each document, beside a graph.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Documents of up to eight chunks; together, enough vectors for a graph.
const DOCUMENTS: usize = 1_500;

fn random_chunks(random: &dyn Entropy) -> Vec<Vec<f32>> {
    (0..random.next_u64() % 9).map(|_| random_vector(random)).collect()
}

fn filled(db: &Database, seed: u64) -> Collection<Document> {
    let books = books(db, DIMENSION);
    let random = SeededEntropy::new(seed);
    let documents: Vec<_> =
        (0..DOCUMENTS).map(|n| (n as u64, chunked(&random_chunks(&random)).with("n", n as i64))).collect();
    books.bulk().insert_with_ids(documents).unwrap();
    db.settle().unwrap();
    assert!(db.stats().unwrap().vector_indexes[0].linked > 4_096);
    books
}

fn distance(chunk: &Value, query: &[f32]) -> f32 {
    let Some(Value::Vector(Vector::F32(vector))) = chunk.as_map().and_then(|chunk| chunk.get("embedding")) else {
        panic!("no vector in {chunk:?}")
    };
    vector.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

/// All documents that match by their nearest chunks: the distance, the id, the chunk.
fn all(books: &Collection<Document>, query: &[f32], below: i64) -> Vec<(f32, DocumentId, usize)> {
    let mut all = Vec::new();
    for found in books.find(field("n").lt(below)).run().unwrap() {
        let chunks = found.value.get("chunks").unwrap().as_array().unwrap();
        let distances = chunks.iter().map(|chunk| distance(chunk, query)).enumerate();
        if let Some((place, distance)) = distances.min_by(|a, b| a.1.total_cmp(&b.1)) {
            all.push((distance, found.id, place));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

/// Compares searches with what the documents say; answers which part of the nearest was found.
#[track_caller]
fn recall(books: &Collection<Document>, below: i64, path: SearchPath) -> f64 {
    let (mut right, mut count) = (0, 0);
    for query in vectors(77, 15) {
        let search = books.search().nearest("chunks.embedding", &query);
        let search = if below < i64::MAX { search.filter(field("n").lt(below)) } else { search };
        assert_eq!(search.explain().unwrap().path, path);
        let hits = search.run().unwrap();
        let expected = all(books, &query, below);
        assert_eq!(hits.len(), expected.len().min(10), "k documents");
        let known: BTreeMap<_, _> = expected.iter().map(|(distance, id, place)| (id, (*distance, *place))).collect();
        let distinct: BTreeSet<_> = hits.iter().map(|hit| &hit.id).collect();
        assert_eq!(distinct.len(), hits.len(), "no document twice");
        assert!(hits.is_sorted_by(|a, b| a.distance <= b.distance));
        for hit in &hits {
            let (_, place) = known[&hit.id];
            assert_eq!(hit.chunk, Some(place), "the chunk is told by the document");
            let own = distance(&hit.get("chunks").unwrap().as_array().unwrap()[place], &query);
            assert!(hit.distance >= own - 1e-3);
        }
        let nearest: BTreeSet<_> = expected.iter().take(10).map(|(_, id, _)| id).collect();
        right += hits.iter().filter(|hit| nearest.contains(&hit.id)).count();
        count += nearest.len();
    }
    right as f64 / count as f64
}

#[test]
fn the_nearest_documents_are_found_by_the_graph_while_they_come_change_and_go() {
    for db in [without_background(), Database::temporary().unwrap()] {
        let books = filled(&db, 1);
        assert!(recall(&books, i64::MAX, SearchPath::Graph) > 0.95);
        let snapshot = db.snapshot().unwrap();
        let random = SeededEntropy::new(2);
        for _ in 0..300 {
            let n = random.next_u64() % DOCUMENTS as u64;
            match random.next_u64() % 3 {
                0 => drop(books.delete(n).unwrap()),
                1 => books.put(n, &chunked(&random_chunks(&random)).with("n", n as i64)).unwrap(),
                _ => drop(books.update(
                    n,
                    blaze::push(
                        "chunks",
                        chunked(&[random_vector(&random)]).get("chunks").unwrap().as_array().unwrap()[0].clone(),
                    ),
                )),
            }
        }
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("books").unwrap();
        for n in 0..100_u64 {
            own.put(n, &chunked(&random_chunks(&random)).with("n", n as i64)).unwrap();
        }
        assert!(recall(&own, i64::MAX, SearchPath::Graph) > 0.95, "a transaction sees its own");
        tx.rollback();
        assert!(recall(&books, i64::MAX, SearchPath::Graph) > 0.95);
        assert!(recall(&snapshot.collection("books").unwrap(), i64::MAX, SearchPath::Graph) > 0.95, "an older view");
        db.settle().unwrap();
        assert!(recall(&books, i64::MAX, SearchPath::Graph) > 0.95, "all of it linked");
        assert!(recall(&snapshot.collection("books").unwrap(), i64::MAX, SearchPath::Graph) > 0.95);
        assert!(db.verify().unwrap().is_healthy());
    }
}

#[test]
fn a_filter_gives_k_documents_with_and_without_an_index_on_it() {
    let db = without_background();
    let books = filled(&db, 1);
    for is_indexed in [false, true] {
        if is_indexed {
            books.ensure_index(Index::on("n")).unwrap();
        }
        for (below, path) in
            [(1_000, SearchPath::Graph), (400, SearchPath::Graph), (5, SearchPath::Exact), (0, SearchPath::Exact)]
        {
            let recall = recall(&books, below, path);
            assert!(below == 0 || recall > 0.95, "recall {recall} below {below}, indexed: {is_indexed}");
        }
    }
    let search = books.search().nearest("chunks.embedding", &[0.0; DIMENSION]).filter(field("n").lt(1_000));
    let explain = search.explain().unwrap();
    assert_eq!((explain.filter, explain.documents_examined), (FilterStrategy::First, 0), "{explain}");
}

#[test]
fn changing_one_of_ten_chunks_writes_and_links_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let open = || {
        Database::builder()
            .clock(Arc::new(ManualClock::at_ms(1_000_000)))
            .durability(Durability::Buffered)
            .open(&path)
            .unwrap()
    };
    let mut ten = vectors(5, 10);
    let db = open();
    books(&db, DIMENSION).insert_with_id("ten", &chunked(&ten).with("n", 0)).unwrap();
    drop(filled(&db, 1));
    db.close().unwrap();
    assert_eq!(marks(&path), 0, "all of it is written");

    let db = open();
    let books = db.collection::<Document>("books").unwrap();
    assert_eq!(found(&books, &ten[3], 1), [of("ten", 0.0, 3)]);
    let size = || {
        db.settle().unwrap();
        let stats = db.stats().unwrap().vector_indexes.remove(0);
        (stats.linked + stats.tail, stats.removed)
    };
    let (linked, removed) = size();
    ten[3] = vec![60.0; DIMENSION];
    ten.swap(0, 9);
    books.put("ten", &chunked(&ten).with("n", 0)).unwrap();
    assert_eq!(size(), (linked, removed + 1), "of ten, one was linked and one removed");
    assert_eq!(found(&books, &[60.0; DIMENSION], 1), [of("ten", 0.0, 3)]);
    books.put("ten", &chunked(&ten).with("n", 0).with("title", "other")).unwrap();
    assert_eq!(size(), (linked, removed + 1), "nothing of the vectors has changed");
    drop(books);
    db.close().unwrap();
    assert_eq!(marks(&path), 2, "one has gone and one has come");

    let db = open();
    let books = db.collection::<Document>("books").unwrap();
    assert_eq!(found(&books, &[60.0; DIMENSION], 1), [of("ten", 0.0, 3)]);
    assert!(recall(&books, i64::MAX, SearchPath::Graph) > 0.95);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn a_document_of_thousands_of_near_vectors_does_not_crowd_others_out() {
    let db = without_background();
    let books = filled(&db, 1);
    let near = |n: usize| (0..DIMENSION).map(|at| 20.0 + (n * (at + 1) % 97) as f32 / 1_000.0).collect::<Vec<f32>>();
    books.insert_with_id("crowd", &chunked(&(0..600).map(near).collect::<Vec<_>>()).with("n", 0)).unwrap();
    db.settle().unwrap();
    let query = vec![20.0; DIMENSION];
    let hits = books.search().nearest("chunks.embedding", &query).limit(10).ids().unwrap();
    let expected: Vec<DocumentId> = all(&books, &query, i64::MAX).into_iter().take(10).map(|(_, id, _)| id).collect();
    assert_eq!(hits[0].id, "crowd".into());
    let hits: Vec<DocumentId> = hits.into_iter().map(|hit| hit.id).collect();
    assert!(hits.iter().filter(|id| expected.contains(id)).count() >= 9, "{hits:?}, expected {expected:?}");
}
