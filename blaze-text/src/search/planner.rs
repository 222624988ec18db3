//! From a query to a plan: terms are looked up in all leaves, and weighed by what all of them count.

use std::collections::BTreeMap;

use blaze_core::limits::{TEXT_CLAUSES_MAX, TEXT_EDITS_MAX, TEXT_EXPANDED_CLAUSES_MAX};
use blaze_core::{Error, Result};

use super::bm25::{Weight, inverse_frequency};
use super::expand::Expansions;
use super::plan::{BooleanPlan, PartPlan, PhrasePlan, Plan, Rarity, TermPlan};
use super::{Leaf, Node, Searcher};
use crate::{FieldTotals, TermKey};

/// What a term at a distance of so many edits is worth, of what the term itself is.
const BY_DISTANCE: [f32; 3] = [1.0, 0.5, 0.25];

/// A plan with what each leaf knows of its terms.
pub(super) struct Prepared<S: Leaf, D: Leaf> {
    pub(super) plan: Plan,
    pub(super) keys: Vec<TermKey>,
    pub(super) segments: Vec<Vec<Option<S::Entry>>>,
    pub(super) deltas: Vec<Vec<Option<D::Entry>>>,
}

/// Makes plans.
pub(super) struct Planner<'s, S: Leaf, D: Leaf> {
    searcher: &'s Searcher<S, D>,
    numbers: BTreeMap<TermKey, usize>,
    keys: Vec<TermKey>,
    /// By key, how many documents have it.
    documents: Vec<i64>,
    segments: Vec<Vec<Option<S::Entry>>>,
    deltas: Vec<Vec<Option<D::Entry>>>,
    totals: BTreeMap<u8, FieldTotals>,
    clauses: usize,
    /// Clauses that go through dictionaries.
    expanded: usize,
    /// True within what must not match: if a term were left out there, documents would be found that are not to be.
    excludes: bool,
}

impl<'s, S: Leaf, D: Leaf> Planner<'s, S, D> {
    /// The plan of a query.
    pub(super) fn prepare(searcher: &'s Searcher<S, D>, node: &Node) -> Result<Prepared<S, D>> {
        let mut planner = Planner {
            searcher,
            numbers: BTreeMap::new(),
            keys: Vec::new(),
            documents: Vec::new(),
            segments: searcher.segments().iter().map(|_| Vec::new()).collect(),
            deltas: searcher.deltas().iter().map(|_| Vec::new()).collect(),
            totals: BTreeMap::new(),
            clauses: 0,
            expanded: 0,
            excludes: false,
        };
        let plan = planner.plan(node)?;
        let Planner { keys, segments, deltas, .. } = planner;
        Ok(Prepared { plan, keys, segments, deltas })
    }

    fn plan(&mut self, node: &Node) -> Result<Plan> {
        match node {
            Node::Term { key, boost } => self.any_of(std::slice::from_ref(key), *boost),
            Node::AnyOf { keys, boost } => self.any_of(keys, *boost),
            Node::Phrase { field, parts, beginnings, slop, boost } => {
                let parts = self.parts(*field, parts, beginnings)?;
                self.phrase(*field, &parts, *slop, *boost)
            }
            Node::Prefix { field, prefix, boost } => {
                self.expands()?;
                let keys = self.chosen(self.beginning(*field, prefix)?);
                let keys: Vec<TermKey> = keys.into_iter().map(|(_, key)| key).collect();
                self.any_of(&keys, *boost)
            }
            Node::Fuzzy { field, term, distance, prefix_length, boost } => {
                self.fuzzy((*field, term), *distance, *prefix_length, *boost)
            }
            Node::Boolean { must, should, must_not, least_should } => {
                self.boolean(must, should, must_not, *least_should)
            }
        }
    }

    /// Terms of one field as one.
    fn any_of(&mut self, keys: &[TermKey], boost: f32) -> Result<Plan> {
        let Some(field) = self.clause(boost, keys.first())?.map(|key| key.field) else { return Ok(Plan::Nothing) };
        if let Some(other) = keys.iter().find(|key| key.field != field) {
            let message = format!("terms of the fields {field} and {} as one", other.field);
            return Err(Error::invalid(message));
        }
        let (keys, documents) = self.numbers_of(keys.iter().cloned())?;
        Ok(self.term(field, keys, documents, boost))
    }

    fn term(&mut self, field: u8, keys: Vec<usize>, documents: i64, boost: f32) -> Plan {
        let totals = self.totals(field);
        let rarity = Rarity { boost, documents, inverse_frequency: inverse_frequency(totals.documents, documents) };
        let weight = Weight::new(boost, rarity.inverse_frequency, totals);
        Plan::Term(TermPlan { field, keys, weight, rarity })
    }

    /// Counts what goes through dictionaries, before it does.
    fn expands(&mut self) -> Result<()> {
        self.expanded += 1;
        match self.expanded <= TEXT_EXPANDED_CLAUSES_MAX {
            true => Ok(()),
            false => Err(Error::limit_exceeded(format!(
                "a query of more than {TEXT_EXPANDED_CLAUSES_MAX} beginnings and fuzzy words, each counted for each of its fields"
            ))),
        }
    }

    /// The terms in the index that begin so.
    fn beginning(&self, field: u8, prefix: &[u8]) -> Result<Expansions> {
        let mut found = Expansions::new(field);
        for leaf in self.searcher.segments() {
            found.add_prefix(leaf, prefix)?;
        }
        for leaf in self.searcher.deltas() {
            found.add_prefix(leaf, prefix)?;
        }
        Ok(found)
    }

    /// The terms of all parts of a phrase, by their offsets.
    fn parts(
        &mut self,
        field: u8,
        parts: &[(u32, Vec<Box<[u8]>>)],
        beginnings: &[(u32, Box<[u8]>)],
    ) -> Result<Vec<(u32, Vec<TermKey>)>> {
        let mut all: Vec<(u32, Vec<TermKey>)> = Vec::with_capacity(parts.len() + beginnings.len());
        for (offset, terms) in parts {
            all.push((*offset, terms.iter().map(|term| TermKey::new(field, term)).collect()));
        }
        for (offset, prefix) in beginnings {
            self.expands()?;
            let found = self.beginning(field, prefix)?.all();
            all.push((*offset, found.into_iter().map(|(_, key)| key).collect()));
        }
        all.sort_by_key(|(offset, _)| *offset);
        Ok(all)
    }

    fn phrase(&mut self, field: u8, parts: &[(u32, Vec<TermKey>)], slop: u32, boost: f32) -> Result<Plan> {
        if parts.is_empty() || parts.iter().any(|(_, terms)| terms.is_empty()) {
            return Ok(Plan::Nothing);
        }
        if let [(_, keys)] = parts {
            return self.any_of(keys, boost);
        }
        let totals = self.totals(field);
        let (mut documents, mut sum) = (i64::MAX, 0.0);
        let mut planned: Vec<PartPlan> = Vec::with_capacity(parts.len());
        for (offset, terms) in parts {
            self.clause(boost, Some(()))?;
            let (keys, having) = self.numbers_of(terms.iter().cloned())?;
            documents = documents.min(having);
            sum += inverse_frequency(totals.documents, having);
            // One that ends before this begins takes no place of its: so that a long phrase of one word stays linear.
            let is_near = |part: &PartPlan| part.offset != *offset && part.offset.saturating_add(slop) >= *offset;
            let before = planned.iter().enumerate().filter(|(_, part)| is_near(part));
            let sharing = before.filter(|(_, part)| part.keys.iter().any(|key| keys.binary_search(key).is_ok()));
            let shares = sharing.map(|(index, _)| index).collect();
            planned.push(PartPlan { offset: *offset, keys, shares });
        }
        let rarity = Rarity { boost, documents, inverse_frequency: sum };
        let weight = Weight::new(boost, sum, totals);
        Ok(Plan::Phrase(PhrasePlan { field, parts: planned, slop, weight, rarity }))
    }

    fn fuzzy(&mut self, (field, term): (u8, &str), distance: u8, prefix_length: usize, boost: f32) -> Result<Plan> {
        if distance > TEXT_EDITS_MAX {
            let message = format!("a fuzzy term of {distance} edits, at most {TEXT_EDITS_MAX} are allowed");
            return Err(Error::invalid(message));
        }
        self.expands()?;
        let mut found = Expansions::new(field);
        for leaf in self.searcher.segments() {
            found.add_fuzzy(leaf, term, distance, prefix_length)?;
        }
        for leaf in self.searcher.deltas() {
            found.add_fuzzy(leaf, term, distance, prefix_length)?;
        }
        let found = self.chosen(found);
        let mut groups = Vec::new();
        let mut documents = 0;
        for group in found.chunk_by(|a, b| a.0 == b.0) {
            self.clause(boost, Some(()))?;
            let (keys, having) = self.numbers_of(group.iter().map(|(_, key)| key.clone()))?;
            documents = documents.max(having);
            groups.push((BY_DISTANCE[usize::from(group[0].0)], keys));
        }
        let should = groups.into_iter().map(|(part, keys)| self.term(field, keys, documents, boost * part)).collect();
        Ok(any(should))
    }

    fn boolean(&mut self, must: &[Node], should: &[Node], must_not: &[Node], least: usize) -> Result<Plan> {
        let (mut must, mut should) = (self.plans(must)?, self.plans(should)?);
        let excludes = std::mem::replace(&mut self.excludes, true);
        let must_not = self.plans(must_not);
        self.excludes = excludes;
        let mut must_not = must_not?;
        let is_something = |plan: &Plan| !matches!(plan, Plan::Nothing);
        should.retain(is_something);
        must_not.retain(is_something);
        let least = if must.is_empty() { least.max(1) } else { least };
        if least > should.len() || !must.iter().all(is_something) {
            return Ok(Plan::Nothing);
        }
        if must_not.is_empty() && must.len() + should.len() == 1 {
            return Ok(must.pop().or(should.pop()).unwrap_or(Plan::Nothing));
        }
        Ok(Plan::Boolean(BooleanPlan { must, should, must_not, least }))
    }

    fn plans(&mut self, nodes: &[Node]) -> Result<Vec<Plan>> {
        nodes.iter().map(|node| self.plan(node)).collect()
    }

    /// The terms to be looked for: not too many, where that only costs hits.
    fn chosen(&self, found: Expansions) -> Vec<(u8, TermKey)> {
        if self.excludes { found.all() } else { found.best() }
    }

    /// Counts a clause, and looks at its boost.
    fn clause<T>(&mut self, boost: f32, clause: T) -> Result<T> {
        if !(boost.is_finite() && boost >= 0.0) {
            return Err(Error::invalid(format!("a boost of {boost}, it must be finite and not negative")));
        }
        self.clauses += 1;
        if self.clauses > TEXT_CLAUSES_MAX {
            let message = format!("a query of more than {TEXT_CLAUSES_MAX} terms, phrases and parts of phrases");
            return Err(Error::limit_exceeded(message));
        }
        Ok(clause)
    }

    /// The numbers of some terms, each once, and how many documents have the most frequent one.
    fn numbers_of(&mut self, keys: impl Iterator<Item = TermKey>) -> Result<(Vec<usize>, i64)> {
        let mut numbers = keys.map(|key| self.number(key)).collect::<Result<Vec<usize>>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        let documents = numbers.iter().map(|&number| self.documents[number]).max().unwrap_or(0);
        Ok((numbers, documents))
    }

    /// The number of a term, which is looked up in all leaves when it is seen first.
    fn number(&mut self, key: TermKey) -> Result<usize> {
        if let Some(&number) = self.numbers.get(&key) {
            return Ok(number);
        }
        let segments = look_up(self.searcher.segments(), &mut self.segments, &key)?;
        let deltas = look_up(self.searcher.deltas(), &mut self.deltas, &key)?;
        let number = self.keys.len();
        self.documents.push(segments.saturating_add(deltas).max(0));
        self.keys.push(key.clone());
        self.numbers.insert(key, number);
        Ok(number)
    }

    fn totals(&mut self, field: u8) -> FieldTotals {
        *self.totals.entry(field).or_insert_with(|| self.searcher.totals(field))
    }
}

/// Looks a term up in leaves; answers how many documents of these have it.
fn look_up<L: Leaf>(leaves: &[L], entries: &mut [Vec<Option<L::Entry>>], key: &TermKey) -> Result<i64> {
    let mut documents = 0_i64;
    for (leaf, entries) in leaves.iter().zip(entries) {
        let entry = leaf.find(key)?;
        documents = documents.saturating_add(entry.as_ref().map_or(0, |entry| leaf.added(entry)));
        entries.push(entry);
    }
    Ok(documents)
}

/// Any of some plans.
fn any(mut should: Vec<Plan>) -> Plan {
    match should.len() {
        0 => Plan::Nothing,
        1 => should.pop().unwrap_or(Plan::Nothing),
        _ => Plan::Boolean(BooleanPlan { must: Vec::new(), should, must_not: Vec::new(), least: 1 }),
    }
}
