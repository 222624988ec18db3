//! How a search was done, and what that took.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;

use super::exact::{Outcome, Work};
use super::prepare::Wanted;
use super::recall::RecallExplain;
use crate::database::core::Core;
use crate::query::{Explain, ExplainNode};

/// How a search was done, and what that took; dereferences to the [`Explain`] of its plan.
///
/// It prints as readable text, and serializes, as JSON for example.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SearchExplain {
    /// The vector index.
    pub index: String,
    /// Where the nearest were found.
    pub path: SearchPath,
    /// How the filter took part.
    pub filter: FilterStrategy,
    /// Nodes of the graph of the index that were compared with the vector searched for, by their codes.
    pub nodes_visited: u64,
    /// Vectors that were read.
    pub vectors_examined: u64,
    /// Distances that were computed, those between hits for [diversity](super::Search::diverse) included.
    pub distances_computed: u64,
    /// What it went by, if it was to reach a [recall](super::Search::recall).
    pub recall: Option<RecallExplain>,
    /// The plan.
    #[serde(flatten)]
    pub explain: Explain,
}

/// Where the nearest were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SearchPath {
    /// By the graph of the index, which proposes: the rows of what it proposes were compared.
    Graph,
    /// In the rows of the index, by comparing every vector that could be an answer.
    Exact,
    /// In the documents as they were, as a view of the past has no index: by comparing all vectors.
    Documents,
}

/// How the filter of a search takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FilterStrategy {
    /// There is nothing to filter.
    None,
    /// The documents that match were found first, by other indexes; these alone were compared.
    First,
    /// The documents that match were known from searches before, and the graph proposed none but them. Those that were changed
    /// since were checked where they would enter the answer.
    Cached,
    /// The documents that would enter the answer were checked: of all, of those that the graph proposed, or of those with the
    /// words of the query.
    Checked,
}

impl SearchExplain {
    pub(super) fn new(core: &Core, wanted: &Wanted<'_>, outcome: Outcome, k: usize, time_ms: u64) -> SearchExplain {
        let recall = RecallExplain::of(core, wanted, &outcome, k);
        let Outcome { hits, node, counters, work } = outcome;
        let index = wanted.index.name.clone();
        let node = ExplainNode { index: Some(index.clone()), ..node };
        let explain = Explain { time_ms, ..Explain::new(node, Vec::new(), counters, hits.len() as u64) };
        let Work { path, filter, nodes_visited, vectors_examined, distances_computed, .. } = work;
        SearchExplain { index, path, filter, nodes_visited, vectors_examined, distances_computed, recall, explain }
    }
}

impl Deref for SearchExplain {
    type Target = Explain;

    fn deref(&self) -> &Explain {
        &self.explain
    }
}

impl fmt::Display for SearchExplain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path {
            SearchPath::Graph => "by the graph",
            SearchPath::Exact => "exact",
            SearchPath::Documents => "exact, over the documents as they were",
        };
        let filter = match self.filter {
            FilterStrategy::None => "no filter",
            FilterStrategy::First => "filtered first",
            FilterStrategy::Cached => "filter known from before",
            FilterStrategy::Checked => "filter checked on what would enter",
        };
        let (nodes, vectors, distances) = (self.nodes_visited, self.vectors_examined, self.distances_computed);
        writeln!(f, "{}", self.explain)?;
        write!(f, "search {path}, {filter}, nodes visited {nodes}, ")?;
        write!(f, "vectors examined {vectors}, distances computed {distances}")?;
        self.recall.iter().try_for_each(|recall| write!(f, "\n{recall}"))
    }
}
