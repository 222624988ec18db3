//! Commits that survive power loss, by one thread and by sixteen, and how many of them share a sync.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Run, beside_rival};
use crate::Result;
use crate::engine::{Opening, Transactional};
use crate::measure::{Measurement, Target, Unit};
use crate::workload::threads::run_threads;
use crate::workload::{expect, measure_bare_sync};

/// What group commit shall reach with sixteen threads.
const SYNCS_PER_COMMIT: f64 = 0.2;
const MANY: usize = 16;

pub(super) fn run(run: &Run<'_>) -> Result<()> {
    measure_bare_sync(run.context)?;
    let commits = Commits { run, next: AtomicU64::new(0) };
    let store = run.open(Opening::DURABLE)?;
    run.measured(commits.by(&*store, 1, "durable commits, 1 thread")?.target(beside_rival(0.95)))?;
    run.measured(commits.by(&*store, MANY, "durable commits, 16 threads")?.target(beside_rival(1.0)))?;
    drop(store);
    commits.count_syncs()?;
    commits.check()
}

struct Commits<'a> {
    run: &'a Run<'a>,
    next: AtomicU64,
}

impl Commits<'_> {
    fn by(&self, store: &dyn Transactional, threads: usize, name: &str) -> Result<Measurement> {
        let limit = Duration::from_secs_f64(self.run.workload.seconds());
        let rows = self.run.rows;
        let mut phase = self.run.phase(name, 0)?.with_latencies();
        run_threads(&mut phase, threads, |worker| {
            while worker.elapsed() < limit {
                let row = self.next.fetch_add(1, Ordering::Relaxed);
                store.put(&rows.key(row), &rows.value(row, 0))?;
                worker.advance()?;
            }
            Ok(())
        })?;
        Ok(phase.rate())
    }

    /// The same by sixteen threads once more, counted and not timed.
    fn count_syncs(&self) -> Result<()> {
        let store = self.run.open(Opening { counts_syncs: true, ..Opening::DURABLE })?;
        let Some(before) = store.syncs() else { return Ok(()) };
        let commits = self.by(&*store, MANY, "durable commits, counted")?.operations.unwrap_or(0);
        let Some(after) = store.syncs() else { return Ok(()) };
        let ratio = (after - before) as f64 / commits.max(1) as f64;
        let measured = Measurement::new("syncs a commit, 16 threads", Unit::Ratio, ratio);
        self.run.measured(measured.target(Target::Figure(SYNCS_PER_COMMIT)))
    }

    /// Opens the store again and reads every row that was committed.
    fn check(&self) -> Result<()> {
        let store = self.run.open(Opening::DURABLE)?;
        let rows = self.next.load(Ordering::Relaxed);
        for row in 0..rows {
            self.run.get(&*store, row, &self.run.rows.key(row))?;
        }
        expect("rows after reopening", rows, store.count()?)
    }
}
