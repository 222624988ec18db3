//! [`LsmStore`]: the Store port over RocksDB.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze_core::{CommitRequest, Error, Family, KeyRange, ReadPoint, Result, Store, Timestamp, Write};

use crate::cache::RecordCache;
use crate::commit::Pipeline;
use crate::ffi::Engine;
use crate::handles::Handles;
use crate::load::{self, SortedLoad};
use crate::options::LsmOptions;
use crate::read_point::TransactionPoint;
use crate::{error, marker};

/// A durable store in one directory, which one handle of one process has open at a time.
///
/// Reads never wait for commits. Commits that arrive together are written together, in one batch, and share the sync
/// that [`Durability::Sync`](blaze_core::Durability::Sync) asks for; they become visible in the order of their
/// timestamps. After a write or a sync that failed, reads go on and every commit answers
/// [`Unavailable`](blaze_core::ErrorKind::Unavailable) until the store is reopened.
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
    handles: Arc<Handles>,
    pipeline: Arc<Pipeline>,
    options: LsmOptions,
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
    pub fn open(path: &Path, options: LsmOptions) -> Result<LsmStore> {
        marker::prepare(path, options.create)?;
        let engine = Engine::open(path, &options)?;
        load::remove_left_behind(path)?; // nobody else has the directory open
        let cache = RecordCache::new(options.record_cache_bytes);
        let handles = Arc::new(Handles::new(Arc::clone(&engine), cache));
        let pipeline = Arc::new(Pipeline::open(&engine, &handles, Arc::clone(&options.clock))?);
        Ok(LsmStore { path: path.to_path_buf(), handles, pipeline, options })
    }

    /// Writes a copy of the database to the new directory `to`, as it is at one moment during the call. On the same
    /// file system it shares the unchanging files and takes little space and time.
    ///
    /// # Errors
    /// [`AlreadyExists`](blaze_core::ErrorKind::AlreadyExists) when there is something at `to`;
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn checkpoint(&self, to: &Path) -> Result<()> {
        let engine = self.handles.engine()?;
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

    /// Begins to load keys and values in ascending order into a range of keys that nobody reads or writes meanwhile.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn load(&self, family: Family) -> Result<SortedLoad> {
        self.handles.check_open()?;
        let (handles, pipeline) = (Arc::clone(&self.handles), Arc::clone(&self.pipeline));
        Ok(SortedLoad::new(&self.path, family, self.options.clone(), handles, pipeline))
    }

    /// Deletes at once the files that hold nothing but keys of `range`, which nobody reads or writes in the view of the
    /// commit `since` or in a later one; does nothing, and answers false, while somebody has an earlier view. Other keys
    /// of the range stay, until a commit deletes it afterwards.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn discard(&self, family: Family, range: &KeyRange, since: Timestamp) -> Result<bool> {
        // New views are always later.
        if self.handles.live_views().first().is_some_and(|oldest| *oldest < since) {
            return Ok(false);
        }
        self.handles.release_idle();
        self.handles.engine()?.delete_files(family, range).map(|()| true)
    }

    /// Writes everything that is in memory only into sorted files, so that the next opening has no log to replay.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn flush(&self) -> Result<()> {
        self.handles.release_idle();
        self.handles.engine()?.flush()
    }

    /// Flushes, and waits until the compactions are done that earlier writes have made necessary.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn settle(&self) -> Result<()> {
        self.handles.release_idle();
        self.handles.engine()?.settle()
    }

    /// Rewrites the files of a range without what was overwritten or deleted. That happens by itself, too.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn compact(&self, family: Family, range: &KeyRange) -> Result<()> {
        self.handles.release_idle();
        self.handles.engine()?.compact(family, range);
        Ok(())
    }
}

impl Store for LsmStore {
    fn read_point(&self) -> Result<Arc<dyn ReadPoint>> {
        Ok(Arc::new(TransactionPoint::new(self.handles.enter()?)))
    }

    fn read_only_point(&self) -> Result<Arc<dyn ReadPoint>> {
        Ok(self.handles.current()?)
    }

    fn commit(&self, request: CommitRequest) -> Result<Timestamp> {
        let engine = self.handles.engine()?;
        request.writes.iter().try_for_each(Write::validate)?;
        if request.writes.is_empty() {
            return Ok(request.read_ts);
        }
        self.pipeline.commit(&engine, request)
    }

    fn sync(&self) -> Result<()> {
        self.pipeline.sync(&self.handles.engine()?)
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
        let settled = self.pipeline.close(&engine);
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
