//! The best of what is found.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use blaze_core::Result;

use super::bm25::floor_of;
use super::unit::Unit;
use super::{Accept, Leaf};

/// The k best documents of all leaves; of equal ones those that came first.
pub(super) struct Top {
    most: usize,
    found: BinaryHeap<Candidate>,
}

/// A document; the greatest is the worst.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) score: f32,
    pub(super) leaf: usize,
    pub(super) document: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let later = (self.leaf, self.document).cmp(&(other.leaf, other.document));
        other.score.total_cmp(&self.score).then(later)
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Top {
    pub(super) fn new(most: usize) -> Top {
        Top { most, found: BinaryHeap::with_capacity(most.min(1_024) + 1) }
    }

    /// The best first.
    pub(super) fn into_sorted(self) -> Vec<Candidate> {
        self.found.into_sorted_vec()
    }

    /// What a score has to be above.
    fn threshold(&self) -> f32 {
        match self.found.peek() {
            Some(worst) if self.found.len() >= self.most => worst.score,
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
        if self.top.found.len() >= self.top.most {
            self.top.found.pop();
        }
        self.top.found.push(Candidate { score, leaf: self.number, document });
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
