//! Indexes of several vectors for each document: a document is found once, by the nearest of its vectors.

mod graph;
mod naive;

use blaze::{FilterStrategy, OnMismatch, SearchPath, Value};
use blaze_core::{CommitRequest, Direction, Family, KeyRange, Store, Write};

use super::stored::{marks, with_store};
use super::*;

/// A document of chunks with these vectors, each of which says its place.
fn chunked(vectors: &[Vec<f32>]) -> Document {
    let chunk = |(place, vector): (usize, &Vec<f32>)| {
        let chunk = Document::new().with("text", format!("chunk {place}"));
        Value::from(chunk.with("embedding", Vector::F32(vector.clone())))
    };
    Document::new().with("chunks", vectors.iter().enumerate().map(chunk).collect::<Vec<_>>())
}

fn index(dimension: usize) -> Index {
    Index::vectors("chunks.embedding", dimension).metric(Metric::L2)
}

fn books(db: &Database, dimension: usize) -> Collection<Document> {
    let books = db.collection::<Document>("books").unwrap();
    books.ensure_index(index(dimension)).unwrap();
    books
}

/// What a search finds: ids, distances and chunks.
fn found(books: &Collection<Document>, query: &[f32], k: usize) -> Vec<(String, f32, usize)> {
    let hits = books.search().nearest("chunks.embedding", query).limit(k).ids().unwrap();
    hits.into_iter().map(|hit| (hit.id.to_string(), hit.distance, hit.chunk.unwrap())).collect()
}

fn of(id: &str, distance: f32, chunk: usize) -> (String, f32, usize) {
    (id.to_owned(), distance, chunk)
}

#[test]
fn a_document_is_found_once_by_the_nearest_of_its_vectors() {
    let db = Database::in_memory().unwrap();
    let books = books(&db, 1);
    books.insert_with_id("a", &chunked(&[vec![9.0], vec![2.0], vec![1.0]])).unwrap();
    books.insert_with_id("b", &chunked(&[vec![1.5]])).unwrap();
    books.insert_with_id("none", &chunked(&[])).unwrap();
    assert_eq!(found(&books, &[0.0], 10), [of("a", 1.0, 2), of("b", 1.5, 0)]);
    assert_eq!(found(&books, &[8.0], 1), [of("a", 1.0, 0)]);
    let search = || books.search().nearest("chunks.embedding", &[0.0]);
    assert_eq!(search().within(1.2).ids().unwrap().len(), 1);
    assert_eq!(search().offset(1).run().unwrap()[0].id, "b".into());
    let hits = search().select(["chunks.text"]).run().unwrap();
    assert_eq!((hits[0].chunk, hits[1].chunk), (Some(2), Some(0)));
    let explain = search().explain().unwrap();
    assert_eq!((explain.rows, explain.vectors_examined, explain.path), (2, 4, SearchPath::Exact));
    assert!(explain.to_string().contains("(1, l2, several for each document)"), "{explain}");
}

#[test]
fn equal_vectors_are_one_and_the_first_of_equally_near_ones_is_told() {
    let db = Database::in_memory().unwrap();
    let books = books(&db, 1);
    books.insert_with_id("a", &chunked(&[vec![5.0], vec![1.0], vec![-1.0], vec![1.0]])).unwrap();
    assert_eq!(found(&books, &[0.0], 10), [of("a", 1.0, 1)]);
    assert_eq!(books.search().nearest("chunks.embedding", &[0.0]).explain().unwrap().vectors_examined, 3);
    books.update("a", blaze::set("chunks.1.embedding", Vector::F32(vec![7.0]))).unwrap();
    assert_eq!(found(&books, &[0.0], 10), [of("a", 1.0, 2)], "the other equal one is there");
    assert_eq!(found(&books, &[1.0], 10), [of("a", 0.0, 3)]);
}

#[test]
fn a_place_counts_chunks_that_have_no_vector_or_one_that_is_skipped() {
    let db = Database::in_memory().unwrap();
    let books = db.collection::<Document>("books").unwrap();
    books.ensure_index(index(2).on_mismatch(OnMismatch::Skip)).unwrap();
    let chunk = |embedding: Value| Value::from(Document::new().with("embedding", embedding));
    let numbers = |numbers: &[f32]| Value::from(Vector::F32(numbers.to_vec()));
    let chunks = vec![
        chunk(Value::Null),
        Document::new().into(),
        chunk(numbers(&[1.0; 3])),
        chunk("text".into()),
        chunk(numbers(&[1.0, 2.0])),
    ];
    books.insert_with_id("a", &Document::new().with("chunks", chunks)).unwrap();
    assert_eq!(found(&books, &[1.0, 2.0], 10), [of("a", 0.0, 4)]);
    // Arrays of numbers, one alone, and vectors in an array without maps.
    books.ensure_index(Index::vectors("v", 2).metric(Metric::L2)).unwrap();
    let pair = |a: i64, b: i64| Value::from(vec![Value::from(a), Value::from(b)]);
    books.insert_with_id("array", &Document::new().with("v", vec![pair(1, 2), pair(3, 4)])).unwrap();
    books.insert_with_id("one", &Document::new().with("v", pair(3, 5))).unwrap();
    books
        .insert_with_id("vectors", &Document::new().with("v", vec![numbers(&[9.0, 9.0]), numbers(&[3.0, 4.5])]))
        .unwrap();
    let hits = books.search().nearest("v", &[3.0, 4.0]).run().unwrap();
    let hits: Vec<_> = hits.iter().map(|hit| of(&hit.id.to_string(), hit.distance, hit.chunk.unwrap())).collect();
    assert_eq!(hits, [of("array", 0.0, 1), of("vectors", 0.5, 1), of("one", 1.0, 0)]);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn an_error_names_the_vector_that_is_wrong_and_nothing_is_written() {
    let db = Database::in_memory().unwrap();
    let books = books(&db, 2);
    let wrong = [
        (vec![vec![1.0, 1.0], vec![1.0]], "chunks.embedding, vector 1: vector has 1 components, the index has 2"),
        (vec![vec![f32::NAN, 1.0]], "chunks.embedding, vector 0: "),
    ];
    for (vectors, words) in wrong {
        let error = books.insert_with_id("a", &chunked(&vectors)).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(words), "{error}");
    }
    let many: Vec<_> = (0..5_000).map(|n| vec![n as f32, 1.0]).collect();
    let error = books.insert_with_id("a", &chunked(&many)).unwrap_err();
    assert!(error.kind() == ErrorKind::LimitExceeded && error.to_string().contains("reaches 5000 vectors"), "{error}");
    assert_eq!(books.count().unwrap(), 0);
    books.drop_index("chunks.embedding").unwrap();
    books.insert_with_id("two", &chunked(&[vec![1.0, 1.0], vec![1.0, 2.0]])).unwrap();
    let error = books.ensure_index(Index::vector("chunks.embedding", 2)).unwrap_err();
    assert!(error.to_string().contains("Index::vectors holds several"), "{error}");
    books.ensure_index(index(2)).unwrap();
    let error = books.ensure_index(Index::vector("chunks.embedding", 2).metric(Metric::L2)).unwrap_err();
    assert!(error.to_string().contains("several for each document"), "{error}");
}

#[test]
fn documents_are_kept_apart_whatever_their_ids() {
    let db = Database::in_memory().unwrap();
    let books = books(&db, 1);
    books.ensure_index(Index::on("kept")).unwrap();
    let bytes: [&[u8]; 5] = [&[1], &[1, 0xFF], &[1, 0xFF, 0xFF], &[0xFF; 10], &[1, 0xFF, 3, 4, 5, 6, 7, 8, 9, 0xFF]];
    let mut ids: Vec<DocumentId> = bytes.map(|bytes| DocumentId::Bytes(bytes.to_vec())).to_vec();
    ids.extend(["a", "ab", "ÿ"].map(DocumentId::from));
    ids.extend([1, 255, -1].map(DocumentId::from));
    for (n, id) in ids.iter().enumerate() {
        let vectors: Vec<_> = (0..20).map(|chunk| vec![(n * 100 + chunk) as f32]).collect();
        books.insert_with_id(id.clone(), &chunked(&vectors).with("kept", n % 2 == 0)).unwrap();
    }
    for (n, id) in ids.iter().enumerate() {
        let near = books.search().nearest("chunks.embedding", &[(n * 100 + 7) as f32]).limit(1);
        for search in [near.clone(), near.filter(field("kept").eq(n % 2 == 0))] {
            let hits = search.ids().unwrap();
            assert_eq!((&hits[0].id, hits[0].distance, hits[0].chunk), (id, 0.0, Some(7)));
        }
    }
    let explain = books.search().nearest("chunks.embedding", &[0.0]).filter(field("kept").eq(true)).explain().unwrap();
    assert_eq!((explain.filter, explain.vectors_examined), (FilterStrategy::First, 6 * 20));
    books.delete(ids[0].clone()).unwrap();
    let left = books.search().nearest("chunks.embedding", &[0.0]).limit(100).ids().unwrap();
    assert_eq!(left.len(), ids.len() - 1);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn documents_below_others_have_chunks_of_their_own() {
    let db = Database::in_memory().unwrap();
    let books = books(&db, 1);
    books.insert_with_id("a", &chunked(&[vec![1.0], vec![2.0]])).unwrap();
    let parts = books.subcollection::<Document>("a", "parts").unwrap();
    parts.group().ensure_index(index(1)).unwrap();
    parts.insert_with_id("p", &chunked(&[vec![3.0], vec![4.0]])).unwrap();
    parts.insert_with_id("pp", &chunked(&[vec![5.0]])).unwrap();
    let group = parts.group();
    assert_eq!(found(group, &[4.0], 3), [of("a/p", 0.0, 1), of("a/pp", 1.0, 0)]);
    assert_eq!(found(&books, &[4.0], 3), [of("a", 2.0, 1)]);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn examples_count_as_the_average_of_their_vectors_and_diverse_hits_by_the_vectors_that_were_near() {
    let db = Database::in_memory().unwrap();
    let books = books(&db, 2);
    books.insert_with_id("example", &chunked(&[vec![0.0, 0.0], vec![4.0, 0.0], vec![4.0, 0.0]])).unwrap();
    books.insert_with_id("middle", &chunked(&[vec![90.0, 90.0], vec![2.0, 0.0]])).unwrap();
    books.insert_with_id("end", &chunked(&[vec![4.0, 0.1]])).unwrap();
    let hits = books.search().similar_to("chunks.embedding", ["example"]).ids().unwrap();
    assert_eq!((hits[0].id.clone(), hits[0].distance, hits[0].chunk), ("middle".into(), 0.0, Some(1)));
    let error = books.search().similar_to("chunks.embedding", ["none"]).ids().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // By its other vector it would not be like the one in the middle, which would be second then.
    books.insert_with_id("again", &chunked(&[vec![2.0, 0.01], vec![-70.0, 9.0]])).unwrap();
    let diverse = books.search().nearest("chunks.embedding", &[2.0, 1.0]).diverse(0.5).limit(2).ids().unwrap();
    assert_eq!(diverse.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), ["again", "end"]);
}

#[test]
fn an_index_takes_the_place_of_one_of_one_vector_for_each() {
    let db = Database::in_memory().unwrap();
    let books = db.collection::<Document>("books").unwrap();
    books.ensure_index(Index::vector("v", 1).metric(Metric::L2)).unwrap();
    books.insert_with_id("a", &Document::new().with("v", Vector::F32(vec![1.0]))).unwrap();
    let hit = |query: f32| books.search().nearest("v", &[query]).ids().unwrap().remove(0);
    assert_eq!((hit(1.0).distance, hit(1.0).chunk), (0.0, None));
    books.replace_index("v", Index::vectors("v", 1).metric(Metric::L2)).unwrap();
    assert_eq!((hit(1.0).distance, hit(1.0).chunk), (0.0, Some(0)));
    let both = vec![Value::from(Vector::F32(vec![1.0])), Value::from(Vector::F32(vec![2.0]))];
    books.put("a", &Document::new().with("v", both)).unwrap();
    assert_eq!((hit(2.0).distance, hit(2.0).chunk), (0.0, Some(1)));
    assert_eq!(books.indexes().unwrap()[0].definition, "v (1, l2, several for each document)");
    let error = books.replace_index("v", Index::vector("v", 1).metric(Metric::L2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(hit(2.0).chunk, Some(1), "the old one answers");
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn what_is_missing_or_stray_among_the_entries_is_told_and_repaired() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    let filled = books(&db, 1);
    for n in 0..10_u64 {
        filled.insert_with_id(n, &chunked(&[vec![n as f32], vec![n as f32 + 0.25]])).unwrap();
    }
    drop(filled);
    db.close().unwrap();
    with_store(&path, |store| {
        let point = store.read_point().unwrap();
        let mut cursor = point.cursor(Family::Vector, &KeyRange::all(), Direction::Forward).unwrap();
        let mut rows: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        while let Some((key, row)) = cursor.next().unwrap() {
            rows.extend((key[4] != 0xFF).then(|| (key.to_vec(), row.to_vec())));
        }
        assert_eq!(rows.len(), 20);
        let mut stray = rows[5].0.clone();
        *stray.last_mut().unwrap() ^= 1;
        let no_entry = rows[5].0[..rows[5].0.len() - 9].to_vec();
        let writes = vec![
            Write::delete(Family::Vector, rows[4].0.clone()),
            Write::put(Family::Vector, stray, rows[5].1.clone()),
            Write::put(Family::Vector, no_entry, rows[5].1.clone()),
        ];
        store.commit(CommitRequest { writes, ..CommitRequest::default() }).unwrap();
    });
    let db = Database::open(&path).unwrap();
    let problems = db.verify().unwrap().problems;
    assert_eq!(problems.len(), 3, "{problems:?}");
    let repaired = db.repair().unwrap().indexes;
    assert_eq!((repaired[0].entries_added, repaired[0].entries_removed), (1, 2));
    assert!(db.verify().unwrap().is_healthy());
    let books = db.collection::<Document>("books").unwrap();
    assert_eq!(found(&books, &[2.25], 2), [of("2", 0.0, 1), of("3", 0.75, 0)]);
}

#[test]
fn a_load_makes_the_entries_that_inserting_makes() {
    let db = Database::temporary().unwrap();
    let books = books(&db, 2);
    let mut load = db.load_collection::<Document>("books").replace().begin().unwrap();
    for n in 0..50_u64 {
        load.insert_with_id(n, &chunked(&[vec![n as f32, 0.0], vec![n as f32, 1.0], vec![n as f32, 0.0]])).unwrap();
    }
    load.finish().unwrap();
    assert_eq!(found(&books, &[17.0, 1.0], 1), [of("17", 0.0, 1)]);
    let mut load = db.load_collection::<Document>("books").replace().begin().unwrap();
    load.insert_with_id(1, &chunked(&[vec![1.0, 0.0]])).unwrap();
    load.insert_with_id(1, &chunked(&[vec![1.0, 0.0]])).unwrap();
    let error = load.finish().unwrap_err();
    assert!(error.to_string().contains("two documents of the load have the id 1"), "{error}");
    assert!(db.verify().unwrap().is_healthy());
}
