//! A part of an index, as a search sees it.

use std::ops::ControlFlow;

use blaze_core::Result;

use crate::{FieldTotals, Postings, TermKey};

/// What visits terms: told the field, the term and by how many its documents grow.
pub type TermVisitor<'a> = dyn FnMut(u8, &[u8], i64) -> Result<ControlFlow<()>> + 'a;

/// A part of an index that can be searched: a segment, or what is not folded into one.
///
/// Documents have numbers from 0 on, those that are deleted included. What is counted is signed: a part counts what it has, and
/// takes away what its changes removed from others.
pub trait Leaf {
    /// What the leaf knows of a term.
    type Entry;
    /// The documents that have a term.
    type Postings<'a>: Postings
    where
        Self: 'a;

    /// How many numbers there are, those of dead documents included.
    fn documents(&self) -> u32;

    /// What is counted of a field.
    fn totals(&self, field: u8) -> FieldTotals;

    /// What there is of a term, if anything.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse.
    fn find(&self, key: &TermKey) -> Result<Option<Self::Entry>>;

    /// By how many the leaf adds to the documents that have the term.
    fn added(&self, entry: &Self::Entry) -> i64;

    /// The documents that have a term, with their positions if these will be asked for.
    ///
    /// # Errors
    /// As [`find`](Leaf::find).
    fn postings<'a>(&'a self, entry: &'a Self::Entry, positions: bool) -> Result<Self::Postings<'a>>;

    /// How many tokens a field of a document has.
    fn length(&self, field: u8, document: u32) -> u32;

    /// How many tokens a field of each of some documents has, as [`length`](Leaf::length) says.
    fn lengths(&self, field: u8, documents: &[u32], lengths: &mut [u32]) {
        for (document, length) in documents.iter().zip(lengths) {
            *length = self.length(field, *document);
        }
    }

    /// False if the document is deleted, or if a part above has changed it.
    fn is_live(&self, document: u32) -> bool;

    /// The id of a document.
    ///
    /// # Errors
    /// As [`find`](Leaf::find).
    fn id(&self, document: u32) -> Result<Box<[u8]>>;

    /// The number of the document of an id, dead or not.
    ///
    /// # Errors
    /// As [`find`](Leaf::find).
    fn find_document(&self, id: &[u8]) -> Result<Option<u32>>;

    /// Visits the terms from one on, in order, each with its field and by how many the leaf adds to its documents, until told to
    /// stop.
    ///
    /// # Errors
    /// As [`find`](Leaf::find), and what the visitor answers.
    fn terms_from(&self, from: &TermKey, visit: &mut TermVisitor<'_>) -> Result<()>;
}
