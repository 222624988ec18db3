//! Filters that are used again: what matches them is known, and what is found is what documents say.

use blaze::{Filter, FilterStrategy, Isolation, Search, SearchExplain, SearchPath, TransactionOptions, inc, set};

use super::*;

/// As [`document`], in one of a hundred parts.
pub(super) fn in_part(vector: &[f32], part: u64) -> Document {
    document(vector, 0).with("part", part as i64)
}

/// Documents in the parts 0 to 99, by chance.
pub(super) fn fill_parts(db: &Database, is_indexed: bool) -> Collection<Document> {
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    if is_indexed {
        points.ensure_index(Index::on("part")).unwrap();
    }
    let random = SeededEntropy::new(9);
    let documents = vectors(1, MANY).into_iter().map(|vector| in_part(&vector, random.next_u64() % 100));
    points.bulk().insert_with_ids((0u64..).zip(documents)).unwrap();
    db.settle().unwrap();
    points
}

fn filtered(points: &Collection<Document>, query: &[f32], filter: &Filter) -> Search<Document> {
    points.search().nearest("v", query).filter(filter.clone()).limit(10)
}

fn explain(points: &Collection<Document>, query: &[f32], filter: &Filter) -> SearchExplain {
    filtered(points, query, filter).explain().unwrap()
}

/// Has what matches a filter be known.
fn learn(db: &Database, points: &Collection<Document>, filter: &Filter) {
    let query = &vectors(4, 1)[0];
    (0..2).for_each(|_| drop(explain(points, query, filter)));
    db.settle().unwrap();
    assert_eq!(explain(points, query, filter).filter, FilterStrategy::Cached, "{filter}");
}

/// How a search is done, having compared what it finds with what the documents of its view say: every hit matches and is as far
/// as it says, and there are as many as there can be. The last number is how many of the nearest are found.
#[track_caller]
pub(super) fn check(points: &Collection<Document>, query: &[f32], filter: &Filter) -> (FilterStrategy, usize, usize) {
    let k = 10;
    let explain = explain(points, query, filter);
    let hits = filtered(points, query, filter).ids().unwrap();
    let matching = points.find(filter.clone().and(field("v").exists(true))).run().unwrap();
    assert_eq!(hits.len(), matching.len().min(k), "k of k for {filter}, {explain}");
    let mut all: Vec<(f32, DocumentId)> = Vec::new();
    for found in &matching {
        let Some(blaze::Value::Vector(Vector::F32(vector))) = found.value.get("v") else { panic!("no vector") };
        let distance = vector.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
        all.push((distance, found.id.clone()));
    }
    for hit in &hits {
        let exact = all.iter().find(|(_, id)| *id == hit.id);
        let exact = exact.unwrap_or_else(|| panic!("{:?} is found and does not match {filter}, {explain}", hit.id)).0;
        assert!((hit.distance - exact).abs() < 1e-3, "{:?} is at {exact}, not {}", hit.id, hit.distance);
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let found = all.iter().take(k).filter(|(_, id)| hits.iter().any(|hit| hit.id == *id)).count();
    (explain.filter, found, hits.len())
}

#[test]
fn a_filter_that_is_used_again_costs_no_document_and_no_entry_of_an_index() {
    for is_indexed in [false, true] {
        let db = Database::temporary().unwrap();
        let points = fill_parts(&db, is_indexed);
        for percent in [90, 50, 10] {
            let filter = field("part").lt(percent);
            let query = &vectors(4, 1)[0];
            let first = explain(&points, query, &filter);
            assert_ne!(first.filter, FilterStrategy::Cached, "{percent} %");
            learn(&db, &points, &filter);
            let again = explain(&points, query, &filter);
            assert_eq!((again.path, again.documents_examined), (SearchPath::Graph, 0), "{again}");
            assert!(again.keys_examined <= first.keys_examined && again.keys_examined < 100, "{first}, {again}");
            assert!(again.to_string().contains("filter known from before"), "{again}");
            let checked = vectors(5, 20).into_iter().map(|query| check(&points, &query, &filter));
            let (found, all) = checked.fold((0, 0), |sum, (_, found, all)| (sum.0 + found, sum.1 + all));
            assert!(found as f64 >= 0.95 * all as f64, "{found} of {all} at {percent} %");
        }
        assert_eq!(db.stats().unwrap().vector_indexes[0].filters, 3);
    }
}

#[test]
fn fewer_than_are_wanted_are_found_without_a_look_at_all_vectors() {
    let db = Database::temporary().unwrap();
    let points = fill_parts(&db, false);
    for (id, n) in [(3u64, -1), (7, -1), (11, -2)] {
        points.update(id, set("n", n)).unwrap();
    }
    let query = &vectors(4, 1)[0];
    for (filter, matching) in [(field("n").eq(-1), 2), (field("n").eq(-3), 0), (field("n").lt(0), 3)] {
        learn(&db, &points, &filter);
        let explain = explain(&points, query, &filter);
        assert_eq!((explain.rows, explain.vectors_examined, explain.documents_examined), (matching, matching, 0));
    }
    points.update(20u64, set("n", -3)).unwrap();
    let explain = explain(&points, query, &field("n").eq(-3));
    assert_eq!((explain.filter, explain.rows, explain.documents_examined), (FilterStrategy::Cached, 1, 1), "{explain}");
}

#[test]
fn a_change_is_seen_at_once_and_only_by_views_that_see_its_commit() {
    let db = without_background();
    let points = fill_parts(&db, false);
    let filter = field("part").eq(5);
    learn(&db, &points, &filter);
    let query = vectors(4, 1)[0].clone();
    let ids = |points: &Collection<Document>| -> Vec<DocumentId> {
        assert_eq!(check(points, &query, &filter).0, FilterStrategy::Cached);
        filtered(points, &query, &filter).ids().unwrap().into_iter().map(|hit| hit.id).collect()
    };
    let before = ids(&points);
    let nearest = search(&points, &query, 1).1[0].clone();
    let then = db.snapshot().unwrap();
    let then = then.collection::<Document>("points").unwrap();
    // Another field alone, of one that did not match and of one that did.
    points.update(nearest.clone(), set("part", 5)).unwrap();
    points.update(before[0].clone(), set("part", 6)).unwrap();
    assert_eq!((ids(&points)[0].clone(), ids(&points)[1].clone()), (nearest.clone(), before[1].clone()));
    assert_eq!(ids(&then), before, "an older view sees what was");
    // The vector alone, which is linked anew, and later.
    points.update(before[1].clone(), set("v", Vector::F32(vec![90.0; DIMENSION]))).unwrap();
    points.delete(before[2].clone()).unwrap();
    points.insert_with_id("new", &in_part(&query, 5)).unwrap();
    for is_linked in [false, true] {
        let now = ids(&points);
        assert_eq!(now[0], "new".into(), "linked: {is_linked}");
        assert!(!now.contains(&before[1]) && !now.contains(&before[2]));
        assert_eq!(ids(&then), before, "linked: {is_linked}");
        db.settle().unwrap();
    }
}

#[test]
fn transactions_find_what_they_have_written_and_serializable_ones_do_without() {
    let db = Database::temporary().unwrap();
    let points = fill_parts(&db, false);
    let filter = field("part").lt(10);
    learn(&db, &points, &filter);
    let query = vectors(4, 1)[0].clone();
    let nearest = search(&points, &query, 1).1[0].clone();
    for (isolation, strategy) in
        [(Isolation::Snapshot, FilterStrategy::Cached), (Isolation::Serializable, FilterStrategy::Checked)]
    {
        let tx = db.begin_with(TransactionOptions::default().isolation(isolation)).unwrap();
        let own = tx.collection::<Document>("points").unwrap();
        let before = filtered(&own, &query, &filter).ids().unwrap();
        own.update(nearest.clone(), set("part", 3)).unwrap();
        own.update(before[0].id.clone(), set("part", 30)).unwrap();
        own.delete(before[1].id.clone()).unwrap();
        own.insert_with_id("own", &in_part(&query, 4)).unwrap();
        own.insert_with_id("other", &in_part(&query, 40)).unwrap();
        let after: Vec<DocumentId> =
            filtered(&own, &query, &filter).ids().unwrap().into_iter().map(|hit| hit.id).collect();
        assert_eq!(after[..3], ["own".into(), nearest.clone(), before[2].id.clone()]);
        assert_eq!(check(&own, &query, &filter).0, strategy);
        tx.rollback();
        assert_eq!(filtered(&points, &query, &filter).ids().unwrap(), before, "a rollback leaves no trace");
    }
    // A search in a serializable transaction is a predicate read, whatever is known.
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("points").unwrap();
    let found = filtered(&own, &query, &filter).ids().unwrap();
    points.update(found[0].id.clone(), set("part", 50)).unwrap();
    own.insert_with_id("conclusion", &in_part(&query, 99)).unwrap();
    assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn many_changes_are_looked_at_in_the_background_and_too_many_are_found_anew() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let points = fill_parts(&db, false);
    let filter = field("part").lt(50);
    learn(&db, &points, &filter);
    let query = &vectors(4, 1)[0];
    points.update_many(field("part").lt(40), inc("part", 1)).unwrap();
    let examined = explain(&points, query, &filter);
    assert!(examined.documents_examined > 0 && examined.filter == FilterStrategy::Cached, "{examined}");
    db.settle().unwrap();
    let settled = explain(&points, query, &filter);
    assert_eq!((settled.filter, settled.documents_examined), (FilterStrategy::Cached, 0), "{settled}");
    check(&points, query, &filter);
    for _ in 0..5 {
        points.update_many(field("part").ge(0), inc("part", 1)).unwrap();
    }
    assert_ne!(explain(&points, query, &filter).filter, FilterStrategy::Cached, "there were too many to be told of");
    check(&points, query, &filter);
    learn(&db, &points, &filter);
    check(&points, query, &filter);
}

#[test]
fn groups_and_examples_go_with_what_is_known() {
    let db = Database::temporary().unwrap();
    let points = fill_parts(&db, false);
    let filter = field("part").lt(50);
    learn(&db, &points, &filter);
    let example = points.find(filter.clone()).limit(1).run().unwrap()[0].id.clone();
    let search = points.search().similar_to("v", [example.clone()]).filter(filter.clone());
    let hits = search.clone().limit(10).ids().unwrap();
    assert!(hits.len() == 10 && hits.iter().all(|hit| hit.id != example));
    assert_eq!(search.explain().unwrap().filter, FilterStrategy::Cached);
    let query = vectors(4, 1)[0].clone();
    let groups = points.search().nearest("v", &query).filter(filter).group_by("part", 50, 1).run().unwrap();
    assert_eq!(groups.len(), 50, "each part that matches has its group");
}

#[test]
fn what_is_kept_of_filters_is_bounded_and_the_last_used_stay() {
    let db = Database::builder().vector_memory_bytes(100_000).temporary().unwrap();
    let points = fill_parts(&db, false);
    let filter = |n: u64| field("part").lt(10).and(field("n").ge(-(n as i64)));
    for n in 0..40 {
        learn(&db, &points, &filter(n));
    }
    let stats = &db.stats().unwrap().vector_indexes[0];
    assert!((2..=100_000 / 16 / (MANY as u64 / 8)).contains(&stats.filters), "{stats:?}");
    let query = &vectors(4, 1)[0];
    assert_eq!(explain(&points, query, &filter(39)).filter, FilterStrategy::Cached);
    assert_eq!(explain(&points, query, &filter(0)).filter, FilterStrategy::Checked);

    let db = Database::temporary().unwrap();
    let points = fill_parts(&db, false);
    (0..70).for_each(|n| learn(&db, &points, &filter(n)));
    assert_eq!(db.stats().unwrap().vector_indexes[0].filters, blaze::limits::VECTOR_FILTERS_MAX as u64);
}

#[test]
fn what_is_known_goes_with_its_graph() {
    let db = Database::builder().vector_memory_bytes(1).temporary().unwrap();
    let points = fill_parts(&db, false);
    let query = &vectors(4, 1)[0];
    let filter = field("part").lt(50);
    (0..5).for_each(|_| drop(explain(&points, query, &filter)));
    db.settle().unwrap();
    assert_eq!(explain(&points, query, &filter).filter, FilterStrategy::Checked, "there is no memory for it");

    let db = Database::temporary().unwrap();
    let points = fill_parts(&db, false);
    learn(&db, &points, &filter);
    db.drop_collection("points").unwrap();
    let points = fill_parts(&db, false);
    assert_eq!(explain(&points, query, &filter).filter, FilterStrategy::Checked);
    points.update_many(field("part").ge(0), set("part", 70)).unwrap();
    assert_eq!(check(&points, query, &filter).2, 0);
}
