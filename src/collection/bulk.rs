//! Loading many documents.

use blaze_core::limits::TRANSACTION_BYTES_MAX;
use blaze_core::{Document, DocumentId, Durability, Isolation, Result};
use serde::Serialize;

use super::{Collection, insert, to_stored, to_stored_under};
use crate::session::{Scope, commit_alone};

/// Loads many documents in batches that are each one commit, and makes all of them durable at the end.
///
/// ```
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let numbers = db.collection::<Document>("numbers")?;
/// let documents = (0..5_000).map(|n| Document::new().with("n", n));
/// let loaded = numbers.bulk().progress(|done| assert!(done <= 5_000)).insert(documents)?;
/// assert_eq!(loaded, 5_000);
/// # Ok::<(), blaze::Error>(())
/// ```
#[must_use = "nothing is loaded before insert"]
pub struct Bulk<'a, T> {
    collection: Collection<T>,
    batch_rows: usize,
    progress: Box<dyn FnMut(u64) + 'a>,
}

impl<'a, T> Bulk<'a, T> {
    pub(super) fn new(collection: Collection<T>) -> Bulk<'a, T> {
        Bulk { collection, batch_rows: 1_000, progress: Box::new(|_| {}) }
    }

    /// Documents in one commit, at least 1; 1,000 by default.
    pub fn batch_rows(mut self, rows: usize) -> Bulk<'a, T> {
        self.batch_rows = rows.max(1);
        self
    }

    /// Called after each commit with the number of documents loaded so far.
    pub fn progress(mut self, progress: impl FnMut(u64) + 'a) -> Bulk<'a, T> {
        self.progress = Box::new(progress);
        self
    }
}

impl<T: Serialize> Bulk<'_, T> {
    /// Inserts documents under the ids in their fields `_id`, else under automatic ones, and returns how many.
    ///
    /// # Errors
    /// As [`Collection::insert`]. What was loaded in earlier batches stays; nothing of the failing one does.
    pub fn insert(self, documents: impl IntoIterator<Item = T>) -> Result<u64> {
        self.load(documents.into_iter().map(|document| to_stored(&document)))
    }

    /// Inserts documents under the application's ids, and returns how many.
    ///
    /// # Errors
    /// As [`Collection::insert_with_id`]. What was loaded in earlier batches stays; nothing of the failing one does.
    pub fn insert_with_ids(self, documents: impl IntoIterator<Item = (impl Into<DocumentId>, T)>) -> Result<u64> {
        self.load(documents.into_iter().map(|(id, document)| {
            let id = id.into();
            let document = to_stored_under(&id, &document)?;
            Ok((Some(id), document))
        }))
    }

    fn load(mut self, documents: impl Iterator<Item = Result<(Option<DocumentId>, Document)>>) -> Result<u64> {
        let mut documents = documents.peekable();
        let mut done = 0;
        while documents.peek().is_some() {
            let batch = documents.by_ref().take(self.batch_rows).collect::<Result<Vec<_>>>();
            let committed = batch.and_then(|batch| self.commit(&batch).map(|()| batch.len()));
            match committed {
                Ok(documents) => done += documents as u64,
                Err(error) => {
                    // What stays is to be as durable as what was asked for; the first error is the one to be told.
                    let _ = self.sync();
                    return Err(error.context(format!("after {done} documents")));
                }
            }
            (self.progress)(done);
        }
        self.sync()?;
        Ok(done)
    }

    /// Makes up for the weaker durability of the batches.
    fn sync(&self) -> Result<()> {
        match &self.collection.scope {
            Scope::Database(core) if core.durability == Durability::Sync => core.store.sync(),
            _ => Ok(()),
        }
    }

    fn commit(&self, batch: &[(Option<DocumentId>, Document)]) -> Result<()> {
        let Collection { scope, named, .. } = &self.collection;
        let insert_all = |session: &crate::session::Session| {
            let definition = named.definition(session)?;
            for (id, document) in batch {
                insert(session, &definition, id.clone(), document)?;
            }
            Ok(())
        };
        let committed = match scope {
            Scope::Database(core) => {
                commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| insert_all(session))
            }
            Scope::Session(session) => session.atomically(|| insert_all(session)),
        };
        committed.map_err(|error| match error.kind() {
            blaze_core::ErrorKind::LimitExceeded if batch.len() > 1 => {
                let rows = batch.len();
                error.context(format!("a batch of {rows} documents, of at most {TRANSACTION_BYTES_MAX} bytes in all"))
            }
            _ => self.collection.name_duplicate(error),
        })
    }
}

impl<T> std::fmt::Debug for Bulk<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bulk").field("batch_rows", &self.batch_rows).finish_non_exhaustive()
    }
}
