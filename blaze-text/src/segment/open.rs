//! A segment that is open.

use blaze_core::Result;

use super::bits::{BLOCK, packed_bytes, unpack};
use super::index::KeyIndex;
use super::lengths::Lengths;
use super::page::damaged;
use super::{Page, Pages, SegmentMeta, Stream};
use crate::FieldTotals;

/// A segment: documents and the postings of their terms, which never change.
///
/// Of the segment itself are in memory: how long the fields of its documents are, one, two or four bytes each, as the longest
/// needs, and the first key of each page of terms and ids. All else is read through [`Pages`], which each method is given.
#[derive(Debug)]
pub struct Segment {
    meta: SegmentMeta,
    pub(super) terms: KeyIndex,
    pub(super) ids: KeyIndex,
    lengths: Vec<Lengths>,
}

impl Segment {
    /// Opens a segment: reads how long its documents are, and the indexes of its pages.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse.
    pub fn open(meta: SegmentMeta, pages: &dyn Pages) -> Result<Segment> {
        let terms = KeyIndex::read(pages, Stream::Terms, meta.term_pages, meta.pages(Stream::Terms))?;
        let ids = KeyIndex::read(pages, Stream::Documents, meta.document_pages, meta.pages(Stream::Documents))?;
        let mut lengths = LengthReader { pages, number: 0, count: meta.pages(Stream::Lengths), page: None, at: 0 };
        let field = |_| lengths.field(meta.documents).map(Lengths::new);
        let lengths = meta.fields.iter().map(field).collect::<Result<_>>()?;
        Ok(Segment { meta, terms, ids, lengths })
    }

    /// What it was opened with.
    pub fn meta(&self) -> &SegmentMeta {
        &self.meta
    }

    /// How many documents it has, those that are dead included: they are numbered from 0, in the order of their ids.
    pub fn documents(&self) -> u32 {
        self.meta.documents
    }

    /// What it adds to the totals of a field: its documents, without what its making has taken from other segments.
    pub fn totals(&self, field: u8) -> FieldTotals {
        self.meta.added(field).minus(self.meta.removed(field))
    }

    /// How many tokens a field of a document has; none if there is no such field or document.
    #[inline]
    pub fn length(&self, field: u8, document: u32) -> u32 {
        self.length_of(field, document).unwrap_or(0)
    }

    #[inline]
    pub(super) fn length_of(&self, field: u8, document: u32) -> Option<u32> {
        self.lengths.get(usize::from(field))?.get(document)
    }

    /// How many tokens a field of each of some documents has, as [`length`](Segment::length) says.
    pub fn lengths(&self, field: u8, documents: &[u32], lengths: &mut [u32]) {
        match self.lengths.get(usize::from(field)) {
            Some(all) => all.gather(documents, lengths),
            None => lengths.fill(0),
        }
    }

    /// Bytes in memory.
    pub fn memory_bytes(&self) -> usize {
        let lengths: usize = self.lengths.iter().map(Lengths::memory_bytes).sum();
        lengths + self.terms.memory_bytes() + self.ids.memory_bytes() + size_of::<Segment>()
    }

    pub(super) fn average(&self, field: u8) -> f32 {
        self.meta.average(field)
    }
}

/// Reads groups of lengths one after the other.
struct LengthReader<'p> {
    pages: &'p dyn Pages,
    number: u32,
    count: u32,
    page: Option<Page>,
    at: usize,
}

impl LengthReader<'_> {
    fn field(&mut self, documents: u32) -> Result<Vec<u32>> {
        let (mut lengths, mut left) = (Vec::new(), documents as usize);
        while left > 0 {
            let count = left.min(BLOCK);
            self.group(count, &mut lengths)?;
            left -= count;
        }
        Ok(lengths)
    }

    fn group(&mut self, count: usize, lengths: &mut Vec<u32>) -> Result<()> {
        if self.page.as_ref().is_none_or(|page| self.at >= page.payload().len()) {
            if self.number >= self.count {
                return Err(damaged("lengths of documents are missing"));
            }
            self.page = Some(self.pages.page(Stream::Lengths, self.number)?);
            (self.number, self.at) = (self.number + 1, 0);
        }
        let mut block = [0; BLOCK];
        let rest = self.page.as_ref().and_then(|page| page.payload()[self.at..].split_first());
        let (bits, packed) = rest.ok_or_else(|| damaged("lengths of documents are missing"))?;
        unpack(packed, *bits, count, &mut block).ok_or_else(|| damaged("lengths of documents do not parse"))?;
        self.at += 1 + packed_bytes(count, *bits);
        lengths.extend_from_slice(&block[..count]);
        Ok(())
    }
}
