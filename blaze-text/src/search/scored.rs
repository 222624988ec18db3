//! Documents that follow each other, with their scores.

use super::Leaf;
use super::bm25::Weight;
use crate::Batch;
use crate::batch::BATCH;

/// Documents in ascending order, each with its score.
pub(super) struct Scored {
    pub(super) batch: Batch,
    lengths: [u32; BATCH],
    scores: [f32; BATCH],
}

impl Scored {
    pub(super) fn new() -> Scored {
        Scored { batch: Batch::new(), lengths: [0; BATCH], scores: [0.0; BATCH] }
    }

    pub(super) fn clear(&mut self) {
        self.batch.clear();
    }

    /// Takes one document in place of what is there.
    pub(super) fn one(&mut self, document: u32, score: f32) {
        self.clear();
        self.batch.push(document, 0, 0);
        self.scores[0] = score;
    }

    /// Scores what is in the batch, all at once: the compiler does several in one step.
    pub(super) fn score<L: Leaf>(&mut self, leaf: &L, field: u8, weight: Weight) {
        let (documents, frequencies) = (self.batch.documents(), self.batch.frequencies());
        leaf.lengths(field, documents, &mut self.lengths);
        for ((score, frequency), length) in self.scores.iter_mut().zip(frequencies).zip(&self.lengths) {
            *score = weight.score(*frequency, *length);
        }
    }

    /// The documents.
    #[inline]
    pub(super) fn documents(&self) -> &[u32] {
        self.batch.documents()
    }

    /// A document by its place, with its score.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<(u32, f32)> {
        Some((*self.batch.documents().get(at)?, *self.scores.get(at)?))
    }

    /// The document behind the last one that was gone past: others are not before it.
    pub(super) fn end(&self) -> u32 {
        self.batch.end()
    }

    /// The place of the first document, from one on, that scores above `least`; several are compared in one step.
    #[inline]
    pub(super) fn find_above(&self, from: usize, least: f32) -> Option<usize> {
        let scores = self.scores[..self.batch.documents().len()].get(from..)?;
        let (few, rest) = scores.as_chunks::<8>();
        let passed = few.iter().take_while(|few| !few.iter().fold(false, |any, score| any | (*score > least))).count();
        let scores = few.get(passed).map_or(rest, |few| few.as_slice());
        let at = scores.iter().position(|score| *score > least)?;
        Some(from + 8 * passed + at)
    }
}
