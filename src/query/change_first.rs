//! Changing the first document that a query finds, and returning it.

use std::fmt;
use std::sync::Arc;

use blaze_core::{Document, DocumentId, Error, Result, Timestamp, Update};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Query;
use crate::catalog::Definition;
use crate::collection::{
    Found, apply, check_update, insert_below, place_under, read_stored, to_stored, write_document,
};
use crate::session::Session;

/// A change to the first document of an answer, which it returns: find and update, replace or delete in one step.
///
/// Made by [`Query::update_first`], [`Query::replace_first`] and [`Query::delete_first`]. Finding and changing are one
/// transaction: of two that ask at once, the second sees what the first has made of the document.
///
/// ```
/// use blaze::{Database, Document, asc, field, set};
///
/// let db = Database::temporary()?;
/// let jobs = db.collection::<Document>("jobs")?;
/// jobs.insert_many((0..3).map(|n| Document::new().with("n", n).with("state", "new")))?;
/// let next = jobs.find(field("state").eq("new")).sort(asc("n"));
/// let job = next.clone().update_first(set("state", "taken")).return_after().run()?.unwrap();
/// assert_eq!(job.value, Document::new().with("n", 0).with("state", "taken"));
/// assert_eq!(next.delete_first().run()?.unwrap().get("n").unwrap().as_i64(), Some(1));
/// # Ok::<(), blaze::Error>(())
/// ```
#[must_use = "nothing is changed before run"]
pub struct ChangeFirst<T> {
    query: Query<T>,
    change: Change,
    upsert: bool,
    return_after: bool,
}

enum Change {
    Update(Update),
    /// The replacement and the id that it says it has.
    Replace(Option<DocumentId>, Document),
    Delete,
}

/// What a change has done.
struct Changed {
    id: DocumentId,
    before: Option<(Timestamp, Document)>,
    after: After,
}

/// What became of a document.
enum After {
    Written(Document),
    /// The change made no difference.
    Same,
    Removed,
}

impl<T> Query<T> {
    /// Changes the first document of the answer and returns it as it was before, or [after](ChangeFirst::return_after).
    pub fn update_first(self, update: impl Into<Update>) -> ChangeFirst<T> {
        ChangeFirst::new(self, Change::Update(update.into()))
    }

    /// Removes the first document of the answer and returns it.
    pub fn delete_first(self) -> ChangeFirst<T> {
        ChangeFirst::new(self, Change::Delete)
    }
}

impl<T: Serialize> Query<T> {
    /// Replaces the first document of the answer and returns it as it was before, or [after](ChangeFirst::return_after).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the value is not a struct or map.
    pub fn replace_first(self, document: &T) -> Result<ChangeFirst<T>> {
        let (id, document) = to_stored(document)?;
        Ok(ChangeFirst::new(self, Change::Replace(id, document)))
    }
}

impl<T> ChangeFirst<T> {
    fn new(query: Query<T>, change: Change) -> ChangeFirst<T> {
        let most = query.limit.map_or(1, |limit| limit.min(1));
        ChangeFirst { query: query.limit(most), change, upsert: false, return_after: false }
    }

    /// Where the answer is empty, inserts a document: as [`UpdateQuery::upsert`](crate::UpdateQuery::upsert), or the
    /// replacement.
    pub fn upsert(mut self) -> ChangeFirst<T> {
        self.upsert = true;
        self
    }

    /// Returns the document as it is after the change.
    pub fn return_after(mut self) -> ChangeFirst<T> {
        self.return_after = true;
        self
    }

    fn validate(&self) -> Result<()> {
        self.query.validate()?;
        match &self.change {
            Change::Delete if self.upsert => return Err(Error::invalid("delete_first() has nothing to upsert")),
            Change::Delete if self.return_after => {
                return Err(Error::invalid("delete_first() leaves nothing to return after it"));
            }
            Change::Update(update) => check_update(update)?,
            Change::Replace(..) | Change::Delete => {}
        }
        if self.upsert { self.query.equalities().map(drop) } else { Ok(()) }
    }

    /// Finds the document and changes it.
    fn change(&self, session: &Arc<Session>, definition: &Definition) -> Result<Option<Changed>> {
        let Some(id) = self.query.ids_to_change(session, definition)?.pop() else {
            return if self.upsert { self.insert(session, definition) } else { Ok(None) };
        };
        let Some(stored) = read_stored(session, definition, &id)? else { return Ok(None) };
        let before = stored.document;
        let after = match &self.change {
            Change::Update(update) => apply(session, update, &id, &before)?.map_or(After::Same, After::Written),
            Change::Replace(own, document) => {
                let mut document = document.clone();
                place_under(own.as_ref(), &id, &mut document)?;
                definition.migration.note_whole(session, definition.id, &id)?;
                After::Written(document)
            }
            Change::Delete => After::Removed,
        };
        match &after {
            After::Written(after) => write_document(session, definition, &id, Some(&before), Some(after))?,
            After::Removed => write_document(session, definition, &id, Some(&before), None)?,
            After::Same => {}
        }
        Ok(Some(Changed { id, before: Some((stored.version, before)), after }))
    }

    fn insert(&self, session: &Session, definition: &Definition) -> Result<Option<Changed>> {
        let (id, document) = match &self.change {
            Change::Update(update) => self.query.insert_made(session, definition, update)?,
            Change::Replace(own, document) => {
                let (asked, parent) = (self.query.equalities()?.0, self.query.parent.as_ref());
                let mut document = document.clone();
                if let Some(asked) = &asked {
                    place_under(own.as_ref(), asked, &mut document)?;
                }
                if let Some(parent) = parent {
                    place_under(None, &DocumentId::child(parent, 0), &mut document)?;
                }
                let id = insert_below(session, definition, parent, asked.or_else(|| own.clone()), &document)?;
                (id, document)
            }
            Change::Delete => return Ok(None),
        };
        Ok(Some(Changed { id, before: None, after: After::Written(document) }))
    }
}

impl<T: DeserializeOwned> ChangeFirst<T> {
    /// Makes the change. Nothing is returned where no document was found, nor what an upsert has inserted unless
    /// [`return_after`](ChangeFirst::return_after) asks for it.
    ///
    /// # Errors
    /// As [`UpdateQuery::run`](crate::UpdateQuery::run); [`Invalid`](crate::ErrorKind::Invalid) also when the document is not
    /// of type `T`, or when a removal was asked to upsert or to return what is after it. Nothing is changed then.
    pub fn run(self) -> Result<Option<Found<T>>> {
        self.validate()?;
        let (found, committed) = self.query.collection.write_stamped(|session, definition| {
            let Some(Changed { id, before, after }) = self.change(session, definition)? else { return Ok(None) };
            let (version, document, is_new) = match (self.return_after, after, before) {
                (true, After::Written(document), _) => (Timestamp::ZERO, document, true),
                (_, _, Some((version, document))) => (version, document, false),
                (_, _, None) => return Ok(None),
            };
            Ok(Some((Found::of(id, version, document)?, is_new)))
        })?;
        Ok(found.map(|(found, is_new)| match committed.filter(|_| is_new) {
            Some(version) => Found { version, ..found },
            None => found,
        }))
    }
}

impl<T> fmt::Debug for ChangeFirst<T> {
    /// Without the change: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ChangeFirst");
        debug.field("collection", &self.query.collection).field("upsert", &self.upsert);
        debug.field("return_after", &self.return_after).finish_non_exhaustive()
    }
}
