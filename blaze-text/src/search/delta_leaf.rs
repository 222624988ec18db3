//! What is not folded into segments, as a search sees it.

use std::fmt;

use blaze_core::Result;

use super::{Leaf, TermVisitor};
use crate::{DeltaPostings, DeltaTerm, DeltaView, FieldTotals, TermKey};

/// Says of which ids documents are masked.
type Masks<'a> = dyn Fn(&[u8]) -> bool + 'a;

/// A view of a [`Delta`](crate::Delta), without the documents that deltas above it have changed.
#[derive(Clone, Copy)]
pub struct DeltaLeaf<'a> {
    view: DeltaView<'a>,
    above: Option<&'a Masks<'a>>,
}

impl<'a> DeltaLeaf<'a> {
    /// A view that has no delta above it.
    pub fn new(view: DeltaView<'a>) -> DeltaLeaf<'a> {
        DeltaLeaf { view, above: None }
    }

    /// A view below others, which say of which ids they mask the documents.
    pub fn below(view: DeltaView<'a>, masks: &'a dyn Fn(&[u8]) -> bool) -> DeltaLeaf<'a> {
        DeltaLeaf { view, above: Some(masks) }
    }
}

impl<'v> Leaf for DeltaLeaf<'v> {
    type Entry = DeltaTerm<'v>;
    type Postings<'a>
        = DeltaPostings<'v>
    where
        Self: 'a;

    fn documents(&self) -> u32 {
        self.view.documents()
    }

    fn totals(&self, field: u8) -> FieldTotals {
        self.view.totals(field)
    }

    fn find(&self, key: &TermKey) -> Result<Option<DeltaTerm<'v>>> {
        Ok(self.view.find(key))
    }

    fn added(&self, entry: &DeltaTerm<'v>) -> i64 {
        entry.added()
    }

    fn postings<'a>(&'a self, entry: &'a DeltaTerm<'v>, _positions: bool) -> Result<DeltaPostings<'v>> {
        Ok(self.view.postings(entry))
    }

    #[inline]
    fn length(&self, field: u8, document: u32) -> u32 {
        self.view.length(field, document)
    }

    fn is_live(&self, document: u32) -> bool {
        self.view.is_live(document) && !self.above.is_some_and(|masks| masks(self.view.id(document)))
    }

    fn id(&self, document: u32) -> Result<Box<[u8]>> {
        Ok(self.view.id(document).into())
    }

    fn find_document(&self, id: &[u8]) -> Result<Option<u32>> {
        Ok(self.view.find_document(id))
    }

    fn terms_from(&self, from: &TermKey, visit: &mut TermVisitor<'_>) -> Result<()> {
        self.view.terms_from(from, visit)
    }
}

impl fmt::Debug for DeltaLeaf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeltaLeaf").field("view", &self.view).field("below", &self.above.is_some()).finish()
    }
}
