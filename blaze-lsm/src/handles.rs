//! What all handles of a store share: the open engine, the view of new readers, and every live read point and cursor, so
//! that commits know the oldest transaction and closing can reach them all.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use arc_swap::{ArcSwapOption, Guard};
use blaze_core::{Result, Timestamp};
use parking_lot::Mutex;

use crate::cache::RecordCache;
use crate::cursor::CursorSlot;
use crate::error;
use crate::ffi::Engine;
use crate::read_point::View;

/// What all handles of a store share. No lock of it is held over I/O.
#[derive(Debug)]
pub(crate) struct Handles {
    /// None once the store is closed. Whoever loads it keeps it open, so that closing waits for running calls.
    engine: ArcSwapOption<Engine>,
    /// The view of everything published; none before the store is open and after it is closed.
    current: ArcSwapOption<View>,
    closed: AtomicBool,
    /// No writes up to here are remembered: a transaction cannot begin at an older view.
    floor: AtomicU64,
    /// All views that live, the oldest first, among some that do not.
    views: Mutex<Registry<VecDeque<Weak<View>>>>,
    cursors: Mutex<Registry<Vec<Weak<CursorSlot>>>>,
    pub(crate) cache: RecordCache,
}

/// Things that live and die, and the length at which the dead are swept out: twice the number of those that lived last
/// time, so that a sweep costs as much as the additions before it.
#[derive(Debug, Default)]
struct Registry<T> {
    things: T,
    sweep_at: usize,
}

impl Handles {
    pub(crate) fn new(engine: Arc<Engine>, cache: RecordCache) -> Handles {
        Handles {
            engine: ArcSwapOption::new(Some(engine)),
            current: ArcSwapOption::empty(),
            closed: AtomicBool::new(false),
            floor: AtomicU64::new(0),
            views: Mutex::default(),
            cursors: Mutex::default(),
            cache,
        }
    }

    /// The engine, which stays open for as long as the answer lives.
    pub(crate) fn engine(&self) -> Result<Arc<Engine>> {
        self.engine.load_full().ok_or_else(error::closed)
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        match self.closed.load(Ordering::Relaxed) {
            true => Err(error::closed()),
            false => Ok(()),
        }
    }

    /// The view of everything published, to be read.
    pub(crate) fn current(&self) -> Result<Arc<View>> {
        loop {
            let view = self.current.load_full().ok_or_else(error::closed)?;
            if view.is_materialized() || view.materialize(&self.engine()?)? {
                return Ok(view);
            }
            // A later group is in RocksDB. It is one that is published as soon as it is written, else this view would
            // have been materialized before: a newer view is there in a moment.
            thread::yield_now();
        }
    }

    /// The view of everything published, without a claim to read it.
    pub(crate) fn peek(&self) -> Guard<Option<Arc<View>>> {
        self.current.load()
    }

    /// The view of everything published, entered as that of a transaction: later writes are remembered for it until
    /// [`View::leave`].
    pub(crate) fn enter(&self) -> Result<Arc<View>> {
        loop {
            let view = self.current()?;
            view.enter();
            // Either the next commit sees this transaction, or this sees the floor that the commit has raised.
            if self.floor.load(Ordering::SeqCst) <= view.timestamp().to_bits() {
                return Ok(view);
            }
            view.leave(); // a newer view is current by now: the floor is never above it
        }
    }

    /// Gives new readers `view`.
    pub(crate) fn publish(&self, view: Arc<View>) {
        let mut views = self.views.lock();
        while views.things.front().is_some_and(|view| view.strong_count() == 0) {
            views.things.pop_front();
        }
        if views.things.len() >= views.sweep_at {
            views.things.retain(|view| view.strong_count() > 0);
            views.sweep_at = 8 + 2 * views.things.len();
        }
        views.things.push_back(Arc::downgrade(&view));
        drop(views);
        self.current.store(Some(view));
    }

    /// Raises the floor as far as no transaction is older and answers it: what was written up to there can be forgotten.
    pub(crate) fn raise_floor(&self) -> Timestamp {
        let published = self.current.load().as_ref().map_or(Timestamp::ZERO, |view| view.timestamp());
        self.floor.store(published.to_bits(), Ordering::SeqCst);
        let floor = self.oldest_transaction().map_or(published, |oldest| oldest.min(published));
        self.floor.store(floor.to_bits(), Ordering::SeqCst);
        floor
    }

    /// The view of the oldest transaction that is not over.
    fn oldest_transaction(&self) -> Option<Timestamp> {
        let views = self.views.lock();
        let mut live = views.things.iter().filter_map(Weak::upgrade);
        live.find(|view| view.has_transactions()).map(|view| view.timestamp())
    }

    /// The timestamps of the views that anyone holds, the oldest first.
    pub(crate) fn live_views(&self) -> Vec<Timestamp> {
        let views = self.views.lock();
        views.things.iter().filter_map(Weak::upgrade).map(|view| view.timestamp()).collect()
    }

    /// Takes in a new cursor, unless the store was closed meanwhile.
    pub(crate) fn add_cursor(&self, cursor: &Arc<CursorSlot>) -> Result<()> {
        let mut cursors = self.cursors.lock();
        self.check_open()?;
        if cursors.things.len() >= cursors.sweep_at {
            cursors.things.retain(|cursor| cursor.strong_count() > 0);
            cursors.sweep_at = 64.max(2 * cursors.things.len());
        }
        cursors.things.push(Arc::downgrade(cursor));
        Ok(())
    }

    /// Lets go of what the current view holds of RocksDB only to be faster next time: files that are in use stay on
    /// the disk.
    pub(crate) fn release_idle(&self) {
        if let Some(view) = &*self.current.load() {
            view.release_idle();
        }
    }

    /// Takes RocksDB's objects out of every handle and answers the engine, which running calls may still hold; nothing
    /// if it was closed before.
    pub(crate) fn close(&self) -> Option<Arc<Engine>> {
        self.closed.store(true, Ordering::SeqCst);
        self.current.store(None);
        let cursors = std::mem::take(&mut self.cursors.lock().things);
        cursors.iter().filter_map(Weak::upgrade).for_each(|cursor| cursor.close());
        let views = std::mem::take(&mut self.views.lock().things);
        views.iter().filter_map(Weak::upgrade).for_each(|view| view.close());
        self.engine.swap(None)
    }
}
