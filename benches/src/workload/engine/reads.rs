//! Reads: of single rows, of all of them, of ten from anywhere; and views that are begun and dropped.

use super::beside::beside;
use super::row::Key;
use super::{Run, STRIDE, beside_rival, hot, seeks};
use crate::Result;
use crate::distribution::Distribution;
use crate::engine::{EngineOptions, KeyValue, Opening, Transactional};
use crate::measure::{Measurement, Target};

/// What a view that is only begun and dropped shall reach, by one thread.
const VIEWS_PER_SECOND: f64 = 5e6;
/// The pace of the writer beside seeks and views.
pub(super) const COMMITS_PER_SECOND: f64 = 1000.0;
/// Views between two looks at the clock.
const VIEWS_STRIDE: u64 = 1024;

pub(super) fn run(run: &Run<'_>) -> Result<()> {
    let store = run.open(Opening::BUFFERED)?;
    run.load(&*store)?;
    scan_all(run, &*store, "first scan", 1)?; // the cache fills: told apart from what follows
    let scan = scan_all(run, &*store, "full scan", 2)?;
    run.measured(scan.target(beside_rival(0.9)))?;
    random_gets(run, &*store)?;
    hot::run(run, &*store)?;
    seeks::run(run, &*store)?;
    // From here on something is written.
    hot::run_beside_writer(run, &*store)?;
    seeks::run_beside_writer(run, &*store)?;
    views(run, &*store)?;
    drop(store);
    zipfian_gets(run)
}

/// Reads everything so many times.
fn scan_all(run: &Run<'_>, store: &dyn KeyValue, name: &str, times: u64) -> Result<Measurement> {
    let rows = run.workload.rows;
    let mut phase = run.phase(name, rows * times)?;
    let mut sum = 0;
    for _ in 0..times {
        sum = scan(run, store)?;
        phase.advance(rows)?;
    }
    Ok(phase.rate().checksum(sum))
}

/// Reads everything once and returns a sum of it, after making sure that it is all rows in the order of their keys.
fn scan(run: &Run<'_>, store: &dyn KeyValue) -> Result<u64> {
    let (mut last, mut ordered, mut whole): (Key, bool, bool) = ([0; _], true, true);
    let (mut rows, mut sum) = (0_u64, 0_u64);
    let read = store.scan(&[], usize::MAX, &mut |key, value| {
        ordered &= key > last.as_slice() && key.len() == last.len();
        if let Some((row, version)) = run.rows.parse(value).filter(|_| ordered) {
            last.copy_from_slice(key);
            rows = rows.wrapping_add(row);
            sum = sum.wrapping_mul(31).wrapping_add(row ^ version);
        } else {
            whole = false;
        }
    })?;
    let count = run.workload.rows;
    if read as u64 != count || !ordered || !whole || rows != count * (count - 1) / 2 {
        return Err(format!(
            "wrong answer: a scan of {count} rows gave {read}; in order: {ordered}, each of them whole: {whole}"
        )
        .into());
    }
    Ok(sum)
}

fn random_gets(run: &Run<'_>, store: &dyn KeyValue) -> Result<()> {
    let rows = run.workload.rows;
    let order = run.order(1, Distribution::Uniform, rows, rows / 2);
    let (warm, timed) = order.split_at(order.len() / 5);
    run.gets(store, run.phase("first random gets", warm.len() as u64)?, warm, STRIDE)?;
    let phase = run.phase("random get, data in block cache", timed.len() as u64)?;
    let gets = run.gets(store, phase, timed, STRIDE)?;
    run.measured(gets.target(beside_rival(0.95)))
}

/// A read transaction is begun, registered and dropped while others commit.
fn views(run: &Run<'_>, store: &dyn Transactional) -> Result<()> {
    let name = "begin and drop a read transaction, during commits";
    let count = (4 * run.workload.rows).next_multiple_of(VIEWS_STRIDE);
    let mut phase = run.phase(name, count)?;
    let write = |number| store.put(&run.rows.key(number % run.workload.rows), &run.rows.value(number, 1));
    let ((), pace) = beside(COMMITS_PER_SECOND, write, || {
        for _ in 0..count / VIEWS_STRIDE {
            for _ in 0..VIEWS_STRIDE {
                store.begin_and_drop()?;
            }
            phase.advance(VIEWS_STRIDE)?;
        }
        Ok(())
    })?;
    run.measured(phase.rate().target(Target::Figure(VIEWS_PER_SECOND)))?;
    run.paced(name, pace)
}

/// Gets with a cache that holds a tenth of the data. Row numbers say nothing about keys, so the rows that were loaded last,
/// the most frequent here, lie anywhere.
fn zipfian_gets(run: &Run<'_>) -> Result<()> {
    // No engine takes less than a MiB, which only a run with very few rows would ask for.
    let cache_bytes = usize::try_from(run.workload.data_bytes() / 10)?.max(1 << 20);
    let options = EngineOptions { cache_bytes, ..run.context.options() };
    let store = run.engine.open_transactional(&options, Opening::BUFFERED)?;
    let rows = run.workload.rows;
    let order = run.order(2, Distribution::Latest, rows, rows / 2);
    let (warm, timed) = order.split_at(order.len() / 2);
    run.gets(&*store, run.phase("first Zipfian gets", warm.len() as u64)?, warm, STRIDE)?;
    let phase = run.phase("Zipfian 0.99 get, cache holds 10 %", timed.len() as u64)?;
    let gets = run.gets(&*store, phase, timed, STRIDE)?;
    run.measured(gets.target(beside_rival(2.0)))
}
