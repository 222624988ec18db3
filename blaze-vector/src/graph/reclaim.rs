//! Deletion for good: links to deleted nodes are replaced by links to what lay behind them, and their slots are free.
//!
//! All of it is one pass over the links, which only reads, and then as much work as there are links to deleted nodes.

use crate::graph::layer::NONE;
use crate::graph::search::Scratch;
use crate::graph::{Graph, State};

/// How many nodes that stay are enough behind a deleted one, so that it is not looked behind further ones.
const REPLACEMENTS: usize = 3;

/// How many deleted nodes are looked behind, where they lie side by side, for one link.
const DEAD_STEPS: usize = 64;

/// How often the nodes of a level that have changed meanwhile are gone through in portions, before all that are left are done
/// at once: who inserts much must not keep it from ending.
const ROUNDS_MAX: usize = 3;

/// Deleted nodes that are being taken from a graph, a portion at a time: begun by [`Graph::begin_reclaim`].
///
/// First the links that lead to them are led elsewhere, on one level after the other from the top; then their own links go, and
/// last their slots are free. In between, searches and insertions go on; a node that gets links to them meanwhile is noticed.
#[derive(Debug)]
pub struct Reclaim {
    /// Those nodes, and which slots these are.
    slots: Vec<u32>,
    dead: Vec<bool>,
    /// By level, nodes that had links to them.
    sources: Vec<Vec<u32>>,
    /// Nodes that have few links left.
    lonely: Vec<u32>,
    step: Step,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Links to dead nodes are led elsewhere on this level, for so many times what has changed meanwhile was to be done.
    Bypass {
        level: usize,
        rounds: usize,
    },
    /// Links of dead nodes go, of so many they have gone.
    Clear {
        cleared: usize,
    },
    /// Nodes with few links get more.
    Relink,
    Done,
}

impl Reclaim {
    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn is_dead(&self, slot: u32) -> bool {
        self.dead.get(slot as usize) == Some(&true)
    }
}

impl Graph {
    /// Frees the slots of deleted nodes and repairs the links that led to them: one pass over all links, however many the
    /// slots are. Returns how many were freed; what is not a deleted node is skipped.
    ///
    /// Deleted nodes that are not among `slots` stay. Where others want to search meanwhile, see
    /// [`begin_reclaim`](Graph::begin_reclaim).
    pub fn reclaim(&mut self, slots: &[u32]) -> usize {
        let mut reclaim = self.begin_reclaim(slots);
        let freed = reclaim.len();
        if freed > 0 {
            self.find_sources(&mut reclaim);
            while self.reclaim_some(&mut reclaim, usize::MAX).is_some() {}
            self.repair();
        }
        freed
    }

    /// Begins to free the slots of deleted nodes; what is not a deleted node is skipped. Next comes
    /// [`find_sources`](Graph::find_sources), then [`reclaim_some`](Graph::reclaim_some) again and again, and at the end
    /// [`repair`](Graph::repair), if any node is [`unreachable`](Graph::unreachable). No second one may be begun meanwhile.
    pub fn begin_reclaim(&mut self, slots: &[u32]) -> Reclaim {
        let mut dead = vec![false; self.slots()];
        let mut chosen: Vec<u32> = Vec::with_capacity(slots.len());
        for &slot in slots {
            if self.is_tombstone(slot) && !std::mem::replace(&mut dead[slot as usize], true) {
                chosen.push(slot);
            }
        }
        chosen.sort_unstable();
        let level = self.layers.len() - 1;
        let step = if chosen.is_empty() { Step::Done } else { Step::Bypass { level, rounds: 0 } };
        for layer in &mut self.layers {
            layer.changed = (!chosen.is_empty()).then(Vec::new);
        }
        Reclaim { slots: chosen, dead, sources: vec![Vec::new(); level + 1], lonely: Vec::new(), step }
    }

    /// Looks for the nodes with links to those that are to be freed: one pass over all links, beside those who search.
    pub fn find_sources(&self, reclaim: &mut Reclaim) {
        for level in 0..reclaim.sources.len().min(self.layers.len()) {
            let nodes = 0..self.layers[level].nodes() as u32;
            reclaim.sources[level] = nodes.filter(|&node| self.leads_to_dead(level, node, reclaim)).collect();
        }
    }

    /// Goes on with freeing: repairs the links of about so many nodes. The slots that nothing leads to any more since, and from
    /// which nothing leads; none when all is done, and the slots are free.
    pub fn reclaim_some(&mut self, reclaim: &mut Reclaim, nodes: usize) -> Option<Vec<u32>> {
        let mut cleared = Vec::new();
        match reclaim.step {
            Step::Bypass { level, rounds } => {
                let sources = &mut reclaim.sources[level];
                let portion = sources.split_off(sources.len().saturating_sub(nodes));
                self.bypass(level, &portion, reclaim);
                if reclaim.sources[level].is_empty() {
                    let mut changed = self.layers[level].changed.replace(Vec::new()).unwrap_or_default();
                    changed.sort_unstable();
                    changed.dedup();
                    changed.retain(|&node| self.leads_to_dead(level, node, reclaim));
                    if changed.len() > nodes && rounds < ROUNDS_MAX {
                        reclaim.sources[level] = changed; // much was inserted meanwhile
                        reclaim.step = Step::Bypass { level, rounds: rounds + 1 };
                    } else {
                        reclaim.step = self.end_level(level, &changed, reclaim);
                    }
                }
            }
            Step::Clear { cleared: before } => {
                let until = before.saturating_add(nodes).min(reclaim.slots.len());
                cleared = reclaim.slots[before..until].to_vec();
                self.clear(&cleared, reclaim);
                reclaim.step = Step::Clear { cleared: until };
                if until == reclaim.slots.len() {
                    self.free_slots(reclaim);
                    reclaim.step = Step::Relink;
                }
            }
            Step::Relink => {
                let at = reclaim.lonely.len().saturating_sub(nodes);
                reclaim.lonely.split_off(at).into_iter().for_each(|node| self.relink(node));
                if at == 0 {
                    reclaim.step = Step::Done;
                }
            }
            Step::Done => return None,
        }
        Some(cleared)
    }

    /// True for a node that stays and has a link to one that goes.
    fn leads_to_dead(&self, level: usize, node: u32, reclaim: &Reclaim) -> bool {
        let layer = &self.layers[level];
        let leads = layer.links(node).any(|link| reclaim.is_dead(layer.slot(link)));
        leads && !reclaim.is_dead(layer.slot(node))
    }

    /// Replaces links of nodes to dead ones on a level.
    fn bypass(&mut self, level: usize, nodes: &[u32], reclaim: &mut Reclaim) {
        let changed = self.layers[level].changed.take(); // not by what is done here
        self.with_scratch_mut(|graph, scratch| {
            for &node in nodes {
                if !graph.leads_to_dead(level, node, reclaim) {
                    continue; // it was changed meanwhile
                }
                let layer = &graph.layers[level];
                let is_kept = |link: &u32| !reclaim.is_dead(layer.slot(*link));
                let kept: Vec<u32> = layer.links(node).filter(is_kept).collect();
                let links = graph.bypassed(level, node, &kept, reclaim, scratch);
                if level == 0 && links.len() < graph.options.m / 2 {
                    reclaim.lonely.push(node);
                }
                graph.layers[level].set_links(node, &kept);
                graph.replace_links(level, node, links);
            }
        });
        self.layers[level].changed = changed;
    }

    /// Sees to what has changed since the links were looked at; then no link leads to dead nodes on a level, and those of an
    /// upper one are gone.
    fn end_level(&mut self, level: usize, changed: &[u32], reclaim: &mut Reclaim) -> Step {
        self.bypass(level, changed, reclaim);
        self.layers[level].changed = None;
        self.reclaims += 1; // what was prepared before may link to them
        if level > 0 {
            self.drop_nodes(level, reclaim);
        }
        self.find_entry(level, reclaim);
        match level {
            0 => Step::Clear { cleared: 0 },
            _ => Step::Bypass { level: level - 1, rounds: 0 },
        }
    }

    /// Takes the links of dead nodes, to which none lead but from each other.
    fn clear(&mut self, slots: &[u32], reclaim: &Reclaim) {
        for &slot in slots {
            let links: Vec<u32> = self.layers[0].links(slot).collect();
            self.layers[0].set_links(slot, &[]);
            for node in links {
                // This link was the last that led there.
                if self.layers[0].in_degree(node) == 0 && !reclaim.is_dead(node) {
                    self.relink(node);
                }
            }
        }
    }

    fn free_slots(&mut self, reclaim: &Reclaim) {
        for &slot in reclaim.slots.iter().rev() {
            self.state[slot as usize] = State::Free;
            self.free.push(slot);
        }
        self.tombstones -= reclaim.slots.len();
    }

    /// The links of a node once those to dead nodes are replaced: chosen anew among those that stay and all that lay behind the
    /// dead (FreshDiskANN's Algorithm 4). To take the nearest three of these for each dead one, as IP-DiskANN does, cost 3.4
    /// points of recall where half of the nodes were deleted and inserted again five times (50,000 x 128, clustered,
    /// 2026-11-22); this costs none, and half as much time again.
    fn bypassed(&self, level: usize, node: u32, kept: &[u32], reclaim: &Reclaim, scratch: &mut Scratch) -> Vec<u32> {
        let layer = &self.layers[level];
        let is_dead = |node: u32| reclaim.is_dead(layer.slot(node));
        let mut candidates = kept.to_vec();
        for gone in layer.links(node).filter(|link| is_dead(*link)) {
            let enough = candidates.len() + REPLACEMENTS;
            let (mut behind, mut next) = (vec![gone], 0);
            while let Some(&gone) = behind.get(next).filter(|_| candidates.len() < enough) {
                next += 1;
                for link in layer.links(gone) {
                    if !is_dead(link) {
                        if link != node && !candidates.contains(&link) {
                            candidates.push(link);
                        }
                    } else if behind.len() < DEAD_STEPS && !behind.contains(&link) {
                        behind.push(link);
                    }
                }
            }
        }
        self.nearest_links(level, node, candidates, scratch)
    }

    /// Takes dead nodes, to which no links lead any more, from an upper level.
    fn drop_nodes(&mut self, level: usize, reclaim: &Reclaim) {
        let layer = &mut self.layers[level];
        for node in (0..layer.nodes() as u32).rev() {
            if !reclaim.is_dead(layer.slot(node)) {
                continue;
            }
            layer.set_links(node, &[]);
            layer.slots[node as usize] = NONE;
            layer.free.push(node);
        }
    }

    /// Chooses the first node of the uppermost level that stays, unless the one that was chosen does. While there are levels to
    /// be looked at below `level`, it may be one that goes.
    fn find_entry(&mut self, level: usize, reclaim: &Reclaim) {
        while self.layers.len() > 1 && self.layers.last().is_some_and(|top| top.slots.iter().all(|&slot| slot == NONE))
        {
            self.layers.pop();
            self.entry = None;
        }
        let top = &self.layers[self.layers.len() - 1];
        let is_there = |&node: &u32| {
            let slot = || self.state.get(top.slot(node) as usize);
            (node as usize) < top.nodes() && slot().is_some_and(|&state| state != State::Free)
        };
        let stays = |node: &u32| is_there(node) && !reclaim.is_dead(top.slot(*node));
        let all = 0..top.nodes() as u32;
        let chosen = self.entry.filter(stays).or_else(|| all.clone().find(stays));
        self.entry = chosen.or_else(|| all.filter(|_| level > 0).find(is_there));
    }
}
