//! Making one list of two: what texts say and what vectors say.

use std::collections::BTreeMap;
use std::fmt;

use blaze_core::{DocumentId, Error, Result};
use serde::Serialize;

use super::rank::{TextRank, VectorRank};

/// The constant of reciprocal ranks where none is said: that of the method's authors.
const RECIPROCAL_RANK_K: u32 = 60;

/// How a hybrid search makes one list of two: of the documents that match a text, the best first, and of those whose vectors
/// are near, the nearest first. Each list goes as deep as [`TextSearch::candidates`](super::TextSearch::candidates) says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fusion {
    /// A document gets 1 / (`k` + its rank) of each list that it is in, its rank counted from 1: so the scores themselves do not
    /// matter, which are not of one scale. The larger `k`, the more it counts to be in both lists rather than far ahead in one.
    /// The default, with a `k` of 60 (Cormack, Clarke, Büttcher 2009).
    ReciprocalRank {
        /// What is added to a rank.
        k: u32,
    },
    /// The scores of each list are brought between 0, the last of the list, and 1, its first; all of a list of equal scores to 1.
    /// A document gets their sum by these weights, 0 of a list that it is not in.
    Weighted {
        /// Of the text's score.
        text: f32,
        /// Of the vector's score.
        vector: f32,
    },
}

impl Default for Fusion {
    fn default() -> Fusion {
        Fusion::ReciprocalRank { k: RECIPROCAL_RANK_K }
    }
}

impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fusion::ReciprocalRank { k } => write!(f, "reciprocal rank, k {k}"),
            Fusion::Weighted { text, vector } => write!(f, "weights {text} of the text, {vector} of the vector"),
        }
    }
}

/// A document in one list or both.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fused {
    pub(super) id: DocumentId,
    pub(super) score: f32,
    pub(super) by_text: Option<TextRank>,
    pub(super) by_vector: Option<VectorRank>,
}

impl Fusion {
    pub(super) fn validate(self) -> Result<()> {
        let Fusion::Weighted { text, vector } = self else { return Ok(()) };
        let is_weight = |weight: f32| weight.is_finite() && weight >= 0.0;
        match is_weight(text) && is_weight(vector) && text + vector > 0.0 {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "the weights of a hybrid search are {text} and {vector}: they are finite, not below 0, and one is above"
            ))),
        }
    }

    /// One list of both, the best first, equally good ones by id.
    pub(super) fn fuse(self, text: Vec<(DocumentId, TextRank)>, vector: Vec<(DocumentId, VectorRank)>) -> Vec<Fused> {
        let of_text = self.parts(text.iter().map(|(_, rank)| (rank.rank, rank.score)), |weights| weights.0);
        let of_vector = self.parts(vector.iter().map(|(_, rank)| (rank.rank, rank.score)), |weights| weights.1);
        let mut fused: BTreeMap<DocumentId, (f64, Option<TextRank>, Option<VectorRank>)> = BTreeMap::new();
        for ((id, rank), part) in text.into_iter().zip(of_text) {
            fused.insert(id, (part, Some(rank), None));
        }
        for ((id, rank), part) in vector.into_iter().zip(of_vector) {
            let (score, _, there) = fused.entry(id).or_default();
            *score += part;
            *there = Some(rank);
        }
        let mut fused: Vec<_> = fused.into_iter().collect();
        fused.sort_by(|(_, (a, ..)), (_, (b, ..))| b.total_cmp(a));
        #[expect(clippy::cast_possible_truncation, reason = "a score has single precision")]
        let hit = |(id, (score, by_text, by_vector))| Fused { id, score: score as f32, by_text, by_vector };
        fused.into_iter().map(hit).collect()
    }

    /// What each document of a list gets of it.
    fn parts(self, ranked: impl Iterator<Item = (usize, f32)> + Clone, weight: impl Fn((f32, f32)) -> f32) -> Vec<f64> {
        match self {
            Fusion::ReciprocalRank { k } => ranked.map(|(rank, _)| 1.0 / (f64::from(k) + rank as f64)).collect(),
            Fusion::Weighted { text, vector } => {
                let weight = f64::from(weight((text, vector)));
                // A large boost makes scores infinite, of which there is no difference.
                let finite = |score: f32| f64::from(score.clamp(f32::MIN, f32::MAX));
                let scores = || ranked.clone().map(|(_, score)| finite(score));
                let least = scores().fold(f64::INFINITY, f64::min);
                let range = scores().fold(f64::NEG_INFINITY, f64::max) - least;
                let between = |score: f64| if range > 0.0 { (score - least) / range } else { 1.0 };
                scores().map(|score| weight * between(score)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(list: &[(i64, f32)]) -> Vec<(DocumentId, TextRank)> {
        let rank = |(at, (id, score)): (usize, &(i64, f32))| ((*id).into(), TextRank { rank: at + 1, score: *score });
        list.iter().enumerate().map(rank).collect()
    }

    fn vector(list: &[(i64, f32)]) -> Vec<(DocumentId, VectorRank)> {
        let rank = |(at, (id, score)): (usize, &(i64, f32))| {
            ((*id).into(), VectorRank { rank: at + 1, score: *score, distance: 1.0 - score, chunk: None })
        };
        list.iter().enumerate().map(rank).collect()
    }

    fn scores(fused: &[Fused]) -> Vec<(String, f32)> {
        fused.iter().map(|fused| (fused.id.to_string(), fused.score)).collect()
    }

    #[test]
    fn reciprocal_ranks_add_up_whatever_the_scores_are() {
        let fused = Fusion::default().fuse(text(&[(1, 900.0), (2, 3.0)]), vector(&[(2, 0.9), (3, 0.8)]));
        let expected =
            [("2".to_owned(), 1.0 / 62.0 + 1.0 / 61.0), ("1".to_owned(), 1.0 / 61.0), ("3".to_owned(), 1.0 / 62.0)];
        assert_eq!(scores(&fused), expected);
        assert_eq!(fused[0].by_text, Some(TextRank { rank: 2, score: 3.0 }));
        assert_eq!(fused[0].by_vector.map(|rank| rank.rank), Some(1));
        assert_eq!((fused[1].by_vector, fused[2].by_text), (None, None));
    }

    #[test]
    fn weights_count_scores_between_the_last_and_the_first_of_a_list() {
        let fusion = Fusion::Weighted { text: 0.25, vector: 0.75 };
        let fused = fusion.fuse(text(&[(1, 8.0), (2, 6.0), (3, 4.0)]), vector(&[(3, 0.5), (2, 0.25)]));
        let expected = [("3".to_owned(), 0.75), ("1".to_owned(), 0.25), ("2".to_owned(), 0.125)];
        assert_eq!(scores(&fused), expected);
        let alone = fusion.fuse(text(&[(1, 8.0)]), Vec::new());
        assert_eq!(scores(&alone), [("1".to_owned(), 0.25)], "one alone is the first");
    }

    #[test]
    fn scores_without_bounds_are_the_first_of_their_list() {
        let fusion = Fusion::Weighted { text: 0.5, vector: 0.5 };
        let list = text(&[(1, f32::INFINITY), (2, f32::INFINITY), (3, 1.0)]);
        let fused = fusion.fuse(list, vector(&[(3, 0.5)]));
        let expected = [("1".to_owned(), 0.5), ("2".to_owned(), 0.5), ("3".to_owned(), 0.5)];
        assert_eq!(scores(&fused), expected);
    }

    #[test]
    fn equally_good_documents_come_in_the_order_of_their_ids() {
        let fused = Fusion::default().fuse(text(&[(9, 1.0)]), vector(&[(4, 1.0)]));
        assert_eq!(scores(&fused), [("4".to_owned(), 1.0 / 61.0), ("9".to_owned(), 1.0 / 61.0)]);
    }

    #[test]
    fn weights_that_say_nothing_are_refused() {
        for (text, vector) in [(0.0, 0.0), (-1.0, 2.0), (f32::NAN, 1.0), (1.0, f32::INFINITY)] {
            assert!(Fusion::Weighted { text, vector }.validate().is_err(), "{text} and {vector}");
        }
        assert!(Fusion::Weighted { text: 0.0, vector: 1.0 }.validate().is_ok());
    }
}
