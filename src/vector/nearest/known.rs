//! What a session sees of the vectors of an index that the graph does not know.

use std::collections::HashMap;
use std::sync::Arc;

use blaze_core::Write;

use crate::vector::layout;
use crate::vector::tail::TailBatch;

/// What is known of the rows of a session beside the graph: of its own writes, and of the tail.
pub(super) struct Known<'a> {
    own: HashMap<&'a [u8], Option<&'a [u8]>>,
    tail: HashMap<&'a [u8], Option<&'a [u8]>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(own: &'a [Arc<Write>], tail: &'a [TailBatch]) -> Known<'a> {
        let own = own.iter().filter_map(|write| {
            let (_, entry) = write.key().and_then(layout::split)?;
            let row = match &**write {
                Write::Put { value, .. } => Some(value.as_slice()),
                _ => None,
            };
            Some((entry, row))
        });
        // Of one entry, the last commit counts.
        let changes = tail.iter().flat_map(|batch| &*batch.changes);
        let tail = changes.map(|change| (&*change.entry, change.row.as_deref())).collect();
        Known { own: own.collect(), tail }
    }

    pub(super) fn has(&self, entry: &[u8]) -> bool {
        self.own.contains_key(entry) || self.tail.contains_key(entry)
    }

    /// The vectors that there are.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let of_tail = self.tail.iter().filter(|(entry, _)| !self.own.contains_key(*entry));
        self.own.iter().chain(of_tail).filter_map(|(entry, row)| Some((*entry, (*row)?)))
    }
}
