//! Search among a part of the nodes.

use crate::graph::batch::Batch;
use crate::graph::search::Scratch;
use crate::graph::visited::Visited;
use crate::graph::{Found, Graph, GraphQuery, State, Strategy};
use crate::slots::SlotSet;

/// Up to so many nodes for each candidate that is kept, all are measured: the walk would measure about as many.
const SCANNED_PER_CANDIDATE: usize = 100;

/// Where this part of what may be found on the whole is found around the place nearest to the query, or less, the filter
/// speaks against the query: what matches lies anywhere else, in places that no walk connects.
const ADVERSE_PART: f64 = 0.25;

/// A walk is given up once it has measured this part of the set: it takes a few times as long for a node as a scan does, and
/// where it leads nowhere, it is to cost little beside the scan that follows. (2026-11-21: of 50,000 nodes far from the query,
/// a walk without end took 2.3 ms, a scan 0.8.)
const WALKED_PART: usize = 16;

/// A walk that succeeds measures about ten nodes for each candidate that is kept.
const WALKED_PER_CANDIDATE: usize = 20;

/// Up to this part of the nodes, the walk leads over nodes that may not be found to those behind them (ACORN-1, Patel and
/// others 2024); beyond, enough direct neighbours may be found.
const TWO_HOPS_PART: f64 = 0.4;

/// Codes that are measured at a time.
const SCANNED_AT_ONCE: usize = 256;

impl Graph {
    /// Looks for the `k` nodes nearest to the query among those of a set: always `k`, if it has so many.
    ///
    /// A small set is measured as a whole, without a look at the links. Otherwise the search walks the graph, over the
    /// neighbours of neighbours where few of them may be found, and measures the whole set after all if that leads to fewer
    /// than `ef` nodes, as where everything near the query is left out. The set must name nodes that are there.
    ///
    /// [`Found::strategy`] says which way it took. A walk takes time in proportion to `ef`, a scan to the set.
    ///
    /// ```
    /// use blaze_vector::{Graph, GraphOptions, Metric, SlotSet, Strategy};
    ///
    /// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1))?;
    /// for position in 0..100u8 {
    ///     let insertion = graph.prepare(&[f32::from(position)])?;
    ///     graph.insert(insertion);
    /// }
    /// let few: SlotSet = [3, 40, 99].into_iter().collect();
    /// let found = graph.search_among(&graph.query(&[41.6])?, 50, 2, &few);
    /// assert_eq!(found.candidates.iter().map(|candidate| candidate.slot).collect::<Vec<_>>(), [40, 3]);
    /// assert_eq!((found.strategy, found.visited), (Strategy::Scan, 3));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn search_among(&self, query: &GraphQuery, ef: usize, k: usize, among: &SlotSet) -> Found {
        let ef = ef.max(k);
        if k == 0 || among.is_empty() || self.entry.is_none() {
            return Found::default();
        }
        if ef >= Graph::scanning_width(among.len()) {
            return self.scan(query, ef, k, among);
        }
        self.walk_among(query, ef, k, among).unwrap_or_else(|visited| {
            let found = self.scan(query, ef, k, among);
            Found { visited: found.visited + visited, ..found }
        })
    }

    /// The `ef` from which on a search among so many nodes measures them all.
    ///
    /// ```
    /// use blaze_vector::Graph;
    ///
    /// assert_eq!(Graph::scanning_width(10_000), 100);
    /// ```
    #[must_use]
    pub fn scanning_width(nodes: usize) -> usize {
        nodes.div_ceil(SCANNED_PER_CANDIDATE)
    }

    /// Measures the codes of a whole set, without a look at the links: keeps `ef` by what the walk sees, and of these the `k`
    /// nearest. The set must name nodes that are there. Takes time linear in the set.
    #[must_use]
    pub fn scan(&self, query: &GraphQuery, ef: usize, k: usize, among: &SlotSet) -> Found {
        self.with_scratch(|scratch| {
            let Scratch { pool, batch, .. } = scratch;
            pool.reset(ef, usize::MAX);
            // Asked of the few that are near, not of all: their states lie anywhere in memory.
            let is_there = |slot: u32| slot != query.without && self.state[slot as usize] != State::Free;
            let mut slots = among.iter().filter(|&slot| (slot as usize) < self.slots());
            loop {
                batch.nodes.clear();
                batch.nodes.extend(slots.by_ref().take(SCANNED_AT_ONCE));
                if batch.nodes.is_empty() {
                    break;
                }
                batch.measure(&self.codes, &self.layers[0], &query.probe);
                for (&slot, &distance) in batch.nodes.iter().zip(&batch.distances) {
                    if distance < pool.bound() && is_there(slot) {
                        pool.insert(distance, slot, true);
                    }
                }
            }
            let candidates = self.best(query, k, pool, batch);
            Found { candidates, visited: among.len(), strategy: Strategy::Scan }
        })
    }

    /// Walks the graph for nodes of the set; how many nodes were measured, if a walk would not lead to the nearest, leads to
    /// fewer than `ef`, or takes long beside measuring them all.
    fn walk_among(&self, query: &GraphQuery, ef: usize, k: usize, among: &SlotSet) -> Result<Found, usize> {
        let Some(entry) = self.entry else { return Err(0) };
        let part = among.len() as f64 / self.slots() as f64;
        let two_hops = part < TWO_HOPS_PART;
        self.with_scratch(|scratch| {
            let Scratch { visited, pool, batch, .. } = scratch;
            let layer = &self.layers[0];
            let (start, mut measured) =
                self.descend(&query.probe, query.without, entry, self.layers.len() - 1, 0, batch);
            if self.part_around(start, among) <= ADVERSE_PART * part {
                return Err(measured);
            }
            visited.reset_without(layer.nodes(), query.without);
            pool.reset(ef, self.ties_max(k));
            batch.nodes.clear();
            let same = self.same(query, |node| among.contains(node));
            let starts = [start, self.root(entry), same.unwrap_or(start)];
            batch.nodes.extend(starts.into_iter().filter(|&node| visited.insert(node)));
            let measured_max = (among.len() / WALKED_PART).max(ef.saturating_mul(WALKED_PER_CANDIDATE));
            while measured <= measured_max {
                batch.measure(&self.codes, layer, &query.probe);
                measured += batch.nodes.len();
                for (&node, &distance) in batch.nodes.iter().zip(&batch.distances) {
                    if distance < pool.bound() {
                        pool.insert(distance, node, among.contains(node));
                    }
                }
                batch.nodes.clear();
                while batch.nodes.is_empty() {
                    let Some(node) = pool.expand() else {
                        if pool.accepted().count() < ef {
                            return Err(measured);
                        }
                        let mut candidates = self.best(query, k, pool, batch);
                        self.add_same(&mut candidates, same, k);
                        let strategy = if two_hops { Strategy::TwoHops } else { Strategy::Walk };
                        return Ok(Found { candidates, visited: measured, strategy });
                    };
                    match two_hops {
                        true => self.gather_two_hops(node, among, visited, batch),
                        false => batch.nodes.extend(layer.links(node).filter(|&link| visited.insert(link))),
                    }
                }
            }
            Err(measured)
        })
    }

    /// Which part of the neighbours of a node's neighbours is in the set.
    fn part_around(&self, node: u32, among: &SlotSet) -> f64 {
        let layer = &self.layers[0];
        let links = layer.links(node);
        links.clone().for_each(|near| layer.links.prefetch(near));
        let around = links.flat_map(|near| layer.links(near));
        let (mut there, mut all) = (0, 0);
        for node in around {
            there += u32::from(among.contains(node));
            all += 1;
        }
        f64::from(there) / f64::from(all.max(1))
    }

    /// Adds what is new and in the set among the neighbours of a node, and among those of neighbours that are not, until
    /// there are as many as a node has neighbours.
    fn gather_two_hops(&self, node: u32, among: &SlotSet, visited: &mut Visited, batch: &mut Batch) {
        let layer = &self.layers[0];
        let links = layer.links(node);
        for near in links.clone() {
            match among.contains(near) {
                true if visited.insert(near) => batch.nodes.push(near),
                true => {}
                false => layer.links.prefetch(near),
            }
        }
        for near in links.filter(|near| !among.contains(*near)) {
            if batch.nodes.len() >= layer.room() {
                return;
            }
            if visited.insert(near) {
                let behind = layer.links(near).filter(|&behind| among.contains(behind) && visited.insert(behind));
                batch.nodes.extend(behind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::chance::mix;
    use crate::graph::{GraphOptions, VectorBuffer, VectorSource};
    use crate::kernel::squared_l2;
    use crate::metric::Metric;
    use crate::vector::VectorRef;

    const DIMENSION: usize = 32;
    const NODES: u32 = 12_000;
    const CLUSTER: u32 = 400;
    const EF: usize = 32;

    struct Vectors(Vec<[f32; DIMENSION]>);

    impl VectorSource for Vectors {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn vector<'a>(&'a self, index: usize, _: &'a mut VectorBuffer) -> blaze_core::Result<VectorRef<'a>> {
            Ok(VectorRef::F32(&self.0[index]))
        }
    }

    impl Vectors {
        /// Clusters around places of chance.
        fn clustered() -> Vectors {
            let uniform = |number: u64| (mix(number) >> 40) as f32 / (1u64 << 24) as f32;
            let row = |slot: u32| {
                let cluster = (1u64 << 40) | (u64::from(slot / CLUSTER) * 64);
                std::array::from_fn(|i| uniform(u64::from(slot) * 64 + i as u64) + 2.0 * uniform(cluster + i as u64))
            };
            Vectors((0..NODES).map(row).collect())
        }

        fn graph(&self) -> Graph {
            let options = GraphOptions { ef_construction: 60, ..GraphOptions::new(Metric::L2, DIMENSION) };
            Graph::build(options, self, 2, &mut |_| ControlFlow::Continue(())).unwrap()
        }

        /// Searches for 40 vectors of the first cluster, and answers the recall and the strategies.
        fn search(&self, graph: &Graph, among: &SlotSet) -> (f64, Vec<Strategy>) {
            let (mut hits, mut strategies) = (0, Vec::new());
            for target in (0..CLUSTER as usize).step_by(10) {
                let vector = &self.0[target];
                let exact = |slot: u32| squared_l2(vector, &self.0[slot as usize]);
                let mut all: Vec<u32> = among.iter().collect();
                all.sort_by(|&a, &b| exact(a).total_cmp(&exact(b)).then(a.cmp(&b)));
                all.truncate(10);
                let mut found = graph.search_among(&graph.query(vector).unwrap(), EF, 16, among);
                found.rerank(10, |slot| Some(exact(slot)));
                assert_eq!(found.candidates.len(), all.len(), "of {} nodes", among.len());
                assert!(found.candidates.iter().all(|candidate| among.contains(candidate.slot)));
                hits += found.candidates.iter().filter(|candidate| all.contains(&candidate.slot)).count();
                strategies.push(found.strategy);
            }
            strategies.dedup();
            (hits as f64 / 400.0, strategies)
        }
    }

    #[test]
    fn each_part_of_the_nodes_is_searched_as_suits_it_and_nearly_all_is_found() {
        let vectors = Vectors::clustered();
        let graph = vectors.graph();
        for (part, strategy) in
            [(0.9, Strategy::Walk), (0.5, Strategy::Walk), (0.3, Strategy::TwoHops), (0.1, Strategy::Scan)]
        {
            let chance = |slot: u32| (mix(u64::from(slot) ^ 77) >> 40) as f64 / (1u64 << 24) as f64;
            let among = (0..NODES).filter(|&slot| chance(slot) < part).collect();
            let (recall, strategies) = vectors.search(&graph, &among);
            assert!(recall >= 0.95, "recall {recall} where a part of {part} may be found");
            assert_eq!(strategies, [strategy], "for a part of {part}");
        }
    }

    #[test]
    fn where_everything_near_is_left_out_the_rest_is_found_all_the_same() {
        let vectors = Vectors::clustered();
        let graph = vectors.graph();
        for clusters_left_out in [1, 12, 22, 29] {
            let among = (clusters_left_out * CLUSTER..NODES).collect();
            let (recall, strategies) = vectors.search(&graph, &among);
            assert!(recall >= 0.95, "recall {recall} without {clusters_left_out} clusters, by {strategies:?}");
        }
    }

    #[test]
    fn fewer_than_k_are_all_found_and_none_in_nothing() {
        let vectors = Vectors::clustered();
        let mut graph = vectors.graph();
        let few: SlotSet = [5, 7_000, 11_999].into_iter().collect();
        assert_eq!(vectors.search(&graph, &few), (3.0 * 40.0 / 400.0, vec![Strategy::Scan]));
        graph.delete(7_000);
        assert_eq!(vectors.search(&graph, &few).0, 0.3, "deleted nodes are there until they are reclaimed");
        let query = graph.query(&vectors.0[0]).unwrap();
        assert_eq!(graph.search_among(&query, EF, 10, &SlotSet::new()), Found::default());
        assert_eq!(graph.search_among(&query, EF, 0, &few), Found::default());
        let strangers: SlotSet = [NODES, NODES + 70].into_iter().collect();
        assert_eq!(graph.search_among(&query, EF, 10, &strangers).candidates, []);
    }
}
