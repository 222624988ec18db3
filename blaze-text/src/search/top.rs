//! The best of what is found.

use std::collections::BinaryHeap;

use blaze_core::Result;

use super::bm25::floor_of;
use super::unit::Unit;
use super::{Accept, Leaf};

/// The k best documents of all leaves; of equal ones those that came first.
pub(super) struct Top {
    most: usize,
    is_full: bool,
    /// The greatest is the worst.
    found: BinaryHeap<Ranked>,
}

/// A document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) score: f32,
    pub(super) leaf: usize,
    pub(super) document: u32,
}

/// A document as a number that is the greater the worse it is: by its score, then by when it comes. Heaps compare a lot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked(u128);

impl Ranked {
    fn new(candidate: Candidate) -> Ranked {
        let worse = !ordered(candidate.score.to_bits());
        let later = (candidate.leaf as u64) << 32 | u64::from(candidate.document);
        Ranked(u128::from(worse) << 64 | u128::from(later))
    }

    fn score(self) -> f32 {
        f32::from_bits(unordered(!((self.0 >> 64) as u32)))
    }

    fn candidate(self) -> Candidate {
        let later = self.0 as u64;
        Candidate { score: self.score(), leaf: (later >> 32) as usize, document: later as u32 }
    }
}

/// Bits of a number that are ordered as [`f32::total_cmp`] orders numbers.
fn ordered(bits: u32) -> u32 {
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

fn unordered(ordered: u32) -> u32 {
    if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered }
}

impl Top {
    pub(super) fn new(most: usize) -> Top {
        Top { most, is_full: false, found: BinaryHeap::with_capacity(most.min(1_024) + 1) }
    }

    /// The best first.
    pub(super) fn into_sorted(self) -> Vec<Candidate> {
        self.found.into_sorted_vec().into_iter().map(Ranked::candidate).collect()
    }

    /// What a score has to be above.
    fn threshold(&self) -> f32 {
        match self.found.peek() {
            Some(worst) if self.is_full => worst.score(),
            _ => f32::NEG_INFINITY,
        }
    }
}

/// The best documents, while one leaf is searched.
pub(super) struct LeafTop<'t, 'l, L> {
    top: &'t mut Top,
    leaf: &'l L,
    number: usize,
    /// Matches what must not match.
    except: Option<Box<dyn Unit + 'l>>,
    accept: Accept<'t>,
    threshold: f32,
    floor: f32,
    summands: usize,
}

impl<'t, 'l, L: Leaf> LeafTop<'t, 'l, L> {
    /// Collects what a leaf has; scores are sums of at most so many.
    pub(super) fn new(
        top: &'t mut Top,
        (number, leaf): (usize, &'l L),
        except: Option<Box<dyn Unit + 'l>>,
        accept: Accept<'t>,
        summands: usize,
    ) -> LeafTop<'t, 'l, L> {
        let threshold = top.threshold();
        let floor = floor_of(threshold, summands);
        LeafTop { top, leaf, number, except, accept, threshold, floor, summands }
    }

    /// What is not above it, by its bounds, is not among the best.
    #[inline]
    pub(super) fn floor(&self) -> f32 {
        self.floor
    }

    /// Scores that are not above it are not among the best.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Takes a document if it is live and among the best; true if others need a higher score from now on.
    #[inline]
    pub(super) fn offer(&mut self, document: u32, score: f32) -> Result<bool> {
        if score > self.threshold { self.consider(document, score) } else { Ok(false) }
    }

    fn consider(&mut self, document: u32, score: f32) -> Result<bool> {
        if !self.leaf.is_live(document) || self.is_excepted(document)? {
            return Ok(false);
        }
        if let Some(accept) = &mut self.accept
            && !accept(&self.leaf.id(document)?)?
        {
            return Ok(false);
        }
        let candidate = Ranked::new(Candidate { score, leaf: self.number, document });
        match self.top.found.peek_mut() {
            Some(mut worst) if self.top.is_full => *worst = candidate,
            worst => {
                drop(worst);
                self.top.found.push(candidate);
                self.top.is_full = self.top.found.len() >= self.top.most;
            }
        }
        let threshold = self.top.threshold();
        let raised = threshold > self.threshold;
        self.threshold = threshold;
        self.floor = floor_of(threshold, self.summands);
        Ok(raised)
    }

    fn is_excepted(&mut self, document: u32) -> Result<bool> {
        let Some(except) = &mut self.except else { return Ok(false) };
        if except.document() < document {
            except.seek(document)?;
        }
        Ok(except.document() == document)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn candidates_are_ordered_by_score_and_then_as_they_come(
            a in (any::<f32>(), 0_usize..3, any::<u32>()),
            b in (any::<f32>(), 0_usize..3, any::<u32>()),
        ) {
            let candidate = |(score, leaf, document)| Candidate { score, leaf, document };
            let worse = b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)));
            let (first, second) = (Ranked::new(candidate(a)), Ranked::new(candidate(b)));
            prop_assert_eq!(first.cmp(&second), worse);
            let read = first.candidate();
            prop_assert_eq!((read.score.to_bits(), read.leaf, read.document), (a.0.to_bits(), a.1, a.2));
        }
    }
}
