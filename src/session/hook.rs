//! Who is told of the commit of a session.

use blaze_core::{CommitHook, Timestamp};

use crate::text::TextChanges;
use crate::vector::VectorChanges;

/// What a commit changes of what is derived of documents and kept in memory.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) vectors: Option<VectorChanges>,
    pub(super) texts: Option<TextChanges>,
}

impl CommitHook for Derived {
    fn committed(&self, ts: Timestamp) {
        self.vectors.iter().for_each(|vectors| vectors.committed(ts));
        self.texts.iter().for_each(|texts| texts.committed(ts));
    }
}
