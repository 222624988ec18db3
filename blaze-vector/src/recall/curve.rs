//! What wider searches find.

use super::EF_MAX;
use super::bound::{mean_and_lower_bound, shown_without_a_miss};
use super::target::{RECALL_MAX, RecallTarget};

/// The widths that are measured, each about 1.4 times the one before.
pub(super) const WIDTHS: [usize; 20] =
    [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1_280, 1_792, 2_560, 3_584, 5_120, EF_MAX];

/// By how much a bound may be below what it is but for rounding.
const ROUNDING: f64 = 1e-9;

/// A width of searches, and what was measured with it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecallPoint {
    /// Candidates that a search keeps on its way.
    pub ef: usize,
    /// The part of the true nearest that was found, in the mean over the queries.
    pub recall: f64,
    /// What the recall of all queries like these is at least, with a confidence of 95 %.
    pub lower_bound: f64,
}

/// The recall of searches for so many nearest vectors, among all or among a part, by how wide the search is.
///
/// ```
/// use blaze_vector::{RecallCurve, RecallTarget};
///
/// let mut curve = RecallCurve::new(1.0, 10);
/// curve.measured(28, &[0.9; 1_000]);
/// curve.measured(40, &[1.0; 1_000]);
/// assert_eq!(curve.reaching(RecallTarget::new(0.99)?).map(|point| point.ef), Some(40));
/// assert_eq!(curve.reaching(RecallTarget::new(0.999)?), None, "a thousand queries cannot show it");
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RecallCurve {
    pub(super) share: f64,
    pub(super) k: usize,
    pub(super) points: Vec<RecallPoint>,
}

impl RecallCurve {
    /// The curve of searches for `k` vectors among a share of all, of which nothing is measured yet.
    #[must_use]
    pub fn new(share: f64, k: usize) -> RecallCurve {
        RecallCurve { share, k: k.max(1), points: Vec::new() }
    }

    /// The share of all vectors that a filter lets pass; 1 without a filter.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }

    /// How many hits were searched for.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// What was measured, by ascending width.
    #[must_use]
    pub fn points(&self) -> &[RecallPoint] {
        &self.points
    }

    /// The widths that may be measured, ascending.
    #[must_use]
    pub fn widths() -> &'static [usize] {
        &WIDTHS
    }

    /// Takes in the recalls of queries with a width beyond those before.
    pub fn measured(&mut self, ef: usize, recalls: &[f64]) {
        let (recall, lower_bound) = mean_and_lower_bound(recalls, self.k);
        self.points.push(RecallPoint { ef, recall, lower_bound });
    }

    /// True if no wider searches for so many queries would show more that can be aimed at.
    #[must_use]
    pub fn is_finished(&self, queries: usize) -> bool {
        let most = RECALL_MAX.min(shown_without_a_miss(queries)) - ROUNDING;
        self.points.last().is_some_and(|last| last.lower_bound >= most || last.ef >= EF_MAX)
    }

    /// The narrowest search whose lower bound reaches a target, if any does.
    #[must_use]
    pub fn reaching(&self, target: RecallTarget) -> Option<RecallPoint> {
        self.points.iter().copied().find(|point| point.lower_bound >= target.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(recall: f64) -> RecallTarget {
        RecallTarget::new(recall).unwrap()
    }

    /// A curve of queries that all have the same recall, which grows with the width.
    fn growing(half: f64) -> RecallCurve {
        let mut curve = RecallCurve::new(1.0, 10);
        for &ef in RecallCurve::widths() {
            curve.measured(ef, &vec![1.0 - (-(ef as f64) / half).exp(); 4_000]);
            if curve.is_finished(4_000) {
                break;
            }
        }
        curve
    }

    #[test]
    fn the_narrowest_width_whose_bound_passes_is_chosen() {
        for half in [3.0, 20.0, 300.0] {
            let curve = growing(half);
            for wanted in [0.5, 0.9, 0.99] {
                let point = curve.reaching(target(wanted)).unwrap();
                assert!(point.lower_bound >= wanted, "{point:?}");
                let narrower = curve.points().iter().rfind(|other| other.ef < point.ef);
                assert!(narrower.is_none_or(|narrower| narrower.lower_bound < wanted), "{narrower:?} would do");
            }
        }
    }

    #[test]
    fn measuring_ends_once_everything_that_can_be_aimed_at_is_shown() {
        assert!(!RecallCurve::new(1.0, 10).is_finished(1_000), "nothing is measured");
        let last = |half| growing(half).points().last().unwrap().ef;
        assert!(last(3.0) <= 40 && last(20.0) <= 224, "{} and {}", last(3.0), last(20.0));
        let mut never = RecallCurve::new(1.0, 10);
        RecallCurve::widths().iter().for_each(|&ef| never.measured(ef, &[0.9; 1_000]));
        assert!(never.is_finished(1_000) && never.reaching(target(0.95)).is_none());
        let mut perfect = RecallCurve::new(1.0, 10);
        perfect.measured(10, &[1.0; 1_000]);
        assert!(perfect.is_finished(1_000), "no wider search would find more");
    }
}
