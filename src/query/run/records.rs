//! The records of an answer: in the order of the plan, or sorted in memory.

use std::collections::BinaryHeap;

use blaze_core::limits::SORT_BYTES_MAX;
use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Error, PARENT_FIELD, Path, Result};

use super::Candidates;
use super::covered::top_level;
use crate::index::covered_values;
use crate::query::plan::IndexScan;
use crate::query::sort::{Sort, order_key};

/// The records of an answer, one after another.
#[derive(Debug)]
pub(crate) struct Records {
    candidates: Candidates,
    /// The sorted rows, the last first; none if they come in the order of the plan.
    sorted: Option<Vec<Sorted>>,
    /// The one of them that was answered last.
    record: Vec<u8>,
    skip: usize,
    left: usize,
    rows: u64,
}

/// A document of an answer.
#[derive(Debug)]
pub(crate) enum Row<'a> {
    /// Its record.
    Record(Record<'a>),
    /// Those of its fields that were asked for, as an index has them.
    Fields(Document),
}

/// The order of an answer, and where in it the answer begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ordering<'a> {
    pub(crate) sort: &'a [Sort],
    /// What comes at or before these bytes, as [`order_key`] makes them, is left out.
    pub(crate) after: Option<&'a [u8]>,
    pub(crate) skip: usize,
    pub(crate) limit: Option<usize>,
}

/// A document with the bytes that order it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sorted {
    key: Vec<u8>,
    id: DocumentId,
    record: Vec<u8>,
}

impl Records {
    /// The candidates in their own order.
    pub(crate) fn streamed(candidates: Candidates, skip: usize, limit: Option<usize>) -> Records {
        Records { candidates, sorted: None, record: Vec::new(), skip, left: limit.unwrap_or(usize::MAX), rows: 0 }
    }

    /// Reads all candidates and keeps those that the limit lets through.
    pub(crate) fn sorted(mut candidates: Candidates, order: Ordering<'_>) -> Result<Records> {
        let Ordering { sort, after, skip, limit } = order;
        let most = limit.map_or(usize::MAX, |limit| skip.saturating_add(limit));
        let mut heap = BinaryHeap::new(); // the last on top
        let mut bytes = 0;
        while let Some((id, record)) = candidates.next_record()? {
            let key = order_key(sort, &id, &record.document().with_id(&id))?;
            if after.is_some_and(|after| key.as_slice() <= after) {
                continue;
            }
            if heap.len() >= most && heap.peek().is_none_or(|last: &Sorted| key >= last.key) {
                continue;
            }
            let record = record.as_bytes().to_vec();
            bytes += key.len() + record.len();
            heap.push(Sorted { key, id, record });
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
        Ok(Records { sorted: Some(sorted), ..Records::streamed(candidates, skip, limit) })
    }

    pub(crate) fn candidates(&self) -> &Candidates {
        &self.candidates
    }

    pub(crate) fn is_sorted_in_memory(&self) -> bool {
        self.sorted.is_some()
    }

    /// Documents answered so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The next record of the answer.
    pub(crate) fn next(&mut self) -> Result<Option<(DocumentId, Record<'_>)>> {
        match self.next_row(None)? {
            Some((id, Row::Record(record))) => Ok(Some((id, record))),
            _ => Ok(None),
        }
    }

    /// The id of the next document of the answer.
    pub(crate) fn next_id(&mut self) -> Result<Option<DocumentId>> {
        if !self.begin_row()? {
            return Ok(None);
        }
        let id = match &mut self.sorted {
            Some(sorted) => sorted.pop().map(|row| row.id),
            None => self.candidates.next_id()?,
        };
        self.rows += u64::from(id.is_some());
        Ok(id)
    }

    /// The next document of the answer: its record, or if `fields` are asked for and an index has them, these alone.
    pub(crate) fn next_row(&mut self, fields: Option<&[Path]>) -> Result<Option<(DocumentId, Row<'_>)>> {
        if !self.begin_row()? {
            return Ok(None);
        }
        let row = match (&mut self.sorted, fields) {
            (Some(sorted), _) => match sorted.pop() {
                Some(Sorted { id, record, .. }) => {
                    self.record = record;
                    let record = Record::of_verified(&self.record, self.candidates.dictionary())?;
                    Some((id, Row::Record(record)))
                }
                None => None,
            },
            (None, None) => self.candidates.next_record()?.map(|(id, record)| (id, Row::Record(record))),
            (None, Some(fields)) => {
                let next = self.candidates.next_covered(|entry, value, scan| fields_of(entry, value, scan, fields))?;
                next.map(|(id, row)| (id, row.map_or_else(Row::Record, Row::Fields)))
            }
        };
        self.rows += u64::from(row.is_some());
        Ok(row)
    }

    /// Passes over what is to be skipped; false once the answer is as long as it may be.
    fn begin_row(&mut self) -> Result<bool> {
        while self.skip > 0 && self.left > 0 {
            self.skip -= 1;
            let is_there = match &mut self.sorted {
                Some(sorted) => sorted.pop().is_some(),
                None => self.candidates.next_id()?.is_some(),
            };
            if !is_there {
                self.left = 0;
            }
        }
        let has_room = self.left > 0;
        self.left = self.left.saturating_sub(1);
        Ok(has_room)
    }
}

/// The document of the fields that are asked for, if the entry of an index tells them exactly.
fn fields_of(entry: &[u8], value: &[u8], scan: &IndexScan, fields: &[Path]) -> Result<Option<Document>> {
    // A document may hold its parent's id in a field, or be without it, which an entry does not tell.
    if fields.iter().any(|path| top_level(path) == Some(PARENT_FIELD)) {
        return Ok(None);
    }
    let place = |path: &Path| scan.fields.iter().position(|(of, _)| of == path && top_level(of).is_some());
    let Some(places) = fields.iter().map(place).collect::<Option<Vec<usize>>>().filter(|_| !scan.multi_entry) else {
        return Ok(None);
    };
    let Some(values) = covered_values(entry, value, &scan.fields)? else { return Ok(None) };
    let mut document = Document::new();
    for (path, place) in fields.iter().zip(places) {
        if let (Some(name), Some(value)) = (top_level(path), &values[place]) {
            document.insert(name, value.clone());
        }
    }
    Ok(Some(document))
}
