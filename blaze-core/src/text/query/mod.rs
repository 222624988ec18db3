//! What a user asks of a text index, before analysis.

mod build;
mod characters;
mod check;
mod clauses;
mod display;
mod parse;
mod parser;
mod word;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use crate::path::Path;

/// What is searched for in texts: words and phrases, in some fields or in all of an index, and combinations of these.
///
/// It is made of the functions below, or [read](TextQuery::parse) from what somebody types, and it
/// [displays](std::fmt::Display) as what reads as an equal query.
///
/// ```
/// use blaze_core::TextQuery;
///
/// let dune = TextQuery::phrase("dune messiah").in_field("title").boost(2.0);
/// let query = dune.or(TextQuery::words("space opera")).and_not(TextQuery::prefix("music"));
/// query.validate()?;
/// assert_eq!(query.to_string(), r#"(title:"dune messiah")^2 "space opera"~any -music*"#);
/// assert_eq!(TextQuery::parse(&query.to_string())?, query);
/// # Ok::<(), blaze_core::Error>(())
/// ```
///
/// A text is given as it would be written: the analyzer of each field makes terms of it, just as it did of the documents. What
/// it makes no term of, as of `-` or of words that it leaves out, is as if it were not there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TextQuery {
    /// Any word of the text: the more of them and the rarer, the better. Of a field that has no words, of
    /// [`substring`](crate::Analyzer::substring) or [`keyword`](crate::Analyzer::keyword), the whole text is one.
    AnyWord(String),
    /// All words of the text, wherever they are: each in any of the fields that have the same analyzer. Of fields that are
    /// analysed in several ways, those of one way have all of the words; where each word is to be in any field, ask for each by
    /// itself, as `+house +Meer` does. A word that only some fields leave out is asked of the others.
    AllWords(String),
    /// The words of the text, one after the other. A text of one word is that word; where analysis makes several terms of it,
    /// as of `foo-bar`, they follow each other, too.
    Phrase {
        /// The text.
        text: String,
        /// By how many places the words may be moved, all together: 0 for words that follow each other. Two neighbours that
        /// have changed places are moved by two.
        slop: u32,
    },
    /// Words that begin with the text, which is folded as the analyzer folds words, and neither split nor stemmed: `foo-ba`
    /// begins none.
    ///
    /// If more than [`TEXT_EXPANSIONS_MAX`](crate::limits::TEXT_EXPANSIONS_MAX) terms of a field do, those are looked for that
    /// most documents have: documents that have only others are neither found nor counted. In what must not be there, all are.
    Prefix(String),
    /// Words that are like the text, which is folded as the analyzer folds words, and neither split nor stemmed. Where terms
    /// are parts of texts, those of [`substring`](crate::Analyzer::substring) or of scripts without spaces, the text itself.
    ///
    /// If more than [`TEXT_EXPANSIONS_MAX`](crate::limits::TEXT_EXPANSIONS_MAX) terms of a field are, those are looked for that
    /// are nearest, and of these those that most documents have. In what must not be there, all are.
    Fuzzy {
        /// The text.
        text: String,
        /// How many characters may be inserted, removed, replaced or swapped with the next one: 1 or 2.
        distance: u8,
        /// How many characters at the beginning must be equal.
        prefix_length: u32,
    },
    /// Queries that must be satisfied, should be, and must not be.
    Boolean {
        /// All of these are satisfied, and their scores added.
        must: Vec<TextQuery>,
        /// At least `least_should` of these are satisfied; the scores of all that are, are added.
        should: Vec<TextQuery>,
        /// None of these is satisfied.
        must_not: Vec<TextQuery>,
        /// How many of `should`: usually 1, and 0 where `must` says what is found.
        least_should: usize,
    },
    /// The query, in the field at the path. A field inside it that is named again holds there: the inner one counts.
    In(Path, Box<TextQuery>),
    /// The query, its scores multiplied by a number above 0.
    Boost(Box<TextQuery>, f32),
}
