//! How a search was done, and what that took.

use std::fmt;
use std::ops::Deref;

use blaze_core::Result;
use blaze_vector::Strategy;
use serde::Serialize;

use super::exact::{Outcome, Work};
use super::prepare::Wanted;
use super::recall::RecallExplain;
use crate::database::core::Core;
use crate::query::{Counters, Explain, ExplainNode};
use crate::session::Session;

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
    /// How the graph was gone through, if it answered; where it was asked several times, ever more widely, the last time.
    pub strategy: Option<GraphStrategy>,
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

/// How a search goes through the graph of an index. Which way is the fastest depends on how many nodes may be found, how wide
/// the search is, and how near to the vector they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GraphStrategy {
    /// It walked over all nodes, and kept those that may be found: all, or so many that most ways lead over them.
    Walk,
    /// It walked over the nodes that match a filter alone, past others to those behind them: they are a smaller part.
    TwoHops,
    /// It measured every node that matches a filter: they are few, or lie where no walk leads from what is near to the vector.
    Scan,
}

impl From<Strategy> for GraphStrategy {
    fn from(strategy: Strategy) -> GraphStrategy {
        match strategy {
            Strategy::Walk => GraphStrategy::Walk,
            Strategy::TwoHops => GraphStrategy::TwoHops,
            Strategy::Scan => GraphStrategy::Scan,
        }
    }
}

impl fmt::Display for GraphStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            GraphStrategy::Walk => "walked over all nodes",
            GraphStrategy::TwoHops => "walked over matching nodes alone",
            GraphStrategy::Scan => "every matching node measured",
        })
    }
}

impl SearchExplain {
    pub(super) fn new(core: &Core, wanted: &Wanted<'_>, outcome: Outcome, k: usize, time_ms: u64) -> SearchExplain {
        let recall = RecallExplain::of(core, wanted, &outcome, k);
        let Outcome { hits, node, counters, work } = outcome;
        let index = wanted.index.name.clone();
        let node = ExplainNode { index: Some(index.clone()), ..node };
        let explain = Explain { time_ms, ..Explain::new(node, Vec::new(), counters, hits.len() as u64) };
        let Work { path, filter, strategy, nodes_visited, vectors_examined, distances_computed, .. } = work;
        SearchExplain {
            index,
            path,
            filter,
            strategy,
            nodes_visited,
            vectors_examined,
            distances_computed,
            recall,
            explain,
        }
    }

    /// The same with other searches behind this one, whose work is added. What they were all for has read so many documents
    /// besides, and has found so many rows.
    pub(super) fn with(mut self, others: Vec<Outcome>, about: String, (documents, rows): (u64, u64)) -> SearchExplain {
        let Explain { keys_examined, documents_examined, time_ms, plan, .. } = self.explain;
        let mut counters = Counters { keys_examined, documents_examined: documents_examined + documents };
        let mut searches = vec![plan];
        for Outcome { node, counters: more, work, .. } in others {
            counters.keys_examined += more.keys_examined;
            counters.documents_examined += more.documents_examined;
            self.nodes_visited += work.nodes_visited;
            self.vectors_examined += work.vectors_examined;
            self.distances_computed += work.distances_computed;
            searches.push(ExplainNode { index: Some(self.index.clone()), ..node });
        }
        let plan = ExplainNode { documents_examined: documents, ..ExplainNode::of(about, searches) };
        SearchExplain { explain: Explain { time_ms, ..Explain::new(plan, Vec::new(), counters, rows) }, ..self }
    }
}

/// Does something, and says how many milliseconds it took.
pub(super) fn timed<R>(session: &Session, work: impl FnOnce() -> Result<R>) -> Result<(R, u64)> {
    let clock = &session.core().clock;
    let begun_ms = clock.now_ms();
    let done = work()?;
    Ok((done, clock.now_ms().saturating_sub(begun_ms)))
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
        write!(f, "search {path}, ")?;
        self.strategy.iter().try_for_each(|strategy| write!(f, "{strategy}, "))?;
        write!(f, "{filter}, nodes visited {nodes}, ")?;
        write!(f, "vectors examined {vectors}, distances computed {distances}")?;
        self.recall.iter().try_for_each(|recall| write!(f, "\n{recall}"))
    }
}
