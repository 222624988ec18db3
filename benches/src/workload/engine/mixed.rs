//! Gets and puts in turn while everything is compacted: what single operations take then.

use std::array;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::beside::wait;
use super::writes::Writes;
use crate::Result;
use crate::distribution::Distribution;
use crate::engine::Transactional;
use crate::measure::{Histogram, Laps, Measurement, Unit};

const THREADS: usize = 2;
/// How much longer than other phases.
const TIMES_AS_LONG: f64 = 2.5;

/// What a thread has measured.
#[derive(Default)]
struct Load {
    gets: Histogram,
    puts: Histogram,
}

pub(super) fn run(writes: &Writes<'_>, store: &dyn Transactional) -> Result<()> {
    let run = writes.run;
    let limit = Duration::from_secs_f64(run.workload.seconds() * TIMES_AS_LONG);
    let phase = run.phase("mixed load", 0)?;
    let done = AtomicBool::new(false);
    let all = thread::scope(|scope| {
        let compaction = scope.spawn(|| compact_until(&done, store));
        let users: [_; THREADS] = array::from_fn(|thread| scope.spawn(move || user(writes, store, thread, limit)));
        let all = users.into_iter().try_fold(Load::default(), |mut all, user| -> Result<Load> {
            let load = user.join().map_err(|_| "a thread of the mixed load panicked")??;
            all.gets.merge(&load.gets);
            all.puts.merge(&load.puts);
            Ok(all)
        });
        done.store(true, Ordering::Relaxed);
        compaction.join().map_err(|_| "a compaction panicked")??;
        all
    })?;
    drop(phase);
    for (what, histogram) in [("gets", &all.gets), ("puts", &all.puts)] {
        let rate = histogram.count() as f64 / limit.as_secs_f64();
        let mut measured = Measurement::new(format!("mixed load: {what}"), Unit::OperationsPerSecond, rate);
        measured.operations = Some(histogram.count());
        measured.latency = Some(histogram.latency());
        run.measured(measured)?;
    }
    store.settle()
}

/// Compacts everything again and again: each time there is something new to be merged with all the rest.
fn compact_until(done: &AtomicBool, store: &dyn Transactional) -> Result<()> {
    while !done.load(Ordering::Relaxed) {
        store.compact()?;
        wait();
    }
    Ok(())
}

/// One thread of the load: gets any row, puts one of its own.
fn user(writes: &Writes<'_>, store: &dyn Transactional, thread: usize, limit: Duration) -> Result<Load> {
    /// Rows in one go; then the same order again.
    const ORDER: u64 = 100_000;
    let run = writes.run;
    let mine = writes.order_of(thread, THREADS, 30, ORDER);
    let any = run.order(31 << 8 | thread as u64, Distribution::Uniform, run.workload.rows, ORDER);
    let (mut load, mut laps) = (Load::default(), Laps::start());
    for (&own, &row) in mine.iter().zip(&any).cycle() {
        let row = u64::from(row);
        run.get(store, row, &run.rows.key(row))?;
        load.gets.record(laps.lap());
        let (key, value) = writes.next(own);
        store.put(&key, &value)?;
        load.puts.record(laps.lap());
        if laps.total() >= limit {
            break;
        }
    }
    Ok(load)
}
