//! What matches documents of one leaf and scores them.

use blaze_core::Result;

use super::scored::Scored;
use crate::END;

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

    /// Goes past documents from the current one to `last`, at least one if there is one, and takes those that score above the
    /// threshold of which `least` is the floor, and maybe others, in place of what is in `scored`. Stays at the last one or goes
    /// to the one behind it.
    fn batch(&mut self, last: u32, _least: f32, scored: &mut Scored) -> Result<()> {
        scored.clear();
        let document = self.document();
        if document <= last && document != END {
            scored.one(document, self.score()?);
        }
        Ok(())
    }

    /// A document from `target` on, and what no score from `target` to there is above. `target` may be before the current
    /// document; the bound is then that of the current one and those behind it.
    fn block(&mut self, target: u32) -> Result<(u32, f32)>;

    /// The first document from `target` on, and the last one behind it, of which no bound says that they do not score above
    /// `floor`; [`END`] if there is none.
    fn find_block(&mut self, mut target: u32, floor: f32) -> Result<(u32, u32)> {
        while target != END {
            let (last, bound) = self.block(target)?;
            if bound > floor {
                return Ok((target, last));
            }
            target = last + 1;
        }
        Ok((END, END))
    }

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

    fn batch(&mut self, last: u32, least: f32, scored: &mut Scored) -> Result<()> {
        (**self).batch(last, least, scored)
    }

    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        (**self).block(target)
    }

    fn find_block(&mut self, target: u32, floor: f32) -> Result<(u32, u32)> {
        (**self).find_block(target, floor)
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
