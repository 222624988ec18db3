//! A segment, as a search sees it.

use std::fmt;

use blaze_core::Result;

use super::{Leaf, TermVisitor};
use crate::{FieldTotals, Pages, Segment, SegmentPostings, TermEntry, TermKey};

/// A segment with its pages, without the documents that are dead.
#[derive(Clone, Copy)]
pub struct SegmentLeaf<'a> {
    segment: &'a Segment,
    pages: &'a dyn Pages,
    is_dead: &'a dyn Fn(u32) -> bool,
}

impl<'a> SegmentLeaf<'a> {
    /// A segment; `is_dead` says which of its documents later segments have taken away and deltas mask.
    pub fn new(segment: &'a Segment, pages: &'a dyn Pages, is_dead: &'a dyn Fn(u32) -> bool) -> SegmentLeaf<'a> {
        SegmentLeaf { segment, pages, is_dead }
    }
}

/// The documents of a segment that have one of some ids, ascending: those that a delta masks, by
/// [`masked_after`](crate::DeltaView::masked_after).
///
/// Takes a look-up for each id.
///
/// # Errors
/// As [`Segment::find_document`].
pub fn documents_of<'i>(
    segment: &Segment,
    pages: &dyn Pages,
    ids: impl IntoIterator<Item = &'i [u8]>,
) -> Result<Vec<u32>> {
    let mut documents = Vec::new();
    for id in ids {
        documents.extend(segment.find_document(pages, id)?);
    }
    documents.sort_unstable();
    documents.dedup();
    Ok(documents)
}

impl<'s> Leaf for SegmentLeaf<'s> {
    type Entry = TermEntry;
    type Postings<'a>
        = SegmentPostings<'s>
    where
        Self: 'a;

    fn documents(&self) -> u32 {
        self.segment.documents()
    }

    fn totals(&self, field: u8) -> FieldTotals {
        self.segment.totals(field)
    }

    fn find(&self, key: &TermKey) -> Result<Option<TermEntry>> {
        self.segment.find(self.pages, key)
    }

    fn added(&self, entry: &TermEntry) -> i64 {
        i64::from(entry.documents) - i64::from(entry.removed)
    }

    fn postings<'a>(&'a self, entry: &'a TermEntry, _positions: bool) -> Result<SegmentPostings<'s>> {
        self.segment.postings(self.pages, entry)
    }

    #[inline]
    fn length(&self, field: u8, document: u32) -> u32 {
        self.segment.length(field, document)
    }

    fn lengths(&self, field: u8, documents: &[u32], lengths: &mut [u32]) {
        self.segment.lengths(field, documents, lengths);
    }

    fn is_live(&self, document: u32) -> bool {
        !(self.is_dead)(document)
    }

    fn id(&self, document: u32) -> Result<Box<[u8]>> {
        self.segment.id(self.pages, document)
    }

    fn find_document(&self, id: &[u8]) -> Result<Option<u32>> {
        self.segment.find_document(self.pages, id)
    }

    fn terms_from(&self, from: &TermKey, visit: &mut TermVisitor<'_>) -> Result<()> {
        let mut cursor = self.segment.terms(self.pages, from)?;
        while cursor.advance()? {
            let added = cursor.entry().map_or(0, |entry| self.added(&entry));
            if visit(cursor.field(), cursor.term(), added)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SegmentLeaf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentLeaf").field("documents", &self.segment.documents()).finish_non_exhaustive()
    }
}
