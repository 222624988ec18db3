//! What makes a session one that can be committed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use blaze_core::{
    CommitRequest, Direction, Durability, Error, ErrorKind, Expiry, Family, Isolation, KeyRange, PointRead, Prefix,
    RangeRead, Result, Timestamp, Tracking, Write,
};
use parking_lot::{Mutex, MutexGuard};

use super::coverage::Coverage;
use super::read_set::ReadSet;
use super::turn::{Held, Turn};
use super::write_set::{Lookup, Overlay, WriteSet};
use crate::catalog::Orphan;
use crate::database::core::Core;
use crate::embedding::SharedEmbedder;
use crate::text::TextChanges;
use crate::vector::{UnderWay, VectorChanges, features_of};

/// The number of changes that the catalog of an ended session has; none gets there otherwise.
const ENDED: u64 = u64::MAX;

/// Bytes of the keys that a transaction guards: unlike those that are merely read, they are remembered one by one.
const GUARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Cursors that are kept track of before those that are gone are looked for.
const CURSORS_MIN: usize = 64;

/// The writes of a session and what was read to arrive at them.
#[derive(Debug)]
pub(super) struct Writer {
    isolation: Isolation,
    durability: Durability,
    /// When the commit gives up waiting for a stalled store.
    deadline_ms: Option<u64>,
    /// When the session becomes too old to go on.
    expires_ms: Option<u64>,
    state: Mutex<State>,
    turn: Turn,
    /// How often the session has changed the catalog.
    catalog_changes: AtomicU64,
}

/// What a session comes to.
pub(super) struct Finished {
    pub(super) request: CommitRequest,
    /// What is to be removed after the commit.
    pub(super) orphans: Vec<Orphan>,
    pub(super) vectors: Option<VectorChanges>,
    pub(super) texts: Option<TextChanges>,
    /// What indexes embed by after the commit.
    pub(super) embedders: Vec<(u32, SharedEmbedder)>,
    /// Held until the commit has ended.
    pub(super) under_way: Option<UnderWay>,
}

#[derive(Debug, Default)]
struct State {
    ended: bool,
    writes: WriteSet,
    guards: HashSet<PointRead>,
    /// Bytes of the keys of `guards`.
    guard_bytes: usize,
    tracked: BTreeMap<Prefix, Tracking>,
    /// What the commit leaves to be removed.
    orphans: Vec<Orphan>,
    /// What indexes embed by after the commit, if they are there then.
    embedders: Vec<(u32, SharedEmbedder)>,
    /// The indexes that are being built and have entries of this session.
    unbuilt: BTreeSet<u32>,
    /// True once it has written to the backlog of an index that embeds.
    has_backlog: bool,
    /// What a version has to know to read what is written, beyond what the writes themselves say.
    features: u64,
    reads: ReadSet,
    /// The cursors that may still read on.
    cursors: Vec<Arc<Coverage>>,
    /// The number of cursors at which those that are gone are swept out.
    sweep_at: usize,
}

impl Writer {
    pub(super) fn new(core: &Core, isolation: Isolation, durability: Durability, deadline_ms: Option<u64>) -> Writer {
        let expires_ms = core.transaction_age_max_ms.map(|age_ms| core.clock.now_ms().saturating_add(age_ms));
        Writer {
            isolation,
            durability,
            deadline_ms,
            expires_ms,
            state: Mutex::default(),
            turn: Turn::default(),
            catalog_changes: AtomicU64::new(0),
        }
    }

    pub(super) fn is_serializable(&self) -> bool {
        self.isolation == Isolation::Serializable
    }

    pub(super) fn catalog_changes(&self) -> u64 {
        self.catalog_changes.load(Ordering::Acquire)
    }

    /// Refuses to go on with a session that has ended or is too old.
    pub(super) fn check_open(&self, core: &Core) -> Result<()> {
        self.state(core).map(drop)
    }

    /// What the session has made of a key; if nothing, the key counts as read.
    pub(super) fn look_up(&self, core: &Core, family: Family, key: &[u8]) -> Result<Lookup> {
        let mut state = self.state(core)?;
        let own = state.writes.get(family, key);
        if matches!(own, Lookup::Unwritten | Lookup::Added(_)) && self.is_serializable() {
            state.reads.insert(family, key);
        }
        Ok(own)
    }

    /// What the session has made of a key. That does not count as reading it.
    pub(super) fn own(&self, core: &Core, family: Family, key: &[u8]) -> Result<Lookup> {
        Ok(self.state(core)?.writes.get(family, key))
    }

    /// What the session has written in a range, each key once; none if it has removed a part of the range as a whole.
    pub(super) fn own_writes(&self, core: &Core, family: Family, range: &KeyRange) -> Result<Option<Vec<Arc<Write>>>> {
        Ok(self.state(core)?.writes.own_writes(family, range))
    }

    /// Counts a range as read, whatever is read of it.
    pub(super) fn read_range(&self, core: &Core, family: Family, range: &KeyRange) -> Result<()> {
        if self.is_serializable() {
            self.state(core)?.reads.insert_range(RangeRead { family, range: range.clone() });
        }
        Ok(())
    }

    /// Nothing is derived yet of the entries of an index that is being built.
    pub(super) fn note_unbuilt(&self, core: &Core, index: u32) -> Result<()> {
        self.state(core)?.unbuilt.insert(index);
        Ok(())
    }

    /// Who embeds writes to the vectors of the same documents, and meets nobody by that.
    pub(super) fn note_backlog(&self, core: &Core) -> Result<()> {
        self.state(core)?.has_backlog = true;
        Ok(())
    }

    pub(super) fn require(&self, core: &Core, features: u64) -> Result<()> {
        self.state(core)?.features |= features;
        Ok(())
    }

    /// The keys of a range to which the session has added something.
    pub(super) fn additions(&self, core: &Core, family: Family, range: &KeyRange) -> Result<Vec<Vec<u8>>> {
        Ok(self.state(core)?.writes.additions(family, range))
    }

    /// What a cursor must lay over the store, and where it says how far it came, if that matters.
    pub(super) fn open_cursor(
        &self,
        core: &Core,
        family: Family,
        range: &KeyRange,
        direction: Direction,
    ) -> Result<(Option<Overlay>, Option<Arc<Coverage>>)> {
        let mut state = self.state(core)?;
        let overlay = state.writes.overlay(family, range);
        let coverage = self.is_serializable().then(|| {
            let coverage = Arc::new(Coverage::new(family, range.clone(), direction));
            state.add_cursor(Arc::clone(&coverage));
            coverage
        });
        Ok((overlay, coverage))
    }

    pub(super) fn write(&self, core: &Core, write: Write) -> Result<()> {
        let mut state = self.state(core)?;
        if matches!(&write, Write::DeleteRange { range, .. } if range.is_empty()) {
            return Ok(());
        }
        if write.family() == Family::Catalog {
            self.count_catalog_change();
        }
        state.writes.push(write)
    }

    pub(super) fn guard(&self, core: &Core, family: Family, key: &[u8]) -> Result<()> {
        let mut state = self.state(core)?;
        if state.guards.insert(PointRead { family, key: key.to_vec() }) {
            state.guard_bytes += key.len();
        }
        match state.guard_bytes {
            0..=GUARD_BYTES_MAX => Ok(()),
            bytes => Err(Error::limit_exceeded(format!(
                "transaction holds keys of {bytes} bytes for updates, the limit is {GUARD_BYTES_MAX}"
            ))),
        }
    }

    pub(super) fn track(&self, core: &Core, tracking: Tracking) -> Result<()> {
        self.state(core)?.tracked.insert(tracking.prefix, tracking);
        Ok(())
    }

    pub(super) fn reclaim_once_committed(&self, core: &Core, orphan: Orphan) -> Result<()> {
        self.state(core)?.orphans.push(orphan);
        Ok(())
    }

    pub(super) fn attach_once_committed(&self, core: &Core, index: u32, embedder: SharedEmbedder) -> Result<()> {
        self.state(core)?.embedders.push((index, embedder));
        Ok(())
    }

    /// Waits until no other operation runs; refuses one that the running one has called itself.
    pub(super) fn begin_turn(&self) -> Result<Held<'_>> {
        self.turn.begin()
    }

    pub(super) fn begin_operation(&self, core: &Core) -> Result<()> {
        self.state(core)?.writes.begin_operation();
        Ok(())
    }

    /// True if a write of the operation that is running was refused because the transaction would become too large.
    pub(super) fn is_full(&self) -> bool {
        self.state.lock().writes.is_full()
    }

    pub(super) fn end_operation(&self, keep: bool) {
        // The session may have been ended meanwhile by its owner; then there is nothing to take back.
        let mut state = self.state.lock();
        state.writes.end_operation(keep);
        if !keep && !state.ended {
            self.count_catalog_change();
        }
    }

    pub(super) fn add_savepoint(&self, core: &Core) -> Result<u64> {
        let _turn = self.begin_turn()?;
        Ok(self.state(core)?.writes.add_savepoint())
    }

    pub(super) fn roll_back_to(&self, core: &Core, savepoint: u64) -> Result<()> {
        let _turn = self.begin_turn()?;
        let mut state = self.state(core)?;
        if !state.writes.cut_to_savepoint(savepoint) {
            return Err(Error::invalid("the savepoint is gone: the transaction was rolled back to an earlier one"));
        }
        self.count_catalog_change();
        Ok(())
    }

    pub(super) fn forget_savepoint(&self, savepoint: u64) {
        self.state.lock().writes.forget_savepoint(savepoint);
    }

    /// Ends the session with the request to commit it, with what is to be removed afterwards, and with what it changes of
    /// vectors.
    pub(super) fn finish(&self, core: &Core, read_ts: Timestamp) -> Result<Finished> {
        let _turn = self.begin_turn()?;
        let mut state = self.close(&mut *self.state(core)?);
        state
            .cursors
            .iter()
            .filter_map(|coverage| coverage.range_read())
            .for_each(|read| state.reads.insert_range(read));
        let (reads, ranges) = state.reads.into_reads();
        let left_ms = |deadline_ms: u64| deadline_ms.saturating_sub(core.clock.now_ms());
        let mut request = CommitRequest {
            read_ts,
            guards: state.guards.into_iter().collect(),
            reads,
            ranges,
            writes: state.writes.into_writes(),
            tracked: state.tracked.into_values().collect(),
            expiry: Expiry::default(),
            isolation: self.isolation,
            durability: self.durability,
            timeout: self.deadline_ms.map(|deadline_ms| Duration::from_millis(left_ms(deadline_ms))),
            features: 0,
            hook: None,
        };
        let (under_way, documents) = core.vectors.enter(&request.writes);
        let vectors = VectorChanges::of(&core.vectors, &mut request.writes, &state.unbuilt, documents);
        let texts = TextChanges::of(&core.texts, &mut request.writes)?;
        request.features = features_of(&request.writes) | state.features;
        if state.has_backlog && self.isolation == Isolation::Snapshot {
            refuse_lost_updates_but_of_vectors(&mut request);
        }
        Ok(Finished { request, orphans: state.orphans, vectors, texts, embedders: state.embedders, under_way })
    }

    /// Forgets everything; from then on the session is closed.
    pub(super) fn end(&self) {
        self.close(&mut self.state.lock());
    }

    fn close(&self, state: &mut State) -> State {
        self.catalog_changes.store(ENDED, Ordering::Release);
        mem::replace(state, State { ended: true, ..State::default() })
    }

    /// Tells those who remember the catalog to look again. Only for a session that has not ended, under its lock.
    fn count_catalog_change(&self) {
        self.catalog_changes.fetch_add(1, Ordering::Release);
    }

    /// The state of a session that may go on.
    fn state(&self, core: &Core) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock();
        if state.ended {
            return Err(Error::closed("the transaction has ended"));
        }
        if let Some(expires_ms) = self.expires_ms
            && core.clock.now_ms() > expires_ms
        {
            let age_max_ms = core.transaction_age_max_ms.unwrap_or_default();
            return Err(Error::new(
                ErrorKind::TransactionTooOld,
                format!("the transaction is older than {age_max_ms} ms, which is as old as one may become"),
            ));
        }
        Ok(state)
    }
}

/// Has a request of snapshot isolation refused if a key that it writes has changed, but for vectors and what belongs to them:
/// they follow from documents, which it writes as well.
fn refuse_lost_updates_but_of_vectors(request: &mut CommitRequest) {
    request.isolation = Isolation::Serializable;
    (request.reads, request.ranges) = (Vec::new(), Vec::new());
    for write in request.writes.iter().filter(|write| write.family() != Family::Vector) {
        match write {
            Write::Put { family, key, .. } | Write::Delete { family, key } => {
                request.reads.push(PointRead { family: *family, key: key.clone() });
            }
            Write::DeleteRange { family, range } => {
                request.ranges.push(RangeRead { family: *family, range: range.clone() });
            }
            Write::Add { .. } | Write::Touch { .. } => {}
        }
    }
}

impl State {
    fn add_cursor(&mut self, coverage: Arc<Coverage>) {
        if self.cursors.len() >= self.sweep_at {
            let reads = &mut self.reads;
            self.cursors.retain(|coverage| {
                let alive = Arc::strong_count(coverage) > 1;
                if !alive && let Some(read) = coverage.range_read() {
                    reads.insert_range(read);
                }
                alive
            });
            self.sweep_at = CURSORS_MIN.max(2 * self.cursors.len());
        }
        self.cursors.push(coverage);
    }
}
