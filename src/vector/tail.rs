//! The tail of an index: vectors that are committed and not yet linked into its graph.

use std::collections::VecDeque;
use std::sync::Arc;

use blaze_core::Timestamp;
use blaze_core::limits::{VECTOR_TAIL_BYTES_MAX, VECTOR_TAIL_MAX};

use super::change::VectorChange;

/// How much more than what writers wait for a tail takes in: what was admitted together, and large transactions.
const OVERFLOW: usize = 8;

/// Bytes that a vector takes in the tail beside its key and its numbers.
const OVERHEAD_BYTES: usize = 64;

/// The vectors of one commit.
#[derive(Clone, Debug)]
pub(super) struct TailBatch {
    pub(super) ts: Timestamp,
    pub(super) changes: Arc<[VectorChange]>,
}

/// Vectors that are committed and not yet linked, in the order of their commits.
#[derive(Debug, Default)]
pub(super) struct Tail {
    batches: VecDeque<TailBatch>,
    vectors: usize,
    bytes: usize,
    /// True once something could not be taken in: then what is missing is found by the marks.
    has_gap: bool,
}

impl Tail {
    /// Takes in what a commit has changed, unless that is far too much.
    pub(super) fn push(&mut self, ts: Timestamp, changes: &Arc<[VectorChange]>) {
        if self.has_gap {
            return;
        }
        self.vectors += changes.len();
        self.bytes += bytes(changes);
        self.batches.push_back(TailBatch { ts, changes: Arc::clone(changes) });
        if self.vectors > OVERFLOW * VECTOR_TAIL_MAX || self.bytes > OVERFLOW * VECTOR_TAIL_BYTES_MAX {
            self.lose();
        }
    }

    /// Something was committed that is not here.
    pub(super) fn lose(&mut self) {
        *self = Tail { has_gap: true, ..Tail::default() };
    }

    pub(super) fn has_gap(&self) -> bool {
        self.has_gap
    }

    /// True if writers wait.
    pub(super) fn is_full(&self) -> bool {
        self.vectors >= VECTOR_TAIL_MAX || self.bytes >= VECTOR_TAIL_BYTES_MAX
    }

    /// What is in it up to a commit, shared: nobody waits while it is looked at.
    pub(super) fn up_to(&self, ts: Timestamp) -> Vec<TailBatch> {
        self.batches.iter().take_while(|batch| batch.ts <= ts).cloned().collect()
    }

    /// The first commit, if it is not after `ts`.
    pub(super) fn first_up_to(&self, ts: Timestamp) -> Option<TailBatch> {
        self.batches.front().filter(|batch| batch.ts <= ts).cloned()
    }

    /// Lets go of the first commit, which was linked, unless the tail was emptied meanwhile.
    pub(super) fn pop_linked(&mut self, ts: Timestamp) {
        if self.batches.front().is_some_and(|batch| batch.ts == ts) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(first) = self.batches.pop_front() {
            self.vectors -= first.changes.len();
            self.bytes -= bytes(&first.changes);
        }
    }

    /// Puts what is missing before everything that is here, and lets go of what is not after it.
    pub(super) fn begin_with(&mut self, batches: Vec<TailBatch>, up_to: Timestamp) {
        while self.batches.front().is_some_and(|batch| batch.ts <= up_to) {
            self.pop();
        }
        for batch in batches.into_iter().rev() {
            self.vectors += batch.changes.len();
            self.bytes += bytes(&batch.changes);
            self.batches.push_front(batch);
        }
    }

    pub(super) fn vectors(&self) -> usize {
        self.vectors
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// True if vectors fit a tail that has none.
pub(super) fn fits(vectors: usize, bytes: usize) -> bool {
    vectors <= OVERFLOW * VECTOR_TAIL_MAX / 2 && bytes <= OVERFLOW * VECTOR_TAIL_BYTES_MAX / 2
}

/// Bytes that changes take in a tail.
pub(super) fn bytes(changes: &[VectorChange]) -> usize {
    let bytes =
        |change: &VectorChange| OVERHEAD_BYTES + change.entry.len() + change.row.as_ref().map_or(0, |row| row.len());
    changes.iter().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ts(n: u64) -> Timestamp {
        Timestamp::from_bits(n)
    }

    fn changes(vectors: usize, row_bytes: usize) -> Arc<[VectorChange]> {
        let row = || Some(vec![0; row_bytes].into());
        (0..vectors).map(|n| VectorChange { entry: n.to_be_bytes().into(), row: row() }).collect()
    }

    fn commits(tail: &Tail, up_to: u64) -> Vec<u64> {
        tail.up_to(ts(up_to)).iter().map(|batch| batch.ts.to_bits()).collect()
    }

    #[test]
    fn what_is_linked_goes_from_the_front_and_readers_see_no_later_commit() {
        let mut tail = Tail::default();
        (1..=4).for_each(|n| tail.push(ts(n), &changes(2, 10)));
        assert_eq!((commits(&tail, 3), tail.vectors()), (vec![1, 2, 3], 8));
        assert_eq!(tail.first_up_to(ts(0)).map(|batch| batch.ts), None);
        tail.pop();
        assert_eq!((commits(&tail, 9), tail.vectors()), (vec![2, 3, 4], 6));
        (0..4).for_each(|_| tail.pop());
        assert_eq!((tail.vectors(), tail.bytes()), (0, 0));
    }

    #[test]
    fn a_full_tail_goes_on_taking_in_and_one_that_overflows_knows_that_it_has_a_gap() {
        for (vectors, row_bytes) in [(VECTOR_TAIL_MAX, 4), (1, VECTOR_TAIL_BYTES_MAX)] {
            let mut tail = Tail::default();
            assert!(!tail.is_full());
            for n in 1..OVERFLOW as u64 {
                tail.push(ts(n), &changes(vectors, row_bytes));
                assert!(tail.is_full() && !tail.has_gap(), "{n}");
            }
            (0..2).for_each(|n| tail.push(ts(100 + n), &changes(vectors, row_bytes)));
            assert!(tail.has_gap() && tail.bytes() == 0, "{vectors} vectors of {row_bytes} bytes");
            tail.push(ts(200), &changes(1, 4));
            assert_eq!(commits(&tail, 999), [0; 0], "what comes after a gap is not all there is");
        }
    }

    #[test]
    fn what_is_found_by_marks_replaces_what_it_covers() {
        let mut tail = Tail::default();
        (5..=8).for_each(|n| tail.push(ts(n), &changes(1, 10)));
        let found = [2, 6].map(|n| TailBatch { ts: ts(n), changes: changes(3, 10) });
        tail.begin_with(found.to_vec(), ts(6));
        assert_eq!((commits(&tail, 99), tail.vectors()), (vec![2, 6, 7, 8], 8));
    }
}
