//! The documents' own table: Blaze beside SQLite, with the same Rust struct going in and coming out, the same three
//! indexes, the same cache and the same durability. Each row with a target says what Blaze shall reach beside the better of
//! SQLite's two ways to keep JSON, as text and as JSONB.

mod growth;
mod reads;
mod writes;

use serde::{Deserialize, Serialize};

use super::{Context, Phase};
use crate::Result;
use crate::dataset::orders::Order;
use crate::distribution::{Chooser, Distribution, Random, fnv64};
use crate::engine::{Engine, EngineOptions, Orders};
use crate::measure::{Measurement, Target};

/// A part of the table, over so many orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderWorkload {
    /// Which.
    pub part: OrderPart,
    /// Orders that are there before anything is measured.
    pub orders: u64,
}

/// The parts of the table. Each is a job: its rows share what was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderPart {
    /// Loading, reads that find everything in the cache, scans, durable inserts.
    Cached,
    /// Reads with a cache of a quarter of the data.
    Uncached,
    /// Inserts into a small and into a large collection.
    Growth,
}

/// What the targets are held against: SQLite with JSONB, and with JSON as text.
const RIVALS: [&str; 2] = ["sqlite", "sqlite-text"];
/// Another rival, where it is measured.
const POLODB: &str = "polodb";
/// Operations between two looks at the clock.
const STRIDE: usize = 64;
/// Bytes of an order as JSON, about: what caches are measured by.
const ORDER_BYTES: u64 = 600;

impl OrderWorkload {
    /// All parts.
    pub const PARTS: [OrderPart; 3] = [OrderPart::Cached, OrderPart::Uncached, OrderPart::Growth];

    /// Bytes of the orders as JSON, about.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.orders * ORDER_BYTES
    }

    pub(super) fn name(&self) -> String {
        let part = match self.part {
            OrderPart::Cached => "in the cache",
            OrderPart::Uncached => "data four times the cache",
            OrderPart::Growth => "inserts as the collection grows",
        };
        format!("orders: {part}")
    }

    pub(super) fn description(&self) -> String {
        let orders = self.orders;
        let what = match self.part {
            OrderPart::Cached => "loaded, then read with a cache that holds all of them",
            OrderPart::Uncached => {
                "loaded, then read with a cache of a quarter of their JSON; the system's page cache is there for all engines, \
                 and nobody maps files"
            }
            OrderPart::Growth => {
                "loaded; orders are inserted into an empty collection that has its indexes and grows to 1,000, and into the \
                 large one, with a cache of a quarter of its data; commits survive the death of the process"
            }
        };
        format!(
            "{orders} orders of about {ORDER_BYTES} bytes of JSON, {what}. One thread; a struct goes in and comes out. Indexes on \
             a unique number, a time and a nested string."
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let orders = (0..self.orders).map(|place| Order::at(context.seed, place)).collect();
        context.limit_memory()?; // what was allocated before does not count
        let run = Run { workload: self, orders, engine, context };
        match self.part {
            OrderPart::Cached => {
                let store = run.open(context.cache_bytes)?;
                writes::load(&run, &*store)?;
                reads::cached(&run, &*store)?;
                writes::durable(&run, &*store)
            }
            OrderPart::Uncached => {
                let store = run.open(context.cache_bytes)?;
                writes::load(&run, &*store)?;
                drop(store);
                reads::uncached(&run, &*run.open(run.quarter()?)?)
            }
            OrderPart::Growth => growth::run(&run),
        }
    }
}

/// A part that is running.
struct Run<'a> {
    workload: &'a OrderWorkload,
    orders: Vec<Order>,
    engine: &'a dyn Engine,
    context: &'a Context<'a>,
}

impl Run<'_> {
    fn open(&self, cache_bytes: usize) -> Result<Box<dyn Orders>> {
        self.engine.open_orders(&EngineOptions { cache_bytes, ..self.context.options() })
    }

    /// A quarter of the data; no engine takes less than a MiB, which only a run with very few orders would ask for.
    fn quarter(&self) -> Result<usize> {
        Ok(usize::try_from(self.workload.data_bytes() / 4)?.max(1 << 20))
    }

    fn phase(&self, name: &str, total: u64) -> Result<Phase<'_>> {
        Ok(self.context.recorder.phase(name, total)?)
    }

    fn measured(&self, measurement: Measurement) -> Result<()> {
        Ok(self.context.recorder.measured(measurement)?)
    }

    /// So many places in random order; the same for all engines. Another `purpose` gives another order.
    fn places(&self, purpose: u64, distribution: Distribution, count: u64) -> Vec<u64> {
        let mut random = Random::seeded(self.context.seed ^ fnv64(purpose));
        let chooser = Chooser::new(distribution, self.workload.orders);
        (0..count).map(|_| chooser.choose(&mut random)).collect()
    }

    fn order(&self, place: u64) -> &Order {
        &self.orders[place as usize]
    }

    fn wrong(&self, place: u64, found: Option<&Order>) -> Box<dyn std::error::Error + Send + Sync> {
        format!("wrong answer: order {}: {found:?}, expected {:?}", Order::id(place), self.order(place)).into()
    }
}

/// A target beside PoloDB.
fn beside_polodb(times: f64) -> Target {
    Target::times(POLODB, times)
}

/// A target beside the better of both rivals.
fn beside_rivals(times: f64) -> Target {
    Target::best_of(&RIVALS, times)
}
