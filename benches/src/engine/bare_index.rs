//! Blaze's graph by itself, without a database around it: what the way through a collection costs is the difference.

use std::ops::ControlFlow;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use blaze_vector::kernel::prefetch;
use blaze_vector::{CodeError, Graph, GraphOptions, Metric, Query, SlotSet, VectorBuffer, VectorRef, VectorSource};

use super::{
    EF_CONSTRUCTION, Engine, EngineOptions, Faculty, Items, VectorFilter, VectorMetric, VectorOptions, VectorSkill,
    Vectors,
};
use crate::Result;
use crate::dataset::Matrix;
use crate::measure::measure;

/// The graph of blaze-vector, with the vectors beside it in memory for the last choice.
#[derive(Clone, Copy, Debug, Default)]
pub struct BareIndex;

/// How many candidates searches keep: `ef`.
pub(super) const EFFORTS: [usize; 15] = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280];
/// How many candidates for each that is wanted are put in order, where the search keeps so many.
const ORDERED: usize = 3;

impl Engine for BareIndex {
    fn name(&self) -> &'static str {
        "bare-index"
    }

    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::VectorIndex]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        vec![format!(
            "vectors: the graph of blaze-vector with its default options; the caller has the vectors in memory, and measures \
             candidates as long as codes do not tell that they are too far, of at most {ORDERED} for each that is wanted; filters \
             are sets of what matches; what is deleted is reclaimed at once"
        )]
    }

    fn open_vectors(&self, _options: &EngineOptions, vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
        let metric = match vectors.metric {
            VectorMetric::L2 => Metric::L2,
            VectorMetric::Cosine => Metric::Cosine,
        };
        let options = GraphOptions {
            m: vectors.connections,
            ef_construction: EF_CONSTRUCTION,
            ..GraphOptions::new(metric, vectors.dimensions)
        };
        Ok(Box::new(Bare { options, threads: vectors.threads, built: RwLock::default(), matching: RwLock::default() }))
    }
}

struct Bare {
    options: GraphOptions,
    threads: usize,
    built: RwLock<Option<Built>>,
    matching: RwLock<Option<SlotSet>>,
}

struct Built {
    graph: Graph,
    vectors: Matrix,
    /// The row that is in a slot, and the slot that a row is in.
    rows: Vec<u32>,
    slots: Vec<u32>,
}

const NOT_LOADED: &str = "nothing is loaded";

struct Source<'a>(&'a Matrix);

impl VectorSource for Source<'_> {
    fn len(&self) -> usize {
        self.0.rows()
    }

    fn vector<'a>(&'a self, index: usize, _buffer: &'a mut VectorBuffer) -> blaze_core::Result<VectorRef<'a>> {
        Ok(VectorRef::F32(self.0.row(index)))
    }
}

impl Vectors for Bare {
    fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let build = || {
            let mut told = |done: usize| {
                progress(done as u64);
                ControlFlow::Continue(())
            };
            Graph::build(self.options.clone(), &Source(items.vectors), self.threads, &mut told)
        };
        let (took, graph) = measure(build);
        let all: Vec<u32> = (0..u32::try_from(items.vectors.rows())?).collect();
        let built = Built { graph: graph?, vectors: items.vectors.clone(), rows: all.clone(), slots: all };
        *self.built.write().unwrap_or_else(PoisonError::into_inner) = Some(built);
        Ok(took)
    }

    fn efforts(&self) -> Vec<usize> {
        EFFORTS.to_vec()
    }

    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>> {
        let built = self.built.read().unwrap_or_else(PoisonError::into_inner);
        let Built { graph, vectors, rows, .. } = built.as_ref().ok_or(NOT_LOADED)?;
        let row = |slot: u32| rows[slot as usize] as usize;
        let matching = self.matching.read().unwrap_or_else(PoisonError::into_inner);
        let (prepared, exact) = (graph.query(query)?, Query::new(self.options.metric, query)?);
        let candidates = (k * ORDERED).min(effort).max(k);
        let mut found = match &*matching {
            Some(matching) => graph.search_among(&prepared, effort.max(k), candidates, matching),
            None => graph.search(&prepared, effort.max(k), candidates, |_| true),
        };
        let first = found.candidates.iter().take(CodeError::first(k));
        first.for_each(|candidate| prefetch(vectors.row(row(candidate.slot))));
        found.rerank_adaptively(k, |slot| exact.distance(vectors.row(row(slot))).ok());
        Ok(found.candidates.into_iter().map(|candidate| row(candidate.slot) as u64).collect())
    }

    fn memory_bytes(&self) -> Option<u64> {
        let built = self.built.read().unwrap_or_else(PoisonError::into_inner);
        let Built { graph, vectors, rows, slots } = built.as_ref()?;
        let numbers = vectors.numbers().len() + rows.len() + slots.len();
        Some((graph.bytes() + numbers * 4) as u64)
    }

    fn filter(&self, filter: Option<&VectorFilter>) -> Result<()> {
        let built = self.built.read().unwrap_or_else(PoisonError::into_inner);
        let Built { slots, .. } = built.as_ref().ok_or(NOT_LOADED)?;
        let matching = filter.map(|filter| {
            let rows = filter.matching.iter().zip(slots);
            rows.filter(|(matches, _)| **matches).map(|(_, slot)| *slot).collect()
        });
        *self.matching.write().unwrap_or_else(PoisonError::into_inner) = matching;
        Ok(())
    }

    fn delete(&self, rows: &[u64]) -> Result<()> {
        let mut built = self.built.write().unwrap_or_else(PoisonError::into_inner);
        let Built { graph, slots, .. } = built.as_mut().ok_or(NOT_LOADED)?;
        let gone: Vec<u32> = rows.iter().map(|&row| slots[row as usize]).collect();
        for &slot in &gone {
            graph.delete(slot);
        }
        graph.reclaim(&gone);
        Ok(())
    }

    fn insert(&self, rows: &[u64], vectors: &Matrix) -> Result<()> {
        let mut built = self.built.write().unwrap_or_else(PoisonError::into_inner);
        let Built { graph, rows: in_slots, slots, .. } = built.as_mut().ok_or(NOT_LOADED)?;
        for &row in rows {
            let insertion = graph.prepare(vectors.row(row as usize))?;
            let slot = graph.insert(insertion);
            if slot as usize >= in_slots.len() {
                in_slots.resize(slot as usize + 1, 0);
            }
            in_slots[slot as usize] = u32::try_from(row)?;
            slots[row as usize] = slot;
        }
        Ok(())
    }

    fn lacks(&self, _skill: VectorSkill) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Clustered, Neighbours};

    #[test]
    fn it_finds_nearly_all_neighbours_and_only_what_matches() {
        let mixture = Clustered::new(1, 24, 5);
        let (vectors, queries) = (mixture.vectors(0..3000), mixture.vectors(3000..3050));
        let directory = tempfile::tempdir().unwrap();
        let options = EngineOptions { directory: directory.path().to_owned(), cache_bytes: 0 };
        let index = BareIndex.open_vectors(&options, &VectorOptions::new(24, VectorMetric::L2)).unwrap();
        index.load(Items::of(&vectors), &mut |_| ()).unwrap();
        let truth = Neighbours::of(&vectors, &queries, 10);
        let answers = index.search_all(&queries, 10, 100).unwrap().answers;
        let is_right = |(query, answer): (usize, &Vec<u64>)| {
            answer.iter().filter(|found| truth.rows(query).any(|row| row == **found)).count()
        };
        let right: usize = answers.iter().enumerate().map(is_right).sum();
        assert!(right >= 490, "{right} of 500");

        let matching: Vec<bool> = (0..3000).map(|row| row % 3 == 0).collect();
        index.filter(Some(&VectorFilter { conditions: Vec::new(), matching })).unwrap();
        let answers = index.search_all(&queries, 10, 100).unwrap().answers;
        assert!(answers.iter().flatten().all(|row| row % 3 == 0) && answers.iter().any(|answer| answer.len() == 10));
    }
}
