//! Ranges as they are now, by an iterator that is used again.

use blaze_bench::Result;
use blaze_bench::engine::{Ranges, VisitPair};
use rocksdb::{DBRawIteratorWithThreadMode, ReadOptions};

use super::{Rocks, scan};

/// Refreshing an iterator costs less than making one, and nothing while no memtable was flushed.
pub(super) struct RefreshedRanges<'a, D: Rocks> {
    iterator: DBRawIteratorWithThreadMode<'a, D>,
}

impl<D: Rocks> RefreshedRanges<'_, D> {
    pub(super) fn new(database: &D) -> RefreshedRanges<'_, D> {
        RefreshedRanges { iterator: database.iterate(ReadOptions::default()) }
    }
}

impl<D: Rocks> Ranges for RefreshedRanges<'_, D> {
    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize> {
        self.iterator.refresh()?;
        scan(&mut self.iterator, start, limit, visit)
    }
}
