//! What commits leave behind: undo records in the history, rows in the change feed, and the marks that say from when on
//! both can tell.

mod filter;
mod follow;
mod overlay;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use blaze_core::{ChangeSignal, Expiry, Family, Marks, Prefix, Result, Timestamp, Write};
use parking_lot::Mutex;

pub(crate) use filter::{DropFloors, ExpiredFilterFactory};
pub(crate) use overlay::{Latest, Overlay};

use crate::ffi::Engine;

/// Where the feed family keeps the marks. Nobody else can write or see the empty key, and the history's filter, which
/// sees all keys of its family, never meets it.
const MARKS_KEY: &[u8] = b"";

/// The state behind history and change feed. Its lock is held for moments only, never over I/O.
#[derive(Debug)]
pub(crate) struct Trail {
    state: Mutex<State>,
    /// What the compaction filter goes by: floors that are durable and that no reader is below.
    drop_floors: Arc<DropFloors>,
    signal: ChangeSignal,
}

#[derive(Debug)]
struct State {
    /// As of the last commit that was followed; readers refuse by them before the floors are durable.
    marks: Arc<Marks>,
    /// How many read as of each timestamp.
    readers: BTreeMap<Timestamp, usize>,
}

impl Trail {
    /// Goes on with the marks that the database has.
    pub(crate) fn open(engine: &Engine, drop_floors: Arc<DropFloors>) -> Result<Arc<Trail>> {
        let bytes = engine.latest(Family::Feed, MARKS_KEY)?;
        let marks = bytes.map(|bytes| Marks::from_bytes(&bytes)).transpose()?.unwrap_or_default();
        Ok(Arc::new(Trail::new(marks, drop_floors)))
    }

    fn new(marks: Marks, drop_floors: Arc<DropFloors>) -> Trail {
        drop_floors.set(marks.histories().collect());
        let state = State { marks: Arc::new(marks), readers: BTreeMap::new() };
        Trail { state: Mutex::new(state), drop_floors, signal: ChangeSignal::default() }
    }

    pub(crate) fn marks(&self) -> Arc<Marks> {
        Arc::clone(&self.state.lock().marks)
    }

    /// Registers a reader as of the timestamp that `choose` takes by the marks: from here on, and until the reader is
    /// dropped, nothing is dropped that it may need.
    pub(crate) fn register(
        self: &Arc<Trail>,
        choose: impl FnOnce(&Marks) -> Result<Timestamp>,
    ) -> Result<(Arc<Marks>, Reader)> {
        let mut state = self.state.lock();
        let ts = choose(&state.marks)?;
        *state.readers.entry(ts).or_default() += 1;
        Ok((Arc::clone(&state.marks), Reader { ts, trail: Arc::clone(self) }))
    }

    /// Lets the compaction filter go by floors that the commit at `ts` has made durable.
    pub(crate) fn use_floors(&self, expiry: &Expiry, ts: Timestamp) {
        let state = self.state.lock();
        let oldest = state.readers.keys().next().copied().unwrap_or(Timestamp::MAX);
        let raised = |prefix: Prefix| {
            let asked = expiry.history.iter().filter(|(of, _)| *of == prefix).map(|(_, floor)| *floor).max();
            asked.unwrap_or_default().min(ts).min(oldest)
        };
        let old = self.drop_floors.get();
        let floors = state.marks.histories().map(|(prefix, _)| (prefix, old.of(prefix).max(raised(prefix))));
        self.drop_floors.set(floors.collect());
    }

    /// Wakes those who wait for changes of these prefixes. The commit must be visible already.
    pub(crate) fn announce(&self, ts: Timestamp, prefixes: &[Prefix]) {
        self.signal.announce(ts, prefixes);
    }

    pub(crate) fn wait(&self, after: Timestamp, prefix: Option<Prefix>, timeout: Duration) -> Result<bool> {
        self.signal.wait(after, prefix, timeout)
    }

    /// Wakes everyone who waits, for good.
    pub(crate) fn close(&self) {
        self.signal.close();
    }
}

/// The write that keeps the marks.
fn put_marks(marks: &Marks) -> Write {
    Write::put(Family::Feed, MARKS_KEY, marks.to_bytes())
}

/// One who reads as of a timestamp.
#[derive(Debug)]
pub(crate) struct Reader {
    ts: Timestamp,
    trail: Arc<Trail>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let readers = &mut self.trail.state.lock().readers;
        match readers.get_mut(&self.ts) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(readers.remove(&self.ts)),
        }
    }
}
