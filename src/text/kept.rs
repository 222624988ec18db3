//! What a session keeps of text indexes from one search to the next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    generation: Option<(Arc<Generation>, KeptBytes)>,
    /// What the session has written. It takes a few times as much memory as the writes, which have a limit.
    own: Option<Arc<Own>>,
}

/// Bytes of what a session keeps, counted among those of all sessions of the database until it is let go of.
pub(super) struct KeptBytes {
    bytes: usize,
    all: Arc<AtomicUsize>,
}

impl KeptBytes {
    /// Counts so many more, unless all would be above `most`.
    pub(super) fn take(all: &Arc<AtomicUsize>, bytes: usize, most: usize) -> Option<KeptBytes> {
        let with = |kept: usize| kept.checked_add(bytes).filter(|sum| *sum <= most);
        all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with).ok()?;
        Some(KeptBytes { bytes, all: Arc::clone(all) })
    }
}

impl Drop for KeptBytes {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl KeptTexts {
    pub(super) fn generation(&self, index: u32) -> Option<Arc<Generation>> {
        self.indexes.lock().get(&index)?.generation.as_ref().map(|(generation, _)| Arc::clone(generation))
    }

    pub(super) fn keep_generation(&self, index: u32, generation: &Arc<Generation>, bytes: KeptBytes) {
        self.indexes.lock().entry(index).or_default().generation = Some((Arc::clone(generation), bytes));
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
