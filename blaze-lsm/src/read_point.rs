//! Read points: the views of published commits, shared by all their readers.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use blaze_core::{Cursor, Direction, Family, Head, KeyRange, ReadPoint, Result, Timestamp, VisitMany, prefix_of_range};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::cursor::LsmCursor;
use crate::error;
use crate::ffi::{Engine, RawIterator, Snapshot};
use crate::handles::Handles;

/// Keys that are read at once: enough to overlap their work, few enough to hold their values in memory.
const KEYS_PER_READ: usize = 128;

/// Iterators that a view keeps for the next cursor.
const IDLE_ITERATORS_MAX: usize = 4;

/// The view of all commits up to one timestamp.
///
/// Its RocksDB snapshot is taken for its first reader: most views of a busy writer have none, and a snapshot costs two
/// turns of the lock of the whole database.
pub(crate) struct View {
    ts: Timestamp,
    catalog_ts: Timestamp,
    /// How many writes RocksDB had taken by the end of the last commit: a snapshot with this number is the right one.
    sequence: u64,
    /// Empty before the first reader, and once the store is closed. Held for reading while the snapshot is used, so that
    /// closing waits for it. (An `ArcSwapOption` would be read with less ado, but to make and to drop one takes longer
    /// than all else about a view that nobody reads: it looks through the slots of all threads. 2026-11-21)
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    /// Whether there is, or was, a snapshot.
    is_materialized: AtomicBool,
    /// Making an iterator takes as long as moving one.
    idle: Mutex<Vec<RawIterator>>,
    /// Transactions that began here and are not over.
    transactions: AtomicUsize,
    handles: Arc<Handles>,
    /// For cursors, which hold their view.
    this: Weak<View>,
}

impl View {
    pub(crate) fn new(ts: Timestamp, catalog_ts: Timestamp, sequence: u64, handles: Arc<Handles>) -> Arc<View> {
        Arc::new_cyclic(|this| View {
            ts,
            catalog_ts,
            sequence,
            snapshot: RwLock::new(None),
            is_materialized: AtomicBool::new(false),
            idle: Mutex::default(),
            transactions: AtomicUsize::new(0),
            handles,
            this: this.clone(),
        })
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        self.ts
    }

    pub(crate) fn head(&self) -> Head {
        Head { ts: self.ts, catalog_ts: self.catalog_ts }
    }

    pub(crate) fn enter(&self) {
        self.transactions.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn leave(&self) {
        self.transactions.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn has_transactions(&self) -> bool {
        self.transactions.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn is_materialized(&self) -> bool {
        self.is_materialized.load(Ordering::Acquire)
    }

    /// Sees to it that the view can be read from now on; false if RocksDB has taken writes since, so that it cannot. Who
    /// keeps other writes out while it is the last written one is always told true.
    pub(crate) fn materialize(&self, engine: &Arc<Engine>) -> Result<bool> {
        if self.is_materialized() {
            return Ok(true);
        }
        let snapshot = Snapshot::take(engine);
        let is_right = snapshot.sequence() == self.sequence;
        if is_right {
            self.install(snapshot)?;
        }
        Ok(is_right)
    }

    /// After a failed write, of which nobody knows how much RocksDB took: readers go on with what it shows now.
    pub(crate) fn materialize_anyway(&self, engine: &Arc<Engine>) -> Result<()> {
        if self.materialize(engine)? {
            return Ok(());
        }
        self.install(Snapshot::take(engine))
    }

    fn install(&self, snapshot: Snapshot) -> Result<()> {
        let mut place = self.snapshot.write();
        // Closing first says that it does and then empties every view.
        self.handles.check_open()?;
        place.get_or_insert_with(|| Arc::new(snapshot));
        self.is_materialized.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn close(&self) {
        self.snapshot.write().take();
        self.idle.lock().clear();
    }

    pub(crate) fn release_idle(&self) {
        self.idle.lock().clear();
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("ts", &self.ts).field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

impl View {
    /// An iterator of the view over at least `range`, which stands anywhere.
    pub(crate) fn iterator(&self, family: Family, range: &KeyRange) -> Result<RawIterator> {
        let snapshot = self.snapshot.read_recursive();
        let snapshot = snapshot.as_ref().ok_or_else(error::closed)?;
        let range = surroundings(range);
        let mut idle = self.idle.lock();
        let fits = |iterator: &RawIterator| iterator.family() == family && *iterator.range() == range;
        match idle.iter().position(fits) {
            Some(position) => Ok(idle.swap_remove(position)),
            None => Ok(RawIterator::new(Arc::clone(snapshot), family, range)),
        }
    }

    /// Keeps an iterator of this view for the next cursor, unless there are enough, or this view is not the current one.
    pub(crate) fn give_back(&self, iterator: RawIterator) {
        let is_current = self.handles.peek().as_ref().is_some_and(|current| current.ts == self.ts);
        let mut idle = self.idle.lock();
        if is_current && idle.len() < IDLE_ITERATORS_MAX {
            idle.push(iterator);
            drop(idle);
            if self.handles.check_open().is_err() {
                self.release_idle(); // closing has passed here before the iterator came
            }
        }
    }
}

/// The range that iterators are made for: the whole collection or index, so that they can be used again.
fn surroundings(range: &KeyRange) -> KeyRange {
    match prefix_of_range(range) {
        Some(prefix) => KeyRange::prefix(&prefix),
        None => KeyRange::new([0], None), // the empty key is the store's own
    }
}

impl ReadPoint for View {
    fn ts(&self) -> Timestamp {
        self.ts
    }

    fn catalog_ts(&self) -> Timestamp {
        self.catalog_ts
    }

    fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        if key.is_empty() {
            return self.handles.check_open().map(|()| false); // the empty key is the store's own
        }
        // Recursively: a visitor may read at the same read point while another thread waits to close it.
        let snapshot =
            || RwLockReadGuard::try_map(self.snapshot.read_recursive(), Option::as_ref).map_err(|_| error::closed());
        if family != Family::Data {
            return snapshot()?.visit(family, key, visit);
        }
        let cache = &self.handles.cache;
        if let Some(value) = cache.get(key, self.ts) {
            self.handles.check_open()?;
            return visit(value.bytes()).map(|()| true);
        }
        snapshot()?.visit(family, key, &mut |value| {
            cache.offer(key, value, self.ts);
            visit(value)
        })
    }

    fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        let guard = self.snapshot.read_recursive();
        let snapshot = guard.as_ref().ok_or_else(error::closed)?;
        for (chunk, keys) in keys.chunks(KEYS_PER_READ).enumerate() {
            snapshot.visit_many(family, keys, &mut |position, value| {
                let value = value.filter(|_| !keys[position].is_empty());
                visit(chunk * KEYS_PER_READ + position, value)
            })?;
        }
        Ok(())
    }

    fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        let view = self.this.upgrade().ok_or_else(error::closed)?; // it lives: `self` is borrowed from an `Arc`
        Ok(Box::new(LsmCursor::open(view, family, range, direction, &self.handles)?))
    }
}

/// The read point of a transaction: while it lives, later writes are remembered.
#[derive(Debug)]
pub(crate) struct TransactionPoint(Arc<View>);

impl TransactionPoint {
    /// The read point of a transaction that has [entered](Handles::enter) `view`.
    pub(crate) fn new(view: Arc<View>) -> TransactionPoint {
        TransactionPoint(view)
    }
}

impl Drop for TransactionPoint {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl ReadPoint for TransactionPoint {
    fn ts(&self) -> Timestamp {
        self.0.ts()
    }

    fn catalog_ts(&self) -> Timestamp {
        self.0.catalog_ts()
    }

    fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        self.0.visit(family, key, visit)
    }

    fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        self.0.visit_many(family, keys, visit)
    }

    fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        self.0.cursor(family, range, direction)
    }
}
