//! What a search found, and its last choice by full precision.

use crate::graph::CodeError;

/// A node that a search proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The node.
    pub slot: u32,
    /// About how far it is, as [`Metric`](crate::Metric) defines it.
    pub distance: f32,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The nearest first.
    pub candidates: Vec<Candidate>,
    /// How many nodes were compared with the query.
    pub visited: usize,
    /// How they were found.
    pub strategy: Strategy,
}

/// How a search goes about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// It walks the graph over all nodes, and keeps those that may be found.
    #[default]
    Walk,
    /// It walks over those nodes alone that may be found, past others to those behind them.
    TwoHops,
    /// It measures every node that may be found.
    Scan,
}

impl Candidate {
    /// The nearer one first, of equal distances that of the lower slot.
    pub(super) fn nearer(&self, other: &Candidate) -> std::cmp::Ordering {
        self.distance.total_cmp(&other.distance).then(self.slot.cmp(&other.slot))
    }
}

impl Found {
    /// Measures the candidates with `exact`, and keeps the `k` nearest, nearest first; equal distances in the order of
    /// slots. Those for which `exact` has no distance are dropped.
    pub fn rerank(&mut self, k: usize, mut exact: impl FnMut(u32) -> Option<f32>) {
        self.candidates.retain_mut(|candidate| match exact(candidate.slot) {
            Some(distance) => {
                candidate.distance = distance;
                true
            }
            None => false,
        });
        self.candidates.sort_unstable_by(Candidate::nearer);
        self.candidates.truncate(k);
    }

    /// The same, but that it ends where the others are too far to be among the `k` nearest, by what their codes are wrong by as
    /// far as was seen ([`CodeError`]): mostly after little more than `k`. Answers how many were measured.
    ///
    /// ```
    /// use blaze_vector::{Graph, GraphOptions, Metric};
    ///
    /// let position = |slot: u32| slot as f32 / 10.0;
    /// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1))?;
    /// for slot in 0..500 {
    ///     let insertion = graph.prepare(&[position(slot)])?;
    ///     graph.insert(insertion);
    /// }
    /// let mut found = graph.search(&graph.query(&[12.34])?, 100, 50, |_| true);
    /// let measured = found.rerank_adaptively(2, |slot| Some((position(slot) - 12.34).abs()));
    /// assert_eq!(found.candidates.iter().map(|candidate| candidate.slot).collect::<Vec<_>>(), [123, 124]);
    /// assert!(measured <= 50);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    pub fn rerank_adaptively(&mut self, k: usize, mut exact: impl FnMut(u32) -> Option<f32>) -> usize {
        let (mut error, mut nearest) = (CodeError::default(), Vec::new());
        let (mut measured, mut step) = (0, CodeError::first(k));
        while measured < self.candidates.len() && step > 0 {
            let end = (measured + step).min(self.candidates.len());
            for candidate in &self.candidates[measured..end] {
                if let Some(distance) = exact(candidate.slot) {
                    error.observe(candidate.distance, distance);
                    nearest.push(Candidate { distance, ..*candidate });
                }
            }
            measured = end;
            nearest.sort_unstable_by(Candidate::nearer);
            nearest.truncate(k);
            let farthest = nearest.last().map_or(f32::NEG_INFINITY, |last| last.distance);
            let limit = if nearest.len() < k { f32::INFINITY } else { farthest };
            let codes = self.candidates[measured..].iter().map(|candidate| candidate.distance);
            step = error.next(CodeError::first(k), codes, limit);
        }
        self.candidates = nearest;
        measured
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(codes: &[f32]) -> Found {
        let mut candidates: Vec<Candidate> =
            codes.iter().enumerate().map(|(slot, &distance)| Candidate { slot: slot as u32, distance }).collect();
        candidates.sort_unstable_by(Candidate::nearer);
        Found { candidates, ..Found::default() }
    }

    proptest! {
        #[test]
        fn where_codes_are_off_by_the_same_the_first_are_the_nearest_of_all(
            codes in proptest::collection::vec(0u16..1_000, 0..200), off in -3i8..4, k in 0usize..20, gone in proptest::option::of(0u32..200),
        ) {
            let codes: Vec<f32> = codes.iter().map(|&code| f32::from(code)).collect();
            let exact = |slot: u32| (Some(slot) != gone).then(|| codes[slot as usize] + f32::from(off));
            let (mut first, mut all) = (found(&codes), found(&codes));
            let measured = first.rerank_adaptively(k, exact);
            all.rerank(k, exact);
            prop_assert!(measured <= codes.len());
            prop_assert_eq!(first, all);
        }
    }

    #[test]
    fn precise_codes_are_believed_and_vague_ones_are_not() {
        let codes: Vec<f32> = (0..100u16).map(f32::from).collect();
        let mut precise = found(&codes);
        assert_eq!(precise.rerank_adaptively(10, |slot| Some(slot as f32 + 0.01 * (slot % 3) as f32)), 12);
        let mut vague = found(&codes);
        // By their codes they are in the opposite order.
        assert_eq!(vague.rerank_adaptively(10, |slot| Some((100 - slot) as f32)), 100);
        assert_eq!(vague.candidates[0].slot, 99);
    }
}
