//! What a graph is calibrated with.

use std::collections::BinaryHeap;

use blaze_core::limits::{CALIBRATION_QUERIES_MAX, CALIBRATION_QUERY_BYTES_MAX};
use blaze_core::{Entropy, Error, Family, ReadPoint, Result, SeededEntropy, Value, Vector};
use blaze_vector::{Query, VectorBuffer};

use crate::catalog::prefixed;
use crate::index::VectorFields;
use crate::vector::form::Form;
use crate::vector::linked::Linked;
use crate::vector::open::OpenGraph;

/// Slots that are looked at while nobody can link.
const SLOTS_AT_ONCE: u32 = 4_096;

/// Vectors that are chosen beyond those that are wanted, as a part of them: some may have no row yet where it is measured.
const SPARE_PART: usize = 4;

/// What a graph is calibrated with.
#[derive(Clone, Debug)]
pub(crate) enum Queries {
    /// Vectors of the index, chosen by chance.
    Stored,
    Given(Vec<Query>),
}

/// A query, and the vector that it is, which is no answer to it.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) query: Query,
    pub(super) left_out: Option<Box<[u8]>>,
}

impl Queries {
    /// Checks given queries for an index.
    pub(crate) fn given_for(fields: &VectorFields, vectors: &[Vector]) -> Result<Queries> {
        if vectors.is_empty() {
            return Err(Error::invalid("no queries are given to calibrate the index with, at least one is needed"));
        }
        if vectors.len() > CALIBRATION_QUERIES_MAX {
            let count = vectors.len();
            return Err(Error::limit_exceeded(format!(
                "{count} queries are given to calibrate the index with, the limit is {CALIBRATION_QUERIES_MAX}"
            )));
        }
        let bytes = vectors.len() * if fields.metric.is_binary() { fields.dimension / 8 } else { fields.dimension * 4 };
        if bytes > CALIBRATION_QUERY_BYTES_MAX {
            return Err(Error::limit_exceeded(format!(
                "the queries to calibrate the index with take {bytes} bytes, the limit is {CALIBRATION_QUERY_BYTES_MAX}"
            )));
        }
        let query = |(number, vector): (usize, &Vector)| {
            let components = fields.components(&Value::Vector(vector.clone()));
            let query = components.and_then(|components| Query::new(fields.metric, components.as_vector()));
            query.map(|query| query.over(fields.copies)).map_err(|error| error.context(format!("query {number}")))
        };
        vectors.iter().enumerate().map(query).collect::<Result<_>>().map(Queries::Given)
    }

    pub(super) fn are_given(&self) -> bool {
        matches!(self, Queries::Given(_))
    }

    pub(super) fn given(&self) -> &[Query] {
        match self {
            Queries::Stored => &[],
            Queries::Given(queries) => queries,
        }
    }
}

/// The queries themselves: those that are given, or `count` vectors of the index, if it has so many.
pub(super) fn samples(
    graph: &OpenGraph,
    point: &dyn ReadPoint,
    form: &Form,
    (queries, count): (&Queries, usize),
    seed: u64,
) -> Result<Vec<Sample>> {
    if let Queries::Given(queries) = queries {
        return Ok(queries.iter().map(|query| Sample { query: query.clone(), left_out: None }).collect());
    }
    let mut samples = Vec::with_capacity(count);
    let mut buffer = VectorBuffer::default();
    for entry in entries_by_chance(graph, count + count / SPARE_PART, seed) {
        if samples.len() == count {
            break;
        }
        let mut query = None;
        point.visit(Family::Vector, &prefixed(graph.index, &entry), &mut |row| {
            query = Some(form.query(form.read(row, &mut buffer)?)?);
            Ok(())
        })?;
        // Without a row, it was written after the read point.
        samples.extend(query.map(|query| Sample { query, left_out: Some(entry) }));
    }
    Ok(samples)
}

/// The entries of so many vectors of a graph, each as likely as any other: those whose chances are the smallest, the smallest first.
fn entries_by_chance(graph: &OpenGraph, count: usize, seed: u64) -> Vec<Box<[u8]>> {
    let mut chosen: BinaryHeap<(u64, u32)> = BinaryHeap::with_capacity(count + 1);
    let slots = |linked: &Linked| linked.graph.slots() as u32;
    for begin in (0..graph.with_linked(slots).unwrap_or(0)).step_by(SLOTS_AT_ONCE as usize) {
        graph.with_linked(|linked| {
            let there = (begin..begin.saturating_add(SLOTS_AT_ONCE)).filter(|slot| linked.graph.contains(*slot));
            for slot in there {
                chosen.push((chance(seed, u64::from(slot)), slot));
                if chosen.len() > count {
                    chosen.pop();
                }
            }
        });
    }
    let entry = |(_, slot): (u64, u32)| graph.with_linked(|linked| linked.ids.key(slot).map(Into::into)).flatten();
    chosen.into_sorted_vec().into_iter().filter_map(entry).collect()
}

/// A number that looks like chance.
pub(super) fn chance(seed: u64, of: u64) -> u64 {
    SeededEntropy::new(seed ^ SeededEntropy::new(of).next_u64()).next_u64()
}
