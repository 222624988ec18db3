//! Read points: one RocksDB snapshot for each commit, shared by all its readers.

use std::sync::Arc;

use blaze_core::{Cursor, Direction, Family, KeyRange, ReadPoint, Result, Timestamp, VisitMany};
use parking_lot::RwLock;

use crate::cursor::LsmCursor;
use crate::error;
use crate::ffi::Snapshot;
use crate::handles::Handles;

/// Keys that are read at once: enough to overlap their work, few enough to hold their values in memory.
const KEYS_PER_READ: usize = 128;

/// The view of all commits up to one timestamp.
#[derive(Debug)]
pub(crate) struct View {
    ts: Timestamp,
    catalog_ts: Timestamp,
    /// Empty once the store is closed. Held for reading while the snapshot is used, so that closing waits for it.
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    handles: Arc<Handles>,
}

impl View {
    pub(crate) fn new(ts: Timestamp, catalog_ts: Timestamp, snapshot: Snapshot, handles: Arc<Handles>) -> Arc<View> {
        Arc::new(View { ts, catalog_ts, snapshot: RwLock::new(Some(Arc::new(snapshot))), handles })
    }

    pub(crate) fn close(&self) {
        self.snapshot.write().take();
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.handles.remove_view(self.ts);
    }
}

// The lock is taken recursively: a visitor may read at the same read point while another thread waits to close it.
impl ReadPoint for View {
    fn ts(&self) -> Timestamp {
        self.ts
    }

    fn catalog_ts(&self) -> Timestamp {
        self.catalog_ts
    }

    fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let guard = self.snapshot.read_recursive();
        let snapshot = guard.as_ref().ok_or_else(error::closed)?;
        match snapshot.get(family, key)? {
            Some(value) if !key.is_empty() => visit(&value).map(|()| true), // the empty key is the store's own
            _ => Ok(false),
        }
    }

    fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        let guard = self.snapshot.read_recursive();
        let snapshot = guard.as_ref().ok_or_else(error::closed)?;
        let mut position = 0;
        for keys in keys.chunks(KEYS_PER_READ) {
            for (key, value) in keys.iter().zip(snapshot.get_many(family, keys)) {
                visit(position, value?.as_deref().filter(|_| !key.is_empty()))?;
                position += 1;
            }
        }
        Ok(())
    }

    fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        let guard = self.snapshot.read_recursive();
        let snapshot = guard.as_ref().ok_or_else(error::closed)?;
        Ok(Box::new(LsmCursor::open(Arc::clone(snapshot), family, range, direction, &self.handles)?))
    }
}
