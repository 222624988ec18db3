//! Queries a second by recall.

use std::time::Duration;

use super::super::answers::Judge;
use super::{BARE_INDEX, BRUTE_FORCE, K, Run, SVS, SVS_FLOAT16, beside_hnswlib, threads};
use crate::Result;
use crate::engine::{Batch, Items, VectorOptions, Vectors};
use crate::measure::{Measurement, Series, Target, Unit};
use crate::workload::vector::VectorSource;

pub(super) const DESCRIPTION: &str = "One thread asks for the 10 nearest of all queries, one after the other, by one call \
    where the product has one, more thoroughly from row to row; the median of several times. Queries a second at a recall are \
    interpolated between the two rows around it. At each effort a tenth of the queries goes first for warming up, and all of \
    them are asked several times, so that what a product caches is there. Memory is that of the index alone, and then with the \
    vectors in full that a cache beside it holds after all searches: where the index itself has the vectors, both are the same. \
    What a database has in its cache of blocks is in neither. Products with another M than their default are built with 16, 24 \
    and 32, by all threads, and the best of them counts; built indexes are kept from round to round where they can be saved.";

/// Queries, where there are so many.
const QUERIES: usize = 2000;
/// Where a figure is wanted.
const RECALLS: [f64; 3] = [0.9, 0.95, 0.99];
/// More is not looked for.
const ENOUGH: f64 = 0.998;
/// Searches are repeated for so long, and so often.
const AT_LEAST: Duration = Duration::from_millis(400);
const TIMES: usize = 3;

/// What an effort comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) effort: usize,
    pub(super) recall: f64,
    pub(super) queries_a_second: f64,
}

/// What one M comes to.
struct Tried {
    connections: usize,
    curve: Vec<Found>,
    memory: Memory,
}

/// Bytes of memory after all searches, where somebody tells.
#[derive(Default)]
struct Memory {
    index: Option<u64>,
    with_cache: Option<u64>,
}

impl Memory {
    fn of(index: &dyn Vectors) -> Memory {
        Memory { index: index.memory_bytes(), with_cache: index.memory_with_cache_bytes() }
    }

    fn for_each_vector(&self, vectors: usize) -> Vec<Measurement> {
        let all = [
            ("memory for each vector", self.index),
            ("memory for each vector with the cache of rows", self.with_cache),
        ];
        let each = |bytes: u64| bytes as f64 / vectors.max(1) as f64;
        let known = all.into_iter().filter_map(|(name, bytes)| Some((name, each(bytes?))));
        known.map(|(name, each)| Measurement::new(name, Unit::Bytes, each)).collect()
    }
}

pub(super) fn run(run: &Run<'_>, source: &VectorSource) -> Result<()> {
    run.phase("vectors", 0)?;
    let queries = if source.is_large() { QUERIES / 10 } else { QUERIES };
    let (vectors, queries) = source.load(queries, run.context.seed)?;
    let judge = run.judge(&vectors, &queries, "truth")?;
    let wanted = run.engine.connections();
    // A million vectors take a quarter of an hour, or more, to build.
    let wanted = if source.is_large() { &wanted[..1] } else { wanted };
    let mut tried = Vec::new();
    for &connections in wanted {
        let options = VectorOptions {
            connections,
            threads: threads(),
            kept: run.kept(connections),
            ..VectorOptions::new(vectors.dimensions(), source.metric())
        };
        let index = run.open(&connections.to_string(), &options)?;
        run.load(&*index, Items::of(&vectors), &format!("build, M = {connections}"))?;
        let curve = search(run, &*index, &judge, ENOUGH)?;
        if let (Some(queries), true) = (at(&curve, 0.99), wanted.len() > 1) {
            let name = format!("queries a second at recall 0.99, M = {connections}");
            run.measured(Measurement::new(name, Unit::OperationsPerSecond, queries))?;
        }
        tried.push(Tried { connections, curve, memory: Memory::of(&*index) });
    }
    let Some(best) = best(&tried) else { return Ok(()) };
    for recall in RECALLS {
        let Some(queries) = at(&best.curve, recall) else { continue };
        let name = format!("queries a second at recall {recall}");
        let measurement = Measurement::new(name, Unit::OperationsPerSecond, queries);
        run.measured(if recall == 0.99 { targets(measurement, source) } else { measurement })?;
    }
    for measurement in best.memory.for_each_vector(vectors.rows()) {
        run.measured(measurement)?;
    }
    for found in &best.curve {
        let name = if found.effort == 0 { "as it is".to_owned() } else { format!("effort {}", found.effort) };
        let rate = Measurement::new(name.clone(), Unit::OperationsPerSecond, found.queries_a_second);
        run.measured(rate.at(Series::QueriesByRecall, found.recall))?;
        run.share(format!("recall@{K}, {name}"), found.recall)?;
    }
    Ok(())
}

fn targets(measurement: Measurement, source: &VectorSource) -> Measurement {
    let measurement = match source {
        VectorSource::FashionMnist { .. } | VectorSource::FashionMnistRotated { .. } => {
            let ahead_of = |rival| Target::times(rival, 1.0);
            measurement.target(beside_hnswlib(3.0)).further_target(ahead_of(SVS)).further_target(ahead_of(SVS_FLOAT16))
        }
        VectorSource::Movies { .. } => measurement.target(beside_hnswlib(2.0)),
        _ => measurement.target(Target::times(BRUTE_FORCE, 1.0)),
    };
    measurement.further_target(Target::times(BARE_INDEX, 0.8))
}

/// Searches with one effort after the other until `enough` of the true neighbours are found.
pub(super) fn search(run: &Run<'_>, index: &dyn Vectors, judge: &Judge<'_>, enough: f64) -> Result<Vec<Found>> {
    let mut curve = Vec::new();
    for effort in index.efforts() {
        let queries = judge.queries.rows();
        let mut phase = run.phase(&format!("queries, effort {effort}"), 0)?;
        let warm = judge.queries.select(0..queries.div_ceil(10));
        index.search_all(&warm, K, effort)?;
        let mut durations = Vec::new();
        let mut all = Duration::ZERO;
        let recall = loop {
            let Batch { answers, duration } = index.search_all(judge.queries, K, effort)?;
            durations.push(duration);
            all += duration;
            phase.advance(queries as u64)?;
            if (durations.len() >= TIMES && all >= AT_LEAST) || all >= 10 * AT_LEAST {
                break judge.recall_of(index, &answers)?;
            }
        };
        durations.sort_unstable();
        let middle = durations[durations.len() / 2].as_secs_f64();
        curve.push(Found { effort, recall, queries_a_second: queries as f64 / middle.max(1e-9) });
        if recall >= enough {
            break;
        }
    }
    Ok(curve)
}

/// Queries a second at a recall: between two efforts it goes down by the same factor with each step of recall. What is
/// found with the least effort counts where that is enough; `None` where no effort is.
pub(super) fn at(curve: &[Found], recall: f64) -> Option<f64> {
    let enough = curve.iter().position(|found| found.recall >= recall)?;
    let Found { recall: above, queries_a_second: slower, .. } = curve[enough];
    let Some(Found { recall: below, queries_a_second: faster, .. }) = enough.checked_sub(1).map(|before| curve[before])
    else {
        return Some(slower);
    };
    let part = (recall - below) / (above - below);
    Some(faster * (slower / faster).powf(part))
}

/// The one with the most queries a second at recall 0.99; where none comes so far, the one with the best recall.
fn best(tried: &[Tried]) -> Option<&Tried> {
    let key = |tried: &Tried| {
        let recall = tried.curve.iter().map(|found| found.recall).fold(0.0, f64::max);
        (at(&tried.curve, 0.99).unwrap_or(0.0), recall)
    };
    tried.iter().max_by(|one, other| {
        let ((one_rate, one_recall), (other_rate, other_recall)) = (key(one), key(other));
        let smaller = other.connections.cmp(&one.connections); // of equals, the smaller one
        one_rate.total_cmp(&other_rate).then(one_recall.total_cmp(&other_recall)).then(smaller)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Vec<Found> {
        let found = |(effort, &(recall, queries_a_second))| Found { effort, recall, queries_a_second };
        points.iter().enumerate().map(found).collect()
    }

    #[test]
    fn between_two_efforts_queries_a_second_go_down_by_the_same_factor() {
        let found = curve(&[(0.8, 1000.0), (0.9, 800.0), (1.0, 200.0)]);
        assert!((at(&found, 0.95).unwrap() - 400.0).abs() < 1e-6, "{:?}", at(&found, 0.95));
        assert_eq!((at(&found, 0.9), at(&found, 0.5)), (Some(800.0), Some(1000.0)));
        assert_eq!(at(&found[..2], 0.95), None);
    }

    #[test]
    fn the_best_is_the_fastest_that_finds_enough_and_else_the_one_that_finds_most() {
        let tried =
            |connections, points: &[(f64, f64)]| Tried { connections, curve: curve(points), memory: Memory::default() };
        let all = [
            tried(16, &[(0.9, 900.0)]),
            tried(24, &[(0.9, 500.0), (0.99, 300.0)]),
            tried(32, &[(0.9, 400.0), (0.99, 350.0)]),
        ];
        assert_eq!(best(&all).unwrap().connections, 32);
        assert_eq!(best(&all[..1]).unwrap().connections, 16);
        assert!(best(&[]).is_none());
    }

    #[test]
    fn memory_is_told_without_the_cache_of_rows_and_with_it_where_somebody_knows_it() {
        let told = |index, with_cache| {
            let told = Memory { index, with_cache }.for_each_vector(10);
            told.into_iter().map(|measurement| (measurement.name, measurement.value)).collect::<Vec<_>>()
        };
        let (alone, with_cache) = ("memory for each vector", "memory for each vector with the cache of rows");
        assert_eq!(told(Some(100), Some(250)), [(alone.to_owned(), 10.0), (with_cache.to_owned(), 25.0)]);
        assert!(told(None, None).is_empty());
    }
}
