//! Changing and removing what a query finds.

use std::sync::Arc;

use blaze_core::limits::TRANSACTION_BYTES_MAX;
use blaze_core::{Document, DocumentId, Error, ID_FIELD, PARENT_FIELD, Predicate, Result, Update};

use super::Query;
use crate::catalog::Definition;
use crate::collection::{UpdateReport, apply, check_update, insert_below, made_by, read_stored, write_document};
use crate::session::Session;

/// Bytes that a transaction holds at least for each document that it changes, beside the id.
const CHANGE_BYTES_MIN: usize = 64;

/// An update of the documents that a query finds; see [`Query::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is changed before run"]
pub struct UpdateQuery<T> {
    query: Query<T>,
    update: Update,
    upsert: bool,
}

/// A removal of the documents that a query finds; see [`Query::delete`].
#[derive(Clone, Debug)]
#[must_use = "nothing is removed before run"]
pub struct DeleteQuery<T> {
    query: Query<T>,
}

impl<T> Query<T> {
    /// Changes the documents of the answer, all in one transaction or none.
    ///
    /// Which they are is settled before the first is changed: none is met twice because it has moved in an index. Sort, skip
    /// and limit choose among those that match.
    ///
    /// ```
    /// use blaze::{Database, Document, asc, field, set};
    ///
    /// let db = Database::temporary()?;
    /// let jobs = db.collection::<Document>("jobs")?;
    /// jobs.insert_many((0..10).map(|n| Document::new().with("n", n).with("state", "new")))?;
    /// let oldest = jobs.find(field("state").eq("new")).sort(asc("n")).limit(3);
    /// assert_eq!(oldest.update(set("state", "taken")).run()?.modified, 3);
    /// assert_eq!(jobs.find(field("state").eq("taken").and(field("n").lt(3))).count()?, 3);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn update(self, update: impl Into<Update>) -> UpdateQuery<T> {
        UpdateQuery { query: self, update: update.into(), upsert: false }
    }

    /// As [`update`](Query::update) with [`upsert`](UpdateQuery::upsert).
    pub fn upsert(self, update: impl Into<Update>) -> UpdateQuery<T> {
        self.update(update).upsert()
    }

    /// Removes the documents of the answer, all in one transaction or none.
    ///
    /// ```
    /// use blaze::{Database, Document, desc};
    ///
    /// let db = Database::temporary()?;
    /// let log = db.collection::<Document>("log")?;
    /// log.insert_many((0..10).map(|n| Document::new().with("n", n)))?;
    /// assert_eq!(log.find_all().sort(desc("n")).skip(7).delete().run()?, 3); // keeps the last seven
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn delete(self) -> DeleteQuery<T> {
        DeleteQuery { query: self }
    }

    /// The ids of the answer.
    pub(super) fn ids_to_change(&self, session: &Arc<Session>, definition: &Definition) -> Result<Vec<DocumentId>> {
        let plan = self.plan(session, definition, false)?;
        let mut records = self.records_of(session, definition, &plan)?;
        let (mut ids, mut bytes) = (Vec::new(), 0);
        while let Some(id) = records.next_id()? {
            let mut key = Vec::new();
            id.write_key(&mut key);
            bytes += key.len() + CHANGE_BYTES_MIN;
            if bytes > TRANSACTION_BYTES_MAX {
                let count = ids.len();
                return Err(Error::limit_exceeded(format!(
                    "more than {count} documents match, which is all that one transaction of {TRANSACTION_BYTES_MAX} bytes \
                     holds: set a limit, and change them in parts"
                )));
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// The document that an upsert begins with, and its id if the filter says one: what the filter asks fields to be equal to.
    pub(super) fn equalities(&self) -> Result<(Option<DocumentId>, Document)> {
        let (mut id, mut fields) = (None, Vec::new());
        for (path, predicate) in self.filter.conjuncts() {
            let Predicate::Eq(value) = predicate else { continue };
            if self.parent.is_some() && matches!(path.segments(), [only] if only.key() == PARENT_FIELD) {
                continue;
            }
            let is_id = path.segments().first().is_some_and(|first| first.key() == ID_FIELD);
            match is_id && path.segments().len() == 1 {
                true => {
                    let said = DocumentId::try_from(value.clone())?;
                    if id.as_ref().is_some_and(|id| *id != said) {
                        let filter = &self.filter;
                        return Err(Error::invalid(format!("no document can be made of {filter}: it has two ids")));
                    }
                    id = Some(said);
                }
                false if !fields.contains(&(path, value)) => fields.push((path, value)),
                false => {}
            }
        }
        let update =
            fields.into_iter().fold(Update::default(), |update, (path, value)| update.set(path, value.clone()));
        let mut document = Document::new();
        let made = check_update(&update).and_then(|()| update.apply(&mut document)).map(|_| document);
        Ok((id, made.map_err(|error| error.context(format!("no document can be made of {}", self.filter)))?))
    }

    /// Inserts what an upsert makes where nothing matched.
    pub(super) fn insert_made(
        &self,
        session: &Session,
        definition: &Definition,
        update: &Update,
    ) -> Result<(DocumentId, Document)> {
        let (id, fields) = self.equalities()?;
        let document = made_by(session, update, fields)?;
        let id = insert_below(session, definition, self.parent.as_ref(), id, &document)?;
        Ok((id, document))
    }
}

impl<T> UpdateQuery<T> {
    /// Where no document is in the answer, inserts one: what the filter asks fields to be equal to, changed by the update.
    ///
    /// Its id is what the filter says of `_id`, else a new one. Of several that come at once each counts, and one document
    /// comes of them; under [snapshot isolation](crate::Isolation::Snapshot) only where the filter says the id.
    ///
    /// ```
    /// use blaze::{Database, Document, field, inc};
    ///
    /// let db = Database::temporary()?;
    /// let views = db.collection::<Document>("views")?;
    /// for _ in 0..3 {
    ///     views.find(field("page").eq("/").and(field("day").eq(17))).upsert(inc("count", 1)).run()?;
    /// }
    /// let view = views.find_all().first()?.unwrap().into_value();
    /// assert_eq!(view, Document::new().with("page", "/").with("day", 17).with("count", 3));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn upsert(mut self) -> UpdateQuery<T> {
        self.upsert = true;
        self
    }

    /// Makes the change, and says how many documents it met.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when filter, sort or update are not well-formed, when the update does not fit
    /// a document, which is named, or when the filter asks a field to be equal to two values and a document is to be made of
    /// it; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when one transaction does not hold all changes; else as
    /// [`Collection::insert`](crate::Collection::insert). Nothing is changed in any of these cases but
    /// `CommitOutcomeUnknown`.
    pub fn run(self) -> Result<UpdateReport> {
        let UpdateQuery { query, update, upsert } = &self;
        query.validate()?;
        check_update(update)?;
        if *upsert {
            query.equalities()?; // refused whether or not it comes to that
        }
        query.collection.write(|session, definition| {
            let ids = query.ids_to_change(session, definition)?;
            let mut report = UpdateReport { matched: ids.len() as u64, ..UpdateReport::default() };
            if ids.is_empty() && *upsert {
                report.inserted = Some(query.insert_made(session, definition, update)?.0);
            }
            for id in ids {
                let Some(before) = read_stored(session, definition, &id)? else { continue };
                if let Some(after) = apply(session, update, &id, &before.document)? {
                    write_document(session, definition, &id, Some(&before.document), Some(&after))?;
                    report.modified += 1;
                }
            }
            Ok(report)
        })
    }
}

impl<T> DeleteQuery<T> {
    /// Removes the documents, and returns how many there were.
    ///
    /// # Errors
    /// As [`UpdateQuery::run`].
    pub fn run(self) -> Result<u64> {
        let query = &self.query;
        query.validate()?;
        query.collection.write(|session, definition| {
            let mut removed = 0;
            for id in query.ids_to_change(session, definition)? {
                let Some(before) = read_stored(session, definition, &id)? else { continue };
                write_document(session, definition, &id, Some(&before.document), None)?;
                removed += 1;
            }
            Ok(removed)
        })
    }
}
