//! Answers page by page.

mod fingerprint;
mod position;
mod token;

use std::sync::Arc;

use blaze_core::limits::PAGE_ROWS_MAX;
use blaze_core::{Error, Result};
use serde::de::DeserializeOwned;

use super::plan::{Question, plan};
use super::run::{Candidates, Ordering, Records};
use super::sort::order_key;
use super::{Plan, Query, ids};
use crate::catalog::Definition;
use crate::collection::Found;
use crate::session::Session;
pub use token::PageToken;

/// A page of an answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// Its documents.
    pub rows: Vec<Found<T>>,
    /// Where the next page begins, if there is more.
    pub next: Option<PageToken>,
}

impl<T: DeserializeOwned> Query<T> {
    /// The first `size` documents of the answer, or those that follow the page that a token came with.
    ///
    /// Each page is of the moment at which it is read. Nothing that was there all along is left out and nothing comes twice,
    /// whatever is inserted and deleted in between; only a document that is changed so that it moves in the order may come
    /// twice or not at all. Without a sort, the order is that of ids. A page takes the time of its own rows where an index
    /// has the order, or without a sort; else that of the whole query.
    ///
    /// A token can be printed and parsed, and is good for as long as the collection is there.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, PageToken, asc};
    ///
    /// let db = Database::in_memory()?;
    /// let numbers = db.collection::<Document>("numbers")?;
    /// numbers.ensure_index(Index::on("n"))?;
    /// numbers.insert_many((0..5).map(|n| Document::new().with("n", n)))?;
    /// let query = numbers.find_all().sort(asc("n"));
    /// let first = query.page(3, None)?;
    /// let token: PageToken = first.next.unwrap().to_string().parse()?;
    /// let second = query.page(3, Some(&token))?;
    /// assert_eq!((first.rows.len(), second.rows.len(), second.next), (3, 2, None));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the token is of another query or collection, when the size is not 1 to
    /// [`PAGE_ROWS_MAX`](crate::limits::PAGE_ROWS_MAX), or when the query has a skip or a limit;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the sort key of a document is too long for a token; else as
    /// [`run`](Query::run).
    pub fn page(&self, size: usize, after: Option<&PageToken>) -> Result<Page<T>> {
        if size == 0 || size > PAGE_ROWS_MAX {
            return Err(Error::invalid(format!("the size of a page is {size}, 1 to {PAGE_ROWS_MAX} are possible")));
        }
        if self.skip > 0 || self.limit.is_some() {
            return Err(Error::invalid(
                "a query with a skip or a limit has no pages: the size of a page takes their place",
            ));
        }
        self.validate()?;
        self.collection.read(|session, definition| {
            let fingerprint = fingerprint::of(definition.id, &self.filter, &self.sort);
            let position = after.map(|token| token.position_in(fingerprint)).transpose()?;
            if let Some(position) = position {
                position::check(position, &self.sort)?;
            }
            let mut records = self.records_after(session, definition, position, size + 1)?;
            let mut rows = Vec::new();
            let mut last = None;
            while rows.len() < size
                && let Some((id, record)) = records.next()?
            {
                if rows.len() + 1 == size {
                    last = Some(order_key(&self.sort, &id, &record.document().with_id(&id))?);
                }
                rows.push(Found::of_record(id, &record)?);
            }
            let next = match last {
                Some(position) if records.next_id()?.is_some() => Some(PageToken::new(fingerprint, position)?),
                _ => None,
            };
            Ok(Page { rows, next })
        })
    }

    /// The records behind a position, in the order of the pages.
    fn records_after(
        &self,
        session: &Arc<Session>,
        definition: &Definition,
        after: Option<&[u8]>,
        count: usize,
    ) -> Result<Records> {
        let window = (!self.sort.is_empty()).then_some(count);
        let question = Question { window, ..self.question(true) };
        let mut plan: Plan = plan(session, definition, question)?;
        // Documents are stored in the order of their ids.
        let is_ordered = if self.sort.is_empty() { plan.is_scan() } else { plan.sorted };
        let documents = position::documents_after(definition.id, after.filter(|_| self.sort.is_empty()));
        let documents = documents.intersect(&ids::records(definition, &self.filter));
        if let Some(after) = after.filter(|_| is_ordered)
            && let Some(scan) = plan.sorting_index_mut()
        {
            position::cut(scan, after, &self.sort)?;
        }
        let candidates = Candidates::open_in(session, definition.id, &documents, &plan, &self.filter)?;
        match is_ordered {
            true => Ok(Records::streamed(candidates, 0, Some(count))),
            false => Records::sorted(candidates, Ordering { sort: &self.sort, after, skip: 0, limit: Some(count) }),
        }
    }
}
