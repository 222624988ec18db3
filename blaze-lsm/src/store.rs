//! [`LsmStore`]: the Store port over RocksDB.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze_core::{CommitRequest, Error, Family, KeyRange, ReadPoint, Result, Store, Timestamp, Write};
use parking_lot::{MappedRwLockReadGuard, Mutex, RwLock, RwLockReadGuard};

use crate::commit::Committer;
use crate::ffi::Engine;
use crate::handles::Handles;
use crate::maintenance::Pauses;
use crate::options::LsmOptions;
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
    pub(crate) pauses: Pauses,
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
        let _span = tracing::info_span!("open").entered();
        marker::prepare(path, options.create)?;
        let engine = Engine::open(path, &options)?;
        let handles = Arc::new(Handles::default());
        let committer = Committer::new(&engine, &handles, options.clock)?;
        Ok(LsmStore {
            path: path.to_path_buf(),
            engine: RwLock::new(Some(engine)),
            handles,
            committer: Mutex::new(committer),
            pauses: Pauses::default(),
        })
    }

    /// Writes a copy of the database to the new directory `to`, as it is at one moment during the call. On the same
    /// file system it shares the unchanging files and takes little space and time.
    ///
    /// # Errors
    /// [`AlreadyExists`](blaze_core::ErrorKind::AlreadyExists) when there is something at `to`;
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when `to` is within the database;
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn checkpoint(&self, to: &Path) -> Result<()> {
        let engine = self.engine()?;
        if fs::symlink_metadata(to).is_ok() {
            return Err(Error::already_exists(format!("{} exists already", to.display())));
        }
        marker::refuse_within(&self.path, to)?;
        let _span = tracing::info_span!("checkpoint").entered();
        engine.checkpoint(to)?;
        marker::write(to)?; // last: without it, what a crash left behind is not taken for a copy
        marker::sync_parent(to)
    }

    /// Writes everything that is in memory only into sorted files, so that the next opening has no log to replay.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn flush(&self) -> Result<()> {
        let engine = self.engine()?;
        let _span = tracing::info_span!("flush").entered();
        engine.flush()
    }

    /// Flushes, and waits until the compactions are done that earlier writes have made necessary.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn settle(&self) -> Result<()> {
        let engine = self.engine()?;
        let _span = tracing::info_span!("settle").entered();
        engine.settle()
    }

    /// Rewrites the files of a range without what was overwritten or deleted. That happens by itself, too.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn compact(&self, family: Family, range: &KeyRange) -> Result<()> {
        let engine = self.engine()?;
        let _span = tracing::info_span!("compact", family = family.name()).entered();
        engine.compact(family, range);
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn engine(&self) -> Result<MappedRwLockReadGuard<'_, Arc<Engine>>> {
        RwLockReadGuard::try_map(self.engine.read(), Option::as_ref).map_err(|_| error::closed())
    }
}

impl Store for LsmStore {
    fn read_point(&self) -> Result<Arc<dyn ReadPoint>> {
        Ok(self.handles.current()?)
    }

    fn commit(&self, request: CommitRequest) -> Result<Timestamp> {
        let engine = self.engine()?;
        request.writes.iter().try_for_each(Write::validate)?;
        if request.writes.is_empty() {
            return Ok(request.read_ts);
        }
        self.committer.lock().commit(&engine, &self.handles, request)
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
        let _span = tracing::info_span!("close").entered();
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
