//! Queries: filter, sort, skip, limit.

mod change;
mod change_first;
mod distinct;
mod explain;
mod ids;
mod implication;
mod page;
mod plan;
mod run;
mod sample;
mod select;
mod sort;
mod terminals;

use std::sync::Arc;

use blaze_core::{DocumentId, Filter, Result};
use serde::de::DeserializeOwned;

pub use change::{DeleteQuery, UpdateQuery};
pub use change_first::ChangeFirst;
pub(crate) use explain::{Counters, describe};
pub use explain::{Explain, ExplainNode};
pub(crate) use implication::implies;
pub use page::{Page, PageToken};
pub(crate) use plan::{Access, Plan, Question, plan, read_by};
pub use plan::{Considered, Hint};
pub(crate) use run::Candidates;
pub use run::{RawRows, Rows};
pub(crate) use select::Selection;
pub use select::{PartialRow, PartialRows, Select};
pub use sort::{Sort, SortKeys, asc, desc};

use crate::catalog::Definition;
use crate::collection::{Collection, Found};
use crate::session::Session;
use explain::Asked;
use run::{Ordering, Records};

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
#[derive(Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct Query<T> {
    collection: Collection<T>,
    filter: Filter,
    sort: Vec<Sort>,
    skip: usize,
    limit: Option<usize>,
    hint: Option<Hint>,
    /// The parent of what it may insert.
    parent: Option<DocumentId>,
}

impl<T> Clone for Query<T> {
    fn clone(&self) -> Query<T> {
        let Query { collection, filter, sort, skip, limit, hint, parent } = self;
        let (collection, filter, sort) = (collection.clone(), filter.clone(), sort.clone());
        Query { collection, filter, sort, skip: *skip, limit: *limit, hint: hint.clone(), parent: parent.clone() }
    }
}

impl<T> Query<T> {
    pub(crate) fn new(collection: Collection<T>, filter: Filter) -> Query<T> {
        Query { collection, filter, sort: Vec::new(), skip: 0, limit: None, hint: None, parent: None }
    }

    /// Has documents that it inserts stand below a parent, which the filter asks for.
    pub(crate) fn below(self, parent: DocumentId) -> Query<T> {
        Query { parent: Some(parent), ..self }
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

    /// Has documents be found in a certain way. The answer stays the same.
    pub fn hint(mut self, hint: Hint) -> Query<T> {
        self.hint = Some(hint);
        self
    }

    /// The documents of the answer, one after another and undecoded; see [`RawFound`](crate::RawFound).
    ///
    /// # Errors
    /// As [`run`](Query::run), here or in an item, but that the type of the documents does not matter.
    pub fn iter_raw(&self) -> Result<RawRows<T>> {
        self.iter_records().map(RawRows::of)
    }

    /// Runs the query and says how it was answered and what that took.
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn explain(&self) -> Result<Explain> {
        self.validate()?;
        self.collection.read(|session, definition| {
            let clock = &session.core().clock;
            let begun_ms = clock.now_ms();
            let plan = plan(session, definition, Question { explains: true, ..self.question(true) })?;
            let mut records = self.records_of(session, definition, &plan)?;
            while records.next()?.is_some() {}
            let time_ms = clock.now_ms().saturating_sub(begun_ms);
            let asked = Asked { sort: &self.sort, skip: self.skip, limit: self.limit, time_ms };
            Ok(Explain::of_query(&plan, &records, asked))
        })
    }

    fn validate(&self) -> Result<()> {
        self.filter.validate()?;
        for key in &self.sort {
            key.validate()?;
        }
        Ok(())
    }

    fn plan(&self, session: &Session, definition: &Definition, needs_documents: bool) -> Result<Plan> {
        plan(session, definition, self.question(needs_documents))
    }

    fn question(&self, needs_documents: bool) -> Question<'_> {
        Question {
            filter: &self.filter,
            sort: &self.sort,
            window: self.limit.map(|limit| limit.saturating_add(self.skip)),
            needs_documents,
            hint: self.hint.as_ref(),
            explains: false,
        }
    }

    fn iter_records(&self) -> Result<Records> {
        self.validate()?;
        self.collection.read(|session, definition| {
            let plan = self.plan(session, definition, true)?;
            self.records_of(session, definition, &plan)
        })
    }

    fn records_of(&self, session: &Arc<Session>, definition: &Definition, plan: &Plan) -> Result<Records> {
        let candidates = Candidates::open(session, definition, plan, &self.filter)?;
        match self.sort.is_empty() || plan.sorted {
            true => Ok(Records::streamed(candidates, self.skip, self.limit)),
            false => Records::sorted(
                candidates,
                Ordering { sort: &self.sort, after: None, skip: self.skip, limit: self.limit },
            ),
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
        self.iter()?.collect()
    }

    /// The documents of the answer, one after another; see [`Rows`].
    ///
    /// # Errors
    /// As [`run`](Query::run), here or in an item.
    pub fn iter(&self) -> Result<Rows<T>> {
        self.iter_records().map(Rows::of)
    }

    /// The first document of the answer, if there is one.
    ///
    /// # Errors
    /// As [`run`](Query::run).
    pub fn first(&self) -> Result<Option<Found<T>>> {
        self.clone().limit(self.limit.unwrap_or(1).min(1)).iter()?.next().transpose()
    }
}
