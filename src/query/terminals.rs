//! Answers that need no documents: how many, whether, which ids.

use blaze_core::{DocumentId, Error, Result};
use serde::de::DeserializeOwned;

use super::Query;
use super::run::Candidates;
use crate::catalog;
use crate::collection::Found;

impl<T> Query<T> {
    /// How many documents match, skip and limit included. Reads no documents where indexes alone can tell; of all documents,
    /// it takes constant time.
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn count(&self) -> Result<u64> {
        self.validate()?;
        self.collection.read(|session, definition| {
            // The order does not change how many there are.
            let query = Query { sort: Vec::new(), ..self.clone() };
            let most = self.limit.map_or(u64::MAX, |limit| (limit as u64).saturating_add(self.skip as u64));
            let mut count = 0;
            if self.hint.is_none() && self.filter == blaze_core::Filter::everything() {
                count = catalog::count(session, definition)?.min(most);
                return Ok(count.saturating_sub(self.skip as u64));
            }
            let plan = query.plan(session, definition, false)?;
            let mut candidates = Candidates::open(session, definition, &plan, &self.filter)?;
            while count < most && candidates.next_id()?.is_some() {
                count += 1;
            }
            Ok(count.saturating_sub(self.skip as u64))
        })
    }

    /// True if the answer has a document. Reads no documents where indexes alone can tell.
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn exists(&self) -> Result<bool> {
        let query = Query { sort: Vec::new(), ..self.clone() };
        Ok(!query.limit(self.limit.unwrap_or(1).min(1)).ids()?.is_empty())
    }

    /// The ids of the answer, in its order. Reads no documents where indexes alone can tell.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, desc, field};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::on("year"))?;
    /// films.insert_with_id("solaris", &Document::new().with("year", 1972))?;
    /// films.insert_with_id("stalker", &Document::new().with("year", 1979))?;
    /// let ids = films.find(field("year").ge(1970)).sort(desc("year")).ids()?;
    /// assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), ["stalker", "solaris"]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn ids(&self) -> Result<Vec<DocumentId>> {
        self.validate()?;
        self.collection.read(|session, definition| {
            let plan = self.plan(session, definition, false)?;
            let mut records = self.records_of(session, definition, &plan)?;
            let mut ids = Vec::new();
            while let Some(id) = records.next_id()? {
                ids.push(id);
            }
            Ok(ids)
        })
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// The only document of the answer, if there is one.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when there are several; else as [`run`](Query::run).
    pub fn one(&self) -> Result<Option<Found<T>>> {
        let mut rows = self.clone().limit(self.limit.unwrap_or(2).min(2)).iter()?;
        let Some(first) = rows.next().transpose()? else { return Ok(None) };
        match rows.next().transpose()? {
            None => Ok(Some(first)),
            Some(second) => Err(Error::invalid(format!(
                "the query answers several documents, {:?} and {:?} among them, and one was asked for",
                first.id, second.id
            ))),
        }
    }
}
