//! The k nearest of a stream of vectors.

use std::cmp::Ordering;

use blaze_core::Result;

use crate::kept::KeptHits;
use crate::query::Query;
use crate::vector::VectorRef;

/// A vector that was found: its key and its distance from the query.
///
/// Hits are ordered by distance, and by key where distances are equal.
#[derive(Clone, Copy, Debug)]
pub struct Hit<K> {
    /// What the vector was offered under.
    pub key: K,
    /// The distance from the query; see [`Metric`](crate::Metric). Never NaN.
    pub distance: f32,
}

impl<K: Ord> Ord for Hit<K> {
    fn cmp(&self, other: &Hit<K>) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| self.key.cmp(&other.key))
    }
}

impl<K: Ord> PartialOrd for Hit<K> {
    fn partial_cmp(&self, other: &Hit<K>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord> PartialEq for Hit<K> {
    fn eq(&self, other: &Hit<K>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<K: Ord> Eq for Hit<K> {}

/// The `k` nearest of all vectors offered, exactly.
///
/// The answer does not depend on the order of the offers: equal distances are told apart by the key, the smaller one
/// being nearer. Memory is linear in `k`; an offer costs one distance, and the logarithm of `k` if it enters.
///
/// ```
/// use blaze_vector::{Metric, Nearest, Query};
///
/// let mut nearest = Nearest::new(Query::new(Metric::L2, &[0.0])?, 2);
/// for (key, position) in [("far", 9.0), ("near", 1.0), ("middle", -4.0)] {
///     nearest.offer(key, &[position])?;
/// }
/// let keys: Vec<_> = nearest.into_sorted().into_iter().map(|hit| hit.key).collect();
/// assert_eq!(keys, ["near", "middle"]);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Nearest<K> {
    query: Query,
    k: usize,
    within: f32,
    kept: KeptHits<K>,
    buffer: Vec<f32>,
}

impl<K: Ord + Clone> Nearest<K> {
    /// Collects the `k` vectors nearest to `query`.
    #[must_use]
    pub fn new(query: Query, k: usize) -> Nearest<K> {
        Nearest { query, k, within: f32::INFINITY, kept: KeptHits::new(k), buffer: Vec::new() }
    }

    /// Collects the `k` nearest keys, where several vectors may be offered under one: each key once, with the nearest of its
    /// vectors. What was offered before is let go of.
    #[must_use]
    pub fn distinct(mut self) -> Nearest<K> {
        self.kept = self.kept.distinct();
        self
    }

    /// Keeps only vectors at `distance` or nearer; none if it is NaN.
    #[must_use]
    pub fn within(mut self, distance: f32) -> Nearest<K> {
        self.within = distance;
        self.kept.retain_within(distance);
        self
    }

    /// The query.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The distance beyond which no offer can enter any more.
    #[must_use]
    pub fn bound(&self) -> f32 {
        self.kept.farthest().unwrap_or(self.within)
    }

    /// Offers a vector.
    ///
    /// # Errors
    ///
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) if it has another dimension or kind than the query.
    pub fn offer<'a>(&mut self, key: K, vector: impl Into<VectorRef<'a>>) -> Result<()> {
        let distance = self.query.distance(vector)?;
        self.push(Hit { key, distance });
        Ok(())
    }

    /// Offers a vector whose distance is known. `key` is called only if the vector enters or ties with the farthest.
    ///
    /// # Errors
    ///
    /// Those of `key`.
    pub fn offer_at(&mut self, distance: f32, key: impl FnOnce() -> Result<K>) -> Result<()> {
        if self.k > 0 && distance <= self.bound() {
            self.push(Hit { key: key()?, distance });
        }
        Ok(())
    }

    /// Offers a vector as [`Copies::write`](crate::Copies::write) stores it. `key` is called only if the vector enters or
    /// ties with the farthest.
    ///
    /// # Errors
    ///
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if the bytes are no vector of the query's dimension, and the
    /// errors of `key`.
    pub fn offer_stored(&mut self, bytes: &[u8], key: impl FnOnce() -> Result<K>) -> Result<()> {
        let distance = self.query.distance_to_stored(bytes, &mut self.buffer)?;
        self.offer_at(distance, key)
    }

    fn push(&mut self, hit: Hit<K>) {
        if self.k == 0 || hit.distance > self.within || self.within.is_nan() {
            return;
        }
        self.kept.push(hit);
    }

    /// The hits, nearest first.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Hit<K>> {
        self.kept.into_sorted()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metric::Metric;

    fn query() -> Query {
        Query::new(Metric::L2, &[0.0]).unwrap()
    }

    #[test]
    fn equal_distances_are_told_apart_by_key_whatever_the_order_of_the_offers() {
        for keys in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
            let mut nearest = Nearest::new(query(), 2);
            for key in keys {
                nearest.offer(key, &[if key == 2 { -1.0 } else { 1.0 }]).unwrap();
            }
            let found: Vec<i32> = nearest.into_sorted().into_iter().map(|hit| hit.key).collect();
            assert_eq!(found, [1, 2], "offered in the order {keys:?}");
        }
    }

    #[test]
    fn zeros_of_both_signs_are_one_distance() {
        let mut nearest = Nearest::new(Query::new(Metric::Dot, &[1.0]).unwrap(), 2);
        for (key, number) in [(2, 0.0), (1, -0.0)] {
            nearest.offer(key, &[number]).unwrap();
        }
        assert_eq!(nearest.into_sorted().iter().map(|hit| hit.key).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn asking_for_none_or_within_nan_finds_nothing() {
        let mut none = Nearest::new(query(), 0);
        none.offer(1, &[0.0]).unwrap();
        none.offer_stored(&[0; 4], || Ok(2)).unwrap();
        assert!(none.into_sorted().is_empty());
        let mut nan = Nearest::new(query(), 3).within(f32::NAN);
        nan.offer(1, &[0.0]).unwrap();
        assert!(nan.into_sorted().is_empty());
    }

    proptest! {
        #[test]
        fn it_finds_what_sorting_finds(
            positions in proptest::collection::vec(-20i8..20, 0..60),
            k in 0usize..10,
            within in prop_oneof![Just(f32::INFINITY), (0u8..20).prop_map(f32::from)],
        ) {
            let mut expected: Vec<(f32, usize)> =
                positions.iter().map(|&position| f32::from(position).abs()).zip(0..).collect();
            expected.retain(|&(distance, _)| distance <= within);
            expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
            expected.truncate(k);

            let mut offered = Nearest::new(query(), k).within(within);
            let mut stored = Nearest::new(query(), k).within(within);
            for (key, &position) in positions.iter().enumerate().rev() {
                let number = f32::from(position);
                offered.offer(key, &[number]).unwrap();
                stored.offer_stored(&number.to_le_bytes(), || Ok(key)).unwrap();
            }
            for nearest in [offered, stored] {
                let found: Vec<_> = nearest.into_sorted().into_iter().map(|hit| (hit.distance, hit.key)).collect();
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
