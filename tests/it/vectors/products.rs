//! The metric that asks for the largest product, beside a graph: no vector needs to be the nearest to itself.

use blaze::{SearchPath, VectorCode, set};

use super::*;

fn index(code: VectorCode) -> Index {
    Index::vector("v", DIMENSION).metric(Metric::Dot).code(code)
}

fn filled(db: &Database, index: Index) -> Collection<Document> {
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(index).unwrap();
    let rows = vectors(1, MANY);
    points.bulk().insert_with_ids(rows.iter().enumerate().map(|(n, row)| (n as u64, document(row, n)))).unwrap();
    db.settle().unwrap();
    points
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Which part of the ten largest products is found by the graph; each hit says its own.
#[track_caller]
fn recall(points: &Collection<Document>, rows: &[Vec<f32>]) -> f64 {
    let (queries, mut found) = (vectors(2, 40), 0);
    for query in &queries {
        let mut products: Vec<(f32, usize)> = rows.iter().map(|row| product(row, query)).zip(0..).collect();
        products.sort_by(|a, b| b.0.total_cmp(&a.0));
        let search = points.search().nearest("v", query);
        assert_eq!(search.explain().unwrap().path, SearchPath::Graph);
        let hits = search.ids().unwrap();
        assert_eq!(hits.len(), 10);
        assert!(hits.is_sorted_by(|a, b| a.distance <= b.distance), "{hits:?}");
        for hit in &hits {
            let own = product(&rows[hit.id.to_string().parse::<usize>().unwrap()], query);
            let error = (hit.distance + own).abs();
            assert!(error <= 1e-4 * own.abs().max(1.0), "{:?} is at {}, its product is {own}", hit.id, hit.distance);
            assert_eq!(hit.score, -hit.distance);
        }
        let expected = products.iter().take(10).map(|(_, n)| DocumentId::from(*n as u64));
        found += expected.filter(|id| hits.iter().any(|hit| hit.id == *id)).count();
    }
    found as f64 / (10 * queries.len()) as f64
}

#[test]
fn the_largest_products_are_found_by_a_graph_that_is_made_read_again_and_changed() {
    let directory = tempfile::tempdir().unwrap();
    for (name, code) in [("eight", VectorCode::Eight), ("four", VectorCode::Four)] {
        let open = || Database::builder().durability(Durability::Buffered).open(directory.path().join(name)).unwrap();
        let (db, mut rows) = (open(), vectors(1, MANY));
        let least = |when: &str, recall: f64| assert!(recall >= 0.97, "{recall} {when}, code {name}");
        least("once it is made", recall(&filled(&db, index(code)), &rows));
        db.close().unwrap();
        let db = open();
        let points = db.collection::<Document>("points").unwrap();
        least("once it is read again", recall(&points, &rows));
        for (n, vector) in vectors(3, MANY / 4).into_iter().enumerate() {
            points.update(n as u64, set("v", Vector::F32(vector.clone()))).unwrap();
            rows[n] = vector;
        }
        least("while it is changed", recall(&points, &rows));
        db.settle().unwrap();
        least("once it has caught up", recall(&points, &rows));
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn of_the_same_direction_the_longest_is_the_nearest() {
    let db = without_background();
    let points = filled(&db, index(VectorCode::Eight));
    let query = vec![2.0; DIMENSION];
    let lengths = [9.0, 7.0, 8.0_f32];
    for length in lengths {
        points.insert_with_id(format!("{length}"), &document(&[length; DIMENSION], 0)).unwrap();
    }
    let first = |k: usize| search(&points, &query, k);
    assert_eq!(first(3), (true, ["9", "8", "7"].map(DocumentId::from).to_vec()));
    let hit = &points.search().nearest("v", &query).limit(1).ids().unwrap()[0];
    assert_eq!((hit.distance, hit.score), (-288.0, 288.0), "sixteen times two times nine");
    let within = points.search().nearest("v", &query).within(-256.0).ids().unwrap();
    assert_eq!(within.len(), 2, "a bound is a product, negated");
    points.delete("9").unwrap();
    assert_eq!(first(2), (true, ["8", "7"].map(DocumentId::from).to_vec()));
}
