//! The candidates of a search: one sorted list, which for the few hundred entries of a search beats two heaps.

/// The best candidates so far, nearest first, each marked once it was expanded.
///
/// Rejected candidates lead the way and do not count: the list is cut behind the `capacity`-th accepted one.
#[derive(Debug, Default)]
pub(super) struct Pool {
    entries: Vec<u64>,
    capacity: usize,
    accepted: usize,
    /// How many candidates at the same distance count; further ones are as rejected. Or copies of one vector would fill the
    /// pool, and no walk would leave them.
    ties_max: usize,
    /// Every entry before it is expanded.
    cursor: usize,
}

/// A node in the lower half of an entry, under the distance in the order of numbers; so nodes are below [`NODES_MAX`].
const NODE: u64 = (1 << 30) - 1;
const EXPANDED: u64 = 1 << 31;
const REJECTED: u64 = 1 << 30;

/// How many nodes a graph can have.
pub(super) const NODES_MAX: usize = NODE as usize;

/// How many rejected candidates are kept for each accepted one that fits.
const REJECTED_PER_ACCEPTED: usize = 16;

fn entry(distance: f32, node: u32) -> u64 {
    let bits = (distance + 0.0).to_bits(); // zero has one sign
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    (u64::from(ordered) << 32) | u64::from(node)
}

fn distance(entry: u64) -> f32 {
    let ordered = (entry >> 32) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

impl Pool {
    pub(super) fn reset(&mut self, capacity: usize, ties_max: usize) {
        self.entries.clear();
        self.capacity = capacity.max(1);
        self.ties_max = ties_max.max(1);
        self.accepted = 0;
        self.cursor = 0;
    }

    /// The distance at which a candidate is too far to enter.
    #[inline(always)]
    pub(super) fn bound(&self) -> f32 {
        match self.entries.last() {
            Some(&last) if self.is_full() => distance(last),
            _ => f32::INFINITY,
        }
    }

    fn is_full(&self) -> bool {
        self.accepted >= self.capacity || self.entries.len() >= self.capacity.saturating_mul(REJECTED_PER_ACCEPTED)
    }

    #[inline]
    pub(super) fn insert(&mut self, distance: f32, node: u32, is_accepted: bool) {
        let new = entry(distance, node);
        let place = self.entries.partition_point(|&old| old & !(EXPANDED | REJECTED) < new);
        let is_accepted = is_accepted && !self.is_one_too_many(place, distance);
        self.entries.insert(place, if is_accepted { new } else { new | REJECTED });
        self.cursor = self.cursor.min(place);
        self.accepted += usize::from(is_accepted);
        while self.accepted > self.capacity
            || self.entries.len() > self.capacity.saturating_mul(REJECTED_PER_ACCEPTED)
            || (self.accepted == self.capacity && self.entries.last().is_some_and(|last| last & REJECTED != 0))
        {
            let Some(last) = self.entries.pop() else { return };
            self.accepted -= usize::from(last & REJECTED == 0);
        }
    }

    /// True if as many candidates as count lie around `place` at the same distance.
    #[inline]
    fn is_one_too_many(&self, place: usize, distance: f32) -> bool {
        let wanted = entry(distance, 0) >> 32;
        let is_tie = |entry: &&u64| *entry >> 32 == wanted;
        let before = self.entries[..place].iter().rev().take_while(is_tie).take(self.ties_max).count();
        before + self.entries[place..].iter().take_while(is_tie).take(self.ties_max).count() >= self.ties_max
    }

    /// The nearest candidate that was not expanded, which it marks.
    #[inline]
    pub(super) fn expand(&mut self) -> Option<u32> {
        while let Some(entry) = self.entries.get_mut(self.cursor) {
            self.cursor += 1;
            if *entry & EXPANDED == 0 {
                *entry |= EXPANDED;
                return Some((*entry & NODE) as u32);
            }
        }
        None
    }

    /// What [`expand`](Pool::expand) would return, unless a nearer one enters.
    #[inline]
    pub(super) fn upcoming(&self) -> Option<u32> {
        let rest = self.entries.get(self.cursor..)?;
        rest.iter().find(|&&entry| entry & EXPANDED == 0).map(|entry| (entry & NODE) as u32)
    }

    /// The accepted candidates, nearest first.
    pub(super) fn accepted(&self) -> impl Iterator<Item = (f32, u32)> {
        let accepted = self.entries.iter().filter(|&&entry| entry & REJECTED == 0);
        accepted.map(|&entry| (distance(entry), (entry & NODE) as u32))
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_keeps_the_nearest_accepted_ones_and_expands_the_nearest_first(
            offers in proptest::collection::vec((-50i8..50, any::<bool>(), any::<bool>()), 0..200),
            capacity in 1usize..20,
        ) {
            let mut pool = Pool::default();
            pool.reset(capacity, usize::MAX);
            let mut all: Vec<(f32, u32, bool)> = Vec::new();
            let mut expanded = Vec::new();
            for (node, (distance, is_accepted, expands)) in offers.into_iter().enumerate() {
                let offer = (f32::from(distance), node as u32);
                if offer.0 < pool.bound() {
                    pool.insert(offer.0, offer.1, is_accepted);
                    all.push((offer.0, offer.1, is_accepted));
                }
                if expands {
                    let upcoming = pool.upcoming();
                    let next = pool.expand();
                    prop_assert_eq!(upcoming, next);
                    expanded.extend(next);
                }
            }
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let nearest: Vec<_> =
                all.iter().filter(|offer| offer.2).map(|offer| (offer.0, offer.1)).take(capacity).collect();
            let found: Vec<_> = pool.accepted().collect();
            // Rejected ones may crowd out the last accepted ones, and only then.
            if found.len() < nearest.len() {
                prop_assert!(all.len() > capacity * REJECTED_PER_ACCEPTED);
            }
            prop_assert_eq!(&found[..], &nearest[..found.len()]);
            let count = expanded.len();
            expanded.sort_unstable();
            expanded.dedup();
            prop_assert_eq!(expanded.len(), count, "no node is expanded twice");
        }
    }

    #[test]
    fn copies_beyond_those_that_count_leave_room_for_others() {
        let mut pool = Pool::default();
        pool.reset(5, 3);
        (0..20).for_each(|node| pool.insert(1.0, node, true));
        (20..30).for_each(|node| pool.insert(node as f32, node, true));
        let found: Vec<u32> = pool.accepted().map(|(_, node)| node).collect();
        assert_eq!(found, [0, 1, 2, 20, 21]);
    }

    #[test]
    fn every_distance_reads_back_and_keeps_its_order() {
        let distances = [f32::NEG_INFINITY, -1e38, -1.0, -1e-40, 0.0, 1e-40, 1.0, 3.5, 1e38, f32::INFINITY];
        for pair in distances.windows(2) {
            assert!(entry(pair[0], 9) < entry(pair[1], 3), "{pair:?}");
            assert_eq!(distance(entry(pair[1], 3)), pair[1]);
        }
        assert_eq!(entry(-0.0, 3), entry(0.0, 3));
    }
}
