//! What a search that is to reach a recall went by.

use std::fmt;

use blaze_vector::RecallTarget;
use serde::Serialize;

use super::exact::{Outcome, Work};
use super::explain::{FilterStrategy, SearchPath};
use super::prepare::Wanted;
use crate::database::core::Core;
use crate::index::Width;
use crate::vector::{Expectation, MeasuredRecall};

/// What a search that is to reach a recall went by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecallExplain {
    /// The recall that was asked for.
    pub target: f64,
    /// How it is reached.
    pub state: RecallState,
    /// What was measured of such searches: of those as wide as this one was or, where none was wide enough, of those that found
    /// most.
    pub measured: Option<RecallMeasurement>,
}

/// How a recall is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecallState {
    /// By the graph, searched as widely as that was measured to take.
    Measured,
    /// By comparing all vectors that could be an answer: it is not measured yet how wide a search has to be.
    Unmeasured,
    /// By comparing all of them: no width was measured to be enough.
    Unreached,
    /// By comparing all of them, as every search does here: there are few of them, or there is no graph for this view.
    Exact,
}

/// What was measured of searches of one width.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecallMeasurement {
    /// Candidates that were kept on the way.
    pub ef: u64,
    /// The part of the true nearest that was found, in the mean over the queries.
    pub recall: f64,
    /// What the recall of all queries like these is at least, with a confidence of 95 %.
    pub lower_bound: f64,
    /// How many queries were measured.
    pub queries: u64,
    /// How many vectors the index had then.
    pub vectors: u64,
    /// How many hits were searched for.
    pub k: u64,
    /// The share of all vectors that was searched among.
    pub share: f64,
}

impl RecallExplain {
    /// What a search for `k` went by, if it was to reach a recall.
    pub(super) fn of(core: &Core, wanted: &Wanted<'_>, outcome: &Outcome, k: usize) -> Option<RecallExplain> {
        let Width::Recall(target) = wanted.width else { return None };
        if wanted.exact {
            return None;
        }
        let (state, measured) = match outcome.work {
            Work { measured: Some(measured), .. } => (RecallState::Measured, Some(measured)),
            Work { path: SearchPath::Exact, .. } => of_exact(core, wanted, outcome, (target, k)),
            _ => (RecallState::Exact, None),
        };
        Some(RecallExplain { target: target.value(), state, measured: measured.map(Into::into) })
    }
}

/// Why a search was exact.
fn of_exact(
    core: &Core,
    wanted: &Wanted<'_>,
    outcome: &Outcome,
    (target, k): (RecallTarget, usize),
) -> (RecallState, Option<MeasuredRecall>) {
    let among = (outcome.work.filter == FilterStrategy::First).then_some(outcome.work.vectors_examined as usize);
    match core.vectors.expectation(wanted.index.id, target, k, among) {
        Expectation::NoGraph | Expectation::Reached => (RecallState::Exact, None),
        Expectation::Unmeasured => (RecallState::Unmeasured, None),
        Expectation::Unreached(best) => (RecallState::Unreached, best),
    }
}

impl From<MeasuredRecall> for RecallMeasurement {
    fn from(measured: MeasuredRecall) -> RecallMeasurement {
        let MeasuredRecall { point, k, share, queries, vectors } = measured;
        RecallMeasurement {
            ef: point.ef as u64,
            recall: point.recall,
            lower_bound: point.lower_bound,
            queries: queries as u64,
            vectors,
            k: k as u64,
            share,
        }
    }
}

impl fmt::Display for RecallExplain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.state {
            RecallState::Measured => "by a width that was measured",
            RecallState::Unmeasured => "exact until it is measured",
            RecallState::Unreached => "exact, as no width reaches it",
            RecallState::Exact => "exact",
        };
        write!(f, "recall {}, {how}", self.target)?;
        let Some(RecallMeasurement { ef, recall, lower_bound, queries, vectors, k, share }) = self.measured else {
            return Ok(());
        };
        write!(f, ": ef {ef} found {recall:.4}, at least {lower_bound:.4}, of {k} nearest, by {queries} queries")?;
        match share < 1.0 {
            true => write!(f, " among {} % of {vectors} vectors", share * 100.0),
            false => write!(f, " among {vectors} vectors"),
        }
    }
}
