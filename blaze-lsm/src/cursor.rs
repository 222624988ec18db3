//! Cursors, which closing the store can empty under their owner's hands.

use std::sync::Arc;

use blaze_core::{Cursor, Direction, Entry, Family, KeyRange, Result};
use parking_lot::Mutex;

use crate::error;
use crate::ffi::RawIterator;
use crate::handles::Handles;
use crate::read_point::View;

/// Entries that are fetched first; each time after it four times as many, since who goes on is likely to go far. Two
/// and eight together are a page of ten.
const ENTRIES_AT_FIRST: usize = 2;
const ENTRIES_AT_ONCE_MAX: usize = 128;

/// Bytes after which no more entries are fetched at once.
const BYTES_AT_ONCE: usize = 64 * 1024;

/// Where a cursor keeps its iterator; empty once the store is closed.
#[derive(Debug)]
pub(crate) struct CursorSlot(Mutex<Option<RawIterator>>);

impl CursorSlot {
    pub(crate) fn close(&self) {
        self.0.lock().take();
    }
}

/// A walk over a range at a read point.
#[derive(Debug)]
pub(crate) struct LsmCursor {
    slot: Arc<CursorSlot>,
    range: KeyRange,
    direction: Direction,
    position: Position,
    fetched: Fetched,
    /// True if the iterator ends where the range does.
    is_exact: bool,
    /// How many entries to fetch next.
    entries: usize,
    view: Arc<View>,
    handles: Arc<Handles>,
}

/// Where the iterator goes on.
#[derive(Debug)]
enum Position {
    /// At the beginning of the range in the cursor's direction.
    Start,
    /// At or beyond this key.
    Seek(Vec<u8>),
    /// Behind the entry at which it stands.
    Behind,
    End,
}

impl LsmCursor {
    pub(crate) fn open(
        view: Arc<View>,
        family: Family,
        range: &KeyRange,
        direction: Direction,
        handles: &Arc<Handles>,
    ) -> Result<LsmCursor> {
        let iterator = view.iterator(family, range)?;
        let is_exact = iterator.range() == range;
        let slot = Arc::new(CursorSlot(Mutex::new(Some(iterator))));
        handles.add_cursor(&slot)?;
        Ok(LsmCursor {
            slot,
            range: range.clone(),
            direction,
            position: if range.is_empty() { Position::End } else { Position::Start },
            fetched: Fetched::default(),
            is_exact,
            entries: ENTRIES_AT_FIRST,
            view,
            handles: Arc::clone(handles),
        })
    }

    /// Copies the next entries: the iterator's memory may go with the store while the caller looks at one. One turn of
    /// the lock serves many of them.
    fn fetch(&mut self) -> Result<()> {
        self.fetched.clear();
        let mut guard = self.slot.0.lock();
        let iterator = guard.as_mut().ok_or_else(error::closed)?;
        match &self.position {
            Position::End => return Ok(()),
            Position::Behind => iterator.advance(self.direction),
            Position::Seek(key) => iterator.seek(key, self.direction),
            Position::Start => match (self.direction, self.range.end()) {
                (Direction::Forward, _) => iterator.seek(self.range.start(), self.direction),
                (Direction::Reverse, Some(end)) => iterator.seek(end, self.direction),
                (Direction::Reverse, None) => iterator.seek_to_first(self.direction),
            },
        }
        self.position = Position::Behind;
        loop {
            match iterator.entry()? {
                Some((key, value)) if self.is_exact || self.range.contains(key) => self.fetched.push(key, value),
                // The end of the range is outside it, and is where a walk back may begin.
                Some((key, _)) if self.direction == Direction::Reverse && key >= self.range.start() => {}
                _ => {
                    self.position = Position::End;
                    break;
                }
            }
            if self.fetched.len() >= self.entries || self.fetched.bytes.len() >= BYTES_AT_ONCE {
                break;
            }
            iterator.advance(self.direction);
        }
        self.entries = (4 * self.entries).min(ENTRIES_AT_ONCE_MAX);
        Ok(())
    }
}

impl Cursor for LsmCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        if self.fetched.is_used_up() {
            self.fetch()?;
        } else {
            self.handles.check_open()?;
        }
        Ok(self.fetched.next())
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.handles.check_open()?;
        self.fetched.clear();
        self.entries = ENTRIES_AT_FIRST;
        let beyond_start = match self.direction {
            Direction::Forward => key <= self.range.start(),
            Direction::Reverse => self.range.end().is_some_and(|end| key >= end),
        };
        self.position = match beyond_start {
            _ if self.range.is_empty() => Position::End,
            true => Position::Start,
            false => Position::Seek(key.to_vec()),
        };
        Ok(())
    }
}

impl Drop for LsmCursor {
    fn drop(&mut self) {
        if let Some(iterator) = self.slot.0.lock().take() {
            self.view.give_back(iterator);
        }
    }
}

/// Entries that were fetched and not yet asked for.
#[derive(Debug, Default)]
struct Fetched {
    bytes: Vec<u8>,
    /// Where in `bytes` each key and each value ends.
    ends: Vec<(usize, usize)>,
    used: usize,
}

impl Fetched {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn is_used_up(&self) -> bool {
        self.used == self.ends.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.used = 0;
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_end, self.bytes.len()));
    }

    fn next(&mut self) -> Option<Entry<'_>> {
        let (key_end, value_end) = *self.ends.get(self.used)?;
        let start = self.used.checked_sub(1).map_or(0, |previous| self.ends[previous].1);
        self.used += 1;
        Some((&self.bytes[start..key_end], &self.bytes[key_end..value_end]))
    }
}
