//! Stage: sort, which keeps no more rows than the limit behind it lets through.

use std::collections::BinaryHeap;

use blaze_core::key::{self, Order};
use blaze_core::{Document, DocumentId, Result};

use super::memory::document_bytes;
use super::row::{Flow, Next, Operator, Row};
use crate::index::write_id;
use crate::query::Sort;

pub(super) struct SortRows {
    label: String,
    keys: Vec<Sort>,
    /// How many rows can be asked for.
    most: usize,
    /// The last on top.
    heap: BinaryHeap<Sorted>,
    met: u64,
}

/// A row with the bytes that order it.
struct Sorted {
    key: Vec<u8>,
    /// Rows that are equal in all else keep their order.
    met: u64,
    id: Option<DocumentId>,
    document: Document,
    bytes: usize,
}

impl SortRows {
    pub(super) fn new(label: String, keys: Vec<Sort>, most: usize) -> SortRows {
        SortRows { label, keys, most, heap: BinaryHeap::new(), met: 0 }
    }

    /// Bytes that order rows as an index on the keys would: equal ones by id, in the direction of the last key.
    fn key(&self, row: &Row<'_>) -> Result<Vec<u8>> {
        let (mut bytes, mut encoding) = (Vec::new(), Vec::new());
        for sort in &self.keys {
            let mut first: Option<Vec<u8>> = None;
            row.input().visit(&sort.path, &mut |value| {
                encoding.clear();
                sort.write_value(&mut encoding, value);
                if first.as_ref().is_none_or(|first| encoding < *first) {
                    first = Some(encoding.clone());
                }
            })?;
            match first {
                Some(encoding) => bytes.extend_from_slice(&encoding),
                None => key::write_missing(&mut bytes, sort.order),
            }
        }
        if let Some(id) = row.id() {
            write_id(&mut bytes, id, self.keys.last().map_or(Order::Ascending, |sort| sort.order));
        }
        Ok(bytes)
    }
}

impl Operator for SortRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        let key = self.key(&row)?;
        if self.heap.len() >= self.most && self.heap.peek().is_none_or(|last| key >= last.key) {
            return Ok(Flow::More);
        }
        let (id, document) = row.into_parts()?;
        let bytes = size_of::<Sorted>() + key.len() + document_bytes(&document);
        if self.heap.len() >= self.most
            && let Some(last) = self.heap.pop()
        {
            next.context.memory.release(last.bytes);
        }
        next.context.memory.hold(&self.label, bytes)?;
        self.heap.push(Sorted { key, met: self.met, id, document, bytes });
        self.met += 1;
        Ok(Flow::More)
    }

    fn finish(&mut self, next: &mut Next<'_>) -> Result<()> {
        let mut flow = Flow::More;
        for Sorted { id, document, bytes, .. } in std::mem::take(&mut self.heap).into_sorted_vec() {
            if flow == Flow::More {
                flow = next.push(Row::Made { id, document })?;
            }
            next.context.memory.release(bytes);
        }
        Ok(())
    }
}

impl Ord for Sorted {
    fn cmp(&self, other: &Sorted) -> std::cmp::Ordering {
        self.key.cmp(&other.key).then(self.met.cmp(&other.met))
    }
}

impl PartialOrd for Sorted {
    fn partial_cmp(&self, other: &Sorted) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sorted {
    fn eq(&self, other: &Sorted) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sorted {}
