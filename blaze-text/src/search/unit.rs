//! What matches documents of one leaf and scores them.

use blaze_core::Result;

/// Blocks that are looked at to bound what a clause can add to a range of documents; beyond, its ceiling has to do.
const BLOCKS: u32 = 16;

/// A cursor over the documents of a leaf that match a part of a query.
pub(super) trait Unit {
    /// The current document; [`END`](crate::END) behind the last one.
    fn document(&self) -> u32;

    /// Moves to the next document.
    fn next(&mut self) -> Result<u32>;

    /// Moves to the first document that is not before `target`, which is behind the current one.
    fn seek(&mut self, target: u32) -> Result<u32>;

    /// The score of the current document.
    fn score(&mut self) -> Result<f32>;

    /// A document from `target` on, and what no score from `target` to there is above. `target` may be before the current
    /// document; the bound is then that of the current one and those behind it.
    fn block(&mut self, target: u32) -> Result<(u32, f32)>;

    /// What no score is above.
    fn ceiling(&self) -> f32;

    /// About how many documents match, at most.
    fn cost(&self) -> u64;

    /// Documents that score no higher than this need not be found any more.
    fn raise(&mut self, _floor: f32) {}

    /// What no score from `from` to `to` is above, by few blocks or by the ceiling.
    #[inline]
    fn bound_until(&mut self, from: u32, to: u32) -> Result<f32> {
        let mut from = from.max(self.document());
        let mut best = 0.0_f32;
        if from > to {
            return Ok(best);
        }
        for _ in 0..BLOCKS {
            let (last, bound) = self.block(from)?;
            best = best.max(bound);
            if last >= to {
                return Ok(best);
            }
            from = last + 1;
        }
        Ok(self.ceiling())
    }
}

impl<U: Unit + ?Sized> Unit for Box<U> {
    fn document(&self) -> u32 {
        (**self).document()
    }

    fn next(&mut self) -> Result<u32> {
        (**self).next()
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        (**self).seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        (**self).score()
    }

    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        (**self).block(target)
    }

    fn ceiling(&self) -> f32 {
        (**self).ceiling()
    }

    fn cost(&self) -> u64 {
        (**self).cost()
    }

    fn raise(&mut self, floor: f32) {
        (**self).raise(floor);
    }
}
