//! The documents that match a text best.

use std::cell::Cell;
use std::sync::Arc;

use blaze_core::{DocumentId, Filter, Result};
use blaze_text::{Found, Leaf, Searcher};

use super::prepare::Wanted;
use crate::catalog::{self, Definition};
use crate::query::{Candidates, Counters, ExplainNode, Question, describe, plan, read_by};
use crate::search::explain::FilterStrategy;
use crate::session::Session;

/// Documents that are found first, to be scored one by one.
const FEW_DOCUMENTS: u64 = 10_000;

/// By how much the estimate of these may be wrong.
const WRONG_BY: u64 = 4;

/// Documents with the words of a query that are rather checked than that other indexes are asked.
const FEW_CHECKS: u64 = 256;

/// A document that is read to be checked, against an entry of an index that is read and looked up.
const CHECK: u64 = 4;

/// Of documents that would enter the best, how many times more are checked than a random choice would take: the best so far
/// become better only slowly.
const CHECKED_AGAIN: u64 = 3;

/// What a search has found before documents are read, and how.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The best first.
    pub(super) hits: Vec<(DocumentId, f32)>,
    /// How they were found, as a step of a plan.
    pub(super) node: ExplainNode,
    pub(super) counters: Counters,
    pub(super) filter: FilterStrategy,
}

/// The documents that match a filter, found by the plan of a query.
#[derive(Debug)]
pub(super) struct Matching {
    /// In the order of their bytes.
    pub(super) ids: Vec<Box<[u8]>>,
    pub(super) node: ExplainNode,
    pub(super) counters: Counters,
}

/// The `k` documents that match best.
pub(super) fn find<S: Leaf, D: Leaf>(
    session: &Arc<Session>,
    definition: &Definition,
    wanted: &Wanted<'_>,
    searcher: &Searcher<S, D>,
    k: usize,
) -> Result<Outcome> {
    let about = || wanted.words(|| format!("text index {} on {}", wanted.index.name, wanted.index.describe()));
    let Some(query) = &wanted.query else {
        let node = ExplainNode::of(format!("{}, of which nothing is asked", about()), Vec::new());
        return Ok(Outcome { hits: Vec::new(), node, counters: Counters::default(), filter: FilterStrategy::None });
    };
    let admission = &wanted.admission;
    if let Some(Matching { ids, node, counters }) = matching(session, definition, wanted, searcher, Some(k))? {
        let found = searcher.top_among(query, k, &ids)?;
        let node = ExplainNode::of(format!("{}, among what is found", about()), vec![node]);
        return Outcome::of(found, node, counters, FilterStrategy::First);
    }
    let (needs_document, is_of_all) = (admission.needs_document(), admission.is_of_all());
    let examined = Cell::new(0);
    let mut accept = |id: &[u8]| {
        examined.set(examined.get() + u64::from(needs_document));
        admission.admits(session, definition, &DocumentId::read_key(id)?)
    };
    let found = searcher.top(query, k, if is_of_all { None } else { Some(&mut accept) })?;
    let mut operation = about();
    if needs_document {
        operation = wanted.words(|| format!("{operation}, documents checked that would enter: {}", admission.filter));
    }
    let counters = Counters { keys_examined: 0, documents_examined: examined.get() };
    let node = ExplainNode { documents_examined: examined.get(), ..ExplainNode::of(operation, Vec::new()) };
    let strategy = if needs_document { FilterStrategy::Checked } else { FilterStrategy::None };
    Outcome::of(found, node, counters, strategy)
}

/// The documents that match the filter, if there are so few of them that finding them first promises less work than checking
/// the documents that match the text; of these, the `k` best are asked for, or all.
pub(super) fn matching<S: Leaf, D: Leaf>(
    session: &Arc<Session>,
    definition: &Definition,
    wanted: &Wanted<'_>,
    searcher: &Searcher<S, D>,
    k: Option<usize>,
) -> Result<Option<Matching>> {
    let (admission, Some(query)) = (&wanted.admission, &wanted.query) else { return Ok(None) };
    if admission.filter == Filter::everything() || session.is_as_of() {
        return Ok(None);
    }
    let with_words = searcher.documents_at_most(query)?;
    if with_words <= FEW_CHECKS {
        return Ok(None);
    }
    let found = plan(session, definition, Question::of_filter(&admission.filter))?;
    let Some(entries) = read_by(session, definition, &admission.filter, &found)? else { return Ok(None) };
    let checks = match (k, catalog::count_estimate(session, definition)?) {
        (Some(k), Some(all)) => {
            let asked = (k as u64).saturating_mul(CHECKED_AGAIN);
            u64::try_from(u128::from(asked) * u128::from(all) / u128::from(entries.max(1))).unwrap_or(u64::MAX)
        }
        _ => u64::MAX,
    };
    if entries > FEW_DOCUMENTS || entries > checks.min(with_words).saturating_mul(CHECK) {
        return Ok(None);
    }
    let mut candidates = Candidates::open(session, definition, &found, &admission.filter)?;
    let mut ids = Vec::new();
    while let Some(id) = candidates.next_id()? {
        if !admission.admits_match(session, definition, &id)? {
            continue;
        }
        if ids.len() as u64 > WRONG_BY * FEW_DOCUMENTS {
            return Ok(None);
        }
        let mut key = Vec::new();
        id.write_key(&mut key);
        ids.push(key.into_boxed_slice());
    }
    ids.sort_unstable();
    let node = describe(&found.access, &mut candidates.keys().iter().copied());
    Ok(Some(Matching { ids, node, counters: candidates.counters() }))
}

impl Outcome {
    fn of(found: Vec<Found>, node: ExplainNode, counters: Counters, filter: FilterStrategy) -> Result<Outcome> {
        let mut hits = Vec::with_capacity(found.len());
        for Found { id, score } in found {
            hits.push((DocumentId::read_key(&id)?, score));
        }
        Ok(Outcome { hits, node, counters, filter })
    }
}
