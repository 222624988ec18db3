//! The graph: nodes linked to near nodes, so that a search walks from anywhere to what is nearest (HNSW).
//!
//! It holds codes and links, not the vectors themselves: it proposes candidates, which the owner of the vectors compares in
//! full precision. Searches share the graph; a change needs it alone, and its long half, [`Graph::prepare`], does not.

mod batch;
mod beam;
mod blocks;
mod build;
mod check;
mod code_error;
mod filtered;
mod found;
mod gathered;
mod insert;
mod layer;
mod links;
mod parts;
mod pool;
mod prune;
mod reclaim;
mod relink;
mod same_code;
mod search;
#[cfg(test)]
mod tests;
mod visited;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze_core::{Error, Result};

use crate::chance::mix;
use crate::code::{Code, Coded, Codes, Frame, Probe};
use crate::metric::Metric;
use crate::vector::{VectorRef, validate, validate_dimension};

pub use blocks::{BLOCK_NODES, BlockKind, GraphReader};
pub use build::{Unlinked, VectorBuffer, VectorSource};
pub use code_error::CodeError;
pub use found::{Candidate, Found, Strategy};
pub use gathered::{GATHERED_BYTES_MAX, Gathered};
pub use insert::Insertion;
use layer::{Layer, NONE};
pub use reclaim::Reclaim;
use same_code::SameCode;
use search::Scratch;

/// What a graph is made for. All of it is fixed once there is a node.
///
/// ```
/// use blaze_vector::{Code, GraphOptions, Metric};
///
/// let usual = GraphOptions::new(Metric::Cosine, 768);
/// assert_eq!((usual.code, usual.m, usual.ef_construction), (Code::Eight, 16, 200));
/// let small = GraphOptions { code: Code::Four, m: 8, ..usual };
/// small.validate()?;
/// assert!(GraphOptions { m: 1, ..small }.validate().is_err());
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GraphOptions {
    /// What "near" means.
    pub metric: Metric,
    /// How many numbers, or bits, a vector has.
    pub dimension: usize,
    /// How vectors are held in memory.
    pub code: Code,
    /// Half the links that a node has room for: 2 to 128. More find more and cost memory and time.
    pub m: usize,
    /// How many candidates an insertion chooses its links from: `m` to 4096.
    pub ef_construction: usize,
    /// Chance comes from here and nowhere else: the same insertions give the same graph.
    pub seed: u64,
}

impl GraphOptions {
    /// The options that serve most: 16 links, 200 candidates, codes of eight bits or, for Hamming, the bits.
    #[must_use]
    pub fn new(metric: Metric, dimension: usize) -> GraphOptions {
        let code = if metric.is_binary() { Code::Bits } else { Code::Eight };
        GraphOptions { metric, dimension, code, m: 16, ef_construction: 200, seed: 0 }
    }

    /// Checks every option.
    ///
    /// # Errors
    ///
    /// [`Invalid`](blaze_core::ErrorKind::Invalid), or [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for the
    /// dimension, naming the value and what it may be.
    pub fn validate(&self) -> Result<()> {
        validate_dimension(self.metric, self.dimension)?;
        if self.metric.is_binary() != (self.code == Code::Bits) {
            return Err(Error::invalid(format!("code {} does not go with metric {}", self.code, self.metric)));
        }
        if !(2..=128).contains(&self.m) {
            return Err(Error::invalid(format!("m is {}, not 2 to 128", self.m)));
        }
        if !(self.m..=4096).contains(&self.ef_construction) {
            let (ef, m) = (self.ef_construction, self.m);
            return Err(Error::invalid(format!("ef_construction is {ef}, not {m} (m) to 4096")));
        }
        Ok(())
    }
}

/// A query, prepared once for any number of searches of one graph.
#[derive(Clone, Debug)]
pub struct GraphQuery {
    probe: Probe,
    /// The code of the query, where a node with that code is near to it.
    coded: Option<Coded>,
    /// A node that is left out, or none.
    without: u32,
}

impl GraphQuery {
    /// The same query as if a node were not there: no search finds it, and none goes by way of it.
    ///
    /// ```
    /// use blaze_vector::{Graph, GraphOptions, Metric};
    ///
    /// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1))?;
    /// for position in 0..9u8 {
    ///     let insertion = graph.prepare(&[f32::from(position)])?;
    ///     graph.insert(insertion);
    /// }
    /// let query = graph.query(&[4.0])?.without(4);
    /// let found = graph.search(&query, 9, 9, |_| true);
    /// assert!(found.candidates.len() == 8 && found.candidates.iter().all(|candidate| candidate.slot != 4));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn without(self, slot: u32) -> GraphQuery {
        GraphQuery { without: slot, ..self }
    }
}

/// A graph over vectors in memory. Nodes are named by slots, small numbers that are used again after a deletion.
///
/// ```
/// use blaze_vector::{Graph, GraphOptions, Metric};
///
/// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 2))?;
/// for position in 0..100u8 {
///     let insertion = graph.prepare(&[f32::from(position), 1.0])?;
///     graph.insert(insertion);
/// }
/// let query = graph.query(&[41.7, 1.0])?;
/// let found = graph.search(&query, 50, 3, |_| true);
/// assert_eq!(found.candidates[0].slot, 42);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Graph {
    pub(super) options: GraphOptions,
    pub(super) frame: Frame,
    pub(super) codes: Codes,
    /// Nodes by their codes, deleted ones included.
    same_code: SameCode,
    /// From level 0 upwards; never empty.
    pub(super) layers: Vec<Layer>,
    /// A node of the uppermost level, if there is any.
    pub(super) entry: Option<u32>,
    pub(super) state: Vec<State>,
    pub(super) len: usize,
    pub(super) tombstones: usize,
    pub(super) free: Vec<u32>,
    /// How often slots were freed: what was prepared before may name slots that are others now.
    pub(super) reclaims: u64,
    /// How many insertions were prepared: their levels depend on it.
    pub(super) tickets: AtomicU64,
    pub(super) scratches: Mutex<Vec<Scratch>>,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    Free,
    Live,
    Tombstone,
}

impl Graph {
    /// An empty graph.
    ///
    /// # Errors
    ///
    /// Those of [`GraphOptions::validate`].
    pub fn new(options: GraphOptions) -> Result<Graph> {
        options.validate()?;
        Ok(Graph {
            frame: Frame::new(options.metric, options.dimension, options.seed),
            codes: Codes::new(options.code, options.dimension),
            same_code: SameCode::new(),
            layers: vec![Layer::new(2 * options.m)],
            entry: None,
            state: Vec::new(),
            len: 0,
            tombstones: 0,
            free: Vec::new(),
            reclaims: 0,
            tickets: AtomicU64::new(0),
            scratches: Mutex::new(Vec::new()),
            options,
        })
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &GraphOptions {
        &self.options
    }

    /// How many nodes there are, deleted ones not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is no node, deleted ones not counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every slot in use is below this.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.state.len()
    }

    /// The slots that have nodes, in order; those of deleted ones, too.
    fn nodes(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.slots() as u32).filter(|&slot| self.state[slot as usize] != State::Free)
    }

    /// How many nodes are deleted and not yet reclaimed.
    #[must_use]
    pub fn tombstones(&self) -> usize {
        self.tombstones
    }

    /// True if the slot holds a node that is not deleted.
    #[must_use]
    pub fn contains(&self, slot: u32) -> bool {
        self.state.get(slot as usize) == Some(&State::Live)
    }

    /// The memory it takes, in bytes: codes, links, and what searches keep between them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let scratches = self.scratches.lock().map_or(0, |all| all.iter().map(Scratch::bytes).sum());
        size_of::<Graph>()
            + self.codes.bytes()
            + self.same_code.bytes()
            + self.layers.iter().map(Layer::bytes).sum::<usize>()
            + self.state.capacity()
            + self.free.capacity() * 4
            + self.frame.bytes()
            + scratches
    }

    /// Prepares a query.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](crate::validate), for the graph's metric and dimension.
    pub fn query<'a>(&self, vector: impl Into<VectorRef<'a>>) -> Result<GraphQuery> {
        let vector = vector.into();
        validate(self.options.metric, self.options.dimension, vector).map_err(|error| error.context("in the query"))?;
        let (probe, coded) = match vector {
            VectorRef::F32(numbers) => self.frame.query(&self.codes, numbers),
            VectorRef::Bits(bits) => (Probe::bits(bits), Some(Codes::encode_bits(bits))),
        };
        Ok(GraphQuery { probe, coded, without: NONE })
    }

    /// Marks a node as deleted. It stays navigable, and [`search`](Graph::search) proposes it unless its `accept` says no,
    /// until [`reclaim`](Graph::reclaim). False if the slot holds no node, or one that is deleted already.
    ///
    /// ```
    /// use blaze_vector::{Graph, GraphOptions, Metric};
    ///
    /// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1))?;
    /// for position in [1.0, 2.0, 4.0] {
    ///     let insertion = graph.prepare(&[position])?;
    ///     graph.insert(insertion);
    /// }
    /// assert!(graph.delete(1) && !graph.delete(1));
    /// let found = graph.search(&graph.query(&[2.1])?, 10, 1, |slot| graph.contains(slot));
    /// assert_eq!(found.candidates[0].slot, 0);
    /// assert_eq!((graph.reclaim(&[1]), graph.tombstones()), (1, 0));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    pub fn delete(&mut self, slot: u32) -> bool {
        if !self.contains(slot) {
            return false;
        }
        self.state[slot as usize] = State::Tombstone;
        self.len -= 1;
        self.tombstones += 1;
        if self.same_code.remove(&self.codes, slot) {
            self.list_copies(slot);
        }
        true
    }

    fn next_ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// The level of a node: on each level there are 2·m times fewer than on the one below.
    fn level(&self, ticket: u64) -> usize {
        let uniform = (mix(self.options.seed ^ mix(ticket)) >> 11) as f64 / (1u64 << 53) as f64;
        let level = -(1.0 - uniform).ln() / (2.0 * self.options.m as f64).ln();
        (level as usize).min(LEVELS_MAX)
    }

    fn with_scratch<R>(&self, work: impl FnOnce(&mut Scratch) -> R) -> R {
        let pooled = self.scratches.lock().ok().and_then(|mut all| all.pop());
        let mut scratch = pooled.unwrap_or_default();
        let result = work(&mut scratch);
        if let Ok(mut all) = self.scratches.lock() {
            all.push(scratch);
        }
        result
    }
}

/// More levels than any number of slots asks for.
const LEVELS_MAX: usize = 30;
