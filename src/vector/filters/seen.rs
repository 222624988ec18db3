//! The filters that were searched with lately.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use blaze_core::Filter;

/// Filters that are remembered.
const SEEN_MAX: usize = 256;

/// Uses of a filter after which what matches it is worth keeping.
const USES_MIN: u32 = 2;

/// Searches that do without the index because it found too many, before it is asked again.
const MANY_TIMES: u32 = 64;

/// The filters that were searched with lately, by their hashes: two that are taken for one cost a little work, and no more.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The last one first.
    filters: VecDeque<SeenFilter>,
    hasher: RandomState,
}

#[derive(Debug)]
struct SeenFilter {
    hash: u64,
    uses: u32,
    /// How many more searches need not ask an index.
    many: u32,
}

impl Seen {
    /// Counts a use of a filter; true if what matches it is worth keeping.
    pub(super) fn count_use(&mut self, filter: &Filter) -> bool {
        let seen = self.filter(filter);
        seen.uses += 1;
        let is_worth_it = seen.uses >= USES_MIN;
        if is_worth_it {
            seen.uses = 0;
        }
        is_worth_it
    }

    pub(super) fn note_many(&mut self, filter: &Filter) {
        self.filter(filter).many = MANY_TIMES;
    }

    /// True if more matched than an index had better be asked for.
    pub(super) fn has_many(&mut self, filter: &Filter) -> bool {
        if self.filters.iter().all(|seen| seen.many == 0) {
            return false;
        }
        let seen = self.filter(filter);
        let has_many = seen.many > 0;
        seen.many = seen.many.saturating_sub(1);
        has_many
    }

    /// What is remembered of a filter, which is then the last that is forgotten.
    fn filter(&mut self, filter: &Filter) -> &mut SeenFilter {
        let hash = self.hasher.hash_one(filter.to_stored());
        let at = self.filters.iter().position(|seen| seen.hash == hash);
        let seen = at.and_then(|at| self.filters.remove(at)).unwrap_or(SeenFilter { hash, uses: 0, many: 0 });
        self.filters.truncate(SEEN_MAX - 1);
        self.filters.push_front(seen);
        &mut self.filters[0]
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::field;

    use super::*;

    #[test]
    fn the_second_use_counts_unless_many_other_filters_were_used_between() {
        let mut seen = Seen::default();
        let year = |n: usize| field("year").eq(n as u64);
        assert_eq!([1, 1, 1, 1].map(|n| seen.count_use(&year(n))), [false, true, false, true]);
        assert!(!seen.count_use(&year(2)));
        (0..SEEN_MAX - 1).for_each(|n| assert!(!seen.count_use(&year(1_000 + n))));
        assert!(seen.count_use(&year(2)), "it was the last to be forgotten");
        (0..SEEN_MAX).for_each(|n| assert!(!seen.count_use(&year(2_000 + n))));
        assert!(!seen.count_use(&year(2)), "it is forgotten");
        assert_eq!(seen.filters.len(), SEEN_MAX);
    }

    #[test]
    fn an_index_that_finds_too_many_is_asked_again_after_a_while() {
        let mut seen = Seen::default();
        let (many, other) = (field("n").ge(0), field("n").ge(1));
        assert!(!seen.has_many(&many));
        seen.note_many(&many);
        assert!((0..MANY_TIMES).all(|_| seen.has_many(&many) && !seen.has_many(&other)));
        assert!(!seen.has_many(&many));
    }
}
