//! Replacing and removing whole documents.

use blaze_core::{DocumentId, Filter, Result};
use serde::Serialize;

use super::{Collection, Found, read_stored, to_stored_under, valid, write_document};

impl<T> Collection<T> {
    /// Removes the document under `id`; says whether there was one.
    ///
    /// # Errors
    /// As [`insert`](Collection::insert).
    pub fn delete(&self, id: impl Into<DocumentId>) -> Result<bool> {
        let id = valid(id)?;
        self.write(|session, definition| {
            let Some(before) = read_stored(session, definition, &id)? else { return Ok(false) };
            write_document(session, definition, &id, Some(&before.document), None)?;
            Ok(true)
        })
    }

    /// Removes all documents that match, in one transaction, and returns how many there were; see
    /// [`Query::delete`](crate::Query::delete).
    ///
    /// # Errors
    /// As [`UpdateQuery::run`](crate::UpdateQuery::run).
    pub fn delete_many(&self, filter: impl Into<Filter>) -> Result<u64> {
        self.find(filter).delete().run()
    }
}

impl<T: Serialize> Collection<T> {
    /// Sets the document under `id`, whether there is one or not.
    ///
    /// # Errors
    /// As [`insert`](Collection::insert).
    pub fn put(&self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let id = valid(id)?;
        let after = to_stored_under(&id, document)?;
        self.write(|session, definition| {
            let before = read_stored(session, definition, &id)?.map(|stored| stored.document);
            definition.migration.note_whole(session, definition.id, &id)?;
            write_document(session, definition, &id, before.as_ref(), Some(&after))
        })
    }

    /// Replaces the document under `id`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; else as [`insert`](Collection::insert).
    pub fn replace(&self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let id = valid(id)?;
        let after = to_stored_under(&id, document)?;
        self.write(|session, definition| {
            let before = self.existing(session, definition, &id)?.document;
            definition.migration.note_whole(session, definition.id, &id)?;
            write_document(session, definition, &id, Some(&before), Some(&after))
        })
    }

    /// Replaces a document that was read and then changed, if it is still the version that was read.
    ///
    /// ```
    /// use blaze::{Database, Document, ErrorKind, inc};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert_with_id("solaris", &Document::new().with("views", 1))?;
    /// let mut found = films.get("solaris")?.unwrap();
    /// found.value.insert("title", "Solaris");
    /// films.update("solaris", inc("views", 1))?;
    /// assert_eq!(films.save(&found).unwrap_err().kind(), ErrorKind::VersionMismatch);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`IfVersion::replace`](crate::IfVersion::replace).
    pub fn save(&self, found: &Found<T>) -> Result<()> {
        self.if_version(found.version).replace(&found.id, &found.value)
    }
}
