//! Slots by hashes of what they stand for.

/// No slot.
const NONE: u32 = u32::MAX;

/// Slots of a graph, each at the first free place from that of its hash on (linear probing): four bytes for each, and half as
/// much for free places. What they stand for, and the hashes of that, are kept elsewhere and asked for when the table changes.
///
/// ```
/// use blaze_vector::SlotTable;
///
/// let names = ["ada", "bo", "cy"];
/// let hash = |name: &str| name.len() as u32; // any function, the better the quicker
/// let mut table = SlotTable::with_room(names.len());
/// for (slot, name) in (0..).zip(names) {
///     table.insert(hash(name), slot, |slot| hash(names[slot as usize]));
/// }
/// assert_eq!(table.find(hash("cy"), |slot| names[slot as usize] == "cy"), Some(2));
/// assert_eq!(table.find(hash("di"), |slot| names[slot as usize] == "di"), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct SlotTable {
    places: Vec<u32>,
    used: usize,
}

impl SlotTable {
    /// An empty table with room for so many slots.
    #[must_use]
    pub fn with_room(slots: usize) -> SlotTable {
        SlotTable { places: vec![NONE; if slots == 0 { 0 } else { length_for(slots) }], used: 0 }
    }

    /// How many slots it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }

    /// True if it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// A slot that is meant. `is_meant` is asked of all that may have this hash, and of others, until it says so.
    pub fn find(&self, hash: u32, is_meant: impl FnMut(u32) -> bool) -> Option<u32> {
        self.place(hash, is_meant).map(|place| self.places[place])
    }

    /// Has another slot of the same hash stand where the one that is meant does; false if there is none.
    pub fn replace(&mut self, hash: u32, is_meant: impl FnMut(u32) -> bool, slot: u32) -> bool {
        let place = self.place(hash, is_meant);
        place.into_iter().for_each(|place| self.places[place] = slot);
        place.is_some()
    }

    /// Adds a slot, which is not there yet. `hash_of` is asked for the hashes of all others where the table has to grow, by half.
    pub fn insert(&mut self, hash: u32, slot: u32, hash_of: impl Fn(u32) -> u32) {
        if (self.used + 1) * 5 > self.places.len() * 4 {
            let length = length_for(self.used + 1);
            let slots = std::mem::replace(&mut self.places, vec![NONE; length]);
            slots.into_iter().filter(|slot| *slot != NONE).for_each(|slot| self.put(hash_of(slot), slot));
        }
        self.put(hash, slot);
        self.used += 1;
    }

    /// Takes a slot that is meant out; others whose hashes are asked for move into its place.
    pub fn remove(
        &mut self,
        hash: u32,
        is_meant: impl FnMut(u32) -> bool,
        hash_of: impl Fn(u32) -> u32,
    ) -> Option<u32> {
        let mut gap = self.place(hash, is_meant)?;
        let slot = std::mem::replace(&mut self.places[gap], NONE);
        self.used -= 1;
        // What follows without a gap may belong before it.
        let length = self.places.len();
        let mut at = (gap + 1) % length;
        while self.places[at] != NONE {
            let home = self.home(hash_of(self.places[at]));
            let from_home = |place: usize| (place + length - home) % length;
            if from_home(gap) < from_home(at) {
                self.places.swap(gap, at);
                gap = at;
            }
            at = (at + 1) % length;
        }
        Some(slot)
    }

    /// Every slot, in no order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.places.iter().copied().filter(|slot| *slot != NONE)
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<u32>()
    }

    fn put(&mut self, hash: u32, slot: u32) {
        let mut at = self.home(hash);
        while self.places[at] != NONE {
            at = (at + 1) % self.places.len();
        }
        self.places[at] = slot;
    }

    fn place(&self, hash: u32, mut is_meant: impl FnMut(u32) -> bool) -> Option<usize> {
        let mut at = self.home(hash);
        while *self.places.get(at)? != NONE {
            if is_meant(self.places[at]) {
                return Some(at);
            }
            at = (at + 1) % self.places.len();
        }
        None
    }

    /// A product of two numbers below 2^32, shifted, is below the second.
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.places.len() as u64) >> 32) as usize
    }
}

/// How many places there are for so many slots: at first, and after each growth.
fn length_for(slots: usize) -> usize {
    16.max(slots + slots / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Few hashes, so that many are equal or follow one another.
    fn hash_of(slot: u32) -> u32 {
        (slot / 3 % 7).wrapping_mul(0x2000_0001)
    }

    proptest! {
        #[test]
        fn it_has_what_was_inserted_and_not_removed(steps in proptest::collection::vec((any::<bool>(), 0_u32..60), 0..300)) {
            let (mut table, mut model) = (SlotTable::default(), Vec::new());
            for (inserts, slot) in steps {
                let there = table.find(hash_of(slot), |other| other == slot);
                prop_assert_eq!(there.is_some(), model.contains(&slot));
                match (inserts, there) {
                    (true, None) => {
                        table.insert(hash_of(slot), slot, hash_of);
                        model.push(slot);
                    }
                    (false, _) => {
                        prop_assert_eq!(table.remove(hash_of(slot), |other| other == slot, hash_of), there);
                        model.retain(|other| *other != slot);
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), model.len());
            }
            let mut all: Vec<u32> = table.iter().collect();
            all.sort_unstable();
            model.sort_unstable();
            prop_assert_eq!(all, model);
        }
    }

    #[test]
    fn of_slots_with_the_same_hash_each_is_found_and_another_may_take_its_place() {
        let mut table = SlotTable::default();
        assert_eq!(table.find(1, |_| true), None);
        (0..100).for_each(|slot| table.insert(1, slot, |_| 1));
        assert!((0..100).all(|slot| table.find(1, |other| other == slot) == Some(slot)));
        assert!(table.replace(1, |slot| slot == 6, 600) && !table.replace(1, |slot| slot == 6, 601));
        assert_eq!(
            (table.find(1, |slot| slot == 6), table.find(1, |slot| slot == 600), table.len()),
            (None, Some(600), 100)
        );
    }

    #[test]
    fn a_slot_takes_no_more_than_six_bytes_once_there_are_some() {
        let mut table = SlotTable::default();
        for slot in 0..5_000_u32 {
            table.insert(slot.wrapping_mul(0x9E37_79B9), slot, |slot| slot.wrapping_mul(0x9E37_79B9));
            assert!(slot < 20 || table.bytes() <= 6 * (slot as usize + 1) + 16, "{} bytes for {slot}", table.bytes());
        }
        let empty = SlotTable::with_room(0);
        assert!(empty.bytes() == 0 && empty.is_empty() && SlotTable::with_room(100).bytes() == 600);
    }
}
