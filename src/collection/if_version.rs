//! Writing only what has not changed since it was read.

use blaze_core::{Document, DocumentId, Error, ErrorKind, Result, Timestamp, Update};
use serde::Serialize;

use super::{Collection, apply, check_update, read_stored, to_stored_under, valid, write_document};
use crate::catalog::Definition;
use crate::session::Session;

/// A collection in which a document is changed only if it is still of one version; see [`Collection::if_version`].
#[derive(Debug)]
#[must_use = "nothing is written before update, replace or delete"]
pub struct IfVersion<T> {
    collection: Collection<T>,
    version: Timestamp,
}

impl<T> Collection<T> {
    /// Has the next write go through only if the document is still of the [`version`](crate::Found::version) that was read.
    ///
    /// For a decision made outside of a transaction, by somebody at a screen for example. A mismatch is no
    /// [`Conflict`](crate::ErrorKind::Conflict), and [`Database::transaction`](crate::Database::transaction) does not run
    /// again because of it: only reading again can help. What a transaction has written itself is of version
    /// [`Timestamp::ZERO`] until it commits.
    ///
    /// ```
    /// use blaze::{Database, Document, ErrorKind, set};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert_with_id("solaris", &Document::new().with("year", 1971))?;
    /// let seen = films.get("solaris")?.unwrap();
    /// films.if_version(seen.version).update("solaris", set("year", 1972))?;
    /// let error = films.if_version(seen.version).delete("solaris").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::VersionMismatch);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn if_version(&self, version: Timestamp) -> IfVersion<T> {
        IfVersion { collection: self.clone(), version }
    }
}

impl<T> IfVersion<T> {
    /// As [`Collection::update`].
    ///
    /// # Errors
    /// [`VersionMismatch`](crate::ErrorKind::VersionMismatch) when the document is of another version, or gone; else as
    /// [`Collection::update`].
    pub fn update(&self, id: impl Into<DocumentId>, update: impl Into<Update>) -> Result<()> {
        let (id, update) = (valid(id)?, update.into());
        check_update(&update)?;
        self.collection.write(|session, definition| {
            let before = self.expected(session, definition, &id)?;
            match apply(session, &update, &id, &before)? {
                Some(after) => write_document(session, definition, &id, Some(&before), Some(&after)),
                None => Ok(()),
            }
        })
    }

    /// As [`Collection::delete`], but that a document which is not there is an error.
    ///
    /// # Errors
    /// [`VersionMismatch`](crate::ErrorKind::VersionMismatch) when the document is of another version, or gone; else as
    /// [`Collection::delete`].
    pub fn delete(&self, id: impl Into<DocumentId>) -> Result<()> {
        let id = valid(id)?;
        self.collection.write(|session, definition| {
            let before = self.expected(session, definition, &id)?;
            write_document(session, definition, &id, Some(&before), None)
        })
    }

    fn expected(&self, session: &Session, definition: &Definition, id: &DocumentId) -> Result<Document> {
        let mismatch = |found: String| {
            let (name, version) = (self.collection.name(), self.version);
            let message = format!("document {id:?} of the collection {name:?} {found}, not of version {version}");
            Error::new(ErrorKind::VersionMismatch, format!("{message}: read it again"))
        };
        match read_stored(session, definition, id)? {
            Some(stored) if stored.version == self.version => Ok(stored.document),
            Some(stored) => Err(mismatch(format!("is of version {}", stored.version))),
            None => Err(mismatch("is gone".to_owned())),
        }
    }
}

impl<T: Serialize> IfVersion<T> {
    /// As [`Collection::replace`].
    ///
    /// # Errors
    /// [`VersionMismatch`](crate::ErrorKind::VersionMismatch) when the document is of another version, or gone; else as
    /// [`Collection::replace`].
    pub fn replace(&self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let id = valid(id)?;
        let after = to_stored_under(&id, document)?;
        self.collection.write(|session, definition| {
            let before = self.expected(session, definition, &id)?;
            definition.migration.note_whole(session, definition.id, &id)?;
            write_document(session, definition, &id, Some(&before), Some(&after))
        })
    }
}
