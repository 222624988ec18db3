//! The exact index: every vector compared, in memory.

use std::collections::BTreeMap;

use blaze_core::{Error, Result};

use crate::metric::Metric;
use crate::nearest::{Hit, Nearest};
use crate::query::Query;
use crate::vector::{VectorRef, validate, validate_dimension};

/// A set of vectors under unique keys that is searched by comparing all of them: the oracle for every faster index.
///
/// ```
/// use blaze_vector::{ExactIndex, Metric, Query};
///
/// let mut index = ExactIndex::new(Metric::Cosine, 2)?;
/// index.insert("east", &[1.0, 0.0])?;
/// index.insert("north", &[0.0, 1.0])?;
/// let query = Query::new(Metric::Cosine, &[0.9, 0.1])?;
/// let hits = index.search(&query, 1, |_| true)?;
/// assert_eq!(hits[0].key, "east");
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExactIndex<K> {
    metric: Metric,
    dimension: usize,
    slots: BTreeMap<K, usize>,
    keys: Vec<K>, // by slot
    slab: Slab,   // vectors by slot, end to end
}

#[derive(Clone, Debug)]
enum Slab {
    Numbers(Vec<f32>),
    Bits(Vec<u8>),
}

impl<K: Ord + Clone> ExactIndex<K> {
    /// An empty index.
    ///
    /// # Errors
    ///
    /// Those of [`validate_dimension`].
    pub fn new(metric: Metric, dimension: usize) -> Result<ExactIndex<K>> {
        validate_dimension(metric, dimension)?;
        let slab = if metric.is_binary() { Slab::Bits(Vec::new()) } else { Slab::Numbers(Vec::new()) };
        Ok(ExactIndex { metric, dimension, slots: BTreeMap::new(), keys: Vec::new(), slab })
    }

    /// How many vectors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True if there is no vector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Sets the vector of `key`; true if the key had none before.
    ///
    /// # Errors
    ///
    /// Those of [`validate`]; the index is then as before.
    pub fn insert<'a>(&mut self, key: K, vector: impl Into<VectorRef<'a>>) -> Result<bool> {
        let vector = vector.into();
        validate(self.metric, self.dimension, vector)?;
        let is_new = !self.remove(&key);
        match (&mut self.slab, vector) {
            (Slab::Numbers(slab), VectorRef::F32(numbers)) => slab.extend_from_slice(numbers),
            (Slab::Bits(slab), VectorRef::Bits(bytes)) => slab.extend_from_slice(bytes),
            _ => return Err(Error::internal("a validated vector is of the index's kind")),
        }
        self.slots.insert(key.clone(), self.keys.len());
        self.keys.push(key);
        Ok(is_new)
    }

    /// Removes the vector of `key`; false if there is none.
    pub fn remove(&mut self, key: &K) -> bool {
        let Some(slot) = self.slots.remove(key) else { return false };
        self.keys.swap_remove(slot);
        if let Some(moved) = self.keys.get(slot) {
            self.slots.insert(moved.clone(), slot);
        }
        match &mut self.slab {
            Slab::Numbers(slab) => swap_remove(slab, slot, self.dimension),
            Slab::Bits(slab) => swap_remove(slab, slot, self.dimension / 8),
        }
        true
    }

    /// The `k` vectors nearest to `query` whose keys pass `filter`, nearest first; equal distances in the order of keys.
    ///
    /// # Errors
    ///
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) if the query has another metric or dimension than the index.
    pub fn search(&self, query: &Query, k: usize, mut filter: impl FnMut(&K) -> bool) -> Result<Vec<Hit<K>>> {
        if query.metric() != self.metric {
            let (found, expected) = (query.metric(), self.metric);
            return Err(Error::invalid(format!("query has metric {found}, the index has {expected}")));
        }
        if query.dimension() != self.dimension {
            let (found, expected) = (query.dimension(), self.dimension);
            return Err(Error::invalid(format!("query has {found} components, the index has {expected}")));
        }
        let mut nearest = Nearest::new(query.clone(), k);
        for (slot, key) in self.keys.iter().enumerate() {
            if filter(key) {
                nearest.offer(key, self.vector(slot))?;
            }
        }
        Ok(nearest.into_sorted().into_iter().map(|hit| Hit { key: hit.key.clone(), distance: hit.distance }).collect())
    }

    fn vector(&self, slot: usize) -> VectorRef<'_> {
        match &self.slab {
            Slab::Numbers(slab) => VectorRef::F32(&slab[slot * self.dimension..][..self.dimension]),
            Slab::Bits(slab) => VectorRef::Bits(&slab[slot * (self.dimension / 8)..][..self.dimension / 8]),
        }
    }
}

/// Removes row `slot` of the rows of `stride` numbers and moves the last row to its place.
fn swap_remove<T: Copy>(slab: &mut Vec<T>, slot: usize, stride: usize) {
    let last = slab.len() - stride;
    slab.copy_within(last.., slot * stride);
    slab.truncate(last);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const DIMENSION: usize = 8;

    /// Small whole numbers: every kernel computes them exactly, and ties are frequent.
    fn naive_distance(metric: Metric, a: &[i8], b: &[i8]) -> f64 {
        let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
            a.iter().zip(b).map(|(&a, &b)| term(f64::from(a), f64::from(b))).sum()
        };
        match metric {
            Metric::L2 => sum(&|a, b| (a - b).powi(2)).sqrt(),
            Metric::Dot => -sum(&|a, b| a * b),
            Metric::Cosine => 1.0 - sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt(),
            Metric::Hamming => sum(&|a, b| if (a < 0.0) == (b < 0.0) { 0.0 } else { 1.0 }),
        }
    }

    fn with_vector<R>(metric: Metric, numbers: &[i8], then: impl FnOnce(VectorRef<'_>) -> R) -> R {
        if metric.is_binary() {
            let byte = numbers.iter().enumerate().fold(0, |byte, (i, &number)| byte | (u8::from(number < 0) << i));
            then(VectorRef::Bits(&[byte]))
        } else {
            then(VectorRef::F32(&numbers.iter().copied().map(f32::from).collect::<Vec<_>>()))
        }
    }

    fn numbers() -> impl Strategy<Value = Vec<i8>> {
        vec(-2i8..3, DIMENSION).prop_filter("has a direction", |numbers| numbers.iter().any(|&number| number != 0))
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_naive_model(
            metric in prop::sample::select(Metric::ALL.to_vec()),
            changes in vec((0u8..20, prop::option::weighted(0.8, numbers())), 0..80),
            query in numbers(),
            k in 0usize..12,
        ) {
            let mut index = ExactIndex::new(metric, DIMENSION).unwrap();
            let mut model = BTreeMap::new();
            for (key, vector) in changes {
                match vector {
                    Some(vector) => {
                        let is_new = with_vector(metric, &vector, |vector| index.insert(key, vector)).unwrap();
                        prop_assert_eq!(is_new, model.insert(key, vector).is_none());
                    }
                    None => prop_assert_eq!(index.remove(&key), model.remove(&key).is_some()),
                }
            }
            prop_assert_eq!(index.len(), model.len());

            let prepared = with_vector(metric, &query, |query| Query::new(metric, query)).unwrap();
            let hits = index.search(&prepared, k, |key| key % 3 != 0).unwrap();
            let mut expected: Vec<(f64, u8)> = model
                .iter()
                .filter(|(key, _)| *key % 3 != 0)
                .map(|(key, vector)| (naive_distance(metric, &query, vector), *key))
                .collect();
            expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
            expected.truncate(k);
            prop_assert_eq!(hits.len(), expected.len());
            for (hit, (distance, key)) in hits.iter().zip(expected) {
                prop_assert!((f64::from(hit.distance) - distance).abs() < 1e-5, "{hit:?}, expected {distance}");
                // Cosines that are equal on paper may differ in their last bits, and so in their order.
                prop_assert!(metric == Metric::Cosine || hit.key == key, "{hit:?}, expected key {key}");
            }
        }
    }

    #[test]
    fn a_refused_vector_leaves_the_index_as_it_was() {
        let mut index = ExactIndex::new(Metric::Cosine, 2).unwrap();
        index.insert(1, &[1.0, 0.0]).unwrap();
        index.insert(1, &[0.0, 0.0]).unwrap_err();
        let query = Query::new(Metric::Cosine, &[1.0, 0.0]).unwrap();
        assert_eq!(index.search(&query, 1, |_| true).unwrap()[0].distance, 0.0);
    }

    #[test]
    fn a_query_of_another_metric_or_dimension_is_refused() {
        let index: ExactIndex<u8> = ExactIndex::new(Metric::Cosine, 2).unwrap();
        let message = |metric, vector: &[f32]| {
            index.search(&Query::new(metric, vector).unwrap(), 1, |_| true).unwrap_err().to_string()
        };
        assert_eq!(message(Metric::L2, &[1.0, 0.0]), "query has metric l2, the index has cosine");
        assert_eq!(message(Metric::Cosine, &[1.0]), "query has 1 components, the index has 2");
    }
}
