//! The only compaction filter: it drops undo records that no one may ask for any more.

use std::ffi::CStr;
use std::sync::Arc;

use blaze_core::fault::{self, Mistake};
use blaze_core::{Prefix, Timestamp, UndoKey};
use parking_lot::RwLock;
use rocksdb::CompactionDecision;
use rocksdb::compaction_filter::CompactionFilter;
use rocksdb::compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory};

/// Up to where the undo records of each prefix may be dropped. A compaction goes by what stood here when it began:
/// floors only rise, so that is never too high.
#[derive(Debug, Default)]
pub(crate) struct DropFloors(RwLock<Arc<Floors>>);

/// Sorted by prefix.
#[derive(Debug, Default)]
pub(super) struct Floors(Vec<(Prefix, Timestamp)>);

impl DropFloors {
    pub(super) fn get(&self) -> Arc<Floors> {
        Arc::clone(&self.0.read())
    }

    pub(super) fn set(&self, mut floors: Vec<(Prefix, Timestamp)>) {
        floors.sort_unstable();
        *self.0.write() = Arc::new(Floors(floors));
    }
}

impl Floors {
    /// The floor of a prefix; of one that has no history, everything is kept.
    pub(super) fn of(&self, prefix: Prefix) -> Timestamp {
        if fault::makes(Mistake::WrongFloor) {
            return Timestamp::MAX;
        }
        let position = self.0.binary_search_by_key(&prefix, |(prefix, _)| *prefix);
        position.ok().and_then(|position| self.0.get(position)).map_or(Timestamp::ZERO, |(_, floor)| *floor)
    }
}

/// Makes a filter for each compaction.
#[derive(Debug)]
pub(crate) struct ExpiredFilterFactory(pub(crate) Arc<DropFloors>);

impl CompactionFilterFactory for ExpiredFilterFactory {
    type Filter = ExpiredFilter;

    fn create(&mut self, _: CompactionFilterContext) -> ExpiredFilter {
        ExpiredFilter(self.0.get())
    }

    fn name(&self) -> &CStr {
        c"blaze.expired_history"
    }
}

/// Ignores snapshots, as every filter does: readers of the history register instead.
#[derive(Debug)]
pub(crate) struct ExpiredFilter(Arc<Floors>);

impl CompactionFilter for ExpiredFilter {
    fn filter(&mut self, _: u32, key: &[u8], _: &[u8]) -> CompactionDecision {
        match UndoKey::prefix_and_ts(key) {
            // It tells of the time before its commit only.
            Some((prefix, ts)) if ts <= self.0.of(prefix) => CompactionDecision::Remove,
            _ => CompactionDecision::Keep,
        }
    }

    fn name(&self) -> &CStr {
        c"blaze.expired_history"
    }
}
