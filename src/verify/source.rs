//! Where verification reads: a store on disk around its damage, or one in memory.

use std::sync::Arc;

use blaze_core::{Direction, Family, KeyRange, ReadPoint, Result};
use blaze_lsm::{Met, Scrub};

/// A database at one moment.
pub(super) trait Source {
    /// Calls `visit` with each entry of a range in order, and for each hole that damage has made in it.
    fn walk(&self, family: Family, range: &KeyRange, visit: &mut dyn FnMut(Met<'_>) -> Result<()>) -> Result<()>;

    /// The value of a key, if there is one.
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>>;
}

impl Source for Scrub<'_> {
    fn walk(&self, family: Family, range: &KeyRange, visit: &mut dyn FnMut(Met<'_>) -> Result<()>) -> Result<()> {
        Scrub::walk(self, family, range, visit)
    }

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Scrub::get(self, family, key)
    }
}

impl Source for Arc<dyn ReadPoint> {
    fn walk(&self, family: Family, range: &KeyRange, visit: &mut dyn FnMut(Met<'_>) -> Result<()>) -> Result<()> {
        let mut cursor = self.cursor(family, range, Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            visit(Met::Entry(key, value))?;
        }
        Ok(())
    }

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        ReadPoint::get(&**self, family, key)
    }
}
