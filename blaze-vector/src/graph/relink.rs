//! Looking anew for what lies near a node that has its place already.

use crate::code::Probe;
use crate::graph::Graph;
use crate::graph::beam::beam;
use crate::graph::layer::NONE;
use crate::graph::same_code::COPIES_MAX;
use crate::graph::search::Scratch;

impl Graph {
    /// Looks anew for the links of a node on level 0, and links back.
    pub(super) fn relink(&mut self, node: u32) {
        self.with_scratch_mut(|graph, scratch| {
            let mut own = std::mem::take(&mut scratch.relinked);
            graph.codes.probe_slot(node, &mut own);
            let candidates = graph.near(&own, node, scratch);
            scratch.relinked = own;
            let mut chosen = Vec::new();
            let (limit, least) = (graph.own_limit(0), graph.options.m / 2);
            let Scratch { batch, pruning, .. } = &mut *scratch;
            graph.prune(&graph.layers[0], &candidates, limit, least, (batch, pruning), &mut chosen);
            graph.replace_links(0, node, chosen.clone());
            for target in chosen {
                let mut links: Vec<u32> = graph.layers[0].links(target).collect();
                if links.contains(&node) {
                    continue;
                }
                links.push(node);
                if links.len() > graph.layers[0].room() {
                    links = graph.nearest_links(0, target, links, scratch);
                }
                graph.replace_links(0, target, links);
            }
        });
    }

    /// Lists nodes with the same code as one that is listed no more, if there are any near it that are not.
    pub(super) fn list_copies(&mut self, of: u32) {
        let copies: Vec<u32> = self.with_scratch_mut(|graph, scratch| {
            let mut own = std::mem::take(&mut scratch.relinked);
            graph.codes.probe_slot(of, &mut own);
            let key = graph.codes.key(of);
            let is_copy = |node| graph.contains(node) && graph.codes.key(node) == key;
            graph.walk(&own, scratch, (COPIES_MAX, usize::MAX), |node| {
                is_copy(node) && !graph.same_code.lists(&graph.codes, node)
            });
            scratch.relinked = own;
            scratch.pool.accepted().map(|(_, copy)| copy).collect()
        });
        copies.into_iter().for_each(|copy| self.same_code.insert(&self.codes, copy));
    }

    /// The nodes of level 0 near a probe, `except` one, nearest first.
    pub(super) fn near(&self, probe: &Probe, except: u32, scratch: &mut Scratch) -> Vec<(f32, u32)> {
        self.walk(probe, scratch, (self.options.ef_construction, self.ties_max(self.options.m)), |_| true);
        scratch.pool.accepted().filter(|&(_, node)| node != except).collect()
    }

    /// Has the pool hold the `ef` nodes of level 0 nearest to a probe among those that are accepted, of equally near ones so many.
    fn walk(
        &self,
        probe: &Probe,
        scratch: &mut Scratch,
        (ef, ties_max): (usize, usize),
        accept: impl FnMut(u32) -> bool,
    ) {
        let Scratch { visited, pool, batch, .. } = scratch;
        pool.reset(ef, ties_max);
        let Some(entry) = self.entry else { return };
        let (start, _) = self.descend(probe, NONE, entry, self.layers.len() - 1, 0, batch);
        visited.reset(self.layers[0].nodes());
        beam(&self.codes, &self.layers[0], probe, &[start, self.root(entry)], visited, pool, batch, accept);
    }

    pub(super) fn with_scratch_mut<R>(&mut self, work: impl FnOnce(&mut Graph, &mut Scratch) -> R) -> R {
        let pooled = self.scratches.get_mut().ok().and_then(Vec::pop);
        let mut scratch = pooled.unwrap_or_default();
        let result = work(self, &mut scratch);
        if let Ok(all) = self.scratches.get_mut() {
            all.push(scratch);
        }
        result
    }
}
