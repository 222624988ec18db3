//! Terms at places of one another.

use blaze_core::Result;

use super::Leaf;
use super::bm25::Weight;
use super::places::Places;
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
    /// The rarest first.
    order: Vec<usize>,
    places: Places,
    document: u32,
    frequency: u32,
    floor: f32,
}

impl<'l, L: Leaf, C: Postings> Phrase<'l, L, C> {
    /// The phrase of these parts, at least one.
    pub(super) fn new(
        leaf: &'l L,
        field: u8,
        cursors: Vec<C>,
        places: Places,
        weight: Weight,
    ) -> Result<Phrase<'l, L, C>> {
        let mut order: Vec<usize> = (0..cursors.len()).collect();
        order.sort_by_key(|&index| cursors[index].len());
        let ceilings = cursors.iter().map(|cursor| weight.ceiling(cursor.impacts()));
        let ceiling = ceilings.fold(f32::INFINITY, f32::min);
        let (document, frequency, floor) = (END, 0, f32::NEG_INFINITY);
        let mut phrase = Phrase { leaf, field, weight, ceiling, cursors, order, places, document, frequency, floor };
        if let Some(&lead) = phrase.order.first() {
            let target = phrase.cursors[lead].document();
            phrase.settle(target)?;
        }
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

    /// Goes to the first document from `target` on that has all parts.
    #[inline]
    fn aligned(&mut self, mut target: u32) -> Result<u32> {
        'search: while target != END {
            for &index in &self.order {
                let cursor = &mut self.cursors[index];
                let mut document = cursor.document();
                if document < target {
                    document = if document + 1 == target { cursor.next()? } else { cursor.seek(target)? };
                }
                if document > target {
                    target = document;
                    continue 'search;
                }
            }
            break;
        }
        Ok(target)
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
        for (cursor, positions) in self.cursors.iter_mut().zip(self.places.positions()) {
            cursor.positions(positions)?;
        }
        self.frequency = self.places.count();
        Ok(self.frequency > 0)
    }
}

impl<L: Leaf, C: Postings> Unit for Phrase<'_, L, C> {
    fn document(&self) -> u32 {
        self.document
    }

    fn next(&mut self) -> Result<u32> {
        if self.document == END { Ok(END) } else { self.settle(self.document + 1) }
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        self.settle(target.max(self.document))
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
