//! Cursors, which closing the store can empty under their owner's hands.

use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::{Cursor, Direction, Entry, Family, KeyRange, Prefix, Result};
use parking_lot::Mutex;

use crate::error;
use crate::ffi::{RawIterator, Snapshot};
use crate::handles::Handles;
use crate::read_point::View;

/// Entries that are fetched first, and then; each time after it twice as many, since who goes on is likely to go far. Two
/// and eight together are a page of ten.
const ENTRIES_AT_FIRST: usize = 2;
const ENTRIES_THEN: usize = 8;
const ENTRIES_AT_ONCE_MAX: usize = 32;

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

/// What one cursor leaves to the next at the same view: an iterator, which takes as long to make as to move, and memory.
#[derive(Debug)]
pub(crate) struct Walker {
    slot: Arc<CursorSlot>,
    family: Family,
    /// The prefix of all keys that the iterator can reach; none if it can reach all keys.
    prefix: Option<Prefix>,
    /// The range of the iterator: the whole collection or index, so that it can be used again.
    reach: Arc<KeyRange>,
    /// The range of the cursor that had it last.
    range: KeyRange,
    fetched: Fetched,
}

impl Walker {
    /// A walker that can reach the keys with a prefix, or all.
    pub(crate) fn new(
        snapshot: &Arc<Snapshot>,
        family: Family,
        prefix: Option<Prefix>,
        handles: &Handles,
    ) -> Result<Walker> {
        // The empty key is the store's own.
        let reach = Arc::new(prefix.map_or_else(|| KeyRange::new([0], None), |prefix| KeyRange::prefix(&prefix)));
        let iterator = RawIterator::new(Arc::clone(snapshot), family, Arc::clone(&reach));
        let slot = Arc::new(CursorSlot(Mutex::new(Some(iterator))));
        handles.add_cursor(&slot)?;
        Ok(Walker { slot, family, prefix, reach, range: KeyRange::default(), fetched: Fetched::default() })
    }

    pub(crate) fn reaches(&self, family: Family, prefix: Option<Prefix>) -> bool {
        self.family == family && self.prefix == prefix
    }
}

/// A walk over a range at a read point.
#[derive(Debug)]
pub(crate) struct LsmCursor {
    /// There until the cursor is dropped.
    walker: Option<Walker>,
    direction: Direction,
    position: Position,
    /// True if the iterator ends where the range does, in the cursor's direction.
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
    /// A cursor over a range of keys that `walker` can reach.
    pub(crate) fn new(
        mut walker: Walker,
        view: Arc<View>,
        range: &KeyRange,
        direction: Direction,
        handles: &Arc<Handles>,
    ) -> LsmCursor {
        walker.range.clone_from(range);
        walker.fetched.clear();
        LsmCursor {
            direction,
            position: if range.is_empty() { Position::End } else { Position::Start },
            is_exact: match direction {
                Direction::Forward => range.end() == walker.reach.end(),
                Direction::Reverse => range.start() == walker.reach.start(),
            },
            entries: ENTRIES_AT_FIRST,
            walker: Some(walker),
            view,
            handles: Arc::clone(handles),
        }
    }

    /// Copies the next entries: the iterator's memory may go with the store while the caller looks at one. One turn of
    /// the lock serves many of them.
    #[inline(never)] // so that what is done for each entry stays small
    fn fetch(&mut self) -> Result<()> {
        let Some(Walker { slot, range, fetched, .. }) = &mut self.walker else { return Err(error::closed()) };
        fetched.clear();
        let mut guard = slot.0.lock();
        let iterator = guard.as_mut().ok_or_else(error::closed)?;
        match &self.position {
            Position::End => return Ok(()),
            Position::Behind => iterator.advance(self.direction),
            Position::Seek(key) => iterator.seek(key, self.direction),
            Position::Start => match (self.direction, range.end()) {
                (Direction::Forward, _) => iterator.seek(range.start(), self.direction),
                (Direction::Reverse, Some(end)) => iterator.seek(end, self.direction),
                (Direction::Reverse, None) => iterator.seek_to_first(self.direction),
            },
        }
        self.position = Position::Behind; // after an error, too: nothing is answered twice
        let (direction, is_exact, entries) = (self.direction, self.is_exact, self.entries);
        let mut is_over = false;
        let is_at_end = iterator.take_while(direction, |key, value| {
            // The end of the range is outside it, and is where a walk back may begin.
            if direction == Direction::Reverse && range.end().is_some_and(|end| key >= end) {
                return ControlFlow::Continue(());
            }
            is_over = !is_exact
                && match direction {
                    Direction::Forward => range.end().is_some_and(|end| key >= end),
                    Direction::Reverse => key < range.start(),
                };
            if is_over {
                return ControlFlow::Break(());
            }
            fetched.push(key, value);
            match fetched.len() >= entries || fetched.bytes.len() >= BYTES_AT_ONCE {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        if is_at_end || is_over {
            self.position = Position::End;
        }
        self.entries = (2 * self.entries).clamp(ENTRIES_THEN, ENTRIES_AT_ONCE_MAX);
        Ok(())
    }
}

impl Cursor for LsmCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        self.handles.check_open()?;
        if self.walker.as_ref().is_none_or(|walker| walker.fetched.is_used_up()) {
            self.fetch()?;
        }
        Ok(self.walker.as_mut().and_then(|walker| walker.fetched.next()))
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.handles.check_open()?;
        let Some(Walker { range, fetched, .. }) = &mut self.walker else { return Err(error::closed()) };
        fetched.clear();
        self.entries = ENTRIES_AT_FIRST;
        let beyond_start = match self.direction {
            Direction::Forward => key <= range.start(),
            Direction::Reverse => range.end().is_some_and(|end| key >= end),
        };
        self.position = match beyond_start {
            _ if range.is_empty() => Position::End,
            true => Position::Start,
            false => Position::Seek(key.to_vec()),
        };
        Ok(())
    }
}

impl Drop for LsmCursor {
    fn drop(&mut self) {
        if let Some(mut walker) = self.walker.take() {
            walker.fetched.clear(); // of a large value, too
            self.view.give_back(walker);
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
    /// Where in `bytes` the next key begins.
    start: usize,
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
        self.bytes.shrink_to(2 * BYTES_AT_ONCE); // after a large value
        self.ends.clear();
        (self.used, self.start) = (0, 0);
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.reserve(key.len() + value.len());
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_end, self.bytes.len()));
    }

    fn next(&mut self) -> Option<Entry<'_>> {
        let (key_end, value_end) = *self.ends.get(self.used)?;
        let start = std::mem::replace(&mut self.start, value_end);
        self.used += 1;
        Some((&self.bytes[start..key_end], &self.bytes[key_end..value_end]))
    }
}
