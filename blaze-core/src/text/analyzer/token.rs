//! What analysis makes of a text.

/// A term in a text, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The term: never empty, at most [`TEXT_TERM_BYTES_MAX`](crate::limits::TEXT_TERM_BYTES_MAX) bytes.
    pub term: &'a str,
    /// Which word of the text it is, counted from 0. Words that are left out are counted, so that phrases keep their gaps;
    /// several terms may be made of one word.
    pub position: u32,
    /// The first byte in the text of what the term was made of.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// A token without its term.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) position: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    pub(super) fn with(self, term: &str) -> Token<'_> {
        Token { term, position: self.position, start: self.start, end: self.end }
    }
}

/// What a token is to a query; a document has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A word, or the first term of several that were made of one.
    Begins,
    /// A further term of the same word.
    Continues,
    /// An identifier as a whole, before its parts.
    Whole,
    /// Fewer characters than a term should have, and all that there are: the beginning of terms.
    Short,
    /// The last characters, fewer than a term should have, after terms with them.
    Rest,
}
