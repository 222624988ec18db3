//! Which text indexes are in memory, and what is to be done about which.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use blaze_core::Timestamp;
use blaze_core::limits::{TEXT_UNFOLDED_BYTES_MAX, TEXT_UNFOLDED_MAX};

use super::change::IndexChange;
use super::open::OpenText;

/// Changes of an index that are folded together: fewer make small segments, more take memory and, where an index is read
/// anew, time.
const FOLD_DOCUMENTS: usize = 4_096;

/// Those of a build are searched by nobody before it is complete. With half as many, merging the segments of 36,273 films took
/// the thread that folds a quarter of its time; with twice as many, it began too late (2026-11-22).
const FOLD_FILLED_DOCUMENTS: usize = 2 * FOLD_DOCUMENTS;

/// Bytes of these changes.
const FOLD_BYTES: usize = 16 * 1024 * 1024;

/// Indexes that are gone before it is looked which of them nobody can ask for any more.
const GONE_MIN: usize = 64;

/// Bytes that commits tell of an index which nobody searches, before it is let go of: the next who searches it reads what is not
/// folded then, which has a limit of its own.
const TOLD_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Registry {
    pub(super) open: HashMap<u32, Arc<OpenText>>,
    /// Indexes that are no longer in memory, for who comes next to free: commits wait for who holds the registry.
    pub(super) let_go: Vec<Arc<OpenText>>,
    /// The last commit that was told of.
    pub(super) told: Timestamp,
    /// What was changed of each index since it was folded, as far as is known.
    pub(super) unfolded: HashMap<u32, Backlog>,
    /// The indexes whose changes are all counted.
    counted: HashSet<u32>,
    /// The indexes that are to be folded.
    pub(super) wanted: BTreeSet<u32>,
    /// Those that somebody has for himself.
    pub(super) in_work: HashSet<u32>,
    /// Those that cannot be folded.
    pub(super) failed: HashSet<u32>,
    /// Those that are gone, and since which commit, as long as views of before may ask for them: nothing is kept of them.
    gone: HashMap<u32, Timestamp>,
    /// How many of these are enough to look which of them nobody can ask for any more.
    gone_enough: usize,
}

/// What is not folded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backlog {
    changes: usize,
    /// Those of a build.
    filled: usize,
    bytes: usize,
}

impl Backlog {
    fn is_due(self) -> bool {
        let others = self.changes - self.filled;
        others >= FOLD_DOCUMENTS || self.changes >= FOLD_FILLED_DOCUMENTS || self.bytes >= FOLD_BYTES
    }

    /// True if writers wait.
    pub(super) fn is_full(self) -> bool {
        self.changes >= TEXT_UNFOLDED_MAX || self.bytes >= TEXT_UNFOLDED_BYTES_MAX
    }
}

impl Registry {
    /// Takes in what a commit does to an index.
    pub(super) fn take_in(&mut self, ts: Timestamp, index: u32, change: &IndexChange) {
        match change {
            IndexChange::Dropped => {
                self.forget(index);
                self.gone.insert(index, ts);
                return;
            }
            // It was made ready before the index was in memory, which lacks it now.
            IndexChange::Unread { .. } => self.let_go.extend(self.open.remove(&index)),
            IndexChange::Complete => {
                if let Some(unfolded) = self.unfolded.get_mut(&index) {
                    unfolded.filled = 0; // it is searched from now on
                }
                self.want_if_due(index);
            }
            IndexChange::Documents(_) | IndexChange::Folded(_) => {
                let told = self.open.get(&index).map_or(0, |open| open.take_in(ts, change));
                if told > TOLD_BYTES_MAX {
                    self.let_go.extend(self.open.remove(&index));
                }
            }
        }
        self.gone.remove(&index); // it is made anew
        if change.documents() > 0 {
            let changes = change.documents();
            let filled = if matches!(change, IndexChange::Unread { fills: true, .. }) { changes } else { 0 };
            self.put_back(index, Backlog { changes, filled, bytes: change.bytes() });
        }
    }

    /// True if what a view sees of an index is gone since: nobody who comes later asks for it.
    pub(super) fn is_gone(&self, index: u32, view: Timestamp) -> bool {
        self.gone.get(&index).is_some_and(|since| view < *since)
    }

    /// True if it should be looked which indexes that are gone nobody can ask for any more.
    pub(super) fn has_enough_gone(&self) -> bool {
        self.gone.len() >= self.gone_enough.max(GONE_MIN)
    }

    /// There is no view, now or later, of before a commit.
    pub(super) fn forget_gone(&mut self, oldest_view: Timestamp) {
        self.gone.retain(|_, since| *since > oldest_view);
        self.gone_enough = 2 * self.gone.len();
    }

    /// Adds to what is not folded.
    pub(super) fn put_back(&mut self, index: u32, more: Backlog) {
        if self.gone.contains_key(&index) {
            return;
        }
        let unfolded = self.unfolded.entry(index).or_default();
        unfolded.changes += more.changes;
        unfolded.filled += more.filled;
        unfolded.bytes += more.bytes;
        self.want_if_due(index);
    }

    fn want_if_due(&mut self, index: u32) {
        if self.unfolded.get(&index).is_some_and(|unfolded| unfolded.is_due()) && !self.failed.contains(&index) {
            self.wanted.insert(index);
        }
    }

    /// What is changed from now on is not in the fold that begins.
    pub(super) fn count_anew(&mut self, index: u32) {
        if !self.gone.contains_key(&index) {
            self.counted.insert(index);
            self.unfolded.remove(&index);
        }
    }

    /// A view has found so much, where it was not known what there is.
    pub(super) fn count_found(&mut self, index: u32, view: Timestamp, changes: usize, bytes: usize) {
        if !self.is_gone(index, view) && self.counted.insert(index) {
            self.unfolded.remove(&index);
            self.put_back(index, Backlog { changes, bytes, ..Backlog::default() });
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.wanted.is_empty() && self.in_work.is_empty()
    }

    /// Lets go of all that is known of an index that is gone; whoever works on it finds that out.
    pub(super) fn forget(&mut self, index: u32) {
        self.let_go.extend(self.open.remove(&index));
        self.unfolded.remove(&index);
        self.counted.remove(&index);
        self.wanted.remove(&index);
        self.failed.remove(&index);
    }
}

#[cfg(test)]
impl Registry {
    /// True if nothing is known of any index but that it is gone.
    pub(super) fn has_nothing(&self) -> bool {
        self.open.is_empty()
            && self.unfolded.is_empty()
            && self.wanted.is_empty()
            && self.failed.is_empty()
            && self.counted.is_empty()
    }

    pub(super) fn gone_count(&self) -> usize {
        self.gone.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_adds_is_folded_in_larger_parts_until_it_is_complete() {
        let is_wanted = |fills: &[bool], changes: usize, is_complete: bool| {
            let mut registry = Registry::default();
            for fills in fills.iter().copied() {
                registry.take_in(Timestamp::ZERO, 7, &IndexChange::Unread { changes, bytes: 0, fills });
            }
            if is_complete {
                registry.take_in(Timestamp::ZERO, 7, &IndexChange::Complete);
            }
            registry.wanted.contains(&7)
        };
        assert!(is_wanted(&[false], FOLD_DOCUMENTS, false));
        assert!(!is_wanted(&[true], FOLD_DOCUMENTS, false));
        assert!(is_wanted(&[true], FOLD_FILLED_DOCUMENTS, false));
        assert!(is_wanted(&[true], FOLD_DOCUMENTS, true));
        assert!(!is_wanted(&[true], FOLD_DOCUMENTS - 1, true));
        assert!(!is_wanted(&[true, false], FOLD_DOCUMENTS - 1, false));
        assert!(!is_wanted(&[], 0, true));
    }
}
