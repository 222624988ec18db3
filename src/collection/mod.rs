//! Collections: documents by id.

mod bulk;
mod calibration;
mod embedding;
mod found;
mod identify;
mod if_version;
mod indexes;
mod insert;
mod migration;
mod past;
mod raw;
mod read;
mod replace;
mod schema;
mod subcollection;
mod transfer;
mod update;
mod walk;
mod write;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use blaze_core::{DocumentId, Error, Filter, Result, Timestamp};

pub use bulk::Bulk;
pub use found::Found;
pub(crate) use identify::{check_id, place_under, to_stored, to_stored_under};
pub use if_version::IfVersion;
pub use raw::RawFound;
pub(crate) use read::{Stored, document_key, read_stored};
pub use subcollection::Subcollection;
pub(crate) use subcollection::records_below;
pub use update::UpdateReport;
pub(crate) use update::{apply, check_update, made_by};
pub(crate) use walk::{Walked, last_key, walk};
pub(crate) use write::{insert, insert_below, write_document, write_entries};

use crate::catalog::{Definition, Kind, Named};
use crate::query::Query;
use crate::search::Search;
use crate::session::{Scope, Session};

/// A map from ids to documents of type `T`: any type of serde's that is a struct or a map, or [`Document`](struct@crate::Document).
///
/// Taken from a [`Database`](crate::Database), each operation is a commit of its own, durable when it returns; taken
/// from a [`Transaction`](crate::Transaction) it belongs to that, taken from a [`Snapshot`](crate::Snapshot) it only
/// reads. Handles are cheap to clone and may be shared between threads.
///
/// A top-level field `_id` of a document, which `#[blaze(id)]` marks, is its id:
///
/// | a document is | the field `_id` |
/// |---|---|
/// | inserted | is the id; null or missing, the id is automatic |
/// | inserted, put or replaced under an id given apart | is null, missing, or that id; another one is an error |
/// | updated | cannot be changed |
/// | stored | is the key of the record, and not in the record once more |
/// | read | holds the id where the document was written with the field, and in every struct that has it |
/// | filtered, sorted | holds the id in every document; it has no index and needs none |
///
/// Behind `#[serde(flatten)]`, in an enum and in a map, which do not tell what fields they want, a document that was
/// written without the field is read without it.
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

    /// Asks for the documents that match a filter; see [`filter`](crate::filter).
    pub fn find(&self, filter: impl Into<Filter>) -> Query<T> {
        Query::new(self.clone(), filter.into())
    }

    /// Asks for all documents.
    pub fn find_all(&self) -> Query<T> {
        self.find(Filter::everything())
    }

    /// Asks for the documents most similar to something, by [vectors](Search::nearest) or by [words](Search::text) or both.
    pub fn search(&self) -> Search<T> {
        Search::new(self.clone())
    }

    pub(crate) fn read<R>(&self, work: impl FnOnce(&Arc<Session>, &Definition) -> Result<R>) -> Result<R> {
        self.scope.read(|session| work(session, &*self.named.definition(session)?))
    }

    pub(crate) fn write<R>(&self, mut work: impl FnMut(&Arc<Session>, &Definition) -> Result<R>) -> Result<R> {
        let written = self.scope.write(|session| work(session, &*self.named.definition(session)?));
        written.map_err(|error| self.name_duplicate(error))
    }

    /// As [`write`](Collection::write), with the version of the commit if that is part of it.
    pub(crate) fn write_stamped<R>(
        &self,
        mut work: impl FnMut(&Arc<Session>, &Definition) -> Result<R>,
    ) -> Result<(R, Option<Timestamp>)> {
        let written = self.scope.write_stamped(|session| work(session, &*self.named.definition(session)?));
        written.map_err(|error| self.name_duplicate(error))
    }

    fn existing(&self, session: &Session, definition: &Definition, id: &DocumentId) -> Result<Stored> {
        read_stored(session, definition, id)?
            .ok_or_else(|| Error::not_found(format!("collection {:?} has no document {id:?}", self.name())))
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
