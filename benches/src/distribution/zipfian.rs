//! Zipf's law: few items are asked for often, many seldom.

use super::Random;

/// How steep it is: the share of rank `r` is proportional to `1 / r^THETA`. That of YCSB.
const THETA: f64 = 0.99;

/// Ranks by Zipf's law, rank 0 the most frequent (Gray et al., "Quickly Generating Billion-Record Synthetic Databases",
/// SIGMOD 1994). The first two ranks have exactly their shares, the others nearly.
#[derive(Clone, Debug)]
pub struct Zipfian {
    count: u64,
    /// The sum of `1 / r^THETA` over all ranks `r` from 1.
    zeta: f64,
    eta: f64,
}

impl Zipfian {
    /// `count` ranks, at least one. Takes time linear in their number: 30 ms for a million.
    #[must_use]
    pub fn new(count: u64) -> Zipfian {
        let mut zipfian = Zipfian { count: 0, zeta: 0.0, eta: 0.0 };
        zipfian.grow(count.max(1));
        zipfian
    }

    /// `count` ranks whose `zeta` is known.
    pub(super) fn with_zeta(count: u64, zeta: f64) -> Zipfian {
        let mut zipfian = Zipfian { count, zeta, eta: 0.0 };
        zipfian.set_eta();
        zipfian
    }

    /// Adds ranks until there are `count`.
    pub(super) fn grow(&mut self, count: u64) {
        if count > self.count {
            self.zeta += (self.count + 1..=count).map(|rank| (rank as f64).powf(-THETA)).sum::<f64>();
            self.count = count;
            self.set_eta();
        }
    }

    fn set_eta(&mut self) {
        let first_two = 1.0 + 0.5_f64.powf(THETA);
        self.eta = (1.0 - (2.0 / self.count as f64).powf(1.0 - THETA)) / (1.0 - first_two / self.zeta);
    }

    /// A rank below their number.
    pub fn choose(&self, random: &mut Random) -> u64 {
        let fraction = random.fraction();
        let position = fraction * self.zeta;
        if position < 1.0 {
            return 0;
        }
        if position < 1.0 + 0.5_f64.powf(THETA) {
            return 1.min(self.count - 1);
        }
        let rank = self.count as f64 * (self.eta * fraction - self.eta + 1.0).powf(1.0 / (1.0 - THETA));
        (rank as u64).min(self.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: u64 = 1000;
    const DRAWS: u32 = 1_000_000;

    fn counts(zipfian: &Zipfian) -> Vec<u32> {
        let mut random = Random::seeded(3);
        let mut counts = vec![0; COUNT as usize];
        for _ in 0..DRAWS {
            counts[zipfian.choose(&mut random) as usize] += 1;
        }
        counts
    }

    #[test]
    fn ranks_are_as_frequent_as_the_law_says() {
        let counts = counts(&Zipfian::new(COUNT));
        let zeta: f64 = (1..=COUNT).map(|rank| 1.0 / (rank as f64).powf(THETA)).sum();
        let expected = |rank: usize| f64::from(DRAWS) / ((rank + 1) as f64).powf(THETA) / zeta;
        for rank in [0, 1] {
            let deviation = (f64::from(counts[rank]) - expected(rank)) / expected(rank).sqrt();
            assert!(
                deviation.abs() < 4.0,
                "rank {rank} came {} times, {deviation} standard deviations off",
                counts[rank]
            );
        }
        // Further down the method takes an integral for a sum, so that a rank is off by some percent.
        for ranks in [2..4, 4..10, 10..100, 100..1000] {
            let found: u32 = counts[ranks.clone()].iter().sum();
            let ratio = f64::from(found) / ranks.clone().map(expected).sum::<f64>();
            assert!((0.85..1.15).contains(&ratio), "ranks {ranks:?} came {ratio} times as often as they should");
        }
    }

    #[test]
    fn growing_leads_to_the_same_as_beginning_with_all() {
        let mut grown = Zipfian::new(1);
        (2..=COUNT).for_each(|count| grown.grow(count));
        let (grown, whole) = (counts(&grown), counts(&Zipfian::new(COUNT)));
        let differing = grown.iter().zip(&whole).filter(|(grown, whole)| grown.abs_diff(**whole) > 2).count();
        assert_eq!(differing, 0); // but for roundings
    }

    #[test]
    fn a_rank_is_never_out_of_bounds() {
        for count in [1, 2, 3, 10] {
            let (zipfian, mut random) = (Zipfian::new(count), Random::seeded(count));
            assert!((0..10_000).all(|_| zipfian.choose(&mut random) < count), "of {count}");
        }
    }
}
