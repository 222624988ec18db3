//! The rows of a vector index: as they are, or of a view of the past, as they would be.

use blaze_core::record::Record;
use blaze_core::{DocumentId, ErrorKind, Family, Result};

use super::prepare::Wanted;
use crate::catalog::Definition;
use crate::collection::document_key;
use crate::index::{Entries, IndexDefinition, VectorFields, placed_rows, visit_rows};
use crate::session::Session;

/// The rows of a document, in the order of their keys: one at most, unless the index is of several vectors.
pub(super) fn rows_of(
    session: &Session,
    definition: &Definition,
    (index, fields): (&IndexDefinition, &VectorFields),
    id: &DocumentId,
) -> Result<Vec<Vec<u8>>> {
    let mut rows = Vec::new();
    match session.is_as_of() {
        false => drop(visit_rows(session, index.id, fields, id, &mut |row| {
            rows.push(row.to_vec());
            Ok(())
        })?),
        true => with_record(session, definition, id, |record| {
            rows = rows_of_record(index, id, record)?;
            Ok(())
        })?,
    }
    Ok(rows)
}

/// The rows that a record makes, in the order of their keys.
pub(super) fn rows_of_record(index: &IndexDefinition, id: &DocumentId, record: &Record<'_>) -> Result<Vec<Vec<u8>>> {
    let entries = match id.parent() {
        Some(_) => Entries::of(index, id, &record.decode()?),
        None => Entries::of_record(index, id, &record.document()),
    };
    match entries {
        Ok(entries) => Ok(entries.into_iter().map(|(_, row)| row).collect()),
        // It was there before the index, and had no entry in it.
        Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::LimitExceeded) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The place of the vector of a document that is nearest to what is searched for, of equally near ones the first; none if
/// the index is of one vector for each.
pub(super) fn nearest_chunk(
    session: &Session,
    definition: &Definition,
    wanted: &Wanted<'_>,
    id: &DocumentId,
) -> Result<Option<usize>> {
    let mut nearest: Option<(f32, usize)> = None;
    if !wanted.fields.several {
        return Ok(None);
    }
    with_record(session, definition, id, |record| {
        let mut buffer = Vec::new();
        for (place, row) in placed_rows(wanted.fields, &record.document())? {
            let distance = wanted.query.distance_to_stored(&row, &mut buffer)?;
            if nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, place));
            }
        }
        Ok(())
    })?;
    Ok(nearest.map(|(_, place)| place))
}

/// Has `work` read the record of a document, if it is there.
fn with_record(
    session: &Session,
    definition: &Definition,
    id: &DocumentId,
    mut work: impl FnMut(&Record<'_>) -> Result<()>,
) -> Result<()> {
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    let visited = session.visit(Family::Data, &document_key(definition.id, id), &mut |bytes| {
        Record::open(bytes, &dictionary).and_then(|record| work(&record))
    });
    visited.map(drop).map_err(|error| error.context(format!("document {id:?}")))
}
