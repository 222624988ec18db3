//! The leader's turn: validates requests, gives them their timestamps, and writes them as one batch.

use std::sync::Arc;

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::{
    Clock, CommitHook, Durability, Error, Family, Head, HybridClock, KeyRange, Result, Timestamp, Write, counter,
    limits,
};

use super::batch::{Batch, FamilyNumbers};
use super::prepared::{Prepared, encode};
use super::{Fed, LastBatch, Turn, Written, unknown};
use crate::commit::publisher::Publisher;
use crate::disk_space::DiskSpace;
use crate::error;
use crate::ffi::Engine;
use crate::handles::{Handles, Published};
use crate::log::LogMark;
use crate::oracle::Oracle;
use crate::read_point::View;
use crate::stats::CommitStats;
use crate::trail::{Overlay, Trail};

/// Where the catalog keeps the ceiling: no commit timestamp in the database is above it, and none above it as it is durable has
/// ever been seen. Nobody else can write or see the empty key.
pub(crate) const CEILING_KEY: &[u8] = b"";

/// How far the ceiling is ahead of the commit that raises it: the ceiling is written every ten seconds at most, and
/// after a crash the clock may run ten seconds ahead.
const LEASE: u64 = 10_000 << 16;

/// Bytes of one batch, after which a group goes on with another.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What has become of each request of a group.
pub(super) type Outcomes = Vec<Result<Timestamp>>;

/// What commits change, one group after another, under the pipeline's lock.
#[derive(Debug)]
pub(super) struct Writer {
    handles: Arc<Handles>,
    families: FamilyNumbers,
    clock: Arc<dyn Clock>,
    disk_space: DiskSpace,
    trail: Arc<Trail>,
    commits: HybridClock,
    ceiling: Timestamp,
    /// The last commit in the log.
    logged: Timestamp,
    oracle: Oracle,
    /// The view of the last group that was written, if it had to wait before it was published.
    last: Option<Arc<View>>,
    tally: Tally,
    is_closed: bool,
}

/// What was written, and what was not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) committed: u64,
    pub(crate) refused: u64,
    pub(crate) batches: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// The requests that go into one batch.
#[derive(Debug, Default)]
struct Assembly {
    batch: Option<Batch>,
    /// The positions of the requests in their group, and their timestamps.
    commits: Vec<(usize, Timestamp)>,
    needs_sync: bool,
    /// What its requests make of the data that has a history or a feed.
    overlay: Overlay,
    fed: Fed,
    /// Who is told of its requests, and of which commit.
    hooks: Vec<(Timestamp, Arc<dyn CommitHook>)>,
}

impl Writer {
    pub(super) fn open(
        engine: &Arc<Engine>,
        handles: &Arc<Handles>,
        families: FamilyNumbers,
        clock: Arc<dyn Clock>,
        disk_space: DiskSpace,
        trail: Arc<Trail>,
    ) -> Result<Writer> {
        let ceiling = if fault::makes(Mistake::MovedClock) { Timestamp::ZERO } else { read_ceiling(engine)? };
        let head = Head { ts: ceiling, catalog_ts: ceiling };
        handles.publish(Published { head, sequence: engine.sequence() }, None);
        Ok(Writer {
            handles: Arc::clone(handles),
            families,
            clock,
            disk_space,
            trail,
            commits: HybridClock::after(ceiling),
            ceiling,
            logged: ceiling,
            oracle: Oracle::new(ceiling, limits::ORACLE_BYTES_MAX),
            last: None,
            tally: Tally::default(),
            is_closed: false,
        })
    }

    /// Sees to it that the last group can be read, whatever RocksDB takes after it.
    pub(super) fn materialize_last(&self, engine: &Arc<Engine>) -> Result<()> {
        match &self.last {
            Some(view) => view.materialize(engine).map(drop),
            None => self.handles.current().map(drop),
        }
    }

    pub(super) fn stats(&self) -> CommitStats {
        let (oracle_bytes, oracle_writes) = self.oracle.size();
        CommitStats {
            committed: self.tally.committed,
            refused: self.tally.refused,
            batches: self.tally.batches,
            bytes: self.tally.bytes,
            oracle_bytes: oracle_bytes as u64,
            oracle_writes: oracle_writes as u64,
            oracle_floor_ms: self.oracle.floor().ms(),
            ..CommitStats::default()
        }
    }

    /// What was written since the store was opened.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Writes a group, without a sync.
    pub(super) fn write(
        &mut self,
        engine: &Arc<Engine>,
        publisher: &Publisher<Written>,
        requests: Vec<Prepared>,
    ) -> Turn {
        let mut turn = Turn { outcomes: Vec::with_capacity(requests.len()), last: None, fed: Fed::new() };
        self.oracle.forget(self.handles.raise_floor());
        let mut assembly = Assembly::default();
        for (position, prepared) in requests.into_iter().enumerate() {
            let is_late = prepared.batch.is_none();
            if is_late || assembly.bytes() >= BATCH_BYTES {
                if turn.last.is_none() && assembly.batch.is_some() {
                    // Readers stay with what is published until the last batch of the turn is written.
                    let _ = self.materialize_last(engine); // fails when the store is closed, and then nobody reads
                }
                self.flush(engine, publisher, &mut assembly, &mut turn);
            }
            let outcome = self.accept(engine, prepared, position, &mut assembly);
            self.tally.refused += u64::from(outcome.is_err());
            turn.outcomes.push(outcome);
        }
        self.flush(engine, publisher, &mut assembly, &mut turn);
        turn
    }

    /// Validates a request against all before it, in this group too, and gives it its timestamp.
    fn accept(
        &mut self,
        engine: &Arc<Engine>,
        mut prepared: Prepared,
        position: usize,
        assembly: &mut Assembly,
    ) -> Result<Timestamp> {
        self.check_open()?;
        engine.check_healthy()?;
        self.oracle.validate(&prepared.request)?;
        // The time of the last commit will do: it is about how often to look.
        self.disk_space.admit(&prepared.request.writes, self.commits.last().ms())?;
        if prepared.batch.is_none() {
            prepared.encode_late(&self.families, |writes| resolve(engine, writes))?;
        }
        let ts = self.commits.tick(&*self.clock);
        let followed = self.trail.follow(engine, &mut assembly.overlay, &prepared.request, ts)?;
        prepared.stamp(ts);
        assembly.commits.push((position, ts));
        assembly.needs_sync |= prepared.request.durability == Durability::Sync;
        match (&mut assembly.batch, prepared.batch) {
            (Some(batch), Some(own)) => batch.append(&own),
            (batch, own) => *batch = own,
        }
        if let Some(batch) = assembly.batch.as_mut().filter(|_| !followed.writes.is_empty()) {
            if fault::makes(Mistake::SplitBatch) {
                self.write_beforehand(engine, batch);
            }
            batch.append(&encode(&followed.writes, &self.families, &mut Vec::new()));
        }
        assembly.hooks.extend(prepared.request.hook.take().map(|hook| (ts, hook)));
        if !followed.fed.is_empty() {
            assembly.fed.push((ts, followed.fed));
        }
        self.handles.cache.apply(&prepared.request.writes, ts);
        self.oracle.record(ts, prepared.request.writes);
        Ok(ts)
    }

    /// Writes what was assembled.
    fn flush(
        &mut self,
        engine: &Arc<Engine>,
        publisher: &Publisher<Written>,
        assembly: &mut Assembly,
        turn: &mut Turn,
    ) {
        let Assembly { batch, commits, mut needs_sync, fed, hooks, .. } = std::mem::take(assembly);
        let (Some(mut batch), Some(&(_, ts))) = (batch, commits.last()) else { return };
        needs_sync |= ts > self.ceiling;
        let (has_pending, durable) = publisher.has_pending_and_durable_ts();
        if turn.last.is_none() && (needs_sync || has_pending) {
            // Readers stay for a while with the views of what is written before this batch.
            let _ = self.materialize_last(engine);
        }
        let (rows, bytes) = (u64::from(batch.records()), batch.bytes() as u64);
        let ceiling = self.lease(&mut batch, ts);
        let mark = LogMark { last: ts, previous: self.logged, durable };
        match engine.write(batch.representation(mark)) {
            Ok(()) => {
                fault::reached(Point::BatchWritten);
                (self.ceiling, self.logged) = (ceiling, ts);
                self.tally.committed += commits.len() as u64;
                self.tally.batches += 1;
                self.tally.rows += rows;
                self.tally.bytes += bytes;
                let head = Head { ts, catalog_ts: self.oracle.catalog_ts() };
                let published = Published { head, sequence: engine.sequence() };
                let needs_sync = needs_sync || turn.last.as_ref().is_some_and(|last| last.needs_sync);
                self.last = (needs_sync || has_pending).then(|| self.handles.make_ahead(published));
                hooks.iter().for_each(|(ts, hook)| hook.committed(*ts));
                turn.fed.extend(fed);
                turn.last = Some(LastBatch { published, view: self.last.clone(), needs_sync });
            }
            Err(error) => {
                let _ = self.materialize_last_anyway(engine, turn);
                for (position, ts) in commits {
                    turn.outcomes[position] = Err(unknown(ts).with_source(Error::unavailable(error.to_string())));
                }
            }
        }
    }

    /// Writes what there is of a batch, before all of it is there: a mistake, which a test has it make.
    fn write_beforehand(&self, engine: &Arc<Engine>, batch: &mut Batch) {
        let _ = self.materialize_last(engine);
        let mark = LogMark { last: self.logged, previous: self.logged, durable: Timestamp::ZERO };
        if engine.write(batch.representation(mark)).is_ok() {
            fault::reached(Point::BatchWritten);
        }
    }

    /// Sees to it that what was written before a failed write can be read.
    fn materialize_last_anyway(&mut self, engine: &Arc<Engine>, turn: &mut Turn) -> Result<()> {
        if let (None, Some(last)) = (&self.last, &mut turn.last) {
            let view = self.handles.make_ahead(last.published);
            (self.last, last.view) = (Some(Arc::clone(&view)), Some(view));
        }
        let last = self.last.clone().map_or_else(|| self.handles.view(), Ok)?;
        last.materialize_anyway(engine)
    }

    /// Refuses to go on once the store is closed.
    pub(super) fn check_open(&self) -> Result<()> {
        match self.is_closed {
            true => Err(error::closed()),
            false => Ok(()),
        }
    }

    /// Refuses requests from now on.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Makes the ceiling exact: the next opening goes on from the last commit. Everything before it has been synced.
    pub(super) fn settle(&mut self, engine: &Arc<Engine>) -> Result<()> {
        engine.check_healthy()?;
        let last = self.commits.last();
        if self.ceiling != last {
            let _ = self.materialize_last(engine); // for those who read until the end
            let mut batch = Batch::with_capacity(32);
            put_ceiling(&mut batch, self.families, last);
            let mark = LogMark { last: self.logged, previous: self.logged, durable: self.logged };
            engine.write(batch.representation(mark))?;
            engine.sync()?;
            self.ceiling = last;
            fault::reached(Point::CeilingSettled);
        }
        Ok(())
    }

    /// Raises the ceiling in the same batch if `ts` is above it, so that one is never durable without the other. The batch is
    /// synced before anybody sees it, or a loss of power could give timestamps a second time that are kept elsewhere, as in
    /// cursors of the change feed.
    fn lease(&self, batch: &mut Batch, ts: Timestamp) -> Timestamp {
        if ts <= self.ceiling {
            return self.ceiling;
        }
        let ceiling = Timestamp::from_bits(ts.to_bits().saturating_add(LEASE));
        put_ceiling(batch, self.families, ceiling);
        ceiling
    }
}

impl Tally {
    /// What has come since an earlier tally.
    pub(super) fn since(self, earlier: Tally) -> Tally {
        Tally {
            committed: self.committed - earlier.committed,
            refused: self.refused - earlier.refused,
            batches: self.batches - earlier.batches,
            rows: self.rows - earlier.rows,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

impl Assembly {
    fn bytes(&self) -> usize {
        self.batch.as_ref().map_or(0, Batch::bytes)
    }
}

fn read_ceiling(engine: &Engine) -> Result<Timestamp> {
    match engine.latest(Family::Catalog, CEILING_KEY)? {
        None => Ok(Timestamp::ZERO),
        Some(bytes) => match bytes.as_slice().try_into() {
            Ok(bytes) => Ok(Timestamp::from_bits(u64::from_be_bytes(bytes))),
            Err(_) => {
                let bytes = bytes.len();
                Err(Error::corruption(format!("the ceiling of commit timestamps has {bytes} bytes, not 8")))
            }
        },
    }
}

fn put_ceiling(batch: &mut Batch, families: FamilyNumbers, ceiling: Timestamp) {
    batch.put(families[Family::Catalog as usize], CEILING_KEY, &ceiling.to_bits().to_be_bytes());
}

/// Makes plain writes of those that depend on what is stored: puts of additions, and ranges with an end of those without,
/// which is behind the last key that there is, in the database or among the writes before it.
fn resolve(engine: &Engine, writes: &mut [Write]) -> Result<()> {
    counter::resolve(writes, |family, key| engine.latest(family, key))?;
    for position in 0..writes.len() {
        let (earlier, rest) = writes.split_at_mut(position);
        let Write::DeleteRange { family, range } = &mut rest[0] else { continue };
        if range.end().is_some() {
            continue;
        }
        let stored = engine.last_key(*family)?;
        let put = earlier.iter().filter(|write| write.family() == *family).filter_map(Write::key);
        let last = put.chain(stored.as_deref()).max().unwrap_or_default();
        *range = KeyRange::new(range.start(), Some([last, &[0]].concat()));
    }
    Ok(())
}
