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
    /// The sum of both, as far as numbers go.
    #[must_use]
    pub fn plus(self, other: FieldTotals) -> FieldTotals {
        FieldTotals {
            documents: self.documents.saturating_add(other.documents),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }

    /// What is left without the other, as far as numbers go.
    #[must_use]
    pub fn minus(self, other: FieldTotals) -> FieldTotals {
        FieldTotals {
            documents: self.documents.saturating_sub(other.documents),
            tokens: self.tokens.saturating_sub(other.tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FieldTotals;

    #[test]
    fn totals_that_nothing_could_count_stay_at_the_greatest_or_least_number() {
        let of = |number| FieldTotals { documents: number, tokens: number };
        assert_eq!(of(i64::MAX).plus(of(1)), of(i64::MAX));
        assert_eq!(of(i64::MIN).minus(of(1)), of(i64::MIN));
        assert_eq!(of(0).minus(of(i64::MIN)), of(i64::MAX));
        assert_eq!(of(3).plus(of(4)).minus(of(5)), of(2));
    }
}
