//! What a term is worth in a document: BM25.

use crate::{FieldTotals, Impact};

/// How soon more of the same term counts no more.
const K1: f64 = 1.2;
/// How much the length of a field counts.
const B: f64 = 0.75;

/// How much it says that a document has a term, by how many of all documents have it: never negative, never NaN.
///
/// As in Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), plus one so that it stays positive.
pub(super) fn inverse_frequency(documents: i64, having: i64) -> f64 {
    let having = having.max(0);
    let documents = documents.max(having);
    let (documents, having) = (documents as f64, having as f64);
    ((documents - having + 0.5) / (having + 0.5)).ln_1p()
}

/// The score of a term by how often it is in a field and by the length of that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weight {
    weight: f32,
    base: f32,
    per_token: f32,
}

impl Weight {
    /// The weight of what is so rare, in a field with these totals.
    pub(super) fn new(boost: f32, inverse_frequency: f64, totals: FieldTotals) -> Weight {
        let average = if totals.documents > 0 && totals.tokens > 0 {
            totals.tokens as f64 / totals.documents as f64
        } else {
            1.0
        };
        Weight {
            weight: (f64::from(boost) * inverse_frequency * (K1 + 1.0)) as f32,
            base: (K1 * (1.0 - B)) as f32,
            per_token: (K1 * B / average) as f32,
        }
    }

    /// The score.
    #[inline]
    pub(super) fn score(self, frequency: u32, length: u32) -> f32 {
        let frequency = frequency as f32;
        self.weight * frequency / (frequency + (self.base + self.per_token * length as f32))
    }

    /// How often a term has to be in a field of at least this length, or less often, for a score above the threshold that
    /// [`floor_of`] has made `floor` of: rounding is allowed for there, and that of the quotient here.
    pub(super) fn least_frequency(self, length: u32, floor: f32) -> u32 {
        let rest = self.weight - floor;
        let frequency = match rest > 0.0 {
            true => floor / rest * (self.base + self.per_token * length as f32) * 0.999_99,
            false => f32::INFINITY,
        };
        // Of a huge boost scores are infinite from here on.
        (frequency.min(f32::MAX / self.weight) as u32).saturating_add(1)
    }

    /// What no score is above that impacts bound; none does without impacts.
    #[inline]
    pub(super) fn bound(self, impacts: &[Impact]) -> f32 {
        impacts.iter().map(|impact| self.score(impact.frequency, impact.length)).fold(0.0, f32::max)
    }

    /// False if no score that an impact bounds is above the threshold that [`floor_of`] has made `floor` of: as
    /// [`bound`](Weight::bound), but that products are compared, which take less time than a quotient.
    #[inline]
    pub(super) fn may_exceed(self, impact: Impact, floor: f32) -> bool {
        let frequency = impact.frequency as f32;
        let weighed = self.weight * frequency;
        // The score is infinite if this is.
        weighed == f32::INFINITY || weighed > floor * (frequency + (self.base + self.per_token * impact.length as f32))
    }

    /// What no score is above, of documents with these impacts or, without any, of all: but for the rounding that [`floor_of`]
    /// allows for.
    pub(super) fn ceiling(self, impacts: &[Impact]) -> f32 {
        if impacts.is_empty() { self.weight } else { self.bound(impacts) }
    }
}

/// What a sum of bounds must be above for the score to be possibly above `threshold`, where as many scores are added.
///
/// A score and its bound are each a product and a quotient rounded to a part in 2^24, as are the sums of either, in whatever
/// order; one part in 2^23 for each summand, and eight more, is more than all of these together.
pub(super) fn floor_of(threshold: f32, summands: usize) -> f32 {
    threshold * (1.0 - (summands as f32 + 8.0) * f32::EPSILON)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_has_a_term_more_rarely_than_the_least_frequency_does_not_score_above_the_threshold(
            (having, documents) in (1_i64..1_000, 1_000_i64..100_000),
            tokens in 1_000_i64..10_000_000,
            boost in 0.01_f32..100.0,
            (shortest, longer) in (0_u32..1_000, 0_u32..100),
            (often, length) in (1_u32..300, 0_u32..1_000),
        ) {
            let weight = Weight::new(boost, inverse_frequency(documents, having), FieldTotals { documents, tokens });
            // A threshold that is some document's score.
            let threshold = weight.score(often, length);
            let least = weight.least_frequency(shortest, floor_of(threshold, 1));
            for frequency in [1, least / 2, least.saturating_sub(2), least - 1] {
                prop_assert!(frequency >= least || weight.score(frequency, shortest + longer) <= threshold);
            }
            prop_assert!(weight.score(least.saturating_add(1).saturating_add(least / 1_000), shortest) >= threshold);
        }
    }
}
