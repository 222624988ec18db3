//! Choosing among the plans that are possible.

use std::cmp::Reverse;

use blaze_core::{Filter, KeyRange, Result};

use super::cost::{self, Work};
use super::fit::fit;
use super::size::{PROBED_KEYS, Size, documents_in, sizes};
use super::terms::Parts;
use super::{Access, Considered, Plan, Question};
use crate::catalog::{self, Definition, prefix};
use crate::index::IndexDefinition;
use crate::query::ids;
use crate::query::implication::implies;
use crate::session::Session;

/// Alternatives of a filter that are looked up one by one; a filter with more is checked on the documents.
const BRANCHES_MAX: usize = 1_000;

/// Chooses a plan for one question.
pub(super) struct Chooser<'a> {
    pub(super) session: &'a Session,
    definition: &'a Definition,
    question: Question<'a>,
    /// How many documents there are, if the collection knows.
    pub(super) documents: Option<u64>,
    /// How many of them are below the one parent that the filter asks for, if it does and that is known.
    below_parent: Option<u64>,
}

/// A plan that may be chosen.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) access: Access,
    /// The parts of the filter that it answers, and those that chose what it reads.
    pub(super) answered: Vec<usize>,
    pub(super) used: Vec<usize>,
    pub(super) sorted: bool,
    /// True if it reads less than everything.
    pub(super) narrows: bool,
    score: usize,
    pub(super) size: Option<Size>,
    /// Documents that are fetched when it is walked to its end, where these are fewer than its entries.
    pub(super) found: Option<u64>,
}

impl<'a> Chooser<'a> {
    pub(super) fn new(session: &'a Session, definition: &'a Definition, question: Question<'a>) -> Chooser<'a> {
        Chooser { session, definition, question, documents: None, below_parent: None }
    }

    pub(super) fn choose(mut self, parts: &Parts) -> Result<Plan> {
        let mut candidates = self.candidates(parts, true)?;
        if candidates.is_empty() {
            return Ok(Plan::scan(parts, self.question.told(|| vec![Considered::scan("no index fits")])));
        }
        let of_parent = ids::records_of_parent(self.definition, self.question.filter);
        if candidates.len() == 1 && of_parent.is_none() && !self.may_read_much(&candidates[0], parts) {
            let only = candidates.swap_remove(0);
            let told = || vec![considered(&only, true, "the only one that fits".to_owned())];
            let considered = self.question.told(told);
            return Ok(self.plan_of(only, parts, considered));
        }
        self.documents = catalog::count_estimate(self.session, self.definition)?;
        if let Some(part) = of_parent {
            let all = KeyRange::prefix(&prefix(self.definition.id));
            self.below_parent = documents_in(self.session, &part, &all, self.documents)?;
        }
        self.measure(&mut candidates)?;
        self.add_intersection(&mut candidates);
        Ok(self.cheapest(candidates, parts))
    }

    /// The plans that are possible without a scan.
    fn candidates(&self, parts: &Parts, with_sort: bool) -> Result<Vec<Candidate>> {
        let sort = if with_sort { self.question.sort } else { &[] };
        let terms = parts.terms();
        let mut candidates = Vec::new();
        for index in &self.definition.indexes {
            if !self.has_all(index, parts)? {
                continue;
            }
            let Some(scan) = fit(self.session, index, &terms, sort, false)? else { continue };
            candidates.push(Candidate {
                answered: scan.answered.clone(),
                used: scan.used.clone(),
                sorted: scan.order.is_some(),
                narrows: scan.narrows(),
                score: scan.score(),
                size: None,
                found: None,
                access: Access::Index(Box::new(scan)),
            });
        }
        for (part, filter) in parts.as_slice().iter().enumerate() {
            if let Filter::Or(alternatives) = filter
                && let Some(union) = self.union(part, alternatives)?
            {
                candidates.push(union);
            }
        }
        Ok(candidates)
    }

    /// True unless an index is partial and lacks documents that are asked for.
    fn has_all(&self, index: &IndexDefinition, parts: &Parts) -> Result<bool> {
        let Some(only) = index.only()? else { return Ok(true) };
        Ok(implies(self.question.filter, only) || implies(&parts.without(&[]), only))
    }

    /// All that the alternatives find, if an index narrows each of them.
    fn union(&self, part: usize, alternatives: &[Filter]) -> Result<Option<Candidate>> {
        if alternatives.len() > BRANCHES_MAX {
            return Ok(None);
        }
        let (mut branches, mut is_exact) = (Vec::with_capacity(alternatives.len()), true);
        for alternative in alternatives {
            let parts = Parts::of(alternative);
            let mut candidates = self.candidates(&parts, false)?;
            candidates.retain(|candidate| candidate.narrows);
            if candidates.len() > 1 {
                self.measure(&mut candidates)?;
            }
            let size = |candidate: &Candidate| candidate.size.map_or(u64::MAX, |size| size.entries);
            let Some(best) = candidates.into_iter().min_by_key(|best| (size(best), Reverse(best.score))) else {
                return Ok(None);
            };
            is_exact &= parts.without(&best.answered) == Filter::everything();
            branches.push(best.access);
        }
        Ok(Some(Candidate {
            access: Access::Union(branches),
            answered: if is_exact { vec![part] } else { Vec::new() },
            used: vec![part],
            sorted: false,
            narrows: true,
            score: 3,
            size: None,
            found: None,
        }))
    }

    /// True if the only plan that fits should be compared with reading everything: a range that is open at one end, say.
    fn may_read_much(&self, only: &Candidate, parts: &Parts) -> bool {
        let is_open = |scan: &&super::IndexScan| scan.equal_fields == 0;
        !only.sorted
            && self.question.window.is_none()
            && self.fetches(only, parts)
            && matches!(&only.access, Access::Index(scan) if is_open(&&**scan) && scan.ranges.iter().any(is_half_open))
    }

    fn fetches(&self, candidate: &Candidate, parts: &Parts) -> bool {
        self.question.needs_documents || (0..parts.as_slice().len()).any(|part| !candidate.answered.contains(&part))
    }

    /// Finds out how much each candidate reads.
    fn measure(&self, candidates: &mut [Candidate]) -> Result<()> {
        let narrowing = candidates.iter().filter(|candidate| candidate.narrows);
        let scans: Vec<_> = narrowing.map(|candidate| candidate.access.scans()).collect();
        let mut found = sizes(self.session, self.documents, &scans)?.into_iter();
        for candidate in candidates.iter_mut() {
            candidate.size = match candidate.narrows {
                true => found.next(),
                false => self.documents.map(|documents| Size { entries: documents, is_exact: false }),
            };
        }
        Ok(())
    }

    /// The cheapest candidate, or a scan.
    fn cheapest(&self, candidates: Vec<Candidate>, parts: &Parts) -> Plan {
        let sizes = candidates.iter().filter(|candidate| candidate.narrows);
        let found = sizes.filter_map(|candidate| candidate.found.or(candidate.size.map(|size| size.entries)));
        let matching = found.chain(self.below_parent).min();
        let costs: Vec<u64> = candidates.iter().map(|candidate| self.cost(candidate, matching, parts)).collect();
        let best = (0..candidates.len()).min_by_key(|at| (costs[*at], Reverse(candidates[*at].score)));
        let is_of_parent = self.below_parent.is_some();
        let is_large = is_of_parent || matching.is_none_or(|matching| matching > PROBED_KEYS);
        let scanned = self.below_parent.or(self.documents).filter(|_| is_large);
        let scan = scanned.map(|documents| {
            let needs_sort = !self.question.sort.is_empty();
            cost::of_scan(documents, matching.unwrap_or(documents), needs_sort)
        });
        // What is read in order streams, however much it is.
        let is_streamed = self.question.window.is_some() || candidates.iter().any(|one| one.sorted);
        let scan = scan.filter(|_| is_of_parent || !is_streamed);
        let best = best.filter(|best| scan.is_none_or(|scan| costs[*best] <= scan));
        let reason = |at: usize| match best {
            Some(best) if best == at => "the cheapest".to_owned(),
            _ => format!("costs {}", costs[at]),
        };
        let all = self.question.told(|| {
            let listed = candidates.iter().enumerate();
            let told = listed.map(|(at, candidate)| considered(candidate, best == Some(at), reason(at)));
            let scan = scan.map(|scan| {
                let reason = if best.is_none() { "most would be read".to_owned() } else { format!("costs {scan}") };
                Considered { plan: "scan".to_owned(), estimate: scanned, chosen: best.is_none(), reason }
            });
            told.chain(scan).collect()
        });
        match best.and_then(|best| candidates.into_iter().nth(best)) {
            Some(best) => self.plan_of(best, parts, all),
            None => Plan::scan(parts, all),
        }
    }

    fn cost(&self, candidate: &Candidate, matching: Option<u64>, parts: &Parts) -> u64 {
        let entries = candidate.size.map_or(u64::MAX / 1_000, |size| size.entries);
        let found = candidate.found.unwrap_or(entries);
        let needs_sort = !self.question.sort.is_empty() && !candidate.sorted;
        let fetched = if needs_sort || self.fetches(candidate, parts) { found } else { 0 };
        let window = self.question.window.filter(|_| !needs_sort);
        let matching = matching.unwrap_or(found).min(found);
        Work { entries, fetched, matching, needs_sort, window }.cost()
    }

    fn plan_of(&self, candidate: Candidate, parts: &Parts, considered: Vec<Considered>) -> Plan {
        let residual = parts.without(&candidate.answered);
        Plan { access: candidate.access, residual, sorted: candidate.sorted, considered }
    }
}

/// True if a range of the first field of an index ends where a class of values does.
fn is_half_open(range: &KeyRange) -> bool {
    range.start().len() <= 5 || range.end().is_none_or(|end| end.len() <= 5)
}

impl Candidate {
    /// A candidate made of others.
    pub(super) fn combined(access: Access, of: &[&Candidate], size: Size, found: u64) -> Candidate {
        let all = |places: fn(&Candidate) -> &Vec<usize>| of.iter().flat_map(|one| places(one)).copied().collect();
        let last_is_sorted = of.last().is_some_and(|last| last.sorted);
        Candidate {
            access,
            answered: all(|one| &one.answered),
            used: all(|one| &one.used),
            sorted: last_is_sorted,
            narrows: true,
            score: of.iter().map(|one| one.score).max().unwrap_or_default(),
            size: Some(size),
            found: Some(found),
        }
    }
}

fn considered(candidate: &Candidate, chosen: bool, reason: String) -> Considered {
    let estimate = candidate.size.map(|size| size.entries);
    Considered { plan: candidate.access.to_string(), estimate, chosen, reason }
}
