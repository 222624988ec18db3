//! What codes are wrong by, and so how many candidates are worth comparing in full.

/// How many standard deviations of what codes were wrong by so far a candidate is given.
const DEVIATIONS: f64 = 4.0;

/// What the codes of candidates are wrong by, learned from those that were compared in full: where codes are precise, the first
/// few are enough, and where vectors differ by less than codes can tell, all of them are looked at.
///
/// ```
/// use blaze_vector::CodeError;
///
/// let mut error = CodeError::default();
/// for (code, exact) in [(1.00, 1.01), (1.10, 1.09), (1.20, 1.20)] {
///     error.observe(code, exact);
/// }
/// assert!(error.may_be_within(1.21, 1.20));
/// assert!(!error.may_be_within(1.30, 1.20));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CodeError {
    count: f64,
    /// The mean of what was added to distances by codes, and the sum of squared deviations from it (Welford, 1962).
    mean: f64,
    squares: f64,
}

impl CodeError {
    /// How many candidates of a search for `k` are compared before anything is known: `k`, and the next two, so that mostly no
    /// others are needed, and five at least. (2026-11-23: of 12 candidates the ten nearest are as good as of 20, for images and
    /// embeddings.)
    #[must_use]
    pub fn first(k: usize) -> usize {
        k.saturating_add(2).max(5)
    }

    /// How many of the next candidates, at these distances by their codes, are compared next: those before one that cannot be
    /// within `limit`; as many as at `first`, where nothing is known yet or no limit.
    #[must_use]
    pub fn next(&self, first: usize, codes: impl IntoIterator<Item = f32>, limit: f32) -> usize {
        if self.count < 2.0 || limit == f32::INFINITY {
            return first;
        }
        codes.into_iter().take_while(|code| self.may_be_within(*code, limit)).count()
    }

    /// Learns that a candidate, at the distance `code` by its code, is at the distance `exact`; nothing, where one of them is no
    /// number.
    pub fn observe(&mut self, code: f32, exact: f32) {
        let wrong = f64::from(exact) - f64::from(code);
        if wrong.is_finite() {
            self.count += 1.0;
            let before = wrong - self.mean;
            self.mean += before / self.count;
            self.squares += before * (wrong - self.mean);
        }
    }

    /// True if a candidate at the distance `code` by its code may be no farther than `limit`, as every one may of which the code
    /// tells nothing: NaN.
    #[must_use]
    pub fn may_be_within(&self, code: f32, limit: f32) -> bool {
        if limit == f32::NEG_INFINITY {
            return false;
        }
        let deviation = (self.squares / (self.count - 1.0).max(1.0)).max(0.0).sqrt();
        let is_known = self.count >= 2.0 && !code.is_nan();
        !is_known || f64::from(code) + self.mean - DEVIATIONS * deviation <= f64::from(limit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_nearer_is_let_pass_with_what_is_farther(
            wrong in proptest::collection::vec(-0.1f32..0.1, 2..40), code in 0.0f32..10.0, step in 0.0f32..1.0, limit in 0.0f32..10.0,
        ) {
            let mut error = CodeError::default();
            wrong.iter().for_each(|wrong| error.observe(1.0, 1.0 + wrong));
            prop_assert!(error.may_be_within(code, limit) || !error.may_be_within(code + step, limit));
            prop_assert!(!error.may_be_within(code, limit) || error.may_be_within(code, limit + step));
        }

        #[test]
        fn mean_and_deviation_are_those_of_the_definition(wrong in proptest::collection::vec(-1e6f64..1e6, 2..60)) {
            let mut error = CodeError::default();
            wrong.iter().for_each(|wrong| error.observe(0.0, *wrong as f32));
            let wrong: Vec<f64> = wrong.iter().map(|wrong| f64::from(*wrong as f32)).collect();
            let mean = wrong.iter().sum::<f64>() / wrong.len() as f64;
            let squares: f64 = wrong.iter().map(|wrong| (wrong - mean).powi(2)).sum();
            prop_assert!((error.mean - mean).abs() <= 1e-6 * 1e6, "{} and {mean}", error.mean);
            prop_assert!((error.squares - squares).abs() <= 1e-6 * squares + 1e-3, "{} and {squares}", error.squares);
        }
    }

    #[test]
    fn exact_codes_let_pass_what_is_as_far_and_nothing_farther() {
        let mut error = CodeError::default();
        (0..9).for_each(|bits| error.observe(bits as f32, bits as f32));
        assert!(error.may_be_within(9.0, 9.0) && !error.may_be_within(10.0, 9.0));
    }

    #[test]
    fn distances_that_are_no_numbers_teach_nothing_and_nothing_is_near_where_none_is_wanted() {
        let mut error = CodeError::default();
        [(1.0, f32::INFINITY), (f32::NAN, 1.0)].iter().for_each(|&(code, exact)| error.observe(code, exact));
        assert!(error.may_be_within(5.0, 1.0), "nothing is known");
        assert!(!error.may_be_within(5.0, f32::NEG_INFINITY));
        [1.0, 2.0, 3.0].iter().for_each(|&code| error.observe(code, code + 0.5));
        assert!(error.may_be_within(f32::NEG_INFINITY, 1.0) && !error.may_be_within(5.0, 1.0));
        assert!(error.may_be_within(f32::NAN, 1.0), "its code tells nothing");
    }

    #[test]
    fn as_many_as_at_first_are_next_as_long_as_there_is_no_limit() {
        let mut error = CodeError::default();
        let next = |error: &CodeError, limit| error.next(12, [1.0, 2.0, f32::NAN, 3.0, 9.0, 3.0], limit);
        assert_eq!(next(&error, 4.0), 12);
        [1.0, 2.0, 3.0].iter().for_each(|&code| error.observe(code, code));
        assert_eq!((next(&error, f32::INFINITY), next(&error, 4.0), next(&error, 0.5)), (12, 4, 0));
    }
}
