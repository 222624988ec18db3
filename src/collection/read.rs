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

/// As [`read_found`], with the key guarded.
pub(super) fn read_for_update<T: DeserializeOwned>(
    session: &Session,
    definition: &Definition,
    id: DocumentId,
) -> Result<Option<Found<T>>> {
    let bytes = session.get_for_update(Family::Data, &document_key(definition.id, &id))?;
    bytes.map(|bytes| Found::decode(session, definition.id, id, &bytes)).transpose()
}

/// The documents under `ids`, in their order.
pub(super) fn read_many<T: DeserializeOwned>(
    session: &Session,
    definition: &Definition,
    ids: Vec<DocumentId>,
) -> Result<Vec<Option<Found<T>>>> {
    let keys: Vec<Vec<u8>> = ids.iter().map(|id| document_key(definition.id, id)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    // Decoding may read the dictionary, which must not happen inside of another read.
    let mut records = vec![None; keys.len()];
    session.visit_many(Family::Data, &keys, &mut |position, record| {
        records[position] = record.map(<[u8]>::to_vec);
        Ok(())
    })?;
    let found = records.into_iter().zip(ids).map(|(record, id)| {
        record.map(|record: Vec<u8>| Found::decode(session, definition.id, id, &record)).transpose()
    });
    found.collect()
}

pub(crate) fn read_document(session: &Session, definition: &Definition, id: &DocumentId) -> Result<Option<Document>> {
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
