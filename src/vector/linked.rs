//! A graph and whose its slots are.

use std::collections::HashMap;

use blaze_core::{Result, Timestamp};
use blaze_vector::{Graph, Insertion, Reclaim, VectorBuffer};

use super::form::Form;
use super::ids::Ids;
use super::row_cache::{self, RowCache};
use super::stored::Flushed;

/// Deleted nodes from which their reclaiming is worth the pass over the graph that it takes.
const RECLAIMED_MIN: usize = 256;

/// Nodes whose links are repaired while nobody can search.
const REPAIRED_AT_ONCE: usize = 256;

/// The part of all nodes that may be deleted ones before they are reclaimed.
const RECLAIMED_PART: usize = 10;

/// A graph, the keys of its slots, and what is deleted and may still be needed.
#[derive(Debug)]
pub(super) struct Linked {
    form: Form,
    pub(super) graph: Graph,
    pub(super) ids: Ids,
    /// Rows of nodes that searches have read.
    pub(super) rows: RowCache,
    /// The commits that replaced or removed the vectors of deleted nodes.
    pub(super) removed: HashMap<u32, Timestamp>,
    /// The last of these commits that there ever was: each filtered search asks, and there may be many.
    pub(super) last_removal: Timestamp,
    /// Everything that was committed up to here is linked.
    pub(super) complete: Timestamp,
    /// Vectors linked and removed since the last flush.
    pub(super) unflushed: usize,
    /// The last commit of which something is linked: of those after `complete`, some may be.
    pub(super) newest: Timestamp,
    /// Counts what was linked, removed and reclaimed.
    pub(super) changes: u64,
    /// What the database had of it when it was made; its owner goes on with that.
    pub(super) flushed: Flushed,
}

impl Linked {
    /// A graph that is in no database yet.
    pub(super) fn new(form: Form, graph: Graph, ids: Ids, complete: Timestamp) -> Linked {
        let unflushed = graph.len();
        Linked {
            form,
            graph,
            ids,
            rows: RowCache::default(),
            removed: HashMap::new(),
            last_removal: Timestamp::ZERO,
            complete,
            unflushed,
            newest: complete,
            changes: 0,
            flushed: Flushed::default(),
        }
    }

    /// A graph that was read from the database. What its nodes stand for is known, but not which of them is the newest.
    pub(super) fn restore(form: Form, graph: Graph, ids: Ids, complete: Timestamp, flushed: Flushed) -> Linked {
        let mut linked = Linked { unflushed: 0, flushed, ..Linked::new(form, graph, ids, complete) };
        let slots = linked.graph.slots() as u32;
        for older in linked.ids.adopt_all(slots, |slot| linked.graph.contains(slot)) {
            linked.graph.delete(older); // of a flush that was cut short: a mark tells of the newer one
        }
        for slot in 0..slots {
            if linked.graph.is_tombstone(slot) {
                linked.removed.insert(slot, Timestamp::ZERO); // nobody has a view from before the database was opened
            }
        }
        linked
    }

    /// How many vectors there are.
    pub(super) fn len(&self) -> usize {
        self.graph.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.graph.bytes() + self.ids.bytes() + self.removed.capacity() * 24
    }

    /// Bytes of memory for the rows of all nodes, about.
    pub(super) fn bytes_of_rows(&self) -> usize {
        self.graph.slots() * (self.form.row_bytes() + row_cache::ROW_OVERHEAD_BYTES) * 9 / 8
    }

    /// The long half of linking a row; many threads may do it at once.
    pub(super) fn prepare(&self, row: &[u8]) -> Result<Insertion> {
        self.graph.prepare(self.form.read(row, &mut VectorBuffer::default())?)
    }

    /// As [`prepare`](Linked::prepare). What is no vector is left out: it is the row that is damaged, and who reads it is told.
    pub(super) fn prepare_or_warn(&self, index: u32, row: &[u8]) -> Option<Insertion> {
        let prepared = self.prepare(row);
        prepared.inspect_err(|error| tracing::warn!(index, %error, "a vector cannot be linked into its index")).ok()
    }

    /// The short half: the entry has this vector from the commit `ts` on, or none. Answers the slots of its node that was
    /// deleted, and of the new one.
    pub(super) fn set(
        &mut self,
        ts: Timestamp,
        entry: &[u8],
        insertion: Option<Insertion>,
    ) -> (Option<u32>, Option<u32>) {
        let removed = self.ids.remove(entry);
        if let Some(slot) = removed {
            self.graph.delete(slot);
            self.removed.insert(slot, ts);
            self.last_removal = self.last_removal.max(ts);
        }
        let added = insertion.map(|insertion| self.graph.insert(insertion));
        if let Some(slot) = added {
            self.rows.forget(slot);
            self.ids.set(slot, entry);
        }
        self.newest = self.newest.max(ts);
        self.unflushed += 1;
        self.changes += 1;
        (removed, added)
    }

    /// Calls `visit` with the slots that have the newest vectors of a document, by the key of its id.
    pub(super) fn for_slots_of(&self, document: &[u8], visit: impl FnMut(u32)) {
        self.ids.slot(document).into_iter().for_each(visit);
    }

    /// The entry has no vector here any more, and nobody has a view that needs the one that it had.
    pub(super) fn unlink(&mut self, entry: &[u8]) {
        if let Some(slot) = self.ids.remove(entry) {
            self.graph.delete(slot);
            self.removed.insert(slot, Timestamp::ZERO);
        }
    }

    /// True if a view of `read_ts` does not see the vector of a slot any more.
    pub(super) fn is_removed(&self, slot: u32, read_ts: Timestamp) -> bool {
        !self.removed.is_empty() && self.removed.get(&slot).is_some_and(|ts| *ts <= read_ts)
    }

    /// True if there are so many deleted nodes that it is worth reclaiming them.
    pub(super) fn has_much_to_reclaim(&self) -> bool {
        let tombstones = self.graph.tombstones();
        tombstones >= RECLAIMED_MIN && tombstones * RECLAIMED_PART >= self.graph.len() + tombstones
    }
}

impl Linked {
    /// Begins to reclaim the deleted nodes that no view from `oldest` on needs, if there are enough of them.
    pub(super) fn begin_reclaim(&mut self, oldest: Timestamp) -> Option<Reclaim> {
        let slots: Vec<u32> = self.removed.iter().filter(|(_, ts)| **ts <= oldest).map(|(slot, _)| *slot).collect();
        match slots.len() < RECLAIMED_MIN {
            true => None, // not worth the pass yet
            false => Some(self.graph.begin_reclaim(&slots)),
        }
    }

    /// Goes on with it; false once it is done.
    pub(super) fn reclaim_some(&mut self, reclaim: &mut Reclaim) -> bool {
        let Some(cleared) = self.graph.reclaim_some(reclaim, REPAIRED_AT_ONCE) else {
            self.unflushed += reclaim.len();
            return false;
        };
        for slot in cleared {
            self.removed.remove(&slot);
            self.ids.clear(slot);
            self.rows.forget(slot);
        }
        self.changes += 1;
        true
    }
}
