//! [`LsmStore`]: the Store port over RocksDB.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use blaze_core::fault::{self, Point};
use blaze_core::{
    Change, Changes, Clock, CommitRequest, Durability, Error, Family, Head, KeyRange, Marks, Prefix, ReadPoint, Result,
    Store, Timestamp, Versions, Write, prefix_of,
};

use crate::cache::RecordCache;
use crate::commit::{Pipeline, SlowCommits};
use crate::directory::Claim;
use crate::disk_space::DiskSpace;
use crate::environment::Environment;
use crate::feed::{self, FeedRows};
use crate::ffi::Engine;
use crate::handles::Handles;
use crate::history::{AsOf, KeyVersions};
use crate::load::{self, SortedLoad};
use crate::log::LogDamage;
use crate::maintenance::Pauses;
use crate::metrics::Metrics;
use crate::options::LsmOptions;
use crate::read_point::TransactionPoint;
use crate::recovery::{self, DamagedLog};
use crate::sort::RowSorter;
use crate::trail::Trail;
use crate::{error, manifest, marker};

/// A durable store in one directory, which one handle of one process has open at a time, or any number of them for
/// reading only.
///
/// Reads never wait for commits. Commits that arrive together are written together, in one batch, and share the sync
/// that [`Durability::Sync`](blaze_core::Durability::Sync) asks for; they become visible in the order of their
/// timestamps. After a write or a sync that failed, reads go on and every commit answers
/// [`Unavailable`](blaze_core::ErrorKind::Unavailable) until the store is reopened.
///
/// Before the disk is full, when less is free than the write buffers take and 8 MiB, commits that put something answer
/// `Unavailable`, too, and nothing of them is written; deletes still work, and all commits as soon as there is space.
///
/// [`close`](Store::close) waits for calls that are running, so it must not be called from inside a visitor.
///
/// ```
/// use std::sync::Arc;
/// use blaze_core::{CommitRequest, Family, ManualClock, Store, Write};
/// use blaze_lsm::{LsmOptions, LsmStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// let options = LsmOptions::new(Arc::new(ManualClock::at_ms(1_000)));
/// let store = LsmStore::open(directory.path(), options)?;
/// store.commit(CommitRequest { writes: vec![Write::put(Family::Data, *b"key", *b"value")], ..CommitRequest::default() })?;
/// assert_eq!(store.read_point()?.get(Family::Data, b"key")?.as_deref(), Some(b"value".as_slice()));
/// store.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LsmStore {
    path: PathBuf,
    pub(crate) handles: Arc<Handles>,
    pub(crate) pipeline: Arc<Pipeline>,
    trail: Arc<Trail>,
    pub(crate) pauses: Pauses,
    environment: Environment,
    options: LsmOptions,
}

impl LsmStore {
    /// Opens the database in the directory `path`, or creates it as the options say. When that fails, the directory
    /// stands for what it did before.
    ///
    /// # Errors
    /// [`Locked`](blaze_core::ErrorKind::Locked) when it is open already, here or in another process, unless all open
    /// it read-only;
    /// [`NotFound`](blaze_core::ErrorKind::NotFound) and [`AlreadyExists`](blaze_core::ErrorKind::AlreadyExists) as
    /// [`CreateMode`](crate::CreateMode) says; [`Invalid`](blaze_core::ErrorKind::Invalid) when `path` is something
    /// else or was written by a newer version, in which case nothing there is touched;
    /// [`Corruption`](blaze_core::ErrorKind::Corruption), also when the log is damaged and commits are lost that had
    /// been synced; [`Unavailable`](blaze_core::ErrorKind::Unavailable);
    /// `Invalid` and [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for settings, too.
    pub fn open(path: &Path, options: LsmOptions) -> Result<LsmStore> {
        Ok(LsmStore::open_as(path, options, DamagedLog::Refuse)?.0)
    }

    /// Opens the database in `path` even if its log is damaged and commits are lost that had been synced: those before
    /// the damage are there, whole and in order, and all behind it are removed for good. Says what was lost;
    /// `None` when [`open`](LsmStore::open) would have opened it, too. Copy the directory first.
    ///
    /// # Errors
    /// As [`open`](LsmStore::open); [`Corruption`](blaze_core::ErrorKind::Corruption) for other damage than that;
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when it is to be read-only.
    pub fn open_salvage(path: &Path, options: LsmOptions) -> Result<(LsmStore, Option<LogDamage>)> {
        if options.read_only {
            return Err(Error::invalid("a database whose log is to be salvaged cannot be opened read-only"));
        }
        LsmStore::open_as(path, options, DamagedLog::Salvage)
    }

    fn open_as(path: &Path, mut options: LsmOptions, damaged: DamagedLog) -> Result<(LsmStore, Option<LogDamage>)> {
        options.validate()?;
        let _span = tracing::info_span!("open").entered();
        let environment = options.make_environment()?;
        let claim = match options.read_only {
            true => Claim::to_read(path)?,
            false => Claim::to_write(path, options.create)?,
        };
        options.drop_floors = Arc::default(); // of this store alone, however often the options were cloned
        manifest::refuse_endless(path)?;
        if damaged == DamagedLog::Refuse {
            manifest::check(path)?;
        }
        let damage = recovery::prepare_log(path, &options, &environment, damaged)?;
        fault::reached(Point::LogAudited);
        let engine = Engine::open(path, &options, &environment, claim)?;
        if !options.read_only {
            load::remove_left_behind(path)?; // nobody else has the directory open
        }
        let cache = RecordCache::new(options.record_cache_bytes_in(&environment));
        let handles = Arc::new(Handles::new(Arc::clone(&engine), cache));
        let trail = Trail::open(&engine, options.drop_floors.clone())?;
        let disk_space = DiskSpace::new(path, options.write_buffer_bytes_in(&environment));
        let clock = Arc::clone(&options.clock);
        let slow = SlowCommits::new(options.slow_commit_ms, options.label.as_deref());
        let metrics = Metrics::open(options.label.as_deref());
        let pipeline = Pipeline::open(&engine, &handles, clock, disk_space, Arc::clone(&trail), slow, metrics)?;
        let pipeline = Arc::new(pipeline);
        let (path, pauses) = (path.to_path_buf(), Pauses::default());
        options = options.environment_of(&environment);
        Ok((LsmStore { path, handles, pipeline, trail, pauses, environment, options }, damage))
    }

    /// True if the store was opened for reading only: commits and all that changes files answer
    /// [`Invalid`](blaze_core::ErrorKind::Invalid).
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn is_read_only(&self) -> Result<bool> {
        Ok(self.handles.engine()?.is_read_only())
    }

    /// Writes a copy of the database to the new directory `to`, as it is at one moment during the call. On the same
    /// file system it shares the unchanging files and takes little space and time.
    ///
    /// # Errors
    /// [`AlreadyExists`](blaze_core::ErrorKind::AlreadyExists) when there is something at `to`;
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when `to` is within the database, or for a store that is open
    /// read-only;
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn checkpoint(&self, to: &Path) -> Result<()> {
        let engine = self.handles.engine()?;
        engine.check_writable()?;
        if fs::symlink_metadata(to).is_ok() {
            return Err(Error::already_exists(format!("{} exists already", to.display())));
        }
        marker::refuse_within(&self.path, to)?;
        let _span = tracing::info_span!("checkpoint").entered();
        engine.checkpoint(to)?;
        fault::reached(Point::CheckpointMade);
        manifest::note(to)?;
        // Last: without it, what a crash left behind is not taken for a copy.
        marker::write_of_copy(to, engine.features())?;
        marker::sync_parent(to)
    }

    /// Begins to load keys and values in ascending order into a range of keys that nobody reads or writes meanwhile.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn load(&self, family: Family) -> Result<SortedLoad> {
        self.handles.engine()?.check_writable()?;
        let (handles, pipeline) = (Arc::clone(&self.handles), Arc::clone(&self.pipeline));
        Ok(SortedLoad::new(&self.path, family, self.options.clone(), handles, pipeline))
    }

    /// Begins to sort rows in about `memory_bytes` of memory, beyond which they go to temporary files in the directory.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a store that is open read-only;
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn sorter(&self, memory_bytes: usize) -> Result<RowSorter> {
        self.handles.engine()?.check_writable()?;
        Ok(RowSorter::new(&self.path, Arc::clone(&self.handles), memory_bytes))
    }

    /// Deletes at once the files that hold nothing but keys of `range`, which nobody reads or writes in the view of the
    /// commit `since` or in a later one, which is made durable before; does nothing, and answers false, while somebody has an
    /// earlier view. Other keys of the range stay, until a commit deletes it afterwards.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable), also when that commit
    /// cannot be made durable.
    pub fn discard(&self, family: Family, range: &KeyRange, since: Timestamp) -> Result<bool> {
        // New views are always later.
        if self.handles.live_views().first().is_some_and(|oldest| *oldest < since) {
            return Ok(false);
        }
        self.handles.release_idle();
        let engine = self.handles.engine()?;
        // The files go at once, and for good: a loss of power must not take the commit that let go of them and leave what it led to.
        self.pipeline.sync_up_to(&engine, since)?;
        engine.delete_files(family, range)?;
        self.pipeline.metrics().reclaimed();
        Ok(true)
    }

    /// Writes everything that is in memory only into sorted files, so that the next opening has no log to replay.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a store that is open read-only;
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn flush(&self) -> Result<()> {
        let engine = self.handles.engine()?;
        engine.check_writable()?;
        let _span = tracing::info_span!("flush").entered();
        self.handles.release_idle();
        engine.flush()
    }

    /// Flushes, and waits until the compactions are done that earlier writes have made necessary.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn settle(&self) -> Result<()> {
        let engine = self.handles.engine()?;
        let _span = tracing::info_span!("settle").entered();
        self.handles.release_idle();
        match engine.is_read_only() {
            true => Ok(()), // nothing moves
            false => engine.settle(),
        }
    }

    /// Rewrites the files of a range without what was overwritten or deleted. That happens by itself, too.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a store that is open read-only;
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn compact(&self, family: Family, range: &KeyRange) -> Result<()> {
        let engine = self.handles.engine()?;
        engine.check_writable()?;
        let _span = tracing::info_span!("compact", family = family.name()).entered();
        self.handles.release_idle();
        engine.compact(family, range);
        Ok(())
    }

    /// True if the database was copied from another one, or is what was restored or salvaged, and nobody has
    /// [said](LsmStore::become_original) since that it stands for itself.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn is_copy(&self) -> Result<bool> {
        self.handles.check_open()?;
        marker::is_of_copy(&self.path)
    }

    /// Says that the database stands for itself from now on: what tells it from the one it was copied from is durable.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a store that is open read-only;
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn become_original(&self) -> Result<()> {
        self.handles.engine()?.check_writable()?;
        marker::become_original(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.options.clock
    }

    pub(crate) fn engine(&self) -> Result<Arc<Engine>> {
        self.handles.engine()
    }
}

impl Store for LsmStore {
    fn read_point(&self) -> Result<Arc<dyn ReadPoint>> {
        Ok(Arc::new(TransactionPoint::new(self.handles.enter()?)))
    }

    fn read_only_point(&self) -> Result<Arc<dyn ReadPoint>> {
        Ok(self.handles.current()?)
    }

    fn read_now(&self, read: &mut dyn FnMut(&dyn ReadPoint) -> Result<()>) -> Result<()> {
        self.handles.with_current(|view| read(view))
    }

    fn head(&self) -> Result<Head> {
        self.handles.head()
    }

    fn oldest_view(&self) -> Result<Option<Timestamp>> {
        let published = self.handles.head()?.ts; // first: views that come after are not older
        let oldest = self.handles.live_views().first().copied();
        Ok(Some(oldest.map_or(published, |oldest| oldest.min(published))))
    }

    fn commit(&self, mut request: CommitRequest) -> Result<Timestamp> {
        let engine = self.handles.engine()?;
        request.writes.iter().try_for_each(Write::validate)?;
        if request.is_empty() {
            return Ok(request.read_ts);
        }
        engine.check_writable()?;
        engine.require(request.features)?;
        let expiry = request.expiry.clone();
        if !expiry.is_empty() {
            request.durability = Durability::Sync; // what is dropped must stay refused after a power loss
        }
        let ts = self.pipeline.commit(&engine, request)?;
        if !expiry.is_empty() {
            fault::reached(Point::FloorsCommitted);
            self.trail.use_floors(&expiry, ts);
        }
        self.environment.relieve();
        Ok(ts)
    }

    fn read_point_at(&self, ts: Timestamp) -> Result<Arc<dyn ReadPoint>> {
        let now = self.read_only_point()?;
        let ts = ts.min(now.ts());
        let (marks, reader) = self.trail.register(|_| Ok(ts))?;
        Ok(Arc::new(AsOf::new(now, ts, marks, reader)))
    }

    fn versions(&self, point: &Arc<dyn ReadPoint>, key: &[u8]) -> Result<Versions> {
        let prefix = prefix_of(key);
        let mut floor = Timestamp::ZERO;
        let (_, reader) = self.trail.register(|marks| {
            marks.check_history(prefix, point.ts())?;
            floor = prefix.and_then(|prefix| marks.history_from(prefix)).unwrap_or_default();
            Ok(floor)
        })?;
        Ok(Box::new(KeyVersions::open(&**point, key, floor, reader)?))
    }

    fn changes(&self, point: &Arc<dyn ReadPoint>, after: Timestamp) -> Result<Changes> {
        let rows = FeedRows::open(&**point, after)?;
        self.trail.marks().check_feed(None, after)?;
        Ok(Box::new(rows))
    }

    fn wait_for_changes(&self, after: Timestamp, prefix: Option<Prefix>, timeout: Duration) -> Result<bool> {
        self.trail.wait(after, prefix, timeout)
    }

    fn marks(&self) -> Result<Arc<Marks>> {
        self.handles.check_open()?;
        Ok(self.trail.marks())
    }

    fn feed_within(&self, bytes: u64) -> Result<Timestamp> {
        let engine = self.handles.engine()?;
        let floor = self.trail.marks().feed_floor();
        let point = self.read_only_point()?;
        feed::commit_within(&*point, floor, &|after| {
            Ok(engine.approximate_bytes(Family::Feed, &Change::range_after(after))? <= bytes)
        })
    }

    fn sync(&self) -> Result<()> {
        let engine = self.handles.engine()?;
        match engine.is_read_only() {
            true => Ok(()), // there is nothing to sync
            false => self.pipeline.sync(&engine),
        }
    }

    fn bytes_used(&self) -> Result<u64> {
        self.handles.check_open()?;
        let mut bytes = 0;
        for entry in fs::read_dir(&self.path).map_err(|error| error::file(&self.path, error))? {
            match entry.and_then(|entry| entry.metadata()) {
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == IoErrorKind::NotFound => {} // RocksDB deletes files at any time
                Err(error) => return Err(error::file(&self.path, error)),
            }
        }
        Ok(bytes)
    }

    fn close(&self) -> Result<()> {
        let Ok(engine) = self.handles.engine() else { return Ok(()) };
        let _span = tracing::info_span!("close").entered();
        self.trail.close();
        let settled = match engine.is_read_only() {
            true => Ok(()),
            false => self.pipeline.close(&engine),
        };
        if settled.is_ok() && !engine.is_read_only() {
            // So that the next opening has nothing to replay. If it fails, on a full disk say, the log has it all.
            let is_flushed = engine.flush().is_ok();
            fault::reached(Point::MemoryFlushed);
            // What is written of the manifest and not synced must not be noted; without a note it is only less guarded.
            if engine.end_background_work() && is_flushed {
                let _ = manifest::note(&self.path);
            }
        }
        drop(engine);
        match self.handles.close() {
            Some(engine) => engine.close(),
            None => return Ok(()), // another thread was faster, and answers for it
        }
        settled
    }
}

impl Drop for LsmStore {
    fn drop(&mut self) {
        let _ = self.close(); // whoever wants to know closes it first
    }
}
