//! Hits that are near and yet different from each other: maximal marginal relevance.

use blaze_core::limits::SEARCH_LIMIT_MAX;
use blaze_core::{DocumentId, Result};
use blaze_vector::Hit as Near;

use super::exact::Outcome;
use super::examples::query_of_row;
use super::prepare::Wanted;
use super::rows::rows_of;
use crate::catalog::Definition;
use crate::session::Session;

/// Nearest documents among which one is chosen for each row.
const CANDIDATES_PER_ROW: usize = 5;

/// Nearest documents among which is chosen at least.
const CANDIDATES_MIN: usize = 50;

/// A document that may be chosen.
struct Candidate {
    near: Near<DocumentId>,
    row: Vec<u8>,
    score: f32,
    /// How similar it is to the most similar one of those that are chosen.
    likeness: f32,
}

/// Of the rows of a document, the one by which it was found.
fn nearest_row(wanted: &Wanted<'_>, mut rows: Vec<Vec<u8>>) -> Result<Vec<u8>> {
    if rows.len() > 1 {
        let mut buffer = Vec::new();
        let distances: Vec<f32> =
            rows.iter().map(|row| wanted.query.distance_to_stored(row, &mut buffer)).collect::<Result<_>>()?;
        if let Some(nearest) = (0..rows.len()).min_by(|a, b| distances[*a].total_cmp(&distances[*b])) {
            rows.swap(0, nearest);
        }
    }
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// How many of the nearest documents so many different ones are chosen from.
pub(super) fn candidates(rows: usize) -> usize {
    rows.saturating_mul(CANDIDATES_PER_ROW).clamp(CANDIDATES_MIN, SEARCH_LIMIT_MAX)
}

/// Leaves of what was found so many rows: each time the one of which `lambda` times its score less the rest to one times its
/// similarity to the most similar one chosen before is the largest; of equals, the nearest.
pub(super) fn diversify(
    session: &Session,
    definition: &Definition,
    wanted: &Wanted<'_>,
    outcome: &mut Outcome,
    lambda: f32,
    rows: usize,
) -> Result<()> {
    let (metric, dimension) = (wanted.fields.metric, wanted.fields.dimension);
    let mut left = Vec::with_capacity(outcome.hits.len());
    for near in outcome.hits.drain(..) {
        let row = nearest_row(wanted, rows_of(session, definition, (wanted.index, wanted.fields), &near.key)?)?;
        let score = metric.score(near.distance, dimension);
        left.push(Candidate { near, row, score, likeness: f32::NEG_INFINITY });
    }
    let mut buffer = Vec::new();
    while outcome.hits.len() < rows && !left.is_empty() {
        let is_first = outcome.hits.is_empty();
        let worth = |one: &Candidate| match is_first {
            true => one.score,
            false => lambda * one.score - (1.0 - lambda) * one.likeness,
        };
        // The first one of the best: the candidates stay in the order of their distances.
        let mut best = 0;
        for place in 1..left.len() {
            if worth(&left[place]) > worth(&left[best]) {
                best = place;
            }
        }
        let chosen = left.remove(best);
        let query = query_of_row(wanted.fields, &chosen.row)?;
        for other in &mut left {
            let likeness = metric.score(query.distance_to_stored(&other.row, &mut buffer)?, dimension);
            other.likeness = other.likeness.max(likeness);
            outcome.work.distances_computed += 1;
        }
        outcome.hits.push(chosen.near);
    }
    outcome.node.operation.push_str(&format!(", the {rows} most diverse by lambda {lambda}"));
    Ok(())
}
