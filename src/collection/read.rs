//! Reading documents by id.

use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Family, Result, Timestamp};
use serde::de::DeserializeOwned;

use super::{Collection, Found, RawFound, valid};
use crate::catalog::{self, Definition, prefix};
use crate::session::Session;

/// A document as it is stored, with null in the place of its id.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) version: Timestamp,
    pub(crate) document: Document,
}

impl<T> Collection<T> {
    /// True if there is a document under `id`.
    ///
    /// # Errors
    /// As [`get`](Collection::get).
    pub fn contains(&self, id: impl Into<DocumentId>) -> Result<bool> {
        let id = valid(id)?;
        self.read(|session, definition| session.visit(Family::Data, &document_key(definition.id, &id), &mut |_| Ok(())))
    }

    /// How many documents there are, the handle's own transaction's changes included. Takes constant time, but in a view of
    /// the [past](crate::Database::as_of), and in a collection of a database from before collections counted: these take
    /// time linear in the number of documents, and decode none.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped; [`Closed`](crate::ErrorKind::Closed).
    pub fn count(&self) -> Result<u64> {
        self.read(|session, definition| catalog::count(session, definition))
    }

    /// The document under `id`, if there is one, undecoded; see [`RawFound`].
    ///
    /// # Errors
    /// As [`get`](Collection::get), but that its type does not matter.
    pub fn get_raw(&self, id: impl Into<DocumentId>) -> Result<Option<RawFound>> {
        let id = valid(id)?;
        self.read(|session, definition| {
            let bytes = session.get(Family::Data, &document_key(definition.id, &id))?;
            bytes.map(|bytes| RawFound::open(session, definition.id, id, bytes)).transpose()
        })
    }
}

impl<T: DeserializeOwned> Collection<T> {
    /// The document under `id`, if there is one.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the id is empty or the document is not of type `T`;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the id is too long;
    /// [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped;
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Closed`](crate::ErrorKind::Closed).
    pub fn get(&self, id: impl Into<DocumentId>) -> Result<Option<Found<T>>> {
        let id = valid(id)?;
        self.read(|session, definition| read_found(session, definition, &id))
    }

    /// As [`get`](Collection::get) in a transaction, whose commit is refused if the document changes before it, under
    /// [snapshot isolation](crate::Isolation::Snapshot), too: for one that what the transaction writes depends upon.
    ///
    /// # Errors
    /// As [`get`](Collection::get); [`Invalid`](crate::ErrorKind::Invalid) outside of a transaction.
    pub fn get_for_update(&self, id: impl Into<DocumentId>) -> Result<Option<Found<T>>> {
        let id = valid(id)?;
        let session = self.scope.transaction()?;
        read_for_update(session, &*self.named.definition(session)?, id)
    }

    /// The documents under `ids`, at one moment: in their order, `None` where there is none. Faster than one by one.
    ///
    /// # Errors
    /// As [`get`](Collection::get).
    pub fn get_many(&self, ids: impl IntoIterator<Item = impl Into<DocumentId>>) -> Result<Vec<Option<Found<T>>>> {
        let ids = ids.into_iter().map(valid).collect::<Result<Vec<_>>>()?;
        self.read(|session, definition| read_many(session, definition, ids))
    }
}

fn read_found<T: DeserializeOwned>(
    session: &Session,
    definition: &Definition,
    id: &DocumentId,
) -> Result<Option<Found<T>>> {
    let bytes = session.get(Family::Data, &document_key(definition.id, id))?;
    bytes.map(|bytes| Found::decode(session, definition.id, id.clone(), &bytes)).transpose()
}

/// As [`read_found`], with the key guarded.
fn read_for_update<T: DeserializeOwned>(
    session: &Session,
    definition: &Definition,
    id: DocumentId,
) -> Result<Option<Found<T>>> {
    let bytes = session.get_for_update(Family::Data, &document_key(definition.id, &id))?;
    bytes.map(|bytes| Found::decode(session, definition.id, id, &bytes)).transpose()
}

/// The documents under `ids`, in their order.
fn read_many<T: DeserializeOwned>(
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

/// The document under `id`, to be changed.
pub(crate) fn read_stored(session: &Session, definition: &Definition, id: &DocumentId) -> Result<Option<Stored>> {
    let Some(bytes) = session.get(Family::Data, &document_key(definition.id, id))? else { return Ok(None) };
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    let stored = Record::open(&bytes, &dictionary)
        .and_then(|record| Ok(Stored { version: record.version(), document: record.decode()? }));
    stored.map(Some).map_err(|error| error.context(format!("document {id:?}")))
}

/// Where a document is stored.
pub(crate) fn document_key(collection: u32, id: &DocumentId) -> Vec<u8> {
    let mut key = Vec::with_capacity(32); // most ids fit
    key.extend_from_slice(&prefix(collection));
    id.write_key(&mut key);
    key
}
