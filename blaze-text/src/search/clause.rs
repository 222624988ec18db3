//! A term of a query in a leaf.

use blaze_core::Result;

use super::Leaf;
use super::bm25::Weight;
use super::unit::Unit;
use crate::{END, Postings};

/// The documents of a leaf that have a term, with what it is worth.
pub(super) struct Clause<'l, L, C> {
    leaf: &'l L,
    field: u8,
    cursor: C,
    weight: Weight,
    ceiling: f32,
    /// The block that was asked for last: from where, to where, and its bound.
    block: (u32, u32, f32),
}

impl<'l, L: Leaf, C: Postings> Clause<'l, L, C> {
    pub(super) fn new(leaf: &'l L, field: u8, cursor: C, weight: Weight) -> Clause<'l, L, C> {
        let ceiling = weight.ceiling(cursor.impacts());
        Clause { leaf, field, cursor, weight, ceiling, block: (1, 0, 0.0) }
    }
}

impl<L: Leaf, C: Postings> Unit for Clause<'_, L, C> {
    #[inline]
    fn document(&self) -> u32 {
        self.cursor.document()
    }

    #[inline]
    fn next(&mut self) -> Result<u32> {
        self.cursor.next()
    }

    #[inline]
    fn seek(&mut self, target: u32) -> Result<u32> {
        self.cursor.seek(target)
    }

    #[inline]
    fn score(&mut self) -> Result<f32> {
        let frequency = self.cursor.frequency()?;
        Ok(self.weight.score(frequency, self.leaf.length(self.field, self.cursor.document())))
    }

    #[inline]
    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        let (first, last, bound) = self.block;
        if (first..=last).contains(&target) {
            return Ok((last, bound));
        }
        let target = target.max(self.cursor.document());
        if target == END {
            return Ok((END - 1, 0.0));
        }
        let (last, impacts) = self.cursor.block(target)?;
        let bound = self.weight.bound(impacts);
        let last = last.clamp(target, END - 1); // whatever a damaged block says, searches go on
        self.block = (target, last, bound);
        Ok((last, bound))
    }

    #[inline]
    fn ceiling(&self) -> f32 {
        self.ceiling
    }

    #[inline]
    fn cost(&self) -> u64 {
        u64::from(self.cursor.len())
    }
}
