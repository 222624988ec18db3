//! Which slot of a graph is whose.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use blaze_core::{Error, Result};
use blaze_vector::BLOCK_NODES;

/// Slots whose keys lie together: the longer, the less memory and the more steps to a key.
const GROUP: usize = 16;

/// Groups whose keys are stored together.
const GROUPS_PER_BLOCK: usize = BLOCK_NODES / GROUP;

/// No slot.
const NONE: u32 = u32::MAX;

/// What slots of a graph stand for: keys, and the one slot of each that holds its newest vector.
///
/// A key takes its bytes and about 3 more, and 6 in the table that finds its slot.
pub(super) struct Ids {
    /// The keys of 16 slots, each behind its length.
    groups: Vec<Box<[u8]>>,
    /// The slots of keys, each at the first free place from that of its hash on.
    table: Vec<u32>,
    found: usize,
    hasher: RandomState,
    key_bytes: usize,
}

impl Ids {
    pub(super) fn new() -> Ids {
        Ids { groups: Vec::new(), table: Vec::new(), found: 0, hasher: RandomState::new(), key_bytes: 0 }
    }

    /// How many keys have a slot.
    pub(super) fn len(&self) -> usize {
        self.found
    }

    /// The key of a slot, also when another slot has its newest vector.
    pub(super) fn key(&self, slot: u32) -> Option<&[u8]> {
        let (group, place) = place_of(slot);
        let mut rest = &**self.groups.get(group)?;
        for _ in 0..place {
            (_, rest) = split_key(rest)?;
        }
        split_key(rest).map(|(key, _)| key).filter(|key| !key.is_empty())
    }

    /// The slot that has the newest vector of a key.
    pub(super) fn slot(&self, key: &[u8]) -> Option<u32> {
        self.find(key).map(|at| self.table[at])
    }

    /// Has a slot stand for a key and have its newest vector.
    pub(super) fn set(&mut self, slot: u32, key: &[u8]) {
        self.write(slot, key);
        match self.find(key) {
            Some(at) => self.table[at] = slot,
            None => self.add(slot, key),
        }
    }

    /// Has a slot that stands for a key have its newest vector; false if it stands for none, or another one has it.
    pub(super) fn adopt(&mut self, slot: u32) -> bool {
        match self.key(slot).map(<[u8]>::to_vec) {
            Some(key) if self.find(&key).is_none() => {
                self.add(slot, &key);
                true
            }
            _ => false,
        }
    }

    /// Appends the keys of a block of slots.
    pub(super) fn write_block(&self, number: u32, bytes: &mut Vec<u8>) {
        let begin = number as usize * GROUPS_PER_BLOCK;
        let end = (begin + GROUPS_PER_BLOCK).min(self.groups.len());
        self.groups.get(begin..end).unwrap_or_default().iter().for_each(|group| bytes.extend_from_slice(group));
    }

    /// Takes in the keys of the next block of slots, each without what its newest vector is.
    pub(super) fn read_block(&mut self, number: u32, bytes: &[u8]) -> Result<()> {
        let damaged = || Error::corruption(format!("block {number} of the keys of a graph does not parse"));
        if number as usize * GROUPS_PER_BLOCK != self.groups.len() {
            return Err(damaged());
        }
        let mut rest = bytes;
        for _ in 0..GROUPS_PER_BLOCK {
            let begin = rest;
            if rest.is_empty() {
                break;
            }
            for _ in 0..GROUP {
                (_, rest) = split_key(rest).ok_or_else(damaged)?;
            }
            let group = &begin[..begin.len() - rest.len()];
            self.key_bytes += group.len();
            self.groups.push(group.into());
        }
        if rest.is_empty() { Ok(()) } else { Err(damaged()) }
    }

    /// The key has no vector any more; answers the slot that had it, which still stands for the key.
    pub(super) fn remove(&mut self, key: &[u8]) -> Option<u32> {
        let mut gap = self.find(key)?;
        let slot = std::mem::replace(&mut self.table[gap], NONE);
        self.found -= 1;
        // What follows without a gap may belong before it.
        let length = self.table.len();
        let mut at = gap;
        loop {
            at = (at + 1) % length;
            let Some(key) = Some(self.table[at]).filter(|slot| *slot != NONE).and_then(|slot| self.key(slot)) else {
                return Some(slot);
            };
            let home = self.home(key);
            let from_home = |place: usize| (place + length - home) % length;
            if from_home(gap) < from_home(at) {
                self.table.swap(gap, at);
                gap = at;
            }
        }
    }

    /// The slot stands for nothing any more. No key may have its newest vector there.
    pub(super) fn clear(&mut self, slot: u32) {
        self.write(slot, &[]);
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        /// A box and what an allocation costs.
        const GROUP_BYTES: usize = 16 + 16;
        self.key_bytes + self.groups.capacity() * GROUP_BYTES + self.table.capacity() * 4
    }

    fn write(&mut self, slot: u32, key: &[u8]) {
        let (group, place) = place_of(slot);
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, || vec![0; GROUP].into());
        }
        let Some(before) = self.groups.get_mut(group) else { return };
        let mut after = Vec::with_capacity(before.len() + key.len() + 2);
        let mut rest = &**before;
        for at in 0..GROUP {
            let Some((own, tail)) = split_key(rest) else { break };
            rest = tail;
            write_key(&mut after, if at == place { key } else { own });
        }
        self.key_bytes = self.key_bytes + after.len() - before.len();
        *before = after.into_boxed_slice();
    }

    fn add(&mut self, slot: u32, key: &[u8]) {
        if (self.found + 1) * 5 > self.table.len() * 4 {
            let length = 16.max(self.table.len() * 3 / 2);
            let slots = std::mem::replace(&mut self.table, vec![NONE; length]);
            for slot in slots.into_iter().filter(|slot| *slot != NONE) {
                let home = self.key(slot).map(|key| self.home(key));
                home.into_iter().for_each(|home| self.put(slot, home));
            }
        }
        let home = self.home(key);
        self.put(slot, home);
        self.found += 1;
    }

    /// Puts a slot at the first free place; there is one.
    fn put(&mut self, slot: u32, home: usize) {
        let length = self.table.len();
        let free = (0..length).map(|step| (home + step) % length).find(|at| self.table[*at] == NONE);
        if let Some(free) = free {
            self.table[free] = slot;
        }
    }

    /// Where in the table the slot of a key is.
    fn find(&self, key: &[u8]) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let mut at = self.home(key);
        while self.table[at] != NONE {
            if self.key(self.table[at]) == Some(key) {
                return Some(at);
            }
            at = (at + 1) % self.table.len();
        }
        None
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a product of two numbers below 2^32, shifted, is below the second"
    )]
    fn home(&self, key: &[u8]) -> usize {
        let hash = u64::from(self.hasher.hash_one(key) as u32);
        ((hash * self.table.len() as u64) >> 32) as usize
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("len", &self.len()).field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

fn place_of(slot: u32) -> (usize, usize) {
    (slot as usize / GROUP, slot as usize % GROUP)
}

/// Lengths below 128 take one byte, others two: keys have some thousand bytes at most.
#[expect(clippy::cast_possible_truncation, reason = "of each part, 7 or 8 bits are wanted")]
fn write_key(bytes: &mut Vec<u8>, key: &[u8]) {
    match key.len() {
        length @ ..0x80 => bytes.push(length as u8),
        length => bytes.extend_from_slice(&[0x80 | (length >> 8) as u8, length as u8]),
    }
    bytes.extend_from_slice(key);
}

fn split_key(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [length @ ..0x80, rest @ ..] => rest.split_at_checked(usize::from(*length)),
        [high, low, rest @ ..] => rest.split_at_checked(usize::from(high & 0x7F) << 8 | usize::from(*low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(n: u16) -> Vec<u8> {
        // Some are long.
        vec![n as u8; 1 + usize::from(n % 5) * if n.is_multiple_of(7) { 100 } else { 1 }]
            .into_iter()
            .chain(n.to_be_bytes())
            .collect()
    }

    proptest! {
        #[test]
        fn ids_are_what_two_maps_say(steps in vec((0_u16..60, 0_u32..200, 0_u8..4), 0..400)) {
            let mut ids = Ids::new();
            let (mut slots, mut keys): (HashMap<Vec<u8>, u32>, BTreeMap<u32, Vec<u8>>) = Default::default();
            for (n, slot, step) in steps {
                let key = key(n);
                match step {
                    0 | 1 if !keys.contains_key(&slot) => {
                        ids.set(slot, &key);
                        slots.insert(key.clone(), slot);
                        keys.insert(slot, key);
                    }
                    2 => prop_assert_eq!(ids.remove(&key), slots.remove(&key)),
                    3 if !slots.values().any(|used| *used == slot) => {
                        ids.clear(slot);
                        keys.remove(&slot);
                    }
                    _ => {}
                }
                prop_assert_eq!(ids.len(), slots.len());
            }
            for slot in 0..200 {
                prop_assert_eq!(ids.key(slot), keys.get(&slot).map(Vec::as_slice));
            }
            for n in 0..60 {
                prop_assert_eq!(ids.find(&key(n)).map(|at| ids.table[at]), slots.get(&key(n)).copied());
            }
        }
    }

    proptest! {
        #[test]
        fn keys_come_back_from_their_blocks_and_no_bytes_panic(keys in vec(0_u16..999, 0..600), bytes: Vec<u8>) {
            let mut ids = Ids::new();
            keys.iter().enumerate().for_each(|(slot, n)| ids.write(slot as u32, &key(*n)));
            let mut back = Ids::new();
            for number in 0..keys.len().div_ceil(BLOCK_NODES) as u32 {
                let mut block = Vec::new();
                ids.write_block(number, &mut block);
                back.read_block(number, &block).unwrap();
            }
            prop_assert_eq!(&back.groups, &ids.groups);
            prop_assert_eq!(back.bytes() >= back.key_bytes, true);
            let mut adopted = std::collections::HashSet::new();
            for (slot, n) in keys.iter().enumerate() {
                prop_assert_eq!(back.adopt(slot as u32), adopted.insert(*n), "the first of equal keys");
            }
            let _ = Ids::new().read_block(0, &bytes);
        }
    }

    #[test]
    fn an_automatic_id_takes_less_than_thirty_bytes() {
        let mut ids = Ids::new();
        const COUNT: u32 = 100_000;
        (0..COUNT).for_each(|slot| ids.set(slot, &[&[0x40; 13][..], &slot.to_be_bytes()].concat()));
        let bytes = ids.bytes() as f64 / f64::from(COUNT);
        assert!(bytes < 30.0, "{bytes:.1} bytes each");
    }
}
