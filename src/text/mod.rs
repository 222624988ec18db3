//! Indexes of text: rows of documents in the family `text`, segments that are made of them, and what is kept of both in memory.
//!
//! A document's transaction writes its terms, the entry row, and what it changed, a change row; folds make segments of change
//! rows in the background. What an index has at a read point is what the segments have that the header names there, but for
//! what the change rows there say: so transactions, snapshots and crashes are right whatever is in memory. That is a copy of
//! both, which a hook of the commit keeps up before anybody can see the commit.

mod change;
mod change_row;
mod check;
mod dead;
mod fold;
mod generation;
mod header;
mod kept;
mod layout;
mod level;
mod merge;
mod open;
mod own;
mod pages;
mod past;
mod recent;
mod registry;
mod segments;
#[cfg(test)]
mod tests;
mod unfolded;
mod view;
mod work;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use blaze_core::{Result, Timestamp};
use blaze_lsm::TextIndexStats;
use parking_lot::Mutex;

use change::IndexChange;
pub(crate) use change::TextChanges;
pub(crate) use change_row::ChangeRow;
pub(crate) use check::{Rows, VisitRow, check};
use generation::Generation;
pub(crate) use kept::KeptTexts;
pub(crate) use layout::{change_key, entry_key, split_change};
use open::OpenText;
use pages::PageCache;
use registry::Registry;
pub(crate) use view::{TextView, track, view};

use crate::catalog;
use crate::database::core::Core;
use crate::index::IndexFields;
use crate::session::Session;

/// Bytes of memory for what is kept of text indexes, unless said otherwise.
pub(crate) const TEXT_MEMORY_BYTES: usize = 256 << 20;

/// What is in memory of the text indexes of a database, and what is to be done about them.
pub(crate) struct Texts {
    memory_bytes: usize,
    pages: Arc<PageCache>,
    registry: Mutex<Registry>,
    /// Bytes of what sessions keep for themselves.
    kept_bytes: Arc<AtomicUsize>,
    /// Counts uses of indexes.
    uses: AtomicU64,
    /// What works on them in the background, if there is one.
    background: OnceLock<Weak<Core>>,
    ended: AtomicBool,
    /// True until it was looked what an earlier process has left unfolded.
    goes_on: AtomicBool,
}

impl Texts {
    pub(crate) fn new(memory_bytes: usize) -> Texts {
        Texts {
            memory_bytes,
            pages: Arc::new(PageCache::new(memory_bytes / 2)),
            registry: Mutex::default(),
            kept_bytes: Arc::default(),
            uses: AtomicU64::new(0),
            background: OnceLock::new(),
            ended: AtomicBool::new(false),
            goes_on: AtomicBool::new(false),
        }
    }

    /// From now on `background` folds, if there is any; else who commits does.
    pub(crate) fn begin(&self, background: Option<&Arc<Core>>) {
        if let Some(background) = background {
            let _ = self.background.set(Arc::downgrade(background));
        }
    }

    /// The database is being closed: nobody begins anything any more.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        *self.registry.lock() = Registry::default();
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Takes in what a commit does, before anybody can see it.
    fn take_in(&self, ts: Timestamp, indexes: &[(u32, IndexChange)]) {
        let mut registry = self.registry.lock();
        registry.told = registry.told.max(ts);
        if self.has_ended() {
            return;
        }
        indexes.iter().for_each(|(index, change)| registry.take_in(ts, *index, change));
    }

    /// True if an index is in memory.
    fn is_open(&self, index: u32) -> bool {
        self.registry.lock().open.contains_key(&index)
    }

    /// What is in memory of an index, from now on if nothing was; counts as a use of it. None of an index that is gone, and that
    /// only views of before see, and none once the database is being closed.
    fn open(&self, index: u32, fields: u8, view: Timestamp) -> Option<Arc<OpenText>> {
        let mut registry = self.registry.lock();
        // Nobody is told any more once it has ended.
        if self.has_ended() || registry.is_gone(index, view) {
            return None;
        }
        let told = registry.told;
        let open = registry.open.entry(index).or_insert_with(|| Arc::new(OpenText::new(index, fields, told)));
        open.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(Arc::clone(open))
    }

    /// What a search has last seen of an index, if it is in memory: most of its segments are as they were.
    fn last_seen(&self, index: u32) -> Option<Arc<Generation>> {
        let open = self.registry.lock().open.get(&index).map(Arc::clone)?;
        open.last_seen()
    }

    /// Lets go of what is in memory of an index, which could not be read.
    fn let_go(&self, open: &Arc<OpenText>) {
        let mut registry = self.registry.lock();
        if registry.open.get(&open.index).is_some_and(|there| Arc::ptr_eq(there, open)) {
            registry.open.remove(&open.index);
        }
    }

    /// Lets go of indexes, those first that were not used for the longest time, until the others fit; but for the last.
    fn evict(&self) {
        // Commits wait for the registry: it is not held while somebody may be reading an index.
        let mut open: Vec<_> = self.registry.lock().open.values().map(Arc::clone).collect();
        open.sort_by_key(|open| open.used.load(Ordering::Relaxed));
        let sizes: Vec<usize> = open.iter().map(|open| open.memory_bytes()).collect();
        let mut bytes: usize = sizes.iter().sum();
        open.pop();
        for (oldest, size) in open.iter().zip(sizes) {
            if bytes <= self.memory_bytes - self.memory_bytes / 2 {
                return;
            }
            bytes -= size;
            self.let_go(oldest);
        }
    }

    /// Somebody has read so much of an index that is not folded, at a read point.
    fn note_unfolded(&self, index: u32, view: Timestamp, changes: usize, bytes: usize) {
        self.registry.lock().count_found(index, view, changes, bytes);
    }

    /// Lets go of what is remembered of indexes that are gone, and that no view sees any more.
    fn forget_gone(&self, core: &Core) {
        let is_enough = self.registry.lock().has_enough_gone();
        if is_enough && let Ok(Some(oldest_view)) = core.store.oldest_view() {
            self.registry.lock().forget_gone(oldest_view);
        }
    }
}

impl Texts {
    /// What is in memory.
    pub(crate) fn stats(&self, core: &Arc<Core>) -> Result<Vec<TextIndexStats>> {
        let open = self.registry.lock().open.clone();
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for (collection, definition) in catalog::definitions(&*Session::read_only(core)?)? {
            for index in &definition.indexes {
                if let Some(open) = open.get(&index.id) {
                    let mut stats = open.stats();
                    (stats.collection, stats.index) = (collection.clone(), index.name.clone());
                    all.push(stats);
                }
            }
        }
        Ok(all)
    }
}

/// The numbers of all text indexes.
pub(crate) fn all_indexes(core: &Arc<Core>) -> Result<Vec<u32>> {
    let session = Session::read_only(core)?;
    let mut all = Vec::new();
    for (_, definition) in catalog::definitions(&session)? {
        for index in &definition.indexes {
            if matches!(index.parts()?, IndexFields::Text(_)) {
                all.push(index.id);
            }
        }
    }
    Ok(all)
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("memory_bytes", &self.memory_bytes).finish_non_exhaustive()
    }
}
