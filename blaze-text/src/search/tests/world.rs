//! An index of segments and deltas after random changes, beside the documents that it has.

use std::collections::BTreeMap;

use crate::search::{DeltaLeaf, Leaf, Searcher, SegmentLeaf, documents_of};
use crate::{Delta, DocumentPostings, FoldedChange, MemoryPages, MergePart, Segment, SegmentWriter, fold, merge};

use super::FIELDS;
use super::memory_leaf::{Change, MemoryLeaf};
use super::random::Random;

pub(super) struct World {
    block: usize,
    /// The changes of each segment, of each document one.
    folds: Vec<Vec<Change>>,
    base: Delta,
    at: u64,
    own: Delta,
    pub(super) documents: BTreeMap<Vec<u8>, DocumentPostings>,
}

impl World {
    /// Changes of documents with so many different ids: some are folded, some committed, some of a transaction itself; and some
    /// are committed after the moment of the search.
    pub(super) fn random(random: &mut Random, ids: usize) -> World {
        let mut world = World {
            block: 1 + random.below(4),
            folds: Vec::new(),
            base: Delta::new(FIELDS),
            at: 0,
            own: Delta::new(FIELDS),
            documents: BTreeMap::new(),
        };
        for _ in 0..random.below(4) {
            let changes = world.changes(random, ids);
            world.folds.push(folded(changes));
        }
        for (id, before, after) in world.changes(random, ids) {
            world.at += random.below(2) as u64;
            world.base.change(world.at, &id, before.as_ref(), after.as_ref()).unwrap();
        }
        let seen = world.documents.clone();
        for (later, (id, before, after)) in (1..).zip(world.changes(random, ids / 2)) {
            world.base.change(world.at + later, &id, before.as_ref(), after.as_ref()).unwrap();
        }
        world.documents = seen;
        if random.chance(2) {
            for (id, before, after) in world.changes(random, ids / 3) {
                world.own.change(0, &id, before.as_ref(), after.as_ref()).unwrap();
            }
        }
        world
    }

    /// Random changes, which are made to the documents.
    fn changes(&mut self, random: &mut Random, ids: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        for _ in 0..random.below(ids + 1) {
            let id = format!("id{:04}", random.below(ids)).into_bytes();
            let before = self.documents.get(&id).map(|document| document.terms().clone());
            let after = (!random.chance(4)).then(|| random.document());
            match &after {
                Some(after) => self.documents.insert(id.clone(), after.clone()),
                None => self.documents.remove(&id),
            };
            changes.push((id, before, after));
        }
        changes
    }

    /// Does something with a searcher of all that is visible, with segments in plain lists.
    pub(super) fn search<R>(&self, does: impl FnOnce(&Searcher<&MemoryLeaf, DeltaLeaf<'_>>) -> R) -> R {
        let leaf = |(fold, changes): (usize, &Vec<Change>)| {
            let mut leaf = MemoryLeaf::fold(self.block, changes.clone());
            self.changed_after(fold).iter().for_each(|id| leaf.kill(id));
            leaf
        };
        let leaves: Vec<MemoryLeaf> = self.folds.iter().enumerate().map(leaf).collect();
        self.search_above(leaves.iter().collect(), does)
    }

    /// Does something with a searcher of all that is visible, with segments as a database has them.
    pub(super) fn search_segments<R>(
        &self,
        is_merged: bool,
        does: impl FnOnce(&Searcher<SegmentLeaf<'_>, DeltaLeaf<'_>>) -> R,
    ) -> R {
        let mut stored: Vec<Stored> = self.folds.iter().map(|changes| Stored::fold(changes)).collect();
        let dead = |(number, stored): (usize, &Stored)| {
            let ids = self.folds[number + 1..].iter().flatten().map(|(id, ..)| id.as_slice());
            documents_of(&stored.segment, &stored.pages, ids).unwrap()
        };
        let mut is_dead: Vec<Vec<u32>> = stored.iter().enumerate().map(dead).collect();
        if is_merged && stored.len() > 1 {
            let merged = Stored::merge(&stored, &is_dead);
            (stored, is_dead) = (vec![merged], vec![Vec::new()]);
        }
        let (base, own) = (self.base.view(self.at), self.own.view(0));
        for (stored, dead) in stored.iter().zip(&mut is_dead) {
            let masked = base.masked_after(None).chain(own.masked_after(None)).map(|(_, id)| id);
            dead.extend(documents_of(&stored.segment, &stored.pages, masked).unwrap());
            dead.sort_unstable();
            crate::check(&stored.segment, &stored.pages).unwrap();
        }
        let dead: Vec<_> = is_dead.iter().map(|dead| |document: u32| dead.binary_search(&document).is_ok()).collect();
        let mut leaves = Vec::new();
        for (stored, is_dead) in stored.iter().zip(&dead) {
            leaves.push(SegmentLeaf::new(&stored.segment, &stored.pages, is_dead));
        }
        self.search_above(leaves, does)
    }

    /// The ids of what changed after a fold.
    fn changed_after(&self, fold: usize) -> Vec<Vec<u8>> {
        let (base, own) = (self.base.view(self.at), self.own.view(0));
        let masked = base.masked_after(None).chain(own.masked_after(None)).map(|(_, id)| id.to_vec());
        self.folds[fold + 1..].iter().flatten().map(|(id, ..)| id.clone()).chain(masked).collect()
    }

    fn search_above<S: Leaf, R>(&self, segments: Vec<S>, does: impl FnOnce(&Searcher<S, DeltaLeaf<'_>>) -> R) -> R {
        let (base, own) = (self.base.view(self.at), self.own.view(0));
        let masks = |id: &[u8]| own.masks(id);
        does(&Searcher::new(segments, vec![DeltaLeaf::below(base, &masks), DeltaLeaf::new(own)]))
    }
}

/// A segment with its pages.
struct Stored {
    segment: Segment,
    pages: MemoryPages,
}

impl Stored {
    fn fold(changes: &[Change]) -> Stored {
        let change = |(id, before, after): &Change| FoldedChange {
            id: id.as_slice().into(),
            before: before.clone(),
            after: after.clone(),
        };
        let mut pages = MemoryPages::default();
        let mut sink = |stream, number, bytes| pages.put(stream, number, bytes);
        let meta = fold(changes.iter().map(change).collect(), SegmentWriter::new(FIELDS, &mut sink)).unwrap();
        Stored { segment: Segment::open(meta, &pages).unwrap(), pages }
    }

    fn merge(parts: &[Stored], dead: &[Vec<u32>]) -> Stored {
        let is_dead: Vec<_> = dead.iter().map(|dead| |document: u32| dead.binary_search(&document).is_ok()).collect();
        let mut merged = Vec::new();
        for (Stored { segment, pages }, is_dead) in parts.iter().zip(&is_dead) {
            merged.push(MergePart { segment, pages, is_dead });
        }
        let mut pages = MemoryPages::default();
        let mut sink = |stream, number, bytes| pages.put(stream, number, bytes);
        let meta = merge(&merged, SegmentWriter::new(FIELDS, &mut sink)).unwrap();
        Stored { segment: Segment::open(meta, &pages).unwrap(), pages }
    }
}

/// What a fold makes of changes: of each document what was before the first one and what is after the last one.
fn folded(changes: Vec<Change>) -> Vec<Change> {
    let mut folded: BTreeMap<Vec<u8>, Change> = BTreeMap::new();
    for (id, before, after) in changes {
        folded.entry(id.clone()).or_insert((id, before, None)).2 = after;
    }
    folded.into_values().collect()
}
