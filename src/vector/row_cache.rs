//! Rows of vectors in memory, by the slots of their nodes.
//!
//! A search compares a few rows in full, and asking the store for them took three quarters of its time (measured 2026-11-22:
//! 60,000 vectors of 784 numbers, 23 rows of each search).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use blaze_vector::kernel::prefetch;
use parking_lot::RwLock;

/// Rows that are allocated together.
const CHUNK_ROWS: usize = 64;

/// No slot, or no place.
const NONE: u32 = u32::MAX;

/// What a row costs beside its bytes: its slot, its place, and whether it was used.
pub(super) const ROW_OVERHEAD_BYTES: usize = 4 + 4 + 1;

/// Rows by slot, as many as there is memory for; of those that were not read for a while, others take the place.
///
/// The owner sees to it that a row is that of the node in its slot, and has it forgotten with the node.
#[derive(Default)]
pub(super) struct RowCache {
    rows: RwLock<Rows>,
}

#[derive(Default)]
struct Rows {
    limit_bytes: usize,
    /// All rows of an index have the same; 0 before the first.
    row_bytes: usize,
    /// The places of slots.
    places: Vec<u32>,
    /// What stands in the places.
    entries: Vec<Entry>,
    chunks: Vec<Box<[u8]>>,
    /// The place that is looked at next when one is needed, as the hand of a clock goes.
    hand: usize,
}

struct Entry {
    slot: u32,
    /// Read since the hand was here.
    used: AtomicBool,
}

impl RowCache {
    /// Has the rows take so many bytes at most.
    pub(super) fn set_limit(&self, bytes: usize) {
        let mut rows = self.rows.write();
        rows.limit_bytes = bytes;
        while rows.bytes() > bytes && rows.drop_chunk() {}
        if rows.bytes() > bytes {
            *rows = Rows { limit_bytes: bytes, ..Rows::default() };
        }
    }

    /// True if there may be rows.
    pub(super) fn is_enabled(&self) -> bool {
        self.rows.read().limit_bytes > 0
    }

    /// Calls `visit` with the position of each slot whose row is here, and with the row.
    pub(super) fn visit<E>(
        &self,
        slots: impl Iterator<Item = (usize, u32)>,
        mut visit: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = self.rows.read();
        // Rows lie anywhere: one is fetched while the one before it is visited.
        let mut fetched = None;
        for (position, slot) in slots {
            let Some(row) = rows.get(slot) else { continue };
            prefetch(row);
            if let Some((position, row)) = fetched.replace((position, row)) {
                visit(position, row)?;
            }
        }
        fetched.map_or(Ok(()), |(position, row)| visit(position, row))
    }

    /// Takes in the rows of slots; none while others read or do the same, as nobody is to wait for it.
    pub(super) fn fill<'a>(&self, slots: impl Iterator<Item = (u32, &'a [u8])>) {
        if let Some(mut rows) = self.rows.try_write() {
            slots.for_each(|(slot, row)| rows.put(slot, row));
        }
    }

    /// The slot has no row any more.
    pub(super) fn forget(&mut self, slot: u32) {
        self.rows.get_mut().forget(slot);
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.rows.read().bytes()
    }
}

impl Rows {
    fn bytes(&self) -> usize {
        let chunks = self.chunks.len() * CHUNK_ROWS * self.row_bytes;
        chunks + self.places.capacity() * size_of::<u32>() + self.entries.capacity() * size_of::<Entry>()
    }

    fn get(&self, slot: u32) -> Option<&[u8]> {
        let place = *self.places.get(slot as usize)? as usize;
        let entry = self.entries.get(place)?;
        if !entry.used.load(Ordering::Relaxed) {
            entry.used.store(true, Ordering::Relaxed);
        }
        let begin = place % CHUNK_ROWS * self.row_bytes;
        self.chunks.get(place / CHUNK_ROWS)?.get(begin..begin + self.row_bytes)
    }

    fn put(&mut self, slot: u32, row: &[u8]) {
        if self.row_bytes == 0 {
            self.row_bytes = row.len();
        }
        if row.len() != self.row_bytes || row.is_empty() || self.get(slot).is_some() {
            return; // one of another length is damaged: the store will say so
        }
        let Some(place) = self.place() else { return };
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NONE);
        }
        let begin = place % CHUNK_ROWS * self.row_bytes;
        let room = self.chunks.get_mut(place / CHUNK_ROWS).and_then(|chunk| chunk.get_mut(begin..begin + row.len()));
        if let Some(room) = room {
            room.copy_from_slice(row);
            self.places[slot as usize] = place as u32;
            self.entries[place] = Entry { slot, used: AtomicBool::new(false) };
        }
    }

    /// A place that nobody has, or that of a row that was not read for a while; none where there is no memory for a chunk.
    fn place(&mut self) -> Option<usize> {
        let new = self.entries.len();
        let is_open = new < self.chunks.len() * CHUNK_ROWS;
        let chunk_bytes = CHUNK_ROWS * (self.row_bytes + ROW_OVERHEAD_BYTES);
        if is_open || self.bytes() + chunk_bytes <= self.limit_bytes {
            if !is_open {
                self.chunks.push(vec![0; CHUNK_ROWS * self.row_bytes].into());
            }
            self.entries.push(Entry { slot: NONE, used: AtomicBool::new(false) });
            return Some(new);
        }
        if self.entries.is_empty() {
            return None;
        }
        // In the second round, none counts as used.
        loop {
            let place = self.hand;
            self.hand = (place + 1) % self.entries.len();
            let Entry { slot, used } = &mut self.entries[place];
            if *slot == NONE || !std::mem::take(used.get_mut()) {
                if let Some(there) = self.places.get_mut(*slot as usize) {
                    *there = NONE;
                }
                *slot = NONE;
                return Some(place);
            }
        }
    }

    /// Lets go of the last rows; false if there are none.
    fn drop_chunk(&mut self) -> bool {
        if self.chunks.pop().is_none() {
            return false;
        }
        for entry in self.entries.split_off((self.chunks.len() * CHUNK_ROWS).min(self.entries.len())) {
            if let Some(place) = self.places.get_mut(entry.slot as usize) {
                *place = NONE;
            }
        }
        self.entries.shrink_to_fit();
        self.hand = 0;
        true
    }

    fn forget(&mut self, slot: u32) {
        let place = self.places.get_mut(slot as usize).map(|place| std::mem::replace(place, NONE));
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place as usize)) {
            *entry = Entry { slot: NONE, used: AtomicBool::new(false) };
        }
    }
}

impl fmt::Debug for RowCache {
    /// Without rows: they belong to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowCache").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    const ROW_BYTES: usize = 16;

    fn row(content: u8) -> [u8; ROW_BYTES] {
        [content; ROW_BYTES]
    }

    fn get(cache: &RowCache, slot: u32) -> Option<Vec<u8>> {
        let mut found = None;
        let read: Result<(), Infallible> = cache.visit([(0, slot)].into_iter(), |_, row| {
            found = Some(row.to_vec());
            Ok(())
        });
        read.unwrap();
        found
    }

    proptest! {
        #[test]
        fn a_row_is_the_last_that_its_slot_was_given_or_is_not_there(
            limit_rows in 0_usize..400,
            steps in prop::collection::vec((0_u32..600, any::<u8>(), 0_u8..4), 1..1_500),
        ) {
            let mut cache = RowCache::default();
            let limit_bytes = limit_rows * (ROW_BYTES + ROW_OVERHEAD_BYTES) + 4 * 600;
            cache.set_limit(limit_bytes);
            let mut given: HashMap<u32, u8> = HashMap::new();
            for (slot, content, step) in steps {
                match step {
                    0 => {
                        cache.forget(slot);
                        given.remove(&slot);
                        prop_assert_eq!(get(&cache, slot), None);
                    }
                    _ => {
                        // The row of a node does not change: a slot is forgotten with its node.
                        let content = *given.entry(slot).or_insert(content);
                        cache.fill([(slot, &row(content)[..])].into_iter());
                    }
                }
                if let Some(found) = get(&cache, slot) {
                    prop_assert_eq!(Some(&found[0]), given.get(&slot));
                }
            }
            for slot in 0..600 {
                if let Some(found) = get(&cache, slot) {
                    prop_assert_eq!(found, given.get(&slot).map(|content| row(*content).to_vec()).unwrap());
                }
            }
        }
    }

    #[test]
    fn rows_that_are_read_stay_and_others_give_way() {
        let cache = RowCache::default();
        cache.set_limit(16_384);
        cache.fill((0..64).map(|slot| (slot, &[1; 64][..])));
        for round in 0..50 {
            assert!(get(&cache, 7).is_some(), "it was read before round {round}");
            cache.fill((0..16).map(|slot| (64 + round * 16 + slot, &[2; 64][..])));
        }
        assert!(get(&cache, 8).is_none(), "it was never read");
    }

    #[test]
    fn memory_stays_within_the_limit_and_none_is_taken_without_one() {
        let cache = RowCache::default();
        cache.fill([(0, &row(1)[..])].into_iter());
        assert_eq!((get(&cache, 0), cache.is_enabled(), cache.bytes()), (None, false, 0));
        cache.set_limit(40_000);
        cache.fill((0..10_000).map(|slot| (slot % 1_000, &[1; ROW_BYTES][..])));
        let bytes = cache.bytes();
        assert!(bytes > 10_000 && bytes < 48_000, "{bytes} bytes");
        cache.set_limit(5_000);
        assert!(cache.bytes() <= 5_000, "what is beyond a smaller limit goes at once: {} bytes", cache.bytes());
        cache.set_limit(0);
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn a_row_of_another_length_is_not_taken() {
        let cache = RowCache::default();
        cache.set_limit(100_000);
        cache.fill([(0, &row(1)[..]), (1, &[0; 3][..]), (2, &[][..])].into_iter());
        assert!(get(&cache, 0).is_some() && get(&cache, 1).is_none() && get(&cache, 2).is_none());
    }
}
