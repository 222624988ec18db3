//! Nodes that are measured together.

use crate::code::{Codes, Probe};
use crate::graph::layer::Layer;

/// Nodes to be measured, and their distances.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) nodes: Vec<u32>,
    pub(super) slots: Vec<u32>,
    pub(super) distances: Vec<f32>,
    /// The nodes to be measured next, most likely.
    pub(super) nodes_ahead: Vec<u32>,
    sums: Vec<i32>,
}

impl Batch {
    /// Measures `nodes`.
    #[inline]
    pub(super) fn measure(&mut self, codes: &Codes, layer: &Layer, probe: &Probe) {
        let slots = slots_of(&self.nodes, layer, &mut self.slots);
        codes.distances(probe, slots, &mut self.sums, &mut self.distances);
    }

    /// Measures `nodes`, which were [fetched](fetch) before, as many as are.
    #[inline]
    pub(super) fn measure_fetched(&mut self, codes: &Codes, layer: &Layer, probe: &Probe) {
        let slots = slots_of(&self.nodes, layer, &mut self.slots);
        match slots.len() <= codes.rows_ahead {
            true => codes.fetched_distances(probe, slots, &mut self.sums, &mut self.distances),
            false => codes.distances(probe, slots, &mut self.sums, &mut self.distances),
        }
    }

    /// Measures `nodes`, which are slots, with all that codes can tell.
    pub(super) fn measure_finely(&mut self, codes: &Codes, probe: &Probe) {
        codes.fine_distances(probe, &self.nodes, &mut self.sums, &mut self.distances);
    }

    pub(super) fn bytes(&self) -> usize {
        let numbers = self.nodes.capacity() + self.slots.capacity() + self.distances.capacity();
        (numbers + self.nodes_ahead.capacity() + self.sums.capacity()) * 4
    }
}

/// The slots of nodes, which on level 0 are these themselves; `buffer` is working memory.
#[inline(always)]
fn slots_of<'a>(nodes: &'a [u32], layer: &Layer, buffer: &'a mut Vec<u32>) -> &'a [u32] {
    if layer.slots.is_empty() {
        return nodes;
    }
    buffer.clear();
    buffer.extend(nodes.iter().map(|&node| layer.slot(node)));
    buffer
}

/// Starts to fetch what measuring nodes reads; of many, of the first.
#[inline(always)]
pub(super) fn fetch(nodes: &[u32], codes: &Codes, layer: &Layer) {
    nodes.iter().take(codes.rows_ahead).for_each(|&node| codes.fetch(layer.slot(node)));
}
