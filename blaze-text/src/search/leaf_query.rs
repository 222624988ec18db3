//! A plan in one leaf: which cursors it takes, and which way the best are found.

use blaze_core::Result;

use super::clause::Clause;
use super::cursor::Cursor;
use super::drive::drive;
use super::intersection::intersection;
use super::phrase::{Phrase, rarest};
use super::places::Places;
use super::plan::{BooleanPlan, PartPlan, PhrasePlan, Plan, TermPlan};
use super::top::{LeafTop, Top};
use super::tree::{All, Any, Preferring, Without};
use super::union::union;
use super::unit::Unit;
use super::{Accept, Leaf};
use crate::Postings;

type Boxed<'l> = Box<dyn Unit + 'l>;

/// A leaf with what it knows of the terms of a query.
pub(super) struct LeafQuery<'l, L: Leaf> {
    pub(super) number: usize,
    pub(super) leaf: &'l L,
    pub(super) entries: &'l [Option<L::Entry>],
}

impl<'l, L: Leaf> LeafQuery<'l, L> {
    /// Collects the best of what matches.
    pub(super) fn best<'t>(&self, plan: &Plan, top: &'t mut Top, accept: Accept<'t>) -> Result<()> {
        let except = match plan {
            Plan::Boolean(boolean) => any(self.units(&boolean.must_not)?, 1)?,
            _ => None,
        };
        let mut top = LeafTop::new(top, (self.number, self.leaf), except, accept, plan.summands());
        match plan {
            Plan::Nothing => Ok(()),
            Plan::Term(term) => self.best_of_term(term, &mut top),
            Plan::Phrase(phrase) => match self.is_plain(phrase) {
                true => match self.phrase(phrase)? {
                    Some(phrase) => drive(phrase, &mut top),
                    None => Ok(()),
                },
                false => match self.phrase_of_alternatives(phrase)? {
                    Some(phrase) => drive(phrase, &mut top),
                    None => Ok(()),
                },
            },
            Plan::Boolean(BooleanPlan { must, should, least: 0 | 1, .. }) if must.is_empty() => {
                self.best_of_any(should, &mut top)
            }
            Plan::Boolean(BooleanPlan { must, should, .. }) if should.is_empty() => self.best_of_all(must, &mut top),
            Plan::Boolean(boolean) => match self.matching(boolean)? {
                Some(unit) => drive(unit, &mut top),
                None => Ok(()),
            },
        }
    }

    fn best_of_term(&self, term: &TermPlan, top: &mut LeafTop<'_, 'l, L>) -> Result<()> {
        if let [key] = term.keys[..] {
            let Some(entry) = &self.entries[key] else { return Ok(()) };
            let cursor = self.leaf.postings(entry, false)?;
            return drive(Clause::new(self.leaf, term.field, cursor, term.weight), top);
        }
        let cursors = self.cursors(&term.keys, false)?;
        let Some(cursor) = Cursor::new(self.leaf, term.field, cursors, false)? else { return Ok(()) };
        drive(Clause::new(self.leaf, term.field, cursor, term.weight), top)
    }

    /// The best of what any part matches: terms by themselves, other parts as they are.
    fn best_of_any(&self, parts: &[Plan], top: &mut LeafTop<'_, 'l, L>) -> Result<()> {
        let Some(groups) = parts.iter().map(Plan::terms).collect::<Option<Vec<_>>>() else {
            return union(self.units(parts)?, Vec::new(), top);
        };
        let (mut found, mut ends) = (Vec::new(), Vec::new());
        for term in groups.iter().flatten() {
            found.push((*term, self.cursors(&term.keys, false)?));
        }
        let is_grouped = groups.iter().any(|group| group.len() > 1);
        if is_grouped {
            let present = |terms: usize| found[..terms].iter().filter(|(_, cursors)| !cursors.is_empty()).count();
            let starts = groups.iter().scan(0, |terms, group| {
                *terms += group.len();
                Some(*terms)
            });
            ends = starts.map(present).collect();
        }
        if found.iter().all(|(_, cursors)| cursors.len() <= 1) {
            let single = found.into_iter().filter_map(|(term, mut cursors)| Some((term, cursors.pop()?)));
            let clauses = single.map(|(term, cursor)| Clause::new(self.leaf, term.field, cursor, term.weight));
            return best_of_clauses(clauses.collect(), ends, top);
        }
        let mut clauses = Vec::with_capacity(found.len());
        for (term, cursors) in found {
            if let Some(cursor) = Cursor::new(self.leaf, term.field, cursors, false)? {
                clauses.push(Clause::new(self.leaf, term.field, cursor, term.weight));
            }
        }
        best_of_clauses(clauses, ends, top)
    }

    /// The best of what all parts match: of terms, or of terms of which any may match, without dispatch.
    fn best_of_all(&self, parts: &[Plan], top: &mut LeafTop<'_, 'l, L>) -> Result<()> {
        let groups = parts.iter().map(Plan::terms).collect::<Option<Vec<_>>>();
        let plain = groups.filter(|groups| groups.iter().flatten().all(|term| term.keys.len() == 1));
        let Some(groups) = plain else {
            let units = self.units(parts)?;
            return if units.len() < parts.len() { Ok(()) } else { intersection(units, top) };
        };
        let mut found = Vec::with_capacity(groups.len());
        for group in groups {
            let mut clauses = Vec::with_capacity(group.len());
            for term in group {
                for cursor in self.cursors(&term.keys, false)? {
                    clauses.push(Clause::new(self.leaf, term.field, cursor, term.weight));
                }
            }
            if clauses.is_empty() {
                return Ok(());
            }
            found.push(clauses);
        }
        if found.iter().all(|clauses| clauses.len() == 1) {
            return intersection(found.into_iter().flatten().collect(), top);
        }
        let units = found.into_iter().map(|clauses| Any::new(clauses, 1));
        intersection(units.collect::<Result<Vec<_>>>()?, top)
    }

    /// The documents that match; none if there are none for sure.
    pub(super) fn unit(&self, plan: &Plan) -> Result<Option<Boxed<'l>>> {
        Ok(match plan {
            Plan::Nothing => None,
            Plan::Term(term) => {
                let mut cursors = self.cursors(&term.keys, false)?;
                if cursors.len() > 1 {
                    let cursor = Cursor::new(self.leaf, term.field, cursors, false)?;
                    let clause = |cursor| Clause::new(self.leaf, term.field, cursor, term.weight);
                    cursor.map(|cursor| Box::new(clause(cursor)) as Boxed<'l>)
                } else {
                    let clause = |cursor| Clause::new(self.leaf, term.field, cursor, term.weight);
                    cursors.pop().map(|cursor| Box::new(clause(cursor)) as Boxed<'l>)
                }
            }
            Plan::Phrase(phrase) if self.is_plain(phrase) => {
                self.phrase(phrase)?.map(|phrase| Box::new(phrase) as Boxed<'l>)
            }
            Plan::Phrase(phrase) => self.phrase_of_alternatives(phrase)?.map(|phrase| Box::new(phrase) as Boxed<'l>),
            Plan::Boolean(boolean) => {
                let Some(unit) = self.matching(boolean)? else { return Ok(None) };
                match any(self.units(&boolean.must_not)?, 1)? {
                    Some(except) => Some(Box::new(Without::new(unit, except)?)),
                    None => Some(unit),
                }
            }
        })
    }

    /// What matches all that has to, and enough of what should.
    fn matching(&self, boolean: &BooleanPlan) -> Result<Option<Boxed<'l>>> {
        let must = self.units(&boolean.must)?;
        let should = self.units(&boolean.should)?;
        if must.len() < boolean.must.len() || should.len() < boolean.least {
            return Ok(None);
        }
        let lead = all(must)?;
        Ok(match (lead, boolean.least) {
            (None, least) => any(should, least)?,
            (Some(lead), 0) if should.is_empty() => Some(lead),
            (Some(lead), 0) => Some(Box::new(Preferring::new(lead, should))),
            (Some(lead), least) => match any(should, least)? {
                Some(should) => Some(Box::new(All::new(vec![lead, should])?)),
                None => None,
            },
        })
    }

    fn units(&self, plans: &[Plan]) -> Result<Vec<Boxed<'l>>> {
        plans.iter().filter_map(|plan| self.unit(plan).transpose()).collect()
    }

    /// The documents of each of the terms that the leaf has.
    pub(super) fn cursors(&self, keys: &[usize], positions: bool) -> Result<Vec<L::Postings<'l>>> {
        let mut cursors = Vec::with_capacity(keys.len());
        for entry in keys.iter().filter_map(|&key| self.entries[key].as_ref()) {
            let cursor = self.leaf.postings(entry, positions)?;
            if !cursor.is_empty() {
                cursors.push(cursor);
            }
        }
        Ok(cursors)
    }

    /// True if each part of a phrase is one term.
    pub(super) fn is_plain(&self, phrase: &PhrasePlan) -> bool {
        phrase.parts.iter().all(|part| part.keys.len() == 1)
    }

    /// The documents that have a phrase of single terms.
    pub(super) fn phrase(&self, phrase: &PhrasePlan) -> Result<Option<Phrase<'l, L, L::Postings<'l>>>> {
        self.phrase_of(phrase, |part| Ok(self.cursors(&part.keys, true)?.pop()))
    }

    /// The documents that have a phrase of which parts may be several terms.
    pub(super) fn phrase_of_alternatives(
        &self,
        phrase: &PhrasePlan,
    ) -> Result<Option<Phrase<'l, L, Cursor<L::Postings<'l>>>>> {
        self.phrase_of(phrase, |part| Cursor::new(self.leaf, phrase.field, self.cursors(&part.keys, true)?, true))
    }

    fn phrase_of<C: Postings>(
        &self,
        phrase: &PhrasePlan,
        cursor_of: impl Fn(&PartPlan) -> Result<Option<C>>,
    ) -> Result<Option<Phrase<'l, L, C>>> {
        let mut cursors = Vec::with_capacity(phrase.parts.len());
        for part in &phrase.parts {
            let Some(cursor) = cursor_of(part)? else { return Ok(None) };
            cursors.push(cursor);
        }
        let Some(lead) = rarest(&cursors).map(|rarest| cursor_of(&phrase.parts[rarest])).transpose()?.flatten() else {
            return Ok(None);
        };
        let places = Places::new(phrase.slop, phrase.parts.iter().map(|part| (part.offset, part.shares.clone())));
        Phrase::new((self.leaf, phrase.field), cursors, lead, places, phrase.weight).map(Some)
    }
}

/// The best of what any clause matches; one by itself is walked as it is.
fn best_of_clauses<L: Leaf, C: Postings>(
    mut clauses: Vec<Clause<'_, L, C>>,
    ends: Vec<usize>,
    top: &mut LeafTop<'_, '_, L>,
) -> Result<()> {
    if clauses.len() > 1 {
        return union(clauses, ends, top);
    }
    clauses.pop().map_or(Ok(()), |clause| drive(clause, top))
}

/// All of some units, if there are any.
fn all(mut units: Vec<Boxed<'_>>) -> Result<Option<Boxed<'_>>> {
    Ok(if units.len() > 1 { Some(Box::new(All::new(units)?)) } else { units.pop() })
}

/// At least so many of some units, if there are any.
fn any(mut units: Vec<Boxed<'_>>, least: usize) -> Result<Option<Boxed<'_>>> {
    Ok(if units.len() > 1 { Some(Box::new(Any::new(units, least)?)) } else { units.pop() })
}
