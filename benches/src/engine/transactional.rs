//! What the engine's own table asks of a key-value store beyond [`KeyValue`].

use super::{Durability, KeyValue, VisitPair, Write};
use crate::Result;

/// How a [`Transactional`] store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What its writes survive by the time they return.
    pub durability: Durability,
    /// True when [`syncs`](Transactional::syncs) shall be told even where counting costs speed: nothing is timed then.
    pub counts_syncs: bool,
}

impl Opening {
    /// For writes that survive the death of the process, timed.
    pub const BUFFERED: Opening = Opening { durability: Durability::Buffered, counts_syncs: false };
    /// For writes that survive power loss, timed.
    pub const DURABLE: Opening = Opening { durability: Durability::Sync, counts_syncs: false };
}

/// What a transaction is protected from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// As much as the product protects from, which may be nothing.
    Strongest,
    /// Snapshot isolation, where that is less.
    Snapshot,
}

/// What a map keeps beside current values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Nothing.
    Nothing,
    /// What each key was before each write.
    History,
    /// Which keys have changed, commit by commit.
    Feed,
    /// Both.
    HistoryAndFeed,
}

/// An open key-value store with transactions, used in the shortest way that the product has for each operation. All
/// writes have the durability that it was opened with.
pub trait Transactional: KeyValue {
    /// Sets one key, by itself.
    ///
    /// # Errors
    /// Those of the product.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Writes all of `writes` in one transaction that reads nothing.
    ///
    /// # Errors
    /// Those of the product.
    fn write(&self, writes: &[Write<'_>]) -> Result<()>;

    /// Visits what is under each of `keys`, then writes all of `writes`, in one transaction. After a conflict all of it
    /// happens again.
    ///
    /// # Errors
    /// Those of the product.
    fn rewrite(
        &self,
        keys: &[&[u8]],
        visit: &mut VisitPair<'_>,
        writes: &[Write<'_>],
        isolation: Isolation,
    ) -> Result<()>;

    /// Begins a transaction that only reads, a snapshot or whatever the product calls it, and lets go of it at once.
    ///
    /// # Errors
    /// Those of the product.
    fn begin_and_drop(&self) -> Result<()>;

    /// What reads many ranges for one thread, each as it is at that moment: whatever can be used again is.
    ///
    /// # Errors
    /// Those of the product.
    fn ranges(&self) -> Result<Box<dyn Ranges + '_>>;

    /// Another map of the same store, created if it is not there; for products with
    /// [`Faculty::Past`](super::Faculty::Past).
    ///
    /// # Errors
    /// Those of the product, and when it keeps no such thing.
    fn another(&self, name: &str, keeps: Keeps) -> Result<Box<dyn Transactional + '_>> {
        Err(format!("there is no map {name:?} with {keeps:?}").into())
    }

    /// True when [`Isolation::Snapshot`] is less than [`Isolation::Strongest`].
    fn has_weaker_isolation(&self) -> bool {
        false
    }

    /// How often the log was synced since it was opened; `None` where the product does not tell.
    fn syncs(&self) -> Option<u64> {
        None
    }
}

/// Reads ranges of a store.
pub trait Ranges {
    /// Visits at most `limit` pairs, ascending from `start`, as they are now; says how many.
    ///
    /// # Errors
    /// Those of the product.
    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize>;
}
