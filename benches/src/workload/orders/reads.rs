//! Reads: of single orders, of twenty by an index, of all with a condition, of all in groups.

use std::collections::BTreeMap;

use super::{Run, STRIDE, beside_polodb, beside_rivals};
use crate::Result;
use crate::dataset::orders::{Order, STATUSES};
use crate::distribution::Distribution;
use crate::engine::{OrderSkill, Orders, StatusGroup};
use crate::measure::{Measurement, Target};

/// Orders in the answer to a question for a range.
const RANGE: usize = 20;
/// What the total of an order is to be at least, in a question that no index helps with.
const TOTAL: f64 = 500.0;

pub(super) fn cached(run: &Run<'_>, store: &dyn Orders) -> Result<()> {
    let count = run.workload.orders;
    check_all(run, store)?; // which fills the cache, too
    gets(run, store, "read by id, Zipfian", Distribution::Zipfian, count, Some(beside_rivals(3.0)))?;
    gets(run, store, "read by id, uniform", Distribution::Uniform, count, None)?;
    ranges(run, store, "20 by an index", count / 20, Some(beside_rivals(2.0)))?;
    filtered(run, store)?;
    grouped(run, store)
}

pub(super) fn uncached(run: &Run<'_>, store: &dyn Orders) -> Result<()> {
    let count = run.workload.orders;
    gets(run, store, "first reads by id", Distribution::Uniform, count / 4, None)?;
    gets(run, store, "read by id, uniform", Distribution::Uniform, count / 2, Some(beside_rivals(1.0)))?;
    ranges(run, store, "20 by an index", count / 40, Some(beside_rivals(1.0)))
}

/// Reads every order once and compares all of it.
fn check_all(run: &Run<'_>, store: &dyn Orders) -> Result<()> {
    let mut phase = run.phase("read all and compare", run.workload.orders)?;
    for place in 0..run.workload.orders {
        let found = store.get(Order::id(place))?;
        if found.as_ref() != Some(run.order(place)) {
            return Err(run.wrong(place, found.as_ref()));
        }
        if place % 1024 == 0 {
            phase.advance(1024)?;
        }
    }
    Ok(())
}

fn gets(
    run: &Run<'_>,
    store: &dyn Orders,
    name: &str,
    distribution: Distribution,
    count: u64,
    target: Option<Target>,
) -> Result<()> {
    let places = run.places(1, distribution, count);
    let mut phase = run.phase(name, count)?;
    for stride in places.chunks(STRIDE) {
        for &place in stride {
            let found = store.get(Order::id(place))?;
            // All of each order was compared before; the clock is running.
            if found.as_ref().map(|order| order.number) != Some(Order::number(place)) {
                return Err(run.wrong(place, found.as_ref()));
            }
        }
        phase.advance(stride.len() as u64)?;
    }
    run.measured(Measurement { target, ..phase.rate() }.further_target(beside_polodb(3.0)))
}

fn ranges(run: &Run<'_>, store: &dyn Orders, name: &str, count: u64, target: Option<Target>) -> Result<()> {
    if store.lacks(OrderSkill::RangesByIndex) {
        return Ok(());
    }
    let by_time: BTreeMap<i64, u64> = (0..run.workload.orders).map(|place| (Order::placed_ms(place), place)).collect();
    let places = run.places(2, Distribution::Uniform, count.max(1));
    let mut phase = run.phase(name, places.len() as u64)?;
    let mut found = Vec::with_capacity(RANGE);
    for place in places {
        let from = Order::placed_ms(place);
        store.placed_from(from, RANGE, &mut |order| found.push(order.placed_ms))?;
        phase.advance(1)?;
        if !found.iter().copied().eq(by_time.range(from..).take(RANGE).map(|(placed, _)| *placed)) {
            return Err(format!("wrong answer: {found:?} after {from}").into());
        }
        found.clear();
    }
    run.measured(Measurement { target, ..phase.rate() })
}

fn filtered(run: &Run<'_>, store: &dyn Orders) -> Result<()> {
    let status = STATUSES[4];
    let wanted = |order: &&Order| order.status == status && order.total >= TOTAL;
    let expected = run.orders.iter().filter(wanted).map(|order| order.number).fold(0, u64::wrapping_add);
    let mut phase = run.phase("filtered scan", 0)?;
    for _ in 0..repeats(run) {
        let mut sum = 0_u64;
        store.with_status(status, TOTAL, &mut |order| sum = sum.wrapping_add(order.number))?;
        phase.advance(1)?;
        crate::workload::expect("sum of the numbers of returned orders", expected, sum)?;
    }
    run.measured(phase.rate().target(beside_rivals(3.0)).further_target(beside_polodb(3.0)))
}

fn grouped(run: &Run<'_>, store: &dyn Orders) -> Result<()> {
    if store.lacks(OrderSkill::Groups) {
        return Ok(());
    }
    let mut phase = run.phase("group all by a field without an index", 0)?;
    for _ in 0..repeats(run) {
        let mut groups = store.by_status()?;
        phase.advance(1)?;
        groups.sort_by(|left, right| left.status.cmp(&right.status));
        check_groups(run, &groups)?;
    }
    run.measured(phase.rate().target(beside_rivals(2.0)))
}

fn check_groups(run: &Run<'_>, groups: &[StatusGroup]) -> Result<()> {
    let mut expected: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
    for order in &run.orders {
        let group = expected.entry(&order.status).or_default();
        *group = (group.0 + 1, group.1 + order.total);
    }
    let is_right = |(group, (status, (orders, sum))): (&StatusGroup, (&&str, &(u64, f64)))| {
        let mean = sum / *orders as f64;
        group.status == **status && group.orders == *orders && (group.mean_total - mean).abs() <= mean * 1e-9
    };
    match groups.len() == expected.len() && groups.iter().zip(&expected).all(is_right) {
        true => Ok(()),
        false => Err(format!("wrong answer: {groups:?}, expected {expected:?}").into()),
    }
}

/// How often all orders are looked through: for a second or so.
fn repeats(run: &Run<'_>) -> u64 {
    (1_000_000 / run.workload.orders.max(1)).clamp(3, 50)
}
