//! Documents whose field `_id` is their id.

use blaze_core::{Document, DocumentId, Error, ID_FIELD, PARENT_FIELD, Result, take_id, take_parent, to_document};
use serde::Serialize;

/// What is to be stored of a value, and the id that it says it has.
pub(crate) fn to_stored<T: Serialize>(value: &T) -> Result<(Option<DocumentId>, Document)> {
    let mut document = to_document(value)?;
    let id = take_id(&mut document)?;
    Ok((id, document))
}

/// What is to be stored of a value under `id`.
pub(crate) fn to_stored_under<T: Serialize>(id: &DocumentId, value: &T) -> Result<Document> {
    let (own, mut document) = to_stored(value)?;
    place_under(own.as_ref(), id, &mut document)?;
    Ok(document)
}

/// Refuses a document that says it has another id or parent than those under which it is to be stored, and takes the parent
/// out of its field.
pub(crate) fn place_under(own: Option<&DocumentId>, id: &DocumentId, document: &mut Document) -> Result<()> {
    check_id(own, id)?;
    let Some(parent) = id.parent() else { return Ok(()) };
    match take_parent(document)?.filter(|said| said != parent) {
        None => Ok(()),
        Some(said) => Err(Error::invalid(format!("a document below {parent:?}: its field {PARENT_FIELD} is {said:?}"))),
    }
}

/// Refuses another id than that under which a document is to be stored.
pub(crate) fn check_id(own: Option<&DocumentId>, id: &DocumentId) -> Result<()> {
    match own.filter(|own| *own != id.own()) {
        None => Ok(()),
        Some(own) => Err(Error::invalid(format!(
            "document {id:?}: its field {ID_FIELD} is {own:?}, and the id of a document cannot be changed"
        ))),
    }
}
