//! Running a plan: candidates by id, then rows.

use std::collections::{BinaryHeap, HashSet};
use std::marker::PhantomData;
use std::sync::Arc;

use blaze_core::limits::SORT_BYTES_MAX;
use blaze_core::record::Record;
use blaze_core::{Direction, DocumentId, Error, Family, Filter, KeyRange, Result};
use serde::de::DeserializeOwned;

use super::Counters;
use super::explain::Explain;
use super::plan::Plan;
use super::sort::{Sort, sort_key};
use crate::catalog::prefix;
use crate::collection::{Found, document_key};
use crate::index::read_id;
use crate::session::{Session, SessionCursor};

/// The documents that a plan finds and the filter confirms, in the order of the plan.
#[derive(Debug)]
pub(crate) struct Candidates {
    session: Arc<Session>,
    collection: u32,
    plan: Plan,
    filter: Filter,
    /// True if a document must be read to know whether it belongs.
    recheck: bool,
    cursor: Option<SessionCursor>,
    ranges_done: usize,
    seen: HashSet<DocumentId>,
    counters: Counters,
    record: Vec<u8>,
}

impl Candidates {
    pub(crate) fn open(session: &Arc<Session>, collection: u32, plan: Plan, filter: Filter) -> Result<Candidates> {
        let exact = match &plan {
            Plan::Scan => filter == Filter::everything(),
            Plan::Index(index) => index.exact,
        };
        // In a transaction the documents may change while the index is read: its cursor does not see that.
        let recheck = !exact || (matches!(plan, Plan::Index(_)) && !session.is_read_only());
        let mut candidates = Candidates {
            session: Arc::clone(session),
            collection,
            plan,
            filter,
            recheck,
            cursor: None,
            ranges_done: 0,
            seen: HashSet::new(),
            counters: Counters::default(),
            record: Vec::new(),
        };
        candidates.open_range()?;
        Ok(candidates)
    }

    /// The id of the next document that belongs to the answer. Its record is read only if that cannot be told without.
    pub(crate) fn next_id(&mut self) -> Result<Option<DocumentId>> {
        while let Some((id, fetched)) = self.advance()? {
            if !self.recheck {
                return Ok(Some(id));
            }
            if (fetched || self.fetch(&id)?) && self.matches(&id)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The id of the next document that belongs to the answer, with its record.
    pub(crate) fn next_record(&mut self) -> Result<Option<(DocumentId, &[u8])>> {
        while let Some((id, fetched)) = self.advance()? {
            if (fetched || self.fetch(&id)?) && (!self.recheck || self.matches(&id)?) {
                return Ok(Some((id, &self.record)));
            }
        }
        Ok(None)
    }

    /// What was read so far.
    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    /// The next candidate, and whether its record is at hand.
    fn advance(&mut self) -> Result<Option<(DocumentId, bool)>> {
        loop {
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            let Some((key, value)) = cursor.next()? else {
                self.ranges_done += 1;
                self.open_range()?;
                continue;
            };
            self.counters.keys_examined += 1;
            match &self.plan {
                Plan::Scan => {
                    self.counters.documents_examined += 1;
                    self.record.clear();
                    self.record.extend_from_slice(value);
                    return Ok(Some((DocumentId::read_key(key.get(4..).unwrap_or_default())?, true)));
                }
                Plan::Index(index) => {
                    let (_, id) = read_id(key, value, &index.fields)?;
                    // In a transaction, too: what is changed while it is iterated over may move to a later range.
                    let once = !index.multi_entry && self.session.is_read_only();
                    if once || self.seen.insert(id.clone()) {
                        return Ok(Some((id, false)));
                    }
                }
            }
        }
    }

    fn open_range(&mut self) -> Result<()> {
        let (family, range, direction) = match &self.plan {
            Plan::Scan if self.ranges_done == 0 => {
                (Family::Data, Some(KeyRange::prefix(&prefix(self.collection))), Direction::Forward)
            }
            Plan::Scan => (Family::Data, None, Direction::Forward),
            Plan::Index(index) => (Family::Index, index.ranges.get(self.ranges_done).cloned(), index.direction),
        };
        self.cursor = range.map(|range| self.session.cursor(family, &range, direction)).transpose()?;
        Ok(())
    }

    /// Reads the record of a candidate from an index; false if the transaction itself has deleted it since.
    fn fetch(&mut self, id: &DocumentId) -> Result<bool> {
        self.counters.documents_examined += 1;
        let record = &mut self.record;
        record.clear();
        let there = self.session.visit(Family::Data, &document_key(self.collection, id), &mut |bytes| {
            record.extend_from_slice(bytes);
            Ok(())
        })?;
        if !there && self.session.is_read_only() {
            return Err(Error::corruption(format!("an index has an entry for document {id:?}, which is not there")));
        }
        Ok(there)
    }

    fn matches(&self, id: &DocumentId) -> Result<bool> {
        let dictionary = self.session.core().catalog.dictionaries.get(self.session.core(), self.collection)?;
        Record::open(&self.record, &dictionary)
            .and_then(|record| self.filter.matches_raw(&record.document()))
            .map_err(|error| error.context(format!("document {id:?}")))
    }
}

/// The documents of an answer, one after another; see [`Query::iter`](crate::Query::iter).
///
/// Owns what it needs: it may outlive the handle it came from. After an error it ends. In a transaction, what that
/// transaction writes while it iterates may show or not; no document comes twice.
#[derive(Debug)]
pub struct Rows<T> {
    source: Source,
    candidates: Candidates,
    skip: usize,
    left: usize,
    rows: u64,
    failed: bool,
    documents: PhantomData<fn() -> T>,
}

#[derive(Debug)]
enum Source {
    /// In the order of the plan.
    Streamed,
    /// Sorted, the last first.
    Sorted(Vec<Sorted>),
}

/// A document with the bytes that order it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sorted {
    key: Vec<u8>,
    id: DocumentId,
    record: Vec<u8>,
}

impl<T> Rows<T> {
    pub(super) fn streamed(candidates: Candidates, skip: usize, limit: Option<usize>) -> Rows<T> {
        Rows::new(Source::Streamed, candidates, skip, limit)
    }

    /// Reads all candidates and keeps those that the limit lets through.
    pub(super) fn sorted(
        mut candidates: Candidates,
        sort: &[Sort],
        skip: usize,
        limit: Option<usize>,
    ) -> Result<Rows<T>> {
        let most = limit.map_or(usize::MAX, |limit| skip.saturating_add(limit));
        let mut heap = BinaryHeap::new(); // the last on top
        let mut bytes = 0;
        let (session, collection) = (Arc::clone(&candidates.session), candidates.collection);
        while let Some((id, record)) = candidates.next_record()? {
            let dictionary = session.core().catalog.dictionaries.get(session.core(), collection)?;
            let key = sort_key(sort, &id, &Record::open(record, &dictionary)?.document())?;
            if heap.len() >= most && heap.peek().is_none_or(|last: &Sorted| key >= last.key) {
                continue;
            }
            bytes += key.len() + record.len();
            heap.push(Sorted { key, id, record: record.to_vec() });
            if heap.len() > most
                && let Some(last) = heap.pop()
            {
                bytes -= last.key.len() + last.record.len();
            }
            if bytes > SORT_BYTES_MAX {
                return Err(Error::limit_exceeded(format!(
                    "the sort holds {bytes} bytes, the limit is {SORT_BYTES_MAX}: set a limit, or build an index on its keys"
                )));
            }
        }
        let mut sorted = heap.into_sorted_vec();
        sorted.reverse();
        Ok(Rows::new(Source::Sorted(sorted), candidates, skip, limit))
    }

    fn new(source: Source, candidates: Candidates, skip: usize, limit: Option<usize>) -> Rows<T> {
        let left = limit.unwrap_or(usize::MAX);
        Rows { source, candidates, skip, left, rows: 0, failed: false, documents: PhantomData }
    }

    /// The next record of the answer.
    pub(super) fn next_record(&mut self) -> Result<Option<(DocumentId, Vec<u8>)>> {
        while self.left > 0 {
            let next = match &mut self.source {
                Source::Sorted(sorted) => sorted.pop().map(|row| (row.id, row.record)),
                Source::Streamed if self.skip > 0 => self.candidates.next_id()?.map(|id| (id, Vec::new())),
                Source::Streamed => self.candidates.next_record()?.map(|(id, record)| (id, record.to_vec())),
            };
            match next {
                Some(_) if self.skip > 0 => self.skip -= 1,
                Some(row) => {
                    self.left -= 1;
                    self.rows += 1;
                    return Ok(Some(row));
                }
                None => break,
            }
        }
        Ok(None)
    }

    /// What was done so far.
    pub(super) fn explain(&self, filter: &Filter, sort: &[Sort], skip: usize, limit: Option<usize>) -> Explain {
        let Candidates { plan, recheck, counters, .. } = &self.candidates;
        let sorted_in_memory = matches!(self.source, Source::Sorted(_));
        Explain::of_query(plan, filter, *recheck, sort, sorted_in_memory, skip, limit, *counters, self.rows)
    }
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<Found<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let found = self.next_record().and_then(|row| {
            let decode = |(id, record): (DocumentId, Vec<u8>)| {
                Found::decode(&self.candidates.session, self.candidates.collection, id, &record)
            };
            row.map(decode).transpose()
        });
        self.failed = found.is_err();
        found.transpose()
    }
}
