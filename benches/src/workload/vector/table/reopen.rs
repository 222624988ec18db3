//! Opening a database with vectors again.

use serde::{Deserialize, Serialize};

use super::super::answers::Judge;
use super::{DIMENSIONS, K, Run, mixture};
use crate::Result;
use crate::dataset::{Clustered, Matrix};
use crate::engine::{Engine, EngineOptions, Place, VectorStore};
use crate::machine::drop_cached_pages;
use crate::measure::{Measurement, Resources, Target, Unit, measure};
use crate::run::Errand;

pub(super) const DESCRIPTION: &str = "Another process loads them, waits until the index is settled, and closes the database. \
    Then a process that has never seen it opens it, asks and ends, and after it one more: seconds from the call that opens it to \
    the first answer, once with nothing of it in the system's page cache, and once with what the processes before have left \
    there. Recall is that of the first answers after opening, and when the index has come to rest. Peak memory and \
    processor time of the whole job are without these processes.";

const QUERIES: usize = 100;
/// Vectors that are made and loaded at once.
const CHUNK: u64 = 50_000;
/// The most seconds until the first answer.
const SECONDS: f64 = 1.0;

pub(super) fn run(run: &Run<'_>, rows: u64) -> Result<()> {
    run.phase("vectors", 0)?;
    let mixture = mixture(rows, DIMENSIONS, run.context.seed);
    let queries = queries(&mixture, rows);
    let vectors = mixture.vectors(0..rows);
    let judge = run.judge(&vectors, &queries, "truth")?;
    let options = run.context.options();

    let mut phase = run.phase("loaded by another process", 0)?;
    Errand::LoadVectors(rows).run(run.engine, &options, run.context.seed)?;
    phase.advance(1)?;
    run.measured(phase.duration())?;

    if drop_cached_pages(run.context.directory)? {
        open_apart(run, &judge, "nothing in the page cache")?;
    }
    open_apart(run, &judge, "page cache warm")
}

/// Has a process of its own open it and ask.
fn open_apart(run: &Run<'_>, judge: &Judge<'_>, how: &str) -> Result<()> {
    let name = format!("open and first answer, {how}");
    run.phase(&name, 0)?;
    let errand = Errand::OpenVectors(judge.vectors.rows() as u64);
    let opened: Opened = errand.ask(run.engine, &run.context.options(), run.context.seed)?;
    run.measured(Measurement::new(name, Unit::Seconds, opened.seconds).target(Target::Figure(SECONDS)))?;
    run.share(format!("recall@{K} right away, {how}"), judge.recall(&opened.right_away)?)?;
    run.share(format!("recall@{K} settled, {how}"), judge.recall(&opened.settled)?)?;
    let Some(peak) = opened.peak_memory_bytes else { return Ok(()) };
    run.measured(Measurement::new(format!("peak memory of that process, {how}"), Unit::Bytes, peak as f64))
}

/// The queries: the same in every process.
fn queries(mixture: &Clustered, rows: u64) -> Matrix {
    mixture.vectors(rows..rows + QUERIES as u64)
}

/// What a process finds that opens the database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opened {
    /// From the call that opens it to the first answer.
    seconds: f64,
    /// The answers to all queries as soon as it is open, and when nothing is left to the background.
    right_away: Vec<Vec<u64>>,
    settled: Vec<Vec<u64>>,
    /// The most memory of the process, where the system tells.
    peak_memory_bytes: Option<u64>,
}

/// What the process does that opens it.
pub(super) fn open(engine: &dyn Engine, options: &EngineOptions, rows: u64, seed: u64) -> Result<Opened> {
    let queries = queries(&mixture(rows, DIMENSIONS, seed), rows);
    let (took, opened) = measure(|| -> Result<_> {
        let store = engine.open_vector_store(options, DIMENSIONS)?;
        let first = store.nearest(queries.row(0), K)?;
        Ok((store, first))
    });
    let (store, first) = opened?;
    if first.len() as u64 != rows.min(K as u64) {
        return Err(format!("wrong answer: {} vectors where {K} were asked for", first.len()).into());
    }
    let right_away = answers(&*store, &queries)?;
    store.settle()?;
    let settled = answers(&*store, &queries)?;
    let peak_memory_bytes = Resources::now().peak_memory_bytes;
    Ok(Opened { seconds: took.as_secs_f64(), right_away, settled, peak_memory_bytes })
}

fn answers(store: &dyn VectorStore, queries: &Matrix) -> Result<Vec<Vec<u64>>> {
    queries.iter().map(|query| store.nearest(query, K)).collect()
}

/// What the process does that loads it.
pub(super) fn load(engine: &dyn Engine, options: &EngineOptions, rows: u64, seed: u64) -> Result<()> {
    let store = engine.open_vector_store(options, DIMENSIONS)?;
    let mixture = mixture(rows, DIMENSIONS, seed);
    load_chunks(rows, |first, end| Ok((first, mixture.vectors(first..end))), &*store, Place::Indexed)?;
    store.settle()
}

/// Loads rows, some at a time.
pub(super) fn load_chunks(
    rows: u64,
    vectors: impl Fn(u64, u64) -> Result<(u64, Matrix)>,
    store: &dyn VectorStore,
    place: Place,
) -> Result<()> {
    for first in (0..rows).step_by(CHUNK as usize) {
        let (first, vectors) = vectors(first, rows.min(first + CHUNK))?;
        store.load(place, first, &vectors)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Blaze;

    #[test]
    fn who_opens_what_was_loaded_finds_the_neighbours_and_tells_it_to_another_process() {
        const ROWS: u64 = 500;
        let directory = tempfile::tempdir().unwrap();
        let options = EngineOptions { directory: directory.path().to_owned(), cache_bytes: 8 << 20 };
        load(&Blaze, &options, ROWS, 1).unwrap();
        let told = serde_json::to_string(&open(&Blaze, &options, ROWS, 1).unwrap()).unwrap();
        let opened: Opened = serde_json::from_str(&told).unwrap();
        let mixture = mixture(ROWS, DIMENSIONS, 1);
        let (vectors, queries) = (mixture.vectors(0..ROWS), queries(&mixture, ROWS));
        let judge = Judge::new(&vectors, &queries, K);
        for answers in [&opened.right_away, &opened.settled] {
            assert_eq!((answers.len(), judge.recall(answers).unwrap()), (QUERIES, 1.0));
        }
        assert!(opened.seconds > 0.0);
    }
}
