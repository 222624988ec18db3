//! What matches the filters that are searched with again and again, beside the graph of an index: in memory, and derived.
//!
//! Of a filter that is used for the second time, a set of slots is made in the background: those whose documents match in some
//! view. Commits tell which documents they change, before anybody can see them; those, and what is linked meanwhile, are looked
//! at one by one wherever a search comes upon them, until that is done for all at once in a later view. So what a set says is
//! true of every view that is not older than it.

mod matching;
mod seen;
mod watch;
mod work;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blaze_core::limits::{VECTOR_FILTER_CHANGES_MAX, VECTOR_FILTERS_MAX};
use blaze_core::{Filter, Timestamp};
use parking_lot::Mutex;

pub(super) use matching::Matching;
use seen::Seen;
use watch::Changed;
pub(super) use watch::Watch;
pub(crate) use watch::{DocumentChanges, UnderWay};
pub(super) use work::FilterTask;

use super::linked::Linked;

/// Documents of a set that are looked at one by one, from which on all of them are looked at in the background, at least and at
/// most; in between, a part of the set.
const UNSURE_MIN: usize = 100;
const UNSURE_MAX: usize = 1_000;
const UNSURE_PART: usize = 16;

/// The sets of filters beside one graph.
#[derive(Debug)]
pub(super) struct FilterCache {
    /// Bytes that all sets may take.
    bytes_max: usize,
    /// Behind what is linked where both are taken.
    state: Mutex<State>,
    /// Behind the state where both are taken: commits take it alone.
    log: Mutex<Log>,
    /// False while there is no set.
    has_sets: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The last used first.
    sets: Vec<FilterSet>,
    /// How many there were.
    numbers: u64,
    /// The last commit that the sets were told of: it may have changed documents whose vectors were not linked then.
    told: Timestamp,
    seen: Seen,
}

/// What matches one filter.
struct FilterSet {
    number: u64,
    filter: Arc<Filter>,
    matching: Matching,
    /// The view that it is of; none while it is being made.
    of: Option<Timestamp>,
    /// Bytes that the filter takes, about.
    filter_bytes: usize,
    /// True while it is made or brought up to date, or is to be.
    is_in_work: bool,
}

/// What commits have changed and no set knows of.
#[derive(Debug, Default)]
struct Log {
    commits: Vec<(Timestamp, Changed)>,
    /// How many documents, long keys counted as several.
    weight: usize,
    /// True if something could not be taken in.
    has_gap: bool,
}

/// What is known of a filter.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) matching: Matching,
    /// The number of the set, if it is to be brought up to date.
    pub(super) outdated: Option<u64>,
}

impl FilterCache {
    pub(super) fn new(bytes_max: usize) -> FilterCache {
        FilterCache { bytes_max, state: Mutex::default(), log: Mutex::default(), has_sets: AtomicBool::new(false) }
    }

    /// How many sets searches may use, and the memory that all take.
    pub(super) fn size(&self) -> (usize, usize) {
        let (state, log) = (self.state.lock(), self.log.lock());
        let of_log: usize = log.commits.iter().flat_map(|(_, changed)| &*changed.keys).map(|key| key.len() + 16).sum();
        (state.sets.iter().filter(|set| set.of.is_some()).count(), state.bytes() + of_log)
    }

    /// True if there is a set that searches in a view of `read_ts` may use.
    pub(super) fn has(&self, filter: &Filter, read_ts: Timestamp) -> bool {
        self.has_sets.load(Ordering::Acquire)
            && self.state.lock().sets.iter().any(|set| set.serves(read_ts) && *set.filter == *filter)
    }

    /// What a view of `read_ts`, which was there before, may find; none if that is not known.
    pub(super) fn find(&self, linked: &Linked, filter: &Filter, read_ts: Timestamp) -> Option<Known> {
        let mut state = self.up_to_date(linked);
        let at = state.sets.iter().position(|set| set.serves(read_ts) && *set.filter == *filter)?;
        state.sets[..=at].rotate_right(1);
        let set = state.sets.first_mut()?;
        let is_outdated = set.matching.unsure_len() > unsure_max(&set.matching) && !set.is_in_work;
        let has_grown = set.matching.count_use(&linked.graph);
        let known = Known { matching: set.matching.clone(), outdated: is_outdated.then_some(set.number) };
        if has_grown {
            state.trim(VECTOR_FILTERS_MAX, self.bytes_max);
        }
        Some(known)
    }

    /// True if a set is to be brought up to date and nobody does so yet; who asks does.
    pub(super) fn begin_work(&self, number: u64) -> bool {
        let mut state = self.state.lock();
        state.set_mut(number).is_some_and(|set| !std::mem::replace(&mut set.is_in_work, true))
    }

    /// Counts a search that had no set of its filter; the number of one that is to be made, if that is worth it.
    pub(super) fn count_use(&self, linked: &Linked, filter: &Filter) -> Option<u64> {
        let mut state = self.up_to_date(linked);
        let is_there = state.sets.iter().any(|set| *set.filter == *filter);
        let fits = linked.graph.slots() / 8 <= self.bytes_max;
        if is_there || !fits || !state.seen.count_use(filter) {
            return None;
        }
        state.trim(VECTOR_FILTERS_MAX - 1, self.bytes_max);
        state.numbers += 1;
        let number = state.numbers;
        let set = FilterSet {
            number,
            filter: Arc::new(filter.clone()),
            matching: Matching::default(),
            of: None,
            filter_bytes: 2 * filter.to_string().len(),
            is_in_work: true,
        };
        state.sets.insert(0, set);
        self.has_sets.store(true, Ordering::Release);
        Some(number)
    }

    /// Remembers that more documents match than an index had better be asked for.
    pub(super) fn note_many(&self, filter: &Filter) {
        self.state.lock().seen.note_many(filter);
    }

    /// True if an index need not be asked for the documents that match: they were too many.
    pub(super) fn has_many(&self, filter: &Filter) -> bool {
        self.state.lock().seen.has_many(filter)
    }

    /// What was in a slot was deleted, or what is in it was linked, by the commit `ts`; told while what is linked is locked.
    pub(super) fn relinked(&self, removed: Option<u32>, added: Option<u32>, ts: Timestamp) {
        if !self.has_sets.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.state.lock();
        let ts = ts.max(state.told);
        for set in &mut state.sets {
            removed.into_iter().for_each(|slot| set.matching.remove(slot));
            added.into_iter().for_each(|slot| set.matching.add_unsure(slot, ts));
        }
    }

    /// A commit has changed documents: these, or nobody knows which.
    fn note(&self, ts: Timestamp, changed: Option<&Changed>) {
        let mut log = self.log.lock();
        match changed.filter(|changed| log.weight + changed.weight <= VECTOR_FILTER_CHANGES_MAX && !log.has_gap) {
            Some(changed) => {
                log.weight += changed.weight;
                log.commits.push((ts, changed.clone()));
            }
            None => *log = Log { has_gap: true, ..Log::default() },
        }
    }

    /// True if it is to be told what commits change.
    fn is_watching(&self) -> bool {
        self.has_sets.load(Ordering::Acquire) && !self.log.lock().has_gap
    }

    /// The sets, once they know of all that was told.
    fn up_to_date(&self, linked: &Linked) -> parking_lot::MutexGuard<'_, State> {
        let mut state = self.state.lock();
        let log = std::mem::take(&mut *self.log.lock());
        if log.has_gap {
            state.sets.clear();
        }
        for (ts, changed) in &log.commits {
            state.told = state.told.max(*ts);
            for key in &*changed.keys {
                linked
                    .for_slots_of(key, |slot| state.sets.iter_mut().for_each(|set| set.matching.add_unsure(slot, *ts)));
            }
        }
        if !log.commits.is_empty() {
            state.sets.retain(|set| set.matching.unsure_len() <= VECTOR_FILTER_CHANGES_MAX);
        }
        self.has_sets.store(!state.sets.is_empty(), Ordering::Release);
        state
    }
}

impl State {
    fn set_mut(&mut self, number: u64) -> Option<&mut FilterSet> {
        self.sets.iter_mut().find(|set| set.number == number)
    }

    fn bytes(&self) -> usize {
        self.sets.iter().map(FilterSet::bytes).sum()
    }

    /// As long as there is too much, lets go of what was not used for longest: of copies of codes, which are soon made again,
    /// then of sets, of which one stays.
    fn trim(&mut self, sets_max: usize, bytes_max: usize) {
        self.sets.truncate(sets_max.max(1));
        while self.bytes() > bytes_max {
            match self.sets.iter().rposition(|set| set.matching.gathered().is_some()) {
                Some(last) => self.sets[last].matching.let_go_of_copies(),
                None if self.sets.len() > 1 => self.sets.truncate(self.sets.len() - 1),
                None => break,
            }
        }
    }
}

/// How many documents of a set are looked at one by one.
fn unsure_max(matching: &Matching) -> usize {
    (matching.slots().len() / UNSURE_PART).clamp(UNSURE_MIN, UNSURE_MAX)
}

impl FilterSet {
    fn serves(&self, read_ts: Timestamp) -> bool {
        self.of.is_some_and(|of| of <= read_ts)
    }

    fn bytes(&self) -> usize {
        size_of::<FilterSet>() + self.filter_bytes + self.matching.bytes()
    }
}

impl fmt::Debug for FilterSet {
    /// Without the filter: its values belong to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterSet").field("number", &self.number).field("of", &self.of).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::field;
    use blaze_vector::{Graph, GraphOptions, Metric};

    use super::*;

    #[test]
    fn copies_of_codes_give_way_before_sets_and_what_was_used_last_stays_longest() {
        let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1)).unwrap();
        for position in 0..200u8 {
            let insertion = graph.prepare(&[f32::from(position)]).unwrap();
            graph.insert(insertion);
        }
        let set = |number: u64| {
            let mut matching = Matching::default();
            (0..200).for_each(|slot| matching.add_match(slot));
            assert!([(); 2].map(|()| matching.count_use(&graph))[1]);
            let filter = Arc::new(field("n").eq(number));
            FilterSet { number, filter, matching, of: None, filter_bytes: 0, is_in_work: false }
        };
        let mut state = State { sets: (0..4).map(set).collect(), ..State::default() };
        let copies = |state: &State| {
            state.sets.iter().map(|set| (set.number, set.matching.gathered().is_some())).collect::<Vec<_>>()
        };
        let all = state.bytes();
        state.trim(3, all);
        assert_eq!(copies(&state), [(0, true), (1, true), (2, true)]);
        state.trim(3, state.bytes() - 1);
        assert_eq!(copies(&state), [(0, true), (1, true), (2, false)]);
        state.trim(3, all / 8);
        assert!(copies(&state).iter().all(|(_, has_copies)| !has_copies));
        assert!(state.sets.len() > 1, "sets are kept longer than copies: {} of {all} bytes", state.bytes());
        state.trim(3, 0);
        assert_eq!(copies(&state), [(0, false)], "one stays");
    }
}
