//! Where a document stands in a list.

use serde::Serialize;

/// Where a document stands among those that match a text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TextRank {
    /// Its place, from 1.
    pub rank: usize,
    /// Its score by BM25: the larger, the better.
    pub score: f32,
}

/// Where a document stands among those that are near to a vector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VectorRank {
    /// Its place, from 1.
    pub rank: usize,
    /// How similar it is, as the [`Metric`](crate::Metric) of the index defines it: the larger, the nearer.
    pub score: f32,
    /// The distance, as the [`Metric`](crate::Metric) defines it: the smaller, the nearer.
    pub distance: f32,
    /// Which vector of the document it was, for an index of [several](crate::Index::vectors), as in [`Hit`](crate::Hit).
    pub chunk: Option<usize>,
}
