//! How certain a mean is.

use crate::distribution::Random;

/// A mean, and between what it lies in 95 of 100 samples of as many figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) mean: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

const SAMPLES: usize = 10_000;
const SEED: u64 = 11;

impl Interval {
    /// That of some figures by the bootstrap: as many of them are drawn, with repetitions, again and again.
    pub(super) fn of(figures: &[f64]) -> Interval {
        let count = figures.len().max(1) as f64;
        let mut random = Random::seeded(SEED);
        let mut means: Vec<f64> = (0..SAMPLES)
            .map(|_| {
                let drawn = figures.iter().map(|_| figures[random.below(figures.len() as u64) as usize]);
                drawn.sum::<f64>() / count
            })
            .collect();
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means[(share * (SAMPLES - 1) as f64) as usize];
        Interval { mean: figures.iter().sum::<f64>() / count, from: at(0.025), to: at(0.975) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_as_wide_as_the_deviation_of_the_mean_tells() {
        let figures: Vec<f64> = (0..400).map(|number| f64::from(number % 2)).collect();
        let Interval { mean, from, to } = Interval::of(&figures);
        // The standard deviation of the mean is 0.5 / 20.
        let near = |one: f64, other: f64| (one - other).abs() < 0.006;
        assert!(mean == 0.5 && near(from, 0.5 - 1.96 * 0.025) && near(to, 0.5 + 1.96 * 0.025), "{from} to {to}");
        assert_eq!(Interval::of(&figures), Interval::of(&figures));
    }

    #[test]
    fn what_is_always_the_same_is_certain() {
        assert_eq!(Interval::of(&[0.25; 9]), Interval { mean: 0.25, from: 0.25, to: 0.25 });
        assert_eq!(Interval::of(&[]), Interval { mean: 0.0, from: 0.0, to: 0.0 });
    }
}
