//! Changing fields of documents.

use blaze_core::update::Operator;
use blaze_core::{Document, DocumentId, Error, Filter, ID_FIELD, PARENT_FIELD, Path, Result, Time, Update};

use super::{Collection, insert, read_stored, valid, write_document};
use crate::session::Session;

/// What an update of many documents did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdateReport {
    /// Documents that matched.
    pub matched: u64,
    /// Documents among them that the update made different.
    pub modified: u64,
    /// The id of the document that was inserted because none matched, if that was asked for.
    pub inserted: Option<DocumentId>,
}

impl<T> Collection<T> {
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
        check_update(&update)?;
        self.write(|session, definition| {
            let before = self.existing(session, definition, &id)?.document;
            match apply(session, &update, &id, &before)? {
                Some(after) => write_document(session, definition, &id, Some(&before), Some(&after)),
                None => Ok(()),
            }
        })
    }

    /// Changes the document under `id`, or inserts the one that `update` makes of an empty one; says whether it did that.
    ///
    /// Of several that come at once each counts, and one document comes of them.
    ///
    /// ```
    /// use blaze::{Database, Document, inc};
    ///
    /// let db = Database::temporary()?;
    /// let views = db.collection::<Document>("views")?;
    /// assert!(views.upsert("solaris", inc("count", 1))?);
    /// assert!(!views.upsert("solaris", inc("count", 1))?);
    /// assert_eq!(views.get("solaris")?.unwrap().get("count").unwrap().as_i64(), Some(2));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`update`](Collection::update), but for a document that is not there.
    pub fn upsert(&self, id: impl Into<DocumentId>, update: impl Into<Update>) -> Result<bool> {
        let (id, update) = (valid(id)?, update.into());
        check_update(&update)?;
        self.write(|session, definition| {
            let Some(before) = read_stored(session, definition, &id)? else {
                let document = made_by(session, &update, Document::new())?;
                return insert(session, definition, Some(id.clone()), &document).map(|_| true);
            };
            if let Some(after) = apply(session, &update, &id, &before.document)? {
                write_document(session, definition, &id, Some(&before.document), Some(&after))?;
            }
            Ok(false)
        })
    }

    /// Changes all documents that match, in one transaction; see [`Query::update`](crate::Query::update).
    ///
    /// ```
    /// use blaze::{Database, Document, field, inc};
    ///
    /// let db = Database::temporary()?;
    /// let numbers = db.collection::<Document>("numbers")?;
    /// numbers.insert_many((0..10).map(|n| Document::new().with("n", n)))?;
    /// let report = numbers.update_many(field("n").ge(7), inc("n", 100))?;
    /// assert_eq!((report.matched, report.modified), (3, 3));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`UpdateQuery::run`](crate::UpdateQuery::run).
    pub fn update_many(&self, filter: impl Into<Filter>, update: impl Into<Update>) -> Result<UpdateReport> {
        self.find(filter).update(update).run()
    }
}

/// Checks what can be checked without a document.
pub(crate) fn check_update(update: &Update) -> Result<()> {
    update.validate()?;
    leaves_alone(update, ID_FIELD, "the id of a document cannot be changed")
}

/// Refuses an update that changes a field.
fn leaves_alone(update: &Update, field: &str, why: &str) -> Result<()> {
    let of_field = |path: &Path| path.segments().first().is_some_and(|first| first.key() == field);
    let changes_it = |path: &Path, operator: &Operator| match operator {
        Operator::Rename(to) => of_field(path) || of_field(to),
        _ => of_field(path),
    };
    match update.changes().find(|(path, operator)| changes_it(path, operator)) {
        None => Ok(()),
        Some((path, operator)) => Err(Error::invalid(format!("{} {path}: {why}", operator.name()))),
    }
}

/// What an update makes of the document under `id`; `None` if it makes no difference.
pub(crate) fn apply(
    session: &Session,
    update: &Update,
    id: &DocumentId,
    before: &Document,
) -> Result<Option<Document>> {
    if id.parent().is_some() {
        leaves_alone(update, PARENT_FIELD, "its field _parent says where it is and cannot be changed")
            .map_err(|error| error.context(format!("document {id:?}")))?;
    }
    let mut after = before.clone();
    let changed =
        update.apply_at(&mut after, now(session)).map_err(|error| error.context(format!("document {id:?}")))?;
    Ok(changed.then_some(after))
}

/// The document that an update makes where there was none.
pub(crate) fn made_by(session: &Session, update: &Update, mut document: Document) -> Result<Document> {
    let made = update.insert_into(&mut document, now(session));
    made.map_err(|error| error.context("the document that an upsert inserts"))?;
    Ok(document)
}

/// The time that an update puts down: when a transaction is tried again, that of the last try.
fn now(session: &Session) -> Time {
    Time::from_millis(session.core().clock.now_ms())
}
