//! What matches a filter, as slots of a graph.

use std::collections::HashMap;
use std::sync::Arc;

use blaze_core::Timestamp;
use blaze_vector::{Gathered, Graph, SlotSet};

/// Searches since the set has changed, from which on copies of the codes are worth their making, which takes about as long as a
/// search without them.
const GATHERED_FROM_USE: u32 = 2;

/// After so many more, copies that had to give way are made again.
const GATHERED_AGAIN_USES: u32 = 1 << 10;

/// The slots whose documents may match a filter: all that do, and some of which that is not known.
///
/// It is of one view. What has changed since is not known, and neither is what was linked since. Each slot holds a node that is
/// not deleted. Searches share it; who changes it while one of them goes on makes a copy.
#[derive(Clone, Debug, Default)]
pub(in crate::vector) struct Matching {
    slots: Arc<SlotSet>,
    /// The slots whose documents must be looked at, with the last commit that changed each.
    unsure: Arc<HashMap<u32, Timestamp>>,
    /// Searches since the slots have changed.
    uses: u32,
    /// Copies of the codes of the slots, if they are few and stay the same.
    gathered: Option<Arc<Gathered>>,
}

impl Matching {
    pub(in crate::vector) fn slots(&self) -> &SlotSet {
        &self.slots
    }

    /// True if the document of a slot must be looked at.
    pub(in crate::vector) fn is_unsure(&self, slot: u32) -> bool {
        self.unsure.contains_key(&slot)
    }

    /// Copies of the codes of all slots, if there are any.
    pub(in crate::vector) fn gathered(&self) -> Option<&Gathered> {
        self.gathered.as_deref()
    }

    /// Counts a search of the graph; true if codes were copied for it and those to come.
    pub(super) fn count_use(&mut self, graph: &Graph) -> bool {
        self.uses = (self.uses + 1) % GATHERED_AGAIN_USES;
        if self.gathered.is_some() || self.uses != GATHERED_FROM_USE {
            return false;
        }
        self.gathered = graph.gather(&self.slots).map(Arc::new);
        self.gathered.is_some()
    }

    pub(super) fn let_go_of_copies(&mut self) {
        self.gathered = None;
    }

    /// The slots, to be changed.
    fn slots_mut(&mut self) -> &mut SlotSet {
        (self.uses, self.gathered) = (0, None);
        Arc::make_mut(&mut self.slots)
    }

    pub(super) fn unsure(&self) -> impl Iterator<Item = u32> + '_ {
        self.unsure.keys().copied()
    }

    pub(super) fn unsure_len(&self) -> usize {
        self.unsure.len()
    }

    /// The document of a slot matches in the view that the set is of.
    pub(super) fn add_match(&mut self, slot: u32) {
        if !self.is_unsure(slot) && !self.slots.contains(slot) {
            self.slots_mut().insert(slot);
        }
    }

    /// The document of a slot was changed, or the slot was linked: it may match or not.
    pub(super) fn add_unsure(&mut self, slot: u32, ts: Timestamp) {
        if !self.slots.contains(slot) {
            self.slots_mut().insert(slot);
        }
        let changed = Arc::make_mut(&mut self.unsure).entry(slot).or_insert(ts);
        *changed = ts.max(*changed);
    }

    /// The node of a slot was deleted.
    pub(super) fn remove(&mut self, slot: u32) {
        if self.slots.contains(slot) {
            self.slots_mut().remove(slot);
        }
        if self.is_unsure(slot) {
            Arc::make_mut(&mut self.unsure).remove(&slot);
        }
    }

    /// The document of a slot was looked at in the view of `ts`; if it was changed after that, this tells nothing.
    pub(super) fn settle(&mut self, slot: u32, matches: bool, ts: Timestamp) {
        if self.unsure.get(&slot).is_some_and(|changed| *changed <= ts) {
            Arc::make_mut(&mut self.unsure).remove(&slot);
            if !matches {
                self.slots_mut().remove(slot);
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        /// A slot and a commit, and what the table has of each.
        const UNSURE_BYTES: usize = 24;
        let gathered = self.gathered().map_or(0, Gathered::bytes);
        self.slots.bytes() + self.unsure.capacity() * UNSURE_BYTES + gathered
    }
}

#[cfg(test)]
mod tests {
    use blaze_vector::{GraphOptions, Metric};

    use super::*;

    fn ts(n: u64) -> Timestamp {
        Timestamp::from_bits(n)
    }

    #[test]
    fn what_has_changed_stays_unsure_until_it_is_looked_at_in_a_view_that_sees_the_change() {
        let mut set = Matching::default();
        set.add_match(1);
        set.add_unsure(1, ts(5));
        set.add_unsure(2, ts(9));
        set.add_unsure(2, ts(7));
        set.add_match(2);
        let state = |set: &Matching| [1, 2].map(|slot| (set.slots().contains(slot), set.is_unsure(slot)));
        assert_eq!(state(&set), [(true, true), (true, true)], "an older view has nothing to say of it");
        set.settle(1, false, ts(4));
        set.settle(2, false, ts(8));
        assert_eq!(state(&set), [(true, true), (true, true)], "they were changed later");
        set.settle(1, true, ts(5));
        set.settle(2, false, ts(9));
        assert_eq!(state(&set), [(true, false), (false, false)]);
        set.settle(1, false, ts(9));
        assert_eq!(state(&set)[0], (true, false), "what is sure is not asked for");
    }

    #[test]
    fn codes_are_copied_for_searches_to_come_and_let_go_of_with_the_first_change() {
        let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1)).unwrap();
        for position in 0..3u8 {
            let insertion = graph.prepare(&[f32::from(position)]).unwrap();
            graph.insert(insertion);
        }
        let mut set = Matching::default();
        let uses = |set: &mut Matching| [(); 3].map(|()| (set.count_use(&graph), set.gathered().is_some()));
        let copied_for_the_second = [(false, false), (true, true), (false, true)];
        let changes: [fn(&mut Matching); 4] = [
            |set| set.add_match(1),
            |set| set.add_unsure(2, ts(3)),
            |set| set.settle(2, false, ts(3)),
            |set| set.remove(1),
        ];
        for change in changes {
            let bytes = set.bytes();
            change(&mut set);
            assert!(set.gathered().is_none(), "what is copied is of the set as it was");
            assert_eq!(uses(&mut set), copied_for_the_second);
            assert!(set.bytes() > bytes.min(100), "copies count");
        }
        set.add_unsure(0, ts(4));
        assert_eq!(uses(&mut set), copied_for_the_second);
        set.add_unsure(0, ts(5));
        assert!(set.gathered().is_some(), "the slots are the same");
        set.let_go_of_copies();
        let again = (3..2 * GATHERED_AGAIN_USES).position(|_| set.count_use(&graph));
        assert_eq!(again, Some(GATHERED_AGAIN_USES as usize - 2), "not with the next search");
    }

    #[test]
    fn a_search_keeps_the_set_that_it_has_begun_with() {
        let mut set = Matching::default();
        set.add_match(1);
        let begun = set.clone();
        set.add_unsure(2, ts(1));
        set.remove(1);
        assert_eq!((begun.slots().len(), begun.is_unsure(2)), (1, false));
        assert!(begun.slots().contains(1) && !set.slots().contains(1) && set.is_unsure(2));
        set.remove(2);
        assert!(set.slots().is_empty() && set.unsure_len() == 0);
    }
}
