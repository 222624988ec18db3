//! One level of the graph: who points to whom.

use crate::code::Slab;
use crate::graph::links::Links;

pub(super) use crate::graph::links::NONE;

/// Nodes and their links. On level 0 a node is a slot; on the levels above, nodes are numbered apart, so that they
/// take no more room than there are.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(super) links: Links,
    /// The slots of nodes, or [`NONE`] for one that is free; empty on level 0.
    pub(super) slots: Vec<u32>,
    /// The same vector's node on the level below; empty on level 0.
    pub(super) below: Vec<u32>,
    /// How many links lead to a node; [`MANY`] and more are not counted. Empty above level 0.
    pub(super) in_degrees: Slab<u8>,
    pub(super) free: Vec<u32>,
    /// Nodes whose links were set since somebody began to listen, who else would have to look at all of them again.
    pub(super) changed: Option<Vec<u32>>,
}

/// From here on links to a node are no longer counted, up or down.
pub(super) const MANY: u8 = u8::MAX;

impl Layer {
    pub(super) fn new(room: usize) -> Layer {
        Layer {
            links: Links::new(room),
            slots: Vec::new(),
            below: Vec::new(),
            in_degrees: Slab::new(1),
            free: Vec::new(),
            changed: None,
        }
    }

    /// How many links a node can have.
    pub(super) fn room(&self) -> usize {
        self.links.room()
    }

    pub(super) fn nodes(&self) -> usize {
        self.links.nodes()
    }

    /// Adds a node above level 0.
    pub(super) fn add(&mut self, slot: u32, below: u32) -> u32 {
        if let Some(node) = self.free.pop() {
            self.links.set(node, std::iter::empty());
            self.slots[node as usize] = slot;
            self.below[node as usize] = below;
            return node;
        }
        let node = self.nodes();
        self.links.grow(node + 1);
        self.slots.push(slot);
        self.below.push(below);
        node as u32
    }

    #[inline(always)]
    pub(super) fn slot(&self, node: u32) -> u32 {
        self.slots.get(node as usize).copied().unwrap_or(node)
    }

    /// The nodes that a node has links to.
    #[inline(always)]
    pub(super) fn links(&self, node: u32) -> impl Iterator<Item = u32> + Clone + '_ {
        self.links.of(node)
    }

    /// Replaces the links of a node, and counts.
    pub(super) fn set_links(&mut self, node: u32, links: &[u32]) {
        if self.in_degrees.rows() > 0 {
            for old in self.links.of(node) {
                count_down(&mut self.in_degrees, old);
            }
            links.iter().for_each(|&link| count_up(&mut self.in_degrees, link));
        }
        self.set_counted(node, links);
    }

    /// As [`set_links`](Layer::set_links), where it is known which links the node has no more and which it did not have.
    pub(super) fn exchange_links(&mut self, node: u32, links: &[u32], gone: &[u32], come: &[u32]) {
        if self.in_degrees.rows() > 0 {
            gone.iter().for_each(|&link| count_down(&mut self.in_degrees, link));
            come.iter().for_each(|&link| count_up(&mut self.in_degrees, link));
        }
        self.set_counted(node, links);
    }

    fn set_counted(&mut self, node: u32, links: &[u32]) {
        if let Some(changed) = &mut self.changed {
            changed.push(node);
        }
        self.links.set(node, links.iter().copied());
    }

    pub(super) fn in_degree(&self, node: u32) -> u8 {
        if self.in_degrees.rows() > 0 { self.in_degrees.row(node as usize)[0] } else { MANY }
    }

    pub(super) fn bytes(&self) -> usize {
        let changed = self.changed.as_ref().map_or(0, Vec::capacity);
        let numbers = self.slots.capacity() + self.below.capacity() + self.free.capacity() + changed;
        self.links.bytes() + self.in_degrees.bytes() + numbers * 4
    }
}

fn count_up(in_degrees: &mut Slab<u8>, node: u32) {
    let count = &mut in_degrees.row_mut(node as usize)[0];
    *count = count.saturating_add(1);
}

fn count_down(in_degrees: &mut Slab<u8>, node: u32) {
    let count = &mut in_degrees.row_mut(node as usize)[0];
    *count -= u8::from(*count != MANY && *count > 0);
}
