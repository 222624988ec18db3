//! What a session keeps of text indexes from one search to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::generation::Generation;
use super::own::Own;

/// What a session keeps of text indexes from one search to the next, until it ends.
#[derive(Default)]
pub(crate) struct KeptTexts {
    indexes: Mutex<BTreeMap<u32, Kept>>,
}

#[derive(Default)]
struct Kept {
    /// What the index is at the read point of the session, where the database does not keep that any more.
    generation: Option<Arc<Generation>>,
    /// What the session has written. It takes a few times as much memory as the writes, which have a limit.
    own: Option<Arc<Own>>,
}

impl KeptTexts {
    pub(super) fn generation(&self, index: u32) -> Option<Arc<Generation>> {
        self.indexes.lock().get(&index)?.generation.clone()
    }

    pub(super) fn keep_generation(&self, index: u32, generation: &Arc<Generation>) {
        self.indexes.lock().entry(index).or_default().generation = Some(Arc::clone(generation));
    }

    /// What is kept of the session's writes, from now on by who asks.
    pub(super) fn take_own(&self, index: u32) -> Option<Arc<Own>> {
        self.indexes.lock().get_mut(&index)?.own.take()
    }

    pub(super) fn keep_own(&self, index: u32, own: &Arc<Own>) {
        self.indexes.lock().entry(index).or_default().own = Some(Arc::clone(own));
    }

    /// The session has ended.
    pub(crate) fn clear(&self) {
        self.indexes.lock().clear();
    }
}
