//! A term of a query in a leaf.

use blaze_core::Result;

use super::Leaf;
use super::bm25::Weight;
use super::scored::Scored;
use super::unit::Unit;
use crate::{END, Postings};

/// The documents of a leaf that have a term, with what it is worth.
pub(super) struct Clause<'l, L, C> {
    leaf: &'l L,
    field: u8,
    cursor: C,
    weight: Weight,
    ceiling: f32,
    block: Bounded,
}

/// The block that was asked for last.
#[derive(Clone, Copy)]
struct Bounded {
    first: u32,
    last: u32,
    /// What no score is above.
    bound: f32,
    /// No document is shorter.
    shortest: u32,
}

impl Bounded {
    const NONE: Bounded = Bounded { first: 1, last: 0, bound: 0.0, shortest: 0 };
}

impl<'l, L: Leaf, C: Postings> Clause<'l, L, C> {
    pub(super) fn new(leaf: &'l L, field: u8, cursor: C, weight: Weight) -> Clause<'l, L, C> {
        let ceiling = weight.ceiling(cursor.impacts());
        Clause { leaf, field, cursor, weight, ceiling, block: Bounded::NONE }
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

    fn batch(&mut self, last: u32, least: f32, scored: &mut Scored) -> Result<()> {
        let (mut last, mut least_frequency) = (last, 0);
        if least > 0.0 {
            // How long a document is takes a look at memory that is far away: few have the term often enough for that.
            last = last.min(self.block(self.cursor.document())?.0);
            least_frequency = self.weight.least_frequency(self.block.shortest, least);
        }
        self.cursor.batch(last, least_frequency, &mut scored.batch)?;
        scored.score(self.leaf, self.field, self.weight);
        Ok(())
    }

    #[inline]
    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        if (self.block.first..=self.block.last).contains(&target) {
            return Ok((self.block.last, self.block.bound));
        }
        let target = target.max(self.cursor.document());
        if target == END {
            return Ok((END - 1, 0.0));
        }
        let (last, impacts) = self.cursor.block(target)?;
        let bound = self.weight.bound(impacts);
        let shortest = impacts.iter().map(|impact| impact.length).min().unwrap_or(0);
        let last = last.clamp(target, END - 1); // whatever a damaged block says, searches go on
        self.block = Bounded { first: target, last, bound, shortest };
        Ok((last, bound))
    }

    fn find_block(&mut self, target: u32, floor: f32) -> Result<(u32, u32)> {
        let (weight, target) = (self.weight, target.max(self.cursor.document()));
        if target == END {
            return Ok((END, END));
        }
        self.cursor.find_block(target, |impact| weight.may_exceed(impact, floor))
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
