//! The time to build, and the memory that it takes.

use super::{K, Run, beside_hnswlib, curve};
use crate::Result;
use crate::engine::{Items, VectorOptions};
use crate::machine::use_processors;
use crate::measure::{Measurement, Target, Unit};
use crate::workload::vector::VectorSource;

pub(super) const DESCRIPTION: &str = "Indexes with M = 16 and ef_construction = 200 are built by one thread on one processor, \
    then by two on two. What came before, such as writing documents, is not part of the time. Memory is that of the index, \
    with the vectors in the form in which the product has them there: Blaze has codes, and vectors in full in its documents.";

/// The most that Blaze's index may take in memory for each vector of 768 numbers, with links, codes and everything else.
const MEMORY_BYTES: f64 = 920.0;
/// Queries that show that what was built finds something.
const QUERIES: usize = 200;

pub(super) fn run(run: &Run<'_>, source: &VectorSource) -> Result<()> {
    run.phase("vectors", 0)?;
    let (vectors, queries) = source.load(QUERIES, run.context.seed)?;
    let judge = run.judge(&vectors, &queries, "truth")?;
    let mut alone = None;
    for threads in [1, 2] {
        if use_processors(threads)?.is_none() {
            return Ok(()); // one processor only, or nobody may choose
        }
        let options = VectorOptions { threads, ..VectorOptions::new(vectors.dimensions(), source.metric()) };
        let name = format!("build, {threads} {}", if threads == 1 { "thread" } else { "threads" });
        let index = run.open(&name, &options)?;
        let seconds = run.load(&*index, Items::of(&vectors), &name)?;
        run.measured(Measurement::new(&name, Unit::Seconds, seconds).target(beside_hnswlib(1.0 / 0.7)))?;
        match alone {
            None => {
                alone = Some(seconds);
                let found = curve::search(run, &*index, &judge, 0.99)?;
                if let Some(best) = found.last() {
                    run.share(format!("recall@{K} of what was built, with enough effort"), best.recall)?;
                }
                if let Some(bytes) = index.memory_bytes() {
                    let each = bytes as f64 / vectors.rows().max(1) as f64;
                    let measurement = Measurement::new("memory for each vector", Unit::Bytes, each);
                    let is_limited = vectors.dimensions() == 768;
                    run.measured(if is_limited {
                        measurement.target(Target::Figure(MEMORY_BYTES))
                    } else {
                        measurement
                    })?;
                }
            }
            Some(alone) => {
                let share = seconds / alone;
                let measurement = Measurement::new("time on two threads by that on one", Unit::Ratio, share);
                run.measured(measurement.target(Target::Figure(1.0 / 1.8)))?;
            }
        }
        drop(index);
        std::fs::remove_dir_all(run.context.directory.join(&name))?;
    }
    Ok(())
}
