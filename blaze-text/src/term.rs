//! Terms and what is counted of fields.

use std::fmt;

/// A term of a field, as postings are kept under it: ordered by field, then by bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermKey {
    /// The field, by its place among those of the index.
    pub field: u8,
    /// The term, as analysis has made it.
    pub term: Box<[u8]>,
}

impl TermKey {
    /// A term of a field.
    pub fn new(field: u8, term: impl AsRef<[u8]>) -> TermKey {
        TermKey { field, term: term.as_ref().into() }
    }
}

impl fmt::Debug for TermKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.field, String::from_utf8_lossy(&self.term))
    }
}

/// What BM25 wants to know of a field: signed, since parts may take away what others count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldTotals {
    /// Documents that have at least one token in it.
    pub documents: i64,
    /// Their tokens.
    pub tokens: i64,
}

impl FieldTotals {
    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: FieldTotals) -> FieldTotals {
        FieldTotals { documents: self.documents + other.documents, tokens: self.tokens + other.tokens }
    }

    /// What is left without the other.
    #[must_use]
    pub fn minus(self, other: FieldTotals) -> FieldTotals {
        FieldTotals { documents: self.documents - other.documents, tokens: self.tokens - other.tokens }
    }
}
