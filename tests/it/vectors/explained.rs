//! What a search tells of how it was done.

use blaze::{SearchPath, VectorCode};

use super::*;

#[test]
fn a_graph_that_was_asked_in_vain_is_told_of() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    let explain = |matching: i64| {
        let search = points.search().nearest("v", &[0.5; DIMENSION]).filter(field("n").lt(matching)).limit(10);
        search.explain().unwrap()
    };
    let (enough, few) = (explain(4_000), explain(7));
    assert_eq!(enough.path, SearchPath::Graph);
    assert!(!enough.to_string().contains("in vain"), "{enough}");
    assert_eq!((few.path, few.vectors_examined), (SearchPath::Exact, MANY as u64));
    assert!(few.nodes_visited > 0 && few.distances_computed >= few.nodes_visited + MANY as u64, "{few}");
    assert!(few.to_string().contains("nodes of it were asked in vain"), "{few}");
}

#[test]
fn rows_are_compared_as_far_as_codes_do_not_tell_that_they_are_too_far() {
    let db = without_background();
    let points = fill(&db, &vectors(1, MANY));
    let coarse = Index::vector("v", DIMENSION).metric(Metric::L2).code(VectorCode::Four).named("coarse");
    points.ensure_index(coarse).unwrap();
    db.settle().unwrap();
    let queries = vectors(2, 50);
    let (limit, count) = (10, queries.len() as u64);
    let compared = |index: &str| {
        let search = |query: &Vec<f32>| points.search().nearest("v", query).index(index).ef(100).limit(limit);
        let explained = queries.iter().map(|query| search(query).explain().unwrap());
        explained
            .inspect(|explain| assert_eq!(explain.path, SearchPath::Graph))
            .map(|e| e.vectors_examined)
            .sum::<u64>()
    };
    let (fine, coarse) = (compared("v"), compared("coarse"));
    println!("of {count} searches for {limit}: {fine} by eight bits, {coarse} by four");
    assert!(fine >= 12 * count && fine <= 14 * count, "eight bits tell nearly all: {fine} rows were compared");
    assert!(coarse > fine + fine / 4, "four bits tell less: {coarse} rows were compared, {fine} of eight bits");
}
