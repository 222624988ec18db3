//! What all handles of a store share: the open engine, the view of new readers, and every live read point and cursor, so
//! that commits know the oldest transaction and closing can reach them all.
//!
//! A commit only says where it stands. The view of it is made for its first reader, if one comes before the next commit.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use arc_swap::ArcSwapOption;
use blaze_core::{Head, Result, Timestamp};
use parking_lot::Mutex;

use crate::cache::RecordCache;
use crate::cursor::CursorSlot;
use crate::error;
use crate::ffi::Engine;
use crate::read_point::View;

/// What all handles of a store share. No lock of it is held over reading or writing.
#[derive(Debug)]
pub(crate) struct Handles {
    /// None once the store is closed. Whoever loads it keeps it open, so that closing waits for running calls.
    engine: ArcSwapOption<Engine>,
    /// The view of everything published; none until a reader wants it. Changes under the lock of `views`.
    current: ArcSwapOption<View>,
    closed: AtomicBool,
    /// The last commit that is published, and the last of them that wrote to the catalog.
    published_ts: AtomicU64,
    published_catalog_ts: AtomicU64,
    /// No writes up to here are remembered: a transaction cannot begin at an older view.
    floor: AtomicU64,
    views: Mutex<Views>,
    cursors: Mutex<Registry<Vec<Weak<CursorSlot>>>>,
    pub(crate) cache: RecordCache,
}

#[derive(Debug)]
struct Views {
    published: Published,
    /// Whether there is a current one.
    has_current: bool,
    /// All views that live and were published, the oldest first, among some that do not live.
    all: Registry<VecDeque<Weak<View>>>,
    /// Those of groups that are not published yet, and perhaps never will be.
    ahead: Vec<Weak<View>>,
}

/// Where the last published commit stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    pub(crate) head: Head,
    /// How many writes RocksDB had taken by its end.
    pub(crate) sequence: u64,
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
            published_ts: AtomicU64::new(0),
            published_catalog_ts: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            views: Mutex::new(Views {
                published: Published { head: Head { ts: Timestamp::ZERO, catalog_ts: Timestamp::ZERO }, sequence: 0 },
                has_current: false,
                all: Registry::default(),
                ahead: Vec::new(),
            }),
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
    pub(crate) fn current(self: &Arc<Self>) -> Result<Arc<View>> {
        loop {
            let view = self.view()?;
            if view.is_materialized() || view.materialize(&self.engine()?)? {
                return Ok(view);
            }
            // A later group is in RocksDB. It is one that is published as soon as it is written, else this view would
            // have been materialized before: a newer view is there in a moment.
            thread::yield_now();
        }
    }

    /// Reads the view of everything published without a share of it, which spares threads that read at once the turns of its
    /// count.
    pub(crate) fn with_current<R>(self: &Arc<Self>, read: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        let view = self.current.load();
        match view.as_ref().filter(|view| view.is_materialized()) {
            Some(view) => read(view),
            None => read(&*self.current()?),
        }
    }

    /// The view of everything published, which perhaps cannot be read any more.
    pub(crate) fn view(self: &Arc<Self>) -> Result<Arc<View>> {
        match self.current.load_full() {
            Some(view) => Ok(view),
            None => self.make_view(),
        }
    }

    #[inline(never)]
    fn make_view(self: &Arc<Self>) -> Result<Arc<View>> {
        let mut views = self.views.lock();
        self.check_open()?;
        if let Some(view) = self.current.load_full() {
            return Ok(view); // another reader was faster
        }
        let view = View::new(views.published, Arc::clone(self));
        views.add(&view);
        views.has_current = true;
        self.current.store(Some(Arc::clone(&view)));
        Ok(view)
    }

    /// The view of a group that is not published yet.
    pub(crate) fn make_ahead(self: &Arc<Self>, published: Published) -> Arc<View> {
        let view = View::new(published, Arc::clone(self));
        let mut views = self.views.lock();
        views.ahead.retain(|view| view.strong_count() > 0);
        views.ahead.push(Arc::downgrade(&view));
        view
    }

    /// Where everything published stands, for who does not read it. The catalog may be that of a later commit, never that
    /// of an earlier one.
    pub(crate) fn head(&self) -> Result<Head> {
        self.check_open()?;
        let ts = self.published_ts();
        Ok(Head { ts, catalog_ts: Timestamp::from_bits(self.published_catalog_ts.load(Ordering::Acquire)) })
    }

    fn published_ts(&self) -> Timestamp {
        Timestamp::from_bits(self.published_ts.load(Ordering::Acquire))
    }

    /// True if `ts` is that of the view that new readers get.
    pub(crate) fn is_current(&self, ts: Timestamp) -> bool {
        self.published_ts() == ts
    }

    /// The view of everything published, entered as that of a transaction: later writes are remembered for it until
    /// [`View::leave`].
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Arc<View>> {
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

    /// Shows a commit to new readers; in a view, if it was made before.
    pub(crate) fn publish(&self, published: Published, view: Option<Arc<View>>) {
        let mut views = self.views.lock();
        if self.check_open().is_err() {
            return; // nobody would empty the view
        }
        // The view of an earlier commit goes: it would keep what is overwritten from being cleared away. And it goes first, so
        // that whoever sees the new commit does not find an older view.
        let replaced = match std::mem::take(&mut views.has_current) {
            true => self.current.swap(None),
            false => None,
        };
        views.published = published;
        // The catalog first: whoever sees the commit must not take an older catalog for its own.
        self.published_catalog_ts.store(published.head.catalog_ts.to_bits(), Ordering::Release);
        self.published_ts.store(published.head.ts.to_bits(), Ordering::Release);
        if let Some(view) = view {
            views.add(&view);
            views.has_current = true;
            self.current.store(Some(view));
        }
        drop(views);
        drop(replaced); // which may let go of a snapshot
    }

    /// Raises the floor as far as no transaction is older and answers it: what was written up to there can be forgotten.
    pub(crate) fn raise_floor(&self) -> Timestamp {
        let published = self.published_ts();
        self.floor.store(published.to_bits(), Ordering::SeqCst);
        let floor = self.oldest_transaction().map_or(published, |oldest| oldest.min(published));
        self.floor.store(floor.to_bits(), Ordering::SeqCst);
        floor
    }

    /// The view of the oldest transaction that is not over.
    fn oldest_transaction(&self) -> Option<Timestamp> {
        let views = self.views.lock();
        let mut live = views.all.things.iter().filter_map(Weak::upgrade);
        live.find(|view| view.has_transactions()).map(|view| view.timestamp())
    }

    /// The timestamps of the views that anyone holds, the oldest first.
    pub(crate) fn live_views(&self) -> Vec<Timestamp> {
        let views = self.views.lock();
        views.all.things.iter().filter_map(Weak::upgrade).map(|view| view.timestamp()).collect()
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
        let cursors = std::mem::take(&mut self.cursors.lock().things);
        cursors.iter().filter_map(Weak::upgrade).for_each(|cursor| cursor.close());
        let mut registered = self.views.lock();
        let (views, ahead) = (std::mem::take(&mut registered.all.things), std::mem::take(&mut registered.ahead));
        let current = self.current.swap(None);
        drop(registered);
        drop(current);
        views.iter().chain(&ahead).filter_map(Weak::upgrade).for_each(|view| view.close());
        self.engine.swap(None)
    }
}

impl Views {
    fn add(&mut self, view: &Arc<View>) {
        let views = &mut self.all;
        while views.things.front().is_some_and(|view| view.strong_count() == 0) {
            views.things.pop_front();
        }
        if views.things.len() >= views.sweep_at {
            views.things.retain(|view| view.strong_count() > 0);
            views.sweep_at = 8 + 2 * views.things.len();
        }
        views.things.push_back(Arc::downgrade(view));
    }
}
