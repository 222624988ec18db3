//! Writes: all orders at once, and one by one.

use std::cell::RefCell;

use super::{Run, beside_polodb, beside_rivals};
use crate::Result;
use crate::dataset::orders::Order;
use crate::engine::{Durability, OrderSkill, Orders};
use crate::measure::{Measurement, Unit, directory_bytes};

/// Inserts that are each durable when they return.
const DURABLE: u64 = 2_000;

/// Loads all orders, with their indexes.
pub(super) fn load(run: &Run<'_>, store: &dyn Orders) -> Result<()> {
    let count = run.workload.orders;
    let phase = RefCell::new(run.phase("insert in bulk, with three indexes", count)?);
    let mut told = Ok(());
    let mut orders = (0..count).map(|place| {
        if place % 1_000 == 0 && place > 0 {
            told = phase.borrow_mut().advance(1_000);
        }
        (Order::id(place), run.order(place))
    });
    store.load(&mut orders)?;
    drop(orders);
    told?;
    let mut phase = phase.into_inner();
    phase.advance(count - phase.done())?;
    run.measured(phase.rate().target(beside_rivals(1.5)).further_target(beside_polodb(3.0)))?;

    let compacts = !store.lacks(OrderSkill::Compaction);
    let name = if compacts { "compaction after loading" } else { "background work after loading" };
    let mut phase = run.phase(name, 0)?;
    if compacts {
        store.compact()?;
    }
    store.settle()?;
    phase.advance(1)?;
    run.measured(phase.duration())?;
    let disk = directory_bytes(run.context.directory)?.allocated_bytes;
    let ratio = disk as f64 / run.workload.data_bytes() as f64;
    run.measured(Measurement::new("disk by JSON, with three indexes", Unit::Ratio, ratio))
}

/// Inserts more orders, each durable when the call returns.
pub(super) fn durable(run: &Run<'_>, store: &dyn Orders) -> Result<()> {
    crate::workload::measure_bare_sync(run.context)?;
    let first = run.workload.orders;
    let count = DURABLE.min(first / 10).max(1);
    let orders: Vec<Order> = (first..first + count).map(|place| Order::at(run.context.seed, place)).collect();
    let mut phase = run.phase("insert one by one, durable", count)?.with_latencies();
    for (place, order) in (first..).zip(&orders) {
        store.insert(Order::id(place), order, Durability::Sync)?;
        phase.advance(1)?;
    }
    run.measured(phase.rate().target(beside_rivals(1.0)).further_target(beside_polodb(1.0)))?;
    for (place, order) in (first..).zip(&orders) {
        if store.get(Order::id(place))?.as_ref() != Some(order) {
            return Err(format!("wrong answer: the order {} is not as it was inserted", Order::id(place)).into());
        }
    }
    Ok(())
}
