//! A document as it is read.

use std::ops::Deref;

use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Result, Timestamp, from_document_under};
use serde::de::DeserializeOwned;

use crate::database::core::Core;
use crate::session::Session;

/// A document that was read: its id, its version and its value, to which it dereferences.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// Its id.
    pub id: DocumentId,
    /// The commit that wrote it; [`Timestamp::ZERO`] for what the reading transaction itself has written.
    pub version: Timestamp,
    /// Its value.
    pub value: T,
}

impl<T> Found<T> {
    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Found<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: DeserializeOwned> Found<T> {
    /// Decodes a record. A document that is not of type `T` is an error, never left out.
    pub(crate) fn decode(session: &Session, collection: u32, id: DocumentId, record: &[u8]) -> Result<Found<T>> {
        Found::decode_in(session.core(), collection, id, record)
    }

    /// As [`decode`](Found::decode), without a session.
    pub(crate) fn decode_in(core: &Core, collection: u32, id: DocumentId, record: &[u8]) -> Result<Found<T>> {
        let dictionary = core.catalog.dictionaries.get(core, collection)?;
        let record = Record::open(record, &dictionary).map_err(|error| error.context(format!("document {id:?}")))?;
        Found::of_record(id, &record)
    }

    /// As [`decode`](Found::decode), of a record that is open.
    pub(crate) fn of_record(id: DocumentId, record: &Record<'_>) -> Result<Found<T>> {
        match record.document().with_id(&id).deserialize() {
            Ok(value) => Ok(Found { version: record.version(), id, value }),
            Err(error) => Err(error.context(format!("document {id:?}"))),
        }
    }

    /// A document as it was stored.
    pub(crate) fn of(id: DocumentId, version: Timestamp, document: Document) -> Result<Found<T>> {
        let value = from_document_under(document, &id).map_err(|error| error.context(format!("document {id:?}")))?;
        Ok(Found { id, version, value })
    }
}
