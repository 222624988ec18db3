//! A recall to be reached.

use blaze_core::{Error, Result};

use super::CALIBRATION_QUERIES_MIN;
use super::bound::trials_without_a_miss;

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

/// The highest recall that can be aimed at, and the lowest.
pub(super) const RECALL_MAX: f64 = 0.999;
const RECALL_MIN: f64 = 0.5;

/// What is measured beyond the queries that would do if none of them missed anything: a tenth.
const QUERIES_BEYOND: usize = 10;

impl RecallTarget {
    /// A target of 0.5 to 0.999.
    ///
    /// ```
    /// use blaze_vector::RecallTarget;
    ///
    /// let said = RecallTarget::new(0.3).unwrap_err().to_string();
    /// assert_eq!(said, "a recall of 0.3 cannot be aimed at, 0.5 to 0.999 can");
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for what is outside, or no number. An exact search finds everything.
    pub fn new(recall: f64) -> Result<RecallTarget> {
        match (RECALL_MIN..=RECALL_MAX).contains(&recall) {
            true => Ok(RecallTarget(recall)),
            false => Err(Error::invalid(format!("a recall of {recall} cannot be aimed at, 0.5 to 0.999 can"))),
        }
    }

    /// The recall.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// How many queries it takes to show that it is reached, [`CALIBRATION_QUERIES_MIN`] at least.
    ///
    /// ```
    /// use blaze_vector::RecallTarget;
    ///
    /// assert_eq!(RecallTarget::new(0.99)?.queries(), 1_000);
    /// assert_eq!(RecallTarget::new(0.999)?.queries(), 2_973);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn queries(self) -> usize {
        let needed = trials_without_a_miss(self.0);
        (needed + needed / QUERIES_BEYOND).max(CALIBRATION_QUERIES_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bound::mean_and_lower_bound;
    use super::*;

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

    #[test]
    fn every_target_can_be_shown_by_its_queries() {
        for recall in [0.5, 0.9, 0.99, 0.995, 0.998, 0.999] {
            let target = RecallTarget::new(recall).unwrap();
            let (_, bound) = mean_and_lower_bound(&vec![1.0; target.queries()], 10);
            assert!(bound >= recall, "{} queries without a miss show {bound}, not {recall}", target.queries());
        }
    }
}
