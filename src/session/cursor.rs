//! A cursor that sees the store with a transaction's own writes laid over it.

use std::sync::Arc;

use blaze_core::{Cursor, Direction, Entry, Result};

use super::coverage::Coverage;
use super::merge::Merge;
use super::write_set::Overlay;

/// A walk over a range of the store and of the transaction's own writes.
pub(crate) struct SessionCursor {
    base: Box<dyn Cursor>,
    /// The own writes, where there are any in the range.
    merge: Option<Merge>,
    coverage: Option<Arc<Coverage>>,
}

impl SessionCursor {
    /// A cursor over the store alone, untracked.
    pub(super) fn over(base: Box<dyn Cursor>) -> SessionCursor {
        SessionCursor { base, merge: None, coverage: None }
    }

    pub(super) fn merging(
        base: Box<dyn Cursor>,
        overlay: Option<Overlay>,
        direction: Direction,
        coverage: Option<Arc<Coverage>>,
    ) -> SessionCursor {
        SessionCursor { base, merge: overlay.map(|overlay| Merge::new(overlay, direction)), coverage }
    }

    /// The next entry, or `None` at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let entry = match &mut self.merge {
            None => self.base.next()?,
            Some(merge) => merge.next(&mut *self.base)?,
        };
        if let Some(coverage) = &self.coverage {
            match entry {
                Some((key, _)) => coverage.reach(key),
                None => coverage.exhaust(),
            }
        }
        Ok(entry)
    }
}

impl SessionCursor {
    /// Moves so that [`next`](SessionCursor::next) answers the first entry at or beyond `key` in the cursor's direction.
    /// What lies between counts as read.
    pub(crate) fn seek(&mut self, key: &[u8]) -> Result<()> {
        if let Some(merge) = &mut self.merge {
            merge.seek(key);
        }
        self.base.seek(key)
    }
}

impl std::fmt::Debug for SessionCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionCursor").field("merging", &self.merge.is_some()).finish_non_exhaustive()
    }
}
