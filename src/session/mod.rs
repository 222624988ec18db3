//! Sessions: a read point and what is written on top of it. Every operation runs in one.

mod coverage;
mod cursor;
mod read_set;
mod scope;
mod write_set;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::mem;
use std::sync::Arc;

use blaze_core::limits::TRANSACTION_BYTES_MAX;
use blaze_core::{
    CommitRequest, Direction, Durability, Error, Expiry, Family, Isolation, KeyRange, PointRead, Prefix, ReadPoint,
    Result, Timestamp, Tracking,
};
use parking_lot::Mutex;

use crate::database::core::Core;
use coverage::Coverage;
pub(crate) use cursor::SessionCursor;
use read_set::ReadSet;
pub(crate) use scope::{Scope, back_off, commit_alone, retry};
use write_set::{Lookup, WriteSet};

/// A read point, the writes on top of it, and what was read to arrive at them.
pub(crate) struct Session {
    core: Arc<Core>,
    point: Arc<dyn ReadPoint>,
    /// True if data is read as it was in the past, which only that of collections with a history can be.
    is_as_of: bool,
    /// None for a read-only session.
    writer: Option<Writer>,
}

#[derive(Debug)]
struct Writer {
    isolation: Isolation,
    durability: Durability,
    state: Mutex<State>,
    /// Held by one operation at a time, so that a failing one takes back its own writes only.
    operation: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    ended: bool,
    writes: WriteSet,
    guards: HashSet<PointRead>,
    tracked: BTreeMap<Prefix, Tracking>,
    reads: ReadSet,
    coverage: Vec<Arc<Coverage>>,
}

impl Session {
    /// A session that only reads. Its reads are not tracked: they are one consistent view.
    pub(crate) fn read_only(core: &Arc<Core>) -> Result<Arc<Session>> {
        let point = core.store.read_point()?;
        Ok(Arc::new(Session { core: Arc::clone(core), point, is_as_of: false, writer: None }))
    }

    /// A session that reads data as it was at `ts`, and the catalog as it is now.
    pub(crate) fn as_of(core: &Arc<Core>, ts: Timestamp) -> Result<Arc<Session>> {
        let point = core.store.read_point_at(ts)?;
        Ok(Arc::new(Session { core: Arc::clone(core), point, is_as_of: true, writer: None }))
    }

    /// A session that can be committed.
    pub(crate) fn read_write(core: &Arc<Core>, isolation: Isolation, durability: Durability) -> Result<Arc<Session>> {
        let point = core.store.read_point()?;
        let writer = Writer { isolation, durability, state: Mutex::default(), operation: Mutex::default() };
        Ok(Arc::new(Session { core: Arc::clone(core), point, is_as_of: false, writer: Some(writer) }))
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn read_ts(&self) -> Timestamp {
        self.point.ts()
    }

    pub(crate) fn point(&self) -> &Arc<dyn ReadPoint> {
        &self.point
    }

    /// True if data is read as it was in the past: indexes tell of the present only.
    pub(crate) fn is_as_of(&self) -> bool {
        self.is_as_of
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    /// True if everything that is read is validated at the commit.
    pub(crate) fn is_serializable(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| writer.isolation == Isolation::Serializable)
    }

    /// Calls `visit` with the value of `key`, if there is one, and says whether there was.
    ///
    /// `visit` runs inside the store's read and must not read again.
    pub(crate) fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        if let Some(writer) = &self.writer {
            let mut state = writer.state()?;
            match state.writes.get(family, key) {
                Lookup::Put(value) => {
                    drop(state);
                    visit(&value)?;
                    return Ok(true);
                }
                Lookup::Deleted => return Ok(false),
                Lookup::Unwritten => {}
            }
            if writer.isolation == Isolation::Serializable {
                state.reads.insert(family, key);
            }
        }
        self.point.visit(family, key, visit)
    }

    /// A copy of the value of `key`, if there is one.
    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut copy = None;
        self.visit(family, key, &mut |value| {
            copy = Some(value.to_vec());
            Ok(())
        })?;
        Ok(copy)
    }

    /// A cursor over a range as it is now: later writes of this session do not show.
    pub(crate) fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<SessionCursor> {
        let Some(writer) = &self.writer else {
            return Ok(SessionCursor::over(self.point.cursor(family, range, direction)?));
        };
        let mut state = writer.state()?;
        let overlay = state.writes.overlay(family, range, direction);
        let coverage = (writer.isolation == Isolation::Serializable).then(|| {
            let coverage = Arc::new(Coverage::new(family, range.clone(), direction));
            state.coverage.push(Arc::clone(&coverage));
            coverage
        });
        drop(state);
        Ok(SessionCursor::merging(self.point.cursor(family, range, direction)?, overlay, direction, coverage))
    }

    /// How many keys a range has.
    pub(crate) fn count(&self, family: Family, range: &KeyRange) -> Result<u64> {
        let mut cursor = self.cursor(family, range, Direction::Forward)?;
        let mut count = 0;
        while cursor.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// Sets the value of a key; the commit writes its timestamp at `stamp_at` within the value.
    pub(crate) fn put(&self, family: Family, key: Vec<u8>, value: Vec<u8>, stamp_at: Option<usize>) -> Result<()> {
        self.writing(|writes| writes.put(family, key, value, stamp_at))
    }

    /// Removes a key.
    pub(crate) fn delete(&self, family: Family, key: Vec<u8>) -> Result<()> {
        self.writing(|writes| writes.delete(family, key))
    }

    /// Removes all keys of a range.
    pub(crate) fn delete_range(&self, family: Family, range: KeyRange) -> Result<()> {
        match range.is_empty() {
            true => self.writing(|_| ()),
            false => self.writing(|writes| writes.delete_range(family, range)),
        }
    }

    fn writing(&self, write: impl FnOnce(&mut WriteSet)) -> Result<()> {
        let mut state = self.writer()?.state()?;
        write(&mut state.writes);
        let bytes = state.writes.bytes();
        if bytes > TRANSACTION_BYTES_MAX {
            return Err(Error::limit_exceeded(format!(
                "transaction writes {bytes} bytes, the limit is {TRANSACTION_BYTES_MAX}: commit in smaller parts"
            )));
        }
        Ok(())
    }

    /// Has the commit refused if `key` changes before it, whatever the isolation.
    pub(crate) fn guard(&self, family: Family, key: &[u8]) -> Result<()> {
        if let Some(writer) = &self.writer {
            let guard = PointRead { family, key: key.to_vec() };
            writer.state()?.guards.insert(guard);
        }
        Ok(())
    }

    /// Has the commit leave history and feed behind as a definition says that this session sees and guards.
    pub(crate) fn track(&self, tracking: Tracking) -> Result<()> {
        if let Some(writer) = &self.writer {
            writer.state()?.tracked.insert(tracking.prefix, tracking);
        }
        Ok(())
    }

    /// Runs `work` so that its writes are all kept, or none if it fails.
    pub(crate) fn atomically<R>(&self, work: impl FnOnce() -> Result<R>) -> Result<R> {
        let writer = self.writer()?;
        let _operation = writer.operation.lock();
        writer.state()?.writes.begin_undo();
        let result = work();
        // The session may have been ended meanwhile by its owner; then there is nothing to undo.
        writer.state.lock().writes.end_undo(result.is_ok());
        result
    }

    /// Commits everything written, as one unit.
    pub(crate) fn commit(&self) -> Result<Timestamp> {
        let writer = self.writer()?;
        let _operation = writer.operation.lock(); // never in the middle of one
        let state = {
            let mut state = writer.state()?;
            mem::replace(&mut *state, State { ended: true, ..State::default() })
        };
        let (reads, mut ranges) = state.reads.into_reads();
        ranges.extend(state.coverage.iter().filter_map(|coverage| coverage.range_read()));
        let tracked: Vec<_> = state.tracked.into_values().collect();
        let is_tracked = !tracked.is_empty();
        let ts = self.core.store.commit(CommitRequest {
            read_ts: self.point.ts(),
            guards: state.guards.into_iter().collect(),
            reads,
            ranges,
            writes: state.writes.into_writes(),
            tracked,
            expiry: Expiry::default(),
            isolation: writer.isolation,
            durability: writer.durability,
        })?;
        if is_tracked {
            self.core.retention.apply_if_due(&self.core);
        }
        Ok(ts)
    }

    /// Forgets everything written; from then on the session answers `Closed`.
    pub(crate) fn end(&self) {
        if let Some(writer) = &self.writer {
            *writer.state.lock() = State { ended: true, ..State::default() };
        }
    }

    fn writer(&self) -> Result<&Writer> {
        self.writer.as_ref().ok_or_else(|| Error::invalid("a snapshot cannot be written to"))
    }
}

impl fmt::Debug for Session {
    /// Without what was read and written: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("read_ts", &self.point.ts()).finish_non_exhaustive()
    }
}

impl Writer {
    fn state(&self) -> Result<parking_lot::MutexGuard<'_, State>> {
        let state = self.state.lock();
        if state.ended {
            return Err(Error::closed("the transaction has ended"));
        }
        Ok(state)
    }
}
