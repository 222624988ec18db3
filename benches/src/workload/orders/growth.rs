//! Inserts into a small and into a large collection: they should cost the same.

use super::{Run, writes};
use crate::Result;
use crate::dataset::orders::Order;
use crate::engine::{Durability, EngineOptions, Orders};
use crate::measure::{Latency, Measurement, Target, Unit};

/// Orders in the small collection.
const SMALL: u64 = 1_000;
/// Inserts that are measured.
const INSERTS: u64 = 5_000;
/// How many times as long an insert may take in the large collection.
const MOST: f64 = 1.25;

pub(super) fn run(run: &Run<'_>) -> Result<()> {
    let options = |name: &str| -> Result<EngineOptions> {
        let directory = run.context.directory.join(name);
        std::fs::create_dir(&directory)?;
        Ok(EngineOptions { directory, cache_bytes: run.quarter()? })
    };
    let small = options("small")?;
    let in_small = inserts_into_small(run, &small)?;
    std::fs::remove_dir_all(&small.directory)?; // the size of the large one is measured

    let large = options("large")?;
    let store = run.engine.open_orders(&EngineOptions { cache_bytes: run.context.cache_bytes, ..large.clone() })?;
    writes::load(run, &*store)?;
    drop(store);
    let store = run.engine.open_orders(&large)?;
    let in_large = inserts(run, &*store, run.workload.orders, INSERTS, "insert into the large collection")?;
    let ratio = |name: &str, of: fn(&Latency) -> f64| {
        Measurement::new(format!("{name} of inserts, large by small"), Unit::Ratio, of(&in_large) / of(&in_small))
    };
    run.measured(ratio("p50", |latency| latency.p50_us).target(Target::Figure(MOST)))?;
    run.measured(ratio("p99", |latency| latency.p99_us).target(Target::Figure(MOST)))
}

/// Inserts into collections that grow from [`SMALL`] orders on, several of them, so that none grows far.
fn inserts_into_small(run: &Run<'_>, options: &EngineOptions) -> Result<Latency> {
    let mut histogram = Vec::new();
    let at_once = SMALL;
    for turn in 0..INSERTS / at_once {
        let options = EngineOptions { directory: options.directory.join(turn.to_string()), ..options.clone() };
        std::fs::create_dir(&options.directory)?;
        let store = run.engine.open_orders(&options)?;
        store.load(&mut (0..SMALL).map(|place| (Order::id(place), run.order(place))))?;
        histogram.push(inserts(run, &*store, run.workload.orders, at_once, "insert into a small collection")?);
    }
    let median = |of: fn(&Latency) -> f64| {
        let mut all: Vec<f64> = histogram.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Ok(Latency {
        p50_us: median(|latency| latency.p50_us),
        p99_us: median(|latency| latency.p99_us),
        ..Latency::default()
    })
}

fn inserts(run: &Run<'_>, store: &dyn Orders, first: u64, count: u64, name: &str) -> Result<Latency> {
    let orders: Vec<Order> = (first..first + count).map(|place| Order::at(run.context.seed, place)).collect();
    let mut phase = run.phase(name, count)?.with_latencies();
    for (place, order) in (first..).zip(&orders) {
        store.insert(Order::id(place), order, Durability::Buffered)?;
        phase.advance(1)?;
    }
    let measurement = phase.rate();
    Ok(measurement.latency.unwrap_or_default())
}
