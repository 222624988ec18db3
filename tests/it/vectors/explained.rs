//! What a search tells of how it was done.

use blaze::SearchPath;

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
