//! Which slot of a graph is whose.

#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use blaze_core::{Error, Result};
use blaze_vector::BLOCK_NODES;
use blaze_vector::kernel::prefetch;

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

    /// Starts to fetch the key of a slot.
    pub(super) fn fetch(&self, slot: u32) {
        self.groups.get(place_of(slot).0).into_iter().for_each(|group| prefetch(group));
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

    /// Has the slots below `slots` that have a vector have the newest one of their keys. Answers those that do not, since they
    /// stand for none, or one before them has it. No key had a slot before.
    ///
    /// For a million keys, one after the other by [`set`](Ids::set)'s means, this took a third of the time of loading a graph:
    /// keys were compared that lie anywhere in memory (2026-11-22). Their hashes lie together while it lasts.
    pub(super) fn adopt_all(&mut self, slots: u32, has_vector: impl Fn(u32) -> bool) -> Vec<u32> {
        let wanted = (0..slots).filter(|slot| has_vector(*slot)).count();
        self.table = vec![NONE; if wanted == 0 { 0 } else { 16.max(wanted + wanted / 2) }];
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
            match (!key.is_empty()).then(|| self.place(hash, is_same)) {
                Some(at) if self.table[at] == NONE => {
                    self.table[at] = slot;
                    hashes[slot as usize] = hash;
                    self.found += 1;
                }
                _ => others.push(slot),
            }
        }
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
            let home = self.home(self.hash(key));
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
                if let Some(hash) = self.key(slot).map(|key| self.hash(key)) {
                    self.put(slot, hash);
                }
            }
        }
        self.put(slot, self.hash(key));
        self.found += 1;
    }

    /// Puts a slot at the first free place.
    fn put(&mut self, slot: u32, hash: u32) {
        let at = self.place(hash, |_| false);
        self.table[at] = slot;
    }

    /// Where in the table the slot of a key is.
    fn find(&self, key: &[u8]) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let at = self.place(self.hash(key), |slot| self.key(slot) == Some(key));
        (self.table[at] != NONE).then_some(at)
    }

    /// Where in the table the slot is that is meant, or the first free place behind where it would be. There is a free one.
    fn place(&self, hash: u32, is_meant: impl Fn(u32) -> bool) -> usize {
        let mut at = self.home(hash);
        while self.table[at] != NONE && !is_meant(self.table[at]) {
            at = (at + 1) % self.table.len();
        }
        at
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one as well")]
    fn hash(&self, key: &[u8]) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    /// A product of two numbers below 2^32, shifted, is below the second.
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.table.len() as u64) >> 32) as usize
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
