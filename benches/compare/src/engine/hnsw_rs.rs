//! `hnsw_rs`, a graph in memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use blaze_bench::Result;
use blaze_bench::engine::{
    EF_CONSTRUCTION, Engine, EngineOptions, Faculty, Items, VectorFilter, VectorMetric, VectorOptions, VectorSkill,
    Vectors,
};
use blaze_bench::measure::{measure, resident_bytes};
use hnsw_rs::prelude::{DistDot, DistL2, Distance, Hnsw};

use super::EFFORTS;

/// The library's own limit.
const LAYERS_MAX: usize = 16;

/// Whether this process has loaded an index.
static LOADED: AtomicBool = AtomicBool::new(false);

/// The crate `hnsw_rs`, with its instructions for AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HnswRs;

impl Engine for HnswRs {
    fn name(&self) -> &'static str {
        "hnsw_rs"
    }

    fn version(&self) -> String {
        env!("LOCKED_HNSW_RS").to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::VectorIndex]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        vec![
            "vectors: feature simdeez_f; single precision; DistL2, or DistDot over vectors of length 1; one thread builds with \
             insert_slice, several with parallel_insert_slice; filters by search_filter; nothing can be deleted; memory is what \
             the process has grown by, told of the first index only"
                .to_owned(),
        ]
    }

    fn connections(&self) -> &'static [usize] {
        &super::CONNECTIONS
    }

    fn open_vectors(&self, _options: &EngineOptions, vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
        Ok(match vectors.metric {
            VectorMetric::L2 => Box::new(Graph::<DistL2>::new(vectors)),
            VectorMetric::Cosine => Box::new(Graph::<DistDot>::new(vectors)),
        })
    }
}

struct Graph<D: Distance<f32> + Send + Sync> {
    connections: usize,
    threads: usize,
    built: OnceLock<Built<D>>,
    matching: RwLock<Option<Vec<bool>>>,
}

struct Built<D: Distance<f32> + Send + Sync> {
    graph: Hnsw<'static, f32, D>,
    memory_bytes: Option<u64>,
}

impl<D: Distance<f32> + Default + Send + Sync> Graph<D> {
    fn new(options: &VectorOptions) -> Graph<D> {
        let (connections, threads) = (options.connections, options.threads);
        Graph { connections, threads, built: OnceLock::new(), matching: RwLock::default() }
    }
}

impl<D: Distance<f32> + Default + Send + Sync> Vectors for Graph<D> {
    fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let before = resident_bytes();
        let rows = items.vectors.rows();
        let build = || {
            let graph = Hnsw::new(self.connections, rows, LAYERS_MAX, EF_CONSTRUCTION, D::default());
            let all: Vec<(&[f32], usize)> = items.vectors.iter().zip(0..).collect();
            if self.threads > 1 {
                graph.parallel_insert_slice(&all);
            } else {
                all.into_iter().for_each(|item| graph.insert_slice(item));
            }
            graph
        };
        let (took, mut graph) = measure(build);
        graph.set_searching_mode(true);
        // A later one takes memory that the process has kept of an earlier one, and nobody sees it grow.
        let is_first = !LOADED.swap(true, Ordering::Relaxed);
        let before = before.filter(|_| is_first);
        let memory_bytes = resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
        progress(rows as u64);
        self.built.set(Built { graph, memory_bytes }).map_err(|_| "it is loaded once")?;
        Ok(took)
    }

    fn efforts(&self) -> Vec<usize> {
        EFFORTS.to_vec()
    }

    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>> {
        let built = self.built.get().ok_or("nothing is loaded")?;
        let matching = self.matching.read().unwrap_or_else(PoisonError::into_inner);
        let found = match &*matching {
            None => built.graph.search(query, k, effort.max(k)),
            Some(matching) => {
                let matches = |row: &usize| matching[*row];
                built.graph.search_filter(query, k, effort.max(k), Some(&matches))
            }
        };
        Ok(found.into_iter().map(|neighbour| neighbour.d_id as u64).collect())
    }

    fn memory_bytes(&self) -> Option<u64> {
        self.built.get()?.memory_bytes
    }

    fn filter(&self, filter: Option<&VectorFilter>) -> Result<()> {
        *self.matching.write().unwrap_or_else(PoisonError::into_inner) = filter.map(|filter| filter.matching.clone());
        Ok(())
    }

    fn lacks(&self, skill: VectorSkill) -> bool {
        skill == VectorSkill::Changes
    }
}
