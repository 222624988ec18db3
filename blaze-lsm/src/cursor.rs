//! Cursors, which closing the store can empty under their owner's hands.

use std::sync::Arc;

use blaze_core::{Cursor, Direction, Entry, Family, KeyRange, Result};
use parking_lot::Mutex;

use crate::error;
use crate::ffi::{RawCursor, Snapshot};
use crate::handles::Handles;

/// Where a cursor keeps its iterator; empty once the store is closed.
#[derive(Debug)]
pub(crate) struct CursorSlot(Mutex<Option<RawCursor>>);

impl CursorSlot {
    pub(crate) fn close(&self) {
        self.0.lock().take();
    }
}

/// A walk over a range at a read point.
#[derive(Debug)]
pub(crate) struct LsmCursor {
    slot: Arc<CursorSlot>,
    step: Step,
    // Copies, because the iterator's memory may go with the store while the caller looks at an entry.
    key: Vec<u8>,
    value: Vec<u8>,
}

/// What the next call has to do before it reads an entry.
#[derive(Clone, Copy, Debug)]
enum Step {
    SeekToFirst,
    Stay,
    Advance,
}

impl LsmCursor {
    pub(crate) fn open(
        snapshot: Arc<Snapshot>,
        family: Family,
        range: &KeyRange,
        direction: Direction,
        handles: &Handles,
    ) -> Result<LsmCursor> {
        let visible = range.intersect(&KeyRange::new([0], None)); // the empty key is the store's own
        let raw = RawCursor::new(snapshot, family, &visible, direction);
        let slot = Arc::new(CursorSlot(Mutex::new(Some(raw))));
        handles.add_cursor(&slot)?;
        Ok(LsmCursor { slot, step: Step::SeekToFirst, key: Vec::new(), value: Vec::new() })
    }
}

impl Cursor for LsmCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let mut guard = self.slot.0.lock();
        let raw = guard.as_mut().ok_or_else(error::closed)?;
        match self.step {
            Step::SeekToFirst => raw.seek(None),
            Step::Stay => {}
            Step::Advance => raw.advance(),
        }
        self.step = Step::Advance;
        let Some((key, value)) = raw.entry()? else { return Ok(None) };
        self.key.clear();
        self.key.extend_from_slice(key);
        self.value.clear();
        self.value.extend_from_slice(value);
        Ok(Some((&self.key, &self.value)))
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.slot.0.lock().as_mut().ok_or_else(error::closed)?.seek(Some(key));
        self.step = Step::Stay;
        Ok(())
    }
}
