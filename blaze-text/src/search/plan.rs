//! A query with what the whole index knows of its terms.

use super::bm25::Weight;

/// A query, or a part of one, whose terms are looked up: they are numbers in the table of the query.
pub(super) enum Plan {
    Nothing,
    Term(TermPlan),
    Phrase(PhrasePlan),
    Boolean(BooleanPlan),
}

/// Terms of a field that count as one.
pub(super) struct TermPlan {
    pub(super) field: u8,
    pub(super) keys: Vec<usize>,
    pub(super) weight: Weight,
    pub(super) rarity: Rarity,
}

/// Terms at places of one another.
pub(super) struct PhrasePlan {
    pub(super) field: u8,
    /// At least two, by their offsets.
    pub(super) parts: Vec<PartPlan>,
    pub(super) slop: u32,
    pub(super) weight: Weight,
    pub(super) rarity: Rarity,
}

pub(super) struct PartPlan {
    pub(super) offset: u32,
    pub(super) keys: Vec<usize>,
    /// The parts before it, of other offsets, that have a term in common with it.
    pub(super) shares: Vec<usize>,
}

pub(super) struct BooleanPlan {
    pub(super) must: Vec<Plan>,
    pub(super) should: Vec<Plan>,
    pub(super) must_not: Vec<Plan>,
    /// At least one where `must` is empty.
    pub(super) least: usize,
}

/// What a weight is made of, for explanations.
#[derive(Clone, Copy)]
pub(super) struct Rarity {
    pub(super) boost: f32,
    pub(super) documents: i64,
    pub(super) inverse_frequency: f64,
}

impl Plan {
    /// The parts, if any of them may match and nothing else is said.
    pub(super) fn alternatives(&self) -> Option<&[Plan]> {
        match self {
            Plan::Boolean(BooleanPlan { must, should, must_not, least: 0 | 1 })
                if must.is_empty() && must_not.is_empty() =>
            {
                Some(should)
            }
            _ => None,
        }
    }

    /// The terms, if any of them may match and nothing else is said.
    pub(super) fn terms(&self) -> Option<Vec<&TermPlan>> {
        if let Plan::Term(term) = self {
            return Some(vec![term]);
        }
        let mut terms = Vec::new();
        for plan in self.alternatives()? {
            let Plan::Term(term) = plan else { return None };
            terms.push(term);
        }
        Some(terms)
    }

    /// How many scores are added at most.
    pub(super) fn summands(&self) -> usize {
        match self {
            Plan::Nothing => 0,
            Plan::Term(_) | Plan::Phrase(_) => 1,
            Plan::Boolean(BooleanPlan { must, should, .. }) => must.iter().chain(should).map(Plan::summands).sum(),
        }
    }
}
