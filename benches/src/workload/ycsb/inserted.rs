//! The records that are there while several threads insert.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Which records are there while several threads insert.
pub(super) struct Inserted {
    next: AtomicU64,
    pending: Mutex<BTreeSet<u64>>,
    acknowledged: AtomicU64,
}

impl Inserted {
    pub(super) fn after(records: u64) -> Inserted {
        let counter = || AtomicU64::new(records);
        Inserted { next: counter(), pending: Mutex::default(), acknowledged: counter() }
    }

    /// The number of a new record.
    pub(super) fn begin(&self) -> u64 {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        pending.insert(number);
        number
    }

    /// The record is committed.
    pub(super) fn end(&self, number: u64) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.remove(&number);
        let all_below = pending.first().copied().unwrap_or_else(|| self.next.load(Ordering::Relaxed));
        self.acknowledged.store(all_below, Ordering::Release);
    }

    /// All records below this number are there.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    pub(super) fn all(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_as_inserted_once_all_before_it_are_there() {
        let inserted = Inserted::after(10);
        let (first, second) = (inserted.begin(), inserted.begin());
        inserted.end(second);
        assert_eq!(inserted.acknowledged(), 10);
        inserted.end(first);
        assert_eq!((inserted.acknowledged(), inserted.all()), (12, 12));
    }
}
