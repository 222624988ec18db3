//! Are the neighbours that an index finds the true ones?

use std::fs;
use std::path::Path;

use crate::Result;
use crate::dataset::{Matrix, Neighbours, squared_distance};
use crate::engine::{VectorSkill, Vectors};

/// Knows the truth and checks answers against it.
pub(super) struct Judge<'a> {
    pub(super) vectors: &'a Matrix,
    pub(super) queries: &'a Matrix,
    pub(super) k: usize,
    truth: Neighbours,
}

/// How far two squared distances may be apart by rounding in single precision, as a share of them.
const ROUNDING: f64 = 1e-5;
/// And as a share of the squared length of the query.
const SLACK: f64 = 1e-6;

impl<'a> Judge<'a> {
    /// Finds out the truth, which takes time linear in vectors and queries.
    pub(super) fn new(vectors: &'a Matrix, queries: &'a Matrix, k: usize) -> Judge<'a> {
        Judge { vectors, queries, k, truth: Neighbours::of(vectors, queries, k) }
    }

    /// The same with the truth from a file, where a job before this one has left it.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn kept(vectors: &'a Matrix, queries: &'a Matrix, k: usize, file: &Path) -> Result<Judge<'a>> {
        if file.is_file() {
            return Ok(Judge { vectors, queries, k, truth: serde_json::from_slice(&fs::read(file)?)? });
        }
        let judge = Judge::new(vectors, queries, k);
        fs::write(file, serde_json::to_vec(&judge.truth)?)?;
        Ok(judge)
    }

    /// The mean share of the `k` true neighbours that the answers have: recall@k. A vector that is as near as the farthest of
    /// them counts as one, but for rounding.
    ///
    /// # Errors
    /// When an answer has too many vectors, one twice, one that does not exist, or not the nearest first.
    pub(super) fn recall(&self, answers: &[Vec<u64>]) -> Result<f64> {
        self.recall_in(answers, true)
    }

    /// The same of what an index has answered, which may know distances about only.
    ///
    /// # Errors
    /// Those of [`recall`](Judge::recall); the order does not matter where the index does not promise it.
    pub(super) fn recall_of(&self, index: &dyn Vectors, answers: &[Vec<u64>]) -> Result<f64> {
        self.recall_in(answers, !index.lacks(VectorSkill::ExactOrder))
    }

    fn recall_in(&self, answers: &[Vec<u64>], in_order: bool) -> Result<f64> {
        let mut found = 0;
        for (query, answer) in answers.iter().enumerate() {
            let distances = self
                .distances(query, answer, in_order)
                .map_err(|wrong| format!("wrong answer to query {query}: {wrong}"))?;
            let bound = self.truth.squared_bound(query) * (1.0 + ROUNDING);
            found += distances.iter().filter(|&&distance| distance <= bound).count();
        }
        let all = answers.len() * self.k.min(self.vectors.rows());
        Ok(if all == 0 { 1.0 } else { found as f64 / all as f64 })
    }

    fn distances(&self, query: usize, answer: &[u64], in_order: bool) -> Result<Vec<f64>> {
        if answer.len() > self.k {
            return Err(format!("{} vectors where {} were asked for", answer.len(), self.k).into());
        }
        // What is next to the query is a small difference of large numbers where distances come of products.
        let numbers = self.queries.row(query).iter();
        let slack = numbers.map(|number| f64::from(*number).powi(2)).sum::<f64>() * SLACK;
        let mut distances = Vec::<f64>::with_capacity(answer.len());
        for (place, &row) in answer.iter().enumerate() {
            if row >= self.vectors.rows() as u64 {
                return Err(format!("vector {row} of {}", self.vectors.rows()).into());
            }
            if answer[..place].contains(&row) {
                return Err(format!("vector {row} twice").into());
            }
            let distance = squared_distance(self.queries.row(query), self.vectors.row(row as usize));
            let is_nearer = |before: &&f64| in_order && distance < **before * (1.0 - ROUNDING) - slack;
            if let Some(before) = distances.last().filter(is_nearer) {
                let (before, distance) = (before.sqrt(), distance.sqrt());
                return Err(format!("vector {row} at distance {distance} after one at {before}").into());
            }
            distances.push(distance);
        }
        Ok(distances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors at 0, 1, 2, 3 and 3, and queries at 0 and 2.
    fn with_judge<T>(k: usize, check: impl FnOnce(Judge<'_>) -> T) -> T {
        let vectors = Matrix::new(1, vec![0.0, 1.0, 2.0, 3.0, 3.0]).unwrap();
        let queries = Matrix::new(1, vec![0.0, 2.0]).unwrap();
        check(Judge::new(&vectors, &queries, k))
    }

    #[test]
    fn recall_is_the_share_of_true_neighbours() {
        with_judge(2, |judge| {
            assert_eq!(judge.recall(&[vec![0, 1], vec![2, 1]]).unwrap(), 1.0);
            assert_eq!(judge.recall(&[vec![0, 2], vec![2]]).unwrap(), 0.5);
            assert_eq!(judge.recall(&[vec![], vec![]]).unwrap(), 0.0);
        });
        with_judge(9, |judge| assert_eq!(judge.recall(&[vec![0, 1, 2, 3, 4]]).unwrap(), 1.0));
    }

    #[test]
    fn whichever_of_equally_near_vectors_is_found_is_right() {
        with_judge(2, |judge| {
            for other in [1, 3, 4] {
                assert_eq!(judge.recall(&[vec![0, 1], vec![2, other]]).unwrap(), 1.0);
            }
        });
    }

    #[test]
    fn answers_that_no_index_may_give_are_errors() {
        with_judge(2, |judge| {
            for (answer, wrong) in [
                (vec![0, 1, 2], "3 vectors where 2 were asked for"),
                (vec![0, 0], "vector 0 twice"),
                (vec![5], "vector 5 of 5"),
                (vec![1, 0], "vector 0 at distance 0 after one at 1"),
            ] {
                let message = judge.recall(&[answer]).unwrap_err().to_string();
                assert_eq!(message, format!("wrong answer to query 0: {wrong}"));
            }
        });
    }
}
