//! Filters that keep many rows or few, at random or those that are far away.

use std::time::Duration;

use super::super::answers::Judge;
use super::ranks::Ranks;
use super::{BRUTE_FORCE, DIMENSIONS, K, Run, curve, mixture, threads};
use crate::Result;
use crate::dataset::Matrix;
use crate::engine::{Batch, Items, VectorFilter, VectorMetric, VectorOptions, VectorSkill, Vectors};
use crate::measure::{Measurement, Target, Unit, measure};

pub(super) const DESCRIPTION: &str = "Each row has two numbers beside its vector, with ordinary indexes where the product has \
    them: a place in a random order, and a place along the direction in which the vectors differ most. Filters keep a share of \
    the rows by either; where it is the second, the queries come from its other end, so that all that match are far away. Queries \
    a second are those at recall 0.95, interpolated, with a filter in use: a tenth of the queries goes first for warming up and all \
    are asked several times, so that what a product keeps of a filter is there; brute force compares the query with the matching \
    rows alone, which lie one after the other in memory. With a new filter each, some queries are asked once, with the effort \
    that was enough, each with a filter that keeps as many rows and was not there before: here the clock runs while the product \
    is told the filter, and brute force copies the rows. Who has to be told which rows match does not have to find them.";

const SHARES: [(f64, &str); 4] = [(0.5, "50 %"), (0.1, "10 %"), (0.01, "1 %"), (0.001, "0.1 %")];
const QUERIES: usize = 100;
/// The queries at the beginning are chosen from so many times as many.
const CANDIDATES: usize = 100;
/// Filters that are asked with once.
const NEW_FILTERS: usize = 10;
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
    let loaded = Loaded { run, index: &*index, vectors: &vectors };
    for (share, name) in SHARES {
        let count = ((rows as f64 * share) as usize).max(1);
        let (random, far_away) = (format!("{name}, random"), format!("{name}, far away"));
        let effort = loaded.ask(&anywhere, &ranks.random(count), &random)?;
        loaded.ask(&beginning, &ranks.end(count), &far_away)?;
        if let Some(effort) = effort {
            loaded.ask_each_with_its_own(&anywhere, ranks.others(count, NEW_FILTERS), effort, &random)?;
        }
    }
    Ok(())
}

/// An index of vectors that is asked.
struct Loaded<'a> {
    run: &'a Run<'a>,
    index: &'a dyn Vectors,
    vectors: &'a Matrix,
}

impl Loaded<'_> {
    /// Asks all queries with the same filter, again and again; the effort that was enough, or the greatest.
    fn ask(&self, queries: &Matrix, filter: &VectorFilter, name: &str) -> Result<Option<usize>> {
        let Loaded { run, index, vectors } = *self;
        let ids = ids(filter);
        let matching = vectors.select(ids.iter().copied());
        let judge = run.judge(&matching, queries, name)?;
        index.filter(Some(filter))?;
        let among = Among { index, ids: &ids };
        let found = curve::search(run, &among, &judge, RECALL)?;
        let full = found.last().map(|last| among.full_answers(queries, last.effort)).transpose()?;
        index.filter(None)?;
        if let Some(queries) = curve::at(&found, RECALL) {
            let measurement = Measurement::new(format!("{name}: queries a second"), Unit::OperationsPerSecond, queries);
            run.measured(measurement.target(Target::times(BRUTE_FORCE, 1.0)))?;
        }
        let Some((last, full)) = found.last().zip(full) else { return Ok(None) };
        let measurement = Measurement::new(format!("{name}: recall@{K}, with enough effort"), Unit::Share, last.recall);
        run.measured(measurement.target(Target::Figure(RECALL)))?;
        let measurement = Measurement::new(format!("{name}: answers with {K} rows"), Unit::Share, full);
        run.measured(measurement.target(Target::Figure(1.0)))?;
        Ok(Some(last.effort))
    }

    /// Asks as many queries as there are filters, each once and with its own.
    fn ask_each_with_its_own(
        &self,
        queries: &Matrix,
        filters: impl Iterator<Item = VectorFilter>,
        effort: usize,
        name: &str,
    ) -> Result<()> {
        let name = format!("{name}, a new filter each");
        self.run.phase(&name, 0)?;
        let (mut took, mut recall, mut count) = (Duration::ZERO, 0.0, 0.0);
        for (place, filter) in (0..queries.rows()).zip(filters) {
            let (duration, found) = self.ask_once(&queries.select([place]), &filter, effort)?;
            took += duration;
            recall += found;
            count += 1.0;
        }
        self.index.filter(None)?;
        if count == 0.0 {
            return Ok(());
        }
        let rate = count / took.as_secs_f64().max(1e-9);
        let rate = Measurement::new(format!("{name}: queries a second"), Unit::OperationsPerSecond, rate);
        self.run.measured(rate)?;
        self.run.share(format!("{name}: recall@{K}"), recall / count)
    }

    /// How long it takes to set a filter and to ask with it, and the recall.
    fn ask_once(&self, query: &Matrix, filter: &VectorFilter, effort: usize) -> Result<(Duration, f64)> {
        let ids = ids(filter);
        let matching = self.vectors.select(ids.iter().copied());
        let judge = Judge::new(&matching, query, K);
        let (set, done) = measure(|| self.index.filter(Some(filter)));
        done?;
        let Batch { answers, duration } = Among { index: self.index, ids: &ids }.search_all(query, K, effort)?;
        Ok((set + duration, judge.recall_of(self.index, &answers)?))
    }
}

/// The rows that match, in their order.
fn ids(filter: &VectorFilter) -> Vec<usize> {
    (0..filter.matching.len()).filter(|&row| filter.matching[row]).collect()
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
        let answers = self.search_all(queries, K, effort)?.answers;
        let full = answers.iter().filter(|answer| answer.len() >= K.min(self.ids.len())).count();
        Ok(full as f64 / answers.len().max(1) as f64)
    }

    fn place(&self, row: u64) -> Result<u64> {
        let place = self.ids.binary_search(&(row as usize));
        Ok(place.map_err(|_| format!("wrong answer: row {row} does not match the filter"))? as u64)
    }
}

impl Vectors for Among<'_> {
    fn load(&self, _items: Items<'_>, _progress: &mut dyn FnMut(u64)) -> Result<Duration> {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::engine::{BruteForce, Engine, EngineOptions, Faculty};
    use crate::workload::measured::{measured, value};

    /// Brute force that finds one vector too few where there is a filter.
    struct Short;

    struct ShortIndex {
        all: Box<dyn Vectors>,
        is_filtered: AtomicBool,
    }

    impl Engine for Short {
        fn name(&self) -> &'static str {
            "short"
        }

        fn version(&self) -> String {
            "1".to_owned()
        }

        fn faculties(&self) -> &'static [Faculty] {
            &[Faculty::VectorIndex]
        }

        fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
            Vec::new()
        }

        fn open_vectors(&self, options: &EngineOptions, vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
            let all = BruteForce.open_vectors(options, vectors)?;
            Ok(Box::new(ShortIndex { all, is_filtered: AtomicBool::new(false) }))
        }
    }

    impl Vectors for ShortIndex {
        fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
            self.all.load(items, progress)
        }

        fn efforts(&self) -> Vec<usize> {
            self.all.efforts()
        }

        fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>> {
            self.all.search(query, k - usize::from(self.is_filtered.load(Ordering::Relaxed)), effort)
        }

        fn filter(&self, filter: Option<&VectorFilter>) -> Result<()> {
            self.is_filtered.store(filter.is_some(), Ordering::Relaxed);
            self.all.filter(filter)
        }

        fn lacks(&self, _skill: VectorSkill) -> bool {
            false
        }
    }

    /// What is measured of an engine, by name.
    fn run_on(engine: &dyn Engine) -> impl Fn(&str) -> f64 {
        let (result, measurements) = measured(|context| run(&Run { engine, context }, 3000));
        result.unwrap();
        move |name: &str| value(&measurements, name)
    }

    #[test]
    fn brute_force_finds_all_that_match_with_a_filter_in_use_and_with_new_ones() {
        let value = run_on(&BruteForce);
        for share in ["50 %", "10 %", "1 %", "0.1 %"] {
            for row in ["random: recall@10, with enough effort", "far away: answers with 10 rows"] {
                assert_eq!(value(&format!("{share}, {row}")), 1.0);
            }
            let with_new_ones = format!("{share}, random, a new filter each");
            assert_eq!(value(&format!("{with_new_ones}: recall@10")), 1.0);
            assert!(value(&format!("{with_new_ones}: queries a second")) > 0.0);
        }
    }

    #[test]
    fn answers_are_counted_as_they_are_with_the_filter() {
        let value = run_on(&Short);
        assert_eq!(value("10 %, random: answers with 10 rows"), 0.0);
        assert!((value("10 %, random, a new filter each: recall@10") - 0.9).abs() < 1e-9);
    }
}
