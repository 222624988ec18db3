//! What a figure was in several rounds.

use crate::measure::Unit;

/// A figure over the rounds in which it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of the rounds found less, half more.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// How many rounds there were.
    pub rounds: usize,
}

impl Spread {
    /// That of some figures; `None` without any. What is no finite number does not count.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = figures.into_iter().filter(|figure| figure.is_finite()).collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let rounds = figures.len();
        let (lower, upper) = (figures[(rounds - 1) / 2], figures[rounds / 2]);
        Some(Spread { median: f64::midpoint(lower, upper), min, max, rounds })
    }

    /// How far the furthest round is from the median, in % of the median; `None` after a single round, which says
    /// nothing about that, and where the median is 0.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        let furthest = (self.max - self.median).max(self.median - self.min);
        (self.rounds > 1 && self.median != 0.0).then(|| furthest / self.median.abs() * 100.0)
    }

    /// True when every round of this one is better than every round of the other: the ranges do not even touch.
    #[must_use]
    pub fn beats(&self, other: &Spread, unit: Unit) -> bool {
        if unit.more_is_better() { self.min > other.max } else { self.max < other.min }
    }

    /// How many times better the median is than that of the other: above 1 when it is better; `None` by 0.
    #[must_use]
    pub fn times_better(&self, other: &Spread, unit: Unit) -> Option<f64> {
        let (more, less) = if unit.more_is_better() { (self, other) } else { (other, self) };
        let times = more.median / less.median;
        times.is_finite().then_some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(figures: &[f64]) -> Spread {
        Spread::of(figures.iter().copied()).unwrap()
    }

    #[test]
    fn the_median_is_the_one_in_the_middle_or_between_the_two() {
        assert_eq!(spread(&[30.0, 10.0, 20.0]), Spread { median: 20.0, min: 10.0, max: 30.0, rounds: 3 });
        assert_eq!(spread(&[40.0, 10.0, 20.0, 30.0]).median, 25.0);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn what_is_no_number_is_no_round() {
        assert_eq!(Spread::of([f64::NAN, f64::INFINITY]), None);
        assert_eq!(spread(&[f64::NAN, 2.0]).rounds, 1);
    }

    #[test]
    fn the_deviation_is_that_of_the_furthest_round() {
        assert_eq!(spread(&[90.0, 100.0, 130.0]).deviation(), Some(30.0));
        assert_eq!(spread(&[100.0]).deviation(), None);
        assert_eq!(spread(&[0.0, 0.0]).deviation(), None);
    }

    #[test]
    fn better_is_more_of_a_rate_and_less_of_a_duration() {
        let (low, high) = (spread(&[1.0, 2.0]), spread(&[3.0, 6.0]));
        assert!(high.beats(&low, Unit::OperationsPerSecond) && !low.beats(&high, Unit::OperationsPerSecond));
        assert!(low.beats(&high, Unit::Seconds) && !high.beats(&low, Unit::Seconds));
        assert_eq!(high.times_better(&low, Unit::OperationsPerSecond), Some(3.0));
        assert_eq!(low.times_better(&high, Unit::Seconds), Some(3.0));
    }

    #[test]
    fn ranges_that_touch_beat_nobody() {
        let (low, high) = (spread(&[1.0, 2.0]), spread(&[2.0, 3.0]));
        assert!(!high.beats(&low, Unit::OperationsPerSecond) && !low.beats(&high, Unit::OperationsPerSecond));
    }
}
