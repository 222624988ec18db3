//! A document as it is stored.

use std::fmt;
use std::sync::Arc;

use blaze_core::record::{Dictionary, OwnedRecord};
use blaze_core::{Document, DocumentId, Path, Result, Timestamp, Value, from_value};
use serde::de::DeserializeOwned;

use crate::session::Session;

/// A document that was read and not decoded: its id, its version and its bytes.
///
/// Reading a path takes time linear in the number of values that stand before it in the maps and arrays on the way, of which
/// each is skipped by its length; only the value is decoded. So one field of a large document costs a fraction of the
/// document, while whoever needs most of the fields does better with [`to`](RawFound::to).
///
/// ```
/// use blaze::{Database, Document, field};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.insert_with_id("solaris", &Document::new().with("title", "Solaris").with("script", "…".repeat(10_000)))?;
/// let film = films.get_raw("solaris")?.unwrap();
/// assert_eq!(film.get_as::<String>("title")?.as_deref(), Some("Solaris"));
/// for film in films.find(field("title").exists(true)).iter_raw()? {
///     assert!(film?.get("year")?.is_none());
/// }
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone)]
pub struct RawFound {
    /// Its id.
    pub id: DocumentId,
    /// The commit that wrote it; [`Timestamp::ZERO`] for what the reading transaction itself has written.
    pub version: Timestamp,
    record: OwnedRecord,
}

impl RawFound {
    /// Verifies a record.
    pub(crate) fn open(session: &Session, collection: u32, id: DocumentId, record: Vec<u8>) -> Result<RawFound> {
        let dictionary = session.core().catalog.dictionaries.get(session.core(), collection)?;
        let record =
            OwnedRecord::open(record, dictionary).map_err(|error| error.context(format!("document {id:?}")))?;
        Ok(RawFound { version: record.version(), id, record })
    }

    /// A record that was verified.
    pub(crate) fn of_verified(id: DocumentId, record: Vec<u8>, dictionary: &Arc<Dictionary>) -> Result<RawFound> {
        let record = OwnedRecord::of_verified(record, Arc::clone(dictionary))?;
        Ok(RawFound { version: record.version(), id, record })
    }

    /// The one value at `path`; a number chooses an element of an array, and nothing fans out.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the path is not well-formed;
    /// [`Corruption`](crate::ErrorKind::Corruption) if damage stands in the way.
    pub fn get(&self, path: impl Into<Path>) -> Result<Option<Value>> {
        let path = path.into();
        path.validate()?;
        self.in_document(self.record.document().with_id(&self.id).get(&path))
    }

    /// The one value at `path` as a Rust type.
    ///
    /// # Errors
    /// As [`get`](RawFound::get); [`Invalid`](crate::ErrorKind::Invalid) when the value is not of this type.
    pub fn get_as<V: DeserializeOwned>(&self, path: impl Into<Path>) -> Result<Option<V>> {
        let path = path.into();
        let Some(value) = self.get(&path)? else { return Ok(None) };
        self.in_document(from_value(value).map(Some).map_err(|error| error.context(path)))
    }

    /// The whole document.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption).
    pub fn decode(&self) -> Result<Document> {
        self.in_document(self.record.document().with_id(&self.id).decode())
    }

    /// The whole document as a Rust type.
    ///
    /// # Errors
    /// As [`decode`](RawFound::decode); [`Invalid`](crate::ErrorKind::Invalid) when the document is not of this type.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        self.in_document(self.record.document().with_id(&self.id).deserialize())
    }

    /// Bytes that the document takes as it is stored, without its key.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.record.len_bytes()
    }

    fn in_document<R>(&self, result: Result<R>) -> Result<R> {
        result.map_err(|error| error.context(format!("document {:?}", self.id)))
    }
}

impl fmt::Debug for RawFound {
    /// Without its contents: those are not decoded for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.record.len_bytes();
        f.debug_struct("RawFound").field("id", &self.id).field("version", &self.version).field("bytes", &bytes).finish()
    }
}
