//! Where verification reads: a store on disk around its damage, or one in memory.

use std::sync::Arc;

use blaze_core::{Direction, Family, KeyRange, ReadPoint, Result};
use blaze_lsm::{Met, Scrub};

use crate::text::{Rows, VisitRow};

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

/// The rows of text indexes.
pub(super) struct TextRows<'a>(pub(super) &'a dyn Source);

impl Rows for TextRows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.0.get(Family::Text, key)
    }

    fn walk(&self, range: &KeyRange, visit: &mut VisitRow<'_>) -> Result<()> {
        self.0.walk(Family::Text, range, &mut |met| match met {
            Met::Entry(key, value) => visit(key, value),
            Met::Unreadable(_, error) => Err(error),
        })
    }
}
