//! What a search has found.

use std::ops::Deref;

use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Error, Family, Result, Timestamp};
use serde::de::DeserializeOwned;

use crate::catalog::Definition;
use crate::collection::{Found, document_key};
use crate::query::Selection;
use crate::session::Session;

/// A document that a search has found, with how near it is; dereferences to its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit<T> {
    /// Its id.
    pub id: DocumentId,
    /// The commit that wrote it; [`Timestamp::ZERO`] for what the searching transaction itself has written.
    pub version: Timestamp,
    /// Its value.
    pub value: T,
    /// The distance of its vector from the one searched for, as the [`Metric`](crate::Metric) of the index defines it: the
    /// smaller, the nearer.
    pub distance: f32,
    /// How similar they are, as the [`Metric`](crate::Metric) defines it: the larger, the nearer.
    pub score: f32,
    /// Which vector of the document it was, for an index of [several](crate::Index::vectors): its place, from 0, in the array that
    /// the path of the index goes through or ends at; of equally near ones, the first.
    ///
    /// Where the path goes through several arrays, places count on from one to the next: every vector, and every element that
    /// has none.
    pub chunk: Option<usize>,
}

impl<T> Hit<T> {
    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Hit<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The id of a document that a search has found, with how near it is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IdHit {
    /// The id.
    pub id: DocumentId,
    /// The distance, as in [`Hit`].
    pub distance: f32,
    /// The score, as in [`Hit`].
    pub score: f32,
    /// Which vector of the document it was, as in [`Hit`].
    pub chunk: Option<usize>,
}

/// Parts of a document that a search has found, with how near it is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PartialHit {
    /// The id of the document.
    pub id: DocumentId,
    /// The parts that were asked for, in the maps and arrays that they stand in.
    pub fields: Document,
    /// The distance, as in [`Hit`].
    pub distance: f32,
    /// The score, as in [`Hit`].
    pub score: f32,
    /// Which vector of the document it was, as in [`Hit`].
    pub chunk: Option<usize>,
}

impl IdHit {
    /// The document.
    pub(super) fn read<T: DeserializeOwned>(self, session: &Session, definition: &Definition) -> Result<Hit<T>> {
        let record = self.record(session, definition)?;
        let IdHit { id, distance, score, chunk } = self;
        let Found { id, version, value } = Found::decode(session, definition.id, id, &record)?;
        Ok(Hit { id, version, value, distance, score, chunk })
    }

    /// Parts of the document.
    pub(super) fn read_parts(
        self,
        session: &Session,
        definition: &Definition,
        selection: &Selection,
    ) -> Result<PartialHit> {
        let bytes = self.record(session, definition)?;
        let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
        let IdHit { id, distance, score, chunk } = self;
        let fields = Record::open(&bytes, &dictionary).and_then(|record| selection.of(&id, &record));
        let fields = fields.map_err(|error| error.context(format!("document {id:?}")))?;
        Ok(PartialHit { id, fields, distance, score, chunk })
    }

    fn record(&self, session: &Session, definition: &Definition) -> Result<Vec<u8>> {
        let id = &self.id;
        session.get(Family::Data, &document_key(definition.id, id))?.ok_or_else(|| {
            Error::corruption(format!("a vector index has an entry for document {id:?}, which is not there"))
        })
    }
}
