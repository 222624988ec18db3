//! Search by similarity.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod explained;
mod indexes;
mod naive;

use blaze::{
    Collection, Database, Document, Entropy, History, Hit, Index, Metric, OnMismatch, SeededEntropy, Value, Vector,
    field,
};

const DIMENSION: usize = 8;

fn random_vector(random: &dyn Entropy) -> Vec<f32> {
    (0..DIMENSION).map(|_| (random.next_u64() % 2_001) as f32 / 1_000.0 - 1.0).collect()
}

/// 500 documents under the ids 0 to 499: `group` 0 to 4, `rare` true for every hundredth.
fn points(metric: Metric) -> (Database, Collection<Document>, Vec<Vec<f32>>) {
    let db = Database::temporary().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(metric)).unwrap();
    let random = SeededEntropy::new(5);
    let vectors: Vec<_> = (0..500).map(|_| random_vector(&random)).collect();
    let document = |(n, vector): (usize, &Vec<f32>)| {
        let document = Document::new().with("v", Vector::F32(vector.clone())).with("group", n as i64 % 5);
        (n as u64, document.with("rare", n % 100 == 0))
    };
    points.bulk().insert_with_ids(vectors.iter().enumerate().map(document)).unwrap();
    (db, points, vectors)
}

fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    match metric {
        Metric::Cosine => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        Metric::Dot => -dot(a, b),
        _ => a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt(),
    }
}

/// The ids of the `k` nearest of `among`, by looking at each.
fn nearest(
    metric: Metric,
    vectors: &[Vec<f32>],
    query: &[f32],
    k: usize,
    among: impl Fn(usize) -> bool,
) -> Vec<String> {
    let mut all: Vec<_> = (0..vectors.len()).filter(|n| among(*n)).collect();
    all.sort_by(|a, b| distance(metric, &vectors[*a], query).total_cmp(&distance(metric, &vectors[*b], query)));
    all.iter().take(k).map(ToString::to_string).collect()
}

fn ids(hits: &[Hit<Document>]) -> Vec<String> {
    hits.iter().map(|hit| hit.id.to_string()).collect()
}

#[test]
fn a_search_finds_the_nearest_exactly() {
    for metric in [Metric::Cosine, Metric::L2, Metric::Dot] {
        let (_db, points, vectors) = points(metric);
        let random = SeededEntropy::new(99);
        for _ in 0..20 {
            let query = random_vector(&random);
            let hits = points.search().nearest("v", &query).limit(7).run().unwrap();
            assert_eq!(ids(&hits), nearest(metric, &vectors, &query, 7, |_| true), "{metric}");
            for hit in &hits {
                let n = hit.id.to_string().parse::<usize>().unwrap();
                let exact = distance(metric, &vectors[n], &query);
                assert!((f64::from(hit.distance) - exact).abs() < 1e-4, "{metric}: {} is not {exact}", hit.distance);
                assert_eq!(hit.get("group").and_then(Value::as_i64), Some(n as i64 % 5));
            }
        }
    }
}

#[test]
fn a_filter_with_few_or_many_matches_gives_k_when_k_match() {
    let (_db, points, vectors) = points(Metric::L2);
    let query = random_vector(&SeededEntropy::new(1));
    for indexed in [false, true] {
        if indexed {
            points.ensure_index(Index::on("rare")).unwrap();
            points.ensure_index(Index::on("group")).unwrap();
        }
        let search = |filter| points.search().nearest("v", &query).filter(filter).limit(20);
        let few = search(field("rare").eq(true));
        assert_eq!(ids(&few.run().unwrap()), nearest(Metric::L2, &vectors, &query, 20, |n| n % 100 == 0));
        assert_eq!(few.run().unwrap().len(), 5);
        let many = search(field("group").ne(0));
        assert_eq!(ids(&many.run().unwrap()), nearest(Metric::L2, &vectors, &query, 20, |n| n % 5 != 0));
        let some = search(field("group").eq(2));
        assert_eq!(ids(&some.run().unwrap()), nearest(Metric::L2, &vectors, &query, 20, |n| n % 5 == 2));
        assert_eq!(search(field("group").eq(9)).run().unwrap().len(), 0);
        let explain = few.explain().unwrap();
        assert_eq!((explain.index(), explain.rows), (Some("v"), 5), "{explain}");
        assert_eq!(explain.keys_examined, if indexed { 10 } else { 500 }, "{explain}");
    }
}

#[test]
fn a_threshold_leaves_out_what_is_farther() {
    let (_db, points, vectors) = points(Metric::L2);
    let query = random_vector(&SeededEntropy::new(2));
    let all = points.search().nearest("v", &query).limit(500).run().unwrap();
    assert_eq!(all.len(), vectors.len());
    let bound = all[41].distance;
    let within = points.search().nearest("v", &query).limit(500).within(bound).run().unwrap();
    assert_eq!(within[..], all[..42]);
    assert_eq!(points.search().nearest("v", &query).within(-1.0).run().unwrap().len(), 0);
}

#[test]
fn a_transaction_finds_its_own_vectors_and_a_snapshot_the_old_ones() {
    let (db, points, vectors) = points(Metric::L2);
    let view = db.snapshot().unwrap();
    let query = vectors[7].clone();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("points").unwrap();
    own.insert_with_id("own", &Document::new().with("v", Vector::F32(query.clone())).with("group", 2)).unwrap();
    own.delete(7).unwrap();
    let first = |points: &Collection<Document>| {
        let hits = points.search().nearest("v", &query).limit(1).run().unwrap();
        let filtered = points.search().nearest("v", &query).filter(field("group").eq(2)).limit(1).run().unwrap();
        assert_eq!(ids(&hits), ids(&filtered));
        ids(&hits)
    };
    assert_eq!(first(&own), ["own"]);
    assert_eq!(first(&points), ["7"]);
    tx.commit().unwrap();
    assert_eq!(first(&points), ["own"]);
    points.put("own", &Document::new().with("group", 2)).unwrap();
    let hits = points.search().nearest("v", &query).limit(1).run().unwrap();
    assert_ne!(ids(&hits), ["own"], "a document without a vector is not found");
    assert_eq!(first(&view.collection("points").unwrap()), ["7"]);
}

#[test]
fn arrays_and_other_vectors_are_indexed_and_come_back_as_they_were() {
    let db = Database::in_memory().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.insert_with_id("array", &Document::new().with("v", Value::Array(vec![1.into(), 0.5.into()]))).unwrap();
    points.insert_with_id("half", &Document::new().with("v", Vector::half_precision(&[0.0, 1.0]))).unwrap();
    points.insert_with_id("bytes", &Document::new().with("v", Vector::I8(vec![-1, -2]))).unwrap();
    points.insert_with_id("none", &Document::new()).unwrap();
    points.insert_with_id("null", &Document::new().with("v", Value::Null)).unwrap();
    let before = points.find_all().run().unwrap();
    points.ensure_index(Index::vector("v", 2).metric(Metric::L2)).unwrap();
    assert_eq!(ids(&points.search().nearest("v", &[0.0, 2.0]).run().unwrap()), ["half", "array", "bytes"]);
    assert_eq!(points.find_all().run().unwrap(), before);
    assert!(points.drop_index("v").unwrap());
    assert_eq!(points.find_all().run().unwrap(), before, "dropping an index drops no data");
}

#[test]
fn equally_near_documents_are_ordered_by_id() {
    let db = Database::in_memory().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", 1).metric(Metric::L2)).unwrap();
    for id in ["c", "a", "d", "b"] {
        points.insert_with_id(id, &Document::new().with("v", Vector::F32(vec![1.0]))).unwrap();
    }
    assert_eq!(ids(&points.search().nearest("v", &[0.0]).limit(3).run().unwrap()), ["a", "b", "c"]);
}

#[test]
fn a_view_of_the_past_finds_the_vectors_that_documents_had() {
    let (db, points, vectors) = points(Metric::L2);
    points.set_history(History::Forever).unwrap();
    let then = db.snapshot().unwrap().read_ts();
    points.ensure_index(Index::on("group")).unwrap();
    points.delete(7).unwrap();
    points.update(8, blaze::set("v", Vector::F32(vectors[7].clone()))).unwrap();
    points.drop_index("v").unwrap();
    points.insert_with_id("late", &Document::new().with("v", Vector::F32(vec![1.0; 3]))).unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2).on_mismatch(OnMismatch::Skip)).unwrap();
    let past = db.as_of(then).unwrap().collection::<Document>("points").unwrap();
    let search = past.search().nearest("v", &vectors[7]).limit(9);
    assert_eq!(ids(&search.run().unwrap()), nearest(Metric::L2, &vectors, &vectors[7], 9, |_| true));
    let some = search.clone().filter(field("group").eq(2));
    assert_eq!(ids(&some.run().unwrap()), nearest(Metric::L2, &vectors, &vectors[7], 9, |n| n % 5 == 2));
    let like = past.search().similar_to("v", [7]).limit(3).ids().unwrap();
    let expected = nearest(Metric::L2, &vectors, &vectors[7], 3, |n| n != 7);
    assert_eq!(like.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), expected);
    assert_eq!(ids(&points.search().nearest("v", &vectors[7]).limit(1).run().unwrap()), ["8"]);
}
