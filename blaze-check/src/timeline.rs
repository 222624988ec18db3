//! The versions of one key.

use crate::history::Element;

/// No transaction, no operation.
pub(crate) const NONE: u32 = u32::MAX;

/// What a transaction has made of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    /// Who wrote it; [`NONE`] of the first version, before anybody wrote.
    pub(crate) transaction: u32,
    /// The number of its commit; 0 of the first version.
    pub(crate) commit: u32,
    /// The append that gave it its attributes; [`NONE`] if the key is not there.
    pub(crate) operation: u32,
    /// Which of the key's elements its list has.
    start: u32,
    end: u32,
}

/// All versions of a key, in the order of their commits, from the first, which is that it is not there.
#[derive(Debug)]
pub(crate) struct Timeline {
    elements: Vec<Element>,
    pub(crate) versions: Vec<Version>,
}

impl Timeline {
    pub(crate) fn new() -> Timeline {
        let first = Version { transaction: NONE, commit: 0, operation: NONE, start: 0, end: 0 };
        Timeline { elements: Vec::new(), versions: vec![first] }
    }

    /// The version of a transaction that goes on writing, or a new one.
    fn version(&mut self, transaction: u32, commit: u32) -> &mut Version {
        let last = self.versions.len() - 1;
        if self.versions[last].transaction != transaction {
            let next = Version { transaction, commit, ..self.versions[last] };
            self.versions.push(next);
        }
        let last = self.versions.len() - 1;
        &mut self.versions[last]
    }

    pub(crate) fn append(&mut self, transaction: u32, commit: u32, operation: u32, element: Element) {
        self.elements.push(element);
        let end = self.elements.len() as u32;
        let version = self.version(transaction, commit);
        (version.end, version.operation) = (end, operation);
    }

    pub(crate) fn delete(&mut self, transaction: u32, commit: u32) {
        let end = self.elements.len() as u32;
        let version = self.version(transaction, commit);
        (version.start, version.end, version.operation) = (end, end, NONE);
    }

    /// The version after so many commits.
    pub(crate) fn at(&self, commits: u32) -> usize {
        self.versions.partition_point(|version| version.commit <= commits) - 1
    }

    pub(crate) fn list(&self, version: usize) -> &[Element] {
        let Version { start, end, .. } = self.versions[version];
        &self.elements[start as usize..end as usize]
    }

    /// The version that a transaction has written.
    pub(crate) fn version_of(&self, commit: u32) -> Option<usize> {
        self.versions.binary_search_by_key(&commit, |version| version.commit).ok()
    }
}
