//! The rows of a vector index: as they are, or of a view of the past, as they would be.

use blaze_core::record::Record;
use blaze_core::{DocumentId, ErrorKind, Family, Result};

use crate::catalog::Definition;
use crate::collection::document_key;
use crate::index::{Entries, IndexDefinition, vector_key};
use crate::session::Session;

/// The row of a document, if it has one.
pub(super) fn row(
    session: &Session,
    definition: &Definition,
    index: &IndexDefinition,
    id: &DocumentId,
) -> Result<Option<Vec<u8>>> {
    if !session.is_as_of() {
        return session.get(Family::Vector, &vector_key(index.id, id));
    }
    let Some(bytes) = session.get(Family::Data, &document_key(definition.id, id))? else { return Ok(None) };
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    Record::open(&bytes, &dictionary)
        .and_then(|record| row_of_record(index, id, &record))
        .map_err(|error| error.context(format!("document {id:?}")))
}

/// The row that a record makes.
pub(super) fn row_of_record(index: &IndexDefinition, id: &DocumentId, record: &Record<'_>) -> Result<Option<Vec<u8>>> {
    let entries = match id.parent() {
        Some(_) => Entries::of(index, id, &record.decode()?),
        None => Entries::of_record(index, id, &record.document()),
    };
    match entries {
        Ok(entries) => Ok(entries.into_iter().next().map(|(_, row)| row)),
        // It was there before the index, and had no entry in it.
        Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::LimitExceeded) => Ok(None),
        Err(error) => Err(error),
    }
}
