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
        let in_document = |error: blaze_core::Error| error.context(format!("document {id:?}"));
        let record = Record::open(record, &dictionary).map_err(in_document)?;
        let value = record.document().with_id(&id).deserialize().map_err(in_document)?;
        Ok(Found { version: record.version(), id, value })
    }

    /// A document as it was stored.
    pub(crate) fn of(id: DocumentId, version: Timestamp, document: Document) -> Result<Found<T>> {
        let value = from_document_under(document, &id).map_err(|error| error.context(format!("document {id:?}")))?;
        Ok(Found { id, version, value })
    }
}
