//! How widely a graph has to be searched for a wanted recall.

mod bound;

use blaze_core::{Error, Result};

use self::bound::mean_and_lower_bound;

/// The fewest queries that say enough: without a single miss, a thousand show a recall above 0.997.
pub const CALIBRATION_QUERIES_MIN: usize = 1_000;

/// The widest search that a calibration tries.
pub const EF_MAX: usize = blaze_core::limits::SEARCH_EF_MAX;

/// Steps by which `ef` is settled, as a part of itself.
const RESOLUTION: usize = 16;

/// A recall to be reached: the part of the true `k` nearest that a search finds, in the mean over queries.
///
/// ```
/// use blaze_vector::RecallTarget;
///
/// assert_eq!(RecallTarget::new(0.99)?.value(), 0.99);
/// assert!(RecallTarget::new(1.0).is_err(), "a sample cannot show that nothing is ever missed");
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct RecallTarget(f64);

impl RecallTarget {
    /// A target of 0.5 to 0.999.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for what is outside, or no number. An exact search finds everything.
    pub fn new(recall: f64) -> Result<RecallTarget> {
        match (0.5..=0.999).contains(&recall) {
            true => Ok(RecallTarget(recall)),
            false => Err(Error::invalid(format!("a recall of {recall} cannot be aimed at, 0.5 to 0.999 can"))),
        }
    }

    /// The recall.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What a calibration has found: how wide to search, and what recall was measured with it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Calibration {
    /// The width of the search that was chosen.
    pub ef: usize,
    /// The mean recall of the queries with it.
    pub recall: f64,
    /// What the recall of all queries like these is at least, with a confidence of 95 %.
    pub lower_bound: f64,
    /// How many queries were measured.
    pub queries: usize,
    /// How many hits each was asked for.
    pub k: usize,
    /// Whether the lower bound reached the target; if not, [`EF_MAX`] was too little, or the queries too few.
    pub is_reached: bool,
}

impl Calibration {
    /// Finds the smallest width, to a sixteenth of itself, with which the lower bound of the recall reaches the target.
    ///
    /// `recall_of` answers the recall of each query with a width: about ten widths are tried, one after the other.
    ///
    /// ```
    /// use blaze_vector::{Calibration, RecallTarget};
    ///
    /// // A graph that misses one hit in ten with a narrow search, and none with a wide one.
    /// let found = Calibration::find(RecallTarget::new(0.99)?, 10, |ef| {
    ///     Ok((0..1_000).map(|query| if ef < 80 && query % 2 == 0 { 0.8 } else { 1.0 }).collect())
    /// })?;
    /// assert!((80..=85).contains(&found.ef) && found.is_reached);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `recall_of`.
    pub fn find(
        target: RecallTarget,
        k: usize,
        mut recall_of: impl FnMut(usize) -> Result<Vec<f64>>,
    ) -> Result<Calibration> {
        let mut measure = |ef: usize| -> Result<Calibration> {
            let recalls = recall_of(ef)?;
            let (recall, lower_bound) = mean_and_lower_bound(&recalls, k);
            let is_reached = lower_bound >= target.value();
            Ok(Calibration { ef, recall, lower_bound, queries: recalls.len(), k, is_reached })
        };
        let (mut too_narrow, mut found) = (0, measure(k.clamp(1, EF_MAX))?);
        while !found.is_reached && found.ef < EF_MAX {
            too_narrow = found.ef;
            found = measure((found.ef * 2).min(EF_MAX))?;
        }
        if !found.is_reached {
            return Ok(found);
        }
        while found.ef - too_narrow > (found.ef / RESOLUTION).max(1) && found.ef > k {
            let middle = measure(too_narrow + (found.ef - too_narrow) / 2)?;
            match middle.is_reached {
                true => found = middle,
                false => too_narrow = middle.ef,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(recall: f64) -> RecallTarget {
        RecallTarget::new(recall).unwrap()
    }

    /// Every query has the same recall, which grows with `ef`.
    fn growing(half: f64) -> impl FnMut(usize) -> Result<Vec<f64>> {
        move |ef| Ok(vec![1.0 - (-(ef as f64) / half).exp(); 2_000])
    }

    #[test]
    fn the_smallest_width_whose_bound_passes_is_found() {
        for half in [3.0, 20.0, 300.0] {
            let found = Calibration::find(target(0.95), 10, growing(half)).unwrap();
            assert!(found.is_reached && found.lower_bound >= 0.95, "{found:?}");
            let narrower = Calibration::find(target(0.95), 10, |ef| growing(half)(ef.min(found.ef * 14 / 16))).unwrap();
            assert!(found.ef == 10 || !narrower.is_reached, "{found:?}, but {narrower:?} passes, too");
        }
    }

    #[test]
    fn what_cannot_be_reached_says_what_was_measured_instead() {
        let found = Calibration::find(target(0.99), 10, |_| Ok(vec![0.9; 1_000])).unwrap();
        assert!(!found.is_reached);
        assert_eq!((found.ef, found.queries, found.recall > 0.89), (EF_MAX, 1_000, true));
    }

    #[test]
    fn a_perfect_sample_that_is_too_small_does_not_pass() {
        let found = Calibration::find(target(0.99), 10, |_| Ok(vec![1.0; 100])).unwrap();
        assert!(!found.is_reached, "a hundred queries cannot show it: {found:?}");
    }

    #[test]
    fn errors_of_the_measurement_are_told() {
        let failed = Calibration::find(target(0.9), 10, |_| Err(Error::cancelled("stopped")));
        assert_eq!(failed.unwrap_err().to_string(), "stopped");
    }

    #[test]
    fn targets_out_of_range_are_refused() {
        for recall in [0.0, 0.49, 0.9991, 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(RecallTarget::new(recall).unwrap_err().kind(), blaze_core::ErrorKind::Invalid, "{recall}");
        }
        assert_eq!(
            RecallTarget::new(1.5).unwrap_err().to_string(),
            "a recall of 1.5 cannot be aimed at, 0.5 to 0.999 can"
        );
    }
}
