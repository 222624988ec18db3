//! Seeks: ten rows from anywhere, as they are now.

use super::beside::beside;
use super::reads::COMMITS_PER_SECOND;
use super::row::Key;
use super::{Run, STRIDE, beside_rival};
use crate::Result;
use crate::distribution::Distribution;
use crate::engine::{Transactional, VisitPair};
use crate::measure::Measurement;

/// Rows that are read from where a seek leads.
const LIMIT: usize = 10;

type Scan<'a> = dyn FnMut(&Key, &mut VisitPair<'_>) -> Result<usize> + 'a;

pub(super) fn run(run: &Run<'_>, store: &dyn Transactional) -> Result<()> {
    let mut ranges = store.ranges()?;
    let count = run.workload.rows / 10;
    seeks(run, "first seeks", count / 5, &mut |start, visit| ranges.scan(start, LIMIT, visit))?;
    let found = seeks(run, "seek + 10", count, &mut |start, visit| ranges.scan(start, LIMIT, visit))?;
    run.measured(found.target(beside_rival(1.0)))?;

    let mut reader = store.reader()?;
    run.measured(seeks(run, "seek + 10, all in one view", count, &mut |start, visit| reader.scan(start, LIMIT, visit))?)
}

pub(super) fn run_beside_writer(run: &Run<'_>, store: &dyn Transactional) -> Result<()> {
    let name = "seek + 10, while a writer commits 1,000 a second";
    let (rows, count) = (run.workload.rows, run.workload.rows / 10);
    let order = run.order(5, Distribution::Uniform, rows, 100_000.min(rows));
    let write = |number: u64| {
        let row = u64::from(order[number as usize % order.len()]);
        store.put(&run.rows.key(row), &run.rows.value(row, 1 + number))
    };
    let mut ranges = store.ranges()?;
    let measured = || seeks(run, name, count, &mut |start, visit| ranges.scan(start, LIMIT, visit));
    let (found, pace) = beside(COMMITS_PER_SECOND, write, measured)?;
    run.measured(found.target(beside_rival(1.0)))?;
    run.paced(name, pace)
}

/// Seeks the key of a random row so many times. Versions do not count in the sum, since a writer may change them.
fn seeks(run: &Run<'_>, name: &str, count: u64, scan: &mut Scan<'_>) -> Result<Measurement> {
    let order = run.order(4, Distribution::Uniform, run.workload.rows, count);
    let mut phase = run.phase(name, count)?;
    let mut sum = 0_u64;
    for rows in order.chunks(STRIDE) {
        for &row in rows {
            sum = sum.wrapping_mul(31).wrapping_add(seek(run, u64::from(row), scan)?);
        }
        phase.advance(rows.len() as u64)?;
    }
    Ok(phase.rate().checksum(sum))
}

/// Reads ten rows from the key of `row` on, and adds up which they are after making sure that they are whole and in order.
fn seek(run: &Run<'_>, row: u64, scan: &mut Scan<'_>) -> Result<u64> {
    let start = run.rows.key(row);
    let (mut last, mut right, mut sum, mut first) = (start, true, 0_u64, None);
    let read = scan(&start, &mut |key, value| {
        let found = run.rows.parse(value).map(|(row, _)| row);
        let follows = if first.is_none() { key == last } else { key > last.as_slice() && key.len() == last.len() };
        let Some(found) = found.filter(|_| follows) else {
            right = false;
            return;
        };
        last.copy_from_slice(key);
        first.get_or_insert(found);
        sum = sum.wrapping_mul(31).wrapping_add(found);
    })?;
    // Fewer than ten are left behind the last rows; the sum tells whether engines agree on that.
    match right && first == Some(row) && (1..=LIMIT).contains(&read) {
        true => Ok(sum),
        false => Err(format!("wrong answer: {read} rows from row {row} on, first {first:?}, in order: {right}").into()),
    }
}
