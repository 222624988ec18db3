//! A search: down the levels, the walk over the lowest, and the choice among what it found.

use crate::code::{Code, Probe};
use crate::graph::batch::Batch;
use crate::graph::beam::beam;
use crate::graph::pool::Pool;
use crate::graph::prune::Pruning;
use crate::graph::visited::Visited;
use crate::graph::{Candidate, Found, Graph, GraphQuery, Strategy};
use crate::metric::Metric;

/// Working memory, kept from one search to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(super) visited: Visited,
    pub(super) pool: Pool,
    pub(super) batch: Batch,
    pub(super) probe: Probe,
    pub(super) pruning: Pruning,
    pub(super) relinked: Probe,
}

impl Scratch {
    pub(super) fn bytes(&self) -> usize {
        size_of::<Scratch>()
            + self.visited.bytes()
            + self.pool.bytes()
            + self.batch.bytes()
            + self.probe.bytes()
            + self.pruning.bytes()
            + self.relinked.bytes()
    }
}

impl Graph {
    /// Looks for the `k` nodes nearest to the query among those whose slots `accept` lets pass, deleted ones included.
    ///
    /// `ef`, at least `k`, is how many candidates are kept on the way: more find more and take longer. A node with the code of
    /// the query comes first, if it passes, wherever it is: vectors find themselves (but by products, of which others may be
    /// larger, and where more than eight have one code). `accept` is asked for each node that comes near, not for each that is
    /// visited; for those with its code twice. Distances are approximate; who has the vectors asks for a few more than needed
    /// and calls [`Found::rerank_adaptively`] or [`Found::rerank`].
    ///
    /// Takes time in proportion to `ef`, and to about the logarithm of the nodes. Where few nodes pass,
    /// [`search_among`](Graph::search_among) finds more of them.
    ///
    /// ```
    /// use blaze_vector::{Graph, GraphOptions, Metric, Strategy};
    ///
    /// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1))?;
    /// for position in 0..100u8 {
    ///     let insertion = graph.prepare(&[f32::from(position)])?;
    ///     graph.insert(insertion);
    /// }
    /// let query = graph.query(&[41.6])?;
    /// let found = graph.search(&query, 50, 10, |slot| slot % 2 == 0);
    /// assert_eq!((found.candidates.len(), found.strategy), (10, Strategy::Walk));
    /// assert!(found.candidates.iter().all(|candidate| candidate.slot % 2 == 0));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn search(&self, query: &GraphQuery, ef: usize, k: usize, mut accept: impl FnMut(u32) -> bool) -> Found {
        let Some(entry) = self.entry.filter(|_| k > 0) else { return Found::default() };
        self.with_scratch(|scratch| {
            let Scratch { visited, pool, batch, .. } = scratch;
            let top = self.layers.len() - 1;
            let (start, steps) = self.descend(&query.probe, query.without, entry, top, 0, batch);
            visited.reset_without(self.layers[0].nodes(), query.without);
            pool.reset(ef.max(k), self.ties_max(k));
            let same = self.same(query, &mut accept);
            let starts = [start, self.root(entry), same.unwrap_or(start)];
            beam(&self.codes, &self.layers[0], &query.probe, &starts, visited, pool, batch, accept);
            let mut candidates = self.best(query, k, pool, batch);
            self.add_same(&mut candidates, same, k);
            Found { candidates, visited: steps + visited.len(), strategy: Strategy::Walk }
        })
    }

    /// The `k` nearest of the accepted candidates, as far as codes can tell, nearest first.
    pub(super) fn best(&self, query: &GraphQuery, k: usize, pool: &Pool, batch: &mut Batch) -> Vec<Candidate> {
        batch.nodes.clear();
        batch.nodes.extend(pool.accepted().map(|(_, slot)| slot));
        batch.measure_finely(&self.codes, &query.probe);
        let mut candidates: Vec<Candidate> = batch
            .nodes
            .iter()
            .zip(&batch.distances)
            .map(|(&slot, &distance)| Candidate { slot, distance: self.tidy(distance) })
            .collect();
        if k < candidates.len() {
            candidates.select_nth_unstable_by(k - 1, Candidate::nearer);
            candidates.truncate(k);
        }
        candidates.sort_unstable_by(Candidate::nearer);
        candidates
    }

    /// The node of level 0 that every search starts from, besides the one that it comes down to: what can be reached from it
    /// can be found.
    pub(super) fn root(&self, entry: u32) -> u32 {
        self.layers[self.layers.len() - 1].slot(entry)
    }

    /// The lowest node with the code of the query that passes.
    pub(super) fn same(&self, query: &GraphQuery, mut passes: impl FnMut(u32) -> bool) -> Option<u32> {
        let is_wanted = |node| self.contains(node) && node != query.without && passes(node);
        self.same_code.find(&self.codes, query.coded.as_ref()?.key(), is_wanted)
    }

    /// Has the node with the code of the query come first, unless one with that code was found. By what the walk goes by, others
    /// may be nearer: those of a heap that is small beside what it tells apart.
    pub(super) fn add_same(&self, candidates: &mut Vec<Candidate>, same: Option<u32>, k: usize) {
        let Some(slot) = same else { return };
        let key = self.codes.key(slot);
        if !candidates.iter().any(|candidate| self.codes.key(candidate.slot) == key) {
            candidates.insert(0, Candidate { slot, distance: 0.0 });
            candidates.truncate(k);
        }
    }

    /// How many copies of a vector a search counts that needs `k`. Bits are as far as others without being equal.
    pub(super) fn ties_max(&self, k: usize) -> usize {
        if self.codes.code == Code::Bits { usize::MAX } else { k }
    }

    /// The metric's distance of what codes tell, of which L2 is squared. Rounding may leave the range of a metric.
    fn tidy(&self, distance: f32) -> f32 {
        match self.options.metric {
            Metric::Dot => distance,
            Metric::L2 => distance.max(0.0).sqrt(),
            _ => distance.max(0.0),
        }
    }

    /// Walks greedily from `node` on level `from` down to level `to`: the node there, and how many were measured.
    /// It stays nowhere that is left out, unless nothing else is there.
    pub(super) fn descend(
        &self,
        probe: &Probe,
        without: u32,
        node: u32,
        from: usize,
        to: usize,
        batch: &mut Batch,
    ) -> (u32, usize) {
        let (mut node, mut measured) = (node, 0);
        for level in (to + 1..=from).rev() {
            let layer = &self.layers[level];
            batch.nodes.clear();
            batch.nodes.push(node);
            batch.measure(&self.codes, layer, probe);
            let mut nearest = if layer.slot(node) == without { f32::INFINITY } else { batch.distances[0] };
            loop {
                batch.nodes.clear();
                batch.nodes.extend(layer.links(node));
                batch.measure(&self.codes, layer, probe);
                measured += batch.nodes.len();
                let before = node;
                for (&neighbour, &distance) in batch.nodes.iter().zip(&batch.distances) {
                    if distance < nearest && layer.slot(neighbour) != without {
                        (node, nearest) = (neighbour, distance);
                    }
                }
                if node == before {
                    break;
                }
            }
            node = layer.below[node as usize];
        }
        (node, measured)
    }
}
