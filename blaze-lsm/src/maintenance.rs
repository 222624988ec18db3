//! Compaction under the caller's control.

use std::sync::Arc;

use blaze_core::{Family, KeyRange, Result};
use parking_lot::Mutex;

use crate::store::LsmStore;

/// How many pauses there are.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<u32>);

/// Keeps compactions from beginning by themselves until it is dropped.
#[derive(Debug)]
#[must_use = "compactions go on when the pause is dropped"]
pub struct CompactionPause {
    store: Arc<LsmStore>,
}

impl LsmStore {
    /// Keeps compactions from beginning by themselves for as long as the guard lives; those that run end as they
    /// would. Flushes go on, and [`compact`](LsmStore::compact) still does what it is asked. Meanwhile files pile up:
    /// reads slow down and space grows, commits are not slowed down. Several pauses last until the last one ends.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn pause_compaction(self: &Arc<LsmStore>) -> Result<CompactionPause> {
        let engine = self.engine()?;
        let mut pauses = self.pauses.0.lock();
        if *pauses == 0 {
            engine.set_automatic_compactions(false)?;
        }
        *pauses += 1;
        tracing::info!("compactions are paused");
        Ok(CompactionPause { store: Arc::clone(self) })
    }

    /// About how many bytes a range takes, in memory and on disk.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn approximate_bytes(&self, family: Family, range: &KeyRange) -> Result<u64> {
        self.engine()?.approximate_bytes(family, range)
    }
}

impl Drop for CompactionPause {
    fn drop(&mut self) {
        // Of a store that is closed nothing is left to resume.
        let Ok(engine) = self.store.engine() else { return };
        let mut pauses = self.store.pauses.0.lock();
        *pauses -= 1;
        if *pauses == 0
            && let Err(error) = engine.set_automatic_compactions(true)
        {
            tracing::error!(%error, "compactions stay paused until the database is reopened");
        }
    }
}
