//! What must hold of every graph, and what is done about nodes that no walk reaches.

use crate::code::Code;
use crate::graph::insert::put;
use crate::graph::layer::MANY;
use crate::graph::pool::NODES_MAX;
use crate::graph::{Graph, State};

/// How often links are added for nodes that no walk reaches: adding one may replace another.
const REPAIRS_MAX: usize = 4;

impl Graph {
    /// Checks every list and every count; the first thing that does not hold, in words. Takes time linear in the links.
    ///
    /// A graph that was only changed through its methods passes; the check is for graphs that were read from somewhere.
    ///
    /// # Errors
    ///
    /// [`Corruption`](blaze_core::ErrorKind::Corruption).
    pub fn check(&self) -> blaze_core::Result<()> {
        self.broken().map_or(Ok(()), |what| Err(blaze_core::Error::corruption(format!("vector graph: {what}"))))
    }

    fn broken(&self) -> Option<String> {
        let slots = self.slots();
        let count = |wanted| self.state.iter().filter(|&&state| state == wanted).count();
        if slots > NODES_MAX || self.codes.high.rows() != slots || self.layers[0].nodes() != slots {
            return Some(format!("{slots} slots do not fit its codes and links"));
        }
        if self.codes.code == Code::Eight && self.codes.low.rows() != slots {
            return Some(format!("{slots} slots do not fit its lower codes"));
        }
        if (count(State::Live), count(State::Tombstone)) != (self.len, self.tombstones) {
            return Some(format!("{} nodes and {} deleted ones are miscounted", self.len, self.tombstones));
        }
        let mut is_free = vec![false; slots];
        for &slot in &self.free {
            match is_free.get_mut(slot as usize) {
                Some(seen) if !*seen && self.state[slot as usize] == State::Free => *seen = true,
                _ => return Some(format!("slot {slot} is free twice, or in use")),
            }
        }
        if let Some(slot) = self.same_code.misplaced(&self.codes, |slot| self.contains(slot)) {
            return Some(format!("slot {slot} is listed by its code, and not where it would be looked for"));
        }
        let top = self.layers.len() - 1;
        let has_entry = self.entry.is_some_and(|entry| self.holds(top, entry));
        if has_entry != (self.len + self.tombstones > 0) {
            return Some(format!("entry {:?} is no node of level {top}", self.entry));
        }
        (0..self.layers.len()).find_map(|level| self.broken_level(level))
    }

    /// True if a level has this node.
    pub(super) fn holds(&self, level: usize, node: u32) -> bool {
        let layer = &self.layers[level];
        (node as usize) < layer.nodes()
            && self.state.get(layer.slot(node) as usize).is_some_and(|&state| state != State::Free)
    }

    fn broken_level(&self, level: usize) -> Option<String> {
        let layer = &self.layers[level];
        let mut in_degrees = vec![0usize; layer.nodes()];
        for node in 0..layer.nodes() as u32 {
            let links: Vec<u32> = layer.links(node).collect();
            if !self.holds(level, node) && !links.is_empty() {
                return Some(format!("free node {node} of level {level} has links"));
            }
            for (i, &link) in links.iter().enumerate() {
                if link == node || !self.holds(level, link) || links[..i].contains(&link) {
                    return Some(format!("node {node} of level {level} must not have a link to {link}"));
                }
                in_degrees[link as usize] += 1;
            }
            if level > 0 && self.holds(level, node) {
                let below = layer.below[node as usize];
                if !self.holds(level - 1, below) || self.layers[level - 1].slot(below) != layer.slot(node) {
                    return Some(format!("node {node} of level {level} is another one below"));
                }
            }
        }
        if level == 0 {
            for (node, &links) in in_degrees.iter().enumerate() {
                let counted = layer.in_degree(node as u32);
                if counted != MANY && usize::from(counted) != links {
                    return Some(format!("{links} links lead to node {node}, and {counted} are counted"));
                }
            }
        }
        None
    }

    /// The nodes of level 0, in order, that no walk from the entry reaches: searches cannot find them. Takes time linear in
    /// the links.
    #[must_use]
    pub fn unreachable(&self) -> Vec<u32> {
        let reached = self.reached();
        self.nodes().filter(|&slot| !reached[slot as usize]).collect()
    }

    fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.slots()];
        let mut stack: Vec<u32> = self.entry.map(|entry| self.root(entry)).into_iter().collect();
        self.flood(&mut stack, &mut reached);
        reached
    }

    fn flood(&self, stack: &mut Vec<u32>, reached: &mut [bool]) {
        while let Some(node) = stack.pop() {
            if !std::mem::replace(&mut reached[node as usize], true) {
                stack.extend(self.layers[0].links(node).filter(|&link| !reached[link as usize]));
            }
        }
    }

    /// Leads links to nodes that no walk reaches; how many there were. Takes time linear in the links, and that of an
    /// insertion for each such node.
    pub fn repair(&mut self) -> usize {
        let mut repaired = 0;
        for _ in 0..REPAIRS_MAX {
            let mut reached = self.reached();
            let lost: Vec<u32> = self.nodes().filter(|&slot| !reached[slot as usize]).collect();
            if lost.is_empty() {
                break;
            }
            for node in lost {
                if !reached[node as usize] {
                    repaired += usize::from(self.lead_to(node, &reached));
                    self.flood(&mut vec![node], &mut reached);
                }
            }
        }
        repaired
    }

    /// Links nodes that have no links, unless there is but one node; true if there were any.
    pub(super) fn link_the_linkless(&mut self) -> bool {
        if self.len + self.tombstones < 2 {
            return false;
        }
        let linkless: Vec<u32> = self.nodes().filter(|&slot| self.layers[0].links(slot).next().is_none()).collect();
        linkless.iter().for_each(|&slot| self.relink(slot));
        !linkless.is_empty()
    }

    /// Adds a link to a node from the nearest one that a walk reaches and that can spare one; from any, if all near ones lead
    /// to nodes that depend on them, as copies of one vector may.
    fn lead_to(&mut self, node: u32, reached: &[bool]) -> bool {
        self.with_scratch_mut(|graph, scratch| {
            let mut own = std::mem::take(&mut scratch.relinked);
            graph.codes.probe_slot(node, &mut own);
            let near = graph.near(&own, node, scratch);
            scratch.relinked = own;
            // The walk may have come down among nodes that are lost as well. The others are many, and seldom needed.
            let choices = || {
                let near = near.iter().map(|&(_, from)| from);
                near.chain(0..reached.len() as u32).filter(|&from| from != node && reached[from as usize])
            };
            let layer = &mut graph.layers[0];
            // Where there is room nothing is lost; a link that gives way may be what led to others.
            let roomy = choices().find(|&from| layer.links(from).count() < layer.room());
            for from in roomy.into_iter().chain(choices()) {
                let mut links: Vec<u32> = layer.links(from).collect();
                if !links.contains(&node) && put(layer, &mut links, node) {
                    layer.set_links(from, &links);
                    return true;
                }
            }
            false
        })
    }
}
