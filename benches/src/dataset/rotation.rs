//! Turning vectors in space, which changes no distance and no angle.

use std::thread;

use super::Matrix;
use crate::distribution::Random;

/// A random rotation (or reflection) that a seed fixes, every one as likely as every other. Numbers that were whole, or zero, or
/// large in some dimensions only, are none of that any more: what codes of few bits gain from such numbers, they lose.
#[derive(Clone, Debug)]
pub struct Rotation {
    dimensions: usize,
    /// Row by row; all of length 1 and at right angles to each other.
    rows: Vec<f32>,
}

impl Rotation {
    /// The rotation of vectors of so many numbers. Takes time cubic in them.
    #[must_use]
    pub fn seeded(dimensions: usize, seed: u64) -> Rotation {
        let mut random = Random::seeded(seed);
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(dimensions);
        for _ in 0..dimensions {
            let mut row: Vec<f64> = (0..dimensions).map(|_| normal(&mut random)).collect();
            for _ in 0..2 {
                // Twice: what the first time leaves over by rounding, the second time takes.
                for before in &rows {
                    let along = dot(&row, before);
                    row.iter_mut().zip(before).for_each(|(number, before)| *number -= along * before);
                }
            }
            let length = dot(&row, &row).sqrt();
            row.iter_mut().for_each(|number| *number /= length);
            rows.push(row);
        }
        Rotation { dimensions, rows: rows.into_iter().flatten().map(|number| number as f32).collect() }
    }

    /// The vectors as they are after the rotation, computed by as many threads as there are processors.
    ///
    /// # Panics
    /// When the vectors have other dimensions.
    #[must_use]
    pub fn of(&self, vectors: &Matrix) -> Matrix {
        assert_eq!(vectors.dimensions(), self.dimensions, "the dimensions of the vectors and of the rotation");
        let mut turned = Matrix::zero(vectors.rows(), self.dimensions);
        let rows_a_thread = vectors.rows().div_ceil(super::threads()).max(1);
        thread::scope(|scope| {
            let sources = vectors.numbers().chunks(rows_a_thread * self.dimensions);
            let targets = turned.numbers_mut().chunks_mut(rows_a_thread * self.dimensions);
            for (source, target) in sources.zip(targets) {
                scope.spawn(move || {
                    let rows = source.chunks_exact(self.dimensions).zip(target.chunks_exact_mut(self.dimensions));
                    rows.for_each(|(source, target)| self.turn(source, target));
                });
            }
        });
        turned
    }

    fn turn(&self, source: &[f32], target: &mut [f32]) {
        for (&number, row) in source.iter().zip(self.rows.chunks_exact(self.dimensions)) {
            if number != 0.0 {
                target.iter_mut().zip(row).for_each(|(target, row)| *target += number * row);
            }
        }
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let ((one, one_rest), (other, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    for (one, other) in one.iter().zip(other) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += one * other;
        }
    }
    sums.into_iter().chain(one_rest.iter().zip(other_rest).map(|(one, other)| one * other)).sum()
}

/// A number of the normal distribution: Box and Muller's method.
fn normal(random: &mut Random) -> f64 {
    let (one, other) = (1.0 - random.fraction(), random.fraction());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Clustered, squared_distance};

    #[test]
    fn distances_and_lengths_stay_and_numbers_change() {
        for dimensions in [1, 2, 7, 64, 100] {
            let vectors = Clustered::new(3, dimensions, 4).vectors(0..50);
            let turned = Rotation::seeded(dimensions, 5).of(&vectors);
            let zero = vec![0.0; dimensions];
            for row in 0..50 {
                for (before, after) in [
                    (squared_distance(vectors.row(row), &zero), squared_distance(turned.row(row), &zero)),
                    (
                        squared_distance(vectors.row(row), vectors.row(0)),
                        squared_distance(turned.row(row), turned.row(0)),
                    ),
                ] {
                    assert!((before - after).abs() <= 1e-5 * (1.0 + before), "{dimensions}: {before} became {after}");
                }
            }
            assert!(dimensions == 1 || vectors != turned, "{dimensions}");
        }
    }

    #[test]
    fn a_seed_fixes_it() {
        let vectors = Clustered::new(3, 8, 1).vectors(0..3);
        assert_eq!(Rotation::seeded(8, 1).of(&vectors), Rotation::seeded(8, 1).of(&vectors));
        assert_ne!(Rotation::seeded(8, 1).of(&vectors), Rotation::seeded(8, 2).of(&vectors));
    }
}
