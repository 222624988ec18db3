//! Searching by examples.

use blaze_core::{DocumentId, Error, Family, Result};
use blaze_vector::{Metric, Query as VectorQuery, VectorRef};

use super::rows::rows_of;
use crate::catalog::Definition;
use crate::collection::document_key;
use crate::index::{IndexDefinition, VectorFields};
use crate::session::Session;

/// The vector between examples: the average of those to be near to; with others to be far from, twice that less the average of
/// those. For the cosine, the examples count as directions.
pub(super) fn average(
    session: &Session,
    collection: &str,
    definition: &Definition,
    (index, fields): (&IndexDefinition, &VectorFields),
    positive: &[DocumentId],
    negative: &[DocumentId],
) -> Result<Vec<f32>> {
    if fields.metric.is_binary() {
        let (name, metric) = (&index.name, fields.metric);
        return Err(Error::invalid(format!(
            "index {name:?} is of bits, which the metric {metric} compares: examples of bits have no average"
        )));
    }
    let mean = |ids: &[DocumentId]| -> Result<Vec<f64>> {
        let mut sum = vec![0.0; fields.dimension];
        for id in ids {
            let numbers = example(session, collection, definition, (index, fields), id)?;
            sum.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += number);
        }
        sum.iter_mut().for_each(|sum| *sum /= ids.len() as f64);
        Ok(sum)
    };
    let mut average = mean(positive)?;
    if !negative.is_empty() {
        let far = mean(negative)?;
        average.iter_mut().zip(&far).for_each(|(near, far)| *near = 2.0 * *near - far);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a vector has single precision")]
    Ok(average.into_iter().map(|number| number as f32).collect())
}

/// The vector of an example, or the average of several; each of length one for the cosine.
fn example(
    session: &Session,
    collection: &str,
    definition: &Definition,
    (index, fields): (&IndexDefinition, &VectorFields),
    id: &DocumentId,
) -> Result<Vec<f64>> {
    let rows = rows_of(session, definition, (index, fields), id)?;
    if rows.is_empty() {
        let is_there = session.visit(Family::Data, &document_key(definition.id, id), &mut |_| Ok(()))?;
        let name = &index.name;
        return Err(match is_there {
            true => Error::invalid(format!("the example {id:?} has no vector in the index {name:?}")),
            false => Error::not_found(format!("collection {collection:?} has no document {id:?} to be an example")),
        });
    }
    let mut sum = vec![0.0; fields.dimension];
    let mut numbers = Vec::new();
    for row in &rows {
        fields.copies.read(row, fields.dimension, &mut numbers)?;
        let length = match fields.metric {
            Metric::Cosine => numbers.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt(),
            _ => 1.0,
        };
        sum.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += f64::from(*number) / length);
    }
    sum.iter_mut().for_each(|sum| *sum /= rows.len() as f64);
    Ok(sum)
}

/// A vector that is stored, to be near to.
pub(super) fn query_of_row(fields: &VectorFields, row: &[u8]) -> Result<VectorQuery> {
    let query = match fields.metric.is_binary() {
        true => VectorQuery::new(fields.metric, VectorRef::Bits(row)),
        false => {
            let mut numbers = Vec::new();
            fields.copies.read(row, fields.dimension, &mut numbers)?;
            VectorQuery::new(fields.metric, &numbers)
        }
    };
    // What an index has was checked when it was written.
    let damaged = |error: Error| Error::corruption(format!("a stored vector cannot be compared: {error}"));
    Ok(query.map_err(damaged)?.over(fields.copies))
}
