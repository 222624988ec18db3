//! Insertion: the long half that only reads, and the short half that links.

use blaze_core::fault::{self, Mistake};
use blaze_core::{Error, Result};

use crate::code::{Coded, Codes, Probe};
use crate::graph::beam::beam;
use crate::graph::layer::{Layer, NONE};
use crate::graph::parts::in_parts;
use crate::graph::pool::NODES_MAX;
use crate::graph::search::Scratch;
use crate::graph::{Graph, State};
use crate::vector::{VectorRef, validate};

/// A vector that is ready to be linked: made by [`Graph::prepare`], taken by [`Graph::insert`] of the same graph.
#[derive(Clone, Debug)]
pub struct Insertion {
    pub(super) coded: Coded,
    pub(super) probe: Probe,
    pub(super) level: usize,
    /// Chosen nodes by level, from level 0 upwards.
    pub(super) neighbours: Vec<Vec<u32>>,
    pub(super) reclaims: u64,
}

/// Links that lead to a node from those that it chose.
#[derive(Clone, Debug)]
pub(super) struct Reverse {
    pub(super) target: u32,
    pub(super) source: u32,
}

/// What becomes of the links of a node.
struct Relinked {
    node: u32,
    links: Vec<u32>,
    /// Those that it has no more, and those that it did not have.
    gone: Vec<u32>,
    come: Vec<u32>,
}

impl Graph {
    /// Checks a vector, and looks for its place. Takes the time of a search with `ef_construction` candidates; any number
    /// of threads may do so at once.
    ///
    /// ```
    /// use blaze_vector::{Graph, GraphOptions, Metric};
    ///
    /// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 2))?;
    /// let insertions = [graph.prepare(&[0.0, 0.0])?, graph.prepare(&[1.0, 0.0])?];
    /// let slots = insertions.map(|insertion| graph.insert(insertion));
    /// assert_eq!((slots, graph.len()), ([0, 1], 2));
    /// assert!(graph.prepare(&[1.0]).is_err(), "of another dimension");
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`validate`](crate::validate), for the graph's metric and dimension;
    /// [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) if the graph has a thousand million nodes.
    pub fn prepare<'a>(&self, vector: impl Into<VectorRef<'a>>) -> Result<Insertion> {
        let vector = vector.into();
        validate(self.options.metric, self.options.dimension, vector)?;
        if self.slots() >= NODES_MAX && self.free.is_empty() {
            return Err(Error::limit_exceeded(format!("a graph has at most {NODES_MAX} nodes")));
        }
        let level = self.level(self.next_ticket());
        Ok(self.with_scratch(|scratch| self.prepare_at(vector, level, scratch)))
    }

    /// Links a prepared vector; its slot. Takes time in proportion to the links of a node, whatever the number of nodes; but now and
    /// then a 64th of all codes is gone through, when what finds nodes by their codes grows.
    ///
    /// If slots were reclaimed since the insertion was prepared, or there was no node then, its place is looked for once more.
    pub fn insert(&mut self, insertion: Insertion) -> u32 {
        let slot = self.free.pop().unwrap_or(self.slots() as u32);
        self.make_room(slot as usize + 1);
        let mut insertion = insertion;
        if insertion.reclaims != self.reclaims || insertion.neighbours.is_empty() {
            insertion.neighbours =
                self.with_scratch(|scratch| self.find_neighbours(&insertion.probe, insertion.level, scratch));
        }
        self.link(vec![(slot, insertion)], 1);
        self.same_code.insert(&self.codes, slot);
        slot
    }

    /// Makes room for slots below `slots`.
    pub(super) fn make_room(&mut self, slots: usize) {
        if slots > self.slots() {
            self.codes.grow(slots);
            self.layers[0].links.grow(slots);
            self.layers[0].in_degrees.grow(slots, 0);
            self.state.resize(slots, State::Free);
        }
    }

    pub(super) fn prepare_at(&self, vector: VectorRef<'_>, level: usize, scratch: &mut Scratch) -> Insertion {
        let (coded, probe) = match vector {
            VectorRef::F32(numbers) => self.frame.code(&self.codes, numbers),
            VectorRef::Bits(bits) => (Codes::encode_bits(bits), Probe::bits(bits)),
        };
        let neighbours = self.find_neighbours(&probe, level, scratch);
        Insertion { coded, probe, level, neighbours, reclaims: self.reclaims }
    }

    /// The nodes to link to on each level up to `level`.
    pub(super) fn find_neighbours(&self, probe: &Probe, level: usize, scratch: &mut Scratch) -> Vec<Vec<u32>> {
        let Some(entry) = self.entry else { return Vec::new() };
        let top = self.layers.len() - 1;
        let highest = level.min(top);
        let Scratch { visited, pool, batch, pruning, .. } = scratch;
        let (mut start, _) = self.descend(probe, NONE, entry, top, highest, batch);
        let mut neighbours = vec![Vec::new(); highest + 1];
        let mut candidates = Vec::new();
        for level in (0..=highest).rev() {
            let layer = &self.layers[level];
            visited.reset(layer.nodes());
            pool.reset(self.options.ef_construction, self.ties_max(self.options.m));
            beam(&self.codes, layer, probe, &[start], visited, pool, batch, |_| true);
            candidates.clear();
            candidates.extend(pool.accepted());
            if level > 0 {
                // There is always one, unless distances are no numbers: codes that were damaged, say.
                start = layer.below[candidates.first().map_or(start, |&(_, nearest)| nearest) as usize];
            }
            let limit = self.own_limit(level);
            self.prune(layer, &candidates, limit, self.options.m / 2, (batch, pruning), &mut neighbours[level]);
        }
        neighbours
    }

    /// How many links a new node gets: less than it has room for, so that links to it find a place.
    pub(super) fn own_limit(&self, level: usize) -> usize {
        let room = self.layers[level].room();
        if level == 0 { room * 3 / 4 } else { room }
    }

    /// Adds nodes to empty slots and links them, with the same outcome at any number of threads. Who calls it lists them by their
    /// codes.
    pub(super) fn link(&mut self, batch: Vec<(u32, Insertion)>, threads: usize) {
        let mut reverses: Vec<Vec<Reverse>> = Vec::new();
        for (slot, insertion) in &batch {
            self.codes.set(*slot, &insertion.coded);
            self.state[*slot as usize] = State::Live;
            self.len += 1;
            let mut node = *slot;
            for level in 0..=insertion.level {
                if self.layers.len() == level {
                    self.layers.push(Layer::new(self.options.m));
                    self.entry = None;
                }
                if level > 0 {
                    node = self.layers[level].add(*slot, node);
                }
                let chosen = insertion.neighbours.get(level).map_or(&[][..], Vec::as_slice);
                self.layers[level].set_links(node, chosen);
                if level == self.layers.len() - 1 && self.entry.is_none() {
                    self.entry = Some(node);
                }
                reverses.resize_with(reverses.len().max(level + 1), Vec::new);
                reverses[level].extend(chosen.iter().map(|&target| Reverse { target, source: node }));
            }
        }
        if fault::makes(Mistake::UnrepairedEdge) {
            return;
        }
        for (level, mut reverses) in reverses.into_iter().enumerate() {
            reverses.sort_unstable_by_key(|reverse| (reverse.target, reverse.source));
            self.link_back(level, &reverses, threads);
        }
        for (slot, insertion) in &batch {
            if let Some(chosen) = insertion.neighbours.first() {
                self.keep_reachable(*slot, chosen);
            }
        }
    }

    /// Adds links from targets to sources; what no longer fits is pruned.
    fn link_back(&mut self, level: usize, reverses: &[Reverse], threads: usize) {
        let groups: Vec<&[Reverse]> = reverses.chunk_by(|a, b| a.target == b.target).collect();
        let graph: &Graph = self;
        let relinked = in_parts(&groups, threads, |groups| {
            graph.with_scratch(|scratch| {
                groups.iter().map(|group| graph.relinked(level, group, scratch)).collect::<Vec<_>>()
            })
        });
        for relinked in relinked.into_iter().flatten() {
            self.exchange_links(level, relinked);
        }
    }

    /// The links of the group's target, together with those to its sources.
    fn relinked(&self, level: usize, group: &[Reverse], scratch: &mut Scratch) -> Relinked {
        let layer = &self.layers[level];
        let node = group[0].target;
        let before: Vec<u32> = layer.links(node).collect();
        let mut come: Vec<u32> = group.iter().map(|reverse| reverse.source).collect();
        let mut links = [before.as_slice(), &come].concat();
        if links.len() <= layer.room() {
            return Relinked { node, links, gone: Vec::new(), come };
        }
        links = self.nearest_links(level, node, links, scratch);
        come.retain(|link| links.contains(link));
        let gone = before.into_iter().filter(|link| !links.contains(link)).collect();
        Relinked { node, links, gone, come }
    }

    /// The best links of a node among `candidates`.
    pub(super) fn nearest_links(
        &self,
        level: usize,
        node: u32,
        candidates: Vec<u32>,
        scratch: &mut Scratch,
    ) -> Vec<u32> {
        let layer = &self.layers[level];
        let Scratch { batch, probe, pruning, .. } = scratch;
        self.codes.probe_slot(layer.slot(node), probe);
        batch.nodes.clear();
        batch.nodes.extend(candidates);
        batch.measure(&self.codes, layer, probe);
        let mut measured: Vec<(f32, u32)> = batch.distances.iter().copied().zip(batch.nodes.iter().copied()).collect();
        measured.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut chosen = Vec::new();
        let limit = self.pruned_limit(level);
        self.prune(layer, &measured, limit, self.options.m / 2, (batch, pruning), &mut chosen);
        chosen
    }

    /// How many links a full node keeps: fewer than it has room for, so that the next ones need no pruning.
    pub(super) fn pruned_limit(&self, level: usize) -> usize {
        let room = self.layers[level].room();
        (room * 7 / 8).max(2)
    }

    /// As [`replace_links`](Graph::replace_links), and quicker: most links stay.
    fn exchange_links(&mut self, level: usize, relinked: Relinked) {
        let Relinked { node, links, gone, come } = relinked;
        let layer = &mut self.layers[level];
        if level == 0 && gone.iter().any(|&link| layer.in_degree(link) == 1) {
            return self.replace_links(level, node, links);
        }
        layer.exchange_links(node, &links, &gone, &come);
    }

    /// Sets the links of a node, and keeps those that are the last to lead to their target.
    pub(super) fn replace_links(&mut self, level: usize, node: u32, mut links: Vec<u32>) {
        let layer = &mut self.layers[level];
        if level == 0 {
            let last: Vec<u32> =
                layer.links(node).filter(|&link| layer.in_degree(link) == 1 && !links.contains(&link)).collect();
            for link in last {
                put(layer, &mut links, link);
            }
        }
        layer.set_links(node, &links);
    }

    /// Makes sure that some link leads to a new node.
    fn keep_reachable(&mut self, slot: u32, chosen: &[u32]) {
        if self.layers[0].in_degree(slot) > 0 {
            return;
        }
        for &node in chosen {
            let layer = &mut self.layers[0];
            let mut links: Vec<u32> = layer.links(node).collect();
            if put(layer, &mut links, slot) {
                layer.set_links(node, &links);
                return;
            }
        }
    }
}

/// Adds a link; if there is no room, in the place of the one to whose target the most others lead.
pub(super) fn put(layer: &Layer, links: &mut Vec<u32>, link: u32) -> bool {
    if links.len() < layer.room() {
        links.push(link);
        return true;
    }
    let spares = links.iter().enumerate().filter(|&(_, &other)| other != link && layer.in_degree(other) > 1);
    let Some((place, _)) = spares.max_by_key(|&(place, &other)| (layer.in_degree(other), place)) else { return false };
    links[place] = link;
    true
}
