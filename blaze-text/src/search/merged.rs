//! The documents that have any of many terms, put together.

use blaze_core::Result;

use super::Leaf;
use crate::{END, Impact, Postings};

/// Documents of which one impact is kept.
const BLOCK: usize = 128;

/// Part of all documents from which frequencies are counted in an array of all: below, sorting takes less.
const DENSE: usize = 16;

/// The documents that have any of many terms, in memory, with how often they have all of them together.
pub(super) struct Merged {
    found: Vec<(u32, u32)>,
    impacts: Vec<Impact>,
    all: Option<Impact>,
    index: usize,
}

impl Merged {
    /// Walks all cursors to their ends: takes time in proportion to their documents.
    pub(super) fn new<L: Leaf, P: Postings>(leaf: &L, field: u8, cursors: Vec<P>) -> Result<Merged> {
        let entries: usize = cursors.iter().map(|cursor| cursor.len() as usize).sum();
        let documents = leaf.documents() as usize;
        let found = if entries >= documents / DENSE { counted(cursors, documents)? } else { sorted(cursors, entries)? };
        let impact = |block: &[(u32, u32)]| Impact {
            frequency: block.iter().map(|found| found.1).max().unwrap_or(0),
            length: block.iter().map(|found| leaf.length(field, found.0)).min().unwrap_or(0),
        };
        let impacts: Vec<Impact> = found.chunks(BLOCK).map(impact).collect();
        let all = impacts
            .iter()
            .copied()
            .reduce(|a, b| Impact { frequency: a.frequency.max(b.frequency), length: a.length.min(b.length) });
        Ok(Merged { found, impacts, all, index: 0 })
    }

    fn find(&self, target: u32) -> usize {
        let rest = &self.found[self.index..];
        let mut step = 1; // most are near
        while step < rest.len() && rest[step].0 < target {
            step *= 2;
        }
        let (start, end) = (step / 2, rest.len().min(step + 1));
        self.index + start + rest[start..end].partition_point(|found| found.0 < target)
    }
}

/// By an array of all documents.
fn counted<P: Postings>(cursors: Vec<P>, documents: usize) -> Result<Vec<(u32, u32)>> {
    let mut frequencies = vec![0_u32; documents];
    for mut cursor in cursors {
        let mut document = cursor.document();
        while let Some(frequency) = frequencies.get_mut(document as usize) {
            *frequency = frequency.saturating_add(cursor.frequency()?.max(1));
            document = cursor.next()?;
        }
    }
    let found = (0..).zip(frequencies).filter(|(_, frequency)| *frequency > 0);
    Ok(found.collect())
}

/// By sorting what all cursors have.
fn sorted<P: Postings>(cursors: Vec<P>, entries: usize) -> Result<Vec<(u32, u32)>> {
    let mut found: Vec<(u32, u32)> = Vec::with_capacity(entries);
    for mut cursor in cursors {
        let mut document = cursor.document();
        while document != END {
            found.push((document, cursor.frequency()?));
            document = cursor.next()?;
        }
    }
    found.sort_unstable();
    found.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 = first.1.saturating_add(later.1);
        }
        same
    });
    Ok(found)
}

impl Postings for Merged {
    #[inline]
    fn document(&self) -> u32 {
        self.found.get(self.index).map_or(END, |found| found.0)
    }

    #[inline]
    fn next(&mut self) -> Result<u32> {
        self.index = self.found.len().min(self.index + 1);
        Ok(self.document())
    }

    #[inline]
    fn seek(&mut self, target: u32) -> Result<u32> {
        self.index = self.find(target);
        Ok(self.document())
    }

    #[inline]
    fn frequency(&mut self) -> Result<u32> {
        Ok(self.found.get(self.index).map_or(0, |found| found.1))
    }

    /// None: who asks for positions does not put terms together.
    fn positions(&mut self, positions: &mut Vec<u32>) -> Result<()> {
        positions.clear();
        Ok(())
    }

    fn len(&self) -> u32 {
        self.found.len() as u32
    }

    fn block(&mut self, target: u32) -> Result<(u32, &[Impact])> {
        let index = self.find(target);
        let Some(impact) = self.impacts.get(index / BLOCK).filter(|_| index < self.found.len()) else {
            return Ok((END - 1, &[]));
        };
        let last = self.found.get((index / BLOCK + 1) * BLOCK - 1);
        Ok((last.map_or(END - 1, |last| last.0), std::slice::from_ref(impact)))
    }

    fn impacts(&self) -> &[Impact] {
        self.all.as_slice()
    }
}
