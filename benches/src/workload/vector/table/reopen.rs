//! Opening a database with vectors again.

use super::super::answers::Judge;
use super::{DIMENSIONS, K, Run, mixture};
use crate::Result;
use crate::dataset::Matrix;
use crate::engine::{Engine, EngineOptions, Place, VectorStore};
use crate::machine::drop_cached_pages;
use crate::measure::{Measurement, Target, Unit};
use crate::run::Errand;

pub(super) const DESCRIPTION: &str = "Another process loads them, waits until the index is settled, and closes the database. \
    Then: seconds until a process that has never seen it has opened it and has its first answer, once with nothing of it in the \
    system's page cache, and once with all that fits. Recall is that of the first answers after opening, and when the index has \
    come to rest.";

const QUERIES: usize = 100;
/// Vectors that are made and loaded at once.
const CHUNK: u64 = 50_000;
/// The most seconds until the first answer.
const SECONDS: f64 = 1.0;

pub(super) fn run(run: &Run<'_>, rows: u64) -> Result<()> {
    run.phase("vectors", 0)?;
    let mixture = mixture(rows, DIMENSIONS, run.context.seed);
    let queries = mixture.vectors(rows..rows + QUERIES as u64);
    let vectors = mixture.vectors(0..rows);
    let judge = run.judge(&vectors, &queries, "truth")?;
    let options = run.context.options();

    let mut phase = run.phase("loaded by another process", 0)?;
    Errand::LoadVectors(rows).run(run.engine, &options, run.context.seed)?;
    phase.advance(1)?;
    run.measured(phase.duration())?;

    if drop_cached_pages(run.context.directory)? {
        open(run, &judge, "nothing in the page cache")?;
    }
    open(run, &judge, "page cache warm")
}

fn open(run: &Run<'_>, judge: &Judge<'_>, how: &str) -> Result<()> {
    let mut phase = run.phase(&format!("open and first answer, {how}"), 0)?;
    let store = run.engine.open_vector_store(&run.context.options(), DIMENSIONS)?;
    let first = store.nearest(judge.queries.row(0), K)?;
    phase.advance(1)?;
    run.measured(phase.duration().target(Target::Figure(SECONDS)))?;
    if first.len() != K.min(judge.vectors.rows()) {
        return Err(format!("wrong answer: {} vectors where {K} were asked for", first.len()).into());
    }
    let right_away = recall(&*store, judge)?;
    run.measured(Measurement::new(format!("recall@{K} right away, {how}"), Unit::Share, right_away))?;
    store.settle()?;
    let settled = recall(&*store, judge)?;
    run.measured(Measurement::new(format!("recall@{K} settled, {how}"), Unit::Share, settled))
}

fn recall(store: &dyn VectorStore, judge: &Judge<'_>) -> Result<f64> {
    let answers = judge.queries.iter().map(|query| store.nearest(query, K)).collect::<Result<Vec<_>>>()?;
    judge.recall(&answers)
}

/// What the other process does.
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
