//! Letting go of what is old enough, or too much: history, the change feed, and values that have expired.

mod clock;
mod documents;
mod feed_bytes;
mod idle;
mod reaper;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use blaze_core::fault::{self, Point};
use blaze_core::{
    CommitRequest, Durability, Error, ErrorKind, Expiry, Family, Marks, Prefix, Result, Timestamp, Write,
};
use parking_lot::Mutex;

use self::clock::RetentionClock;
use self::documents::Expiring;
use self::idle::NextRun;
use self::reaper::{BATCH_ENTRIES_MAX, Positions, Reaper};
use crate::catalog::{self, Definition, Dropped, prefix, retention_time_key};
use crate::database::core::Core;
use crate::session::Session;

/// The longest time between two runs. Ages are kept to a quarter of themselves, or to this.
const INTERVAL_MS_MAX: u64 = 60 * 1000;

/// The shortest wait for the next value to expire, and of a database that was just opened.
const WAIT_MS_MIN: u64 = 1000;

/// Beyond the shortest age, a clock may have moved on by so much between two runs and is still believed.
const LEAP_MS: u64 = 24 * 60 * 60 * 1000;

/// How far the time that is kept may fall behind the one that is gone by: less than the clock may leap.
const KEPT_TIME_LAG_MS: u64 = LEAP_MS / 2;

/// Entries of expired values that a run in the background looks at, before other databases have their turn.
const BACKGROUND_ENTRIES_MAX: u64 = 64 * BATCH_ENTRIES_MAX;

/// When what is kept is let go of. Commits to what needs it run it, now and then, and a thread where there are none.
#[derive(Debug)]
pub(crate) struct Retention {
    feed_age_ms: u64,
    /// About how much the feed may take, if there is a bound.
    feed_bytes: Option<u64>,
    due_ms: AtomicU64,
    /// How often the catalog has changed so that it matters, and how often it had when the last run looked at it.
    changes: AtomicU64,
    changes_seen: AtomicU64,
    /// True if the last run has found something that needs another.
    is_needed: AtomicBool,
    /// Held during a run.
    state: Mutex<State>,
    next_run: NextRun,
    /// Expired values that were removed.
    reaped: AtomicU64,
    /// Expired documents that were removed.
    reaped_documents: AtomicU64,
}

/// What one run leaves to the next.
#[derive(Debug, Default)]
struct State {
    /// None before the first run.
    clock: Option<RetentionClock>,
    positions: Positions,
}

/// How long the history of a prefix is kept, and since when it goes back.
struct Kept {
    prefix: Prefix,
    age_ms: u64,
    from: Timestamp,
}

/// What the feed tells.
struct Told {
    /// It tells of nothing up to here.
    before: Timestamp,
    /// True if it tells of anything.
    is_any: bool,
}

impl Retention {
    pub(crate) fn new(feed_age_ms: u64, feed_bytes: Option<u64>) -> Retention {
        Retention {
            feed_age_ms,
            feed_bytes,
            due_ms: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            changes_seen: AtomicU64::new(0),
            is_needed: AtomicBool::new(false),
            state: Mutex::default(),
            next_run: NextRun::default(),
            reaped: AtomicU64::new(0),
            reaped_documents: AtomicU64::new(0),
        }
    }

    /// Looks at what the database has when it is opened. If it needs it, `background` is looked after from now on.
    pub(crate) fn begin(&self, core: &Arc<Core>, background: Option<&Arc<Core>>) {
        let definitions = Session::read_only(core).and_then(|session| catalog::definitions(&session));
        // A catalog that is damaged does not keep the database from being opened; whoever reads of it is told.
        let holds = |of: fn(&Definition) -> bool, unknown| {
            definitions.as_ref().map_or(unknown, |all| all.iter().any(|(_, definition)| of(definition)))
        };
        if holds(Definition::expires, true) {
            core.catalog.note_expiring();
        }
        if let Some(background) = background {
            self.next_run.begin(background);
            if holds(Definition::needs_retention, false) || has_feed(core).unwrap_or(false) {
                self.next_run.schedule(Duration::from_millis(WAIT_MS_MIN));
            }
        }
    }

    /// The database is closed.
    pub(crate) fn end(&self) {
        self.next_run.end();
    }

    /// The catalog was changed so that there may be more to let go of.
    pub(crate) fn look_again(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// How many expired values were removed since the database was opened.
    pub(crate) fn reaped(&self) -> u64 {
        self.reaped.load(Ordering::Relaxed)
    }

    /// How many expired documents were removed since the database was opened.
    pub(crate) fn reaped_documents(&self) -> u64 {
        self.reaped_documents.load(Ordering::Relaxed)
    }

    /// Runs if that is due, and if no one else does; a commit that calls waits for a bounded number of removals.
    pub(crate) fn apply_if_due(&self, core: &Arc<Core>) {
        // The commit that called has succeeded, and the next run makes up for this one.
        let _ = self.run_if_due(core, BATCH_ENTRIES_MAX);
    }

    /// Runs now.
    pub(crate) fn apply(&self, core: &Arc<Core>) -> Result<()> {
        self.run(core, &mut self.state.lock(), u64::MAX)
    }

    /// Runs in the background if that is due, and sees to the next time.
    fn look_after(&self, core: &Arc<Core>, at: Instant) {
        if !self.next_run.take(at) {
            return;
        }
        let wait_ms = match self.run_if_due(core, BACKGROUND_ENTRIES_MAX) {
            Err(error) if error.kind() == ErrorKind::Closed => return,
            Err(_) => INTERVAL_MS_MAX, // a full disk has space again, perhaps
            Ok(()) if !self.is_needed.load(Ordering::Acquire) => return,
            Ok(()) => self.due_ms.load(Ordering::Relaxed).saturating_sub(core.clock.now_ms()),
        };
        self.next_run.schedule(Duration::from_millis(wait_ms.clamp(1, INTERVAL_MS_MAX)));
    }

    fn run_if_due(&self, core: &Arc<Core>, entries_max: u64) -> Result<()> {
        if core.clock.now_ms() < self.due_ms.load(Ordering::Relaxed) && !self.has_news() {
            return Ok(());
        }
        while let Some(mut state) = self.state.try_lock() {
            let changes = self.changes.load(Ordering::Acquire);
            if let Err(error) = self.run(core, &mut state, entries_max) {
                // Not again with the very next commit.
                self.due_ms.store(core.clock.now_ms().saturating_add(INTERVAL_MS_MAX), Ordering::Relaxed);
                self.changes_seen.store(changes, Ordering::Release);
                if error.kind() != ErrorKind::Closed {
                    self.next_run.schedule(Duration::from_millis(INTERVAL_MS_MAX));
                }
                return Err(error);
            }
            drop(state);
            // Whoever changed the catalog meanwhile has left the run to this one.
            if !self.has_news() {
                break;
            }
        }
        Ok(())
    }

    fn has_news(&self) -> bool {
        self.changes.load(Ordering::Acquire) != self.changes_seen.load(Ordering::Acquire)
    }

    fn run(&self, core: &Arc<Core>, state: &mut State, entries_max: u64) -> Result<()> {
        let changes = self.changes.load(Ordering::Acquire);
        let now_ms = core.clock.now_ms();
        let marks = core.store.marks()?;
        let session = Session::read_only(core)?;
        let definitions = catalog::definitions(&session)?;
        let kept = histories(&definitions, &marks);
        let shortest_ms = kept.iter().map(|kept| kept.age_ms).chain([self.feed_age_ms]).min().unwrap_or(u64::MAX);
        let expiring: Vec<_> = definitions.iter().filter(|(_, definition)| definition.expires()).collect();
        let kept_ms = kept_time(&session)?.filter(|_| !expiring.is_empty());
        let told_until_ms = match state.clock {
            Some(_) => None,
            None => oldest_told(core, &session, &marks)?
                .map(|oldest| oldest.ms().saturating_add(self.feed_age_ms).saturating_sub(1)),
        };
        let clock = state.clock.get_or_insert_with(|| {
            // Floors were raised by a clock that was believed; what came later may have come from one that is not.
            let by_floors = kept.iter().map(|kept| kept.from.ms().saturating_add(kept.age_ms));
            let by_floors = by_floors.chain(kept_ms).chain(told_until_ms).min();
            RetentionClock::new(session.read_ts().ms().min(by_floors.unwrap_or(u64::MAX)))
        });
        let believed_ms = clock.observe(now_ms, shortest_ms.saturating_add(LEAP_MS));
        let told = self.let_go(core, &session, believed_ms, &kept, &marks)?;
        // Not beyond what the commits to come are after: then no view without a value is from before it expired.
        let until_ms = believed_ms.min(session.read_ms());
        drop(session); // it would keep what is removed from being reclaimed
        let mut wait_ms = INTERVAL_MS_MAX.min(shortest_ms / 4);
        if !expiring.is_empty() && !core.is_read_only() {
            keep_time(core, kept_ms, until_ms)?;
            fault::reached(Point::RetentionTimeKept);
            state.positions.retain(|id, _| expiring.iter().any(|(_, definition)| definition.has_number(*id)));
            let reaper = Reaper::new(core, &mut state.positions, until_ms, entries_max);
            let next_ms = self.reap(reaper, &expiring)?;
            wait_ms = wait_for_expiry(next_ms, until_ms, now_ms).map_or(wait_ms, |wait| wait.min(wait_ms));
        }
        let keeps_names = Dropped::forget(core, told.before)?; // last: damage there does not hold up the reaper
        self.due_ms.store(now_ms.saturating_add(wait_ms), Ordering::Relaxed);
        self.changes_seen.store(changes, Ordering::Release);
        let has_feed = told.is_any || keeps_names;
        let is_needed = has_feed || definitions.iter().any(|(_, definition)| definition.needs_retention());
        self.is_needed.store(is_needed, Ordering::Release);
        if is_needed {
            self.next_run.schedule(Duration::from_millis(wait_ms));
        }
        Ok(())
    }

    /// Lets go of what histories and the feed have from before their time.
    fn let_go(
        &self,
        core: &Arc<Core>,
        session: &Session,
        believed_ms: u64,
        kept: &[Kept],
        marks: &Marks,
    ) -> Result<Told> {
        let floor = |age_ms: u64| Timestamp::from_ms(believed_ms.saturating_sub(age_ms));
        let history = kept.iter().map(|kept| (kept.prefix, floor(kept.age_ms), kept.from));
        let history = history.filter(|(_, floor, from)| floor > from).map(|(prefix, floor, _)| (prefix, floor));
        // Only what is there is let go of, so that a quiet feed costs no commits and its readers do not fall behind.
        let oldest = oldest_told(core, session, marks)?;
        let feed = Some(floor(self.feed_age_ms)).filter(|floor| oldest.is_some_and(|oldest| oldest <= *floor));
        let feed = feed.max(feed_bytes::floor(core, marks.feed_floor(), self.feed_bytes)?);
        let expiry = Expiry { history: history.collect(), feed };
        if !expiry.is_empty() {
            core.store.commit(CommitRequest { expiry, ..CommitRequest::default() })?;
        }
        // Where nothing is told any more, nothing is left to be told of what was dropped so far.
        let gone = oldest.map_or(session.read_ts(), |_| feed.unwrap_or_default().max(marks.feed_floor()));
        Ok(Told { before: gone, is_any: oldest.is_some() })
    }

    /// Removes what has expired, and answers when the first of the rest does.
    fn reap(&self, mut reaper: Reaper<'_>, expiring: &[&(String, Definition)]) -> Result<Option<u64>> {
        let mut result = Ok(());
        for named in expiring {
            // Damage in one of them does not hold up the others.
            if named.1.expiring {
                result = result.and(reaper.reap(&named.0, named.1.id));
            }
            for index in Expiring::of(named) {
                result = result.and(reaper.reap_documents(&index));
            }
        }
        self.reaped.fetch_add(reaper.reaped, Ordering::Relaxed);
        self.reaped_documents.fetch_add(reaper.reaped_documents, Ordering::Relaxed);
        if reaper.reaped + reaper.reaped_documents > 0 {
            let (values, documents) = (reaper.reaped, reaper.reaped_documents);
            tracing::debug!(values, documents, "removed what has expired");
        }
        result.map(|()| reaper.next_ms)
    }
}

/// The first commit that the feed tells of, if it tells of any.
fn oldest_told(core: &Core, session: &Session, marks: &Marks) -> Result<Option<Timestamp>> {
    let oldest = core.store.changes(session.point(), marks.feed_floor())?.next().transpose()?;
    Ok(oldest.map(|row| row.ts))
}

/// True if there is anything in the feed, or a name that is kept for it: it outlives what it tells of.
fn has_feed(core: &Arc<Core>) -> Result<bool> {
    let session = Session::read_only(core)?;
    let oldest = oldest_told(core, &session, &*core.store.marks()?)?;
    Ok(oldest.is_some() || !Dropped::all(&session)?.is_empty())
}

fn histories(definitions: &[(String, Definition)], marks: &Marks) -> Vec<Kept> {
    let kept = |definition: &Definition| {
        let prefix = prefix(definition.id);
        let (age_ms, from) = (definition.history_age_ms()?, marks.history_from(prefix)?);
        Some(Kept { prefix, age_ms, from })
    };
    definitions.iter().filter_map(|(_, definition)| kept(definition)).collect()
}

/// How long to wait for what expires next, if that tells.
fn wait_for_expiry(next_ms: Option<u64>, until_ms: u64, now_ms: u64) -> Option<u64> {
    match next_ms? {
        next_ms if next_ms <= until_ms => Some(1), // there was more than one run may remove
        next_ms if next_ms <= now_ms => None,      // the clock is not believed yet
        next_ms => Some((next_ms - now_ms).max(WAIT_MS_MIN)),
    }
}

/// The time that retention went by, as far as it was kept: a database that is opened under a clock that has jumped ahead
/// must not believe it only because commits already go by it.
fn kept_time(session: &Session) -> Result<Option<u64>> {
    let Some(bytes) = session.get(Family::Data, &retention_time_key())? else { return Ok(None) };
    let bytes = bytes.as_slice().try_into();
    Ok(Some(u64::from_be_bytes(bytes.map_err(|_| Error::corruption("the time of retention is not 8 bytes long"))?)))
}

/// Keeps the time that retention goes by, unless what is kept will do.
fn keep_time(core: &Core, kept_ms: Option<u64>, until_ms: u64) -> Result<()> {
    if kept_ms.is_some_and(|kept_ms| until_ms < kept_ms.saturating_add(KEPT_TIME_LAG_MS)) {
        return Ok(());
    }
    let writes = vec![Write::put(Family::Data, retention_time_key(), until_ms.to_be_bytes())];
    let request = CommitRequest { writes, durability: Durability::Buffered, ..CommitRequest::default() };
    core.store.commit(request).map(drop)
}
