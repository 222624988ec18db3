//! Documents whose field `_id` is their id.

use blaze_core::{Document, DocumentId, Error, ID_FIELD, Result, take_id, to_document};
use serde::Serialize;

/// What is to be stored of a value, and the id that it says it has.
pub(crate) fn to_stored<T: Serialize>(value: &T) -> Result<(Option<DocumentId>, Document)> {
    let mut document = to_document(value)?;
    let id = take_id(&mut document)?;
    Ok((id, document))
}

/// What is to be stored of a value under `id`.
pub(crate) fn to_stored_under<T: Serialize>(id: &DocumentId, value: &T) -> Result<Document> {
    let (own, document) = to_stored(value)?;
    check_id(own.as_ref(), id)?;
    Ok(document)
}

/// Refuses a document that says it has another id than the one under which it is to be stored.
pub(crate) fn check_id(own: Option<&DocumentId>, id: &DocumentId) -> Result<()> {
    match own.filter(|own| *own != id) {
        None => Ok(()),
        Some(own) => Err(Error::invalid(format!(
            "document {id:?}: its field {ID_FIELD} is {own:?}, and the id of a document cannot be changed"
        ))),
    }
}
