//! The nearest of the hits that are found.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::nearest::Hit;

/// The `k` nearest of the hits that are pushed, whatever the order in which they come.
///
/// Memory is linear in `k`; a hit that enters costs the logarithm of it.
///
/// ```
/// use blaze_vector::{Hit, KeptHits};
///
/// let hits = [("a", 3.0), ("b", 2.0), ("a", 1.0)].map(|(key, distance)| Hit { key, distance });
/// let (mut all, mut distinct) = (KeptHits::new(2), KeptHits::new(2).distinct());
/// hits.into_iter().for_each(|hit| all.push(hit));
/// hits.into_iter().for_each(|hit| distinct.push(hit));
/// let keys = |kept: KeptHits<_>| kept.into_sorted().into_iter().map(|hit| (hit.key, hit.distance)).collect::<Vec<_>>();
/// assert_eq!(keys(all), [("a", 1.0), ("b", 2.0)]);
/// assert_eq!(keys(distinct), [("a", 1.0), ("b", 2.0)]);
/// ```
#[derive(Clone, Debug)]
pub struct KeptHits<K> {
    k: usize,
    hits: Hits<K>,
}

#[derive(Clone, Debug)]
enum Hits<K> {
    /// The farthest on top.
    Each(BinaryHeap<Hit<K>>),
    /// Of each key the nearest, in their order, and how near each key is.
    Distinct(BTreeSet<Hit<K>>, BTreeMap<K, f32>),
}

impl<K: Ord + Clone> KeptHits<K> {
    /// Keeps the `k` nearest.
    #[must_use]
    pub fn new(k: usize) -> KeptHits<K> {
        KeptHits { k, hits: Hits::Each(BinaryHeap::new()) }
    }

    /// Keeps each key once, with the nearest of its hits: the `k` nearest keys. What was kept before is let go of.
    #[must_use]
    pub fn distinct(self) -> KeptHits<K> {
        KeptHits { hits: Hits::Distinct(BTreeSet::new(), BTreeMap::new()), ..self }
    }

    /// The distance of the farthest that is kept, once there are `k`: what is farther cannot enter any more. Negative infinity
    /// if none is to be kept.
    #[must_use]
    pub fn farthest(&self) -> Option<f32> {
        let (len, farthest) = match &self.hits {
            Hits::Each(heap) => (heap.len(), heap.peek()),
            Hits::Distinct(sorted, _) => (sorted.len(), sorted.last()),
        };
        (len >= self.k).then(|| farthest.map_or(f32::NEG_INFINITY, |farthest| farthest.distance))
    }

    /// Takes in a hit if it is one of the nearest.
    pub fn push(&mut self, hit: Hit<K>) {
        match &mut self.hits {
            Hits::Each(heap) if heap.len() < self.k => heap.push(hit),
            Hits::Each(heap) => {
                if let Some(mut farthest) = heap.peek_mut()
                    && hit < *farthest
                {
                    *farthest = hit;
                }
            }
            Hits::Distinct(sorted, nearest) => push_distinct(self.k, sorted, nearest, hit),
        }
    }

    /// Lets go of what is farther than `distance`; of all if it is NaN.
    pub fn retain_within(&mut self, distance: f32) {
        match &mut self.hits {
            Hits::Each(heap) => heap.retain(|hit| hit.distance <= distance),
            Hits::Distinct(sorted, nearest) => {
                sorted.retain(|hit| hit.distance <= distance);
                nearest.retain(|_, own| *own <= distance);
            }
        }
    }

    /// The hits, nearest first.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Hit<K>> {
        match self.hits {
            Hits::Each(heap) => heap.into_sorted_vec(),
            Hits::Distinct(sorted, _) => sorted.into_iter().collect(),
        }
    }
}

fn push_distinct<K: Ord + Clone>(k: usize, sorted: &mut BTreeSet<Hit<K>>, nearest: &mut BTreeMap<K, f32>, hit: Hit<K>) {
    if sorted.len() >= k && sorted.last().is_none_or(|farthest| hit > *farthest) {
        return;
    }
    if let Some(&distance) = nearest.get(&hit.key) {
        let before = Hit { key: hit.key.clone(), distance };
        if before <= hit {
            return;
        }
        sorted.remove(&before);
    }
    nearest.insert(hit.key.clone(), hit.distance);
    sorted.insert(hit);
    if sorted.len() > k
        && let Some(farthest) = sorted.pop_last()
    {
        nearest.remove(&farthest.key);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn of_each_key_the_nearest_hit_is_kept_as_sorting_says(
            hits in proptest::collection::vec((0u8..12, 0u8..9), 0..80),
            k in 0usize..6,
            within in 0u8..10,
        ) {
            let hits: Vec<Hit<u8>> =
                hits.into_iter().map(|(key, distance)| Hit { key, distance: f32::from(distance) }).collect();
            let sorted = |kept: KeptHits<u8>| -> Vec<(f32, u8)> {
                kept.into_sorted().into_iter().map(|hit| (hit.distance, hit.key)).collect()
            };
            let (mut each, mut distinct) = (KeptHits::new(k), KeptHits::new(k).distinct());
            hits.iter().for_each(|hit| each.push(*hit));
            hits.iter().for_each(|hit| distinct.push(*hit));

            let mut all = hits;
            all.sort();
            let mut expected: Vec<Hit<u8>> = Vec::new();
            for hit in &all {
                if expected.iter().all(|before| before.key != hit.key) {
                    expected.push(*hit);
                }
            }
            for (kept, mut expected) in [(each, all), (distinct, expected)] {
                let farthest = expected.get(k.wrapping_sub(1)).map(|hit| hit.distance);
                prop_assert_eq!(kept.farthest(), if k == 0 { Some(f32::NEG_INFINITY) } else { farthest });
                expected.truncate(k);
                let expected: Vec<_> = expected.iter().map(|hit| (hit.distance, hit.key)).collect();
                prop_assert_eq!(sorted(kept.clone()), expected.clone());
                let mut near = kept;
                near.retain_within(f32::from(within));
                let within: Vec<_> = expected.into_iter().filter(|(own, _)| *own <= f32::from(within)).collect();
                prop_assert_eq!(sorted(near), within);
            }
        }
    }
}
