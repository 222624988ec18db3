//! The field of a document that is its id.
//!
//! A top-level field `_id` is the document's id. It is stored once, in the key: its place in the record holds null.
//!
//! | a document is | the field `_id` |
//! |---|---|
//! | inserted | is the id; null or missing, the id is automatic |
//! | inserted or replaced under an id given apart | is null, missing, or that id; another one is an error |
//! | updated | cannot be changed |
//! | read | holds the id where the document was written with the field, and in every struct that has it |
//! | filtered, sorted | holds the id in every document |
//!
//! A document of a subcollection has the id of its parent in the field `_parent`, by the same rules. In any other
//! document that is a field like others.
//!
//! Behind `flatten`, in an enum and in a map, which tell nobody what fields they want, a document that was written
//! without the field is read without it.

use crate::document::Document;
use crate::error::{Error, Result};
use crate::id::DocumentId;
use crate::value::Value;

/// The top-level field that is the id of its document.
pub const ID_FIELD: &str = "_id";

/// The top-level field that is the id of the document above, in a document that stands below another one.
pub const PARENT_FIELD: &str = "_parent";

impl DocumentId {
    /// The id that a top-level field of the document holds by itself: its own, or its parent's.
    #[must_use]
    pub fn held_in(&self, field: &str) -> Option<&DocumentId> {
        match (self, field) {
            (_, ID_FIELD) => Some(self.own()),
            (DocumentId::Child(child), PARENT_FIELD) => Some(child.parent()),
            _ => None,
        }
    }
}

/// The id that a document says it has, whose place is left null.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) when the value cannot be an id, [`LimitExceeded`](crate::ErrorKind::LimitExceeded)
/// when it is too long.
pub fn take_id(document: &mut Document) -> Result<Option<DocumentId>> {
    let Some(place) = document.get_mut(ID_FIELD) else { return Ok(None) };
    if *place == Value::Null {
        return Ok(None);
    }
    let id = DocumentId::try_from(std::mem::replace(place, Value::Null))
        .and_then(|id| id.validate().map(|()| id))
        .map_err(|error| error.context(format!("field {ID_FIELD}")))?;
    Ok(Some(id))
}

/// The parent that a document says it has, whose place is left null.
///
/// # Errors
/// As [`take_id`].
pub fn take_parent(document: &mut Document) -> Result<Option<DocumentId>> {
    let Some(place) = document.get_mut(PARENT_FIELD).filter(|place| **place != Value::Null) else { return Ok(None) };
    let parent = DocumentId::try_from(std::mem::replace(place, Value::Null))
        .and_then(|parent| parent.validate().map(|()| parent))
        .map_err(|error| error.context(format!("field {PARENT_FIELD}")))?;
    Ok(Some(parent))
}

/// Gives a document its id and that of its parent back, if it was written with these fields.
pub fn fill_id(document: &mut Document, id: &DocumentId) {
    if let Some(place) = document.get_mut(ID_FIELD) {
        *place = Value::from(id);
    }
    if let Some(parent) = id.parent()
        && let Some(place) = document.get_mut(PARENT_FIELD)
    {
        *place = Value::from(parent);
    }
}

impl TryFrom<Value> for DocumentId {
    type Error = Error;

    /// The id that a value stands for. An array of bytes, which is what serde makes of a `Vec<u8>`, stands for bytes.
    fn try_from(value: Value) -> Result<DocumentId> {
        match value {
            Value::Int(int) => Ok(int.into()),
            Value::UInt(int) => Ok(int.into()),
            Value::String(string) => Ok(string.into()),
            Value::Bytes(bytes) => Ok(bytes.into()),
            Value::Uuid(uuid) => Ok(uuid.into()),
            Value::Array(elements) => {
                let byte = |element: &Value| element.as_i64().and_then(|int| u8::try_from(int).ok());
                let bytes: Option<Vec<u8>> = elements.iter().map(byte).collect();
                bytes.map(DocumentId::Bytes).ok_or_else(|| not_an_id("array"))
            }
            other => Err(not_an_id(other.type_name())),
        }
    }
}

fn not_an_id(found: &str) -> Error {
    Error::invalid(format!("an id is an integer, a string, bytes or a UUID, this is of type {found}"))
}

impl From<DocumentId> for Value {
    /// The document's own id, as its field `_id` holds it.
    fn from(id: DocumentId) -> Value {
        match id {
            DocumentId::Int(int) => Value::Int(int),
            DocumentId::UInt(int) => Value::from(int),
            DocumentId::String(string) => Value::String(string),
            DocumentId::Bytes(bytes) => Value::Bytes(bytes),
            DocumentId::Uuid(uuid) => Value::Uuid(uuid),
            DocumentId::Child(child) => child.own().into(),
        }
    }
}

impl From<&DocumentId> for Value {
    fn from(id: &DocumentId) -> Value {
        id.own().clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::id::Uuid;

    #[test]
    fn an_id_is_taken_out_of_its_field_and_put_back() {
        let ids: [DocumentId; 5] =
            [(-1).into(), u64::MAX.into(), "a".into(), vec![1, 2].into(), Uuid::from_bytes([7; 16]).into()];
        for id in ids {
            let written = Document::new().with("title", "Solaris").with(ID_FIELD, Value::from(&id));
            let mut document = written.clone();
            assert_eq!(take_id(&mut document).unwrap(), Some(id.clone()));
            assert_eq!(document.get(ID_FIELD), Some(&Value::Null), "it is stored once");
            fill_id(&mut document, &id);
            assert_eq!(document, written);
        }
    }

    #[test]
    fn a_child_has_its_own_id_and_its_parents_in_two_fields() {
        let id = DocumentId::child("order-7", 1);
        let written = Document::new().with(PARENT_FIELD, "order-7").with(ID_FIELD, 1).with("price", 5);
        let mut document = written.clone();
        assert_eq!(take_id(&mut document).unwrap(), Some(1.into()));
        assert_eq!(take_parent(&mut document).unwrap(), Some("order-7".into()));
        assert_eq!(document.get(PARENT_FIELD), Some(&Value::Null), "it is stored once");
        fill_id(&mut document, &id);
        assert_eq!(document, written);
        fill_id(&mut document, &2.into());
        assert_eq!(document.get(PARENT_FIELD), Some(&"order-7".into()), "elsewhere it is a field like others");
        let error = take_parent(&mut document.with(PARENT_FIELD, 1.5)).unwrap_err();
        assert!(error.to_string().starts_with("field _parent: "), "{error}");
    }

    #[test]
    fn a_document_without_an_id_is_left_as_it_is() {
        let mut document = Document::new().with("title", "Solaris");
        assert_eq!(take_id(&mut document).unwrap(), None);
        fill_id(&mut document, &"solaris".into());
        assert_eq!(document, Document::new().with("title", "Solaris"));
        assert_eq!(take_id(&mut document.with(ID_FIELD, Value::Null)).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_an_id_is_refused_by_type() {
        for (value, word) in [
            (Value::from(1.5), "type float"),
            (Value::from(true), "type bool"),
            (Value::Array(vec![256.into()]), "type array"),
            (Document::new().into(), "type map"),
            ("".into(), "empty"),
        ] {
            let error = take_id(&mut Document::new().with(ID_FIELD, value)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().starts_with("field _id: ") && error.to_string().contains(word), "{error}");
        }
        assert_eq!(DocumentId::try_from(Value::Array(vec![0.into(), 255.into()])).unwrap(), vec![0, 255].into());
    }
}
