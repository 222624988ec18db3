//! What plans cost, in entries of an index that are walked over.

/// A document that is read by its id, against an entry that is walked over.
const FETCH: u64 = 8;

/// A document of a scan, against an entry that is walked over.
const SCANNED: u64 = 3;

/// Documents that are rather read in order one by one than sorted in memory.
const SORTED_IN_MEMORY_MAX: u64 = 100_000;

/// What is known of a plan that is to be compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    /// Entries that are read when nothing ends the plan early.
    pub(super) entries: u64,
    /// Documents that are fetched then.
    pub(super) fetched: u64,
    /// Of the documents found, those that match.
    pub(super) matching: u64,
    /// True if what it finds has to be sorted.
    pub(super) needs_sort: bool,
    /// Documents after which it may end.
    pub(super) window: Option<usize>,
}

impl Work {
    pub(super) fn cost(self) -> u64 {
        let whole = self.entries.saturating_add(self.fetched.saturating_mul(FETCH));
        match self.window {
            _ if self.needs_sort && self.window.is_none() && self.fetched > SORTED_IN_MEMORY_MAX => u64::MAX,
            _ if self.needs_sort => whole.saturating_add(self.matching),
            None => whole,
            Some(window) => {
                // Matches are thought to be evenly spread over what is read.
                let part = (window as u64).min(self.matching);
                let ended = u128::from(whole) * u128::from(part) / u128::from(self.matching.max(1));
                u64::try_from(ended).unwrap_or(u64::MAX)
            }
        }
    }
}

/// What it costs to read all documents.
pub(super) fn of_scan(documents: u64, matching: u64, needs_sort: bool) -> u64 {
    documents.saturating_mul(SCANNED).saturating_add(if needs_sort { matching } else { 0 })
}

/// True if a set of the ids of `entries` spares more documents than it costs, when `fetched` of all are left without it.
pub(super) fn set_is_worthwhile(entries: u64, fetched: u64, documents: u64) -> bool {
    let spared = fetched.saturating_sub(in_common(entries, fetched, documents));
    entries < spared.saturating_mul(FETCH)
}

/// How many documents two sets have in common, if they have nothing to do with each other.
pub(super) fn in_common(a: u64, b: u64, documents: u64) -> u64 {
    let common = u128::from(a) * u128::from(b) / u128::from(documents.max(1));
    u64::try_from(common).unwrap_or(u64::MAX).min(a).min(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(entries: u64, matching: u64) -> Work {
        Work { entries, fetched: entries, matching, needs_sort: false, window: None }
    }

    #[test]
    fn a_window_makes_an_ordered_walk_cheap_when_enough_of_it_matches() {
        let ordered = Work { window: Some(20), ..work(100_000, 50_000) };
        let filtered = Work { needs_sort: true, window: Some(20), ..work(1_000, 1_000) };
        assert!(ordered.cost() < filtered.cost());
        let rare = Work { matching: 100, ..ordered };
        assert!(rare.cost() > filtered.cost());
    }

    #[test]
    fn what_memory_could_not_sort_is_read_in_order() {
        let unordered = Work { needs_sort: true, ..work(1_000_000, 1_000_000) };
        assert!(work(5_000_000, 1_000_000).cost() < unordered.cost());
    }

    #[test]
    fn a_set_is_built_when_it_spares_more_than_it_costs() {
        assert!(set_is_worthwhile(2_000, 1_000, 100_000));
        assert!(!set_is_worthwhile(90_000, 1_000, 100_000), "nearly everything is in it");
        assert!(!set_is_worthwhile(2_000, 100, 100_000), "there is little to be spared");
        assert_eq!(in_common(1_000, 2_000, 10_000), 200);
        assert_eq!(in_common(5, 7, 0), 5);
    }
}
