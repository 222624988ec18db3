//! What a search tells of how it was done: by which way through the graph, and of groups; and what it refuses to be asked.

use blaze::{
    Collection, Database, Document, Entropy, ErrorKind, Filter, FilterStrategy, Index, Metric, SearchExplain,
    SearchPath, SeededEntropy, Vector, field,
};

/// Enough for all ways through a graph.
const MANY: u64 = 12_000;

/// In so few dimensions, what is near to a point is near to each other, too: a walk is not given up.
const DIMENSION: usize = 3;

/// Documents of a `part` of a thousand by chance, and of the side on which their vectors lie.
fn filled() -> (Database, Collection<Document>) {
    let db = Database::temporary().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    let random = SeededEntropy::new(5);
    let documents = (0..MANY).map(|n| {
        let vector: Vec<f32> = (0..DIMENSION).map(|_| (random.next_u64() % 2_001) as f32 / 1_000.0 - 1.0).collect();
        let part = (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % 1_000;
        let document = Document::new().with("part", part as i64).with("is_left", vector[0] < 0.0);
        (n, document.with("v", Vector::F32(vector)))
    });
    points.bulk().insert_with_ids(documents).unwrap();
    db.settle().unwrap();
    (db, points)
}

/// How a narrow search goes that has a filter whose matches are known.
fn explain(db: &Database, points: &Collection<Document>, filter: &Filter) -> SearchExplain {
    let mut query = [0.0; DIMENSION];
    query[0] = 0.95; // on the right
    let search = points.search().nearest("v", &query).filter(filter.clone()).ef(20).limit(10);
    (0..2).for_each(|_| drop(search.explain().unwrap()));
    db.settle().unwrap();
    let explain = search.explain().unwrap();
    assert_eq!((explain.path, explain.filter), (SearchPath::Graph, FilterStrategy::Cached), "{explain}");
    explain
}

#[test]
fn which_way_a_search_takes_through_the_graph_depends_on_how_many_match_and_where_they_lie() {
    let (db, points) = filled();
    for (filter, way, stored) in [
        (field("part").lt(500), "walked over all nodes", "walk"),
        (field("part").lt(300), "walked over matching nodes alone", "two_hops"),
        (field("part").lt(100), "every matching node measured", "scan"),
        (field("part").eq(7), "every matching node measured", "scan"),
        // As many as of the first, but none of them is near.
        (field("is_left").eq(true), "every matching node measured", "scan"),
    ] {
        let explain = explain(&db, &points, &filter);
        let strategy = explain.strategy.expect("the graph has answered");
        assert_eq!(strategy.to_string(), way, "{filter}, {explain}");
        assert!(
            explain.to_string().contains(&format!("search by the graph, {way}, filter known from before")),
            "{explain}"
        );
        assert_eq!(serde_json::to_value(strategy).unwrap(), stored);
    }
    let unfiltered = points.search().nearest("v", &[0.0; DIMENSION]).explain().unwrap();
    assert_eq!(unfiltered.strategy.unwrap().to_string(), "walked over all nodes");
}

#[test]
fn a_search_without_a_graph_takes_no_way_through_it() {
    let (_db, points, vectors) = super::points(Metric::L2);
    let explain = points.search().nearest("v", &vectors[3]).explain().unwrap();
    assert_eq!((explain.path, explain.strategy), (SearchPath::Exact, None));
    assert!(explain.to_string().contains("search exact, no filter, nodes visited 0"), "{explain}");
}

#[test]
fn an_exact_search_has_neither_a_width_nor_a_recall() {
    let (_db, points, vectors) = super::points(Metric::L2);
    let exact = points.search().nearest("v", &vectors[3]).exact();
    for (search, said) in [
        (exact.clone().ef(100), "it has ef 100 and is exact, which compares everything and keeps no candidates"),
        (exact.clone().recall(0.9), "it has a recall of 0.9 and is exact, which finds everything"),
    ] {
        for error in [
            search.ids().unwrap_err(),
            search.explain().unwrap_err(),
            search.clone().group_by("group", 2, 2).run().unwrap_err(),
            search.group_by("group", 2, 2).explain().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            assert!(error.to_string().contains(said), "{error}");
        }
    }
    assert_eq!(exact.ids().unwrap().len(), 10);
}

#[test]
fn a_search_by_groups_tells_of_all_searches_that_it_took() {
    let db = Database::in_memory().unwrap();
    let pages = db.collection::<Document>("pages").unwrap();
    pages.ensure_index(Index::vector("v", 1).metric(Metric::L2)).unwrap();
    let books = (0..150).map(|_| "a").chain(["b", "c"]);
    let page = |(page, book): (i32, &str)| Document::new().with("book", book).with("v", Vector::F32(vec![page as f32]));
    pages.insert_many((0..).zip(books).map(page)).unwrap();
    let by_book = |groups, each| pages.search().nearest("v", &[0.0]).group_by("book", groups, each);

    // The first hundred are of one book.
    let one = by_book(1, 2).explain().unwrap();
    assert_eq!((one.plan.inputs.len(), one.rows, one.vectors_examined), (1, 2, 152), "{one}");
    // So that the others are looked for, and those that have too few pages once more.
    let three = by_book(3, 2);
    let explain = three.explain().unwrap();
    let found: usize = three.run().unwrap().iter().map(|group| group.hits.len()).sum();
    assert_eq!((explain.rows, found), (4, 4));
    let text = explain.to_string();
    assert!(text.starts_with("3 groups of 2 by book, searches: 4: 102 documents\n"), "{text}");
    assert_eq!(explain.index, "v");
    let searches = &explain.plan.inputs;
    assert_eq!((searches.len(), explain.path, explain.strategy), (4, SearchPath::Exact, None), "{text}");
    let sum = |count: fn(&blaze::ExplainNode) -> u64| searches.iter().map(count).sum::<u64>();
    assert_eq!(explain.keys_examined, sum(|search| search.keys_examined), "{text}");
    assert_eq!(explain.documents_examined, 102 + sum(|search| search.documents_examined), "{text}");
    assert_eq!((explain.vectors_examined, explain.distances_computed), (4 * 152, 4 * 152), "{text}");
    assert_eq!(by_book(0, 2).explain().unwrap_err().kind(), ErrorKind::Invalid);
}
