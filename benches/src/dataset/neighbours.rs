//! The truth about nearest neighbours, by comparing each query with each vector.

use std::ops::Range;
use std::thread;

use serde::{Deserialize, Serialize};

use super::Matrix;

/// The true nearest neighbours of some queries, by Euclidean distance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Neighbours {
    /// Of each query, the nearest first: squared distances and rows.
    nearest: Vec<Vec<(f64, u64)>>,
}

/// Rows that stay in the processor's cache while all queries are compared with them.
const BLOCK_BYTES: usize = 64 * 1024;

impl Neighbours {
    /// Finds the `k` nearest vectors of each query, by as many threads as there are processors. Rows that are equally near
    /// come in their order.
    ///
    /// All distances are computed in single precision, those of the best again in double precision. It shares no code with
    /// what it judges.
    #[must_use]
    pub fn of(vectors: &Matrix, queries: &Matrix, k: usize) -> Neighbours {
        let rows = vectors.rows();
        let rows_a_thread = rows.div_ceil(super::threads()).max(1);
        let mut candidates: Vec<Vec<u64>> = vec![Vec::new(); queries.rows()];
        thread::scope(|scope| {
            let starts = (0..rows).step_by(rows_a_thread);
            let parts = starts.map(|start| start..rows.min(start + rows_a_thread));
            let threads: Vec<_> = parts.map(|part| scope.spawn(move || best_of(vectors, part, queries, k))).collect();
            for thread in threads {
                let found = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                for (candidates, best) in candidates.iter_mut().zip(found) {
                    candidates.extend(best.found.into_iter().map(|(_, row)| row));
                }
            }
        });
        let exact = |(query, rows): (&[f32], Vec<u64>)| {
            let distance = |row: u64| (squared_distance(query, vectors.row(row as usize)), row);
            let mut nearest: Vec<(f64, u64)> = rows.into_iter().map(distance).collect();
            nearest.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            nearest.truncate(k);
            nearest
        };
        Neighbours { nearest: queries.iter().zip(candidates).map(exact).collect() }
    }

    /// The nearest rows of a query, the nearest first.
    pub fn rows(&self, query: usize) -> impl ExactSizeIterator<Item = u64> {
        self.nearest[query].iter().map(|(_, row)| *row)
    }

    /// The squared distance of the farthest true neighbour of a query: whatever is as near is a true neighbour, too.
    #[must_use]
    pub fn squared_bound(&self, query: usize) -> f64 {
        self.nearest[query].last().map_or(f64::INFINITY, |(distance, _)| *distance)
    }
}

/// The Euclidean distance of two vectors, squared, in double precision.
#[must_use]
pub fn squared_distance(one: &[f32], other: &[f32]) -> f64 {
    let differences = one.iter().zip(other).map(|(one, other)| f64::from(*one) - f64::from(*other));
    differences.map(|difference| difference * difference).sum()
}

/// The best rows of a part for each query, some more than `k` of them: single precision may swap those at the end.
fn best_of(vectors: &Matrix, part: Range<usize>, queries: &Matrix, k: usize) -> Vec<Best> {
    let mut bests = vec![Best::new(2 * k + 16); queries.rows()];
    let rows_a_block = (BLOCK_BYTES / 4 / vectors.dimensions()).max(1);
    for start in part.clone().step_by(rows_a_block) {
        for (best, query) in bests.iter_mut().zip(queries.iter()) {
            for row in start..part.end.min(start + rows_a_block) {
                best.offer(approximate_distance(query, vectors.row(row)), row as u64);
            }
        }
    }
    bests.iter_mut().for_each(Best::shrink);
    bests
}

/// The squared distance in single precision, in sums that the compiler keeps in vector registers.
fn approximate_distance(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let ((one, one_rest), (other, other_rest)) = (one.as_chunks::<16>(), other.as_chunks::<16>());
    for (one, other) in one.iter().zip(other) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            let difference = one - other;
            *sum += difference * difference;
        }
    }
    let rest = one_rest.iter().zip(other_rest).map(|(one, other)| (one - other) * (one - other));
    sums.into_iter().chain(rest).sum()
}

/// The rows with the smallest distances so far.
#[derive(Clone)]
struct Best {
    keep: usize,
    /// Sorted out whenever there are twice as many as are to be kept.
    found: Vec<(f32, u64)>,
    bound: f32,
}

impl Best {
    fn new(keep: usize) -> Best {
        Best { keep, found: Vec::new(), bound: f32::INFINITY }
    }

    fn offer(&mut self, distance: f32, row: u64) {
        if distance < self.bound {
            self.found.push((distance, row));
            if self.found.len() == 2 * self.keep {
                self.shrink();
            }
        }
    }

    fn shrink(&mut self) {
        if self.found.len() > self.keep {
            let (_, last, _) = self.found.select_nth_unstable_by(self.keep - 1, |one, other| one.0.total_cmp(&other.0));
            self.bound = last.0;
            self.found.truncate(self.keep);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Clustered;

    #[test]
    fn they_are_the_same_as_by_sorting_all_rows() {
        for (rows, dimensions, k) in [(1, 3, 1), (1000, 1, 5), (3000, 35, 10), (7, 16, 10), (0, 4, 3)] {
            let mixture = Clustered::new(rows, dimensions, 4);
            let (vectors, queries) = (mixture.vectors(0..rows), mixture.vectors(rows..rows + 20));
            let found = Neighbours::of(&vectors, &queries, k);
            for query in 0..20 {
                let mut all: Vec<(f64, u64)> =
                    vectors.iter().map(|row| squared_distance(row, queries.row(query))).zip(0..).collect();
                all.sort_by(|one, other| one.0.total_cmp(&other.0));
                all.truncate(k);
                assert!(found.rows(query).eq(all.iter().map(|(_, row)| *row)), "{rows} rows, query {query}");
                assert_eq!(found.squared_bound(query), all.last().map_or(f64::INFINITY, |last| last.0));
            }
        }
    }

    #[test]
    fn equally_near_rows_come_in_their_order() {
        let vectors = Matrix::new(1, vec![1.0, -1.0, 1.0, 0.5, -1.0]).unwrap();
        let found = Neighbours::of(&vectors, &Matrix::new(1, vec![0.0]).unwrap(), 4);
        assert_eq!(found.rows(0).collect::<Vec<_>>(), [3, 0, 1, 2]);
        assert_eq!(found.squared_bound(0), 1.0);
    }
}
