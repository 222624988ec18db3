//! Why a document scores as it does.

use blaze_core::Result;

use super::Leaf;
use super::bm25::Weight;
use super::leaf_query::LeafQuery;
use super::plan::{BooleanPlan, PhrasePlan, Plan, Rarity, TermPlan};
use super::unit::Unit;
use crate::{Postings, TermKey};

/// The score of a document and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The score.
    pub score: f32,
    /// What each term and phrase that matches is worth, in the order of the query: the score is the sum.
    pub terms: Vec<TermScore>,
}

/// What a term or a phrase is worth in a document.
#[derive(Clone, Debug, PartialEq)]
pub struct TermScore {
    /// The terms of a phrase in their order; else those that count as one, as far as the document has them.
    pub terms: Vec<TermKey>,
    /// True if the terms are a phrase.
    pub is_phrase: bool,
    /// How often the document has it.
    pub frequency: u32,
    /// How many tokens the field of the document has.
    pub length: u32,
    /// How many documents have the most frequent of the terms that count as one, or the rarest part of a phrase.
    pub documents: u64,
    /// How much it says that a document has it.
    pub inverse_frequency: f32,
    /// What it is multiplied by.
    pub boost: f32,
    /// What it adds to the score.
    pub score: f32,
}

/// Evaluates a query for one document.
pub(super) struct Explainer<'q, 'l, L: Leaf> {
    pub(super) query: &'q LeafQuery<'l, L>,
    pub(super) keys: &'q [TermKey],
    pub(super) document: u32,
}

impl<L: Leaf> Explainer<'_, '_, L> {
    /// The score of the document, if it matches, with what it is made of.
    pub(super) fn explain(&self, plan: &Plan) -> Result<Option<Explanation>> {
        let mut terms = Vec::new();
        let score = self.score(plan, &mut terms)?;
        Ok(score.map(|score| Explanation { score, terms }))
    }

    fn score(&self, plan: &Plan, terms: &mut Vec<TermScore>) -> Result<Option<f32>> {
        match plan {
            Plan::Nothing => Ok(None),
            Plan::Term(term) => self.term(term, terms),
            Plan::Phrase(phrase) => self.phrase(phrase, terms),
            Plan::Boolean(boolean) => {
                let before = terms.len();
                let score = self.boolean(boolean, terms)?;
                if score.is_none() {
                    terms.truncate(before);
                }
                Ok(score)
            }
        }
    }

    fn term(&self, term: &TermPlan, terms: &mut Vec<TermScore>) -> Result<Option<f32>> {
        let (mut found, mut frequency) = (Vec::new(), 0_u32);
        for key in &term.keys {
            let Some(mut cursor) = self.query.cursors(std::slice::from_ref(key), false)?.pop() else { continue };
            if cursor.document() < self.document {
                cursor.seek(self.document)?;
            }
            if cursor.document() == self.document {
                frequency = frequency.saturating_add(cursor.frequency()?);
                found.push(self.keys[*key].clone());
            }
        }
        if found.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.push(terms, found, false, frequency, (term.field, term.weight, term.rarity))))
    }

    fn phrase(&self, phrase: &PhrasePlan, terms: &mut Vec<TermScore>) -> Result<Option<f32>> {
        let Some(mut found) = self.query.phrase_of_alternatives(phrase)? else { return Ok(None) };
        if found.document() < self.document {
            found.seek(self.document)?;
        }
        if found.document() != self.document {
            return Ok(None);
        }
        let keys = phrase.parts.iter().flat_map(|part| &part.keys).map(|&key| self.keys[key].clone()).collect();
        Ok(Some(self.push(terms, keys, true, found.frequency(), (phrase.field, phrase.weight, phrase.rarity))))
    }

    fn push(
        &self,
        terms: &mut Vec<TermScore>,
        found: Vec<TermKey>,
        is_phrase: bool,
        frequency: u32,
        (field, weight, rarity): (u8, Weight, Rarity),
    ) -> f32 {
        let length = self.query.leaf.length(field, self.document);
        let score = weight.score(frequency, length);
        terms.push(TermScore {
            terms: found,
            is_phrase,
            frequency,
            length,
            documents: rarity.documents.unsigned_abs(),
            inverse_frequency: rarity.inverse_frequency as f32,
            boost: rarity.boost,
            score,
        });
        score
    }

    fn boolean(&self, boolean: &BooleanPlan, terms: &mut Vec<TermScore>) -> Result<Option<f32>> {
        let mut required = 0.0;
        for plan in &boolean.must {
            let Some(score) = self.score(plan, terms)? else { return Ok(None) };
            required += score;
        }
        let (mut optional, mut matching) = (0.0, 0);
        for plan in &boolean.should {
            if let Some(score) = self.score(plan, terms)? {
                optional += score;
                matching += 1;
            }
        }
        if matching < boolean.least {
            return Ok(None);
        }
        for plan in &boolean.must_not {
            if self.score(plan, &mut Vec::new())?.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(required + optional))
    }
}
