//! The graphs of vector indexes: in memory, derived of the rows of the family `vector`, and never what decides.
//!
//! A graph proposes; the rows at the session's read point, with its own writes laid over them, say what is right. What is
//! committed and not linked yet stands in the tail of the graph, which a hook of the commit fills before anybody can see the
//! commit, so that graph and tail together have all that a view sees. Vectors are linked after that, in the background. Where
//! there is no graph, or none for so old a view, all rows are looked at instead.

mod breadth;
mod budget;
mod build;
mod calibration;
mod change;
mod filters;
mod flush;
mod form;
mod ids;
mod layout;
mod linked;
mod making;
mod nearest;
mod open;
mod pace;
mod proposals;
mod registry;
mod room;
mod row_cache;
mod stored;
mod tail;
mod trial;
mod work;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use blaze_core::Timestamp;
use blaze_core::limits::VECTOR_GRAPH_MIN;
use parking_lot::{Condvar, Mutex};

pub(crate) use breadth::{Expectation, MeasuredRecall};
pub use calibration::{CalibrationProgress, CalibrationQueries, RecallCalibration};
pub(crate) use calibration::{Queries, read as stored_calibration};
use change::IndexChange;
pub(crate) use change::{VectorChanges, features_of};
pub(crate) use filters::UnderWay;
use filters::Watch;
pub(crate) use form::Form;
pub(crate) use nearest::{Among, Question, nearest};
use open::OpenGraph;
use registry::Registry;

use crate::database::core::Core;

/// Bytes of memory for the graphs of a database, unless said otherwise: a million vectors of 768 numbers.
pub(crate) const VECTOR_MEMORY_BYTES: usize = 1 << 30;

/// How long closing a database writes graphs.
const CLOSING_TIME_MAX: Duration = Duration::from_secs(5);

/// The graphs of a database that are in memory, and what is to be done about others.
pub(crate) struct Graphs {
    memory_bytes: usize,
    registry: Mutex<Registry>,
    /// A graph was read, or could not be.
    loaded: Condvar,
    /// Counts uses of graphs.
    uses: AtomicU64,
    /// What works on them in the background, if there is one.
    background: OnceLock<Weak<Core>>,
    ended: AtomicBool,
    /// Who is told which documents commits change.
    watch: Watch,
}

impl Graphs {
    pub(crate) fn new(memory_bytes: usize) -> Graphs {
        Graphs {
            memory_bytes,
            registry: Mutex::default(),
            loaded: Condvar::new(),
            uses: AtomicU64::new(0),
            background: OnceLock::new(),
            ended: AtomicBool::new(false),
            watch: Watch::default(),
        }
    }

    /// From now on `background` works on the graphs, if there is any; else who commits does.
    pub(crate) fn begin(&self, background: Option<&Arc<Core>>) {
        if let Some(background) = background {
            let _ = self.background.set(Arc::downgrade(background));
        }
    }

    /// The database is about to be closed: writes what is worth it of the graphs, for a limited time. What is not written is
    /// linked again.
    pub(crate) fn flush_at_the_end(&self, core: &Arc<Core>) {
        if self.has_ended() {
            return;
        }
        let until = flush::now().checked_add(CLOSING_TIME_MAX);
        let until = until.map(|until| *self.registry.lock().closes_by.get_or_insert(until));
        for graph in self.all_open() {
            // Whoever writes it now gets as far as the time goes.
            drop(until.map(|until| graph.flushing.try_lock_until(until)));
            if graph.is_flush_due_at_the_end() && self.flush(core, &graph, until).is_err() {
                return;
            }
        }
        if let Some(until) = until {
            self.keep_at_the_end(until);
        }
    }

    /// The database is being closed: nobody begins anything any more.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let registry = std::mem::take(&mut *self.registry.lock());
        registry.open.values().for_each(|graph| graph.abandon());
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Takes in what a commit does, before anybody can see it.
    fn take_in(&self, ts: Timestamp, indexes: &[(u32, IndexChange)]) {
        let mut registry = self.registry.lock();
        registry.told = registry.told.max(ts);
        if self.has_ended() {
            return;
        }
        for (index, change) in indexes {
            match (registry.open.get(index), change) {
                (Some(_), IndexChange::Dropped) => {
                    let gone = registry.open.remove(index);
                    gone.iter().for_each(|graph| graph.abandon());
                    registry.gone.extend(gone);
                }
                (Some(graph), change) => {
                    graph.take_in(ts, change);
                    if graph.has_gap() {
                        registry.wanted.insert(*index);
                    }
                }
                (None, IndexChange::Vectors(vectors)) => registry.count_unread(*index, vectors.len()),
                (None, IndexChange::Unread(vectors)) => registry.count_unread(*index, *vectors),
                // One that took the place of another, and has no graph, is not to have any.
                (None, IndexChange::Completed) if registry.failed.contains_key(index) => {}
                (None, IndexChange::Completed) => {
                    registry.wanted.insert(*index);
                }
                (None, IndexChange::Dropped) => {}
            }
            if matches!(change, IndexChange::Dropped) {
                registry.unread.remove(index);
                registry.wanted.remove(index);
                registry.failed.remove(index);
                registry.unstored.remove(index);
                if registry.in_making.contains(index) {
                    registry.unwanted.insert(*index);
                }
            }
        }
    }

    /// True if the graph of an index is in memory.
    fn is_open(&self, index: u32) -> bool {
        self.registry.lock().open.contains_key(&index)
    }

    /// The graph of an index, if it is in memory; counts as a use of it.
    fn find(&self, index: u32) -> Option<Arc<OpenGraph>> {
        let graph = self.registry.lock().open.get(&index).map(Arc::clone)?;
        graph.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(graph)
    }

    /// Lets go of a graph, but not of another one of the same index.
    fn forget(&self, graph: &Arc<OpenGraph>) {
        let mut registry = self.registry.lock();
        if registry.open.get(&graph.index).is_some_and(|there| Arc::ptr_eq(there, graph)) {
            registry.open.remove(&graph.index);
        }
    }

    fn all_open(&self) -> Vec<Arc<OpenGraph>> {
        self.registry.lock().open.values().map(Arc::clone).collect()
    }

    /// Somebody has looked at so many vectors of an index one by one.
    pub(crate) fn note_scanned(&self, core: &Arc<Core>, index: u32, vectors: u64) {
        if vectors >= VECTOR_GRAPH_MIN as u64 {
            self.want(core, index);
        }
    }

    /// The index may need a graph.
    pub(crate) fn want(&self, core: &Arc<Core>, index: u32) {
        let mut registry = self.registry.lock();
        let is_known = registry.open.contains_key(&index) || registry.in_making.contains(&index);
        if is_known || registry.failed.contains_key(&index) || core.is_read_only() {
            return;
        }
        registry.wanted.insert(index);
        drop(registry);
        self.look_after(core);
    }
}

impl fmt::Debug for Graphs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graphs").field("memory_bytes", &self.memory_bytes).finish_non_exhaustive()
    }
}
