//! The end of the pipeline: groups become durable, many by one sync, and are published in their order.

use std::collections::VecDeque;

use blaze_core::Timestamp;
use blaze_core::fault::{self, Mistake};

use crate::sync::{Condvar, Mutex, MutexGuard};

/// The groups that are written and not yet published.
#[derive(Debug)]
pub(crate) struct Publisher<G> {
    state: Mutex<State<G>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<G> {
    pending: VecDeque<Pending<G>>,
    /// The number of the last group that was written, published, and reached by a sync.
    written: u64,
    published: u64,
    durable: u64,
    /// The last commits of the groups `written` and `durable`.
    written_ts: Timestamp,
    durable_ts: Timestamp,
    is_syncing: bool,
    has_failed: bool,
}

#[derive(Debug)]
struct Pending<G> {
    number: u64,
    needs_sync: bool,
    group: G,
}

/// A sync failed: what is pending stays unknown, and nothing is published any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyncFailed;

/// What the publisher asks of its surroundings.
pub(crate) trait Outlet<G> {
    /// Makes everything written so far durable; false if that fails. Called without a lock, by one thread at a time.
    fn sync(&self) -> bool;

    /// Makes groups visible, which follow each other without a gap. Called under the publisher's lock.
    fn publish(&self, groups: impl Iterator<Item = G>);
}

impl<G> Publisher<G> {
    /// A publisher of a database whose last commit, which is durable, is that of `ts`.
    pub(crate) fn new(ts: Timestamp) -> Publisher<G> {
        let state = State {
            pending: VecDeque::new(),
            written: 0,
            published: 0,
            durable: 0,
            written_ts: ts,
            durable_ts: ts,
            is_syncing: false,
            has_failed: false,
        };
        Publisher { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Whether a group that is written now could not be published at once, and up to which commit all were reached by a
    /// sync.
    pub(crate) fn has_pending_and_durable_ts(&self) -> (bool, Timestamp) {
        let state = self.state.lock();
        (!state.pending.is_empty(), state.durable_ts)
    }

    /// Syncs that are asked for and not done.
    pub(crate) fn pending_syncs(&self) -> usize {
        self.state.lock().pending.iter().filter(|pending| pending.needs_sync).count()
    }

    /// Waits while a sync runs. What is written meanwhile would have to wait for the next one anyway, so whoever is to
    /// write it may as well gather more.
    pub(crate) fn wait_for_sync(&self) {
        let mut state = self.state.lock();
        while state.is_syncing {
            state = self.changed.wait(state);
        }
    }

    /// Takes in a group whose last commit is that of `ts`, in the order in which they were written. Answers nothing if it
    /// was published at once, else what to [wait for](Publisher::wait).
    pub(crate) fn submit(&self, ts: Timestamp, needs_sync: bool, group: G, outlet: &impl Outlet<G>) -> Option<u64> {
        let mut state = self.state.lock();
        state.written += 1;
        state.written_ts = ts;
        let number = state.written;
        // After a failed sync, too: readers could not go on with the view before this group, and it is as safe as those that
        // were published unsynced before.
        if state.pending.is_empty() && !needs_sync {
            state.published = number;
            outlet.publish(std::iter::once(group));
            return None;
        }
        state.pending.push_back(Pending { number, needs_sync, group });
        Some(number)
    }

    /// Waits until a group is published, and does a sync if that is what everybody waits for.
    ///
    /// # Errors
    /// [`SyncFailed`]: the group will never be published.
    pub(crate) fn wait(&self, number: u64, outlet: &impl Outlet<G>) -> Result<(), SyncFailed> {
        self.until(|state| state.published >= number, outlet)
    }

    /// Makes every group that was submitted durable.
    ///
    /// # Errors
    /// [`SyncFailed`], now or before.
    pub(crate) fn sync(&self, outlet: &impl Outlet<G>) -> Result<(), SyncFailed> {
        let written = self.state.lock().written;
        self.until(|state| state.durable >= written, outlet)
    }

    /// Makes every group up to the commit of `ts` durable; does nothing if it is.
    ///
    /// # Errors
    /// [`SyncFailed`], now or before.
    pub(crate) fn sync_up_to(&self, ts: Timestamp, outlet: &impl Outlet<G>) -> Result<(), SyncFailed> {
        self.until(|state| state.durable_ts >= ts.min(state.written_ts), outlet)
    }

    /// Syncs, or waits for the sync of another thread, until `is_reached`.
    fn until(&self, is_reached: impl Fn(&State<G>) -> bool, outlet: &impl Outlet<G>) -> Result<(), SyncFailed> {
        let mut state = self.state.lock();
        loop {
            if is_reached(&state) {
                return Ok(());
            }
            if state.has_failed {
                return Err(SyncFailed);
            }
            state = match state.is_syncing {
                true => self.changed.wait(state),
                false => self.sync_and_publish(state, outlet),
            };
        }
    }

    /// One sync for all groups that are written by now.
    fn sync_and_publish<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<G>>,
        outlet: &impl Outlet<G>,
    ) -> MutexGuard<'a, State<G>> {
        let (reached, reached_ts) = (state.written, state.written_ts);
        state.is_syncing = true;
        if fault::makes(Mistake::PublishedBeforeDurable) {
            state.durable = reached;
            state.publish(outlet);
        }
        drop(state); // groups are written and submitted meanwhile
        let succeeded = outlet.sync();
        let mut state = self.state.lock();
        state.is_syncing = false;
        match succeeded {
            true => {
                (state.durable, state.durable_ts) = (reached, reached_ts);
                state.publish(outlet);
            }
            false => state.has_failed = true,
        }
        self.changed.notify_all();
        state
    }
}

impl<G> State<G> {
    /// Publishes what is durable enough, in order.
    fn publish(&mut self, outlet: &impl Outlet<G>) {
        let is_ready = |pending: &Pending<G>| !pending.needs_sync || pending.number <= self.durable;
        let ready = self.pending.iter().take_while(|pending| is_ready(pending)).count();
        if let Some(last) = ready.checked_sub(1).and_then(|last| self.pending.get(last)) {
            self.published = last.number;
        }
        if ready > 0 {
            outlet.publish(self.pending.drain(..ready).map(|pending| pending.group));
        }
    }
}
