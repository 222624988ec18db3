//! Copies of the codes of a few nodes, one after the other.

use crate::code::{Code, Slab, Terms};
use crate::graph::search::Scratch;
use crate::graph::{Found, Graph, GraphQuery, Strategy};
use crate::kernel::code::nibble_dots;
use crate::slots::SlotSet;

/// Bytes that copies take at most: what stays in the second cache of a core. More of them are not gone through faster than
/// they are where they lie.
pub const GATHERED_BYTES_MAX: usize = 1 << 20;

/// Codes that are measured at a time.
const MEASURED_AT_ONCE: usize = 256;

/// What a walk reads of the codes of a set of nodes, copied to one place: a search among few that is done again and again goes
/// through them without looking for each in memory. Made by [`Graph::gather`]; right as long as none of the nodes is reclaimed.
#[derive(Clone, Debug)]
pub struct Gathered {
    slots: Vec<u32>,
    rows: Slab<u8>,
    terms: Vec<Terms>,
}

impl Gathered {
    /// The memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * 4 + self.rows.bytes() + self.terms.capacity() * size_of::<Terms>()
    }
}

impl Graph {
    /// Copies the codes of a set of nodes, if they take no more than [`GATHERED_BYTES_MAX`] and are of numbers. Takes time
    /// linear in the set.
    ///
    /// ```
    /// use blaze_vector::{Graph, GraphOptions, Metric, SlotSet};
    ///
    /// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1))?;
    /// for position in 0..9u8 {
    ///     let insertion = graph.prepare(&[f32::from(position)])?;
    ///     graph.insert(insertion);
    /// }
    /// let even: SlotSet = [0, 2, 4, 6, 8].into_iter().collect();
    /// let gathered = graph.gather(&even).expect("they are few");
    /// let found = graph.scan_gathered(&graph.query(&[4.9])?, 2, 2, &gathered);
    /// assert_eq!(found.candidates.iter().map(|candidate| candidate.slot).collect::<Vec<_>>(), [4, 6]);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn gather(&self, among: &SlotSet) -> Option<Gathered> {
        let row_bytes = self.codes.high.stride() + size_of::<Terms>() + size_of::<u32>();
        if self.codes.code == Code::Bits || among.len().saturating_mul(row_bytes) > GATHERED_BYTES_MAX {
            return None;
        }
        let slots: Vec<u32> = among.iter().filter(|slot| self.holds(0, *slot)).collect();
        let mut rows = Slab::new(self.codes.high.stride());
        rows.grow(slots.len(), 0);
        for (place, &slot) in slots.iter().enumerate() {
            rows.row_mut(place).copy_from_slice(self.codes.high.row(slot as usize));
        }
        let terms = slots.iter().map(|&slot| self.codes.terms.row(slot as usize)[0]).collect();
        Some(Gathered { slots, rows, terms })
    }

    /// What [`scan`](Graph::scan) finds in the set that was gathered, in a part of the time.
    #[must_use]
    pub fn scan_gathered(&self, query: &GraphQuery, ef: usize, k: usize, gathered: &Gathered) -> Found {
        let Gathered { slots, rows, terms } = gathered;
        self.codes.check_query(&query.probe.coarse);
        self.with_scratch(|scratch| {
            let Scratch { pool, batch, .. } = scratch;
            pool.reset(ef.max(k), usize::MAX);
            let mut bound = pool.bound();
            let mut sums = [0; MEASURED_AT_ONCE];
            let mut done = 0;
            while done < slots.len() {
                let (rows, count) = rows.together(done, MEASURED_AT_ONCE);
                nibble_dots(&query.probe.coarse, rows, &mut sums);
                for ((&slot, terms), &sum) in slots[done..][..count].iter().zip(&terms[done..]).zip(&sums) {
                    let distance = query.probe.distance(terms, f64::from(sum)) as f32;
                    if distance < bound && slot != query.without && self.holds(0, slot) {
                        pool.insert(distance, slot, true);
                        bound = pool.bound();
                    }
                }
                done += count;
            }
            let candidates = self.best(query, k, pool, batch);
            Found { candidates, visited: slots.len(), strategy: Strategy::Scan }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::mix;
    use crate::graph::GraphOptions;
    use crate::metric::Metric;

    const DIMENSION: usize = 150; // one line and a part of another

    fn vector(seed: u64) -> Vec<f32> {
        (0..DIMENSION as u64).map(|i| (mix(seed << 20 | i) >> 40) as f32 / (1u64 << 24) as f32 - 0.3).collect()
    }

    fn graph(options: GraphOptions) -> Graph {
        let mut graph = Graph::new(options).unwrap();
        for seed in 0..700 {
            let insertion = graph.prepare(&vector(seed)).unwrap();
            graph.insert(insertion);
        }
        graph
    }

    #[test]
    fn what_was_gathered_is_found_as_where_it_lies() {
        for metric in [Metric::Cosine, Metric::L2, Metric::Dot] {
            for code in [Code::Eight, Code::Four] {
                let graph = graph(GraphOptions { code, ..GraphOptions::new(metric, DIMENSION) });
                for part in [1, 2, 9, 1_000] {
                    let among: SlotSet = (0..700).filter(|slot| slot % part == 0).collect();
                    let gathered = graph.gather(&among).unwrap();
                    assert!(gathered.bytes() > among.len() * graph.codes.high.stride());
                    for (ef, k) in [(1, 1), (20, 10), (900, 800)] {
                        let query = graph.query(&vector(1_000_000 + part as u64)).unwrap().without(18);
                        let expected = graph.scan(&query, ef, k, &among);
                        assert_eq!(graph.scan_gathered(&query, ef, k, &gathered), expected, "{metric}, {code}, {part}");
                    }
                }
            }
        }
    }

    #[test]
    fn sets_are_gathered_up_to_the_limit_and_bits_never() {
        let options = GraphOptions::new(Metric::L2, DIMENSION);
        let mut graph = graph(options);
        let row_bytes = graph.codes.high.stride() + 20;
        graph.make_room(2 * GATHERED_BYTES_MAX / row_bytes);
        let most = (GATHERED_BYTES_MAX / row_bytes) as u32;
        assert!(graph.gather(&(0..most).collect()).is_some());
        assert!(graph.gather(&(0..=most).collect()).is_none());
        let bits = Graph::new(GraphOptions::new(Metric::Hamming, 64)).unwrap();
        assert!(bits.gather(&SlotSet::new()).is_none());
    }

    #[test]
    fn nodes_that_are_gone_since_are_not_found_and_strangers_are_not_gathered() {
        let mut graph = graph(GraphOptions::new(Metric::L2, DIMENSION));
        let gathered = graph.gather(&[5, 6, 7, 5_000].into_iter().collect()).unwrap();
        assert!(graph.delete(6));
        graph.reclaim(&[6]);
        let found = graph.scan_gathered(&graph.query(&vector(6)).unwrap(), 10, 10, &gathered);
        let mut slots: Vec<u32> = found.candidates.iter().map(|candidate| candidate.slot).collect();
        slots.sort_unstable();
        assert_eq!(slots, [5, 7]);
    }
}
