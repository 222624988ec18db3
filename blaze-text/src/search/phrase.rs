//! Terms at places of one another.

use blaze_core::Result;

use super::Leaf;
use super::bm25::Weight;
use super::clause::Clause;
use super::places::Places;
use super::scored::Scored;
use super::unit::Unit;
use crate::{END, Postings};

/// The documents of a leaf that have a phrase.
pub(super) struct Phrase<'l, L, C> {
    leaf: &'l L,
    field: u8,
    weight: Weight,
    ceiling: f32,
    /// As they are in the phrase.
    cursors: Vec<C>,
    /// The rarest last: its documents come from `lead`.
    order: Vec<usize>,
    places: Places,
    /// The documents of the rarest part, each scored as if it had the phrase as often as that part: how long documents are is far
    /// away in memory, and known of many at once sooner than of one after the other.
    lead: Clause<'l, L, C>,
    scored: Scored,
    /// Those of the scored documents before this place are passed.
    passed: usize,
    document: u32,
    frequency: u32,
    floor: f32,
}

impl<'l, L: Leaf, C: Postings> Phrase<'l, L, C> {
    /// The phrase of these parts, at least one; `lead` has the documents of the [rarest](rarest).
    pub(super) fn new(
        (leaf, field): (&'l L, u8),
        cursors: Vec<C>,
        lead: C,
        places: Places,
        weight: Weight,
    ) -> Result<Phrase<'l, L, C>> {
        let mut order: Vec<usize> = (0..cursors.len()).collect();
        order.sort_by_key(|&index| cursors[index].len());
        if !order.is_empty() {
            order.rotate_left(1);
        }
        let ceilings = cursors.iter().map(|cursor| weight.ceiling(cursor.impacts()));
        let mut phrase = Phrase {
            leaf,
            field,
            weight,
            ceiling: ceilings.fold(f32::INFINITY, f32::min),
            cursors,
            order,
            places,
            lead: Clause::new(leaf, field, lead, weight),
            scored: Scored::new(),
            passed: 0,
            document: END,
            frequency: 0,
            floor: f32::NEG_INFINITY,
        };
        phrase.settle(0)?;
        Ok(phrase)
    }

    /// How often the current document has the phrase.
    pub(super) fn frequency(&self) -> u32 {
        self.frequency
    }

    /// Goes to the first document from `target` on that has the phrase.
    fn settle(&mut self, mut target: u32) -> Result<u32> {
        loop {
            target = self.aligned(target)?;
            if target == END || self.is_match()? {
                self.document = target;
                return Ok(target);
            }
            target += 1;
        }
    }

    /// Goes to the first document from `target` on that has all parts, and the rarest one often enough.
    #[inline]
    fn aligned(&mut self, mut target: u32) -> Result<u32> {
        'search: while let Some(document) = self.next_of_lead(target)? {
            for &index in &self.order {
                let cursor = &mut self.cursors[index];
                let at = if cursor.document() < document { cursor.seek(document)? } else { cursor.document() };
                if at > document {
                    target = at;
                    continue 'search;
                }
            }
            return Ok(document);
        }
        Ok(END)
    }

    /// The next document of the rarest part that is not before `target`, of those that may score above the floor.
    #[inline]
    fn next_of_lead(&mut self, target: u32) -> Result<Option<u32>> {
        loop {
            while let Some(at) = self.scored.find_above(self.passed, self.floor) {
                self.passed = at + 1;
                if let Some((document, _)) = self.scored.get(at).filter(|(document, _)| *document >= target) {
                    return Ok(Some(document));
                }
            }
            let mut next = target.max(self.scored.end()).max(self.lead.document());
            if self.floor > f32::NEG_INFINITY {
                (next, _) = self.lead.find_block(next, self.floor)?;
            }
            if next != END && self.lead.document() < next {
                self.lead.seek(next)?;
            }
            if next == END || self.lead.document() == END {
                return Ok(None);
            }
            self.lead.batch(END - 1, self.floor, &mut self.scored)?;
            self.passed = 0;
        }
    }

    /// Whether the document that all parts are at has the phrase, often enough.
    fn is_match(&mut self) -> Result<bool> {
        if self.floor > f32::NEG_INFINITY {
            let mut most = u32::MAX;
            for cursor in &mut self.cursors {
                most = most.min(cursor.frequency()?);
            }
            let document = self.cursors[0].document();
            if self.weight.score(most, self.leaf.length(self.field, document)) <= self.floor {
                return Ok(false);
            }
        }
        // The rarest part first: most documents do not have it beside the next one, and positions of what is frequent take longer
        // to read.
        let Some((&rarest, others)) = self.order.split_last() else { return Ok(false) };
        self.cursors[rarest].positions(self.places.positions(rarest))?;
        for (read, &part) in others.iter().enumerate() {
            self.cursors[part].positions(self.places.positions(part))?;
            if read + 1 < others.len() && !self.places.may_meet(rarest, part) {
                return Ok(false);
            }
        }
        self.frequency = self.places.count();
        Ok(self.frequency > 0)
    }
}

/// The part that the fewest documents have.
pub(super) fn rarest<C: Postings>(cursors: &[C]) -> Option<usize> {
    (0..cursors.len()).min_by_key(|&index| cursors[index].len())
}

impl<L: Leaf, C: Postings> Unit for Phrase<'_, L, C> {
    fn document(&self) -> u32 {
        self.document
    }

    fn next(&mut self) -> Result<u32> {
        if self.document == END { Ok(END) } else { self.settle(self.document + 1) }
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        if target <= self.document { Ok(self.document) } else { self.settle(target) }
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.weight.score(self.frequency, self.leaf.length(self.field, self.document)))
    }

    /// A phrase is nowhere more often than its rarest part.
    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        let target = target.max(self.document);
        let (mut last, mut bound) = (END - 1, self.ceiling);
        if target == END {
            return Ok((last, 0.0));
        }
        let weight = self.weight;
        for cursor in &mut self.cursors {
            let target = target.max(cursor.document());
            if target == END {
                return Ok((END - 1, 0.0));
            }
            let (end, impacts) = cursor.block(target)?;
            last = last.min(end.max(target));
            bound = bound.min(weight.bound(impacts));
        }
        Ok((last.min(END - 1), bound))
    }

    fn ceiling(&self) -> f32 {
        self.ceiling
    }

    fn cost(&self) -> u64 {
        self.cursors.iter().map(|cursor| u64::from(cursor.len())).min().unwrap_or(0)
    }

    fn raise(&mut self, floor: f32) {
        self.floor = floor;
    }
}
