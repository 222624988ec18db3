//! Search by the graph of an index.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use blaze_core::{DocumentId, Result};
use blaze_vector::Hit;

use super::exact::{Outcome, Work, of_counters};
use super::explain::{FilterStrategy, SearchPath};
use super::prepare::Wanted;
use crate::catalog::Definition;
use crate::index::visit_rows;
use crate::query::{Counters, ExplainNode};
use crate::session::Session;
use crate::vector::{self, Among, Question};

/// The nearest by way of the graph, if there is one and it can tell; `among` some documents, if something is known of which
/// match. `visited` becomes the nodes that were compared, also where that was in vain.
pub(super) fn find_by_graph(
    session: &Arc<Session>,
    definition: &Definition,
    wanted: &Wanted<'_>,
    k: usize,
    among: Among<'_>,
    visited: &Cell<u64>,
) -> Result<Option<Outcome>> {
    let (admission, index) = (&wanted.admission, wanted.index);
    let needs_document = admission.needs_document();
    let mut documents_examined = 0;
    let is_filtered = !admission.is_of_all();
    let within = wanted.within.unwrap_or(f32::INFINITY);
    let several = wanted.fields.several;
    let question = Question {
        index: index.id,
        several,
        query: &wanted.query,
        k,
        width: wanted.width,
        within,
        is_filtered,
        among,
        visited,
    };
    // Of several vectors, each may be proposed, and their document is looked at once.
    let matching: Option<HashSet<&DocumentId>> = match among {
        Among::Documents(documents) if several => Some(documents.iter().collect()),
        _ => None,
    };
    let mut admitted = HashMap::new();
    let answer = vector::nearest(session, &question, &mut |id, is_known| {
        if is_known {
            documents_examined += u64::from(admission.group.is_some());
            return admission.admits_match(session, definition, id);
        }
        if let Some(known) = matching.as_ref().map(|matching| matching.contains(id)).or(admitted.get(id).copied()) {
            return Ok(known);
        }
        documents_examined += u64::from(needs_document);
        let is_admitted = admission.admits(session, definition, id)?;
        if several {
            admitted.insert(id.clone(), is_admitted);
        }
        Ok(is_admitted)
    })?;
    let Some(answer) = answer else { return Ok(None) };
    let filter = match (among, needs_document) {
        (Among::Documents(_), _) => FilterStrategy::First,
        (Among::Matches { .. }, _) => FilterStrategy::Cached,
        (Among::All, true) => FilterStrategy::Checked,
        (Among::All, false) => FilterStrategy::None,
    };
    let about = wanted.words(|| {
        let about = format!("vector index {} on {}, graph, ef {}", index.name, index.describe(), answer.ef);
        match filter {
            FilterStrategy::Cached => format!("{about}, among what is known to match: {}", admission.filter),
            FilterStrategy::Checked => format!("{about}, documents checked that would enter: {}", admission.filter),
            FilterStrategy::First | FilterStrategy::None => about,
        }
    });
    let (hits, again) = match several {
        true => nearest_of_each(session, wanted, answer.hits)?,
        false => (answer.hits, 0),
    };
    let compared = answer.compared + again;
    let counters = Counters { keys_examined: compared, documents_examined };
    let work = Work {
        strategy: Some(answer.strategy.into()),
        nodes_visited: answer.visited,
        vectors_examined: compared,
        distances_computed: answer.visited + compared,
        measured: answer.measured,
        ..Work::of(SearchPath::Graph, filter)
    };
    let node = of_counters(ExplainNode::of(about, Vec::new()), counters);
    Ok(Some(Outcome { hits, node, counters, work }))
}

/// The documents that were found with the nearest of all their vectors, of which the graph may have proposed others; and how
/// many vectors they have.
fn nearest_of_each(
    session: &Session,
    wanted: &Wanted<'_>,
    found: Vec<Hit<DocumentId>>,
) -> Result<(Vec<Hit<DocumentId>>, u64)> {
    let (mut nearest, mut rows) = (wanted.nearest(found.len()), 0);
    for Hit { key: id, .. } in found {
        let offer = &mut |row: &[u8]| nearest.offer_stored(row, || Ok(id.clone()));
        rows += visit_rows(session, wanted.index.id, wanted.fields, &id, offer)?;
    }
    Ok((nearest.into_sorted(), rows))
}
