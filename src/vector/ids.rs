//! Which slot of a graph is whose.

#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use blaze_core::{Error, Result};
use blaze_vector::kernel::prefetch;
use blaze_vector::{BLOCK_NODES, SlotTable};

/// Slots whose keys lie together: the longer, the less memory and the more steps to a key.
const GROUP: usize = 16;

/// Groups whose keys are stored together.
const GROUPS_PER_BLOCK: usize = BLOCK_NODES / GROUP;

/// What slots of a graph stand for: keys, and the one slot of each that holds its newest vector.
///
/// A key takes its bytes and about 3 more, and 6 in the table that finds its slot.
pub(super) struct Ids {
    /// The keys of 16 slots, each behind its length.
    groups: Vec<Box<[u8]>>,
    /// The slots of keys.
    table: SlotTable,
    hasher: RandomState,
    key_bytes: usize,
}

impl Ids {
    pub(super) fn new() -> Ids {
        Ids { groups: Vec::new(), table: SlotTable::default(), hasher: RandomState::new(), key_bytes: 0 }
    }

    /// How many keys have a slot.
    pub(super) fn len(&self) -> usize {
        self.table.len()
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

    /// Starts to fetch the key of a slot.
    pub(super) fn fetch(&self, slot: u32) {
        self.groups.get(place_of(slot).0).into_iter().for_each(|group| prefetch(group));
    }

    /// The slot that has the newest vector of a key.
    pub(super) fn slot(&self, key: &[u8]) -> Option<u32> {
        self.table.find(self.hash(key), |slot| self.key(slot) == Some(key))
    }

    /// Has a slot stand for a key and have its newest vector.
    pub(super) fn set(&mut self, slot: u32, key: &[u8]) {
        self.write(slot, key);
        let mut table = std::mem::take(&mut self.table);
        if !table.replace(self.hash(key), |other| self.key(other) == Some(key), slot) {
            table.insert(self.hash(key), slot, |other| self.hash_of(other));
        }
        self.table = table;
    }

    /// Has the slots below `slots` that have a vector have the newest one of their keys. Answers those that do not, since they
    /// stand for none, or one before them has it. No key had a slot before.
    ///
    /// For a million keys, one after the other by [`set`](Ids::set)'s means, this took a third of the time of loading a graph:
    /// keys were compared that lie anywhere in memory (2026-11-22). Their hashes lie together while it lasts.
    pub(super) fn adopt_all(&mut self, slots: u32, has_vector: impl Fn(u32) -> bool) -> Vec<u32> {
        let wanted = (0..slots).filter(|slot| has_vector(*slot)).count();
        let mut table = SlotTable::with_room(wanted);
        let mut hashes = vec![0; self.groups.len() * GROUP];
        let mut others = Vec::new();
        let mut keys = self.groups.iter().flat_map(|group| keys_of(group));
        for slot in 0..slots {
            let key = keys.next().unwrap_or_default();
            if !has_vector(slot) {
                continue;
            }
            let hash = self.hash(key);
            let is_same = |other: u32| hashes[other as usize] == hash && self.key(other) == Some(key);
            if key.is_empty() || table.find(hash, is_same).is_some() {
                others.push(slot);
            } else {
                hashes[slot as usize] = hash;
                table.insert(hash, slot, |other| hashes[other as usize]);
            }
        }
        self.table = table;
        others
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
        let mut table = std::mem::take(&mut self.table);
        let is_meant = |slot| self.key(slot) == Some(key);
        let slot = table.remove(self.hash(key), is_meant, |other| self.hash_of(other));
        self.table = table;
        slot
    }

    /// The slot stands for nothing any more. No key may have its newest vector there.
    pub(super) fn clear(&mut self, slot: u32) {
        self.write(slot, &[]);
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        /// A box and what an allocation costs.
        const GROUP_BYTES: usize = 16 + 16;
        self.key_bytes + self.groups.capacity() * GROUP_BYTES + self.table.bytes()
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

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one as well")]
    fn hash(&self, key: &[u8]) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    /// The hash of the key that a slot stands for.
    fn hash_of(&self, slot: u32) -> u32 {
        self.key(slot).map_or(0, |key| self.hash(key))
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

/// The keys of a group.
fn keys_of(group: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = group;
    std::iter::from_fn(move || {
        let (key, behind) = split_key(rest)?;
        rest = behind;
        Some(key)
    })
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
