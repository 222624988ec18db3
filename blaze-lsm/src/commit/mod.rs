//! The commit pipeline: requests are prepared by their threads, queue up in groups, are written by the leader of a group,
//! become durable by a sync that many groups share, and are published in their order.

pub(crate) mod batch;
mod prepared;
mod publisher;
mod queue;
mod slow;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::{Clock, CommitRequest, Durability, Error, ErrorKind, Family, Prefix, Result, Timestamp};
use parking_lot::{Mutex, MutexGuard};

use self::batch::FamilyNumbers;
use self::prepared::Prepared;
use self::publisher::{Outlet, Publisher};
use self::queue::{Group, Queue};
pub(crate) use self::slow::SlowCommits;
use self::slow::Watch;
pub(crate) use self::writer::{CEILING_KEY, Tally};
use self::writer::{Outcomes, Writer};
use crate::disk_space::DiskSpace;
use crate::ffi::Engine;
use crate::handles::{Handles, Published};
use crate::interval::NextSync;
use crate::metrics::{Metrics, Stopwatch};
use crate::read_point::View;
use crate::stats::CommitStats;
use crate::trail::Trail;

/// Bytes of a group from which it is written while another one is being synced, instead of waiting for more requests:
/// the work is then worth overlapping.
const OVERLAP_BYTES: usize = 256 * 1024;

/// How often a thread lets others run before it goes to sleep, while it waits for what takes no sync.
///
/// (2026-11-21, four threads on two cores that commit 24 + 150 bytes each, buffered: with 16, 15 µs a commit; each on its own,
/// behind a lock that parks, 14 µs.)
const YIELDS_MAX: usize = 200;

/// The way of every commit into a store.
#[derive(Debug)]
pub(crate) struct Pipeline {
    handles: Arc<Handles>,
    trail: Arc<Trail>,
    families: FamilyNumbers,
    queue: Queue<Prepared, Result<Timestamp>>,
    /// Whose turn it is to write.
    writer: Mutex<Writer>,
    publisher: Publisher<Written>,
    /// The sync that commits with [`Durability::Interval`] wait for without waiting.
    next_sync: NextSync,
    slow: SlowCommits,
    metrics: Arc<Metrics>,
}

/// A group that is in RocksDB and not yet visible.
#[derive(Debug)]
struct Written {
    published: Published,
    /// Made before, if others may be written before it is visible.
    view: Option<Arc<View>>,
    fed: Fed,
    /// Those who wait, and what to tell them; none if the thread that wrote is the only one.
    group: Option<(Arc<Group<Result<Timestamp>>>, Outcomes)>,
}

/// What a leader has done.
struct Turn {
    outcomes: Outcomes,
    /// What was written; none if all requests were refused.
    last: Option<LastBatch>,
    fed: Fed,
}

/// What was written last in a turn.
struct LastBatch {
    published: Published,
    view: Option<Arc<View>>,
    /// Whether the turn must be synced before it is seen.
    needs_sync: bool,
}

/// The commits that have written to the change feed, and under which prefixes.
type Fed = Vec<(Timestamp, Vec<Prefix>)>;

impl Pipeline {
    /// A pipeline that goes on after the last commit of the database, wherever the clock is now.
    pub(crate) fn open(
        engine: &Arc<Engine>,
        handles: &Arc<Handles>,
        clock: Arc<dyn Clock>,
        disk_space: DiskSpace,
        trail: Arc<Trail>,
        slow: SlowCommits,
        metrics: Arc<Metrics>,
    ) -> Result<Pipeline> {
        let families = Family::ALL.map(|family| engine.family_number(family));
        let writer = Writer::open(engine, handles, families, clock, disk_space, Arc::clone(&trail))?;
        let publisher = Publisher::new(handles.head()?.ts);
        Ok(Pipeline {
            handles: Arc::clone(handles),
            trail,
            families,
            queue: Queue::new(),
            writer: Mutex::new(writer),
            publisher,
            next_sync: NextSync::default(),
            slow,
            metrics,
        })
    }

    /// Commits a request that has writes, each of them [valid](blaze_core::Write::validate).
    pub(crate) fn commit(self: &Arc<Self>, engine: &Arc<Engine>, request: CommitRequest) -> Result<Timestamp> {
        let durability = request.durability;
        let time = Stopwatch::start();
        let committed = self.commit_in_turn(engine, request)?;
        self.metrics.committed(time);
        if let Durability::Interval(interval) = durability {
            self.next_sync.schedule(self, interval);
        }
        Ok(committed)
    }

    fn commit_in_turn(&self, engine: &Arc<Engine>, request: CommitRequest) -> Result<Timestamp> {
        let timeout = request.timeout;
        let prepared = Prepared::new(request, &self.families);
        if let Some(timeout) = timeout {
            let watch = self.slow.watch();
            let writer = self.turn_within(engine, timeout)?;
            return self.commit_alone(engine, watch, writer, prepared);
        }
        if self.queue.is_empty()
            && let Some(writer) = self.writer.try_lock()
        {
            return self.commit_alone(engine, self.slow.watch(), writer, prepared);
        }
        let yields = if prepared.request.durability == Durability::Sync { 0 } else { YIELDS_MAX };
        let bytes = prepared.bytes();
        let place = self.queue.join(prepared, bytes);
        if let Some(group) = place.led() {
            self.lead(engine, group);
        }
        place.wait(yields).unwrap_or_else(|| Err(Error::internal("a commit was left out of its group")))
    }

    /// The turn to write, without parking at first: what is being written takes less time than it takes to wake a thread.
    fn turn(&self) -> MutexGuard<'_, Writer> {
        for _ in 0..YIELDS_MAX {
            if let Some(writer) = self.writer.try_lock() {
                return writer;
            }
            thread::yield_now();
        }
        self.writer.lock()
    }

    /// The turn to write, if it comes in time and RocksDB takes writes by then. It is not waited for in a group, which
    /// nobody can leave.
    fn turn_within(&self, engine: &Engine, timeout: Duration) -> Result<MutexGuard<'_, Writer>> {
        const POLL: Duration = Duration::from_millis(1);
        let late = || {
            let waited_ms = timeout.as_millis();
            Error::unavailable(format!("the commit was not admitted within {waited_ms} ms: nothing of it is written"))
        };
        let writer = self.writer.try_lock_for(timeout).ok_or_else(late)?;
        let mut left = timeout;
        while engine.writes_are_stopped() {
            left = left.checked_sub(POLL).ok_or_else(late)?;
            thread::park_timeout(POLL);
        }
        Ok(writer)
    }

    /// Gives requests to the writer.
    fn write(&self, engine: &Arc<Engine>, watch: &mut Watch<'_>, writer: &mut Writer, requests: Vec<Prepared>) -> Turn {
        watch.has_turn();
        let before = writer.tally();
        let turn = writer.write(engine, &self.publisher, requests);
        let done = writer.tally().since(before);
        watch.has_written(done);
        self.metrics.wrote(&done);
        turn
    }

    /// Commits without a group: nobody else is about.
    fn commit_alone(
        &self,
        engine: &Arc<Engine>,
        mut watch: Watch<'_>, // before the turn, which ends first
        mut writer: MutexGuard<'_, Writer>,
        prepared: Prepared,
    ) -> Result<Timestamp> {
        let Turn { mut outcomes, last, fed } = self.write(engine, &mut watch, &mut writer, vec![prepared]);
        let outcome = outcomes.pop().unwrap_or_else(|| Err(Error::internal("a commit has no outcome")));
        let Some(LastBatch { published, view, needs_sync }) = last else { return outcome };
        let written = Written { published, view, fed, group: None };
        let pending = self.publisher.submit(published.head.ts, needs_sync, written, &self.outlet(engine));
        drop(writer);
        match pending.map_or(Ok(()), |number| self.publisher.wait(number, &self.outlet(engine))) {
            Ok(()) => outcome,
            Err(_) => outcome.and_then(|ts| Err(unknown(ts))),
        }
    }

    /// Writes a group when it is its turn, and sees to it that all who wait learn what has become of them.
    fn lead(&self, engine: &Arc<Engine>, group: &Arc<Group<Result<Timestamp>>>) {
        let mut watch = self.slow.watch(); // before the turn, which ends first
        let mut writer = self.turn();
        if self.queue.bytes() < OVERLAP_BYTES {
            self.publisher.wait_for_sync();
        }
        let Turn { outcomes, last, fed } = self.write(engine, &mut watch, &mut writer, self.queue.close());
        let Some(LastBatch { published, view, needs_sync }) = last else { return group.complete(outcomes) };
        let commits: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().ok().copied()).collect();
        let written = Written { published, view, fed, group: Some((Arc::clone(group), outcomes)) };
        let pending = self.publisher.submit(published.head.ts, needs_sync, written, &self.outlet(engine));
        drop(writer);
        if pending.is_some_and(|number| self.publisher.wait(number, &self.outlet(engine)).is_err()) {
            let refused =
                || Err(Error::unavailable("a sync failed after the commit was refused: try again after reopening"));
            group.complete(commits.into_iter().map(|ts| ts.map_or_else(refused, |ts| Err(unknown(ts)))).collect());
        }
    }

    fn outlet<'a>(&'a self, engine: &'a Arc<Engine>) -> PipelineOutlet<'a> {
        PipelineOutlet { engine, handles: &self.handles, trail: &self.trail, metrics: &self.metrics }
    }
}

impl Pipeline {
    /// Makes every commit so far durable.
    pub(crate) fn sync(&self, engine: &Arc<Engine>) -> Result<()> {
        engine.check_healthy()?;
        self.publisher.sync(&self.outlet(engine)).map_err(|_| Error::unavailable("a sync failed: reopen the database"))
    }

    /// Makes every commit up to that of `ts` durable, which it may be already.
    pub(crate) fn sync_up_to(&self, engine: &Arc<Engine>, ts: Timestamp) -> Result<()> {
        engine.check_healthy()?;
        let synced = self.publisher.sync_up_to(ts, &self.outlet(engine));
        synced.map_err(|_| Error::unavailable("a sync failed: reopen the database"))
    }

    /// Makes every commit so far durable that has waited for it long enough. What goes wrong is told to the next commit.
    pub(crate) fn sync_because_it_is_due(&self) {
        self.next_sync.take();
        if let Ok(engine) = self.handles.engine() {
            let _ = self.sync(&engine);
        }
    }

    /// Runs `work` while no commit is written. It may write to RocksDB beside the commits what no read point leads to.
    pub(crate) fn exclusively<R>(&self, engine: &Arc<Engine>, work: impl FnOnce(&Engine) -> Result<R>) -> Result<R> {
        let writer = self.writer.lock();
        writer.check_open()?;
        // The last view must not be looked for behind what is written now.
        writer.materialize_last(engine)?;
        work(engine)
    }

    /// Refuses commits from now on, and brings those that are under way to their end.
    ///
    /// # Errors
    /// [`Unavailable`](ErrorKind::Unavailable) when not everything is durable.
    pub(crate) fn close(&self, engine: &Arc<Engine>) -> Result<()> {
        let mut writer = self.writer.lock();
        writer.close();
        drop(writer); // those who wait find it closed
        let synced = self.sync(engine);
        fault::reached(Point::LastLogSynced);
        let settled = self.writer.lock().settle(engine);
        synced.and(settled)
    }

    /// How commits do, but for the syncs, which the engine counts.
    pub(crate) fn stats(&self) -> CommitStats {
        let pending_syncs = self.publisher.pending_syncs() as u64;
        CommitStats { pending_syncs, ..self.writer.lock().stats() }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// What the publisher asks of the engine and of the handles.
struct PipelineOutlet<'a> {
    engine: &'a Arc<Engine>,
    handles: &'a Arc<Handles>,
    trail: &'a Trail,
    metrics: &'a Metrics,
}

impl Outlet<Written> for PipelineOutlet<'_> {
    fn sync(&self) -> bool {
        let time = Stopwatch::start();
        let synced = fault::makes(Mistake::SkippedSync) || self.engine.sync().is_ok();
        fault::reached(Point::LogSynced);
        self.metrics.synced(time);
        synced
    }

    fn publish(&self, mut groups: impl Iterator<Item = Written>) {
        let Some(first) = groups.next() else { return };
        let others: Vec<Written> = groups.collect(); // none, mostly
        let last = others.last().unwrap_or(&first);
        self.handles.publish(last.published, last.view.clone()); // the views before it would be replaced at once
        fault::reached(Point::CommitsPublished);
        for written in std::iter::once(first).chain(others) {
            written.fed.iter().for_each(|(ts, prefixes)| self.trail.announce(*ts, prefixes));
            if let Some((group, outcomes)) = written.group {
                group.complete(outcomes);
            }
        }
    }
}

#[cold]
fn unknown(ts: Timestamp) -> Error {
    Error::new(ErrorKind::CommitOutcomeUnknown(ts), format!("commit {ts}: writing or syncing the log failed"))
}
