//! The best documents of those that match any part of a query.

use blaze_core::Result;

use super::Leaf;
use super::top::LeafTop;
use super::unit::Unit;
use crate::END;

/// The parts of a query of which any may match, walked by windows in which the blocks of all parts bound what they can add.
///
/// Block-Max MaxScore: in each window, parts that cannot make a hit even together are only looked up where the others have a
/// document (Ding and Suel, Faster Top-k Document Retrieval Using Block-Max Indexes, 2011; for few terms it is ahead of
/// Block-Max WAND: Mallia, Siedlaczek and Suel, An Experimental Study of Index Compression and DAAT Query Processing Methods,
/// 2019).
struct Union<U> {
    /// In the order of the query.
    units: Vec<U>,
    /// Where each group of parts, whose scores are summed first, ends.
    ends: Vec<usize>,
    /// The parts by their ceilings, lowest first.
    by_ceiling: Vec<usize>,
    /// The parts by what they can add in the window, lowest first.
    order: Vec<usize>,
    /// By part: what it can add in the window.
    bounds: Vec<f32>,
    /// By place in `order`: what it and all before can add together.
    sums: Vec<f32>,
    /// Places in `order` before this one are only looked up.
    split: usize,
    /// By part: its score of the current document.
    scores: Vec<f32>,
}

/// Collects the best of what any unit matches; units up to each of `ends` are summed before they are added to the rest.
pub(super) fn union<L: Leaf, U: Unit>(units: Vec<U>, ends: Vec<usize>, top: &mut LeafTop<'_, '_, L>) -> Result<()> {
    let count = units.len();
    let order: Vec<usize> = (0..count).collect();
    let mut by_ceiling = order.clone();
    by_ceiling.sort_by(|&a, &b| units[a].ceiling().total_cmp(&units[b].ceiling()));
    let (bounds, sums, scores) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
    Union { units, ends, by_ceiling, order, bounds, sums, split: 0, scores }.run(top)
}

impl<U: Unit> Union<U> {
    fn run<L: Leaf>(&mut self, top: &mut LeafTop<'_, '_, L>) -> Result<()> {
        let mut from = 0;
        while let Some((first, last)) = self.window(from, top.floor())? {
            from = if self.bound(first, last, top.floor())? {
                match self.units.len() - self.split {
                    1 => self.one_leads(first, last, top)?,
                    _ => self.several_lead(first, last, top)?,
                }
            } else {
                last + 1
            };
            if from == END {
                break;
            }
        }
        Ok(())
    }

    /// The next window from a document on: from the first document of a part without which there are no hits, to where the
    /// first block of these parts ends.
    fn window(&mut self, from: u32, floor: f32) -> Result<Option<(u32, u32)>> {
        let mut sum = 0.0;
        let mut first = END;
        let mut essential = self.by_ceiling.len();
        for (place, &index) in self.by_ceiling.iter().enumerate() {
            sum += self.units[index].ceiling();
            if sum <= floor {
                continue;
            }
            essential = essential.min(place);
            let unit = &mut self.units[index];
            let document = if unit.document() < from { unit.seek(from)? } else { unit.document() };
            first = first.min(document);
        }
        if first == END {
            return Ok(None);
        }
        let mut last = END - 1;
        if floor > f32::NEG_INFINITY {
            for &index in &self.by_ceiling[essential..] {
                last = last.min(self.units[index].block(first)?.0);
            }
        }
        Ok(Some((first, last)))
    }

    /// Bounds what each part can add in a window; false if that makes no hit.
    fn bound(&mut self, first: u32, last: u32, floor: f32) -> Result<bool> {
        if floor == f32::NEG_INFINITY {
            self.split = 0;
            return Ok(true);
        }
        let mut sum = 0.0;
        for (unit, bound) in self.units.iter_mut().zip(&mut self.bounds) {
            *bound = unit.bound_until(first, last)?;
            sum += *bound;
        }
        if sum <= floor {
            return Ok(false);
        }
        let bounds = &self.bounds;
        self.order.sort_by(|&a, &b| bounds[a].total_cmp(&bounds[b]));
        let mut sum = 0.0;
        for (&index, total) in self.order.iter().zip(&mut self.sums) {
            sum += self.bounds[index];
            *total = sum;
        }
        self.divide(floor);
        Ok(self.split < self.units.len())
    }

    /// Finds how many parts cannot make a hit together.
    fn divide(&mut self, floor: f32) {
        self.split = self.sums.partition_point(|&sum| sum <= floor);
    }

    /// What the parts before a place of the order can add together.
    #[inline]
    fn sum_before(&self, place: usize) -> f32 {
        if place == 0 { 0.0 } else { self.sums[place - 1] }
    }

    /// One part leads through a window; answers from where to go on.
    fn one_leads<L: Leaf>(&mut self, first: u32, last: u32, top: &mut LeafTop<'_, '_, L>) -> Result<u32> {
        let lead = self.order[self.split];
        let rest = self.sum_before(self.split);
        let unit = &mut self.units[lead];
        let mut document = if unit.document() < first { unit.seek(first)? } else { unit.document() };
        while document <= last {
            let score = self.units[lead].score()?;
            if score + rest > top.floor() {
                self.scores[lead] = score;
                if self.verify(document, score, top.floor())? && top.offer(document, self.total())? {
                    if last == END - 1 {
                        return Ok(document + 1); // bounds begin to count
                    }
                    self.divide(top.floor());
                    if self.units.len() == self.split {
                        return Ok(last + 1);
                    }
                    if self.order[self.split] != lead {
                        return Ok(document + 1);
                    }
                }
            }
            document = self.units[lead].next()?;
        }
        Ok(last + 1)
    }

    /// Several parts lead through a window; answers from where to go on.
    fn several_lead<L: Leaf>(&mut self, first: u32, last: u32, top: &mut LeafTop<'_, '_, L>) -> Result<u32> {
        let mut from = first;
        loop {
            let mut document = END;
            for &index in &self.order[self.split..] {
                let unit = &mut self.units[index];
                let mut at = unit.document();
                if at < from {
                    at = if at + 1 == from { unit.next()? } else { unit.seek(from)? };
                }
                document = document.min(at);
            }
            if document > last {
                return Ok(last + 1);
            }
            from = document + 1;
            let mut sum = 0.0;
            for &index in &self.order[self.split..] {
                let unit = &mut self.units[index];
                let score = if unit.document() == document { unit.score()? } else { 0.0 };
                self.scores[index] = score;
                sum += score;
            }
            if sum + self.sum_before(self.split) > top.floor()
                && self.verify(document, sum, top.floor())?
                && top.offer(document, self.total())?
            {
                if last == END - 1 {
                    return Ok(from); // bounds begin to count
                }
                self.divide(top.floor());
                if self.units.len() == self.split {
                    return Ok(last + 1);
                }
            }
        }
    }

    /// Looks up a document in the parts that do not lead, while there is a chance; true if all are looked up.
    #[inline]
    fn verify(&mut self, document: u32, mut sum: f32, floor: f32) -> Result<bool> {
        for place in (0..self.split).rev() {
            let index = self.order[place];
            let rest = self.sum_before(place);
            let unit = &mut self.units[index];
            if unit.document() < document {
                if sum + rest + unit.block(document)?.1 <= floor {
                    return Ok(false);
                }
                unit.seek(document)?;
            }
            self.scores[index] = if unit.document() == document { unit.score()? } else { 0.0 };
            sum += self.scores[index];
            if sum + rest <= floor {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The sum of the scores in the order of the query.
    #[inline]
    fn total(&self) -> f32 {
        if self.ends.is_empty() {
            return self.scores.iter().fold(0.0, |sum, score| sum + score);
        }
        let (mut total, mut start) = (0.0, 0);
        for &end in &self.ends {
            total += self.scores[start..end].iter().fold(0.0, |sum, score| sum + score);
            start = end;
        }
        total
    }
}
