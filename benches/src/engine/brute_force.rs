//! Brute force: what every index has to be better than.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use blaze_vector::{Metric, Nearest, Query};

use super::{Engine, EngineOptions, Faculty, Items, VectorFilter, VectorMetric, VectorOptions, VectorSkill, Vectors};
use crate::Result;
use crate::dataset::Matrix;
use crate::measure::measure;

/// All vectors one after the other in memory, each compared with the query by Blaze's own kernel. A filter's rows are copied
/// together before the clock runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct BruteForce;

impl Engine for BruteForce {
    fn name(&self) -> &'static str {
        "brute-force"
    }

    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::VectorIndex]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        vec![
            "vectors: single precision, one after the other in memory, compared by the kernels of blaze-vector; the rows of a \
             filter are copied together before the clock runs"
                .to_owned(),
        ]
    }

    fn open_vectors(&self, _options: &EngineOptions, vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
        let metric = match vectors.metric {
            VectorMetric::L2 => Metric::L2,
            VectorMetric::Cosine => Metric::Cosine,
        };
        Ok(Box::new(Scan { metric, dimensions: vectors.dimensions, rows: RwLock::default() }))
    }
}

struct Scan {
    metric: Metric,
    dimensions: usize,
    rows: RwLock<Loaded>,
}

#[derive(Default)]
struct Loaded {
    all: Vec<f32>,
    filtered: Option<Rows>,
}

struct Rows {
    numbers: Vec<f32>,
    ids: Vec<u64>,
}

impl Vectors for Scan {
    fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let (took, all) = measure(|| items.vectors.numbers().to_vec());
        self.rows.write().unwrap_or_else(PoisonError::into_inner).all = all;
        progress(items.vectors.rows() as u64);
        Ok(took)
    }

    fn efforts(&self) -> Vec<usize> {
        vec![0]
    }

    fn search(&self, query: &[f32], k: usize, _effort: usize) -> Result<Vec<u64>> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let mut nearest = Nearest::new(Query::new(self.metric, query)?, k);
        match &rows.filtered {
            Some(Rows { numbers, ids }) => {
                for (vector, &id) in numbers.chunks_exact(self.dimensions).zip(ids) {
                    nearest.offer(id, vector)?;
                }
            }
            None => {
                for (vector, id) in rows.all.chunks_exact(self.dimensions).zip(0..) {
                    nearest.offer(id, vector)?;
                }
            }
        }
        Ok(nearest.into_sorted().into_iter().map(|hit| hit.key).collect())
    }

    fn memory_bytes(&self) -> Option<u64> {
        Some(size_of_val(self.rows.read().unwrap_or_else(PoisonError::into_inner).all.as_slice()) as u64)
    }

    fn filter(&self, filter: Option<&VectorFilter>) -> Result<()> {
        let mut loaded = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        loaded.filtered = filter.map(|filter| {
            let matching = || filter.matching.iter().zip(0_u64..).filter(|(matches, _)| **matches).map(|(_, row)| row);
            let vector = |row: u64| &loaded.all[row as usize * self.dimensions..][..self.dimensions];
            Rows { numbers: matching().flat_map(vector).copied().collect(), ids: matching().collect() }
        });
        Ok(())
    }

    fn insert(&self, _rows: &[u64], _vectors: &Matrix) -> Result<()> {
        Err("there is no index that could become worse".into())
    }

    fn lacks(&self, skill: VectorSkill) -> bool {
        skill == VectorSkill::Changes
    }
}
