//! Collections: documents by id.

mod bulk;
mod found;
mod indexes;
mod past;
mod read;
mod write;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use blaze_core::{Document, DocumentId, Error, Family, Filter, KeyRange, Result, Update, to_document};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use bulk::Bulk;
pub use found::Found;
pub(crate) use read::document_key;
use read::{read_document, read_for_update, read_found, read_many};
use write::insert;
pub(crate) use write::{write_document, write_entries};

use crate::catalog::{Definition, Kind, Named, prefix};
use crate::query::Query;
use crate::search::Search;
use crate::session::{Scope, Session};

/// A map from ids to documents of type `T`: any type of serde's that is a struct or a map, or [`Document`](struct@crate::Document).
///
/// Taken from a [`Database`](crate::Database), each operation is a commit of its own, durable when it returns; taken
/// from a [`Transaction`](crate::Transaction) it belongs to that, taken from a [`Snapshot`](crate::Snapshot) it only
/// reads. Handles are cheap to clone and may be shared between threads.
///
/// ```
/// use blaze::{Database, inc};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Film {
///     title: String,
///     year: i32,
/// }
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Film>("films")?;
/// films.insert_with_id("solaris", &Film { title: "Solaris".into(), year: 1971 })?;
/// films.update("solaris", inc("year", 1))?;
/// assert_eq!(films.get("solaris")?.unwrap().year, 1972);
/// # Ok::<(), blaze::Error>(())
/// ```
pub struct Collection<T> {
    pub(crate) scope: Scope,
    pub(crate) named: Arc<Named>,
    documents: PhantomData<fn() -> T>,
}

impl<T> Collection<T> {
    pub(crate) fn open(scope: Scope, name: &str) -> Result<Collection<T>> {
        let named = Named::open(&scope, name, Kind::Collection)?;
        Ok(Collection { scope, named, documents: PhantomData })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.named.name()
    }

    /// The same collection, its documents read and written as another type.
    #[must_use]
    pub fn typed<U>(&self) -> Collection<U> {
        Collection { scope: self.scope.clone(), named: Arc::clone(&self.named), documents: PhantomData }
    }

    /// True if there is a document under `id`.
    ///
    /// # Errors
    /// As [`get`](Collection::get).
    pub fn contains(&self, id: impl Into<DocumentId>) -> Result<bool> {
        let id = valid(id)?;
        self.read(|session, definition| session.visit(Family::Data, &document_key(definition.id, &id), &mut |_| Ok(())))
    }

    /// How many documents there are. Takes time linear in their number, and decodes none.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped; [`Closed`](crate::ErrorKind::Closed).
    pub fn count(&self) -> Result<u64> {
        self.read(|session, definition| session.count(Family::Data, &KeyRange::prefix(&prefix(definition.id))))
    }

    /// Removes the document under `id`; says whether there was one.
    ///
    /// # Errors
    /// As [`insert`](Collection::insert).
    pub fn delete(&self, id: impl Into<DocumentId>) -> Result<bool> {
        let id = valid(id)?;
        self.write(|session, definition| {
            let Some(before) = read_document(session, definition, &id)? else { return Ok(false) };
            write_document(session, definition, &id, Some(&before), None)?;
            Ok(true)
        })
    }

    /// Changes the document under `id` as `update` says, whole or not at all.
    ///
    /// ```
    /// use blaze::{Database, Document, inc, set};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert_with_id(1, &Document::new().with("title", "Solaris"))?;
    /// films.update(1, set("rating.stars", 5).and(inc("views", 1)))?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; [`Invalid`](crate::ErrorKind::Invalid) when the
    /// update does not fit it; else as [`insert`](Collection::insert).
    pub fn update(&self, id: impl Into<DocumentId>, update: impl Into<Update>) -> Result<()> {
        let (id, update) = (valid(id)?, update.into());
        update.validate()?;
        self.write(|session, definition| {
            let before = self.existing(session, definition, &id)?;
            let mut after = before.clone();
            if update.apply(&mut after).map_err(|error| error.context(format!("document {id:?}")))? {
                write_document(session, definition, &id, Some(&before), Some(&after))?;
            }
            Ok(())
        })
    }

    /// Asks for the documents that match a filter; see [`filter`](crate::filter).
    pub fn find(&self, filter: impl Into<Filter>) -> Query<T> {
        Query::new(self.clone(), filter.into())
    }

    /// Asks for all documents.
    pub fn find_all(&self) -> Query<T> {
        self.find(Filter::everything())
    }

    /// Asks for the documents most similar to something.
    pub fn search(&self) -> Search<T> {
        Search::new(self.clone())
    }

    pub(crate) fn read<R>(&self, work: impl FnOnce(&Arc<Session>, &Definition) -> Result<R>) -> Result<R> {
        self.scope.read(|session| work(session, &*self.named.definition(session)?))
    }

    fn write<R>(&self, mut work: impl FnMut(&Session, &Definition) -> Result<R>) -> Result<R> {
        let written = self.scope.write(|session| work(session, &*self.named.definition(session)?));
        written.map_err(|error| self.name_duplicate(error))
    }

    fn existing(&self, session: &Session, definition: &Definition, id: &DocumentId) -> Result<Document> {
        read_document(session, definition, id)?
            .ok_or_else(|| Error::not_found(format!("collection {:?} has no document {id:?}", self.name())))
    }
}

impl<T: Serialize> Collection<T> {
    /// Inserts a document under a new id: a UUIDv7, so that ids sort by the time of their making.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the value is not a struct or map, or does not fit an index;
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when another document has its values in a
    /// [unique](crate::Index::unique) index; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too large or too
    /// deep; [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped;
    /// [`Closed`](crate::ErrorKind::Closed); what [`Transaction::commit`](crate::Transaction::commit) returns. Nothing
    /// is written in any of these cases but `CommitOutcomeUnknown`.
    pub fn insert(&self, document: &T) -> Result<DocumentId> {
        let document = to_document(document)?; // here, since it is the user's code
        self.write(|session, definition| insert(session, definition, None, &document))
    }

    /// Inserts a document under an id of the application's.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is one under it; else as
    /// [`insert`](Collection::insert).
    pub fn insert_with_id(&self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let (id, document) = (valid(id)?, to_document(document)?);
        self.write(|session, definition| insert(session, definition, Some(id.clone()), &document).map(drop))
    }

    /// Inserts documents under new ids, in one transaction, and returns the ids. For more than fit one, see
    /// [`bulk`](Collection::bulk).
    ///
    /// # Errors
    /// As [`insert`](Collection::insert); then none of them is inserted.
    pub fn insert_many(&self, documents: impl IntoIterator<Item = T>) -> Result<Vec<DocumentId>> {
        let documents = documents.into_iter().map(|document| to_document(&document)).collect::<Result<Vec<_>>>()?;
        self.write(|session, definition| {
            documents.iter().map(|document| insert(session, definition, None, document)).collect()
        })
    }

    /// Loads many documents in batches.
    pub fn bulk<'a>(&self) -> Bulk<'a, T> {
        Bulk::new(self.clone())
    }

    /// Sets the document under `id`, whether there is one or not.
    ///
    /// # Errors
    /// As [`insert`](Collection::insert).
    pub fn put(&self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let (id, after) = (valid(id)?, to_document(document)?);
        self.write(|session, definition| {
            let before = read_document(session, definition, &id)?;
            write_document(session, definition, &id, before.as_ref(), Some(&after))
        })
    }

    /// Replaces the document under `id`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; else as [`insert`](Collection::insert).
    pub fn replace(&self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let (id, after) = (valid(id)?, to_document(document)?);
        self.write(|session, definition| {
            let before = self.existing(session, definition, &id)?;
            write_document(session, definition, &id, Some(&before), Some(&after))
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

fn valid(id: impl Into<DocumentId>) -> Result<DocumentId> {
    let id = id.into();
    id.validate()?;
    Ok(id)
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Collection<T> {
        self.typed()
    }
}

impl<T> fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection").field("name", &self.name()).finish_non_exhaustive()
    }
}
