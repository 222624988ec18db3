//! What verification finds.

use std::fmt;
use std::ops::ControlFlow;

use blaze_core::{Error, Result};

/// Problems that a report names; of the others it says how many there are.
const PROBLEMS_MAX: usize = 100;

/// Entries between two reports of progress.
const ENTRIES_PER_PROGRESS: u64 = 1_024;

/// What [`Database::verify`](crate::Database::verify) has read and found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Collections.
    pub collections: u64,
    /// Keyspaces.
    pub keyspaces: u64,
    /// Documents of all collections.
    pub documents: u64,
    /// Stores of objects.
    pub object_stores: u64,
    /// Keys of all keyspaces, and parts of all objects.
    pub keys: u64,
    /// Indexes that are complete and were compared with their documents.
    pub indexes: u64,
    /// Entries of these indexes.
    pub index_entries: u64,
    /// Bytes of all keys and values that were read.
    pub bytes: u64,
    /// What is wrong: the first 100 of it.
    pub problems: Vec<Problem>,
    /// How many problems there are in all.
    pub problem_count: u64,
}

impl VerifyReport {
    /// True when nothing is wrong.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.problem_count == 0
    }
}

/// Something that is wrong in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The collection or keyspace, if it is known.
    pub name: Option<String>,
    /// The index, if it is about one.
    pub index: Option<String>,
    /// The key within the keyspace, the encoded id within the collection or the entry within the index; where keys
    /// cannot be read, the first of them. Empty when it is about no key.
    pub key: Vec<u8>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name:?}: ")?;
        }
        if let Some(index) = &self.index {
            write!(f, "index {index:?}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "key \"{}\": ", self.key.escape_ascii())?;
        }
        f.write_str(&self.message)
    }
}

/// How far verification has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct VerifyProgress {
    /// Entries that were read: documents, keys, entries of indexes, rows of the catalog.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The report while it is written.
pub(super) struct Notes<'a> {
    pub(super) report: VerifyReport,
    entries: u64,
    progress: &'a mut dyn FnMut(VerifyProgress) -> ControlFlow<()>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(progress: &'a mut dyn FnMut(VerifyProgress) -> ControlFlow<()>) -> Notes<'a> {
        Notes { report: VerifyReport::default(), entries: 0, progress }
    }

    /// Counts an entry, and asks now and then whether to go on.
    pub(super) fn count(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.entries += 1;
        self.report.bytes += (key.len() + value.len()) as u64;
        match self.entries.is_multiple_of(ENTRIES_PER_PROGRESS) {
            true => self.tell(),
            false => Ok(()),
        }
    }

    /// Tells how far it has come.
    pub(super) fn tell(&mut self) -> Result<()> {
        let progress = VerifyProgress { entries: self.entries, bytes: self.report.bytes };
        match (self.progress)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("the verification was stopped by its caller")),
        }
    }

    pub(super) fn problem(&mut self, name: Option<&str>, index: Option<&str>, key: &[u8], message: impl fmt::Display) {
        self.report.problem_count += 1;
        if self.report.problems.len() < PROBLEMS_MAX {
            let (name, index) = (name.map(str::to_owned), index.map(str::to_owned));
            self.report.problems.push(Problem { name, index, key: key.to_vec(), message: message.to_string() });
        }
    }
}
