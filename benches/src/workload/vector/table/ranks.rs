//! What filters ask for: two numbers beside each vector, one that has nothing to do with it and one that has.

use serde_json::{Map, Value as Json};

use crate::dataset::Matrix;
use crate::distribution::Random;
use crate::engine::{Condition, Operator, Properties, VectorFilter};

/// Each row has a place in a random order, and one in the order along the direction in which the vectors differ most.
pub(super) struct Ranks {
    random: Vec<u32>,
    along: Vec<u32>,
    direction: Vec<f64>,
}

const RANDOM: &str = "random";
const ALONG: &str = "along";
/// Vectors that the direction is found by, and how often it is made better.
const SAMPLE: usize = 5000;
const STEPS: usize = 20;

impl Ranks {
    pub(super) fn of(vectors: &Matrix, seed: u64) -> Ranks {
        let mut random = Random::seeded(seed);
        let direction = direction(vectors, &mut random);
        let shuffled: Vec<u64> = (0..vectors.rows()).map(|_| random.next_u64()).collect();
        let along: Vec<f64> = vectors.iter().map(|vector| project(vector, &direction)).collect();
        Ranks {
            random: ranks(vectors.rows(), |row| shuffled[row] as f64),
            along: ranks(vectors.rows(), |row| along[row]),
            direction,
        }
    }

    /// Keeps `count` random rows.
    pub(super) fn random(&self, count: usize) -> VectorFilter {
        VectorFilter {
            conditions: vec![Condition::new(RANDOM, Operator::Lt, count as u64)],
            matching: self.random.iter().map(|&rank| (rank as usize) < count).collect(),
        }
    }

    /// Filters of which each keeps `count` random rows, and none the same as another or as [`random`](Ranks::random): at most
    /// `many`, fewer where there are too few rows.
    pub(super) fn others(&self, count: usize, many: usize) -> impl Iterator<Item = VectorFilter> {
        let left = self.random.len().saturating_sub(count);
        let begins = (1..=left).step_by((left / many.max(1)).max(1)).take(many);
        begins.map(move |begin| self.between(begin, begin + count))
    }

    fn between(&self, begin: usize, end: usize) -> VectorFilter {
        let (from, below) = (begin as u64, end as u64);
        VectorFilter {
            conditions: vec![Condition::new(RANDOM, Operator::Ge, from), Condition::new(RANDOM, Operator::Lt, below)],
            matching: self.random.iter().map(|&rank| (from..below).contains(&u64::from(rank))).collect(),
        }
    }

    /// Keeps the `count` rows at the end of the direction.
    pub(super) fn end(&self, count: usize) -> VectorFilter {
        let from = self.along.len().saturating_sub(count);
        VectorFilter {
            conditions: vec![Condition::new(ALONG, Operator::Ge, from as u64)],
            matching: self.along.iter().map(|&rank| rank as usize >= from).collect(),
        }
    }

    /// The `count` of the candidates that lie farthest from that end.
    pub(super) fn at_the_beginning(&self, candidates: &Matrix, count: usize) -> Matrix {
        let mut order: Vec<usize> = (0..candidates.rows()).collect();
        let place = |row: usize| project(candidates.row(row), &self.direction);
        order.sort_by(|&one, &other| place(one).total_cmp(&place(other)));
        candidates.select(order.into_iter().take(count))
    }
}

impl Properties for Ranks {
    fn names(&self) -> Vec<&str> {
        vec![RANDOM, ALONG]
    }

    fn of(&self, row: usize) -> Map<String, Json> {
        [(RANDOM, self.random[row]), (ALONG, self.along[row])]
            .map(|(name, rank)| (name.to_owned(), rank.into()))
            .into_iter()
            .collect()
    }
}

fn ranks(rows: usize, key: impl Fn(usize) -> f64) -> Vec<u32> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&one, &other| key(one).total_cmp(&key(other)).then(one.cmp(&other)));
    let mut ranks = vec![0; rows];
    order.into_iter().zip(0..).for_each(|(row, rank)| ranks[row] = rank);
    ranks
}

/// About the first principal component: the covariance of some vectors, applied again and again.
fn direction(vectors: &Matrix, random: &mut Random) -> Vec<f64> {
    let rows = || (0..vectors.rows()).step_by((vectors.rows() / SAMPLE).max(1));
    let count = rows().count().max(1) as f64;
    let mut mean = vec![0.0; vectors.dimensions()];
    rows().for_each(|row| add(&mut mean, vectors.row(row), 1.0 / count));
    let mut direction: Vec<f64> = mean.iter().map(|_| random.fraction() - 0.5).collect();
    for _ in 0..STEPS {
        let at_mean: f64 = mean.iter().zip(&direction).map(|(mean, direction)| mean * direction).sum();
        let mut next = vec![0.0; direction.len()];
        let mut weights = 0.0;
        for row in rows() {
            let weight = project(vectors.row(row), &direction) - at_mean;
            add(&mut next, vectors.row(row), weight);
            weights += weight;
        }
        next.iter_mut().zip(&mean).for_each(|(next, mean)| *next -= weights * mean);
        let length = next.iter().map(|number| number * number).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        direction = next.into_iter().map(|number| number / length).collect();
    }
    direction
}

fn add(sum: &mut [f64], vector: &[f32], weight: f64) {
    sum.iter_mut().zip(vector).for_each(|(sum, number)| *sum += weight * f64::from(*number));
}

fn project(vector: &[f32], direction: &[f64]) -> f64 {
    vector.iter().zip(direction).map(|(number, direction)| f64::from(*number) * direction).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Clustered, squared_distance};

    #[test]
    fn filters_keep_as_many_rows_as_they_shall_and_say_the_same_by_conditions() {
        let vectors = Clustered::new(1, 16, 5).vectors(0..2000);
        let ranks = Ranks::of(&vectors, 7);
        for filter in [ranks.random(20), ranks.end(20)] {
            assert_eq!(filter.matching.iter().filter(|matches| **matches).count(), 20);
            let [condition] = filter.conditions.as_slice() else { panic!("{filter:?}") };
            for (row, matches) in filter.matching.iter().enumerate() {
                let (value, bound) = (ranks.of(row)[&condition.path].as_u64(), condition.value.as_u64());
                assert_eq!(*matches, if condition.is == Operator::Lt { value < bound } else { value >= bound });
            }
        }
    }

    #[test]
    fn other_filters_keep_as_many_rows_and_never_the_same() {
        let ranks = Ranks::of(&Clustered::new(1, 16, 5).vectors(0..2000), 7);
        for count in [2, 1000, 1995, 2000] {
            let filters: Vec<VectorFilter> = ranks.others(count, 10).collect();
            assert_eq!(filters.len(), 10.min(2000 - count));
            let mut kept: Vec<Vec<bool>> = filters.iter().map(|filter| filter.matching.clone()).collect();
            kept.push(ranks.random(count).matching);
            assert!(kept.iter().all(|kept| kept.iter().filter(|matches| **matches).count() == count));
            let distinct: std::collections::BTreeSet<&Vec<bool>> = kept.iter().collect();
            assert_eq!(distinct.len(), kept.len());
            for filter in &filters {
                let [from, below] = &filter.conditions[..] else { panic!("{filter:?}") };
                let bounds = from.value.as_u64().unwrap()..below.value.as_u64().unwrap();
                let is_within = |row| bounds.contains(&ranks.of(row)[RANDOM].as_u64().unwrap());
                assert!((0..2000).all(|row| filter.matching[row] == is_within(row)));
            }
        }
    }

    #[test]
    fn what_lies_at_the_end_is_far_from_the_queries_at_the_beginning() {
        let mixture = Clustered::new(1, 16, 50);
        let (vectors, candidates) = (mixture.vectors(0..5000), mixture.vectors(5000..6000));
        let ranks = Ranks::of(&vectors, 7);
        let queries = ranks.at_the_beginning(&candidates, 20);
        let mean = |filter: VectorFilter| {
            let matching = || (0..vectors.rows()).filter(|&row| filter.matching[row]);
            let sum = |query| matching().map(|row| squared_distance(query, vectors.row(row)).sqrt()).sum::<f64>();
            queries.iter().map(sum).sum::<f64>() / (matching().count() * queries.rows()) as f64
        };
        let (random, end) = (mean(ranks.random(500)), mean(ranks.end(500)));
        assert!(end > 1.2 * random, "{end} at the end, {random} anywhere");
    }
}
