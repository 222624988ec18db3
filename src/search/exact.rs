//! Exact search: every vector that could be an answer is compared.

use std::cell::Cell;
use std::sync::Arc;

use blaze_core::{Direction, DocumentId, Family, Filter, Result};
use blaze_vector::{Hit as Near, Nearest};

use super::explain::{FilterStrategy, GraphStrategy, SearchPath};
use super::graph::find_by_graph;
use super::prepare::Wanted;
use super::rows::rows_of_record;
use crate::catalog::Definition;
use crate::index::{scan_range, vector_id, visit_rows};
use crate::query::{Candidates, Counters, ExplainNode, Plan, Question, describe, plan};
use crate::session::Session;
use crate::vector::Among;
use crate::vector::MeasuredRecall;

/// Documents whose vectors are looked up one by one; where more match, all vectors are read in a row.
const FEW_DOCUMENTS: usize = 10_000;

/// Documents whose rows are read rather than that their codes are compared.
const FEW_ROWS: usize = 256;

/// What a search has found before documents are read, and how.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) hits: Vec<Near<DocumentId>>,
    /// How they were found, as a step of a plan.
    pub(super) node: ExplainNode,
    pub(super) counters: Counters,
    pub(super) work: Work,
}

/// What was done with vectors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) path: SearchPath,
    pub(super) filter: FilterStrategy,
    /// How the graph went about it, if it answered.
    pub(super) strategy: Option<GraphStrategy>,
    /// Nodes of the graph.
    pub(super) nodes_visited: u64,
    pub(super) vectors_examined: u64,
    pub(super) distances_computed: u64,
    /// By what a graph was searched so wide, if a recall is to be reached.
    pub(super) measured: Option<MeasuredRecall>,
}

/// Documents that are looked at one by one, and what was read to find them.
struct Few {
    ids: Vec<DocumentId>,
    counters: Counters,
    /// Entries read in each scan of the plan.
    keys: Vec<u64>,
}

/// The `k` nearest documents that are wanted, the nearest first, equally near ones by id. The one place that decides where
/// they are looked for.
pub(super) fn find(session: &Arc<Session>, definition: &Definition, wanted: &Wanted<'_>, k: usize) -> Result<Outcome> {
    let mut outcome = match session.is_as_of() {
        true => find_in_documents(session, definition, wanted, wanted.nearest(k)),
        false => find_in_index(session, definition, wanted, k),
    }?;
    if let Some(min_score) = wanted.min_score {
        let (metric, dimension) = (wanted.fields.metric, wanted.fields.dimension);
        outcome.hits.retain(|hit| metric.score(hit.distance, dimension) >= min_score);
    }
    Ok(outcome)
}

fn find_in_index(session: &Arc<Session>, definition: &Definition, wanted: &Wanted<'_>, k: usize) -> Result<Outcome> {
    let asked = if wanted.exact { ", asked for" } else { "" };
    let about =
        || wanted.words(|| format!("vector index {} on {}, exact{asked}", wanted.index.name, wanted.index.describe()));
    let visited = Cell::new(0);
    let filter = &wanted.admission.filter;
    let uses_graph = !wanted.exact;
    // Of documents of several vectors each, no sets are kept.
    let may_know = uses_graph && !wanted.fields.several && *filter != Filter::everything();
    let matches = Among::Matches { collection: definition.id, filter };
    if may_know && let Some(outcome) = find_by_graph(session, definition, wanted, k, matches, &visited)? {
        return Ok(outcome);
    }
    let vectors = &session.core().vectors;
    if !(may_know && vectors.has_many(wanted.index.id, filter)) {
        let found = plan(session, definition, Question::of_filter(filter))?;
        if !found.is_scan() {
            match few(session, definition, wanted, &found)? {
                Some(few) => {
                    let among = describe(&found.access, &mut few.keys.iter().copied());
                    if uses_graph && few.ids.len() >= FEW_ROWS {
                        if may_know {
                            vectors.note_filtered(session, definition.id, wanted.index.id, filter);
                        }
                        let documents = Among::Documents(&few.ids);
                        if let Some(outcome) = find_by_graph(session, definition, wanted, k, documents, &visited)? {
                            return Ok(outcome.after(among, few.counters));
                        }
                    }
                    let node = ExplainNode::of(format!("{}, among what is found", about()), vec![among]);
                    let outcome = find_among(session, wanted, wanted.nearest(k), few, node)?;
                    return Ok(outcome.after_graph(visited.get()));
                }
                None if may_know => vectors.note_many(wanted.index.id, filter),
                None => {}
            }
        }
    }
    if may_know {
        vectors.note_filtered(session, definition.id, wanted.index.id, filter);
    }
    if uses_graph && let Some(outcome) = find_by_graph(session, definition, wanted, k, Among::All, &visited)? {
        return Ok(outcome);
    }
    Ok(find_in_all(session, definition, wanted, wanted.nearest(k), about())?.after_graph(visited.get()))
}

/// The documents that match, if an index finds them and they are few enough to be looked at one by one.
fn few(session: &Arc<Session>, definition: &Definition, wanted: &Wanted<'_>, found: &Plan) -> Result<Option<Few>> {
    let admission = &wanted.admission;
    let mut candidates = Candidates::open(session, definition, found, &admission.filter)?;
    let mut ids = Vec::new();
    while let Some(id) = candidates.next_id()? {
        if !admission.admits_match(session, definition, &id)? {
            continue;
        }
        if ids.len() == FEW_DOCUMENTS {
            return Ok(None);
        }
        ids.push(id);
    }
    Ok(Some(Few { ids, counters: candidates.counters(), keys: candidates.keys().to_vec() }))
}

/// Looks at the vectors of these documents.
fn find_among(
    session: &Session,
    wanted: &Wanted<'_>,
    mut nearest: Nearest<DocumentId>,
    few: Few,
    node: ExplainNode,
) -> Result<Outcome> {
    let Few { ids, mut counters, .. } = few;
    let mut work = Work::of(SearchPath::Exact, FilterStrategy::First);
    for id in ids {
        let there = visit_rows(session, wanted.index.id, wanted.fields, &id, &mut |row| {
            nearest.offer_stored(row, || Ok(id.clone()))
        })?;
        counters.keys_examined += there;
        work.count(there);
    }
    Ok(Outcome { hits: nearest.into_sorted(), node: of_counters(node, counters), counters, work })
}

/// Looks at all vectors, and checks the documents of those that would enter the answer.
fn find_in_all(
    session: &Session,
    definition: &Definition,
    wanted: &Wanted<'_>,
    mut nearest: Nearest<DocumentId>,
    mut about: String,
) -> Result<Outcome> {
    let admission = &wanted.admission;
    let is_of_all = admission.is_of_all();
    let needs_document = admission.needs_document();
    if needs_document {
        about = wanted.words(|| format!("{about}, documents checked that would enter: {}", admission.filter));
    }
    let mut counters = Counters::default();
    let mut work =
        Work::of(SearchPath::Exact, if needs_document { FilterStrategy::Checked } else { FilterStrategy::None });
    let mut buffer = Vec::new();
    let several = wanted.fields.several;
    // Whether the document was admitted whose vectors are looked at, if it has several: mostly, they stand together.
    let mut last: Option<(DocumentId, bool)> = None;
    let mut cursor = session.cursor(Family::Vector, &scan_range(wanted.index.id), Direction::Forward)?;
    while let Some((key, row)) = cursor.next()? {
        counters.keys_examined += 1;
        work.count(1);
        let distance = wanted.query.distance_to_stored(row, &mut buffer)?;
        if distance > nearest.bound() {
            continue;
        }
        let id = vector_id(key.get(4..).unwrap_or_default(), several)?;
        if !is_of_all {
            let known = last.as_ref().filter(|(there, _)| *there == id).map(|(_, is_admitted)| *is_admitted);
            let is_admitted = match known {
                Some(is_admitted) => is_admitted,
                None => {
                    counters.documents_examined += u64::from(needs_document);
                    let is_admitted = admission.admits(session, definition, &id)?;
                    last = several.then(|| (id.clone(), is_admitted));
                    is_admitted
                }
            };
            if !is_admitted {
                continue;
            }
        }
        nearest.offer_at(distance, || Ok(id))?;
    }
    session.core().vectors.note_scanned(session.core(), wanted.index.id, work.vectors_examined);
    let node = of_counters(ExplainNode::of(about, Vec::new()), counters);
    Ok(Outcome { hits: nearest.into_sorted(), node, counters, work })
}

/// Looks at the vectors of all documents of a view of the past, which has no rows of the index: they are made again.
fn find_in_documents(
    session: &Arc<Session>,
    definition: &Definition,
    wanted: &Wanted<'_>,
    mut nearest: Nearest<DocumentId>,
) -> Result<Outcome> {
    let (admission, index) = (&wanted.admission, wanted.index);
    let found = plan(session, definition, Question::of_filter(&admission.filter))?;
    let mut candidates = Candidates::open(session, definition, &found, &admission.filter)?;
    let needs_document = admission.needs_document();
    let mut work =
        Work::of(SearchPath::Documents, if needs_document { FilterStrategy::First } else { FilterStrategy::None });
    while let Some((id, record)) = candidates.next_record()? {
        if !admission.admits_record(&id, &record.document().with_id(&id))? {
            continue;
        }
        let rows = rows_of_record(index, &id, &record).map_err(|error| error.context(format!("document {id:?}")))?;
        for row in rows {
            work.count(1);
            nearest.offer_stored(&row, || Ok(id.clone()))?;
        }
    }
    let among = describe(&found.access, &mut candidates.keys().iter().copied());
    let about = format!("vectors of documents as they were, as in the index {} on {}", index.name, index.describe());
    let counters = candidates.counters();
    let node = of_counters(ExplainNode::of(about, vec![among]), counters);
    Ok(Outcome { hits: nearest.into_sorted(), node, counters, work })
}

impl Outcome {
    /// The same after a graph was asked in vain, which has compared so many nodes.
    fn after_graph(mut self, nodes: u64) -> Outcome {
        if nodes > 0 {
            self.work.nodes_visited += nodes;
            self.work.distances_computed += nodes;
            self.node.operation = format!("{}, after {nodes} nodes of it were asked in vain", self.node.operation);
        }
        self
    }

    /// The same after a step that found the documents.
    fn after(mut self, step: ExplainNode, counters: Counters) -> Outcome {
        self.counters.keys_examined += counters.keys_examined;
        self.counters.documents_examined += counters.documents_examined;
        self.node.inputs.push(step);
        self
    }
}

impl Work {
    pub(super) fn of(path: SearchPath, filter: FilterStrategy) -> Work {
        Work {
            path,
            filter,
            strategy: None,
            nodes_visited: 0,
            vectors_examined: 0,
            distances_computed: 0,
            measured: None,
        }
    }

    /// Counts vectors that were compared.
    fn count(&mut self, vectors: u64) {
        self.vectors_examined += vectors;
        self.distances_computed += vectors;
    }
}

pub(super) fn of_counters(node: ExplainNode, counters: Counters) -> ExplainNode {
    let Counters { keys_examined, documents_examined } = counters;
    ExplainNode { keys_examined, documents_examined, ..node }
}
