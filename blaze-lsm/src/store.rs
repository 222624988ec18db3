//! [`LsmStore`]: the Store port over RocksDB.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use blaze_core::{
    Changes, CommitRequest, Durability, Error, Family, KeyRange, Marks, Prefix, ReadPoint, Result, Store, Timestamp,
    Versions, Write, prefix_of,
};
use parking_lot::{MappedRwLockReadGuard, Mutex, RwLock, RwLockReadGuard};

use crate::commit::Committer;
use crate::feed::FeedRows;
use crate::ffi::Engine;
use crate::handles::Handles;
use crate::history::{AsOf, KeyVersions};
use crate::options::LsmOptions;
use crate::trail::Trail;
use crate::{error, marker};

/// A durable store in one directory, which one handle of one process has open at a time.
///
/// Reads never wait for commits. Commits run one after another: each validates, writes and, under
/// [`Durability::Sync`](blaze_core::Durability::Sync), syncs under one lock. After a write or a sync that failed, reads
/// go on and every commit answers [`Unavailable`](blaze_core::ErrorKind::Unavailable) until the store is reopened.
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
    /// Empty once closed. Held for reading by every call, so that closing waits for them.
    engine: RwLock<Option<Arc<Engine>>>,
    handles: Arc<Handles>,
    committer: Mutex<Committer>,
    trail: Arc<Trail>,
}

impl LsmStore {
    /// Opens the database in the directory `path`, or creates it as the options say.
    ///
    /// # Errors
    /// [`Locked`](blaze_core::ErrorKind::Locked) when it is open already, here or in another process;
    /// [`NotFound`](blaze_core::ErrorKind::NotFound) and [`AlreadyExists`](blaze_core::ErrorKind::AlreadyExists) as
    /// [`CreateMode`](crate::CreateMode) says; [`Invalid`](blaze_core::ErrorKind::Invalid) when `path` is something
    /// else or was written by a newer version, in which case nothing there is touched;
    /// [`Corruption`](blaze_core::ErrorKind::Corruption); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn open(path: &Path, mut options: LsmOptions) -> Result<LsmStore> {
        marker::prepare(path, options.create)?;
        options.drop_floors = Arc::default(); // of this store alone, however often the options were cloned
        let engine = Engine::open(path, &options)?;
        let trail = Trail::open(&engine, options.drop_floors)?;
        let handles = Arc::new(Handles::default());
        let committer = Committer::new(&engine, &handles, options.clock, Arc::clone(&trail))?;
        Ok(LsmStore {
            path: path.to_path_buf(),
            engine: RwLock::new(Some(engine)),
            handles,
            committer: Mutex::new(committer),
            trail,
        })
    }

    /// Writes a copy of the database to the new directory `to`, as it is at one moment during the call. On the same
    /// file system it shares the unchanging files and takes little space and time.
    ///
    /// # Errors
    /// [`AlreadyExists`](blaze_core::ErrorKind::AlreadyExists) when there is something at `to`;
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn checkpoint(&self, to: &Path) -> Result<()> {
        let engine = self.engine()?;
        if fs::symlink_metadata(to).is_ok() {
            return Err(Error::already_exists(format!("{} exists already", to.display())));
        }
        engine.checkpoint(to)?;
        marker::write(to)?; // last: without it, what a crash left behind is not taken for a copy
        match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => marker::sync_directory(parent),
            _ => marker::sync_directory(Path::new(".")),
        }
    }

    /// Writes everything that is in memory only into sorted files, so that the next opening has no log to replay.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn flush(&self) -> Result<()> {
        self.engine()?.flush()
    }

    /// Flushes, and waits until the compactions are done that earlier writes have made necessary.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn settle(&self) -> Result<()> {
        self.engine()?.settle()
    }

    /// Rewrites the files of a range without what was overwritten or deleted. That happens by itself, too.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn compact(&self, family: Family, range: &KeyRange) -> Result<()> {
        self.engine()?.compact(family, range);
        Ok(())
    }

    fn engine(&self) -> Result<MappedRwLockReadGuard<'_, Arc<Engine>>> {
        RwLockReadGuard::try_map(self.engine.read(), Option::as_ref).map_err(|_| error::closed())
    }
}

impl Store for LsmStore {
    fn read_point(&self) -> Result<Arc<dyn ReadPoint>> {
        Ok(self.handles.current()?)
    }

    fn commit(&self, mut request: CommitRequest) -> Result<Timestamp> {
        let engine = self.engine()?;
        request.writes.iter().try_for_each(Write::validate)?;
        if request.is_empty() {
            return Ok(request.read_ts);
        }
        if request.expiry.is_empty() {
            return self.committer.lock().commit(&engine, &self.handles, request);
        }
        // What is dropped must stay refused after a power loss.
        request.durability = Durability::Sync;
        let expiry = request.expiry.clone();
        let ts = self.committer.lock().commit(&engine, &self.handles, request)?;
        self.trail.use_floors(&expiry, ts);
        Ok(ts)
    }

    fn read_point_at(&self, ts: Timestamp) -> Result<Arc<dyn ReadPoint>> {
        let now = self.read_point()?;
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
        let _open = self.engine()?;
        Ok(self.trail.marks())
    }

    fn sync(&self) -> Result<()> {
        self.engine()?.sync()
    }

    fn bytes_used(&self) -> Result<u64> {
        let _open = self.engine()?;
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
        let Some(engine) = self.engine.write().take() else { return Ok(()) };
        self.trail.close();
        let settled = self.committer.lock().settle(&engine);
        self.handles.close();
        engine.close();
        settled
    }
}

impl Drop for LsmStore {
    fn drop(&mut self) {
        let _ = self.close(); // whoever wants to know closes it first
    }
}
