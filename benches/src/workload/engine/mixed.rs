//! Gets and puts in turn while everything is compacted: what single operations take then.

use std::thread;
use std::time::Duration;

use super::writes::Writes;
use crate::Result;
use crate::engine::Transactional;
use crate::measure::{Histogram, Laps, Measurement, Unit, measure};

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
    let (mut all, compaction) = thread::scope(|scope| -> Result<(Load, Duration)> {
        let compaction = scope.spawn(|| measure(|| store.compact()));
        let users = [0, 1].map(|thread| scope.spawn(move || user(writes, store, thread, limit)));
        let mut all = Load::default();
        for user in users {
            let load = user.join().map_err(|_| "a thread of the mixed load panicked")??;
            all.gets.merge(&load.gets);
            all.puts.merge(&load.puts);
        }
        let (compaction, compacted) = compaction.join().map_err(|_| "a compaction panicked")?;
        compacted?;
        Ok((all, compaction))
    })?;
    drop(phase);
    for (what, histogram) in [("gets", &mut all.gets), ("puts", &mut all.puts)] {
        let rate = histogram.count() as f64 / limit.as_secs_f64();
        let mut measured = Measurement::new(format!("mixed load: {what}"), Unit::OperationsPerSecond, rate);
        measured.operations = Some(histogram.count());
        measured.latency = Some(histogram.latency());
        run.measured(measured)?;
    }
    run.measured(Measurement::new("mixed load: the compaction beside it", Unit::Seconds, compaction.as_secs_f64()))?;
    store.settle()
}

/// One thread of the load: gets any row, puts one of its own.
fn user(writes: &Writes<'_>, store: &dyn Transactional, thread: usize, limit: Duration) -> Result<Load> {
    /// Rows in one go; then the same order again.
    const ORDER: u64 = 100_000;
    let run = writes.run;
    let (mine, any) = (writes.order_of(thread, THREADS, 30, ORDER), writes.order_of(thread, 1, 31, ORDER));
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
