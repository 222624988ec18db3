//! Which graphs are in memory, which are wanted, and what is known of the others.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use blaze_core::limits::VECTOR_GRAPH_MIN;
use blaze_core::{Error, ErrorKind, Result, Timestamp};

use super::filters::FilterTask;
use super::making::Progress;
use super::open::OpenGraph;

/// What is known of the graphs of a database.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) open: HashMap<u32, Arc<OpenGraph>>,
    /// The last commit that was told of.
    pub(super) told: Timestamp,
    /// How many vectors were written of indexes without a graph in memory, since somebody looked whether they need one.
    pub(super) unread: HashMap<u32, usize>,
    /// The indexes that may need a graph.
    pub(super) wanted: BTreeSet<u32>,
    /// Those whose graph is being made.
    pub(super) in_making: HashSet<u32>,
    /// How far that has come, of those whose vectors are being linked.
    pub(super) making: HashMap<u32, Progress>,
    /// Those of them whose graph is read from the database.
    pub(super) loading: HashSet<u32>,
    /// When what is worth it is to be kept, once the database is about to be closed.
    pub(super) closes_by: Option<Instant>,
    /// Those of which the database has no graph, as far as is known.
    pub(super) unstored: HashSet<u32>,
    /// Those whose graph could not be made.
    pub(super) failed: HashMap<u32, Failure>,
    /// Those that were dropped while their graph was being made.
    pub(super) unwanted: HashSet<u32>,
    /// Graphs of indexes that are gone, to be taken down by who makes nobody wait.
    pub(super) gone: Vec<Arc<OpenGraph>>,
    /// The sets of filters that are to be made or brought up to date.
    pub(super) filters: VecDeque<FilterTask>,
    /// How many of them somebody works on.
    pub(super) filters_in_work: usize,
}

/// Why a graph could not be made.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    /// How many vectors are to be written before it is tried again.
    pub(super) written: usize,
}

impl Failure {
    /// True if it is of no use to try it with the same vectors.
    pub(super) fn is_refusal(&self) -> bool {
        self.kind == ErrorKind::Unsupported
    }
}

impl Registry {
    /// The graph of an index could not be made of so many vectors, unless it is gone or the database is closed.
    pub(super) fn note_failure(&mut self, index: u32, error: &Error, vectors: usize) {
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Closed) {
            return;
        }
        let mut failure = Failure { kind: error.kind(), message: error.to_string(), written: VECTOR_GRAPH_MIN };
        if failure.is_refusal() {
            failure.written = failure.written.max(vectors); // the next try takes as long
        }
        self.failed.insert(index, failure);
    }

    /// What could not be made before is tried again, unless it was of no use.
    pub(super) fn forget_failure(&mut self, index: u32) {
        if self.failed.get(&index).is_some_and(|failure| !failure.is_refusal()) {
            self.failed.remove(&index);
        }
    }

    /// Nobody works on the graph of an index any more.
    pub(super) fn end_making(&mut self, index: u32, made: &Result<()>) {
        self.in_making.remove(&index);
        self.unwanted.remove(&index);
        match made {
            Ok(()) => {
                self.failed.remove(&index);
            }
            Err(error) => {
                // What was written meanwhile does not make it another one.
                self.wanted.remove(&index);
                self.unread.remove(&index);
                if !self.failed.contains_key(&index) {
                    self.note_failure(index, error, 0);
                }
            }
        }
    }

    pub(super) fn count_unread(&mut self, index: u32, vectors: usize) {
        let unread = self.unread.entry(index).or_default();
        *unread += vectors;
        if *unread >= self.failed.get(&index).map_or(VECTOR_GRAPH_MIN, |failure| failure.written) {
            self.unread.remove(&index);
            self.failed.remove(&index);
            self.wanted.insert(index);
        }
    }

    /// True if the graph of an index that is being made is not to be made any further.
    pub(super) fn is_unwanted(&self, index: u32) -> bool {
        self.closes_by.is_some() || self.unwanted.contains(&index)
    }

    /// True if somebody with more time is to be called.
    pub(super) fn has_work(&self) -> bool {
        self.wanted.iter().any(|index| !self.in_making.contains(index))
            || !self.gone.is_empty()
            || !self.filters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: u32 = 7;

    fn is_wanted_after(registry: &mut Registry, vectors: usize) -> bool {
        registry.count_unread(INDEX, vectors);
        registry.wanted.remove(&INDEX)
    }

    #[test]
    fn an_index_that_nobody_reads_is_looked_at_after_as_many_writes_as_a_graph_has_vectors() {
        let mut registry = Registry::default();
        for _ in 0..3 {
            assert!(!is_wanted_after(&mut registry, VECTOR_GRAPH_MIN - 1));
            assert!(is_wanted_after(&mut registry, 1));
        }
    }

    #[test]
    fn a_graph_that_was_refused_is_tried_again_only_after_as_many_writes_as_it_had_vectors() {
        for (error, writes) in [(Error::unsupported("heaps"), 50_000), (Error::unavailable("disk"), VECTOR_GRAPH_MIN)] {
            let mut registry = Registry::default();
            registry.in_making.insert(INDEX);
            registry.count_unread(INDEX, VECTOR_GRAPH_MIN + 7); // while it is made
            registry.note_failure(INDEX, &error, 50_000);
            registry.end_making(INDEX, &Err(error));
            assert!(!registry.has_work(), "{registry:?}");
            assert!(!is_wanted_after(&mut registry, writes - 1));
            assert!(is_wanted_after(&mut registry, 1));
            assert!(registry.failed.is_empty(), "it is tried");
        }
    }

    #[test]
    fn what_was_made_at_last_has_not_failed() {
        let mut registry = Registry::default();
        registry.end_making(INDEX, &Err(Error::unavailable("disk")));
        registry.end_making(INDEX, &Ok(()));
        assert!(registry.failed.is_empty());
    }

    #[test]
    fn what_is_being_made_is_given_up_when_its_index_is_dropped() {
        let mut registry = Registry::default();
        registry.unwanted.insert(INDEX);
        assert!(registry.is_unwanted(INDEX) && !registry.is_unwanted(INDEX + 1));
    }
}
