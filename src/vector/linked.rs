//! A graph and whose its slots are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use blaze_core::{DocumentId, Result, Timestamp};
use blaze_vector::{Found, Graph, GraphQuery, Insertion, Reclaim, SlotSet, VectorBuffer};

use super::filters::Matching;
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
    removed: HashMap<u32, Timestamp>,
    /// The last of these commits that there ever was: each filtered search asks, and there may be many.
    last_removal: Timestamp,
    /// Everything that was committed up to here is linked.
    pub(super) complete: Timestamp,
    /// Vectors linked and removed since the last flush.
    pub(super) unflushed: usize,
    /// The last commit of which something is linked: of those after `complete`, some may be.
    newest: Timestamp,
    /// Counts what was linked, removed and reclaimed.
    changes: u64,
    /// What the database had of it when it was made; its owner goes on with that.
    pub(super) flushed: Flushed,
}

/// What a search of the graph has found.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    /// What is nearest by the graph's measure, the nearest first.
    pub(super) nearest: Vec<Proposal>,
    /// Nodes that were compared with the query.
    pub(super) visited: usize,
    /// [`Linked::changes`] then.
    pub(super) changes: u64,
    /// How many nodes may match, if that is known.
    pub(super) among: usize,
    /// True if nothing else may match, but for what is not linked.
    pub(super) is_all: bool,
}

impl Proposals {
    /// Keeps of each entry the nearest, where one may be there as it was and as it is.
    fn drop_repeated(&mut self, may_repeat: bool) {
        if may_repeat {
            let mut seen = HashSet::new();
            self.nearest.retain(|proposal| seen.insert(proposal.entry.clone()));
        }
    }
}

/// A node that is proposed.
#[derive(Debug)]
pub(super) struct Proposal {
    pub(super) slot: u32,
    /// What it stands for.
    pub(super) entry: Box<[u8]>,
    /// True if its document is known to match the filter.
    pub(super) is_known: bool,
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
        for slot in 0..linked.graph.slots() as u32 {
            let is_older = linked.graph.contains(slot) && !linked.ids.adopt(slot);
            if is_older {
                linked.graph.delete(slot); // of a flush that was cut short: a mark tells of the newer one
            }
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

    /// The `wanted` nearest that a view of `read_ts` could see, as far as the graph finds them with `ef` candidates.
    pub(super) fn propose(&self, query: &GraphQuery, ef: usize, wanted: usize, read_ts: Timestamp) -> Proposals {
        let found = self.graph.search(query, ef, wanted, |slot| !self.is_removed(slot, read_ts));
        let mut proposals = self.proposals(&found);
        proposals.drop_repeated(self.last_removal > read_ts);
        proposals
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

    /// The slots of the nearest that a view of `read_ts` could see, or of the nearest among some.
    pub(super) fn nearest_slots(
        &self,
        query: &GraphQuery,
        ef: usize,
        read_ts: Timestamp,
        among: Option<&SlotSet>,
    ) -> Vec<u32> {
        let found = match among {
            None => self.graph.search(query, ef, ef, |slot| !self.is_removed(slot, read_ts)),
            Some(among) => self.graph.search_among(query, ef, ef, among),
        };
        found.candidates.iter().map(|candidate| candidate.slot).collect()
    }

    /// The `wanted` nearest among some documents, as far as codes tell; none if a view of `read_ts` may see other vectors of
    /// theirs than the newest.
    pub(super) fn propose_among(
        &self,
        query: &GraphQuery,
        ef: usize,
        wanted: usize,
        read_ts: Timestamp,
        among: &[DocumentId],
    ) -> Option<Proposals> {
        if self.last_removal > read_ts {
            return None;
        }
        let mut entry = Vec::new();
        let slots: SlotSet = among
            .iter()
            .filter_map(|id| {
                entry.clear();
                id.write_key(&mut entry);
                self.ids.slot(&entry)
            })
            .collect();
        let found = self.graph.search_among(query, ef, wanted, &slots);
        Some(self.proposals(&found))
    }

    /// The nearest of what may match, as far as codes tell. The documents of `own` may match or not, and so may those of which a
    /// view of `read_ts` sees other vectors than the newest.
    pub(super) fn propose_matching(
        &self,
        query: &GraphQuery,
        ef: usize,
        read_ts: Timestamp,
        matching: &Matching,
        own: &[Vec<u8>],
    ) -> Proposals {
        let mut also = HashSet::new();
        if self.last_removal > read_ts {
            also.extend(self.removed.iter().filter(|(_, ts)| **ts > read_ts).map(|(slot, _)| *slot));
        }
        for document in own {
            self.for_slots_of(document, |slot| {
                also.insert(slot);
            });
        }
        let mut slots = Cow::Borrowed(matching.slots());
        if !also.is_empty() {
            slots.to_mut().extend(also.iter().copied());
        }
        let found = self.graph.search_among(query, ef, ef, &slots);
        let (among, is_all) = (slots.len(), slots.len() == found.candidates.len());
        let mut proposals = Proposals { among, is_all, ..self.proposals(&found) };
        for proposal in &mut proposals.nearest {
            proposal.is_known = !matching.is_unsure(proposal.slot) && !also.contains(&proposal.slot);
        }
        proposals.drop_repeated(self.last_removal > read_ts);
        proposals
    }

    fn proposals(&self, found: &Found) -> Proposals {
        let proposal = |slot| Some(Proposal { slot, entry: self.ids.key(slot)?.into(), is_known: false });
        let nearest = found.candidates.iter().filter_map(|candidate| proposal(candidate.slot));
        Proposals { nearest: nearest.collect(), visited: found.visited, changes: self.changes, ..Proposals::default() }
    }

    /// True if the row of what was proposed after so many changes is the vector of its node, as a view of `read_ts` sees it, or
    /// one of a commit that is not linked yet: the view sees all that is linked, and nothing newer of this is.
    pub(super) fn is_row_of(&self, proposal: &Proposal, changes: u64, read_ts: Timestamp) -> bool {
        let Proposal { slot, entry, .. } = proposal;
        let is_of_entry = || self.changes == changes || self.ids.key(*slot) == Some(entry);
        self.newest.max(self.complete) <= read_ts && self.graph.contains(*slot) && is_of_entry()
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

#[cfg(test)]
mod tests {
    use blaze_vector::{Copies, GraphOptions, Metric, VectorRef};

    use super::*;

    const ENTRY: &[u8] = b"entry";

    fn row(numbers: [f32; 2]) -> Vec<u8> {
        let mut row = Vec::new();
        Copies::F32.write(&numbers, &mut row);
        row
    }

    fn is_row_of_its_node(linked: &Linked, read_ts: Timestamp) -> bool {
        let query = linked.graph.query(VectorRef::F32(&[0.0, 0.0])).unwrap();
        let found = linked.propose(&query, 10, 10, read_ts);
        linked.is_row_of(&found.nearest[0], found.changes, read_ts)
    }

    #[test]
    fn what_is_linked_of_a_commit_that_a_view_does_not_see_is_not_taken_for_the_views_row() {
        let [before, after] = [10, 11].map(Timestamp::from_bits);
        let form = Form { options: GraphOptions::new(Metric::L2, 2), copies: Copies::F32, recall: None };
        let graph = Graph::new(form.options.clone()).unwrap();
        let mut linked = Linked::new(form, graph, Ids::new(), before);
        let set = |linked: &mut Linked, ts, numbers| {
            let insertion = linked.prepare(&row(numbers)).unwrap();
            linked.set(ts, ENTRY, Some(insertion));
        };
        set(&mut linked, before, [1.0, 0.0]);
        assert!(is_row_of_its_node(&linked, before));
        // As while a commit is linked, one vector after the other: it is complete up to the one before.
        set(&mut linked, after, [0.5, 0.0]);
        assert_eq!(linked.complete, before);
        assert!(!is_row_of_its_node(&linked, before));
        assert!(is_row_of_its_node(&linked, after));
    }
}
