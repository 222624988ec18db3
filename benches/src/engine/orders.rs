//! A collection of one type of document, as an application has it: what goes in and comes out is a Rust struct.

use serde::Deserialize;

use super::Durability;
use crate::Result;
use crate::dataset::orders::Order;

/// An open collection of [`Order`]s by id, with three indexes once it is loaded: a unique one on `number`, one on
/// `placed_ms`, one on `customer.city`.
pub trait Orders: Send + Sync {
    /// Inserts orders into the empty collection and sees to it that it has its indexes, in the way the product recommends
    /// for that; durable when it returns.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, orders: &mut dyn Iterator<Item = (i64, &Order)>) -> Result<()>;

    /// Inserts an order; fails when its id or its number is taken.
    ///
    /// # Errors
    /// Those of the product.
    fn insert(&self, id: i64, order: &Order, durability: Durability) -> Result<()>;

    /// Reads an order by its id.
    ///
    /// # Errors
    /// Those of the product.
    fn get(&self, id: i64) -> Result<Option<Order>>;

    /// Visits at most `limit` orders that were placed at this time or later, the earliest first.
    ///
    /// # Errors
    /// Those of the product.
    fn placed_from(&self, placed_ms: i64, limit: usize, visit: &mut dyn FnMut(Order)) -> Result<()>;

    /// Visits the orders with a status and at least this total, in any order. No index helps.
    ///
    /// # Errors
    /// Those of the product.
    fn with_status(&self, status: &str, total: f64, visit: &mut dyn FnMut(Order)) -> Result<()>;

    /// How many orders have each status, and the mean of their totals; in any order. No index helps.
    ///
    /// # Errors
    /// Those of the product.
    fn by_status(&self) -> Result<Vec<StatusGroup>>;

    /// True when the product cannot do this; its configuration says why. There are no such rows of it then, and nobody
    /// calls what would answer them.
    fn lacks(&self, _skill: OrderSkill) -> bool {
        false
    }

    /// Waits until no work of earlier writes is left to the background, so that the next measurement starts level.
    ///
    /// # Errors
    /// Those of the product.
    fn settle(&self) -> Result<()>;

    /// Makes the files as small as the product can.
    ///
    /// # Errors
    /// Those of the product.
    fn compact(&self) -> Result<()>;
}

/// What a product may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSkill {
    /// [`placed_from`](Orders::placed_from), by an index.
    RangesByIndex,
    /// [`by_status`](Orders::by_status).
    Groups,
    /// [`compact`](Orders::compact).
    Compaction,
}

/// The orders of one status.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StatusGroup {
    /// The status.
    pub status: String,
    /// How many have it.
    pub orders: u64,
    /// The mean of their totals.
    pub mean_total: f64,
}
