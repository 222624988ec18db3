//! Searches that reach a recall, as it was measured.

use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

use blaze::{CalibrationQueries, RecallCalibration, RecallState, Search, SearchExplain, SearchPath};
use blaze_core::{CommitRequest, Direction, Family, KeyRange, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use super::*;

/// What follows the number of the index in the keys of what is kept of a calibration.
const CALIBRATION: [u8; 2] = [0xFF, 0x05];

fn l2() -> Index {
    Index::vector("v", DIMENSION).metric(Metric::L2)
}

/// Documents under the ids from `first` on, a hundred parts of them by chance.
fn insert(points: &Collection<Document>, vectors: &[Vec<f32>], first: usize) {
    let documents = vectors.iter().enumerate().map(|(n, vector)| {
        let n = n + first;
        (n as u64, document(vector, n).with("part", (n * 7 % 100) as i64))
    });
    points.bulk().insert_with_ids(documents).unwrap();
}

/// A collection of many vectors with this index, and all that is to be measured measured.
fn filled(db: &Database, index: Index) -> Collection<Document> {
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(index).unwrap();
    insert(&points, &vectors(1, MANY), 0);
    db.settle().unwrap();
    points
}

fn nearest(points: &Collection<Document>, query: &[f32]) -> Search<Document> {
    points.search().nearest("v", query)
}

fn measured(points: &Collection<Document>) -> RecallCalibration {
    points.index_calibration("v").unwrap().expect("the index is calibrated")
}

/// How a search for something that is not stored is done.
fn explained(points: &Collection<Document>, recall: f64) -> SearchExplain {
    nearest(points, &vectors(98, 1)[0]).recall(recall).explain().unwrap()
}

fn state(points: &Collection<Document>, recall: f64) -> (SearchPath, RecallState) {
    let explain = explained(points, recall);
    (explain.path, explain.recall.expect("a recall was asked for").state)
}

/// Which part of the nearest is found that there is, of vectors that were never stored, and by which paths.
fn held_out(search: impl Fn(&[f32]) -> Search<Document>, recall: f64) -> (f64, Vec<SearchPath>) {
    let (mut found, mut all, mut paths) = (0, 0, Vec::new());
    for query in vectors(99, 200) {
        let exact = search(&query).exact().ids().unwrap();
        let farthest = exact.last().map_or(0.0, |hit| hit.distance);
        let search = search(&query).recall(recall);
        let ids = search.ids().unwrap();
        assert_eq!(ids.len(), exact.len(), "as many as there are");
        found += ids.iter().filter(|hit| hit.distance <= farthest).count();
        all += exact.len();
        if all < 200 {
            paths.push(search.explain().unwrap().path);
        }
    }
    paths.dedup();
    (found as f64 / all as f64, paths)
}

/// By how much the mean of so few queries may be below what is behind it.
const SAMPLING_ERROR: f64 = 0.02;

#[test]
fn the_recall_that_is_asked_for_holds_for_vectors_that_were_never_stored() {
    let db = Database::temporary().unwrap();
    // Sparsely linked, so that it takes a wider search to find more.
    let points = filled(&db, l2().m(8).ef_construction(30).recall(0.95));
    let mut widths = Vec::new();
    for target in [0.8, 0.95, 0.99] {
        for k in [1, 10, 100] {
            let (recall, paths) = held_out(|query| nearest(&points, query).limit(k), target);
            assert!(recall >= target - SAMPLING_ERROR, "{recall} of the {k} nearest, {target} was asked for");
            assert_eq!(paths, [SearchPath::Graph], "{target} of {k}");
        }
        let explain = explained(&points, target);
        let recall = explain.recall.clone().unwrap();
        assert_eq!((recall.target, recall.state), (target, RecallState::Measured), "{explain}");
        let measured = recall.measured.unwrap();
        assert!(measured.lower_bound >= target && measured.recall > measured.lower_bound, "{explain}");
        assert_eq!((measured.queries, measured.vectors, measured.k), (1_000, MANY as u64, 10));
        assert!(
            explain.to_string().contains(&format!("recall {target}, by a width that was measured: ef")),
            "{explain}"
        );
        widths.push((measured.ef, explain.nodes_visited));
    }
    assert!(widths.is_sorted(), "a search for less is narrower and visits less: {widths:?}");
    assert!(widths.windows(2).all(|pair| (pair[0].0 < pair[1].0) == (pair[0].1 < pair[1].1)), "{widths:?}");
    let by_default = nearest(&points, &vectors(98, 1)[0]).explain().unwrap();
    assert_eq!(by_default.recall.map(|recall| recall.target), Some(0.95), "what the index says");
    let by_width = nearest(&points, &vectors(98, 1)[0]).ef(50).explain().unwrap();
    assert_eq!(by_width.recall, None, "who gives a width has it");
    assert_eq!(nearest(&points, &vectors(98, 1)[0]).exact().explain().unwrap().recall, None);
}

#[test]
fn filtered_searches_are_measured_apart_and_reach_it_too() {
    for is_indexed in [true, false] {
        let db = Database::temporary().unwrap();
        let points = filled(&db, l2().recall(0.95));
        if is_indexed {
            points.ensure_index(Index::on("part")).unwrap();
        }
        for percent in [90, 30, 7] {
            let filter = field("part").lt(percent);
            let (recall, paths) = held_out(|query| nearest(&points, query).filter(filter.clone()), 0.95);
            assert!(recall >= 0.95 - SAMPLING_ERROR, "{recall} where {percent} % match, by {paths:?}");
            if percent > 50 || is_indexed {
                assert_eq!(paths, [SearchPath::Graph], "where {percent} % match");
            }
        }
        // Of a filter that was not used before, nothing is kept: what the graph proposes is checked.
        let search = nearest(&points, &vectors(98, 1)[0]).filter(field("part").lt(if is_indexed { 30 } else { 31 }));
        let measured = search.explain().unwrap().recall.unwrap().measured.unwrap();
        let (share, k) = if is_indexed { (0.1, 10) } else { (1.0, 30) };
        assert_eq!(measured.share, share, "of what was measured, the next smaller share counts");
        assert!(measured.k >= k, "where 30 % match, the tenth is about the thirtieth of all: {measured:?}");
    }
}

#[test]
fn searches_are_exact_until_it_is_measured_and_old_measurements_serve_meanwhile() {
    let db = without_background();
    let points = filled(&db, l2());
    assert_eq!(points.index_calibration("v").unwrap(), None, "nobody asked for a recall");
    assert_eq!(state(&points, 0.9), (SearchPath::Exact, RecallState::Unmeasured));
    db.settle().unwrap();
    assert_eq!(state(&points, 0.9), (SearchPath::Graph, RecallState::Measured));
    assert_eq!(measured(&points).queries, 1_000);
    assert_eq!(state(&points, 0.999).1, RecallState::Unreached, "so many queries cannot show that");
    db.settle().unwrap();
    assert_eq!(measured(&points).queries, 2_973, "it takes more to show more");
    assert_eq!(state(&points, 0.9), (SearchPath::Graph, RecallState::Measured));
}

#[test]
fn it_is_measured_again_when_the_vectors_have_doubled_or_halved() {
    let db = Database::temporary().unwrap();
    let points = filled(&db, l2().recall(0.9));
    let vectors_measured = || {
        db.settle().unwrap();
        measured(&points).vectors as usize
    };
    assert_eq!(vectors_measured(), MANY);
    insert(&points, &vectors(2, MANY - 1), MANY);
    assert_eq!(vectors_measured(), MANY);
    insert(&points, &vectors(3, 1), 2 * MANY - 1);
    assert_eq!(vectors_measured(), 2 * MANY);
    assert!(held_out(|query| nearest(&points, query), 0.9).0 >= 0.9 - SAMPLING_ERROR);
    points.delete_many(field("n").ge(MANY as i64 + 1)).unwrap();
    assert_eq!(vectors_measured(), 2 * MANY);
    points.delete_many(field("n").ge(MANY as i64)).unwrap();
    assert_eq!(vectors_measured(), MANY);
    points.delete_many(field("n").ge(900)).unwrap();
    assert_eq!(vectors_measured(), MANY);
    assert_eq!(state(&points, 0.9), (SearchPath::Exact, RecallState::Exact), "so few are looked at one by one");
}

#[test]
fn given_queries_are_measured_with_and_kept_for_the_next_time() {
    let db = Database::temporary().unwrap();
    let points = filled(&db, l2().recall(0.9));
    let (mut calls, mut last) = (0, 0);
    let given = points.calibrate_index_with("v", CalibrationQueries::given(vectors(50, 400)), |progress| {
        calls += 1;
        last = progress.searches;
        ControlFlow::Continue(())
    });
    let given = given.unwrap();
    assert!(calls > 400 && last > 400, "{calls} calls, {last} searches");
    assert_eq!((given.queries, given.is_given), (400, true));
    assert_eq!(measured(&points), given);
    assert_eq!(explained(&points, 0.9).recall.unwrap().measured.unwrap().queries, 400);
    assert_eq!(state(&points, 0.999).1, RecallState::Unreached, "four hundred cannot show that");
    db.settle().unwrap();
    assert_eq!(measured(&points), given, "nobody else measures in their place");
    insert(&points, &vectors(2, MANY), MANY);
    db.settle().unwrap();
    let again = measured(&points);
    assert_eq!((again.vectors, again.queries, again.is_given), (2 * MANY as u64, 400, true));
    let stored = points.calibrate_index("v", CalibrationQueries::Stored).unwrap();
    assert_eq!((stored.queries, stored.is_given), (2_973, false), "as many as the highest recall takes");
    points.delete_many(field("n").ge(MANY as i64)).unwrap();
    db.settle().unwrap();
    assert!(!measured(&points).is_given, "the given ones are gone");
}

#[test]
fn a_recall_that_no_width_reaches_is_reached_by_looking_at_everything() {
    let db = Database::temporary().unwrap();
    let points = filled(&db, l2());
    points.calibrate_index("v", CalibrationQueries::given(vectors(50, 50))).unwrap();
    assert_eq!(state(&points, 0.8), (SearchPath::Graph, RecallState::Measured));
    let explain = explained(&points, 0.99);
    let recall = explain.recall.clone().unwrap();
    assert_eq!((explain.path, recall.state), (SearchPath::Exact, RecallState::Unreached));
    let best = recall.measured.unwrap();
    assert!(best.recall > 0.9 && best.lower_bound < 0.96, "of fifty queries: {best:?}");
    assert!(explain.to_string().contains("recall 0.99, exact, as no width reaches it: ef"), "{explain}");
    let (recall, paths) = held_out(|query| nearest(&points, query), 0.99);
    assert_eq!((recall, paths), (1.0, vec![SearchPath::Exact]));
}

#[test]
fn few_vectors_are_looked_at_one_by_one() {
    let db = Database::temporary().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(l2().recall(0.9)).unwrap();
    insert(&points, &vectors(1, 500), 0);
    db.settle().unwrap();
    assert_eq!(state(&points, 0.99), (SearchPath::Exact, RecallState::Exact));
    assert_eq!(points.index_calibration("v").unwrap(), None);
    let refused = points.calibrate_index("v", CalibrationQueries::Stored).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("collection \"points\", index \"v\": it has no graph"), "{refused}");
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let db = without_background();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(l2()).unwrap();
    points.ensure_index(Index::on("n")).unwrap();
    let says = |error: blaze::Error, kind: ErrorKind, text: &str| {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}, not {text}");
    };
    let query = [0.0; DIMENSION];
    for recall in [0.0, 0.4, 1.0, f64::NAN] {
        let text = format!("a recall of {recall} cannot be aimed at, 0.5 to 0.999 can");
        says(nearest(&points, &query).recall(recall).ids().unwrap_err(), ErrorKind::Invalid, &text);
        says(points.ensure_index(l2().recall(recall).named("w")).unwrap_err(), ErrorKind::Invalid, &text);
    }
    let both = "it has a recall of 0.9 and ef 100, one of them is possible";
    says(nearest(&points, &query).recall(0.9).ef(100).ids().unwrap_err(), ErrorKind::Invalid, both);
    let exact = "it has a recall of 0.9 and is exact, which finds everything";
    says(nearest(&points, &query).recall(0.9).exact().ids().unwrap_err(), ErrorKind::Invalid, exact);
    let both = "it has ef 100 and a recall of 0.9, one of them is possible";
    says(points.ensure_index(l2().recall(0.9).ef(100).named("w")).unwrap_err(), ErrorKind::Invalid, both);
    let other = "index \"v\" is on v (16, l2), not on v (16, l2, recall 0.9)";
    says(points.ensure_index(l2().recall(0.9)).unwrap_err(), ErrorKind::Invalid, other);

    let calibrate = |name: &str, queries| points.calibrate_index(name, queries).unwrap_err();
    says(calibrate("w", CalibrationQueries::Stored), ErrorKind::NotFound, "there is no such index");
    says(points.index_calibration("w").unwrap_err(), ErrorKind::NotFound, "there is no such index");
    says(calibrate("n", CalibrationQueries::Stored), ErrorKind::Invalid, "it is on n, not on vectors");
    let none = CalibrationQueries::Given(Vec::new());
    says(calibrate("v", none), ErrorKind::Invalid, "no queries are given");
    let other = CalibrationQueries::given([vec![0.0; DIMENSION], vec![0.0; 3]]);
    says(calibrate("v", other), ErrorKind::Invalid, "query 1: vector has 3 components, the index has 16");
    let many = CalibrationQueries::given((0..10_001).map(|_| vec![0.0; DIMENSION]));
    says(calibrate("v", many), ErrorKind::LimitExceeded, "10001 queries are given");
    let snapshot = db.snapshot().unwrap();
    let refused = snapshot.collection::<Document>("points").unwrap().calibrate_index("v", CalibrationQueries::Stored);
    says(refused.unwrap_err(), ErrorKind::Invalid, "that is for the database to do");
}

#[test]
fn a_measurement_that_is_stopped_leaves_what_there_was() {
    let db = Database::temporary().unwrap();
    let points = filled(&db, l2().recall(0.9));
    let before = measured(&points);
    for searches in [0, 700] {
        let stopped = points.calibrate_index_with("v", CalibrationQueries::given(vectors(50, 300)), |progress| {
            match progress.searches < searches {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(measured(&points), before);
    }
}

#[test]
fn a_transaction_and_a_snapshot_find_what_they_see() {
    let db = Database::temporary().unwrap();
    let points = filled(&db, l2().recall(0.95));
    let far = vec![50.0; DIMENSION];
    let snapshot = db.snapshot().unwrap();
    let then = snapshot.collection::<Document>("points").unwrap();
    let before = nearest(&then, &far).limit(1).ids().unwrap();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("points").unwrap();
    own.insert_with_id("own", &document(&far, 0)).unwrap();
    let explain = nearest(&own, &far).explain().unwrap();
    assert_eq!((explain.path, explain.recall.unwrap().state), (SearchPath::Graph, RecallState::Measured));
    assert_eq!(nearest(&own, &far).limit(1).ids().unwrap()[0].id, "own".into());
    tx.rollback();
    points.insert_with_id("there", &document(&far, 0)).unwrap();
    assert_eq!(nearest(&points, &far).limit(1).ids().unwrap()[0].id, "there".into());
    assert_eq!(nearest(&then, &far).limit(1).ids().unwrap(), before);
}

#[test]
fn bits_reach_a_recall_although_many_are_equally_far() {
    let db = Database::temporary().unwrap();
    let prints = db.collection::<Document>("prints").unwrap();
    prints.ensure_index(Index::vector("v", 64).metric(Metric::Hamming).recall(0.9)).unwrap();
    let random = SeededEntropy::new(8);
    let print = || {
        let centre = SeededEntropy::new(random.next_u64() % 30).next_u64();
        let noise = random.next_u64() & random.next_u64() & random.next_u64();
        Vector::Bits((centre ^ noise).to_be_bytes().to_vec())
    };
    prints.bulk().insert((0..MANY).map(|_| Document::new().with("v", print()))).unwrap();
    db.settle().unwrap();
    assert!(measured(&prints).curves.iter().all(|curve| curve.points().last().unwrap().recall > 0.9));
    let (mut found, mut all) = (0, 0);
    for _ in 0..100 {
        let search = prints.search().nearest("v", print());
        let exact = search.clone().exact().ids().unwrap();
        let hits = search.ids().unwrap();
        found += hits.iter().filter(|hit| hit.distance <= exact.last().unwrap().distance).count();
        all += exact.len();
    }
    let recall = found as f64 / all as f64;
    assert!(recall >= 0.9 - SAMPLING_ERROR, "{recall}");
}

mod kept {
    //! What is measured is kept in the database.

    use super::*;

    fn open(path: &Path) -> Database {
        Database::builder().durability(Durability::Buffered).open(path).unwrap()
    }

    fn points(db: &Database) -> Collection<Document> {
        db.collection("points").unwrap()
    }

    fn with_store<R>(path: &Path, work: impl FnOnce(&LsmStore) -> R) -> R {
        let store = LsmStore::open(path, LsmOptions::new(Arc::new(blaze::SystemClock))).unwrap();
        let result = work(&store);
        store.close().unwrap();
        result
    }

    /// The rows of calibrations.
    fn rows(store: &dyn Store) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = Vec::new();
        let point = store.read_point().unwrap();
        let mut cursor = point.cursor(Family::Vector, &KeyRange::all(), Direction::Forward).unwrap();
        while let Some((key, value)) = cursor.next().unwrap() {
            if key[4..].starts_with(&CALIBRATION) {
                rows.push((key.to_vec(), value.to_vec()));
            }
        }
        rows
    }

    #[test]
    fn what_was_measured_is_there_again_after_opening_and_is_not_measured_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let before = {
            let db = open(&path);
            let points = filled(&db, l2().recall(0.95));
            db.close().unwrap();
            drop(points);
            let db = open(&path);
            measured(&self::points(&db))
        };
        for read_only in [true, false] {
            let builder = Database::builder();
            let db = if read_only { builder.read_only() } else { builder }.open(&path).unwrap();
            let points = points(&db);
            assert_eq!(measured(&points), before);
            assert_eq!(state(&points, 0.95), (SearchPath::Graph, RecallState::Measured));
            db.settle().unwrap();
            assert_eq!(measured(&points), before, "nothing has changed");
            assert_eq!(db.verify().unwrap().problems, []);
            db.close().unwrap();
        }
    }

    #[test]
    fn a_database_that_is_only_read_and_never_measured_is_searched_exactly() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let db = open(&path);
        filled(&db, l2());
        db.close().unwrap();
        let db = Database::builder().read_only().open(&path).unwrap();
        for _ in 0..2 {
            assert_eq!(state(&points(&db), 0.95), (SearchPath::Exact, RecallState::Unmeasured));
            db.settle().unwrap();
        }
        assert!(points(&db).calibrate_index("v", CalibrationQueries::Stored).is_err());
    }

    #[test]
    fn what_is_damaged_is_measured_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let db = open(&path);
        let collection = filled(&db, l2().recall(0.9));
        collection.calibrate_index("v", CalibrationQueries::given(vectors(50, 300))).unwrap();
        db.close().unwrap();
        let kept = with_store(&path, |store| rows(store));
        assert_eq!(kept.len(), 301, "what was measured, and the queries");
        let random = SeededEntropy::new(5);
        for (at, is_given) in [(0, true), (1 + random.next_u64() as usize % 300, false)] {
            with_store(&path, |store| {
                let damaged = [0, at].map(|at| {
                    let (key, mut value) = kept[at].clone();
                    let byte = random.next_u64() as usize % value.len();
                    value[byte] ^= 1 << (random.next_u64() % 8);
                    Write::put(Family::Vector, key, value)
                });
                let writes = damaged.into_iter().take(if at == 0 { 1 } else { 2 }).collect();
                store.commit(CommitRequest { writes, ..CommitRequest::default() }).unwrap();
            });
            let db = open(&path);
            let points = points(&db);
            assert_eq!(points.index_calibration("v").unwrap(), None);
            nearest(&points, &vectors(98, 1)[0]).ids().unwrap();
            db.settle().unwrap();
            assert_eq!(measured(&points).is_given, is_given, "row {at}");
            assert_eq!(state(&points, 0.9), (SearchPath::Graph, RecallState::Measured));
            db.close().unwrap();
        }
    }

    #[test]
    fn an_index_that_goes_takes_it_along() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let db = open(&path);
        let points = filled(&db, l2().recall(0.9));
        points.drop_index("v").unwrap();
        assert_eq!(points.index_calibration("v").unwrap_err().kind(), ErrorKind::NotFound);
        points.ensure_index(l2().recall(0.9)).unwrap();
        // While it is measured, perhaps.
        points.drop_index("v").unwrap();
        db.settle().unwrap();
        db.close().unwrap();
        let db = open(&path); // what was begun is reclaimed
        db.close().unwrap();
        assert_eq!(with_store(&path, |store| rows(store)), []);
    }

    #[test]
    fn a_graph_that_was_let_go_of_has_it_when_it_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let db = Database::builder()
            .clock(Arc::new(ManualClock::at_ms(1_000_000)))
            .durability(Durability::Buffered)
            .vector_memory_bytes(2_000_000)
            .open(directory.path().join("db"))
            .unwrap();
        let collections = ["a", "b"].map(|name| db.collection::<Document>(name).unwrap());
        for (seed, collection) in (1..).zip(&collections) {
            collection.ensure_index(l2().recall(0.9)).unwrap();
            insert(collection, &vectors(seed, MANY), 0);
            db.settle().unwrap();
        }
        let before = collections.each_ref().map(measured);
        for collection in collections.iter().chain(&collections) {
            assert_eq!(state(collection, 0.9), (SearchPath::Graph, RecallState::Measured));
            db.settle().unwrap();
            assert_eq!(db.stats().unwrap().vector_indexes.len(), 1, "the other one had to go");
        }
        assert_eq!(collections.each_ref().map(measured), before);
    }
}

#[test]
fn measuring_waits_for_nobody_and_nobody_waits_for_it() {
    let db = Database::temporary().unwrap();
    let points = filled(&db, l2());
    let others = vectors(7, 4 * MANY);
    thread::scope(|scope| {
        let measuring = scope.spawn(|| points.calibrate_index("v", CalibrationQueries::Stored).unwrap());
        let mut rounds = 0;
        while !measuring.is_finished() {
            let n = rounds % MANY;
            points.put(n as u64, &document(&others[rounds % others.len()], n)).unwrap();
            points
                .insert_with_id(format!("new {rounds}"), &document(&others[(rounds + 77) % others.len()], 0))
                .unwrap();
            points.delete(((rounds * 37 + 11) % MANY) as u64).unwrap();
            assert_eq!(nearest(&points, &others[rounds % others.len()]).ids().unwrap().len(), 10);
            rounds += 1;
        }
        assert!(rounds > 20, "{rounds} rounds of changes while it was measured");
        let measured = measuring.join().unwrap();
        assert_eq!((measured.queries >= 1_000, measured.vectors > 4_900), (true, true), "{measured:?}");
    });
    let (recall, paths) = held_out(|query| nearest(&points, query), 0.9);
    assert!(recall >= 0.9 - SAMPLING_ERROR && paths == [SearchPath::Graph], "{recall} by {paths:?}");
}
