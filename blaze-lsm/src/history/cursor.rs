//! A walk over the past.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use blaze_core::{Cursor, Direction, Entry, Result};

use super::undo::{UndoCursor, Undone};
use crate::trail::Reader;

/// Current entries with what has changed since laid over them.
pub(super) struct AsOfCursor {
    now: Box<dyn Cursor>,
    undo: UndoCursor,
    direction: Direction,
    now_head: Head<(Vec<u8>, Vec<u8>)>,
    undo_head: Head<Undone>,
    entry: (Vec<u8>, Vec<u8>),
    _reader: Arc<Reader>,
}

/// The next entry of a cursor, where it has been fetched to be compared.
enum Head<T> {
    Unknown,
    At(T),
    End,
}

impl<T> Head<T> {
    fn of(next: Option<T>) -> Head<T> {
        next.map_or(Head::End, Head::At)
    }

    fn take(&mut self) -> Option<T> {
        match std::mem::replace(self, Head::Unknown) {
            Head::At(entry) => Some(entry),
            _ => None,
        }
    }
}

impl AsOfCursor {
    pub(super) fn new(now: Box<dyn Cursor>, undo: UndoCursor, direction: Direction, reader: Arc<Reader>) -> AsOfCursor {
        let entry = (Vec::new(), Vec::new());
        AsOfCursor { now, undo, direction, now_head: Head::Unknown, undo_head: Head::Unknown, entry, _reader: reader }
    }

    /// The next entry; a key that was not there then is skipped.
    fn merge(&mut self) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        loop {
            if matches!(self.now_head, Head::Unknown) {
                self.now_head = Head::of(self.now.next()?.map(|(key, value)| (key.to_vec(), value.to_vec())));
            }
            if matches!(self.undo_head, Head::Unknown) {
                self.undo_head = Head::of(self.undo.next()?);
            }
            let order = match (&self.now_head, &self.undo_head) {
                (Head::At((now, _)), Head::At((undone, _))) => match self.direction {
                    Direction::Forward => undone.cmp(now),
                    Direction::Reverse => now.cmp(undone),
                },
                (Head::At(_), _) => Ordering::Greater,
                (_, Head::At(_)) => Ordering::Less,
                _ => return Ok(None),
            };
            if order == Ordering::Greater {
                return Ok(self.now_head.take());
            }
            if order == Ordering::Equal {
                self.now_head = Head::Unknown; // replaced since
            }
            if let Some((key, Some(before))) = self.undo_head.take() {
                return Ok(Some((key, before)));
            }
        }
    }
}

impl Cursor for AsOfCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let Some(entry) = self.merge()? else { return Ok(None) };
        self.entry = entry;
        Ok(Some((&self.entry.0, &self.entry.1)))
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        (self.now_head, self.undo_head) = (Head::Unknown, Head::Unknown);
        self.now.seek(key)?;
        self.undo.seek(key)
    }
}

impl fmt::Debug for AsOfCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsOfCursor").field("undo", &self.undo).finish_non_exhaustive()
    }
}
