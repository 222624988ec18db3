//! A cursor that sees the store with a transaction's own writes laid over it.

use std::cmp::Ordering;
use std::sync::Arc;

use blaze_core::{Cursor, Direction, Entry, KeyRange, Result};

use super::coverage::Coverage;
use super::write_set::{Overlay, OverlayEntry};

/// A walk over a range of the store and of the transaction's own writes, merged.
pub(crate) struct SessionCursor {
    base: Box<dyn Cursor>,
    direction: Direction,
    entries: Vec<OverlayEntry>,
    removed: Vec<KeyRange>,
    position: usize,
    coverage: Option<Arc<Coverage>>,
    head: Head,
    current: (Vec<u8>, Arc<Vec<u8>>),
}

/// The next entry of the base, where it has been fetched to be compared.
enum Head {
    Unknown,
    At(Vec<u8>, Vec<u8>),
    End,
}

impl SessionCursor {
    /// A cursor over the store alone, untracked.
    pub(crate) fn over(base: Box<dyn Cursor>) -> SessionCursor {
        let overlay = Overlay { entries: Vec::new(), removed: Vec::new() };
        SessionCursor::merging(base, overlay, Direction::Forward, None)
    }

    pub(crate) fn merging(
        base: Box<dyn Cursor>,
        overlay: Overlay,
        direction: Direction,
        coverage: Option<Arc<Coverage>>,
    ) -> SessionCursor {
        SessionCursor {
            base,
            direction,
            entries: overlay.entries,
            removed: overlay.removed,
            position: 0,
            coverage,
            head: Head::Unknown,
            current: (Vec::new(), Arc::default()),
        }
    }

    /// The next entry, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let plain = self.entries.is_empty() && self.removed.is_empty();
        let entry = match plain {
            true => self.base.next()?,
            false => self.merge()?.then(|| (self.current.0.as_slice(), self.current.1.as_slice())),
        };
        if let Some(coverage) = &self.coverage {
            match entry {
                Some((key, _)) => coverage.reach(key),
                None => coverage.exhaust(),
            }
        }
        Ok(entry)
    }

    /// Puts the next entry into `current`; false at the end.
    fn merge(&mut self) -> Result<bool> {
        loop {
            self.fetch_head()?;
            let own = self.entries.get(self.position);
            let order = match (&self.head, own) {
                (Head::At(key, _), Some((own, _))) => match self.direction {
                    Direction::Forward => own.cmp(key),
                    Direction::Reverse => key.cmp(own),
                },
                (Head::At(..), None) => Ordering::Greater,
                (_, Some(_)) => Ordering::Less,
                (_, None) => return Ok(false),
            };
            if order == Ordering::Greater {
                if let Head::At(key, value) = std::mem::replace(&mut self.head, Head::Unknown) {
                    self.current = (key, Arc::new(value));
                }
                return Ok(true);
            }
            if order == Ordering::Equal {
                self.head = Head::Unknown; // overwritten
            }
            let (key, value) = own.cloned().unwrap_or_default();
            self.position += 1;
            if let Some(value) = value {
                self.current = (key, value);
                return Ok(true);
            }
        }
    }

    /// Makes the head known: the next entry of the base that is not in a removed range.
    fn fetch_head(&mut self) -> Result<()> {
        while matches!(self.head, Head::Unknown) {
            self.head = match self.base.next()? {
                Some((key, _)) if self.removed.iter().any(|range| range.contains(key)) => Head::Unknown,
                Some((key, value)) => Head::At(key.to_vec(), value.to_vec()),
                None => Head::End,
            };
        }
        Ok(())
    }
}

impl std::fmt::Debug for SessionCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionCursor").field("direction", &self.direction).finish_non_exhaustive()
    }
}
