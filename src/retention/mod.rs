//! Letting go of history and of the change feed when they are old enough, and of a feed that takes too much.

mod clock;
mod feed_bytes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze_core::{CommitRequest, Expiry, Prefix, Result, Timestamp};
use parking_lot::Mutex;

use self::clock::RetentionClock;
use crate::catalog::{self, Dropped, prefix};
use crate::database::core::Core;
use crate::session::Session;

/// The longest time between two runs. Ages are kept to a quarter of themselves, or to this.
const INTERVAL_MS_MAX: u64 = 60 * 1000;

/// Beyond the shortest age, a clock may have moved on by so much between two runs and is still believed.
const LEAP_MS: u64 = 24 * 60 * 60 * 1000;

/// When what is kept is let go of. Commits that leave history or feed behind run it, now and then.
#[derive(Debug)]
pub(crate) struct Retention {
    feed_age_ms: u64,
    /// About how much the feed may take, if there is a bound.
    feed_bytes: Option<u64>,
    due_ms: AtomicU64,
    /// Held during a run. Empty before the first.
    clock: Mutex<Option<RetentionClock>>,
}

/// How long the history of a prefix is kept, and since when it goes back.
struct Kept {
    prefix: Prefix,
    age_ms: u64,
    from: Timestamp,
}

impl Retention {
    pub(crate) fn new(feed_age_ms: u64, feed_bytes: Option<u64>) -> Retention {
        Retention { feed_age_ms, feed_bytes, due_ms: AtomicU64::new(0), clock: Mutex::new(None) }
    }

    /// Runs if that is due, and if no one else does.
    pub(crate) fn apply_if_due(&self, core: &Arc<Core>) {
        if core.clock.now_ms() < self.due_ms.load(Ordering::Relaxed) {
            return;
        }
        if let Some(mut clock) = self.clock.try_lock() {
            // The commit that called has succeeded, and the next run makes up for this one.
            let _ = self.run(core, &mut clock);
        }
    }

    /// Runs now.
    pub(crate) fn apply(&self, core: &Arc<Core>) -> Result<()> {
        self.run(core, &mut self.clock.lock())
    }

    fn run(&self, core: &Arc<Core>, clock: &mut Option<RetentionClock>) -> Result<()> {
        let now_ms = core.clock.now_ms();
        let marks = core.store.marks()?;
        let session = Session::read_only(core)?;
        let mut kept = Vec::new();
        for (_, definition) in catalog::definitions(&session)? {
            let prefix = prefix(definition.id);
            if let (Some(age_ms), Some(from)) = (definition.history_age_ms(), marks.history_from(prefix)) {
                kept.push(Kept { prefix, age_ms, from });
            }
        }
        let shortest_ms = kept.iter().map(|kept| kept.age_ms).chain([self.feed_age_ms]).min().unwrap_or(u64::MAX);
        let clock = clock.get_or_insert_with(|| {
            // Floors were raised by a clock that was believed; what came later may have come from one that is not.
            let by_floors = kept.iter().map(|kept| kept.from.ms().saturating_add(kept.age_ms)).min();
            RetentionClock::new(session.read_ts().ms().min(by_floors.unwrap_or(u64::MAX)))
        });
        let believed_ms = clock.observe(now_ms, shortest_ms.saturating_add(LEAP_MS));
        let floor = |age_ms: u64| Timestamp::from_ms(believed_ms.saturating_sub(age_ms));
        let history = kept.iter().map(|kept| (kept.prefix, floor(kept.age_ms), kept.from));
        let history = history.filter(|(_, floor, from)| floor > from).map(|(prefix, floor, _)| (prefix, floor));
        // Only what is there is let go of, so that a quiet feed costs no commits and its readers do not fall behind.
        let oldest = core.store.changes(session.point(), marks.feed_floor())?.next().transpose()?;
        let feed = Some(floor(self.feed_age_ms)).filter(|floor| oldest.is_some_and(|row| row.ts <= *floor));
        let feed = feed.max(feed_bytes::floor(core, marks.feed_floor(), self.feed_bytes)?);
        let expiry = Expiry { history: history.collect(), feed };
        if !expiry.is_empty() {
            core.store.commit(CommitRequest { expiry, ..CommitRequest::default() })?;
        }
        feed.map_or(Ok(()), |floor| Dropped::forget(core, floor))?;
        self.due_ms.store(now_ms.saturating_add(INTERVAL_MS_MAX.min(shortest_ms / 4)), Ordering::Relaxed);
        Ok(())
    }
}
