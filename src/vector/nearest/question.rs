//! What is asked of a graph, and what it answers.

use std::cell::Cell;

use blaze_core::{DocumentId, Filter, Result};
use blaze_vector::{Hit, Query, Strategy};

use crate::index::Width;
use crate::vector::breadth::MeasuredRecall;

/// What is asked of a graph.
pub(crate) struct Question<'a> {
    /// The number of the index.
    pub(crate) index: u32,
    /// True if a document may have several vectors: then each is found once, by its nearest.
    pub(crate) several: bool,
    pub(crate) query: &'a Query,
    /// How many are wanted.
    pub(crate) k: usize,
    /// How wide the search is.
    pub(crate) width: Width,
    /// What is farther is not wanted.
    pub(crate) within: f32,
    /// Whether some documents are no answers.
    pub(crate) is_filtered: bool,
    /// The only documents that may be answers.
    pub(crate) among: Among<'a>,
    /// Set to the nodes that were compared with the query, found or not.
    pub(crate) visited: &'a Cell<u64>,
}

/// Which documents may be answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Among<'a> {
    All,
    Documents(&'a [DocumentId]),
    /// Those of a collection that match a filter, as far as that is known beside the graph.
    Matches {
        collection: u32,
        filter: &'a Filter,
    },
}

/// What was found, and what that took.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As many as were wanted, the nearest first, equally near ones by id; with the distances of their rows.
    pub(crate) hits: Vec<Hit<DocumentId>>,
    /// Nodes of the graph that were compared with the query.
    pub(crate) visited: u64,
    /// Vectors that were compared in full.
    pub(crate) compared: u64,
    /// How the graph went about it, the last time that it was asked.
    pub(crate) strategy: Strategy,
    /// How many candidates it took.
    pub(crate) ef: usize,
    /// What was measured of such searches, if a recall is to be reached.
    pub(crate) measured: Option<MeasuredRecall>,
}

/// Says whether a document may be an answer; the second is true if it is known to match the filter.
pub(crate) type Accept<'a> = dyn FnMut(&DocumentId, bool) -> Result<bool> + 'a;
