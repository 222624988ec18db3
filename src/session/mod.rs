//! Sessions: a read point and what is written on top of it. Every operation runs in one, but for single reads and writes
//! of a keyspace, which need none.

mod coverage;
mod cursor;
mod hook;
mod merge;
mod read_set;
mod retry;
mod scope;
mod turn;
mod write_index;
mod write_set;
mod writer;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::{
    Direction, Durability, Error, Family, Isolation, KeyRange, ReadPoint, Result, Timestamp, Tracking, VisitMany,
    Write, counter,
};

use crate::catalog::Orphan;
use crate::database::core::Core;
use crate::embedding::SharedEmbedder;
use crate::text::KeptTexts;
pub(crate) use cursor::SessionCursor;
use hook::Derived;
pub(crate) use retry::{RetryLimits, back_off, retry};
pub(crate) use scope::{Scope, commit_alone};
use write_set::Lookup;
use writer::{Finished, Writer};

/// A read point, the writes on top of it, and what was read to arrive at them.
pub(crate) struct Session {
    core: Arc<Core>,
    point: Arc<dyn ReadPoint>,
    /// True if data is read as it was in the past, which only that of collections with a history can be.
    is_as_of: bool,
    /// The moment at which what expires is looked at, in milliseconds since 1970. Taken at the beginning, but where nothing
    /// expires: there not before it is asked for.
    read_ms: OnceLock<u64>,
    /// True once the session has defined what has to go when its time has come.
    defines_retention: AtomicBool,
    /// True once the session has written to the backlog of an index that embeds.
    has_backlog: AtomicBool,
    /// What searches of text indexes leave to the next.
    texts: KeptTexts,
    /// None for a read-only session.
    writer: Option<Writer>,
}

/// An operation of a transaction that is running. It takes back what it wrote unless it succeeds, also when code of the user's
/// panics within it.
struct Operation<'a> {
    writer: &'a Writer,
    succeeded: bool,
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        self.writer.end_operation(self.succeeded);
    }
}

/// What the catalog looks like to a session: while this stays the same, so does all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CatalogVersion {
    committed: Timestamp,
    /// The session's own changes.
    changes: u64,
}

impl CatalogVersion {
    /// The catalog as it is at a read point.
    pub(crate) fn at(point: &dyn ReadPoint) -> CatalogVersion {
        CatalogVersion::of(point.catalog_ts())
    }

    /// A catalog without changes of a session's own.
    pub(crate) fn of(catalog_ts: Timestamp) -> CatalogVersion {
        CatalogVersion { committed: catalog_ts, changes: 0 }
    }

    pub(crate) fn committed_ts(self) -> Timestamp {
        self.committed
    }

    pub(crate) fn is_committed(self) -> bool {
        self.changes == 0
    }
}

impl Session {
    /// A session that only reads. Its reads are not tracked: they are one consistent view.
    pub(crate) fn read_only(core: &Arc<Core>) -> Result<Arc<Session>> {
        let point = core.store.read_only_point()?;
        Ok(Arc::new(Session::over(core, point)))
    }

    /// A session that only reads, at a read point that is there already.
    pub(crate) fn over(core: &Arc<Core>, point: Arc<dyn ReadPoint>) -> Session {
        Session::new(core, point, None)
    }

    fn new(core: &Arc<Core>, point: Arc<dyn ReadPoint>, writer: Option<Writer>) -> Session {
        let (core, read_ms) = (Arc::clone(core), begin_reading(core, &*point));
        let (defines_retention, has_backlog) = (AtomicBool::new(false), AtomicBool::new(false));
        let texts = KeptTexts::default();
        Session { core, point, is_as_of: false, read_ms, defines_retention, has_backlog, texts, writer }
    }

    /// A session that reads data as it was at `ts`, and the catalog as it is now.
    pub(crate) fn as_of(core: &Arc<Core>, ts: Timestamp) -> Result<Arc<Session>> {
        let now_ms = core.now_ms(core.store.head()?.ts);
        let point = core.store.read_point_at(ts)?;
        let read_ms = OnceLock::from(ts.ms().min(now_ms));
        Ok(Arc::new(Session { is_as_of: true, read_ms, ..Session::new(core, point, None) }))
    }

    /// A session that can be committed.
    pub(crate) fn read_write(core: &Arc<Core>, isolation: Isolation, durability: Durability) -> Result<Arc<Session>> {
        Session::read_write_until(core, isolation, durability, None)
    }

    /// A session whose commit does not wait for a stalled store beyond a deadline.
    pub(crate) fn read_write_until(
        core: &Arc<Core>,
        isolation: Isolation,
        durability: Durability,
        deadline_ms: Option<u64>,
    ) -> Result<Arc<Session>> {
        let point = core.store.read_point()?;
        let writer = Writer::new(core, isolation, durability, deadline_ms);
        Ok(Arc::new(Session::new(core, point, Some(writer))))
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn read_ts(&self) -> Timestamp {
        self.point.ts()
    }

    /// The moment at which what expires is looked at, for as long as the session lives: milliseconds since 1970.
    pub(crate) fn read_ms(&self) -> u64 {
        *self.read_ms.get_or_init(|| self.core.now_ms(self.point.ts()))
    }

    pub(crate) fn catalog_version(&self) -> CatalogVersion {
        let changes = self.writer.as_ref().map_or(0, Writer::catalog_changes);
        CatalogVersion { changes, ..CatalogVersion::at(&*self.point) }
    }

    pub(crate) fn point(&self) -> &Arc<dyn ReadPoint> {
        &self.point
    }

    pub(crate) fn kept_texts(&self) -> &KeptTexts {
        &self.texts
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
        self.writer.as_ref().is_some_and(Writer::is_serializable)
    }

    /// Calls `visit` with the value of `key`, if there is one, and says whether there was.
    ///
    /// `visit` runs inside the store's read and must not read again.
    pub(crate) fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let Some(writer) = &self.writer else { return self.point.visit(family, key, visit) };
        match writer.look_up(&self.core, family, key)? {
            Lookup::Put(write) => visit(write_set::value(&write)).map(|()| true),
            Lookup::Deleted => Ok(false),
            Lookup::Added(sum) => visit(&self.settle_addition(family, key, sum)?).map(|()| true),
            Lookup::Unwritten => self.point.visit(family, key, visit),
        }
    }

    /// Fails once the database is closed: for who answers without a read.
    pub(crate) fn check_open(&self) -> Result<()> {
        // The empty key is the store's own and never there.
        self.point.visit(Family::Catalog, &[], &mut |_| Ok(())).map(drop)
    }

    /// As [`visit`](Session::visit), whatever the session has written, and without counting as read: for what never changes
    /// once something that was read leads to it.
    pub(crate) fn visit_committed(
        &self,
        family: Family,
        key: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<bool> {
        self.writer.as_ref().map_or(Ok(()), |writer| writer.check_open(&self.core))?;
        self.point.visit(family, key, visit)
    }

    /// Makes a put of what was added to a counter that is now read, and answers its value.
    fn settle_addition(&self, family: Family, key: &[u8], sum: i128) -> Result<[u8; 8]> {
        let stored = self.point.get(family, key)?;
        let count = stored.as_deref().map_or(Ok(0), counter::decode)?;
        let count = i64::try_from(i128::from(count) + sum).map_err(|_| {
            Error::limit_exceeded(format!("{count} + {sum} is beyond the limits of a counter, 64 bits"))
        })?;
        self.write(Write::put(family, key, counter::encode(count)))?;
        if fault::makes(Mistake::CounterAppliedTwice) {
            self.write(Write::Add { family, key: key.to_vec(), delta: sum as i64 })?;
        }
        Ok(counter::encode(count))
    }

    /// Calls `visit` once for each of `keys`, in any order, with its position and its value if there is one.
    ///
    /// `visit` runs inside the store's read and must not read again.
    pub(crate) fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        let Some(writer) = &self.writer else { return self.point.visit_many(family, keys, visit) };
        let (mut positions, mut unwritten) = (Vec::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
        for (position, key) in keys.iter().enumerate() {
            match writer.look_up(&self.core, family, key)? {
                Lookup::Put(write) => visit(position, Some(write_set::value(&write)))?,
                Lookup::Deleted => visit(position, None)?,
                Lookup::Added(sum) => visit(position, Some(&self.settle_addition(family, key, sum)?))?,
                Lookup::Unwritten => {
                    positions.push(position);
                    unwritten.push(*key);
                }
            }
        }
        self.point.visit_many(family, &unwritten, &mut |at, value| visit(positions[at], value))
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

    /// As [`get`](Session::get); the commit is refused if the key changes before it, whatever the isolation.
    pub(crate) fn get_for_update(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.writer()?;
        self.guard(family, key)?;
        self.get(family, key)
    }

    /// A cursor over a range as it is now: later writes of this session do not show.
    pub(crate) fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<SessionCursor> {
        let Some(writer) = &self.writer else {
            return Ok(SessionCursor::over(self.point.cursor(family, range, direction)?));
        };
        for key in writer.additions(&self.core, family, range)? {
            self.get(family, &key)?; // makes a put of it
        }
        let (overlay, coverage) = writer.open_cursor(&self.core, family, range, direction)?;
        Ok(SessionCursor::merging(self.point.cursor(family, range, direction)?, overlay, direction, coverage))
    }

    /// A cursor over what is committed in a range, which does not count as reading it: for estimates, on which no answer
    /// depends.
    pub(crate) fn committed_cursor(
        &self,
        family: Family,
        range: &KeyRange,
        direction: Direction,
    ) -> Result<SessionCursor> {
        Ok(SessionCursor::over(self.point.cursor(family, range, direction)?))
    }

    /// What a counter is at, 0 if it is not there. Reading it leaves the session's own additions what they are.
    pub(crate) fn counter(&self, family: Family, key: &[u8]) -> Result<i64> {
        let own =
            self.writer.as_ref().map_or(Ok(Lookup::Unwritten), |writer| writer.look_up(&self.core, family, key))?;
        let sum = match own {
            Lookup::Put(write) => return counter::decode(write_set::value(&write)),
            Lookup::Deleted => return Ok(0),
            Lookup::Added(sum) => sum,
            Lookup::Unwritten => 0,
        };
        let stored = self.point.get(family, key)?.as_deref().map_or(Ok(0), counter::decode)?;
        i64::try_from(i128::from(stored) + sum)
            .map_err(|_| Error::limit_exceeded(format!("{stored} + {sum} is beyond the limits of a counter, 64 bits")))
    }

    /// What the session itself has written in a range, each key once; none if it has removed a part of the range as a whole.
    /// That does not count as reading it.
    pub(crate) fn own_writes(&self, family: Family, range: &KeyRange) -> Result<Option<Vec<Arc<Write>>>> {
        self.writer.as_ref().map_or(Ok(Some(Vec::new())), |writer| writer.own_writes(&self.core, family, range))
    }

    /// What the session itself has made of a key: nothing, the removal of it, or a value. That does not count as reading it.
    pub(crate) fn own(&self, family: Family, key: &[u8]) -> Result<Option<Option<Vec<u8>>>> {
        let own = self.writer.as_ref().map_or(Ok(Lookup::Unwritten), |writer| writer.own(&self.core, family, key))?;
        Ok(match own {
            Lookup::Put(write) => Some(Some(write_set::value(&write).to_vec())),
            Lookup::Deleted => Some(None),
            Lookup::Added(_) | Lookup::Unwritten => None,
        })
    }

    /// Has the commit keep every version of Blaze from the database that does not know these features.
    pub(crate) fn require(&self, features: u64) -> Result<()> {
        self.writer()?.require(&self.core, features)
    }

    /// Counts a range as read, for who answers from something that is derived of it.
    pub(crate) fn read_range(&self, family: Family, range: &KeyRange) -> Result<()> {
        self.writer.as_ref().map_or(Ok(()), |writer| writer.read_range(&self.core, family, range))
    }

    /// Nothing is derived yet of the entries of an index that is being built.
    pub(crate) fn note_unbuilt(&self, index: u32) -> Result<()> {
        self.writer()?.note_unbuilt(&self.core, index)
    }

    /// The session has documents embedded, or lets go of vectors that were: by writes that set it against nobody.
    pub(crate) fn note_backlog(&self) -> Result<()> {
        self.has_backlog.store(true, Ordering::Relaxed);
        self.writer()?.note_backlog(&self.core)
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
        self.write(Write::Put { family, key, value, stamp_at })
    }

    /// Adds to a counter, as an operation of its own.
    pub(crate) fn add(&self, family: Family, key: Vec<u8>, delta: i64) -> Result<()> {
        self.core.check_writable()?;
        let _operation = self.writer()?.begin_turn()?;
        self.add_within(family, key, delta)
    }

    /// Adds to a counter as a part of the operation that is running.
    pub(crate) fn add_within(&self, family: Family, key: Vec<u8>, delta: i64) -> Result<()> {
        self.core.check_writable()?;
        let writer = self.writer()?;
        let count = match writer.own(&self.core, family, &key)? {
            Lookup::Put(own) => counter::add(Some(write_set::value(&own)), delta)?,
            Lookup::Deleted => delta,
            Lookup::Added(_) | Lookup::Unwritten => return writer.write(&self.core, Write::Add { family, key, delta }),
        };
        writer.write(&self.core, Write::put(family, key, counter::encode(count)))
    }

    /// Removes a key.
    pub(crate) fn delete(&self, family: Family, key: Vec<u8>) -> Result<()> {
        self.write(Write::Delete { family, key })
    }

    /// Removes all keys of a range.
    pub(crate) fn delete_range(&self, family: Family, range: KeyRange) -> Result<()> {
        self.write(Write::DeleteRange { family, range })
    }

    /// Writes as a part of the operation that is running.
    pub(crate) fn write(&self, write: Write) -> Result<()> {
        self.core.check_writable()?;
        self.writer()?.write(&self.core, write)
    }

    /// Writes as an operation of its own, between those that [`atomically`](Session::atomically) runs.
    pub(crate) fn write_alone(&self, write: Write) -> Result<()> {
        self.core.check_writable()?;
        let writer = self.writer()?;
        let _operation = writer.begin_turn()?;
        writer.write(&self.core, write)
    }

    /// Has the commit refused if `key` changes before it, whatever the isolation.
    pub(crate) fn guard(&self, family: Family, key: &[u8]) -> Result<()> {
        self.writer.as_ref().map_or(Ok(()), |writer| writer.guard(&self.core, family, key))
    }

    /// Has the commit leave history and feed behind as a definition says that this session sees and guards.
    pub(crate) fn track(&self, tracking: Tracking) -> Result<()> {
        self.writer.as_ref().map_or(Ok(()), |writer| writer.track(&self.core, tracking))
    }

    /// Has the commit be followed by the removal of an orphan that this session declares. If the declaration is rolled back,
    /// nothing is removed.
    pub(crate) fn reclaim_once_committed(&self, orphan: Orphan) -> Result<()> {
        self.writer()?.reclaim_once_committed(&self.core, orphan)
    }

    /// Has an index embed by this embedder once the session is committed.
    pub(crate) fn attach_once_committed(&self, index: u32, embedder: SharedEmbedder) -> Result<()> {
        self.writer()?.attach_once_committed(&self.core, index, embedder)
    }

    /// Runs `work` so that its writes are all kept, or none if it fails.
    pub(crate) fn atomically<R>(&self, work: impl FnOnce() -> Result<R>) -> Result<R> {
        self.core.check_writable()?;
        let writer = self.writer()?;
        let _operation = writer.begin_turn()?;
        writer.begin_operation(&self.core)?;
        let mut operation = Operation { writer, succeeded: false };
        let result = work();
        operation.succeeded = result.is_ok();
        result
    }

    /// True if a write of the operation that is running was refused because the transaction would become too large.
    pub(crate) fn is_full(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_full)
    }

    /// Marks what is written so far, and answers the number of the mark.
    pub(crate) fn add_savepoint(&self) -> Result<u64> {
        self.writer()?.add_savepoint(&self.core)
    }

    /// Takes back what was written since a savepoint.
    pub(crate) fn roll_back_to(&self, savepoint: u64) -> Result<()> {
        self.writer()?.roll_back_to(&self.core, savepoint)
    }

    pub(crate) fn forget_savepoint(&self, savepoint: u64) {
        if let Some(writer) = &self.writer {
            writer.forget_savepoint(savepoint);
        }
    }

    /// What the session writes to the catalog has to go when its time has come.
    pub(crate) fn define_retention(&self) {
        self.defines_retention.store(true, Ordering::Relaxed);
    }

    /// Commits everything written, as one unit.
    pub(crate) fn commit(&self) -> Result<Timestamp> {
        self.texts.clear();
        let Finished { mut request, orphans, vectors, texts, embedders, under_way } =
            self.writer()?.finish(&self.core, self.point.ts())?;
        let is_tracked = !request.tracked.is_empty();
        let (has_vectors, has_texts) = (vectors.is_some(), texts.is_some());
        vectors.as_ref().map_or(Ok(()), |vectors| vectors.wait_for_room(&self.core, request.timeout))?;
        texts.as_ref().map_or(Ok(()), |texts| texts.wait_for_room(&self.core, request.timeout))?;
        if has_vectors || has_texts {
            request.hook = Some(Arc::new(Derived { vectors, texts }));
        }
        let ts = self.core.store.commit(request)?;
        drop(under_way);
        if has_vectors {
            self.core.vectors.look_after(&self.core);
        }
        if has_texts {
            self.core.texts.look_after(&self.core);
        }
        embedders.iter().for_each(|(index, embedder)| self.core.embedding.attach(*index, embedder));
        if !orphans.is_empty() {
            fault::reached(Point::OrphansLeft);
        }
        for orphan in orphans {
            // Nobody misses the keys. Where this fails, the next opening sees to it.
            let _ = orphan.reclaim(&self.core, ts);
        }
        if self.has_backlog.load(Ordering::Relaxed) {
            self.core.embedding.look_after();
        }
        if self.defines_retention.load(Ordering::Relaxed) {
            self.core.retention.look_again();
        }
        if is_tracked || self.core.catalog.expires() {
            self.core.retention.apply_if_due(&self.core);
        }
        Ok(ts)
    }

    /// Forgets everything written; from then on the session answers `Closed`.
    pub(crate) fn end(&self) {
        self.texts.clear();
        if let Some(writer) = &self.writer {
            writer.end();
        }
    }

    fn writer(&self) -> Result<&Writer> {
        self.writer.as_ref().ok_or_else(|| Error::invalid("a snapshot cannot be written to"))
    }
}

/// The moment at which a session that begins now looks at what expires, if anything does.
fn begin_reading(core: &Core, point: &dyn ReadPoint) -> OnceLock<u64> {
    match core.catalog.expires() {
        true => OnceLock::from(core.now_ms(point.ts())),
        false => OnceLock::new(),
    }
}

impl fmt::Debug for Session {
    /// Without what was read and written: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("read_ts", &self.point.ts()).finish_non_exhaustive()
    }
}
