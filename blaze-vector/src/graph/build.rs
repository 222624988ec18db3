//! Bulk build: every core works, and the graph depends on the input alone.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use blaze_core::{Error, Result};

use crate::chance::mix;
use crate::code::Code;
use crate::graph::insert::Insertion;
use crate::graph::parts::in_parts;
use crate::graph::pool::NODES_MAX;
use crate::graph::same_code::SameCode;
use crate::graph::{Graph, GraphOptions};
use crate::vector::{VectorRef, validate};

/// Vectors to build a graph of, read by several threads at once.
///
/// ```
/// use blaze_core::Result;
/// use blaze_vector::{Copies, VectorBuffer, VectorRef, VectorSource};
///
/// /// Vectors of two numbers, as they are stored.
/// struct Rows(Vec<Vec<u8>>);
///
/// impl VectorSource for Rows {
///     fn len(&self) -> usize {
///         self.0.len()
///     }
///
///     fn vector<'a>(&'a self, index: usize, buffer: &'a mut VectorBuffer) -> Result<VectorRef<'a>> {
///         Copies::F16.read(&self.0[index], 2, &mut buffer.numbers)?;
///         Ok(VectorRef::from(&buffer.numbers))
///     }
/// }
///
/// let mut row = Vec::new();
/// Copies::F16.write(&[0.5, -2.0], &mut row);
/// assert_eq!(Rows(vec![row]).vector(0, &mut VectorBuffer::default())?, VectorRef::F32(&[0.5, -2.0]));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub trait VectorSource: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// True if there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The vector `index`, below [`len`](VectorSource::len): the same whenever it is asked for. `buffer` is there to hold
    /// it, if it is not at hand in this form.
    ///
    /// # Errors
    ///
    /// What reading may fail with; the build ends with it.
    fn vector<'a>(&'a self, index: usize, buffer: &'a mut VectorBuffer) -> Result<VectorRef<'a>>;
}

/// Memory for one vector.
#[derive(Clone, Debug, Default)]
pub struct VectorBuffer {
    /// For numbers.
    pub numbers: Vec<f32>,
    /// For bits.
    pub bits: Vec<u8>,
}

/// The most nodes that are placed without seeing each other.
const BATCH_MAX: usize = 2048;
/// Which part of the nodes that are there may be placed without seeing each other.
const BATCH_PART: usize = 16;
/// How many vectors the centre is the mean of.
const CENTRE_SAMPLE: usize = 10_000;
/// One in so many of these is coded to see whether a rotation helps.
const SAMPLED_EVERY: u32 = 20;

/// Vectors that have slots in a graph and no node yet, in the order in which nodes are made.
#[derive(Clone, Debug)]
pub struct Unlinked {
    /// In an order of chance, so that input which is sorted in some way does not arrive one cluster after the other.
    slots: Vec<u32>,
    linked: usize,
}

impl Unlinked {
    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.linked
    }

    /// True if none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were given slots.
    #[must_use]
    pub fn given(&self) -> usize {
        self.slots.len()
    }

    /// The slots of those that are left, in no order.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().skip(self.linked).copied()
    }
}

impl Graph {
    /// Builds a graph of all vectors: vector `i` is in slot `i`. The graph is the same at any number of threads.
    ///
    /// `progress` is told now and then how many are done, and may stop the build. For each vector it takes about the time of a
    /// search with [`ef_construction`](GraphOptions::ef_construction) candidates, on one of the threads. For an
    /// example see the [beginning](crate) of the crate.
    ///
    /// # Errors
    ///
    /// Those of [`GraphOptions::validate`], of [`validate`](crate::validate) for each vector, with its number, and of the
    /// source; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for a thousand million vectors;
    /// [`Cancelled`](blaze_core::ErrorKind::Cancelled) if `progress` breaks.
    pub fn build(
        options: GraphOptions,
        vectors: &dyn VectorSource,
        threads: usize,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Graph> {
        let mut graph = Graph::begin(options, vectors)?;
        let mut unlinked = graph.give_slots(vectors.len())?;
        match graph.extend(&mut unlinked, vectors, threads, progress)? {
            ControlFlow::Continue(()) => Ok(graph),
            ControlFlow::Break(()) => Err(Error::cancelled("the build of the graph was stopped")),
        }
    }

    /// A graph without a node, which will code vectors in the way that suits these best.
    ///
    /// # Errors
    ///
    /// Those of [`GraphOptions::validate`], of [`validate`](crate::validate) for the vectors that are looked at, and of the
    /// source.
    pub fn begin(options: GraphOptions, vectors: &dyn VectorSource) -> Result<Graph> {
        let mut graph = Graph::new(options)?;
        graph.fit_frame(vectors)?;
        Ok(graph)
    }

    /// Sets free slots aside for so many vectors: in a graph without a node, from 0 on. [`extend`](Graph::extend) makes their
    /// nodes. Those that never get one are free again when the graph is written and read.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for a graph of a thousand million nodes.
    pub fn give_slots(&mut self, count: usize) -> Result<Unlinked> {
        let added = count.saturating_sub(self.free.len());
        if self.slots().saturating_add(added) > NODES_MAX {
            let there = self.slots();
            return Err(Error::limit_exceeded(format!(
                "{count} vectors beside {there}, a graph has at most {NODES_MAX} nodes"
            )));
        }
        let mut slots = self.free.split_off(self.free.len() - (count - added));
        slots.extend(self.slots() as u32..(self.slots() + added) as u32);
        self.make_room(self.slots() + added);
        self.tickets.fetch_max(self.slots() as u64, Ordering::Relaxed);
        slots.sort_by_cached_key(|&slot| mix(self.options.seed ^ mix(u64::from(slot) << 1)));
        Ok(Unlinked { slots, linked: 0 })
    }

    /// Links vectors that have slots, all of them unless `progress` breaks, after which it may be called again: vector `i` of
    /// the source is the one of slot `i`. Wherever it was interrupted, and at any number of threads, the graph is the same.
    ///
    /// `progress` is told now and then how many are done of those that were given slots.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use blaze_vector::{Graph, GraphOptions, Metric, VectorBuffer, VectorRef, VectorSource};
    ///
    /// struct Numbers(Vec<[f32; 1]>);
    ///
    /// impl VectorSource for Numbers {
    ///     fn len(&self) -> usize {
    ///         self.0.len()
    ///     }
    ///
    ///     fn vector<'a>(&'a self, index: usize, _: &'a mut VectorBuffer) -> blaze_core::Result<VectorRef<'a>> {
    ///         Ok(VectorRef::from(&self.0[index]))
    ///     }
    /// }
    ///
    /// let numbers = Numbers((0..500u16).map(|n| [f32::from(n)]).collect());
    /// let mut graph = Graph::begin(GraphOptions::new(Metric::L2, 1), &numbers)?;
    /// let mut unlinked = graph.give_slots(numbers.len())?;
    /// // A hundred at first: what is linked can be searched, or kept, before it goes on.
    /// let stop = &mut |done| if done < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    /// assert!(graph.extend(&mut unlinked, &numbers, 2, stop)?.is_break());
    /// assert!((100..500).contains(&graph.len()) && graph.len() + unlinked.len() == 500);
    /// let go_on = &mut |_| ControlFlow::Continue(());
    /// assert!(graph.extend(&mut unlinked, &numbers, 2, go_on)?.is_continue());
    /// assert_eq!((graph.len(), unlinked.len()), (500, 0));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`validate`](crate::validate) for each vector, with its number, and of the source. What is linked stays.
    pub fn extend(
        &mut self,
        unlinked: &mut Unlinked,
        vectors: &dyn VectorSource,
        threads: usize,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let before = unlinked.linked;
        let ended = self.link_all(unlinked, vectors, threads, progress);
        if unlinked.linked > before {
            self.same_code = SameCode::new(); // or there would be room for both
            self.same_code = SameCode::of(&self.codes, self.nodes().filter(|&slot| self.contains(slot)));
        }
        if matches!(ended, Ok(ControlFlow::Continue(()))) {
            self.repair();
        }
        ended
    }

    fn link_all(
        &mut self,
        unlinked: &mut Unlinked,
        vectors: &dyn VectorSource,
        threads: usize,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        while !unlinked.is_empty() {
            let done = self.len + self.tombstones;
            let size = (done / BATCH_PART).clamp(1, BATCH_MAX).min(unlinked.len());
            let next = unlinked.linked + size;
            let batch = self.prepare_batch(&unlinked.slots[unlinked.linked..next], vectors, threads)?;
            self.link(batch, threads);
            unlinked.linked = next;
            if progress(next).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Looks at a part of the vectors for how best to code them all.
    fn fit_frame(&mut self, vectors: &dyn VectorSource) -> Result<()> {
        if self.options.code == Code::Bits || vectors.len() < 2 {
            return Ok(());
        }
        let mut sums = vec![0.0f64; self.options.dimension];
        let mut buffer = VectorBuffer::default();
        let step = vectors.len().div_ceil(CENTRE_SAMPLE);
        let mut count = 0;
        let mut sample = Vec::new();
        for index in (0..vectors.len()).step_by(step) {
            if let VectorRef::F32(numbers) = self.read(vectors, index, &mut buffer)? {
                let normalized = self.frame.normalized(numbers);
                sums.iter_mut().zip(&normalized).for_each(|(sum, &number)| *sum += f64::from(number));
                if count % SAMPLED_EVERY == 0 {
                    sample.push(normalized);
                }
                count += 1;
            }
        }
        let mean = sums.iter().map(|sum| (sum / f64::from(count)) as f32).collect();
        self.frame.fit(&self.codes, mean, &sample);
        Ok(())
    }

    fn read<'a>(
        &self,
        vectors: &'a dyn VectorSource,
        index: usize,
        buffer: &'a mut VectorBuffer,
    ) -> Result<VectorRef<'a>> {
        let vector = vectors.vector(index, buffer)?;
        validate(self.options.metric, self.options.dimension, vector)
            .map_err(|error| error.context(format!("vector {index}")))?;
        Ok(vector)
    }

    /// Looks for the places of vectors, each as if the others of the batch did not exist.
    fn prepare_batch(
        &self,
        slots: &[u32],
        vectors: &dyn VectorSource,
        threads: usize,
    ) -> Result<Vec<(u32, Insertion)>> {
        let work = |slots: &[u32]| -> Result<Vec<(u32, Insertion)>> {
            self.with_scratch(|scratch| {
                let mut buffer = VectorBuffer::default();
                slots
                    .iter()
                    .map(|&slot| {
                        let vector = self.read(vectors, slot as usize, &mut buffer)?;
                        Ok((slot, self.prepare_at(vector, self.level(u64::from(slot)), scratch)))
                    })
                    .collect()
            })
        };
        let mut batch = Vec::with_capacity(slots.len());
        for part in in_parts(slots, threads, work) {
            batch.extend(part?);
        }
        Ok(batch)
    }
}
