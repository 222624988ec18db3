//! Deletion for good: links to deleted nodes are replaced by links to what lay behind them, and their slots are free.

use crate::graph::layer::NONE;
use crate::graph::search::{Scratch, beam};
use crate::graph::{Graph, State};

/// How many links replace one to a deleted node, before pruning (IP-DiskANN's choice).
const REPLACEMENTS: usize = 3;

/// How many deleted nodes are looked behind, where they lie side by side, for one link.
const DEAD_STEPS: usize = 64;

impl Graph {
    /// Frees the slots of deleted nodes and repairs the links that led to them: one pass over all links, however many the
    /// slots are. Returns how many were freed; what is not a deleted node is skipped.
    ///
    /// Deleted nodes that are not among `slots` stay.
    pub fn reclaim(&mut self, slots: &[u32]) -> usize {
        let mut dead = vec![false; self.slots()];
        let mut freed = 0;
        for &slot in slots {
            if self.state.get(slot as usize) == Some(&State::Tombstone) && !dead[slot as usize] {
                dead[slot as usize] = true;
                freed += 1;
            }
        }
        if freed == 0 {
            return 0;
        }
        self.reclaims += 1;
        let mut lonely = Vec::new();
        for level in (0..self.layers.len()).rev() {
            lonely = self.bypass(level, &dead);
            self.drop_nodes(level, &dead);
        }
        for slot in (0..self.slots()).rev().filter(|&slot| dead[slot]) {
            self.state[slot] = State::Free;
            self.free.push(slot as u32);
        }
        self.tombstones -= freed;
        self.find_entry();
        for node in lonely {
            self.relink(node);
        }
        self.repair();
        freed
    }

    /// Replaces links to dead nodes on a level; the nodes that have few links left.
    fn bypass(&mut self, level: usize, dead: &[bool]) -> Vec<u32> {
        let mut lonely = Vec::new();
        self.with_scratch_mut(|graph, scratch| {
            for node in 0..graph.layers[level].nodes() as u32 {
                let layer = &graph.layers[level];
                let is_dead = |node: u32| dead[layer.slot(node) as usize];
                let links = layer.links(node);
                if !links.iter().any(|&link| is_dead(link)) || is_dead(node) {
                    continue;
                }
                let kept: Vec<u32> = links.iter().copied().filter(|&link| !is_dead(link)).collect();
                let links = graph.bypassed(level, node, &kept, dead, scratch);
                if links.len() < graph.options.m / 2 {
                    lonely.push(node);
                }
                graph.layers[level].set_links(node, &kept);
                graph.replace_links(level, node, links);
            }
        });
        lonely
    }

    /// The links of a node once those to dead nodes are replaced.
    fn bypassed(&self, level: usize, node: u32, kept: &[u32], dead: &[bool], scratch: &mut Scratch) -> Vec<u32> {
        let layer = &self.layers[level];
        let is_dead = |node: u32| dead[layer.slot(node) as usize];
        let mut links = kept.to_vec();
        for &gone in layer.links(node).iter().filter(|&&link| is_dead(link)) {
            let (mut behind, mut found, mut next) = (vec![gone], Vec::new(), 0);
            while let Some(&gone) = behind.get(next) {
                next += 1;
                for &link in layer.links(gone) {
                    if !is_dead(link) {
                        if link != node && !links.contains(&link) && !found.contains(&link) {
                            found.push(link);
                        }
                    } else if behind.len() < DEAD_STEPS && !behind.contains(&link) {
                        behind.push(link);
                    }
                }
                if found.len() >= REPLACEMENTS {
                    break;
                }
            }
            if found.len() > REPLACEMENTS {
                let Scratch { batch, probe, .. } = &mut *scratch;
                self.codes.probe_slot(layer.slot(node), probe);
                batch.nodes.clear();
                batch.nodes.extend_from_slice(&found);
                batch.measure(&self.codes, layer, probe);
                let mut measured: Vec<(f32, u32)> = batch.distances.iter().copied().zip(found).collect();
                measured.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                found = measured.into_iter().take(REPLACEMENTS).map(|(_, link)| link).collect();
            }
            links.extend(found);
        }
        if links.len() > layer.room() {
            links = self.nearest_links(level, node, links, scratch);
        }
        links
    }

    /// Takes dead nodes, to which no links lead any more, from a level.
    fn drop_nodes(&mut self, level: usize, dead: &[bool]) {
        let layer = &mut self.layers[level];
        for node in (0..layer.nodes() as u32).rev() {
            if !dead.get(layer.slot(node) as usize).is_some_and(|&is_dead| is_dead) {
                continue;
            }
            layer.set_links(node, &[]);
            if level > 0 {
                layer.slots[node as usize] = NONE;
                layer.free.push(node);
            }
        }
    }

    /// Chooses the first node of the uppermost level that has any.
    fn find_entry(&mut self) {
        while self.layers.len() > 1 && self.layers.last().is_some_and(|top| top.slots.iter().all(|&slot| slot == NONE))
        {
            self.layers.pop();
        }
        let top = &self.layers[self.layers.len() - 1];
        if self.layers.len() > 1 {
            let still = self.entry.is_some_and(|entry| top.slots.get(entry as usize).is_some_and(|&slot| slot != NONE));
            if !still {
                self.entry = top.slots.iter().position(|&slot| slot != NONE).map(|node| node as u32);
            }
        } else if self.entry.is_none_or(|entry| self.state.get(entry as usize).is_none_or(|&s| s == State::Free)) {
            self.entry = self.state.iter().position(|&state| state != State::Free).map(|slot| slot as u32);
        }
    }

    /// Looks anew for the links of a node on level 0, and links back.
    fn relink(&mut self, node: u32) {
        self.with_scratch_mut(|graph, scratch| {
            let mut own = std::mem::take(&mut scratch.relinked);
            graph.codes.probe_slot(node, &mut own);
            let candidates = graph.near(&own, node, scratch);
            scratch.relinked = own;
            let mut chosen = Vec::new();
            let (limit, least) = (graph.own_limit(0), graph.options.m / 2);
            let Scratch { batch, node_probe, .. } = &mut *scratch;
            graph.prune(&graph.layers[0], &candidates, limit, least, (batch, node_probe), &mut chosen);
            graph.replace_links(0, node, chosen.clone());
            for target in chosen {
                let mut links = graph.layers[0].links(target).to_vec();
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

    /// The nodes of level 0 near a probe, `except` one, nearest first.
    pub(super) fn near(&self, probe: &crate::code::Probe, except: u32, scratch: &mut Scratch) -> Vec<(f32, u32)> {
        let Some(entry) = self.entry else { return Vec::new() };
        let Scratch { visited, pool, batch, .. } = scratch;
        let (start, _) = self.descend(probe, NONE, entry, self.layers.len() - 1, 0, batch);
        visited.reset(self.layers[0].nodes());
        pool.reset(self.options.ef_construction, self.ties_max(self.options.m));
        beam(&self.codes, &self.layers[0], probe, &[start, self.root(entry)], visited, pool, batch, |_| true);
        pool.accepted().filter(|&(_, node)| node != except).collect()
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
