//! Keys and values that a seed generates: any of them can be made again, in any order.

use std::ops::Range;

use crate::distribution::Random;
use crate::engine::Pairs;

/// A sequence of random pairs. The same seed and position always give the same pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomPairs {
    /// What all pairs are made of.
    pub seed: u64,
    /// Bytes of each key; at least 8, so that no two are equal but by an accident that never happens.
    pub key_bytes: usize,
    /// Bytes of each value.
    pub value_bytes: usize,
}

impl RandomPairs {
    /// A buffer for a key and a value.
    #[must_use]
    pub fn buffer(&self) -> Pair {
        Pair { key: vec![0; self.key_bytes], value: vec![0; self.value_bytes] }
    }

    /// Writes the pair at `position` into `pair`.
    pub fn write(&self, position: u64, pair: &mut Pair) {
        let mut random = self.random(position);
        random.fill(&mut pair.key);
        random.fill(&mut pair.value);
    }

    /// Writes only the key at `position`.
    pub fn write_key(&self, position: u64, key: &mut [u8]) {
        self.random(position).fill(key);
    }

    /// The pairs of some positions, for [`KeyValue::load`](crate::engine::KeyValue::load); calls `progress` with the
    /// number of pairs given out, every thousand of them.
    pub fn range<'a>(self, positions: Range<u64>, progress: &'a mut dyn FnMut(u64)) -> impl Pairs + 'a {
        PairRange { pairs: self, start: positions.start, positions, pair: self.buffer(), progress }
    }

    fn random(&self, position: u64) -> Random {
        Random::seeded(self.seed.wrapping_add(position.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }
}

/// A key and a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

struct PairRange<'a> {
    pairs: RandomPairs,
    start: u64,
    positions: Range<u64>,
    pair: Pair,
    progress: &'a mut dyn FnMut(u64),
}

impl Pairs for PairRange<'_> {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        let position = self.positions.next()?;
        let given = position - self.start;
        if given.is_multiple_of(1000) {
            (self.progress)(given);
        }
        self.pairs.write(position, &mut self.pair);
        Some((&self.pair.key, &self.pair.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: RandomPairs = RandomPairs { seed: 3, key_bytes: 24, value_bytes: 150 };

    #[test]
    fn a_pair_is_the_same_whenever_it_is_made() {
        let (mut first, mut again) = (PAIRS.buffer(), PAIRS.buffer());
        PAIRS.write(7, &mut first);
        PAIRS.write(8, &mut again);
        assert_ne!(first, again);
        PAIRS.write(7, &mut again);
        assert_eq!(first, again);
        PAIRS.write_key(7, &mut again.key);
        assert_eq!(first.key, again.key);
    }

    #[test]
    fn a_range_gives_its_pairs_in_order_and_tells_how_far_it_is() {
        let mut told = Vec::new();
        let mut progress = |given| told.push(given);
        let mut range = PAIRS.range(10..2010, &mut progress);
        let mut expected = PAIRS.buffer();
        for position in 10..2010 {
            PAIRS.write(position, &mut expected);
            assert_eq!(range.next(), Some((expected.key.as_slice(), expected.value.as_slice())));
        }
        assert_eq!(range.next(), None);
        drop(range);
        assert_eq!(told, [0, 1000]);
    }
}
