//! What searches with filters cost: before what matches is known and after, beside comparing the matching vectors alone.

use std::time::{Duration, Instant};

use blaze::{FilterStrategy, SearchExplain};
use blaze_vector::{Nearest, Query, VectorRef};

use super::*;

const DOCUMENTS: usize = 50_000;
const QUERIES: usize = 50;

/// A vector, its chance and its side.
type Row = (Vec<f32>, u64, u64);

/// Documents with a `chance` of 0 to 999 and a `side`: how many thousandths of all lie farther in a direction.
fn fill_sides(db: &Database) -> (Collection<Document>, Vec<Row>) {
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    let random = SeededEntropy::new(9);
    let mut rows: Vec<Row> =
        vectors(1, DOCUMENTS).into_iter().map(|vector| (vector, random.next_u64() % 1_000, 0)).collect();
    rows.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
    rows.iter_mut().enumerate().for_each(|(n, row)| row.2 = (n * 1_000 / DOCUMENTS) as u64);
    let documents =
        rows.iter().map(|(vector, chance, side)| document(vector, 0).with("chance", *chance).with("side", *side));
    points.bulk().insert_with_ids((0u64..).zip(documents)).unwrap();
    db.settle().unwrap();
    (points, rows)
}

#[expect(clippy::disallowed_methods, reason = "it prints times, on which nothing depends")]
fn timed<R>(mut work: impl FnMut(&[f32]) -> R, queries: &[Vec<f32>]) -> Duration {
    let begun = Instant::now();
    queries.iter().for_each(|query| drop(work(query)));
    begun.elapsed() / queries.len() as u32
}

fn work_of(explain: &SearchExplain) -> String {
    let SearchExplain { filter, nodes_visited, vectors_examined, .. } = explain;
    let (keys, documents) = (explain.keys_examined, explain.documents_examined);
    format!("{filter:?}: {nodes_visited} nodes, {vectors_examined} vectors, {keys} keys, {documents} documents")
}

#[test]
#[ignore = "it prints what searches cost"]
fn what_searches_cost_before_and_after_what_matches_is_known() {
    let db = Database::temporary().unwrap();
    let (points, rows) = fill_sides(&db);
    // What is far on one side is asked for what matches on the other.
    let queries: Vec<Vec<f32>> =
        rows[DOCUMENTS * 9 / 10..].iter().step_by(DOCUMENTS / 10 / QUERIES).map(|row| row.0.clone()).collect();
    for (name, thousandths) in ["chance", "side"].iter().flat_map(|name| [500, 100, 10, 1].map(|part| (*name, part))) {
        let filter = field(name).lt(thousandths);
        let search = |query: &[f32]| points.search().nearest("v", query).filter(filter.clone()).limit(10);
        let before = search(&queries[0]).explain().unwrap();
        let slow = timed(|query| search(query).exact().ids().unwrap(), &queries[..5]);
        search(&queries[0]).ids().unwrap();
        db.settle().unwrap();
        let after = search(&queries[0]).explain().unwrap();
        assert_eq!((after.filter, after.documents_examined), (FilterStrategy::Cached, 0), "{after}");
        let fast = timed(|query| search(query).ids().unwrap(), &queries);
        let of = |row: &&Row| if name == "chance" { row.1 < thousandths } else { row.2 < thousandths };
        let matching: Vec<&[f32]> = rows.iter().filter(of).map(|row| row.0.as_slice()).collect();
        let alone = timed(
            |query| {
                let query = Query::new(Metric::L2, VectorRef::F32(query)).unwrap();
                let mut nearest = Nearest::new(query.clone(), 10);
                for (n, vector) in matching.iter().enumerate() {
                    let distance = query.distance(VectorRef::F32(vector)).unwrap();
                    nearest.offer_at(distance, || Ok(n)).unwrap();
                }
                nearest.into_sorted()
            },
            &queries,
        );
        println!("{} thousandths by {name}, {} match", thousandths, matching.len());
        println!("  before {}", work_of(&before));
        println!("  after {}", work_of(&after));
        println!("  exact {slow:?}, known {fast:?}, the matching vectors alone {alone:?}");
    }
}
