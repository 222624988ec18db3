//! What a repair has done, and what it could not do.

use blaze_core::Error;

use super::index::Batch;
use crate::verify::{Problem, VerifyReport};

/// Problems that a report names; of the others it says how many there are.
const PROBLEMS_MAX: usize = 100;

/// What [`Database::repair`](crate::Database::repair) has found, done and left.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RepairReport {
    /// What was wrong before.
    pub verified: VerifyReport,
    /// The indexes that were repaired.
    pub indexes: Vec<IndexRepair>,
    /// The collections whose count of documents was corrected.
    pub counts: Vec<String>,
    /// What could not be repaired: the first 100 of it.
    pub problems: Vec<Problem>,
    /// How many problems are left in all.
    pub problem_count: u64,
}

/// What was done to one index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexRepair {
    /// Its collection.
    pub collection: String,
    /// Its name.
    pub index: String,
    /// Entries that were missing; one with another value counts here and among those that were removed.
    pub entries_added: u64,
    /// Entries that no document had.
    pub entries_removed: u64,
    /// True if it was built anew, since its files could not be read, or since it is on text and differed from its documents.
    pub is_rebuilt: bool,
}

/// How far a repair has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RepairProgress {
    /// Entries that were read to verify, and documents and entries that were compared then.
    pub entries: u64,
    /// Entries that were added or removed.
    pub repaired: u64,
}

impl RepairReport {
    /// What was done to an index so far.
    pub(super) fn index(&mut self, collection: &str, index: &str) -> &mut IndexRepair {
        let is_it = |repair: &IndexRepair| repair.collection == collection && repair.index == index;
        let position = self.indexes.iter().position(is_it).unwrap_or_else(|| {
            let (collection, index) = (collection.to_owned(), index.to_owned());
            self.indexes.push(IndexRepair { collection, index, ..IndexRepair::default() });
            self.indexes.len() - 1
        });
        &mut self.indexes[position]
    }

    pub(super) fn take(&mut self, collection: &str, batch: &Batch) {
        for (index, (added, removed)) in &batch.repaired {
            let repair = self.index(collection, index);
            repair.entries_added += added;
            repair.entries_removed += removed;
        }
        for (index, key, error) in &batch.problems {
            self.problem(collection, index.as_deref(), key, error);
        }
    }

    pub(super) fn problem(&mut self, collection: &str, index: Option<&str>, key: &[u8], error: &Error) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            let (name, index) = (Some(collection.to_owned()), index.map(str::to_owned));
            self.problems.push(Problem { name, index, key: key.to_vec(), message: error.to_string() });
        }
    }

    /// Entries that were added or removed, in all indexes.
    #[must_use]
    pub fn repaired_entries(&self) -> u64 {
        self.indexes.iter().map(|repair| repair.entries_added + repair.entries_removed).sum()
    }

    pub(super) fn verified_entries(&self) -> u64 {
        self.verified.documents + self.verified.keys + self.verified.index_entries
    }
}
