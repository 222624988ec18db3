//! What a delta has of one term.

use blaze_core::{Error, Result};

use crate::Impact;

/// Documents of which one impact is kept.
pub(super) const BLOCK: usize = 128;

/// The documents of a delta that have a term, ascending, and what of the term was taken away elsewhere.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) documents: Vec<u32>,
    /// Where the positions of each document end.
    ends: Vec<u32>,
    positions: Vec<u32>,
    /// One for each block of documents.
    impacts: Vec<Impact>,
    /// Of all documents.
    all: Option<Impact>,
    /// When documents of this list were changed again, ascending.
    died: Vec<u64>,
    /// When documents that are elsewhere were changed, ascending.
    removed: Vec<u64>,
}

impl List {
    /// Adds a document, which is behind all others; `length` is that of its field.
    pub(super) fn push(&mut self, document: u32, positions: &[u32], length: u32) -> Result<()> {
        let end = u32::try_from(self.positions.len() + positions.len());
        let end = end.map_err(|_| Error::limit_exceeded("a term is in more than 2^32 places that are not folded"))?;
        let impact = Impact { frequency: positions.len() as u32, length };
        match self.impacts.last_mut() {
            Some(block) if !self.documents.len().is_multiple_of(BLOCK) => *block = better(*block, impact),
            _ => self.impacts.push(impact),
        }
        self.all = Some(self.all.map_or(impact, |all| better(all, impact)));
        self.documents.push(document);
        self.ends.push(end);
        self.positions.extend_from_slice(positions);
        Ok(())
    }

    /// One of the documents is no longer there.
    pub(super) fn died(&mut self, at: u64) {
        self.died.push(at);
    }

    /// A document that is elsewhere and has the term is no longer there.
    pub(super) fn removed(&mut self, at: u64) {
        self.removed.push(at);
    }

    /// By how many this changes the documents that have the term, as of a moment when there were so many numbers.
    pub(super) fn added(&self, documents: u32, at: u64) -> i64 {
        let until = |moments: &[u64]| moments.partition_point(|&moment| moment <= at);
        self.count(documents) as i64 - until(&self.died) as i64 - until(&self.removed) as i64
    }

    /// How many documents have numbers below this one.
    pub(super) fn count(&self, documents: u32) -> usize {
        self.documents.partition_point(|&document| document < documents)
    }

    #[inline]
    pub(super) fn positions(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.positions[start..self.ends[index] as usize]
    }

    #[inline]
    pub(super) fn frequency(&self, index: usize) -> u32 {
        self.ends[index] - if index == 0 { 0 } else { self.ends[index - 1] }
    }

    /// The impact of all documents.
    pub(super) fn impacts(&self) -> &[Impact] {
        self.all.as_slice()
    }

    /// The impact of the block in which the document at an index is.
    #[inline]
    pub(super) fn impact(&self, index: usize) -> &[Impact] {
        std::slice::from_ref(&self.impacts[index / BLOCK])
    }
}

/// An impact that is at least as good as both.
fn better(a: Impact, b: Impact) -> Impact {
    Impact { frequency: a.frequency.max(b.frequency), length: a.length.min(b.length) }
}
