//! Links between finds and all changes before or after them, in space that does not grow with their product.
//!
//! A find depends on every change of what it looks for: the ones before its snapshot come before it, the ones after it come after.
//! Edges to each of them would be too many. So changes of one name are put into blocks of values, of all sizes that are powers of two;
//! in each block there is a chain of links through its changes in the order of their commits, each link leading to the transaction of
//! its change. A range of values is a few blocks, as in a segment tree, and the find needs an edge to one link in each.

use crate::changes::{By, Change};
use crate::graph::{Edge, Node, Nodes, Why};
use crate::snapshots::Find;

/// The links for all changes by one name.
#[derive(Debug)]
pub(crate) struct Chains {
    pub(crate) by: By,
    changes: Vec<Change>,
    /// The values that there are.
    values: Vec<u64>,
    /// By size of the blocks: the changes, block by block, in the order of commits.
    levels: Vec<Vec<Link>>,
    /// The first link; those of a level follow each other, first all that lead on from finds, then all that lead to finds.
    first: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    block: u32,
    commit: u32,
    change: u32,
}

impl Chains {
    /// The chains of changes, with numbers for their links from `first` on; none, if that is too many numbers.
    pub(crate) fn of(by: By, changes: Vec<Change>, first: Node) -> Option<Chains> {
        let mut values: Vec<u64> = changes.iter().map(|change| change.value).collect();
        values.sort_unstable();
        values.dedup();
        let place = |value: u64| values.partition_point(|other| *other < value) as u32;
        let sizes = usize::BITS - values.len().leading_zeros() + 1;
        let links = u32::try_from(changes.len()).ok()?.checked_mul(2)?.checked_mul(sizes)?;
        first.checked_add(links)?;
        let level = |size: u32| {
            let numbered = changes.iter().enumerate();
            let link = |(number, change): (usize, &Change)| Link {
                block: place(change.value) >> size,
                commit: change.commit,
                change: number as u32,
            };
            let mut links: Vec<Link> = numbered.map(link).collect();
            links.sort_unstable();
            links
        };
        let levels = (0..sizes).map(level).collect();
        Some(Chains { by, changes, values, levels, first })
    }

    /// How many links there are.
    pub(crate) fn count(&self) -> u32 {
        (self.levels.len() * self.changes.len() * 2) as u32
    }

    fn node(&self, level: usize, is_to_finds: bool, place: usize) -> Node {
        self.first + ((2 * level + usize::from(is_to_finds)) * self.changes.len() + place) as u32
    }

    /// The edges of the links themselves.
    pub(crate) fn edges(&self, nodes: Nodes<'_>, edges: &mut Vec<Edge>) {
        for (level, links) in self.levels.iter().enumerate() {
            for (place, link) in links.iter().enumerate() {
                let change = &self.changes[link.change as usize];
                let writer = nodes.writing(nodes.ledger.order.commits[change.commit as usize - 1]);
                let (on, back) = (self.node(level, false, place), self.node(level, true, place));
                edges.push(Edge { from: on, to: writer, why: Why::Changes { key: change.key } });
                edges.push(Edge { from: writer, to: back, why: Why::Changed { key: change.key } });
                if links.get(place + 1).is_some_and(|next| next.block == link.block) {
                    edges.push(Edge { from: on, to: on + 1, why: Why::Along });
                    edges.push(Edge { from: back, to: back + 1, why: Why::Along });
                }
            }
        }
    }

    /// The edges between a find for a range of values and the links.
    pub(crate) fn find(&self, nodes: Nodes<'_>, find: Find, (from, to): (u64, u64), edges: &mut Vec<Edge>) {
        let Find { transaction, operation } = find;
        let (reading, snapshot) = (nodes.reading(transaction), nodes.ledger.snapshot(transaction));
        let first = self.values.partition_point(|value| *value < from) as u32;
        let end = self.values.partition_point(|value| *value <= to) as u32;
        for (level, block) in blocks(first, end) {
            let links = &self.levels[level];
            let place = links.partition_point(|link| (link.block, link.commit) <= (block, snapshot));
            if links.get(place).is_some_and(|link| link.block == block) {
                let to = self.node(level, false, place);
                edges.push(Edge { from: reading, to, why: Why::Looked { operation } });
            }
            if let Some(last) = place.checked_sub(1).filter(|last| links[*last].block == block) {
                let from = self.node(level, true, last);
                edges.push(Edge { from, to: reading, why: Why::Found { operation } });
            }
        }
    }
}

/// The largest blocks that make up a range: each with the logarithm of its size.
fn blocks(mut first: u32, mut end: u32) -> Vec<(usize, u32)> {
    let (mut blocks, mut level) = (Vec::new(), 0);
    while first < end {
        if first % 2 == 1 {
            blocks.push((level, first));
            first += 1;
        }
        if end % 2 == 1 {
            end -= 1;
            blocks.push((level, end));
        }
        (first, end, level) = (first / 2, end / 2, level + 1);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_make_up_their_range_and_nothing_else() {
        for first in 0..20_u32 {
            for end in 0..20 {
                let blocks = blocks(first, end);
                let mut covered: Vec<u32> =
                    blocks.iter().flat_map(|(level, block)| (block << level)..((block + 1) << level)).collect();
                covered.sort_unstable();
                assert_eq!(covered, (first..end).collect::<Vec<_>>());
                assert!(blocks.len() <= 9, "{blocks:?}");
            }
        }
    }
}
