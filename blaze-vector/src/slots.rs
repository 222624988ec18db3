//! Sets of slots: what a filtered search may find.

/// A set of slots of a graph: a bit for each slot, and one for each 64 of them.
///
/// ```
/// use blaze_vector::SlotSet;
///
/// let even: SlotSet = (0..100).filter(|slot| slot % 2 == 0).collect();
/// assert_eq!(even.len(), 50);
/// assert!(even.contains(42) && !even.contains(43) && !even.contains(1_000_000));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SlotSet {
    words: Vec<u64>,
    /// Which of the words are not zero.
    used: Vec<u64>,
    len: usize,
}

impl SlotSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> SlotSet {
        SlotSet::default()
    }

    /// How many slots are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a slot; true if it is new. Takes memory in proportion to the highest slot.
    pub fn insert(&mut self, slot: u32) -> bool {
        let place = slot as usize / 64;
        if place >= self.words.len() {
            self.words.resize(place + 1, 0);
            self.used.resize(place / 64 + 1, 0);
        }
        let bit = 1 << (slot % 64);
        let is_new = self.words[place] & bit == 0;
        self.words[place] |= bit;
        self.used[place / 64] |= 1 << (place % 64);
        self.len += usize::from(is_new);
        is_new
    }

    /// Removes a slot; true if it was there.
    pub fn remove(&mut self, slot: u32) -> bool {
        let place = slot as usize / 64;
        let Some(word) = self.words.get_mut(place) else { return false };
        let bit = 1 << (slot % 64);
        let was_there = *word & bit != 0;
        *word &= !bit;
        if *word == 0 {
            self.used[place / 64] &= !(1 << (place % 64));
        }
        self.len -= usize::from(was_there);
        was_there
    }

    /// True if the slot is in it.
    #[inline(always)]
    #[must_use]
    pub fn contains(&self, slot: u32) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }

    /// The slots, ascending. Passing over 4,096 absent ones costs one step.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (mut words, mut rest) = (self.used.iter().zip(0u32..), 0);
        let (mut used, mut first, mut place) = (0, 0, 0);
        std::iter::from_fn(move || {
            while rest == 0 {
                while used == 0 {
                    (used, first) = words.next().map(|(&used, at)| (used, at * 64))?;
                }
                place = first + used.trailing_zeros();
                used &= used - 1;
                rest = self.words[place as usize];
            }
            let slot = place * 64 + rest.trailing_zeros();
            rest &= rest - 1;
            Some(slot)
        })
    }

    /// The memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<SlotSet>() + (self.words.capacity() + self.used.capacity()) * 8
    }
}

impl FromIterator<u32> for SlotSet {
    fn from_iter<I: IntoIterator<Item = u32>>(slots: I) -> SlotSet {
        let mut set = SlotSet::new();
        set.extend(slots);
        set
    }
}

impl Extend<u32> for SlotSet {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, slots: I) {
        slots.into_iter().for_each(|slot| {
            self.insert(slot);
        });
    }
}

impl PartialEq for SlotSet {
    /// By the slots, whatever room there is for more.
    fn eq(&self, other: &SlotSet) -> bool {
        self.len == other.len && self.words.iter().zip(&other.words).all(|(a, b)| a == b)
    }
}

impl Eq for SlotSet {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(changes in proptest::collection::vec((prop_oneof![0u32..500, 8_000..8_200u32], any::<bool>()), 0..200)) {
            let (mut set, mut model) = (SlotSet::new(), BTreeSet::new());
            for (slot, adds) in changes {
                match adds {
                    true => prop_assert_eq!(set.insert(slot), model.insert(slot)),
                    false => prop_assert_eq!(set.remove(slot), model.remove(&slot)),
                }
                prop_assert_eq!(set.len(), model.len());
            }
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert!((0..8_300).all(|slot| set.contains(slot) == model.contains(&slot)));
            prop_assert_eq!(&model.iter().copied().collect::<SlotSet>(), &set);
            prop_assert_eq!(set.is_empty(), model.is_empty());
        }
    }

    #[test]
    fn sets_with_the_same_slots_are_equal_whatever_room_they_have() {
        let mut wide: SlotSet = [1, 1_000].into_iter().collect();
        wide.remove(1_000);
        let narrow: SlotSet = [1].into_iter().collect();
        assert_eq!(wide, narrow);
        assert_ne!(narrow, [2].into_iter().collect());
    }
}
