//! How wide a search through a graph goes.

use std::sync::Arc;

use blaze_vector::{CALIBRATION_QUERIES_MIN, Calibration, ChosenWidth, Code, CodeError, RecallPoint, RecallTarget};

use super::Graphs;
use super::linked::Linked;
use super::open::OpenGraph;
use crate::index::Width;

/// How wide a search goes.
#[derive(Clone, Debug)]
pub(super) struct Breadth {
    /// Candidates that the graph keeps.
    pub(super) ef: usize,
    /// How many of them are compared in full before anything is known of what codes are wrong by.
    pub(super) first: usize,
    /// How many of them are enough, where some are no answers.
    pub(super) enough: usize,
    /// What it was chosen by, if a recall is to be reached.
    pub(super) measured: Option<MeasuredRecall>,
}

/// What was measured of searches like one that is to reach a recall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MeasuredRecall {
    pub(crate) point: RecallPoint,
    /// How many hits were searched for, and among which share of the vectors.
    pub(crate) k: usize,
    pub(crate) share: f64,
    /// How many queries were measured.
    pub(crate) queries: usize,
    /// How many vectors there were.
    pub(crate) vectors: u64,
}

/// What is known of the recall of searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expectation {
    /// There is no graph, or one of so few vectors that it is not measured.
    NoGraph,
    Unmeasured,
    /// Some width reaches it.
    Reached,
    /// No width does; what comes nearest to it.
    Unreached(Option<MeasuredRecall>),
}

impl Breadth {
    /// How wide a search for `k` goes, among so many nodes if they are known; none if all vectors are to be looked at, as
    /// nothing is known to reach the recall that is wanted.
    pub(super) fn of(
        width: Width,
        graph: &OpenGraph,
        linked: &Linked,
        k: usize,
        among: Option<usize>,
    ) -> Option<Breadth> {
        let code = linked.graph.options().code;
        match width {
            Width::Ef(ef) => {
                let enough = enough(code, k);
                Some(Breadth { ef: ef.max(enough), first: CodeError::first(k), enough, measured: None })
            }
            Width::Recall(target) => {
                let calibrated = graph.recall.calibrated().filter(|_| is_measurable(linked))?;
                let (calibration, vectors) = (&calibrated.calibration, linked.len());
                let chosen = calibration.choose(target, k, among.unwrap_or(vectors), vectors)?;
                let measured_k = Calibration::measured_k(k);
                let (first, enough) = (CodeError::first(measured_k), enough(code, measured_k));
                let measured = MeasuredRecall::of(calibration, &chosen);
                Some(Breadth { ef: chosen.ef.max(enough), first, enough, measured: Some(measured) })
            }
        }
    }
}

impl Breadth {
    /// How many candidates are put in order by all that codes tell, where mostly few of them are looked at. Codes of bits tell
    /// all, and many are as far as others.
    pub(super) fn ordered(&self, code: Code, ef: usize) -> usize {
        if code == Code::Bits { ef } else { ef.min(2 * self.enough.max(self.first)) }
    }
}

impl MeasuredRecall {
    fn of(calibration: &Calibration, chosen: &ChosenWidth) -> MeasuredRecall {
        let ChosenWidth { point, k, share, .. } = *chosen;
        MeasuredRecall { point, k, share, queries: calibration.queries, vectors: calibration.vectors }
    }
}

impl Graphs {
    /// What is known of searches for `k`, among so many vectors if they are known.
    pub(crate) fn expectation(&self, index: u32, target: RecallTarget, k: usize, among: Option<usize>) -> Expectation {
        let expectation = |graph: Arc<OpenGraph>| {
            graph.with_linked(|linked| {
                let vectors = linked.len();
                if !is_measurable(linked) {
                    return Expectation::NoGraph;
                }
                let Some(calibrated) = graph.recall.calibrated() else { return Expectation::Unmeasured };
                let (calibration, nodes) = (&calibrated.calibration, among.unwrap_or(vectors));
                match calibration.choose(target, k, nodes, vectors) {
                    Some(_) => Expectation::Reached,
                    None => {
                        let best = calibration.best(k, nodes, vectors);
                        Expectation::Unreached(best.map(|best| MeasuredRecall::of(calibration, &best)))
                    }
                }
            })
        };
        self.find(index).and_then(expectation).unwrap_or(Expectation::NoGraph)
    }
}

/// True if there are enough vectors to be measured; of fewer, all are looked at.
fn is_measurable(linked: &Linked) -> bool {
    linked.len() >= CALIBRATION_QUERIES_MIN
}

/// How many candidates a search for `k` answers keeps at least: codes may put the nearest a little behind.
pub(super) fn enough(code: Code, k: usize) -> usize {
    match code {
        Code::Eight => k + 4.max(k / 2),
        Code::Four => 3 * k + 16,
        Code::Bits => k,
    }
}
