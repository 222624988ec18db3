//! Filters that keep many rows or few, at random or those that are far away.

use super::ranks::Ranks;
use super::{BRUTE_FORCE, DIMENSIONS, K, Run, curve, mixture, threads};
use crate::Result;
use crate::dataset::Matrix;
use crate::engine::{Batch, Items, VectorFilter, VectorMetric, VectorOptions, VectorSkill, Vectors};
use crate::measure::{Measurement, Target, Unit};

pub(super) const DESCRIPTION: &str = "Each row has two numbers beside its vector, with ordinary indexes where the product has \
    them: a place in a random order, and a place along the direction in which the vectors differ most. Filters keep a share of \
    the rows by either; where it is the second, the queries come from its other end, so that all that match are far away. Queries \
    a second are those at recall 0.95, interpolated; brute force compares the query with the matching rows alone, which lie one \
    after the other in memory.";

const SHARES: [(f64, &str); 4] = [(0.5, "50 %"), (0.1, "10 %"), (0.01, "1 %"), (0.001, "0.1 %")];
const QUERIES: usize = 100;
/// The queries at the beginning are chosen from so many times as many.
const CANDIDATES: usize = 100;
/// What is asked for.
const RECALL: f64 = 0.95;

pub(super) fn run(run: &Run<'_>, rows: u64) -> Result<()> {
    let options =
        VectorOptions { threads: threads(), kept: run.kept(16), ..VectorOptions::new(DIMENSIONS, VectorMetric::L2) };
    let index = run.open("index", &options)?;
    if index.lacks(VectorSkill::Filters) {
        return Ok(());
    }
    run.phase("vectors", 0)?;
    let mixture = mixture(rows, DIMENSIONS, run.context.seed);
    let vectors = mixture.vectors(0..rows);
    let ranks = Ranks::of(&vectors, run.context.seed);
    let candidates = mixture.vectors(rows..rows + (QUERIES * CANDIDATES) as u64);
    let anywhere = candidates.select((0..candidates.rows()).step_by(CANDIDATES));
    let beginning = ranks.at_the_beginning(&candidates, QUERIES);
    drop(candidates);
    run.load(&*index, Items { vectors: &vectors, properties: Some(&ranks) }, "build")?;
    for (share, name) in SHARES {
        let count = ((rows as f64 * share) as usize).max(1);
        one(run, &*index, &vectors, &anywhere, &ranks.random(count), &format!("{name}, random"))?;
        one(run, &*index, &vectors, &beginning, &ranks.end(count), &format!("{name}, far away"))?;
    }
    Ok(())
}

fn one(
    run: &Run<'_>,
    index: &dyn Vectors,
    vectors: &Matrix,
    queries: &Matrix,
    filter: &VectorFilter,
    name: &str,
) -> Result<()> {
    let ids: Vec<usize> = (0..vectors.rows()).filter(|&row| filter.matching[row]).collect();
    let matching = vectors.select(ids.iter().copied());
    let judge = run.judge(&matching, queries, name)?;
    index.filter(Some(filter))?;
    let among = Among { index, ids: &ids };
    let found = curve::search(run, &among, &judge, RECALL)?;
    index.filter(None)?;
    if let Some(queries) = curve::at(&found, RECALL) {
        let measurement = Measurement::new(format!("{name}: queries a second"), Unit::OperationsPerSecond, queries);
        run.measured(measurement.target(Target::times(BRUTE_FORCE, 1.0)))?;
    }
    let Some(last) = found.last() else { return Ok(()) };
    let measurement = Measurement::new(format!("{name}: recall@{K}, with enough effort"), Unit::Share, last.recall);
    run.measured(measurement.target(Target::Figure(RECALL)))?;
    let full = among.full_answers(queries, last.effort)?;
    let measurement = Measurement::new(format!("{name}: answers with {K} rows"), Unit::Share, full);
    run.measured(measurement.target(Target::Figure(1.0)))
}

/// An index with a filter, as one of the matching rows alone.
struct Among<'a> {
    index: &'a dyn Vectors,
    /// The rows that match, in their order.
    ids: &'a [usize],
}

impl Among<'_> {
    /// The share of answers that are as long as they can be.
    fn full_answers(&self, queries: &Matrix, effort: usize) -> Result<f64> {
        let answers = self.index.search_all(queries, K, effort)?.answers;
        let full = answers.iter().filter(|answer| answer.len() >= K.min(self.ids.len())).count();
        Ok(full as f64 / answers.len().max(1) as f64)
    }

    fn place(&self, row: u64) -> Result<u64> {
        let place = self.ids.binary_search(&(row as usize));
        Ok(place.map_err(|_| format!("wrong answer: row {row} does not match the filter"))? as u64)
    }
}

impl Vectors for Among<'_> {
    fn load(&self, _items: Items<'_>, _progress: &mut dyn FnMut(u64)) -> Result<std::time::Duration> {
        Err("it is loaded".into())
    }

    fn efforts(&self) -> Vec<usize> {
        self.index.efforts()
    }

    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>> {
        self.index.search(query, k, effort)?.into_iter().map(|row| self.place(row)).collect()
    }

    fn search_all(&self, queries: &Matrix, k: usize, effort: usize) -> Result<Batch> {
        let Batch { answers, duration } = self.index.search_all(queries, k, effort)?;
        let places = |answer: Vec<u64>| answer.into_iter().map(|row| self.place(row)).collect();
        Ok(Batch { answers: answers.into_iter().map(places).collect::<Result<_>>()?, duration })
    }

    fn lacks(&self, skill: VectorSkill) -> bool {
        self.index.lacks(skill)
    }
}
