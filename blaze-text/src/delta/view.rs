//! A delta as of a moment.

use std::fmt;

use blaze_core::Result;

use super::list::List;
use super::{Delta, DeltaPostings};
use crate::{FieldTotals, TermKey, TermVisitor};

/// What the changes of a [`Delta`] up to a moment make.
#[derive(Clone, Copy)]
pub struct DeltaView<'a> {
    delta: &'a Delta,
    at: u64,
    changes: usize,
    documents: u32,
}

/// What a view of a delta has of a term.
#[derive(Clone, Copy)]
pub struct DeltaTerm<'a> {
    list: &'a List,
    /// How many documents of the list there are.
    count: usize,
    added: i64,
}

impl DeltaTerm<'_> {
    /// By how many the changes add to the documents that have the term: negative if they take more away.
    pub fn added(&self) -> i64 {
        self.added
    }
}

impl<'a> DeltaView<'a> {
    pub(super) fn new(delta: &'a Delta, at: u64) -> DeltaView<'a> {
        let changes = delta.changes.partition_point(|&change| change <= at);
        let documents = delta.documents.partition_point(|document| document.at <= at) as u32;
        DeltaView { delta, at, changes, documents }
    }

    /// How many numbers there are, those of dead documents included.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// By how much the changes add to what is counted of a field.
    pub fn totals(&self, field: u8) -> FieldTotals {
        let (fields, field) = (self.delta.fields.len(), usize::from(field));
        if field >= fields || self.changes == 0 {
            return FieldTotals::default();
        }
        self.delta.totals[(self.changes - 1) * fields + field]
    }

    /// How many tokens a field of a document has.
    #[inline]
    pub fn length(&self, field: u8, document: u32) -> u32 {
        let field = self.delta.fields.get(usize::from(field));
        field.and_then(|field| field.lengths.get(document as usize)).copied().unwrap_or(0)
    }

    /// True if the document was not changed again.
    #[inline]
    pub fn is_live(&self, document: u32) -> bool {
        document < self.documents && self.delta.documents[document as usize].died > self.at
    }

    /// The id of a document; empty for a number that is not there.
    pub fn id(&self, document: u32) -> &'a [u8] {
        self.delta.documents.get(document as usize).map_or(&[], |document| &document.id)
    }

    /// The number of the live document of an id.
    pub fn find_document(&self, id: &[u8]) -> Option<u32> {
        let mut number = self.delta.ids.get(id)?.number;
        while let Some(later) = number.filter(|&number| number >= self.documents) {
            number = self.delta.documents[later as usize].before;
        }
        number.filter(|&number| self.is_live(number))
    }

    /// True if what the leaves below have of the document of an id does not count.
    pub fn masks(&self, id: &[u8]) -> bool {
        self.delta.ids.get(id).and_then(|changed| changed.masked).is_some_and(|masked| masked <= self.at)
    }

    /// The ids that the view masks and views of `after` or earlier did not, with when they were changed, in that order.
    pub fn masked_after(&self, after: Option<u64>) -> impl Iterator<Item = (u64, &'a [u8])> + use<'a> {
        let masked = self.delta.masked.as_slice();
        let until = |moment: u64| masked.partition_point(|(at, _)| *at <= moment);
        let end = until(self.at);
        let start = after.map_or(0, until).min(end);
        masked[start..end].iter().map(|(at, id)| (*at, &**id))
    }

    /// What there is of a term, if anything was ever added or taken away.
    pub fn find(&self, key: &TermKey) -> Option<DeltaTerm<'a>> {
        let field = self.delta.fields.get(usize::from(key.field))?;
        Some(self.term(*field.terms.get(&*key.term)?))
    }

    fn term(&self, list: u32) -> DeltaTerm<'a> {
        let list = &self.delta.lists[list as usize];
        DeltaTerm { list, count: list.count(self.documents), added: list.added(self.documents, self.at) }
    }

    /// The documents that have a term.
    pub fn postings(&self, term: &DeltaTerm<'a>) -> DeltaPostings<'a> {
        DeltaPostings::new(term.list, term.count)
    }

    /// Visits the terms from one on, in order, each with its field and what was added of it, until told to stop.
    ///
    /// # Errors
    /// What the visitor answers.
    pub fn terms_from(&self, from: &TermKey, visit: &mut TermVisitor<'_>) -> Result<()> {
        for index in usize::from(from.field)..self.delta.fields.len() {
            let first: &[u8] = if index == usize::from(from.field) { &from.term } else { &[] };
            let range = (std::ops::Bound::Included(first), std::ops::Bound::Unbounded);
            for (term, &list) in self.delta.fields[index].sorted.range::<[u8], _>(range) {
                let list = self.term(list);
                if list.count == 0 && list.added == 0 {
                    continue;
                }
                if visit(index as u8, term, list.added)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DeltaView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeltaView { at, changes, documents, .. } = self;
        f.debug_struct("DeltaView")
            .field("at", at)
            .field("changes", changes)
            .field("documents", documents)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeltaTerm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeltaTerm { count, added, .. } = self;
        f.debug_struct("DeltaTerm").field("documents", count).field("added", added).finish_non_exhaustive()
    }
}
