//! Reading documents by id.

use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Family, Result};
use serde::de::DeserializeOwned;

use super::Found;
use crate::catalog::{Definition, prefix};
use crate::session::Session;

pub(super) fn read_found<T: DeserializeOwned>(
    session: &Session,
    definition: &Definition,
    id: &DocumentId,
) -> Result<Option<Found<T>>> {
    let bytes = session.get(Family::Data, &document_key(definition.id, id))?;
    bytes.map(|bytes| Found::decode(session, definition.id, id.clone(), &bytes)).transpose()
}

pub(super) fn read_document(session: &Session, definition: &Definition, id: &DocumentId) -> Result<Option<Document>> {
    let Some(bytes) = session.get(Family::Data, &document_key(definition.id, id))? else { return Ok(None) };
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    let document = Record::open(&bytes, &dictionary).and_then(|record| record.decode());
    document.map(Some).map_err(|error| error.context(format!("document {id:?}")))
}

/// Where a document is stored.
pub(crate) fn document_key(collection: u32, id: &DocumentId) -> Vec<u8> {
    let mut key = prefix(collection).to_vec();
    id.write_key(&mut key);
    key
}
