//! Which items are asked for: seeded random numbers in the distributions of YCSB.

mod random;
mod zipfian;

use serde::{Deserialize, Serialize};

pub use self::random::Random;
pub use self::zipfian::Zipfian;

/// How often each item is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distribution {
    /// All are equally frequent.
    Uniform,
    /// Few are frequent, most are rare, and the frequent ones lie anywhere: `ScrambledZipfianGenerator` of YCSB.
    Zipfian,
    /// The newest is the most frequent: `SkewedLatestGenerator` of YCSB.
    Latest,
}

/// Chooses items, numbered from 0, by a distribution.
///
/// ```
/// use blaze_bench::distribution::{Chooser, Distribution, Random};
///
/// let (mut chooser, mut random) = (Chooser::new(Distribution::Latest, 1000), Random::seeded(1));
/// chooser.grow(2000);
/// let newest = (0..1000).filter(|_| chooser.choose(&mut random) >= 1900).count();
/// assert!(newest > 500);
/// ```
#[derive(Clone, Debug)]
pub struct Chooser {
    count: u64,
    law: Law,
}

#[derive(Clone, Debug)]
enum Law {
    Uniform,
    Scrambled { ranks: Zipfian, places: u64 },
    Latest(Zipfian),
}

impl Chooser {
    /// Chooses among `count` items; item 0 counts as there in any case.
    ///
    /// [`Latest`](Distribution::Latest) takes time linear in `count`: 30 ms for a million.
    #[must_use]
    pub fn new(distribution: Distribution, count: u64) -> Chooser {
        let count = count.max(1);
        let law = match distribution {
            Distribution::Uniform => Law::Uniform,
            Distribution::Zipfian => Law::Scrambled { ranks: Zipfian::with_zeta(RANKS, ZETA), places: places(count) },
            Distribution::Latest => Law::Latest(Zipfian::new(count)),
        };
        Chooser { count, law }
    }

    /// An item below their number.
    pub fn choose(&self, random: &mut Random) -> u64 {
        match &self.law {
            Law::Uniform => random.below(self.count),
            Law::Latest(ranks) => self.count - 1 - ranks.choose(random),
            Law::Scrambled { ranks, places } => loop {
                let place = fnv64(ranks.choose(random)) % places;
                if place < self.count {
                    return place;
                }
            },
        }
    }

    /// There are `count` items now; fewer than before are ignored.
    pub fn grow(&mut self, count: u64) {
        if count <= self.count {
            return;
        }
        self.count = count;
        match &mut self.law {
            Law::Uniform => {}
            Law::Latest(ranks) => ranks.grow(count),
            Law::Scrambled { places: there, .. } if count > *there => *there = places(count),
            Law::Scrambled { .. } => {}
        }
    }
}

/// Ranks of the scrambled distribution whatever the number of items, and the sum of their shares: both from YCSB.
const RANKS: u64 = 10_000_000_000;
const ZETA: f64 = 26.469_028_201_783_02;

/// Places among which ranks are scattered: a quarter more than there are items, and the places without an item are passed
/// over, as in YCSB. So frequent items stay the same ones while others are added.
fn places(count: u64) -> u64 {
    count + count / 4
}

/// The hash that YCSB scatters with: FNV-1a in 64 bits over the bytes of `number`, the lowest first.
#[must_use]
pub fn fnv64(number: u64) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    number.to_le_bytes().into_iter().fold(0xCBF2_9CE4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ALL: [Distribution; 3] = [Distribution::Uniform, Distribution::Zipfian, Distribution::Latest];

    /// The items of 100,000 choices and how often each came, the most frequent first.
    fn frequencies(chooser: &Chooser) -> Vec<(u64, u32)> {
        let mut random = Random::seeded(11);
        let mut counts = BTreeMap::new();
        for _ in 0..100_000 {
            *counts.entry(chooser.choose(&mut random)).or_default() += 1;
        }
        let mut counts: Vec<(u64, u32)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    #[test]
    fn fnv64_is_fnv_1a() {
        assert_eq!(fnv64(u64::from_le_bytes(*b"chongo w")), 0xD1ED_D10B_5073_44D0);
    }

    #[test]
    fn every_item_is_there_and_the_last_one_is_chosen() {
        for distribution in ALL {
            for count in [0, 1, 2, 7, 1000] {
                let mut chooser = Chooser::new(distribution, count);
                chooser.grow(count + 3);
                let items: Vec<u64> = frequencies(&chooser).into_iter().map(|(item, _)| item).collect();
                let last = chooser.count - 1;
                assert!(items.iter().all(|&item| item <= last), "{distribution:?} of {count}: {items:?}");
                assert!(
                    items.contains(&last) && items.len() as u64 == last + 1,
                    "{distribution:?} of {count}: {items:?}"
                );
            }
        }
    }

    #[test]
    fn a_seed_fixes_the_choices() {
        for distribution in ALL {
            let choices = |seed| {
                let (chooser, mut random) = (Chooser::new(distribution, 1000), Random::seeded(seed));
                (0..100).map(|_| chooser.choose(&mut random)).collect::<Vec<_>>()
            };
            assert_eq!(choices(1), choices(1), "{distribution:?}");
            assert_ne!(choices(1), choices(2), "{distribution:?}");
        }
    }

    #[test]
    fn scrambling_spreads_the_frequent_items_over_all() {
        let chooser = Chooser::new(Distribution::Zipfian, 1_000_000);
        let frequent: Vec<u64> = frequencies(&chooser).iter().take(32).map(|(item, _)| *item).collect();
        for quarter in 0..4 {
            let here = frequent.iter().filter(|&&item| item / 250_000 == quarter).count();
            assert!((2..=16).contains(&here), "{here} of 32 in quarter {quarter}: {frequent:?}");
        }
        let neighbours = frequent.iter().filter(|&&item| frequent.contains(&(item + 1))).count();
        assert_eq!(neighbours, 0);
    }

    #[test]
    fn the_most_frequent_item_is_as_frequent_as_in_ycsb_and_stays_the_same_while_others_come() {
        let mut chooser = Chooser::new(Distribution::Zipfian, 1_000_000);
        let before = frequencies(&chooser)[0];
        chooser.grow(1_200_000);
        let after = frequencies(&chooser)[0];
        assert_eq!(before.0, after.0);
        // Where there is no item nothing is chosen, so the share lies above that of the rank.
        let share = f64::from(before.1) / 100_000.0;
        assert!((1.0..1.4).contains(&(share * ZETA)), "{share}");
    }

    #[test]
    fn the_latest_items_are_the_most_frequent_also_after_others_came() {
        let mut chooser = Chooser::new(Distribution::Latest, 1000);
        assert_eq!(frequencies(&chooser)[0].0, 999);
        chooser.grow(5000);
        assert_eq!(frequencies(&chooser)[..2].iter().map(|(item, _)| *item).collect::<Vec<_>>(), [4999, 4998]);
    }
}
