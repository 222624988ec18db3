//! Inserting documents.

use blaze_core::limits::TRANSACTION_BYTES_MAX;
use blaze_core::record;
use blaze_core::{Document, DocumentId, Error, ErrorKind, Result};
use serde::Serialize;

use super::{Bulk, Collection, insert, insert_below, to_stored, to_stored_under, valid};
use crate::catalog::Definition;
use crate::session::{Scope, Session};

/// A document and its id, unless it is to get a new one.
type Row = (Option<DocumentId>, Document);

impl<T: Serialize> Collection<T> {
    /// Inserts a document under the id in its field `_id`, else under a new one: a UUIDv7, so that ids sort by the time of
    /// their making.
    ///
    /// ```
    /// use blaze::{Database, Document};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize, blaze::Document)]
    /// struct Film {
    ///     #[blaze(id)]
    ///     #[serde(rename = "_id")]
    ///     id: String,
    ///     title: String,
    /// }
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Film>("films")?;
    /// films.insert(&Film { id: "solaris".into(), title: "Solaris".into() })?;
    /// assert_eq!(films.get("solaris")?.unwrap().id, "solaris".into());
    /// assert_eq!(films.get("solaris")?.unwrap().value.id, "solaris");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is one under the id of its field;
    /// [`Invalid`](crate::ErrorKind::Invalid) when the value is not a struct or map, or does not fit an index;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too large or too deep;
    /// [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped;
    /// [`Closed`](crate::ErrorKind::Closed); what [`Transaction::commit`](crate::Transaction::commit) returns. Nothing
    /// is written in any of these cases but `CommitOutcomeUnknown`.
    pub fn insert(&self, document: &T) -> Result<DocumentId> {
        let (id, document) = to_stored(document)?; // here, since it is the user's code
        self.write(|session, definition| insert(session, definition, id.clone(), &document))
    }

    /// Inserts a document under an id of the application's.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is one under it; else as
    /// [`insert`](Collection::insert).
    pub fn insert_with_id(&self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let id = valid(id)?;
        let document = to_stored_under(&id, document)?;
        self.write(|session, definition| insert(session, definition, Some(id.clone()), &document).map(drop))
    }

    /// Inserts documents in one transaction, all of them or none, each as [`insert`](Collection::insert) does, and returns
    /// their ids.
    ///
    /// Documents are taken from the iterator one by one and written as they come; in a transaction, which others may write
    /// to meanwhile, they are gathered first. For more of them than one transaction holds, see [`bulk`](Collection::bulk).
    ///
    /// ```
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::temporary()?;
    /// let numbers = db.collection::<Document>("numbers")?;
    /// let ids = numbers.insert_many((0..100).map(|n| Document::new().with("n", n)))?;
    /// assert_eq!(ids.len(), 100);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`insert`](Collection::insert); [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when one transaction does not
    /// hold all of them, with the number of those that fit. None of them is inserted then.
    pub fn insert_many(&self, documents: impl IntoIterator<Item = T>) -> Result<Vec<DocumentId>> {
        self.insert_rows(None, documents.into_iter().map(|document| to_stored(&document)))
    }

    /// As [`insert_many`](Collection::insert_many), under the application's ids; returns how many there were.
    ///
    /// # Errors
    /// As [`insert_with_id`](Collection::insert_with_id) and [`insert_many`](Collection::insert_many).
    pub fn insert_many_with_ids(&self, documents: impl IntoIterator<Item = (impl Into<DocumentId>, T)>) -> Result<u64> {
        let ids = self.insert_rows(
            None,
            documents.into_iter().map(|(id, document)| {
                let id = valid(id)?;
                let document = to_stored_under(&id, &document)?;
                Ok((Some(id), document))
            }),
        )?;
        Ok(ids.len() as u64)
    }

    /// Inserts documents, below a parent if there is one.
    pub(super) fn insert_rows(
        &self,
        parent: Option<&DocumentId>,
        rows: impl Iterator<Item = Result<Row>>,
    ) -> Result<Vec<DocumentId>> {
        let mut rows = rows.fuse();
        let mut taken: Vec<Row> = match &self.scope {
            // The iterator is the user's code, which may write to the same transaction: not amid an operation of ours.
            Scope::Session(_) if !self.scope.is_read_only() => {
                self.read(|session, definition| gather(session, definition, &mut rows))?
            }
            _ => Vec::new(),
        };
        self.write(|session, definition| {
            let mut ids = Vec::with_capacity(taken.len());
            let add = |ids: &mut Vec<DocumentId>, (id, document): &Row| {
                let inserted = insert_below(session, definition, parent, id.clone(), document);
                ids.push(inserted.map_err(|error| match error.kind() {
                    ErrorKind::LimitExceeded if session.is_full() => too_many(ids.len()),
                    _ => error,
                })?);
                Ok(())
            };
            taken.iter().try_for_each(|row| add(&mut ids, row))?;
            for row in rows.by_ref() {
                taken.push(row?); // a conflict has them all written again
                taken.last().map_or(Ok(()), |row| add(&mut ids, row))?;
            }
            Ok(ids)
        })
    }

    /// Loads many documents in batches.
    pub fn bulk<'a>(&self) -> Bulk<'a, T> {
        Bulk::new(self.clone())
    }
}

/// All rows, unless their records alone are more than a transaction holds.
fn gather(
    session: &Session,
    definition: &Definition,
    rows: &mut impl Iterator<Item = Result<Row>>,
) -> Result<Vec<Row>> {
    let (mut gathered, mut bytes, mut record) = (Vec::new(), 0, Vec::new());
    for row in rows {
        let (id, document) = row?;
        let dictionary = session.core().catalog.dictionaries.learn(session.core(), definition.id, &document)?;
        record.clear();
        record::encode(&document, &dictionary, &mut record)?;
        bytes += record.len();
        if bytes > TRANSACTION_BYTES_MAX {
            return Err(too_many(gathered.len()));
        }
        gathered.push((id, document));
    }
    Ok(gathered)
}

fn too_many(fitting: usize) -> Error {
    Error::limit_exceeded(format!(
        "{fitting} of the documents fit into one transaction of {TRANSACTION_BYTES_MAX} bytes, and there are more: insert \
         them in batches with bulk()"
    ))
}
