//! Which fields of the documents a pipeline reads, so that the others are not decoded.

use std::collections::BTreeSet;

use blaze_core::Path;

use super::stage::Stage;

/// What a pipeline needs of each document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Needs {
    /// All of it.
    Everything,
    /// These fields.
    Fields(BTreeSet<String>),
}

/// Gathers what stages read, one stage after another.
#[derive(Debug, Default)]
pub(super) struct Reads {
    fields: BTreeSet<String>,
    everything: bool,
    /// True once a stage has made documents of its own.
    closed: bool,
}

impl Needs {
    pub(super) fn of(stages: &[Stage]) -> Needs {
        let mut reads = Reads::default();
        reads.all_of(stages);
        match reads.everything {
            true => Needs::Everything,
            false => Needs::Fields(reads.fields),
        }
    }

    /// True if a document need not even be read.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Needs::Fields(fields) if fields.is_empty())
    }
}

impl Reads {
    /// The field in which a path begins is read.
    pub(super) fn path(&mut self, path: &Path) {
        if let Some(first) = path.segments().first()
            && !self.fields.contains(first.key())
        {
            self.fields.insert(first.key().to_owned());
        }
    }

    /// Something is put at a path: the map that it is put into is read.
    pub(super) fn parent(&mut self, path: &Path) {
        if path.segments().len() > 1 {
            self.path(path);
        }
    }

    /// What comes after this stage does not see the document any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Adds what stages read that begin with the document as it is here.
    pub(super) fn all_of(&mut self, stages: &[Stage]) {
        let mut reads = Reads::default();
        for stage in stages {
            stage.read(&mut reads);
            if reads.closed {
                break;
            }
        }
        self.everything |= reads.everything || !reads.closed;
        self.fields.extend(reads.fields);
    }
}
