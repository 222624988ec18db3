//! The best documents of those that match all parts of a query.

use blaze_core::Result;

use super::Leaf;
use super::scored::Scored;
use super::top::LeafTop;
use super::unit::Unit;
use crate::END;

/// The parts of a query that all have to match: the rarest leads, and what the blocks of all bound is gone past.
///
/// After the conjunction of block maxima by Ding and Suel, Faster Top-k Document Retrieval Using Block-Max Indexes (2011).
struct Intersection<U> {
    /// In the order of the query, in which scores add up.
    units: Vec<U>,
    lead: usize,
    /// The others, the rarest first.
    others: Vec<usize>,
    scores: Vec<f32>,
    /// Documents of the leading part.
    batch: Scored,
}

/// Collects the best of what all of at least one unit match.
pub(super) fn intersection<L: Leaf, U: Unit>(units: Vec<U>, top: &mut LeafTop<'_, '_, L>) -> Result<()> {
    let mut others: Vec<usize> = (0..units.len()).collect();
    others.sort_by_key(|&index| units[index].cost());
    if others.is_empty() {
        return Ok(());
    }
    let lead = others.remove(0);
    let scores = vec![0.0; units.len()];
    Intersection { units, lead, others, scores, batch: Scored::new() }.run(top)
}

impl<U: Unit> Intersection<U> {
    fn run<L: Leaf>(&mut self, top: &mut LeafTop<'_, '_, L>) -> Result<()> {
        let mut from = self.units[self.lead].document();
        while from != END {
            if top.floor() == f32::NEG_INFINITY {
                from = self.until_bounded(from, top)?;
                continue;
            }
            let (last, bound) = self.units[self.lead].block(from)?;
            let mut rest = 0.0;
            for &other in &self.others {
                rest += self.units[other].bound_until(from, last)?;
            }
            let is_worth = bound + rest > top.floor();
            from = if is_worth { self.within(from, last, bound, rest, top)? } else { last + 1 };
        }
        Ok(())
    }

    /// Takes all that match, until the best are so many that bounds count.
    fn until_bounded<L: Leaf>(&mut self, mut document: u32, top: &mut LeafTop<'_, '_, L>) -> Result<u32> {
        while document != END {
            let found = self.align(document)?;
            if found > document {
                document = self.follow(found)?;
                continue;
            }
            self.scores[self.lead] = self.units[self.lead].score()?;
            let raised = self.offer(document, top)?;
            document = self.units[self.lead].next()?;
            if raised {
                break;
            }
        }
        Ok(document)
    }

    /// Looks at what the leading part has from a document to `last`; the others add at most `rest` there. Answers from where to
    /// go on.
    fn within<L: Leaf>(
        &mut self,
        from: u32,
        last: u32,
        bound: f32,
        rest: f32,
        top: &mut LeafTop<'_, '_, L>,
    ) -> Result<u32> {
        let mut document = self.follow(from)?;
        while document <= last {
            self.units[self.lead].batch(last, top.floor() - rest, &mut self.batch)?;
            let (mut at, mut next) = (0, self.batch.end());
            // The floor allows for the rounding of this difference, too: it is no larger than the floor, or all are above it.
            while let Some(found) = self.batch.find_above(at, top.floor() - rest) {
                at = found + 1;
                let Some((document, score)) = self.batch.get(found) else { break };
                if !self.is_near(document, score, top.floor())? {
                    continue;
                }
                let found = self.align(document)?;
                if found > document {
                    at += self.batch.documents()[at..].iter().take_while(|document| **document < found).count();
                    next = next.max(found);
                    continue;
                }
                self.scores[self.lead] = score;
                if self.offer(document, top)? && bound + rest <= top.floor() {
                    return Ok(next);
                }
            }
            if next > last {
                return Ok(next);
            }
            document = self.follow(next)?;
        }
        Ok(document)
    }

    /// Whether the blocks in which a document is leave it a chance.
    #[inline]
    fn is_near(&mut self, document: u32, score: f32, floor: f32) -> Result<bool> {
        let mut most = score;
        for &other in &self.others {
            most += self.units[other].block(document)?.1;
        }
        Ok(most > floor)
    }

    /// Moves the others to a document; answers it, or the next one that can match.
    #[inline]
    fn align(&mut self, document: u32) -> Result<u32> {
        for &other in &self.others {
            let unit = &mut self.units[other];
            let mut found = unit.document();
            if found < document {
                found = unit.seek(document)?;
            }
            if found > document {
                return Ok(found);
            }
        }
        Ok(document)
    }

    /// Moves the leading part to where the others can match.
    #[inline]
    fn follow(&mut self, found: u32) -> Result<u32> {
        let lead = &mut self.units[self.lead];
        if lead.document() < found { lead.seek(found) } else { Ok(lead.document()) }
    }

    /// Offers the document that all are at; the leading part's score is known.
    #[inline]
    fn offer<L: Leaf>(&mut self, document: u32, top: &mut LeafTop<'_, '_, L>) -> Result<bool> {
        for &other in &self.others {
            self.scores[other] = self.units[other].score()?;
        }
        top.offer(document, self.scores.iter().fold(0.0, |sum, score| sum + score))
    }
}
