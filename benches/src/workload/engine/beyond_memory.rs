//! More data than memory: most of what is read comes from the disk.

use super::Run;
use super::writes::Writes;
use crate::Result;
use crate::distribution::Distribution;
use crate::engine::{KeyValue, Opening};
use crate::machine::drop_cached_pages;
use crate::run::Errand;

pub(super) fn run(run: &Run<'_>) -> Result<()> {
    let rows = run.workload.rows;
    run.context.recorder.phase("load, in unlimited memory", rows)?;
    Errand::LoadRows(rows).run(run.engine, &run.context.options(), run.context.seed)?;
    run.context.limit_memory()?;
    // What the other process has left in memory is not counted as this one's.
    drop_cached_pages(run.context.directory)?;
    let store = run.open(Opening::BUFFERED)?;
    gets(run, &*store, "random get", Distribution::Uniform, 40)?;
    gets(run, &*store, "Zipfian 0.99 get", Distribution::Latest, 41)?;
    let writes = Writes::of(run);
    writes.puts(&*store, 1, None)?;
    writes.check_all(&*store)
}

fn gets(run: &Run<'_>, store: &dyn KeyValue, name: &str, distribution: Distribution, purpose: u64) -> Result<()> {
    let rows = run.workload.rows;
    let order = run.order(purpose, distribution, rows, rows / 200);
    let phase = run.phase(name, order.len() as u64)?.with_latencies();
    run.measured(run.gets(store, phase, &order, 1)?)
}
