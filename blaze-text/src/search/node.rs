//! What is asked of an index: a query whose words are terms already.

use crate::TermKey;

/// A query over the terms of an index, or a part of one.
///
/// A document's score is the sum of what its terms are worth by BM25, in the order of the query. Boosts are finite and not
/// negative, and multiply; a part with a boost of zero matches and counts nothing. Evaluation recurses once a level.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Documents that have a term.
    Term {
        /// The term.
        key: TermKey,
        /// What its score is multiplied by.
        boost: f32,
    },
    /// Documents that have any of the terms of one field, which count as one term: as often as all of them together, and as
    /// rare as the most frequent one. So it is for synonyms.
    AnyOf {
        /// The terms, of one field.
        keys: Vec<TermKey>,
        /// What the score is multiplied by.
        boost: f32,
    },
    /// Documents that have the terms at places of one another.
    ///
    /// A match takes one position for each part, between its offset from some place and `slop` behind that; parts of different
    /// offsets that have a term in common take different positions. Matches are counted from the front: each takes, part by
    /// part, the first such position behind the one that the match before has taken. So many times the document is said to
    /// have the phrase. It is as rare as its parts together: their inverse document frequencies add up.
    Phrase {
        /// The field.
        field: u8,
        /// For each part, how far it is behind the beginning of the phrase, and the terms that may stand there.
        parts: Vec<(u32, Vec<Box<[u8]>>)>,
        /// Parts of which only the beginnings of terms are known, likewise: any term that begins so may stand there, however
        /// many there are.
        beginnings: Vec<(u32, Box<[u8]>)>,
        /// How far the parts may be moved against each other: 0 for exactly as given.
        slop: u32,
        /// What the score is multiplied by.
        boost: f32,
    },
    /// Documents that have any term that begins so; as [`AnyOf`](Node::AnyOf) these. If there are more than
    /// [`TEXT_EXPANSIONS_MAX`](blaze_core::limits::TEXT_EXPANSIONS_MAX), the ones that most documents have; but all of them in
    /// what must not match.
    Prefix {
        /// The field.
        field: u8,
        /// What the terms begin with.
        prefix: Box<[u8]>,
        /// What the score is multiplied by.
        boost: f32,
    },
    /// Documents that have a term like this one: by so many insertions, removals, replacements of a character, or swaps of two
    /// neighbours (each at most once in the same place: the optimal string alignment distance).
    ///
    /// The terms at each distance are as [`AnyOf`](Node::AnyOf); one edit halves what they are worth, two halve it again; all
    /// are as rare as the most frequent of all. If there are more than
    /// [`TEXT_EXPANSIONS_MAX`](blaze_core::limits::TEXT_EXPANSIONS_MAX), the nearest, and of these the ones that most documents
    /// have; but all of them in what must not match.
    Fuzzy {
        /// The field.
        field: u8,
        /// The term.
        term: Box<str>,
        /// How many edits are allowed: at most [`TEXT_EDITS_MAX`](blaze_core::limits::TEXT_EDITS_MAX).
        distance: u8,
        /// How many characters at the beginning have to be the same.
        prefix_length: usize,
        /// What the score is multiplied by.
        boost: f32,
    },
    /// Documents that match every part of `must`, at least so many of `should` (at least one where `must` is empty) and none of
    /// `must_not`. The score is the sum of those of `must`, and to it that of the parts of `should` that match.
    Boolean {
        /// What has to match.
        must: Vec<Node>,
        /// What counts if it matches.
        should: Vec<Node>,
        /// What must not match.
        must_not: Vec<Node>,
        /// How many parts of `should` have to match.
        least_should: usize,
    },
}
