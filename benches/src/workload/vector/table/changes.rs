//! Deleting and inserting: an index must not become worse by it.

use super::super::answers::Judge;
use super::{K, Run, curve};
use crate::Result;
use crate::dataset::Matrix;
use crate::distribution::Random;
use crate::engine::{Items, VectorOptions, VectorSkill, Vectors};
use crate::measure::{Measurement, Target, Unit};
use crate::workload::vector::VectorSource;

pub(super) const DESCRIPTION: &str = "Five times, a random half of the vectors is deleted, and then inserted again. Recall is \
    told before, and after, with the same effort: the least that finds 95 of 100 neighbours before. What is deleted must not be \
    found.";

const ROUNDS: u64 = 5;
const QUERIES: usize = 1000;
/// The effort that everything is measured with is the least that has this recall in the beginning.
const RECALL: f64 = 0.95;
/// How much recall may be lost.
const LOST: f64 = 0.005;
/// An exact index is asked for so many of the vectors themselves: it compares each with all.
const SOME: usize = 500;

pub(super) fn run(run: &Run<'_>, source: &VectorSource) -> Result<()> {
    run.phase("vectors", 0)?;
    let (vectors, queries) = source.load(QUERIES, run.context.seed)?;
    let judge = run.judge(&vectors, &queries, "truth")?;
    let index = run.open("index", &VectorOptions::new(vectors.dimensions(), source.metric()))?;
    if index.lacks(VectorSkill::Changes) {
        return Ok(());
    }
    run.load(&*index, Items::of(&vectors), "build")?;
    let Some(before) = curve::search(run, &*index, &judge, RECALL)?.pop() else { return Ok(()) };
    let memory_before = index.memory_bytes();
    run.share(format!("recall@{K} before"), before.recall)?;

    let mut random = Random::seeded(run.context.seed);
    let rows = vectors.rows() as u64;
    let mut phase = run.phase("deleted or inserted", ROUNDS * rows)?;
    for _ in 0..ROUNDS {
        let half = half_of(rows, &mut random);
        index.delete(&half)?;
        phase.advance(half.len() as u64)?;
        check_gone(&*index, &vectors, &half, before.effort)?;
        phase.skip();
        index.insert(&half, &vectors)?;
        phase.advance(half.len() as u64)?;
    }
    run.measured(phase.rate())?;
    after(run, &*index, &judge, &before, memory_before)
}

fn after(
    run: &Run<'_>,
    index: &dyn Vectors,
    judge: &Judge<'_>,
    before: &curve::Found,
    memory_before: Option<u64>,
) -> Result<()> {
    let answers = index.search_all(judge.queries, K, before.effort)?.answers;
    let recall = judge.recall_of(index, &answers)?;
    run.share(format!("recall@{K} after"), recall)?;
    let lost = (before.recall - recall).max(0.0);
    run.measured(Measurement::new("recall that was lost", Unit::Ratio, lost).target(Target::Figure(LOST)))?;
    if let Some((before, after)) = memory_before.zip(index.memory_bytes()) {
        run.measured(Measurement::new("memory after by before", Unit::Ratio, after as f64 / before.max(1) as f64))?;
    }
    let vectors = judge.vectors;
    let step = if index.is_exact() { vectors.rows().div_ceil(SOME).max(1) } else { 1 };
    let asked: Vec<usize> = (0..vectors.rows()).step_by(step).collect();
    run.phase("vectors look for themselves", asked.len() as u64)?;
    let found = index.search_all(&vectors.select(asked.iter().copied()), K, before.effort)?.answers;
    let themselves = asked.iter().zip(&found).filter(|(row, found)| found.contains(&(**row as u64))).count();
    let share = themselves as f64 / asked.len().max(1) as f64;
    run.measured(Measurement::new("vectors that find themselves", Unit::Share, share).target(Target::Figure(1.0)))
}

/// A random half of the rows, in random order.
fn half_of(rows: u64, random: &mut Random) -> Vec<u64> {
    let mut all: Vec<u64> = (0..rows).collect();
    for place in 0..all.len() / 2 {
        let other = place + random.below((all.len() - place) as u64) as usize;
        all.swap(place, other);
    }
    all.truncate(all.len() / 2);
    all
}

/// Looks for some of the vectors that are gone.
fn check_gone(index: &dyn Vectors, vectors: &Matrix, gone: &[u64], effort: usize) -> Result<()> {
    let mut is_gone = vec![false; vectors.rows()];
    gone.iter().for_each(|&row| is_gone[row as usize] = true);
    let asked = vectors.select(gone.iter().step_by(gone.len().div_ceil(100).max(1)).map(|&row| row as usize));
    let answers = index.search_all(&asked, K, effort)?.answers;
    match answers.iter().flatten().find(|&&row| is_gone.get(row as usize).copied().unwrap_or(true)) {
        Some(row) => Err(format!("wrong answer: vector {row} was deleted").into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_rows_are_different_ones_each_time_and_none_comes_twice() {
        let mut random = Random::seeded(1);
        let (one, other) = (half_of(101, &mut random), half_of(101, &mut random));
        let distinct: std::collections::BTreeSet<u64> = one.iter().copied().collect();
        assert_eq!((one.len(), distinct.len()), (50, 50));
        assert!(one.iter().all(|row| *row < 101) && one != other);
    }
}
