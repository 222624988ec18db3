//! Cursors over the documents that have any of several terms.

use blaze_core::Result;

use super::Leaf;
use super::merged::Merged;
use crate::{Batch, END, Impact, Postings};

/// Terms from which their documents are put together before they are walked.
const MERGED_MIN: usize = 8;

/// The documents that have a term, or any of several.
pub(super) enum Cursor<P> {
    One(P),
    Several(Several<P>),
    Merged(Merged),
}

impl<P: Postings> Cursor<P> {
    /// The documents of a leaf that have any of the terms of a field; none if there is none.
    pub(super) fn new<L: Leaf>(leaf: &L, field: u8, mut cursors: Vec<P>, positions: bool) -> Result<Option<Cursor<P>>> {
        if cursors.len() >= MERGED_MIN && !positions {
            return Ok(Some(Cursor::Merged(Merged::new(leaf, field, cursors)?)));
        }
        Ok(match cursors.len() {
            0 => None,
            1 => cursors.pop().map(Cursor::One),
            _ => Some(Cursor::Several(Several::new(cursors))),
        })
    }
}

macro_rules! of_each {
    ($self:expr, $cursor:ident => $does:expr) => {
        match $self {
            Cursor::One($cursor) => $does,
            Cursor::Several($cursor) => $does,
            Cursor::Merged($cursor) => $does,
        }
    };
}

impl<P: Postings> Postings for Cursor<P> {
    #[inline]
    fn document(&self) -> u32 {
        of_each!(self, cursor => cursor.document())
    }

    #[inline]
    fn next(&mut self) -> Result<u32> {
        of_each!(self, cursor => cursor.next())
    }

    #[inline]
    fn seek(&mut self, target: u32) -> Result<u32> {
        of_each!(self, cursor => cursor.seek(target))
    }

    #[inline]
    fn frequency(&mut self) -> Result<u32> {
        of_each!(self, cursor => cursor.frequency())
    }

    fn batch(&mut self, last: u32, least_frequency: u32, batch: &mut Batch) -> Result<()> {
        of_each!(self, cursor => cursor.batch(last, least_frequency, batch))
    }

    fn positions(&mut self, positions: &mut Vec<u32>) -> Result<()> {
        of_each!(self, cursor => cursor.positions(positions))
    }

    fn len(&self) -> u32 {
        of_each!(self, cursor => cursor.len())
    }

    fn block(&mut self, target: u32) -> Result<(u32, &[Impact])> {
        of_each!(self, cursor => cursor.block(target))
    }

    #[inline]
    fn find_block(&mut self, target: u32, is_worth: impl Fn(Impact) -> bool) -> Result<(u32, u32)> {
        of_each!(self, cursor => cursor.find_block(target, is_worth))
    }

    fn impacts(&self) -> &[Impact] {
        of_each!(self, cursor => cursor.impacts())
    }
}

/// The documents that have any of a few terms: as often as all of them together.
pub(super) struct Several<P> {
    cursors: Vec<P>,
    document: u32,
    impact: Impact,
    /// Of all documents, if it is known of each term.
    all: Option<Impact>,
    positions: Vec<u32>,
}

impl<P: Postings> Several<P> {
    fn new(cursors: Vec<P>) -> Several<P> {
        let impact = Impact { frequency: 0, length: u32::MAX };
        let all = cursors.iter().try_fold(impact, |all, cursor| {
            let impacts = cursor.impacts();
            (!impacts.is_empty()).then(|| with(all, impacts))
        });
        let mut several = Several { cursors, document: END, impact, all, positions: Vec::new() };
        several.settle();
        several
    }

    fn settle(&mut self) -> u32 {
        self.document = self.cursors.iter().map(Postings::document).min().unwrap_or(END);
        self.document
    }
}

impl<P: Postings> Postings for Several<P> {
    #[inline]
    fn document(&self) -> u32 {
        self.document
    }

    fn next(&mut self) -> Result<u32> {
        for cursor in &mut self.cursors {
            if cursor.document() == self.document && self.document != END {
                cursor.next()?;
            }
        }
        Ok(self.settle())
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        for cursor in &mut self.cursors {
            if cursor.document() < target {
                cursor.seek(target)?;
            }
        }
        Ok(self.settle())
    }

    fn frequency(&mut self) -> Result<u32> {
        let mut frequency = 0_u32;
        for cursor in &mut self.cursors {
            if cursor.document() == self.document && self.document != END {
                frequency = frequency.saturating_add(cursor.frequency()?);
            }
        }
        Ok(frequency)
    }

    fn positions(&mut self, positions: &mut Vec<u32>) -> Result<()> {
        positions.clear();
        for cursor in &mut self.cursors {
            if cursor.document() == self.document && self.document != END {
                cursor.positions(&mut self.positions)?;
                positions.append(&mut self.positions);
            }
        }
        positions.sort_unstable();
        positions.dedup();
        Ok(())
    }

    fn len(&self) -> u32 {
        self.cursors.iter().map(Postings::len).fold(0, u32::saturating_add)
    }

    fn block(&mut self, target: u32) -> Result<(u32, &[Impact])> {
        let mut last = END - 1;
        self.impact = Impact { frequency: 0, length: u32::MAX };
        for cursor in &mut self.cursors {
            let target = target.max(cursor.document());
            if target == END {
                continue;
            }
            let (end, impacts) = cursor.block(target)?;
            last = last.min(end);
            self.impact = with(self.impact, impacts);
        }
        Ok((last, std::slice::from_ref(&self.impact)))
    }

    fn impacts(&self) -> &[Impact] {
        self.all.as_slice()
    }
}

/// An impact of documents that have one term as often as it says and another one as often as others say.
fn with(impact: Impact, others: &[Impact]) -> Impact {
    let most = others.iter().map(|other| other.frequency).max().unwrap_or(0);
    let least = others.iter().map(|other| other.length).min().unwrap_or(u32::MAX);
    Impact { frequency: impact.frequency.saturating_add(most), length: impact.length.min(least) }
}
