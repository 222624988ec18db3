//! A graph as blocks.

use crate::code::{Code, Terms};
use crate::graph::blocks::{BLOCK_NODES, BlockKind, LEVEL_SHIFT, VERSION, level_of, nodes_of};
use crate::graph::layer::{Layer, NONE};
use crate::graph::{Graph, GraphOptions, State};
use crate::metric::Metric;

impl Graph {
    /// True if the slot holds a node that is deleted and not yet reclaimed.
    #[must_use]
    pub fn is_tombstone(&self, slot: u32) -> bool {
        self.state.get(slot as usize) == Some(&State::Tombstone)
    }

    /// The numbers of the blocks of a kind, in the order in which they are read.
    #[must_use]
    pub fn block_numbers(&self, kind: BlockKind) -> Vec<u32> {
        let count = |nodes: usize| nodes.div_ceil(BLOCK_NODES) as u32;
        match kind {
            BlockKind::Nodes | BlockKind::Links => (0..count(self.slots())).collect(),
            BlockKind::Upper => (1..self.layers.len())
                .flat_map(|level| {
                    (0..count(self.layers[level].nodes())).map(move |number| (level as u32) << LEVEL_SHIFT | number)
                })
                .collect(),
        }
    }

    /// Appends what is to be known before the first block is read.
    pub fn write_head(&self, bytes: &mut Vec<u8>) {
        let GraphOptions { metric, dimension, code, m, seed, .. } = &self.options;
        bytes.push(VERSION);
        bytes.push(metric_number(*metric));
        bytes.push(code_number(*code));
        bytes.extend_from_slice(&(*dimension as u32).to_le_bytes());
        bytes.extend_from_slice(&(*m as u32).to_le_bytes());
        bytes.extend_from_slice(&seed.to_le_bytes());
        bytes.extend_from_slice(&self.tickets.load(std::sync::atomic::Ordering::Relaxed).to_le_bytes());
        bytes.push(u8::from(self.frame.rotation.is_some()));
        self.frame.centre.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    }

    /// Appends a block; nothing, if there is no such block.
    pub fn write_block(&self, kind: BlockKind, number: u32, bytes: &mut Vec<u8>) {
        match kind {
            BlockKind::Nodes => self.write_nodes(number, bytes),
            BlockKind::Links => {
                for slot in nodes_of(number, self.slots()) {
                    write_links(&self.layers[0], slot, bytes);
                }
            }
            BlockKind::Upper => {
                let (level, number) = level_of(number);
                let Some(layer) = self.layers.get(level).filter(|_| level > 0) else { return };
                for node in nodes_of(number, layer.nodes()) {
                    bytes.extend_from_slice(&layer.slots[node].to_le_bytes());
                    bytes.extend_from_slice(&layer.below[node].to_le_bytes());
                    write_links(layer, node, bytes);
                }
            }
        }
    }

    fn write_nodes(&self, number: u32, bytes: &mut Vec<u8>) {
        let codes = &self.codes;
        for slot in nodes_of(number, self.slots()) {
            bytes.push(self.state[slot] as u8);
            if self.state[slot] == State::Free {
                continue;
            }
            bytes.extend_from_slice(codes.high.row(slot));
            if codes.code == Code::Eight {
                bytes.extend_from_slice(codes.low.row(slot));
            }
            if codes.code != Code::Bits {
                let Terms { offset, scale, square, fine_square } = codes.terms.row(slot)[0];
                [offset, scale, square, fine_square]
                    .iter()
                    .for_each(|term| bytes.extend_from_slice(&term.to_le_bytes()));
                bytes.extend_from_slice(&codes.totals.row(slot)[0].to_le_bytes());
            }
        }
    }
}

/// A list of links fills its room.
fn write_links(layer: &Layer, node: usize, bytes: &mut Vec<u8>) {
    let links = layer.links(node as u32).chain(std::iter::repeat(NONE)).take(layer.room());
    links.for_each(|link| bytes.extend_from_slice(&link.to_le_bytes()));
}

fn metric_number(metric: Metric) -> u8 {
    match metric {
        Metric::Cosine => 0,
        Metric::L2 => 1,
        Metric::Dot => 2,
        Metric::Hamming => 3,
    }
}

fn code_number(code: Code) -> u8 {
    match code {
        Code::Eight => 0,
        Code::Four => 1,
        Code::Bits => 2,
    }
}
