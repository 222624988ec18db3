//! Nearest neighbours: building an index, and queries a second by recall.

mod answers;
mod source;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::answers::Judge;
pub use self::source::VectorSource;
pub use self::table::{VectorPart, VectorTable};
use super::Context;
use crate::Result;
use crate::engine::{Engine, Items, VectorMetric, VectorOptions, Vectors};
use crate::measure::{Measurement, Resources, Series, Unit, directory_bytes};

/// The nearest neighbours of queries, one after the other by one thread, at every effort that the index offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VectorWorkload {
    /// The vectors, and where the queries come from.
    pub source: VectorSource,
    /// Queries, where there are so many.
    pub queries: usize,
    /// Neighbours of each.
    pub k: usize,
}

impl VectorWorkload {
    /// Few queries: an exact index compares each with every vector.
    #[must_use]
    pub fn quick(source: VectorSource) -> VectorWorkload {
        let queries = if source.is_large() { 30 } else { 100 };
        VectorWorkload { source, queries, k: 10 }
    }

    /// Many queries.
    #[must_use]
    pub fn full(source: VectorSource) -> VectorWorkload {
        let queries = if source.is_large() { 200 } else { 1000 };
        VectorWorkload { source, queries, k: 10 }
    }

    pub(super) fn name(&self) -> String {
        self.source.name()
    }

    pub(super) fn description(&self) -> String {
        format!(
            "{} Their index by {} is built and settled; then one thread asks for the {} nearest of up to {} \
             queries, one after the other, after a tenth of them for warming up. Recall is the share of the true neighbours \
             that is found.",
            self.source.description(),
            metric_name(self.source.metric()),
            self.k,
            self.queries
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        context.recorder.phase("vectors and the true neighbours of the queries", 0)?;
        let (vectors, queries) = self.source.load(self.queries, context.seed)?;
        let judge = Judge::new(&vectors, &queries, self.k);
        let options = VectorOptions::new(vectors.dimensions(), self.source.metric());
        let index = engine.open_vectors(&context.options(), &options)?;
        build(&*index, &judge, context)?;
        for effort in index.efforts() {
            search(&*index, effort, &judge, context)?;
        }
        Ok(())
    }
}

fn metric_name(metric: VectorMetric) -> &'static str {
    match metric {
        VectorMetric::L2 => "Euclidean distance",
        VectorMetric::Cosine => "angle",
    }
}

fn build(index: &dyn Vectors, judge: &Judge<'_>, context: &Context<'_>) -> Result<()> {
    let rows = judge.vectors.rows() as u64;
    let mut phase = context.recorder.phase("build", rows)?;
    let mut told = Ok(());
    index.load(Items::of(judge.vectors), &mut |done| {
        let new = done.saturating_sub(phase.done());
        told = phase.advance(new);
    })?;
    told?;
    phase.advance(rows - phase.done())?;
    let seconds = phase.elapsed().as_secs_f64();
    context.recorder.measured(phase.rate())?;
    context.recorder.measured(Measurement::new("time to build", Unit::Seconds, seconds))?;
    if let Some(peak) = Resources::now().peak_memory_bytes {
        let own = judge.vectors.bytes();
        let taken = peak.saturating_sub(own) as f64;
        context.recorder.measured(Measurement::new(
            "peak memory of building, without the harness's vectors",
            Unit::Bytes,
            taken,
        ))?;
    }
    let disk = directory_bytes(context.directory)?.length_bytes as f64;
    Ok(context.recorder.measured(Measurement::new("size on disk", Unit::Bytes, disk))?)
}

fn search(index: &dyn Vectors, effort: usize, judge: &Judge<'_>, context: &Context<'_>) -> Result<()> {
    let is_exact = index.is_exact();
    let which = if is_exact { "exact".to_owned() } else { format!("effort {effort}") };
    let queries = judge.queries;
    for query in queries.iter().take(queries.rows().div_ceil(10)) {
        index.search(query, judge.k, effort)?;
    }
    let mut answers = Vec::with_capacity(queries.rows());
    let mut phase = context.recorder.phase(format!("queries, {which}"), queries.rows() as u64)?.with_latencies();
    for query in queries.iter() {
        answers.push(index.search(query, judge.k, effort)?);
        phase.advance(1)?;
    }
    let rate = phase.rate();
    let recall = judge.recall(&answers)?;
    context.recorder.measured(rate.at(Series::QueriesByRecall, recall))?;
    context.recorder.measured(Measurement::new(format!("recall@{}, {which}", judge.k), Unit::Share, recall))?;
    match is_exact && recall < 1.0 {
        true => Err(format!("wrong answer: an exact index has found {recall} of the true neighbours").into()),
        false => Ok(()),
    }
}
