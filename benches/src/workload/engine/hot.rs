//! Gets of few rows that are asked for again and again, also while they change.

use std::sync::atomic::{AtomicU64, Ordering};

use super::beside::beside;
use super::row::Key;
use super::{Run, STRIDE, beside_rival};
use crate::Result;
use crate::distribution::Distribution;
use crate::engine::{KeyValue, Transactional};
use crate::measure::Measurement;

const HOT_ROWS: u64 = 1000;
/// The pace of the writer beside: each hot row changes ten times a second.
const COMMITS_PER_SECOND: f64 = 10_000.0;

pub(super) fn run(run: &Run<'_>, store: &dyn KeyValue) -> Result<()> {
    let hot = Hot::of(run);
    hot.gets(run, store, "first hot gets", HOT_ROWS * 10)?;
    let gets = hot.gets(run, store, "hot get, 1,000 keys", run.workload.rows)?;
    run.measured(gets.target(beside_rival(5.0)))
}

pub(super) fn run_beside_writer(run: &Run<'_>, store: &dyn Transactional) -> Result<()> {
    let (name, hot) = ("hot get, 1,000 keys, while a writer updates them", Hot::of(run));
    let (gets, pace) = beside(
        COMMITS_PER_SECOND,
        |number| hot.update(run, store, number),
        || hot.gets(run, store, name, run.workload.rows),
    )?;
    run.measured(gets.target(beside_rival(5.0)))?;
    run.paced(name, pace)
}

/// The hot rows: those with the least numbers.
struct Hot {
    keys: Vec<Key>,
    /// For each the version whose commit has returned: nobody may read an older one from then on.
    acknowledged: Vec<AtomicU64>,
}

impl Hot {
    fn of(run: &Run<'_>) -> Hot {
        let rows = 0..HOT_ROWS.min(run.workload.rows);
        Hot {
            keys: rows.clone().map(|row| run.rows.key(row)).collect(),
            acknowledged: rows.map(|_| 0.into()).collect(),
        }
    }

    /// Gives the next row its next version, in turn.
    fn update(&self, run: &Run<'_>, store: &dyn Transactional, number: u64) -> Result<()> {
        let rows = self.keys.len() as u64;
        let (row, version) = (number % rows, 1 + number / rows);
        let index = row as usize;
        store.put(&self.keys[index], &run.rows.value(row, version))?;
        self.acknowledged[index].store(version, Ordering::Release);
        Ok(())
    }

    fn gets(&self, run: &Run<'_>, store: &dyn KeyValue, name: &str, count: u64) -> Result<Measurement> {
        let order = run.order(3, Distribution::Uniform, self.keys.len() as u64, count);
        let mut seen = vec![0; self.keys.len()];
        let mut phase = run.phase(name, count)?;
        for rows in order.chunks(STRIDE) {
            for &row in rows {
                let index = row as usize;
                let least = self.acknowledged[index].load(Ordering::Acquire).max(seen[index]);
                let version = run.get(store, u64::from(row), &self.keys[index])?;
                if version < least {
                    return Err(format!("wrong answer: row {row} in version {version} after {least}").into());
                }
                seen[index] = version;
            }
            phase.advance(rows.len() as u64)?;
        }
        Ok(phase.rate())
    }
}
