//! Vectors that a seed generates, with the structure that makes real ones searchable.

use std::ops::Range;
use std::thread;

use super::Matrix;
use crate::distribution::Random;

/// A mixture of clusters. Any of its vectors can be made again, in any order, and is the same on every machine.
///
/// Points that are spread evenly in many dimensions are all about equally far apart, and nearest neighbours among them mean
/// nothing; points of small round clusters are found at once. Real embeddings lie between: near surfaces of few dimensions
/// that bend through the space. So each cluster is a flat of [`FLAT`](Clustered::FLAT) random directions through its centre,
/// which its points leave by a little noise in all dimensions. Clusters differ in size (the n-th has a share proportional to
/// `1 / √n`) and in width (by a factor of up to four), and they overlap: many points have neighbours of other clusters.
///
/// Coordinates are sums of four evenly distributed numbers, which is nearly normal and needs no function that machines
/// compute differently.
#[derive(Clone, Debug)]
pub struct Clustered {
    seed: u64,
    dimensions: usize,
    clusters: Vec<Cluster>,
    /// How large the clusters are together, up to and including each.
    sizes: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Cluster {
    centre: Vec<f32>,
    /// [`Clustered::FLAT`] vectors, one after the other; as long as the cluster is wide.
    directions: Vec<f32>,
}

/// The deviation of a coordinate from the flat, of a coordinate of a centre, of a direction, for a cluster of width 1.
const NOISE: f32 = 0.1;
const CENTRE: f32 = 0.6;
const DIRECTION: f32 = 0.3;

impl Clustered {
    /// Directions in which a cluster extends.
    pub const FLAT: usize = 16;

    /// The mixture that a seed fixes; at least one cluster and one dimension.
    #[must_use]
    pub fn new(seed: u64, dimensions: usize, clusters: usize) -> Clustered {
        let dimensions = dimensions.max(1);
        let mut random = Random::seeded(seed);
        let mut total = 0.0;
        let mut sizes = Vec::new();
        let mut made = Vec::new();
        for number in 1..=clusters.max(1) {
            total += 1.0 / (number as f64).sqrt();
            sizes.push(total);
            let width = 0.5 + 1.5 * random.fraction() as f32;
            let centre = (0..dimensions).map(|_| CENTRE * normal(&mut random)).collect();
            let directions =
                (0..dimensions * Clustered::FLAT).map(|_| DIRECTION * width * normal(&mut random)).collect();
            made.push(Cluster { centre, directions });
        }
        Clustered { seed: random.next_u64(), dimensions, clusters: made, sizes }
    }

    /// The vectors at these positions of an endless sequence; made by as many threads as there are processors.
    #[must_use]
    pub fn vectors(&self, positions: Range<u64>) -> Matrix {
        let rows = positions.clone().count();
        let mut vectors = Matrix::zero(rows, self.dimensions);
        let rows_a_thread = rows.div_ceil(super::threads()).max(1);
        thread::scope(|scope| {
            let parts = vectors.numbers_mut().chunks_mut(rows_a_thread * self.dimensions);
            for (start, part) in (positions.start..).step_by(rows_a_thread).zip(parts) {
                scope.spawn(move || {
                    for (position, row) in (start..).zip(part.chunks_exact_mut(self.dimensions)) {
                        self.write(position, row);
                    }
                });
            }
        });
        vectors
    }

    fn write(&self, position: u64, row: &mut [f32]) {
        let mut random = Random::seeded(self.seed.wrapping_add(position));
        let cluster = &self.clusters[self.choose_cluster(&mut random)];
        for (number, centre) in row.iter_mut().zip(&cluster.centre) {
            *number = centre + NOISE * normal(&mut random);
        }
        for direction in cluster.directions.chunks_exact(self.dimensions) {
            let along = normal(&mut random);
            for (number, direction) in row.iter_mut().zip(direction) {
                *number += along * direction;
            }
        }
    }
    fn choose_cluster(&self, random: &mut Random) -> usize {
        let size = random.fraction() * self.sizes.last().copied().unwrap_or_default();
        self.sizes.partition_point(|&up_to| up_to <= size).min(self.clusters.len() - 1)
    }
}

/// A number of mean 0 and deviation 1: the sum of four even ones, as far as 3.46 from 0.
fn normal(random: &mut Random) -> f32 {
    const MEAN: i32 = 2 * 0xFFFF;
    const DEVIATION: f32 = 37_837.227; // √((2³² − 1) / 3)
    let bits = random.next_u64();
    let sum: i32 = [bits, bits >> 16, bits >> 32, bits >> 48].map(|word| i32::from(word as u16)).iter().sum();
    (sum - MEAN) as f32 / DEVIATION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Neighbours, squared_distance};

    #[test]
    fn a_vector_is_the_same_whenever_it_is_made() {
        let mixture = Clustered::new(5, 24, 10);
        let (all, some) = (mixture.vectors(0..1000), Clustered::new(5, 24, 10).vectors(990..1010));
        assert_eq!((all.rows(), all.dimensions()), (1000, 24));
        assert_eq!(some.row(3), all.row(993));
        assert_ne!(Clustered::new(6, 24, 10).vectors(0..1), mixture.vectors(0..1));
        assert_eq!(mixture.vectors(7..7).rows(), 0);
    }

    #[test]
    fn vectors_are_the_same_on_every_machine() {
        let vectors = Clustered::new(42, 4, 2).vectors(0..1);
        assert_eq!(vectors.row(0), [1.0138428, -2.308938, 1.7141647, -1.117974]);
    }

    #[test]
    fn neighbours_are_much_nearer_than_strangers_and_often_of_another_cluster() {
        let (rows, queries) = (20_000, 50);
        let mixture = Clustered::new(1, 64, 100);
        let vectors = mixture.vectors(0..rows);
        let queries = mixture.vectors(rows..rows + queries);
        let truth = Neighbours::of(&vectors, &queries, 10);
        let mut contrasts: Vec<f64> = (0..queries.rows())
            .map(|query| {
                let strangers = vectors.iter().step_by(100).map(|row| squared_distance(queries.row(query), row).sqrt());
                strangers.sum::<f64>() / (rows as f64 / 100.0) / truth.squared_bound(query).sqrt()
            })
            .collect();
        contrasts.sort_by(f64::total_cmp);
        assert!((1.3..4.0).contains(&contrasts[25]), "{contrasts:?}");
        let cluster = |position: u64| mixture.choose_cluster(&mut Random::seeded(mixture.seed.wrapping_add(position)));
        let of_another = |(query, position)| truth.rows(query).filter(|row| cluster(*row) != cluster(position)).count();
        let of_others: usize = (0..queries.rows()).zip(rows..).map(of_another).sum();
        assert!((50..450).contains(&of_others), "{of_others} of 500");
    }
}
