//! The subcollections of a collection: those of one document, and of all.

use blaze_core::{Direction, DocumentId, Error, Family, KeyRange, Result};

use super::super::{Collection, read_stored, valid, write_document};
use super::Subcollection;
use crate::catalog::{self, Definition, Kind, prefix};
use crate::session::Session;

impl<T> Collection<T> {
    /// The documents below the one under `parent`, created if there is no such subcollection; nothing has to be under
    /// `parent`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the id or the name is empty, the name has a slash, this is a subcollection
    /// itself, or another collection has its name, which is that of this one, a slash and `name`;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when one of them is too long;
    /// [`NotFound`](crate::ErrorKind::NotFound) when this collection was dropped, and where nothing can be written, when
    /// there is no such subcollection; [`Closed`](crate::ErrorKind::Closed).
    pub fn subcollection<U>(&self, parent: impl Into<DocumentId>, name: &str) -> Result<Subcollection<U>> {
        let parent = valid(parent)?;
        if parent.parent().is_some() {
            return Err(Error::invalid(format!(
                "document {parent:?} is below another one itself: documents are nested one level deep"
            )));
        }
        Ok(Subcollection { group: self.group(name)?, parent })
    }

    /// The documents of a subcollection below all documents, as one collection, created if there is none: for queries over
    /// all of them, their indexes, their schema, their history and feed.
    ///
    /// # Errors
    /// As [`subcollection`](Collection::subcollection).
    pub fn group<U>(&self, name: &str) -> Result<Collection<U>> {
        let whole = catalog::open_below(&self.scope, self.name(), name)?;
        Collection::open(self.scope.clone(), &whole)
    }

    /// The names of the subcollections, sorted.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn subcollections(&self) -> Result<Vec<String>> {
        self.read(|session, _| {
            let names = catalog::subcollections(session, self.name())?;
            Ok(names.iter().map(|name| name[self.name().len() + 1..].to_owned()).collect())
        })
    }

    /// Removes the document under `id` and all documents below it, in one transaction; says whether there were any.
    ///
    /// # Errors
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when one transaction does not hold all of them: remove those below
    /// it in parts first. Else as [`delete`](Collection::delete).
    pub fn delete_with_children(&self, id: impl Into<DocumentId>) -> Result<bool> {
        let id = valid(id)?;
        self.write(|session, definition| {
            let mut removed = false;
            for name in catalog::subcollections(session, self.name())? {
                let below = catalog::get(session, &name, Kind::Collection)?;
                removed |= delete_below(session, &below, &id)?;
            }
            if let Some(before) = read_stored(session, definition, &id)? {
                write_document(session, definition, &id, Some(&before.document), None)?;
                removed = true;
            }
            Ok(removed)
        })
    }
}

/// Removes all documents below a parent; says whether there were any.
fn delete_below(session: &Session, definition: &Definition, parent: &DocumentId) -> Result<bool> {
    let mut ids = Vec::new();
    let mut cursor = session.cursor(Family::Data, &records_below(definition.id, parent), Direction::Forward)?;
    while let Some((key, _)) = cursor.next()? {
        ids.push(DocumentId::read_key(key.get(4..).unwrap_or_default())?);
    }
    for id in &ids {
        let Some(before) = read_stored(session, definition, id)? else { continue };
        write_document(session, definition, id, Some(&before.document), None)?;
    }
    Ok(!ids.is_empty())
}

/// Where the documents below a parent are stored.
pub(crate) fn records_below(collection: u32, parent: &DocumentId) -> KeyRange {
    let mut key = prefix(collection).to_vec();
    parent.write_key_above(&mut key);
    KeyRange::prefix(&key)
}
