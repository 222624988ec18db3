//! What every index of vectors promises, by way of [`Vectors`].

use blaze_bench::Result;
use blaze_bench::dataset::{Clustered, Matrix, Neighbours};
use blaze_bench::engine::{
    Condition, Engine, EngineOptions, Faculty, Items, Operator, Place, Properties, VectorFilter, VectorMetric,
    VectorOptions, VectorSkill, Vectors,
};
use serde_json::{Map, Value as Json};

use super::linked;

const ROWS: u64 = 2000;
const DIMENSIONS: usize = 24;
const K: usize = 10;

/// Each row has its number beside it.
struct Numbers;

impl Properties for Numbers {
    fn names(&self) -> Vec<&str> {
        vec!["number"]
    }

    fn of(&self, row: usize) -> Map<String, Json> {
        [("number".to_owned(), row.into())].into_iter().collect()
    }
}

fn below(count: usize) -> VectorFilter {
    VectorFilter {
        conditions: vec![Condition::new("number", Operator::Lt, count as u64)],
        matching: (0..ROWS as usize).map(|row| row < count).collect(),
    }
}

fn data() -> (Matrix, Matrix) {
    let mixture = Clustered::new(1, DIMENSIONS, 3);
    let (mut vectors, mut queries) = (mixture.vectors(0..ROWS), mixture.vectors(ROWS..ROWS + 40));
    vectors.normalize();
    queries.normalize();
    (vectors, queries)
}

/// Runs a check on each engine that is there.
fn on_each(faculty: Faculty, check: impl Fn(&dyn Engine, &EngineOptions)) {
    for engine in linked().into_iter().filter(|engine| engine.faculties().contains(&faculty)) {
        if let Some(why) = engine.missing() {
            println!("skipped: {}: {why}", engine.name());
            continue;
        }
        println!("{} {}", engine.name(), engine.version());
        let directory = tempfile::tempdir().unwrap();
        check(engine, &EngineOptions { directory: directory.path().to_owned(), cache_bytes: 8 << 20 });
    }
}

fn recall(index: &dyn Vectors, truth: &Neighbours, queries: &Matrix) -> Result<f64> {
    let effort = index.efforts().into_iter().find(|effort| *effort == 0 || *effort >= 200).unwrap();
    let answers = index.search_all(queries, K, effort)?.answers;
    assert_eq!(answers.len(), queries.rows());
    let found = |(query, answer): (usize, &Vec<u64>)| {
        truth.rows(query).filter(|row| answer.iter().any(|found| found == row)).count()
    };
    Ok(answers.iter().enumerate().map(found).sum::<usize>() as f64 / (K * queries.rows()) as f64)
}

#[test]
fn nearly_all_neighbours_are_found_by_either_metric_and_again_from_what_was_kept() {
    let (vectors, queries) = data();
    let truth = Neighbours::of(&vectors, &queries, K);
    on_each(Faculty::VectorIndex, |engine, options| {
        for metric in [VectorMetric::L2, VectorMetric::Cosine] {
            for round in 0..2 {
                let directory = options.directory.join(format!("{metric:?}{round}"));
                std::fs::create_dir(&directory).unwrap();
                let kept = Some(options.directory.join(format!("{metric:?}")));
                let settings = VectorOptions { kept, threads: 2, ..VectorOptions::new(DIMENSIONS, metric) };
                let index = engine.open_vectors(&EngineOptions { directory, ..options.clone() }, &settings).unwrap();
                index.load(Items::of(&vectors), &mut |_| ()).unwrap();
                let recall = recall(&*index, &truth, &queries).unwrap();
                assert!(recall > 0.95, "{metric:?}, round {round}: {recall}");
            }
        }
    });
}

#[test]
fn a_filter_leaves_nothing_that_does_not_match_until_it_is_taken_away() {
    let (vectors, queries) = data();
    on_each(Faculty::VectorIndex, |engine, options| {
        let index = engine.open_vectors(options, &VectorOptions::new(DIMENSIONS, VectorMetric::L2)).unwrap();
        if index.lacks(VectorSkill::Filters) {
            return;
        }
        index.load(Items { vectors: &vectors, properties: Some(&Numbers) }, &mut |_| ()).unwrap();
        let effort = *index.efforts().last().unwrap();
        index.filter(Some(&below(500))).unwrap();
        let found = index.search_all(&queries, K, effort).unwrap().answers;
        assert!(
            found.iter().flatten().all(|row| *row < 500) && found.iter().all(|answer| answer.len() == K),
            "{found:?}"
        );
        index.filter(None).unwrap();
        let found = index.search_all(&queries, K, effort).unwrap().answers;
        assert!(found.iter().flatten().any(|row| *row >= 500));
    });
}

#[test]
fn what_is_deleted_is_not_found_and_what_is_inserted_is() {
    let (vectors, _) = data();
    on_each(Faculty::VectorIndex, |engine, options| {
        let index = engine.open_vectors(options, &VectorOptions::new(DIMENSIONS, VectorMetric::L2)).unwrap();
        if index.lacks(VectorSkill::Changes) {
            return;
        }
        index.load(Items::of(&vectors), &mut |_| ()).unwrap();
        let effort = *index.efforts().last().unwrap();
        let gone: Vec<u64> = (0..ROWS / 2).map(|row| 2 * row).collect();
        index.delete(&gone).unwrap();
        for row in 0..50 {
            let found = index.search(vectors.row(row), K, effort).unwrap();
            assert!(found.iter().all(|found| found % 2 == 1), "{row}: {found:?}");
        }
        index.insert(&gone, &vectors).unwrap();
        for row in 0..50 {
            assert!(index.search(vectors.row(row), K, effort).unwrap().contains(&(row as u64)), "{row}");
        }
    });
}

#[test]
fn a_vector_that_was_committed_is_found_and_so_it_is_after_opening_again() {
    let (vectors, _) = data();
    on_each(Faculty::VectorStore, |engine, options| {
        let store = engine.open_vector_store(options, DIMENSIONS).unwrap();
        store.load(Place::Indexed, 0, &vectors.select(0..1000)).unwrap();
        store.insert(Place::Indexed, 1000, &vectors.select(1000..1010)).unwrap();
        store.insert(Place::Plain, 0, &vectors.select(1010..1020)).unwrap();
        store.insert_other(1).unwrap();
        assert_eq!(store.nearest(vectors.row(1005), 1).unwrap(), [1005]);
        store.settle().unwrap();
        drop(store);
        let store = engine.open_vector_store(options, DIMENSIONS).unwrap();
        assert_eq!(
            (store.nearest(vectors.row(1005), 1).unwrap(), store.nearest(vectors.row(7), 1).unwrap()),
            (vec![1005], vec![7])
        );
    });
}
