//! Bulk build: every core works, and the graph depends on the input alone.

use std::ops::ControlFlow;

use blaze_core::{Error, Result};

use crate::chance::mix;
use crate::code::Code;
use crate::graph::insert::Insertion;
use crate::graph::pool::NODES_MAX;
use crate::graph::{Graph, GraphOptions};
use crate::vector::{VectorRef, validate};

/// Vectors to build a graph of, read by several threads at once.
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

impl Graph {
    /// Builds a graph of all vectors: vector `i` is in slot `i`. The graph is the same at any number of threads.
    ///
    /// `progress` is told now and then how many are done, and may stop the build.
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
        let mut graph = Graph::new(options)?;
        let count = vectors.len();
        if count > NODES_MAX {
            return Err(Error::limit_exceeded(format!("{count} vectors, a graph has at most {NODES_MAX} nodes")));
        }
        graph.fit_frame(vectors)?;
        graph.make_room(count);
        graph.tickets = (count as u64).into();
        // In an order of chance, so that input which is sorted in some way does not arrive one cluster after the other.
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_by_cached_key(|&slot| mix(graph.options.seed ^ mix(u64::from(slot) << 1)));
        let mut done = 0;
        while done < count {
            let size = (done / BATCH_PART).clamp(1, BATCH_MAX).min(count - done);
            let batch = graph.prepare_batch(&order[done..done + size], vectors, threads)?;
            graph.link(batch, threads);
            done += size;
            if progress(done).is_break() {
                return Err(Error::cancelled("the build of the graph was stopped"));
            }
        }
        graph.repair();
        Ok(graph)
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
        let share = slots.len().div_ceil(threads.max(1)).max(1);
        if slots.len() <= share {
            return work(slots);
        }
        let parts: Vec<Result<Vec<(u32, Insertion)>>> = std::thread::scope(|scope| {
            let handles: Vec<_> = slots.chunks(share).map(|slots| scope.spawn(|| work(slots))).collect();
            let lost = || Error::internal("a thread of the graph's build has panicked");
            handles.into_iter().map(|handle| handle.join().unwrap_or_else(|_| Err(lost()))).collect()
        });
        let mut batch = Vec::with_capacity(slots.len());
        for part in parts {
            batch.extend(part?);
        }
        Ok(batch)
    }
}
