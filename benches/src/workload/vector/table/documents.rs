//! What an index of vectors costs those who write: who inserts a vector, and who writes something else.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::{DIMENSIONS, Run, mixture, reopen::load_chunks};
use crate::Result;
use crate::dataset::{Clustered, Matrix};
use crate::engine::{Place, VectorStore};
use crate::measure::{Latency, Measurement, Target, Unit};

pub(super) const INSERTS: &str = "They are in a collection with an index of them; a tenth as many are in one without. Then single \
    vectors are inserted, each durable when the call returns, into the one and the other in turn.";
pub(super) const COMMITS: &str = "They are in a collection with an index of them. Small documents are inserted into another \
    collection, each durable when the call returns: alone, while another thread inserts vectors into a collection without an \
    index, a thousand in a transaction, and while it inserts them into the one with the index.";

const INSERTED: u64 = 1000;
/// Of those inserted, so many are searched for.
const ASKED: u64 = 200;
/// The most seconds that the index may add.
const MORE: f64 = 0.001;
/// How many times as long the slow commits of something else may take.
const TIMES: f64 = 1.2;
const COMMITTED: u64 = 2000;
const AT_ONCE: u64 = 1000;

pub(super) fn inserts(run: &Run<'_>, rows: u64, dimensions: usize) -> Result<()> {
    let store = run.engine.open_vector_store(&run.context.options(), dimensions)?;
    let mixture = mixture(rows, dimensions, run.context.seed);
    let plain = (rows / 10).max(1);
    load(run, &*store, &mixture, Place::Plain, plain)?;
    load(run, &*store, &mixture, Place::Indexed, rows)?;
    crate::workload::measure_bare_sync(run.context)?;

    let count = INSERTED.min(rows.max(10));
    let new = mixture.vectors(rows..rows + count);
    let one = |row: u64| new.select([row as usize]);
    let mut without = run.phase("insert without the index", count)?.with_latencies();
    let mut with = run.phase("insert with the index", count)?.with_latencies();
    for row in 0..count {
        let vector = one(row);
        without.skip();
        store.insert(Place::Plain, plain + row, &vector)?;
        without.advance(1)?;
        with.skip();
        store.insert(Place::Indexed, rows + row, &vector)?;
        with.advance(1)?;
    }
    let (without, with) = (without.rate(), with.rate());
    let (before, after) = (without.latency.unwrap_or_default(), with.latency.unwrap_or_default());
    run.measured(without)?;
    run.measured(with)?;
    let more = |name: &str, of: fn(&Latency) -> f64| {
        let seconds = ((of(&after) - of(&before)) / 1e6).max(0.0);
        let name = format!("{name} of an insert, more with the index");
        Measurement::new(name, Unit::Seconds, seconds).target(Target::Figure(MORE))
    };
    run.measured(more("p50", |latency| latency.p50_us))?;
    run.measured(more("p99", |latency| latency.p99_us))?;
    // What was inserted is there at once, and an approximate search finds most of it.
    let asked: Vec<u64> = (0..count).step_by(count.div_ceil(ASKED) as usize).collect();
    let mut found = 0;
    for &row in &asked {
        let (vector, id) = (new.row(row as usize), rows + row);
        if store.nearest(vector, 1)?.contains(&id) {
            found += 1;
        } else if !store.nearest_exactly(vector, 1)?.contains(&id) {
            return Err(format!("wrong answer: vector {id} was inserted and is not there").into());
        }
    }
    run.share("inserted vectors that find themselves by default", f64::from(found) / asked.len() as f64)
}

pub(super) fn commits(run: &Run<'_>, rows: u64) -> Result<()> {
    let store = run.engine.open_vector_store(&run.context.options(), DIMENSIONS)?;
    let mixture = mixture(rows, DIMENSIONS, run.context.seed);
    load(run, &*store, &mixture, Place::Indexed, rows)?;
    crate::workload::measure_bare_sync(run.context)?;
    let count = COMMITTED.min(rows.max(10));
    let vectors = mixture.vectors(rows..rows + AT_ONCE);
    let next = AtomicU64::new(0);
    let numbers = || next.fetch_add(count, Ordering::Relaxed);

    let alone = others(run, &*store, "commits of something else", numbers(), count)?;
    let plain = beside(&*store, Place::Plain, 0, &vectors, || {
        others(run, &*store, "the same beside vectors without an index", numbers(), count)
    })?;
    store.settle()?;
    let indexed = beside(&*store, Place::Indexed, rows, &vectors, || {
        others(run, &*store, "the same beside vectors with an index", numbers(), count)
    })?;
    store.settle()?;
    let ratio = |name: &str, by: &Latency| Measurement::new(name, Unit::Ratio, indexed.p99_us / by.p99_us.max(1e-3));
    run.measured(ratio("p99 beside vectors with an index by alone", &alone).target(Target::Figure(TIMES)))?;
    run.measured(ratio("p99 beside vectors with an index by beside those without", &plain))
}

/// Inserts small documents one by one.
fn others(run: &Run<'_>, store: &dyn VectorStore, name: &str, first: u64, count: u64) -> Result<Latency> {
    let mut phase = run.phase(name, count)?.with_latencies();
    for number in first..first + count {
        store.insert_other(number)?;
        phase.advance(1)?;
    }
    let rate = phase.rate();
    let latency = rate.latency.unwrap_or_default();
    run.measured(rate)?;
    Ok(latency)
}

/// Does something while another thread inserts the same vectors below new ids, all of them in each transaction.
fn beside(
    store: &dyn VectorStore,
    place: Place,
    first: u64,
    vectors: &Matrix,
    work: impl FnOnce() -> Result<Latency>,
) -> Result<Latency> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut next = first;
            while !stop.load(Ordering::Relaxed) {
                store.insert(place, next, vectors)?;
                next += vectors.rows() as u64;
            }
            Ok(())
        });
        let done = work();
        stop.store(true, Ordering::Relaxed);
        let written: Result<()> = writer.join().map_err(|_| "the writer panicked")?;
        written.and(done)
    })
}

fn load(run: &Run<'_>, store: &dyn VectorStore, mixture: &Clustered, place: Place, rows: u64) -> Result<()> {
    let name = match place {
        Place::Indexed => "load, with the index",
        Place::Plain => "load, without an index",
    };
    let mut phase = run.phase(name, rows)?;
    load_chunks(rows, |first, end| Ok((first, mixture.vectors(first..end))), store, place)?;
    phase.advance(rows)?;
    run.measured(phase.rate())?;
    store.settle()
}
