//! What was measured of a graph, and how wide to search it by that.

use super::curve::{RecallCurve, RecallPoint};
use super::target::RecallTarget;
use super::{CALIBRATED_K, EF_MAX};
use crate::graph::Graph;

/// The recall of searches of one graph, as it was measured: a curve for each share of vectors and each count of hits.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// How many vectors there were.
    pub vectors: u64,
    /// How many queries were measured.
    pub queries: usize,
    /// The curves, in any order.
    pub curves: Vec<RecallCurve>,
}

/// How wide to search, and by what it was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChosenWidth {
    /// Candidates to be kept.
    pub ef: usize,
    /// What was measured.
    pub point: RecallPoint,
    /// With searches for so many hits.
    pub k: usize,
    /// Among this share of all vectors.
    pub share: f64,
}

impl Calibration {
    /// How wide to search for `k` among `nodes` of `of` for a recall; none if no width reaches it, as far as was measured.
    ///
    /// Of what was measured, the next larger `k` counts, and the next smaller share. For more hits than were measured, the
    /// width grows as they do. Of a smaller share than was measured, all nodes are measured, without a walk.
    ///
    /// ```
    /// use blaze_vector::{Calibration, RecallCurve, RecallTarget};
    ///
    /// let mut curve = RecallCurve::new(1.0, 10);
    /// curve.measured(28, &[1.0; 1_000]);
    /// let calibration = Calibration { vectors: 5_000, queries: 1_000, curves: vec![curve] };
    /// let target = RecallTarget::new(0.99)?;
    /// assert_eq!(calibration.choose(target, 3, 5_000, 5_000).map(|chosen| chosen.ef), Some(28));
    /// assert_eq!(calibration.choose(target, 30, 5_000, 5_000).map(|chosen| chosen.ef), Some(84));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn choose(&self, target: RecallTarget, k: usize, nodes: usize, of: usize) -> Option<ChosenWidth> {
        let curve = self.curve(k, nodes as f64 / of.max(1) as f64)?;
        let point = curve.reaching(target)?;
        let mut ef = match k > curve.k() {
            true => point.ef.saturating_mul(k).div_ceil(curve.k()),
            false => point.ef,
        };
        if (nodes as f64) < curve.share() * of as f64 {
            ef = ef.max(Graph::scanning_width(nodes));
        }
        (ef <= EF_MAX).then_some(ChosenWidth { ef, point, k: curve.k(), share: curve.share() })
    }

    /// The width that was measured to find most in such searches, if any were measured.
    #[must_use]
    pub fn best(&self, k: usize, nodes: usize, of: usize) -> Option<ChosenWidth> {
        let curve = self.curve(k, nodes as f64 / of.max(1) as f64)?;
        let best = curve.points().iter().copied().max_by(|a, b| a.lower_bound.total_cmp(&b.lower_bound));
        best.map(|point| ChosenWidth { ef: point.ef, point, k: curve.k(), share: curve.share() })
    }

    /// The curve that says what searches for `k` among a share find.
    fn curve(&self, k: usize, share: f64) -> Option<&RecallCurve> {
        let shares = || self.curves.iter().map(RecallCurve::share);
        let below = shares().filter(|measured| *measured <= share).max_by(f64::total_cmp);
        let share = below.or_else(|| shares().min_by(f64::total_cmp))?;
        let alike = || self.curves.iter().filter(|curve| curve.share().total_cmp(&share).is_eq());
        let above = alike().filter(|curve| curve.k() >= k).min_by_key(|curve| curve.k());
        above.or_else(|| alike().max_by_key(|curve| curve.k()))
    }

    /// As many hits as a search has to be made for that is to find `k` with a measured recall: how many candidates are kept at
    /// least and compared in full at first depends on it.
    #[must_use]
    pub fn measured_k(k: usize) -> usize {
        k.max(CALIBRATED_K[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(share: f64, k: usize, ef: usize) -> RecallCurve {
        let mut curve = RecallCurve::new(share, k);
        curve.measured(ef, &[0.9; 1_000]);
        curve.measured(2 * ef, &[1.0; 1_000]);
        curve
    }

    fn calibration() -> Calibration {
        let curves = vec![curve(1.0, 10, 10), curve(1.0, 100, 100), curve(0.5, 10, 20), curve(0.1, 10, 40)];
        Calibration { vectors: 100_000, queries: 1_000, curves }
    }

    fn ef(recall: f64, k: usize, nodes: usize) -> Option<usize> {
        calibration().choose(RecallTarget::new(recall).unwrap(), k, nodes, 100_000).map(|chosen| chosen.ef)
    }

    #[test]
    fn the_next_larger_k_counts_and_beyond_all_the_width_grows_with_it() {
        let widths = [1, 10, 11, 100, 250, 4_000, 5_000].map(|k| ef(0.99, k, 100_000));
        assert_eq!(widths, [Some(20), Some(20), Some(200), Some(200), Some(500), Some(8_000), None]);
    }

    #[test]
    fn the_next_smaller_share_counts_and_below_all_everything_is_measured() {
        let widths = [100_000, 99_999, 50_000, 49_999, 10_000, 9_999, 100].map(|nodes| ef(0.99, 10, nodes));
        assert_eq!(widths, [Some(20), Some(40), Some(40), Some(80), Some(80), Some(100), Some(80)]);
    }

    #[test]
    fn a_recall_that_no_width_reaches_is_told_with_the_best() {
        assert_eq!(ef(0.999, 10, 100_000), None);
        let best = calibration().best(10, 100_000, 100_000).unwrap().point;
        assert!(best.ef == 20 && best.recall == 1.0 && (0.997..0.998).contains(&best.lower_bound), "{best:?}");
        let nothing = Calibration { vectors: 0, queries: 0, curves: Vec::new() };
        assert_eq!(nothing.choose(RecallTarget::new(0.5).unwrap(), 1, 0, 0), None);
        assert_eq!(nothing.best(1, 0, 0), None);
    }

    #[test]
    fn a_narrower_search_does_for_less() {
        assert_eq!(ef(0.85, 10, 100_000), Some(10));
    }
}
