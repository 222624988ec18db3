//! Ids that a query remembers.

use std::collections::HashSet;

use blaze_core::limits::QUERY_IDS_BYTES_MAX;
use blaze_core::{DocumentId, Error, Result};

/// Bytes that an id takes beside what it points to.
const ID_BYTES: usize = 2 * size_of::<DocumentId>();

/// Bytes that an id without a parent points to.
fn text_bytes(id: &DocumentId) -> usize {
    match id {
        DocumentId::String(string) => string.len(),
        DocumentId::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

/// A set of ids in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct IdSet {
    ids: HashSet<DocumentId>,
    bytes: usize,
}

impl IdSet {
    /// Adds an id; false if it was there.
    pub(crate) fn insert(&mut self, id: &DocumentId) -> Result<bool> {
        if !self.ids.insert(id.clone()) {
            return Ok(false);
        }
        self.bytes += ID_BYTES
            + match id.parent() {
                Some(parent) => 2 * size_of::<DocumentId>() + text_bytes(parent) + text_bytes(id.own()),
                None => text_bytes(id),
            };
        match self.bytes {
            0..=QUERY_IDS_BYTES_MAX => Ok(true),
            bytes => Err(Error::limit_exceeded(format!(
                "the query remembers ids of {bytes} bytes, the limit is {QUERY_IDS_BYTES_MAX}: narrow it, or have it read \
                 all documents by hint(Hint::Scan)"
            ))),
        }
    }

    /// Takes an id out; false if it was not there.
    pub(super) fn remove(&mut self, id: &DocumentId) -> bool {
        self.ids.remove(id)
    }

    pub(super) fn contains(&self, id: &DocumentId) -> bool {
        self.ids.contains(id)
    }
}
