//! Every live read point and cursor, so that commits know the oldest reader and closing can reach them all.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use blaze_core::{ReadPoint as _, Result, Timestamp};
use parking_lot::Mutex;

use crate::cursor::CursorSlot;
use crate::error;
use crate::read_point::View;

/// The live handles of a store. Its lock is held for moments only, never over I/O, and no handle is dropped under it:
/// dropping one takes it.
#[derive(Debug, Default)]
pub(crate) struct Handles(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The view of new readers; none before the store is open and after it is closed.
    current: Option<Arc<View>>,
    /// All views by timestamp; there is one for each commit at most.
    views: BTreeMap<Timestamp, Weak<View>>,
    cursors: Vec<Weak<CursorSlot>>,
    /// The length of `cursors` at which the dead are swept out, twice the number of those that lived last time.
    sweep_at: usize,
}

impl Handles {
    /// The view of everything committed.
    pub(crate) fn current(&self) -> Result<Arc<View>> {
        self.0.lock().current.clone().ok_or_else(error::closed)
    }

    /// Gives new readers `view` and answers the timestamp of the oldest view that anyone still holds.
    pub(crate) fn publish(&self, view: Arc<View>) -> Timestamp {
        let ts = view.ts();
        let previous = {
            let mut state = self.0.lock();
            state.views.insert(ts, Arc::downgrade(&view));
            state.current.replace(view)
        };
        drop(previous); // if nobody else holds it, it removes itself from the views
        self.0.lock().views.keys().next().copied().unwrap_or(ts)
    }

    /// Forgets a view that is being dropped.
    pub(crate) fn remove_view(&self, ts: Timestamp) {
        self.0.lock().views.remove(&ts);
    }

    /// Takes in a new cursor, unless the store was closed meanwhile.
    pub(crate) fn add_cursor(&self, cursor: &Arc<CursorSlot>) -> Result<()> {
        let mut state = self.0.lock();
        if state.current.is_none() {
            return Err(error::closed());
        }
        if state.cursors.len() >= state.sweep_at {
            state.cursors.retain(|cursor| cursor.strong_count() > 0);
            state.sweep_at = 64.max(2 * state.cursors.len());
        }
        state.cursors.push(Arc::downgrade(cursor));
        Ok(())
    }

    /// Takes RocksDB's objects out of every handle, waiting for calls that are running.
    pub(crate) fn close(&self) {
        let State { current, views, cursors, .. } = std::mem::take(&mut *self.0.lock());
        drop(current);
        // Cursors can be born from views until those are closed, but are refused above since `current` is gone.
        cursors.iter().filter_map(Weak::upgrade).for_each(|cursor| cursor.close());
        views.values().filter_map(Weak::upgrade).for_each(|view| view.close());
    }
}
