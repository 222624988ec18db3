//! What is truly nearest: by all rows.

use std::collections::{BinaryHeap, HashMap};

use blaze_core::{Direction, Entropy, Family, Result, SeededEntropy};
use blaze_vector::{CALIBRATED_K, CALIBRATED_SHARES, Hit, VectorBuffer};

use super::measure::Measurement;
use super::queries::Sample;
use super::told::CalibrationProgress;
use crate::index::scan_range;

/// Shares of the vectors that are searched among; the first is all of them.
pub(super) const SHARES: usize = CALIBRATED_SHARES.len();

/// The most hits that are searched for.
pub(super) const K_MAX: usize = CALIBRATED_K[CALIBRATED_K.len() - 1];

/// Rows between two looks at whether to go on.
const ROWS_PER_STEP: u64 = 64;

/// What is truly near to queries.
#[derive(Debug)]
pub(super) struct Truth {
    /// How many vectors there are in each share.
    pub(super) members: [u64; SHARES],
    /// By query and share: the distances of the nearest, ascending.
    nearest: Vec<[Vec<f32>; SHARES]>,
}

impl Truth {
    /// How many hits a search for `k` can have, and the distance up to which a vector is one: copies are as good.
    pub(super) fn hits(&self, query: usize, share: usize, k: usize) -> Option<(usize, f32)> {
        let nearest = self.nearest.get(query)?.get(share)?;
        let k = k.min(nearest.len());
        Some((k, *nearest.get(k.checked_sub(1)?)?))
    }
}

/// Which shares vectors are in: each is a part of the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    pub(super) seed: u64,
}

impl Shares {
    /// How many of the shares an entry is in, beside the first, which has all.
    pub(super) fn of(self, entry: &[u8]) -> usize {
        let hash = u64::from(crc32fast::hash(entry));
        let chance = SeededEntropy::new(self.seed ^ hash).next_u64() as f64 / u64::MAX as f64;
        CALIBRATED_SHARES.iter().skip(1).take_while(|share| chance < **share).count()
    }
}

impl Measurement<'_> {
    /// Compares all rows with all queries.
    pub(super) fn truth(&mut self, samples: &[Sample]) -> Result<Truth> {
        let expected = self.graph.with_linked(|linked| linked.len() as u64).unwrap_or(0);
        let left_out: HashMap<&[u8], usize> =
            samples.iter().enumerate().filter_map(|(at, sample)| Some((sample.left_out.as_deref()?, at))).collect();
        let mut nearest: Vec<[BinaryHeap<Hit<()>>; SHARES]> = samples.iter().map(|_| Default::default()).collect();
        let mut members = [0; SHARES];
        let mut buffer = VectorBuffer::default();
        let mut cursor = self.point.cursor(Family::Vector, &scan_range(self.graph.index), Direction::Forward)?;
        while let Some((key, row)) = cursor.next()? {
            if members[0] % ROWS_PER_STEP == 0 {
                (self.step)(CalibrationProgress { vectors: members[0], expected, searches: 0 })?;
            }
            let entry = key.get(4..).unwrap_or_default();
            let shares = self.shares().of(entry) + 1;
            members[..shares].iter_mut().for_each(|members| *members += 1);
            let vector = self.form.read(row, &mut buffer)?;
            let own = left_out.get(entry).copied();
            for (at, (sample, nearest)) in samples.iter().zip(&mut nearest).enumerate() {
                if Some(at) != own {
                    let distance = sample.query.distance(vector)?;
                    nearest[..shares].iter_mut().for_each(|nearest| offer(nearest, distance));
                }
            }
        }
        let ascending =
            |nearest: BinaryHeap<Hit<()>>| nearest.into_sorted_vec().iter().map(|hit| hit.distance).collect();
        Ok(Truth { members, nearest: nearest.into_iter().map(|shares| shares.map(ascending)).collect() })
    }
}

/// Keeps a distance if it is among the smallest.
fn offer(nearest: &mut BinaryHeap<Hit<()>>, distance: f32) {
    let hit = Hit { key: (), distance };
    if nearest.len() < K_MAX {
        nearest.push(hit);
    } else if let Some(mut farthest) = nearest.peek_mut()
        && hit < *farthest
    {
        *farthest = hit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_about_their_part_of_the_entries_and_the_same_each_time() {
        let shares = Shares { seed: 99 };
        let entry = |n: u32| [&[0x10, 0x20][..], &n.to_be_bytes()].concat();
        let mut members = [0_u32; SHARES];
        for n in 0..100_000 {
            let count = shares.of(&entry(n)) + 1;
            assert_eq!(shares.of(&entry(n)) + 1, count);
            members[..count].iter_mut().for_each(|members| *members += 1);
        }
        for (members, share) in members.into_iter().zip(CALIBRATED_SHARES) {
            let part = f64::from(members) / 100_000.0;
            assert!((part - share).abs() < 0.005, "{part} of the entries are in the share of {share}");
        }
    }

    #[test]
    fn the_nearest_are_kept_and_copies_of_the_last_are_as_good() {
        let mut heap = BinaryHeap::new();
        (0..500).rev().for_each(|n| offer(&mut heap, (n / 2) as f32));
        let distances: Vec<f32> = heap.into_sorted_vec().iter().map(|hit| hit.distance).collect();
        let nearest = vec![[distances, vec![1.0, 2.0], Vec::new(), Vec::new()]];
        let truth = Truth { members: [500, 2, 0, 0], nearest };
        assert_eq!(truth.hits(0, 0, 10), Some((10, 4.0)));
        assert_eq!(truth.hits(0, 0, K_MAX), Some((K_MAX, 49.0)));
        assert_eq!(truth.hits(0, 1, 10), Some((2, 2.0)), "no more than there are");
        assert_eq!(truth.hits(0, 2, 10), None);
    }
}
