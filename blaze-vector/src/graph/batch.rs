//! Nodes that are measured together.

use crate::code::{Codes, Probe};
use crate::graph::layer::Layer;

/// Nodes to be measured, and their distances.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) nodes: Vec<u32>,
    pub(super) slots: Vec<u32>,
    pub(super) distances: Vec<f32>,
    /// Those to be measured next, most likely.
    pub(super) ahead: Vec<u32>,
    sums: Vec<i32>,
}

impl Batch {
    /// Measures `nodes`.
    #[inline]
    pub(super) fn measure(&mut self, codes: &Codes, layer: &Layer, probe: &Probe) {
        if layer.slots.is_empty() {
            codes.distances(probe, &self.nodes, &mut self.sums, &mut self.distances);
        } else {
            self.find_slots(layer);
            codes.distances(probe, &self.slots, &mut self.sums, &mut self.distances);
        }
    }

    /// Measures `nodes`, which were [fetched](fetch) before.
    #[inline]
    pub(super) fn measure_fetched(&mut self, codes: &Codes, layer: &Layer, probe: &Probe) {
        if layer.slots.is_empty() {
            codes.fetched_distances(probe, &self.nodes, &mut self.sums, &mut self.distances);
        } else {
            self.find_slots(layer);
            codes.fetched_distances(probe, &self.slots, &mut self.sums, &mut self.distances);
        }
    }

    fn find_slots(&mut self, layer: &Layer) {
        self.slots.clear();
        self.slots.extend(self.nodes.iter().map(|&node| layer.slot(node)));
    }

    /// Measures `nodes`, which are slots, with all that codes can tell.
    pub(super) fn measure_finely(&mut self, codes: &Codes, probe: &Probe) {
        codes.fine_distances(probe, &self.nodes, &mut self.sums, &mut self.distances);
    }

    pub(super) fn bytes(&self) -> usize {
        let numbers = self.nodes.capacity() + self.slots.capacity() + self.distances.capacity();
        (numbers + self.ahead.capacity() + self.sums.capacity()) * 4
    }
}

/// Starts to fetch what measuring nodes reads.
#[inline(always)]
pub(super) fn fetch(nodes: &[u32], codes: &Codes, layer: &Layer) {
    nodes.iter().for_each(|&node| codes.fetch(layer.slot(node)));
}
