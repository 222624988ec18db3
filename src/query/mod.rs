//! Queries: filter, sort, skip, limit.

mod bounds;
mod explain;
mod implication;
mod plan;
mod rows;
mod sort;

use std::sync::Arc;

use blaze_core::{Filter, Result};
use serde::de::DeserializeOwned;

pub use explain::Explain;
pub(crate) use explain::{Counters, describe};
pub(crate) use plan::{Plan, plan};
pub(crate) use rows::Candidates;
pub use rows::Rows;
pub use sort::{Sort, SortKeys, asc, desc};

use crate::catalog::Definition;
use crate::collection::{Collection, Found};
use crate::session::Session;

/// A question to a collection: which documents, in which order, how many.
///
/// Nothing happens before [`run`](Query::run), [`iter`](Query::iter), [`first`](Query::first), [`count`](Query::count)
/// or [`explain`](Query::explain); each of them answers from one moment, in a transaction as it stands. An index that fits
/// is used by itself.
///
/// ```
/// use blaze::{Database, Document, Index, desc, field};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.ensure_index(Index::on("year"))?;
/// for (title, year) in [("Solaris", 1972), ("Stalker", 1979), ("Alien", 1979)] {
///     films.insert(&Document::new().with("title", title).with("year", year))?;
/// }
/// let query = films.find(field("year").ge(1975)).sort(desc("title")).limit(1);
/// assert_eq!(query.run()?[0].get("title").unwrap().as_str(), Some("Stalker"));
/// assert_eq!(query.explain()?.index(), Some("year"));
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct Query<T> {
    collection: Collection<T>,
    filter: Filter,
    sort: Vec<Sort>,
    skip: usize,
    limit: Option<usize>,
}

impl<T> Query<T> {
    pub(crate) fn new(collection: Collection<T>, filter: Filter) -> Query<T> {
        Query { collection, filter, sort: Vec::new(), skip: 0, limit: None }
    }

    /// The order: one key, or several of which the first counts most. Documents that are equal in all of them are
    /// ordered by id, in the direction of the last key.
    ///
    /// A missing field sorts before null. Where a path reaches several values, the smallest counts in an ascending sort,
    /// the largest in a descending one. Without a sort, the order is that of the plan.
    pub fn sort(mut self, keys: impl Into<SortKeys>) -> Query<T> {
        self.sort = keys.into().0;
        self
    }

    /// Leaves out so many documents at the beginning.
    pub fn skip(mut self, documents: usize) -> Query<T> {
        self.skip = documents;
        self
    }

    /// Answers at most so many documents.
    pub fn limit(mut self, documents: usize) -> Query<T> {
        self.limit = Some(documents);
        self
    }

    /// How many documents match, skip and limit included. Reads no documents where the index alone can tell.
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn count(&self) -> Result<u64> {
        self.validate()?;
        self.collection.read(|session, definition| {
            let plan = plan(session, definition, &self.filter, &[])?;
            let mut candidates = Candidates::open(session, definition.id, plan, self.filter.clone())?;
            let most = self.limit.map_or(u64::MAX, |limit| (limit as u64).saturating_add(self.skip as u64));
            let mut count = 0;
            while count < most && candidates.next_id()?.is_some() {
                count += 1;
            }
            Ok(count.saturating_sub(self.skip as u64))
        })
    }

    /// Runs the query and says how it was answered and what that took.
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn explain(&self) -> Result<Explain> {
        let mut rows = self.open()?;
        while rows.next_record()?.is_some() {}
        Ok(rows.explain(&self.filter, &self.sort, self.skip, self.limit))
    }

    fn validate(&self) -> Result<()> {
        self.filter.validate()?;
        for key in &self.sort {
            key.validate()?;
        }
        Ok(())
    }

    fn open(&self) -> Result<Rows<T>> {
        self.validate()?;
        self.collection.read(|session, definition| self.open_at(session, definition))
    }

    fn open_at(&self, session: &Arc<Session>, definition: &Definition) -> Result<Rows<T>> {
        let plan = plan(session, definition, &self.filter, &self.sort)?;
        let sorted = self.sort.is_empty() || plan.is_sorted();
        let candidates = Candidates::open(session, definition.id, plan, self.filter.clone())?;
        match sorted {
            true => Ok(Rows::streamed(candidates, self.skip, self.limit)),
            false => Rows::sorted(candidates, &self.sort, self.skip, self.limit),
        }
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// All documents of the answer.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the filter or the sort is not well-formed, or when a document is
    /// not of type `T`; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when a sort without a fitting index and
    /// without a limit outgrows its memory; [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped;
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Closed`](crate::ErrorKind::Closed).
    pub fn run(&self) -> Result<Vec<Found<T>>> {
        self.open()?.collect()
    }

    /// The documents of the answer, one after another; see [`Rows`].
    ///
    /// # Errors
    /// As [`run`](Query::run), here or in an item.
    pub fn iter(&self) -> Result<Rows<T>> {
        self.open()
    }

    /// The first document of the answer, if there is one.
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn first(&self) -> Result<Option<Found<T>>> {
        let limit = self.limit.map_or(1, |limit| limit.min(1));
        Query { collection: self.collection.clone(), filter: self.filter.clone(), sort: self.sort.clone(), ..*self }
            .limit(limit)
            .open()?
            .next()
            .transpose()
    }
}
