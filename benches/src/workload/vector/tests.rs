use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::engine::{Blaze, EngineOptions, Faculty, Items, VectorOptions, VectorSkill};
use crate::workload::measured::{measured, value};

/// An index that misses the last neighbour of each query at efforts below 100.
struct Forgetful {
    efforts: Vec<usize>,
    vectors: Mutex<Vec<Vec<f32>>>,
}

/// Opens a forgetful index.
struct ForgetfulEngine {
    efforts: Vec<usize>,
}

impl Engine for ForgetfulEngine {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn version(&self) -> String {
        "1".to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::Vectors]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        Vec::new()
    }

    fn open_vectors(&self, _options: &EngineOptions, _vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
        Ok(Box::new(Forgetful { efforts: self.efforts.clone(), vectors: Mutex::default() }))
    }
}

impl Vectors for Forgetful {
    fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        self.vectors.lock().unwrap().extend(items.vectors.iter().map(<[f32]>::to_vec));
        progress(1);
        Ok(Duration::from_secs(1))
    }

    fn efforts(&self) -> Vec<usize> {
        self.efforts.clone()
    }

    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>> {
        let vectors = self.vectors.lock().unwrap();
        let mut rows: Vec<u64> = (0..vectors.len() as u64).collect();
        let squared = |row: u64| -> f32 {
            vectors[row as usize].iter().zip(query).map(|(one, other)| (one - other) * (one - other)).sum()
        };
        rows.sort_by(|&one, &other| squared(one).total_cmp(&squared(other)));
        if effort < 100 {
            rows.remove(k - 1);
        }
        rows.truncate(k);
        Ok(rows)
    }

    fn lacks(&self, _skill: VectorSkill) -> bool {
        true
    }
}

fn run(engine: &dyn Engine) -> (Result<()>, Vec<Measurement>) {
    let source = VectorSource::Clustered { rows: 500, dimensions: 12, clusters: 4 };
    let workload = VectorWorkload { source, queries: 20, k: 5 };
    measured(|context| workload.run(engine, context))
}

#[test]
fn blaze_finds_every_neighbour() {
    let (result, measurements) = run(&Blaze);
    result.unwrap();
    // So few vectors have no graph, however many candidates it would keep.
    for effort in [10, 1280] {
        assert_eq!(value(&measurements, &format!("recall@5, effort {effort}")), 1.0);
    }
    assert!(value(&measurements, "size on disk") >= (500 * 12 * 4) as f64);
    let built = measurements.iter().find(|measurement| measurement.name == "build").unwrap();
    assert_eq!(built.operations, Some(500));
}

#[test]
fn each_effort_is_a_point_of_a_curve() {
    let (result, measurements) = run(&ForgetfulEngine { efforts: vec![50, 100] });
    result.unwrap();
    let points: Vec<_> = measurements.iter().filter_map(|measurement| measurement.point).collect();
    assert_eq!(points.iter().map(|point| point.x).collect::<Vec<_>>(), [0.8, 1.0]);
    assert!(points.iter().all(|point| point.series == Series::QueriesByRecall));
    assert_eq!(value(&measurements, "recall@5, effort 50"), 0.8);
}

#[test]
fn an_exact_index_that_misses_a_neighbour_fails() {
    let (result, measurements) = run(&ForgetfulEngine { efforts: vec![0] });
    let message = result.unwrap_err().to_string();
    assert_eq!(message, "wrong answer: an exact index has found 0.8 of the true neighbours");
    assert_eq!(value(&measurements, "recall@5, exact"), 0.8);
}
