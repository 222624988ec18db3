//! Links of nodes to nodes, in rows of equal room.

use crate::code::Slab;
use crate::kernel::prefetch;

/// No node: it fills up a row.
pub(super) const NONE: u32 = u32::MAX;

/// Bytes of a link, as long as three tell all nodes apart: for a vector of 768 numbers this is a thirtieth of what it takes.
const NARROW: usize = 3;
const WIDE: usize = 4;

/// The nodes that links of three bytes can lead to; above them there is only what fills up.
const NARROW_NODES_MAX: usize = (1 << (8 * NARROW)) - 1;

/// Rows of links, each behind its node's number: in three bytes a link, or in four once there are too many nodes for that.
#[derive(Clone, Debug)]
pub(super) struct Links {
    rows: Slab<u8>,
    room: usize,
    link_bytes: usize,
    narrow_nodes_max: usize,
}

impl Links {
    /// Rows of `room` links.
    pub(super) fn new(room: usize) -> Links {
        Links::widening_at(room, NARROW_NODES_MAX)
    }

    fn widening_at(room: usize, narrow_nodes_max: usize) -> Links {
        Links { rows: Slab::new(NARROW * room), room, link_bytes: NARROW, narrow_nodes_max }
    }

    /// How many links a node can have.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    pub(super) fn nodes(&self) -> usize {
        self.rows.rows()
    }

    /// Makes room for nodes below `nodes`, which have no links.
    pub(super) fn grow(&mut self, nodes: usize) {
        if nodes > self.narrow_nodes_max && self.link_bytes == NARROW {
            self.widen(nodes);
        }
        self.rows.grow(nodes, u8::MAX);
    }

    /// Has links take four bytes. It is done once in the life of a graph, if at all, and takes a pass over it.
    fn widen(&mut self, nodes: usize) {
        let mut wide = Links { rows: Slab::new(WIDE * self.room), link_bytes: WIDE, ..*self };
        wide.rows.grow(nodes, u8::MAX);
        for node in 0..self.nodes() as u32 {
            wide.set(node, self.of(node));
        }
        *self = wide;
    }

    /// The nodes that a node has links to.
    #[inline(always)]
    pub(super) fn of(&self, node: u32) -> impl Iterator<Item = u32> + Clone + '_ {
        let none = if self.link_bytes == NARROW { NARROW_NODES_MAX as u32 } else { NONE };
        let link = |bytes: &[u8]| match *bytes {
            [a, b, c] => u32::from_le_bytes([a, b, c, 0]),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
            _ => NONE,
        };
        let row = self.rows.row(node as usize).chunks_exact(self.link_bytes);
        row.map(link).take_while(move |link| *link != none)
    }

    /// Replaces the links of a node, of which there are at most as many as it has room for.
    pub(super) fn set(&mut self, node: u32, links: impl Iterator<Item = u32>) {
        let row = self.rows.row_mut(node as usize);
        let mut used = 0;
        for (place, link) in row.chunks_exact_mut(self.link_bytes).zip(links) {
            place.copy_from_slice(&link.to_le_bytes()[..self.link_bytes]);
            used += self.link_bytes;
        }
        row[used..].fill(u8::MAX);
    }

    /// Starts to fetch the links of a node.
    #[inline(always)]
    pub(super) fn prefetch(&self, node: u32) {
        prefetch(self.rows.row(node as usize));
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn links_are_those_that_were_set_before_and_after_they_become_wide(
            room in 1usize..40,
            steps in proptest::collection::vec((0u32..300, proptest::collection::vec(0u32..100_000_000, 0..40)), 1..60),
        ) {
            let mut links = Links::widening_at(room, 200);
            let mut model: Vec<Vec<u32>> = Vec::new();
            for (node, wanted) in steps {
                if node as usize >= model.len() {
                    model.resize(node as usize + 1, Vec::new());
                    links.grow(model.len());
                }
                let most = if links.link_bytes == NARROW { NARROW_NODES_MAX as u32 } else { NONE };
                let wanted: Vec<u32> = wanted.into_iter().filter(|link| *link < most).take(room).collect();
                links.set(node, wanted.iter().copied());
                model[node as usize] = wanted;
                prop_assert_eq!(links.link_bytes == WIDE, model.len() > 200);
            }
            prop_assert_eq!((links.nodes(), links.room()), (model.len(), room));
            for (node, expected) in model.iter().enumerate() {
                prop_assert_eq!(&links.of(node as u32).collect::<Vec<_>>(), expected, "node {}", node);
            }
        }
    }

    #[test]
    fn three_bytes_tell_all_nodes_apart_that_there_are_then() {
        let mut links = Links::new(2);
        links.grow(1);
        let last = NARROW_NODES_MAX as u32 - 1;
        links.set(0, [last, 0].into_iter());
        assert_eq!(links.of(0).collect::<Vec<_>>(), [last, 0]);
    }
}
