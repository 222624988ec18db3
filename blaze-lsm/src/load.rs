//! Bulk load: sorted files are written beside those of the database and become a part of it as they are.

use std::fmt;
use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze_core::fault::{self, Point};
use blaze_core::{Error, Family, Result};

use crate::commit::Pipeline;
use crate::error;
use crate::ffi::SortedFile;
use crate::handles::Handles;
use crate::options::LsmOptions;

/// How the names of files begin that are not yet a part of the database. RocksDB has none of this kind.
const NAME_PREFIX: &str = "LOAD-";

/// Bytes of one file, as of those that compaction writes.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Files that are taken in at once, while commits wait.
const FILES_AT_ONCE: usize = 8;

/// Keys and values on their way into a store, past its log and its memory.
///
/// They are written to sorted files, with the compression and the filters of the last level. [`finish`](SortedLoad::finish)
/// moves those files into the database. Dropped before that, they are deleted; after a crash the next opening does it.
///
/// This is no commit: it has no timestamp, conflicts with nobody, and older read points see what it brings. It is for
/// ranges of keys that no one knows of yet, and a commit that tells of them follows.
///
/// ```
/// use std::sync::Arc;
/// use blaze_core::{Family, ManualClock, Store};
/// use blaze_lsm::{LsmOptions, LsmStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// let store = LsmStore::open(directory.path(), LsmOptions::new(Arc::new(ManualClock::at_ms(1_000))))?;
/// let mut load = store.load(Family::Data)?;
/// for n in 0..1_000_u32 {
///     load.put(&n.to_be_bytes(), b"value")?;
/// }
/// load.finish()?;
/// assert!(store.read_point()?.get(Family::Data, &7_u32.to_be_bytes())?.is_some());
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is loaded before finish"]
pub struct SortedLoad {
    directory: PathBuf,
    family: Family,
    options: LsmOptions,
    /// Not the engine: a load that goes on for long must not keep the store from being closed.
    handles: Arc<Handles>,
    pipeline: Arc<Pipeline>,
    /// The last of `files`, until it is complete.
    open: Option<SortedFile>,
    files: Vec<PathBuf>,
    first: Option<Vec<u8>>,
    last: Vec<u8>,
    /// First and last keys of the loads that have joined this one.
    joined: Vec<(Vec<u8>, Vec<u8>)>,
}

impl SortedLoad {
    pub(crate) fn new(
        directory: &Path,
        family: Family,
        options: LsmOptions,
        handles: Arc<Handles>,
        pipeline: Arc<Pipeline>,
    ) -> SortedLoad {
        SortedLoad {
            directory: directory.to_path_buf(),
            family,
            options,
            handles,
            pipeline,
            open: None,
            files: Vec::new(),
            first: None,
            last: Vec::new(),
            joined: Vec::new(),
        }
    }

    /// Where the keys go.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Adds a key and its value.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when the key is empty or not above the one before it: the load is as
    /// it was; [`Unavailable`](blaze_core::ErrorKind::Unavailable); [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.handles.check_open()?;
        if key <= self.last.as_slice() {
            let (key, last) = (key.escape_ascii(), self.last.escape_ascii());
            return Err(Error::invalid(format!("keys must ascend, and \"{key}\" comes after \"{last}\"")));
        }
        if self.open.as_ref().is_some_and(|file| file.bytes() >= FILE_BYTES) {
            self.complete_file()?;
        }
        self.file()?.put(key, value)?;
        self.first.get_or_insert_with(|| key.to_vec());
        self.last.clear();
        self.last.extend_from_slice(key);
        Ok(())
    }

    /// Completes the files and makes them durable, so that [`finish`](SortedLoad::finish) has less to do.
    ///
    /// # Errors
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn complete(&mut self) -> Result<()> {
        self.complete_file()
    }

    /// Has the keys of `other`, a load of the same family of the same store, become a part of the store together with these.
    /// Both are completed. No key of one is between the first and the last of the other.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a load of another family, or of keys that are among these;
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn join(&mut self, mut other: SortedLoad) -> Result<()> {
        self.complete()?;
        other.complete()?;
        if other.family != self.family || !Arc::ptr_eq(&other.handles, &self.handles) {
            return Err(Error::invalid("two loads that are not of one family of one store cannot be joined"));
        }
        let Some(first) = other.first.take() else { return Ok(()) };
        let meets = |from: &[u8], to: &[u8]| *from <= *other.last && *first <= *to;
        let own = self.first.as_ref().map(|first| (first, &self.last));
        let joined = self.joined.iter().map(|(first, last)| (first, last));
        if own.into_iter().chain(joined).any(|(from, to)| meets(from, to)) {
            let [first, last] = [&first, &other.last].map(|key| key.escape_ascii());
            return Err(Error::invalid(format!("another load has keys from \"{first}\" to \"{last}\"")));
        }
        self.joined.push((first, mem::take(&mut other.last)));
        self.joined.append(&mut other.joined);
        self.files.append(&mut other.files);
        Ok(())
    }

    /// Makes all keys a part of the store, durably. Everything committed before is made durable first. Commits go on, but
    /// wait while some of the files are taken in, a few milliseconds each time.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when there is a key in the store from the first to the last of the new
    /// ones: nothing was loaded; [`Unavailable`](blaze_core::ErrorKind::Unavailable) and
    /// [`Closed`](blaze_core::ErrorKind::Closed): some of it may have been.
    pub fn finish(mut self) -> Result<()> {
        self.complete_file()?;
        let own = self.first.take().map(|first| (first, mem::take(&mut self.last)));
        let ranges: Vec<_> = own.into_iter().chain(self.joined.drain(..)).collect();
        if ranges.is_empty() {
            return Ok(());
        }
        fault::reached(Point::LoadFilesWritten);
        let engine = self.handles.engine()?;
        // What tells of the range must not be lost while the range stays: its number would be given out again.
        self.pipeline.sync(&engine)?;
        for (first, last) in &ranges {
            if let Some(key) = engine.first_key_from(self.family, first)?.filter(|key| key <= last) {
                let [key, first, last] = [&key, first, last].map(|key| key.escape_ascii());
                return Err(Error::invalid(format!("there is a key \"{key}\" from \"{first}\" to \"{last}\" already")));
            }
        }
        self.files.chunks(FILES_AT_ONCE).try_for_each(|files| {
            self.pipeline.exclusively(&engine, |engine| {
                engine.check_healthy()?;
                engine.ingest(self.family, files)
            })?;
            fault::reached(Point::LoadFilesTaken);
            Ok(())
        })
    }

    /// The file that is being written.
    fn file(&mut self) -> Result<&mut SortedFile> {
        if self.open.is_none() {
            let path = new_file(&self.directory);
            self.files.push(path.clone());
            self.open = Some(SortedFile::create(&path, self.options.sorted_file(self.family)?)?);
        }
        self.open.as_mut().ok_or_else(|| Error::internal("a file was just created"))
    }

    fn complete_file(&mut self) -> Result<()> {
        self.open.take().map_or(Ok(()), SortedFile::finish)
    }
}

impl fmt::Debug for SortedLoad {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SortedLoad").field("family", &self.family).field("files", &self.files).finish_non_exhaustive()
    }
}

impl Drop for SortedLoad {
    fn drop(&mut self) {
        self.open = None;
        if self.handles.check_open().is_err() {
            return; // another process may have the directory, and a file of that name; whoever opens it clears up
        }
        for file in &self.files {
            // Those that became a part of the database are gone. What else stays, the next opening removes.
            let _ = fs::remove_file(file);
        }
    }
}

/// A name in a directory for a file that is not yet, or never becomes, a part of the database.
pub(crate) fn new_file(directory: &Path) -> PathBuf {
    /// Loads of one process never share a name, whatever stores they belong to.
    static NEXT: AtomicU64 = AtomicU64::new(0);

    directory.join(format!("{NAME_PREFIX}{:06}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Deletes the files of loads that a crash has ended.
pub(crate) fn remove_left_behind(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(|error| error::file(directory, error))? {
        let entry = entry.map_err(|error| error::file(directory, error))?;
        if entry.file_name().to_string_lossy().starts_with(NAME_PREFIX) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != IoErrorKind::NotFound => return Err(error::file(&entry.path(), error)),
                _ => fault::reached(Point::LeftFileRemoved),
            }
        }
    }
    Ok(())
}
