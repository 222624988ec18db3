//! What the graph of an index proposes to a search, and whether rows in memory are those of it.

use std::borrow::Cow;
use std::collections::HashSet;

use blaze_core::{DocumentId, Timestamp};
use blaze_vector::{Candidate, Found, GraphQuery, SlotSet, Strategy};
use smallvec::SmallVec;

use super::filters::Matching;
use super::linked::Linked;

/// The entry of a proposal. A search has some dozens, and allocations of so many little pieces had the allocator tidy up at each
/// larger one: a tenth of its time, where memory was in many pieces already (2026-11-23).
pub(super) type ProposedEntry = SmallVec<[u8; 24]>;

/// What a search of the graph has found.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    /// What is nearest by the graph's measure, the nearest first.
    pub(super) nearest: Vec<Proposal>,
    /// Nodes that were compared with the query.
    pub(super) visited: usize,
    /// How the graph went about it.
    pub(super) strategy: Strategy,
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
    pub(super) entry: ProposedEntry,
    /// How far it is by its code; NaN if that is not the code of what the view sees.
    pub(super) distance: f32,
    /// True if its document is known to match the filter.
    pub(super) is_known: bool,
}

impl Linked {
    /// The `wanted` nearest that a view of `read_ts` could see, as far as the graph finds them with `ef` candidates.
    pub(super) fn propose(&self, query: &GraphQuery, ef: usize, wanted: usize, read_ts: Timestamp) -> Proposals {
        let found = self.graph.search(query, ef, wanted, |slot| !self.is_removed(slot, read_ts));
        let mut proposals = self.proposals(&found, read_ts);
        proposals.drop_repeated(self.last_removal > read_ts);
        proposals
    }

    /// The nearest that a view of `read_ts` could see, or the nearest among some. A distance is NaN if it is not that of what
    /// the view sees.
    pub(super) fn nearest(
        &self,
        query: &GraphQuery,
        ef: usize,
        read_ts: Timestamp,
        among: Option<&SlotSet>,
    ) -> Vec<Candidate> {
        let found = match among {
            None => self.graph.search(query, ef, ef, |slot| !self.is_removed(slot, read_ts)),
            Some(among) => self.graph.search_among(query, ef, ef, among),
        };
        let changed = self.changed_since(read_ts);
        let told = |near: Candidate| Candidate { distance: self.told(near, &changed), ..near };
        found.candidates.into_iter().map(told).collect()
    }

    /// The entries of which a view of `read_ts` sees other vectors than the newest, as long as these have nodes.
    fn changed_since(&self, read_ts: Timestamp) -> HashSet<&[u8]> {
        if self.last_removal <= read_ts {
            return HashSet::new();
        }
        let removed = self.removed.iter().filter(|(_, ts)| **ts > read_ts);
        removed.filter_map(|(slot, _)| self.ids.key(*slot)).collect()
    }

    /// What the code of a candidate tells of how far it is; NaN if its entry has changed.
    fn told(&self, near: Candidate, changed: &HashSet<&[u8]>) -> f32 {
        let has_changed = !changed.is_empty() && self.ids.key(near.slot).is_some_and(|entry| changed.contains(entry));
        if has_changed { f32::NAN } else { near.distance }
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
        Some(self.proposals(&found, read_ts))
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
        let found = match matching.gathered().filter(|_| also.is_empty()) {
            Some(gathered) => self.graph.scan_gathered(query, ef, ef, gathered),
            None => self.graph.search_among(query, ef, ef, &slots),
        };
        let (among, is_all) = (slots.len(), slots.len() == found.candidates.len());
        let mut proposals = Proposals { among, is_all, ..self.proposals(&found, read_ts) };
        for proposal in &mut proposals.nearest {
            proposal.is_known = !matching.is_unsure(proposal.slot) && !also.contains(&proposal.slot);
        }
        proposals.drop_repeated(self.last_removal > read_ts);
        proposals
    }

    fn proposals(&self, found: &Found, read_ts: Timestamp) -> Proposals {
        let changed = self.changed_since(read_ts);
        let proposal = |near: &Candidate| {
            let (slot, entry) = (near.slot, SmallVec::from_slice(self.ids.key(near.slot)?));
            Some(Proposal { slot, entry, distance: self.told(*near, &changed), is_known: false })
        };
        // Keys lie anywhere: one after the other, each would be waited for.
        found.candidates.iter().for_each(|candidate| self.ids.fetch(candidate.slot));
        let nearest = found.candidates.iter().filter_map(proposal);
        Proposals {
            nearest: nearest.collect(),
            visited: found.visited,
            strategy: found.strategy,
            changes: self.changes,
            ..Proposals::default()
        }
    }

    /// True if the row of what was proposed after so many changes is the vector of its node, as a view of `read_ts` sees it, or
    /// one of a commit that is not linked yet: the view sees all that is linked, and nothing newer of this is.
    pub(super) fn is_row_of(&self, proposal: &Proposal, changes: u64, read_ts: Timestamp) -> bool {
        let Proposal { slot, entry, .. } = proposal;
        let is_of_entry = || self.changes == changes || self.ids.key(*slot) == Some(entry);
        self.newest.max(self.complete) <= read_ts && self.graph.contains(*slot) && is_of_entry()
    }
}

#[cfg(test)]
mod tests {
    use blaze_vector::{Copies, Graph, GraphOptions, Metric, VectorRef};

    use super::*;
    use crate::vector::form::Form;
    use crate::vector::ids::Ids;

    const ENTRY: &[u8] = b"entry";

    fn row(numbers: [f32; 2]) -> Vec<u8> {
        let mut row = Vec::new();
        Copies::F32.write(&numbers, &mut row);
        row
    }

    fn without_vectors(complete: Timestamp) -> Linked {
        let form = Form { options: GraphOptions::new(Metric::L2, 2), copies: Copies::F32, recall: None };
        let graph = Graph::new(form.options.clone()).unwrap();
        Linked::new(form, graph, Ids::new(), complete)
    }

    fn is_row_of_its_node(linked: &Linked, read_ts: Timestamp) -> bool {
        let query = linked.graph.query(VectorRef::F32(&[0.0, 0.0])).unwrap();
        let found = linked.propose(&query, 10, 10, read_ts);
        linked.is_row_of(&found.nearest[0], found.changes, read_ts)
    }

    #[test]
    fn what_is_linked_of_a_commit_that_a_view_does_not_see_is_not_taken_for_the_views_row() {
        let [before, after] = [10, 11].map(Timestamp::from_bits);
        let mut linked = without_vectors(before);
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

    #[test]
    fn the_code_of_a_vector_that_a_view_does_not_see_tells_nothing_of_how_far_its_row_is() {
        let [before, after] = [10, 11].map(Timestamp::from_bits);
        let mut linked = without_vectors(before);
        for (ts, entry, numbers) in
            [(before, ENTRY, [1.0, 0.0]), (before, b"other".as_slice(), [2.0, 0.0]), (after, ENTRY, [0.5, 0.0])]
        {
            let insertion = linked.prepare(&row(numbers)).unwrap();
            linked.set(ts, entry, Some(insertion));
        }
        let query = linked.graph.query(VectorRef::F32(&[0.0, 0.0])).unwrap();
        for (read_ts, is_told) in [(before, false), (after, true)] {
            let told: Vec<(ProposedEntry, bool)> = linked
                .propose(&query, 10, 10, read_ts)
                .nearest
                .into_iter()
                .map(|p| (p.entry, !p.distance.is_nan()))
                .collect();
            assert_eq!(told, [(ENTRY.into(), is_told), (b"other".as_slice().into(), true)], "as of {read_ts:?}");
            let nearest = linked.nearest(&query, 10, read_ts, None);
            assert_eq!(nearest.iter().any(|near| near.distance.is_nan()), !is_told);
        }
    }
}
