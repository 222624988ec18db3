//! Which nodes have a code.

use std::hash::{BuildHasher, RandomState};

use crate::chance::mix;
use crate::code::{CodeKey, Codes};
use crate::slot_table::SlotTable;

/// Nodes by their codes: where the code of a query is that of a node, a search begins there as well, and so a vector of the graph
/// finds itself, however narrow the search and wherever the walk would have ended.
///
/// It takes five to six bytes for each node, and of a search of Fashion-MNIST 1 to 3 us of 31 (EPYC 9004, 2026-11-23).
#[derive(Clone, Debug)]
pub(super) struct SameCode {
    /// Each grows on its own, so that nobody waits for all.
    tables: Vec<SlotTable>,
    /// Nobody can choose vectors whose codes have the same hash.
    seed: u64,
}

const TABLES_LOG2: u32 = 6;

/// How many nodes with the same code are listed: when there are more, the lowest, until one of these goes.
pub(super) const COPIES_MAX: usize = 8;

impl SameCode {
    pub(super) fn new() -> SameCode {
        SameCode { tables: vec![SlotTable::default(); 1 << TABLES_LOG2], seed: RandomState::new().hash_one(0) }
    }

    /// Lists all these nodes.
    pub(super) fn of(codes: &Codes, nodes: impl Iterator<Item = u32>) -> SameCode {
        let mut same = SameCode::new();
        // Codes lie anywhere in memory, and these lie together: a table has many neighbours of each hash.
        let mut hashes = vec![0_u64; codes.high.rows()];
        let mut counts = vec![0_usize; 1 << TABLES_LOG2];
        let nodes: Vec<u32> = nodes.collect();
        for &node in &nodes {
            let hash = same.hash(codes.key(node));
            hashes[node as usize] = hash;
            counts[table_of(hash)] += 1;
        }
        same.tables = counts.into_iter().map(SlotTable::with_room).collect();
        for node in nodes {
            let hash = hashes[node as usize];
            same.list(
                hash,
                node,
                |other| hashes[other as usize],
                |other| hashes[other as usize] == hash && codes.key(other) == codes.key(node),
            );
        }
        same
    }

    /// Lists a node whose code is there.
    pub(super) fn insert(&mut self, codes: &Codes, node: u32) {
        let (key, seed) = (codes.key(node), self.seed);
        self.list(self.hash(key), node, |other| hash(seed, codes.key(other)), |other| codes.key(other) == key);
    }

    /// Lists a node no more, whose code is still there; true if there may be others with this code that are not listed: so many
    /// are.
    pub(super) fn remove(&mut self, codes: &Codes, node: u32) -> bool {
        let (key, seed) = (codes.key(node), self.seed);
        let hash_of_node = self.hash(key);
        let table = &mut self.tables[table_of(hash_of_node)];
        let removed = table.remove(low(hash_of_node), |other| other == node, |other| low(hash(seed, codes.key(other))));
        let mut copies = 0;
        table.find(low(hash_of_node), |other| {
            copies += usize::from(codes.key(other) == key);
            false
        });
        removed.is_some() && copies >= COPIES_MAX / 2
    }

    pub(super) fn lists(&self, codes: &Codes, node: u32) -> bool {
        let hash = self.hash(codes.key(node));
        self.tables[table_of(hash)].find(low(hash), |other| other == node).is_some()
    }

    /// The lowest node with this code that is wanted.
    pub(super) fn find(&self, codes: &Codes, key: CodeKey<'_>, mut is_wanted: impl FnMut(u32) -> bool) -> Option<u32> {
        let hash = self.hash(key);
        let mut lowest: Option<u32> = None;
        self.tables[table_of(hash)].find(low(hash), |node| {
            if lowest.is_none_or(|lowest| node < lowest) && codes.key(node) == key && is_wanted(node) {
                lowest = Some(node);
            }
            false // there may be a lower one
        });
        lowest
    }

    /// A node that is listed and not there, or not found by its code.
    pub(super) fn misplaced(&self, codes: &Codes, is_there: impl Fn(u32) -> bool) -> Option<u32> {
        let mut listed = self.tables.iter().flat_map(SlotTable::iter);
        listed.find(|&node| !is_there(node) || self.find(codes, codes.key(node), |other| other == node).is_none())
    }

    pub(super) fn bytes(&self) -> usize {
        self.tables.capacity() * size_of::<SlotTable>() + self.tables.iter().map(SlotTable::bytes).sum::<usize>()
    }

    fn list(&mut self, hash: u64, node: u32, hash_of: impl Fn(u32) -> u64, is_same: impl Fn(u32) -> bool) {
        let table = &mut self.tables[table_of(hash)];
        let (mut copies, mut highest) = (0, node);
        table.find(low(hash), |other| {
            if is_same(other) {
                copies += 1;
                highest = highest.max(other);
            }
            copies == COPIES_MAX
        });
        if copies < COPIES_MAX {
            table.insert(low(hash), node, |other| low(hash_of(other)));
        } else {
            table.replace(low(hash), |other| other == highest, node); // the same ones, whoever came first
        }
    }

    fn hash(&self, key: CodeKey<'_>) -> u64 {
        hash(self.seed, key)
    }
}

fn hash(seed: u64, key: CodeKey<'_>) -> u64 {
    // In several lanes, or each step waits for the one before it.
    const LANES: usize = 4;
    let (words, rest) = key.high.as_chunks::<8>();
    let (blocks, words) = words.as_chunks::<LANES>();
    let first = mix(seed ^ (u64::from(key.offset) << 32 | u64::from(key.scale)));
    let mut lanes = [first; LANES];
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block) {
            *lane = mix(*lane ^ u64::from_le_bytes(*word));
        }
    }
    let hash = if blocks.is_empty() { first } else { lanes.iter().fold(0, |hash, lane| mix(hash ^ lane)) };
    let hash = words.iter().fold(hash, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, &byte| mix(hash ^ u64::from(byte)))
}

/// Which table has what has this hash: the upper bits say so, and the lower half is the hash in the table.
fn table_of(hash: u64) -> usize {
    (hash >> (u64::BITS - TABLES_LOG2)) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "half of a hash is one as well")]
fn low(hash: u64) -> u32 {
    hash as u32
}

#[cfg(test)]
mod tests;
