//! The claim on a directory: who has it open, and whether what is in it is a database.
//!
//! The marker file carries an advisory lock, exclusive for a writer and shared among readers, which the operating
//! system releases when its process dies. (RocksDB's own lock knows no readers, and a second opening would turn its
//! information log before noticing it.) A new database is written under the lock of a marker with a temporary name; it
//! gets its name when all else is there, so that creation happens whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind as IoErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::error;
use crate::marker;
use crate::options::CreateMode;
use crate::recovery::BLANK_NAME;

/// A directory that nobody else may open, or only read: released when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    /// Holds the lock.
    marker: File,
    /// What is needed to read the database, as the marker says.
    features: Mutex<u64>,
    /// Whether the marker still has its temporary name.
    is_new: bool,
}

impl Claim {
    /// Claims the database at `path` for reading and writing. Where there is none, the claim is to a new one if `create`
    /// allows that; a directory of something else is left as it is.
    pub(crate) fn to_write(path: &Path, create: CreateMode) -> Result<Claim> {
        if !is_directory(path)? {
            allow_creation(path, create)?;
            create_directory(path)?;
            fault::reached(Point::DirectoryMade);
        }
        let name = path.join(marker::NAME);
        match OpenOptions::new().read(true).write(true).open(&name) {
            Ok(_) if create == CreateMode::MustBeNew => {
                Err(Error::already_exists(format!("{} is a Blaze database already", path.display())))
            }
            Ok(file) => Claim::existing(path, file, false),
            Err(error) if error.kind() != IoErrorKind::NotFound => Err(error::file(&name, error)),
            Err(_) if !is_unclaimed(path)? => {
                Err(Error::invalid(format!("{} is not a Blaze database: it holds other files", path.display())))
            }
            Err(_) => {
                allow_creation(path, create)?;
                Claim::begin(path, create)
            }
        }
    }

    /// Claims the database at `path` for reading, beside others that read; changes nothing there.
    pub(crate) fn to_read(path: &Path) -> Result<Claim> {
        let name = path.join(marker::NAME);
        match File::open(&name) {
            Ok(file) => Claim::existing(path, file, true),
            Err(error) if error.kind() != IoErrorKind::NotFound => Err(error::file(&name, error)),
            Err(_) if is_directory(path)? && !is_unclaimed(path)? => {
                Err(Error::invalid(format!("{} is not a Blaze database: it holds other files", path.display())))
            }
            Err(_) => Err(none_at(path)),
        }
    }

    /// Gives a new database its name: from now on it is one. Does nothing for one that was there.
    pub(crate) fn complete(&mut self) -> Result<()> {
        if self.is_new {
            marker::publish(&self.path)?;
            self.is_new = false;
        }
        Ok(())
    }

    /// What a version has to know to read the database.
    pub(crate) fn features(&self) -> u64 {
        *self.features.lock()
    }

    /// Has the marker say, durably, that these are needed to read the database, too. It is written in place, as the lock is on
    /// the file and not on its name; it is far shorter than what a disk writes as a whole.
    pub(crate) fn require(&self, features: u64) -> Result<()> {
        let mut known = self.features.lock();
        let all = *known | features;
        if all == *known {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let mut marker = &self.marker;
            marker.seek(SeekFrom::Start(0))?;
            marker.write_all(&marker::encode(all))?;
            marker.sync_all()
        };
        write().map_err(|error| error::file(&self.path.join(marker::NAME), error))?;
        fault::reached(Point::FeatureNoted);
        *known = all;
        Ok(())
    }

    fn existing(path: &Path, mut file: File, read_only: bool) -> Result<Claim> {
        lock(path, &file, read_only)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| error::file(&path.join(marker::NAME), error))?;
        marker::check(&bytes, read_only)
            .and_then(|()| check_complete(path))
            .map_err(|error| error.context(path.display()))?;
        Ok(Claim {
            path: path.to_path_buf(),
            features: Mutex::new(marker::features(&bytes)),
            marker: file,
            is_new: false,
        })
    }

    /// Writes a marker under its temporary name, or takes over what somebody left who did not finish.
    fn begin(path: &Path, create: CreateMode) -> Result<Claim> {
        let name = path.join(marker::TEMPORARY_NAME);
        // Not truncated: it may be another's, who holds its lock.
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&name);
        let mut file = opened.map_err(|error| error::file(&name, error))?;
        lock(path, &file, false)?;
        if path.join(marker::NAME).exists() {
            // Another got its database done in between. What has the temporary name now, if anything, is this file or
            // that of somebody who will find out the same.
            let _ = fs::remove_file(&name);
            drop(file);
            return Claim::to_write(path, create);
        }
        fault::reached(Point::MarkerBegun);
        let mut write = || -> io::Result<()> {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&marker::encode(0))?;
            file.sync_all()
        };
        write().map_err(|error| error::file(&name, error))?;
        let mut claim = Claim { path: path.to_path_buf(), features: Mutex::new(0), marker: file, is_new: true };
        if fault::makes(Mistake::MarkerBeforeFiles) {
            claim.complete()?;
        }
        fault::reached(Point::MarkerWritten);
        Ok(claim)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started has the file for a moment, too.
        let _ = self.marker.unlock();
    }
}

/// Takes the lock of a marker without waiting for it.
fn lock(path: &Path, marker: &File, read_only: bool) -> Result<()> {
    let locked = if read_only { marker.try_lock_shared() } else { marker.try_lock() };
    let how = match locked {
        Ok(()) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error::file(&path.join(marker::NAME), error)),
        Err(TryLockError::WouldBlock) if read_only => "is open for writing",
        // If readers would let another one in, there is no writer.
        Err(TryLockError::WouldBlock) if marker.try_lock_shared().is_ok() => "is open read-only",
        Err(TryLockError::WouldBlock) => "is open already",
    };
    Err(Error::new(ErrorKind::Locked, format!("{} {how}, here or in another process", path.display())))
}

fn allow_creation(path: &Path, create: CreateMode) -> Result<()> {
    match create {
        CreateMode::MustExist => Err(none_at(path)),
        CreateMode::OpenOrCreate | CreateMode::MustBeNew => Ok(()),
    }
}

fn none_at(path: &Path) -> Error {
    Error::not_found(format!("there is no Blaze database at {}", path.display()))
}

/// Says whether there is a directory, and refuses anything else in its place.
fn is_directory(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(Error::invalid(format!("{} is not a directory", path.display()))),
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(false),
        Err(error) => Err(error::file(path, error)),
    }
}

/// Makes a directory, with those above it that are missing, so that it is there after a power loss.
pub(crate) fn create_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_directory(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != IoErrorKind::AlreadyExists => Err(error::file(path, error)),
        _ => marker::sync_directory(parent),
    }
}

/// True for a directory without a marker in which a database may be made: an empty one, or one in which that was begun
/// and not finished. Nothing was ever committed there.
fn is_unclaimed(path: &Path) -> Result<bool> {
    let names = names(path)?;
    let begun = names.iter().any(|name| name == marker::TEMPORARY_NAME);
    let is_ours = |name: &String| name == marker::TEMPORARY_NAME || name == BLANK_NAME;
    Ok(names.is_empty() || begun && names.iter().all(|name| is_ours(name) || is_of_rocksdb(name)))
}

fn is_of_rocksdb(name: &str) -> bool {
    ["CURRENT", "IDENTITY", "LOCK", "LOG"].contains(&name)
        || ["MANIFEST-", "OPTIONS-", "LOG.old."].iter().any(|start| name.starts_with(start))
        || [".log", ".sst", ".blob", ".dbtmp"].iter().any(|end| name.ends_with(end))
}

/// Refuses a database whose files were lost: RocksDB would begin a new one in their place.
fn check_complete(path: &Path) -> Result<()> {
    match path.join("CURRENT").exists() {
        true => Ok(()),
        false => Err(Error::corruption("the file CURRENT is missing")),
    }
}

fn names(path: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| error::file(path, error))?;
    Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use blaze_core::{FEATURE_VECTOR_GRAPHS, ManualClock, Store as _};

    use super::*;
    use crate::{LsmOptions, LsmStore};

    fn options() -> LsmOptions {
        LsmOptions::new(Arc::new(ManualClock::at_ms(0)))
    }

    #[test]
    fn what_an_older_version_lacks_is_added_by_a_writer_and_asked_for_by_a_reader() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        drop(rocksdb::DB::open_default(path).unwrap()); // without our families
        marker::write_of_copy(path, 0).unwrap();
        let refused = LsmStore::open(path, options().read_only()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        assert!(refused.to_string().ends_with("open it for writing once"), "{refused}");
        LsmStore::open(path, options()).unwrap().close().unwrap();
        LsmStore::open(path, options().read_only()).unwrap();
    }

    #[test]
    fn what_is_needed_to_read_a_database_is_said_once_and_for_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        LsmStore::open(&path, options()).unwrap().close().unwrap();
        let claim = Claim::to_write(&path, CreateMode::MustExist).unwrap();
        assert_eq!(claim.features(), 0);
        claim.require(FEATURE_VECTOR_GRAPHS).unwrap();
        claim.require(0).unwrap();
        assert_eq!(claim.features(), FEATURE_VECTOR_GRAPHS);
        assert_eq!(fs::read(path.join(marker::NAME)).unwrap(), marker::encode(FEATURE_VECTOR_GRAPHS));
        assert_eq!(Claim::to_read(&path).unwrap_err().kind(), ErrorKind::Locked, "it keeps its lock");
        drop(claim);
        assert_eq!(Claim::to_read(&path).unwrap().features(), FEATURE_VECTOR_GRAPHS);
    }

    #[test]
    fn a_creation_that_was_cut_short_twice_is_gone_on_with() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        drop(Claim::to_write(&path, CreateMode::OpenOrCreate).unwrap());
        // The second time, while the torn end of a log was looked at.
        fs::create_dir(path.join(BLANK_NAME)).unwrap();
        LsmStore::open(&path, options()).unwrap().close().unwrap();
    }

    #[test]
    fn a_database_is_new_until_it_is_complete() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let claim = Claim::to_write(&path, CreateMode::MustBeNew).unwrap();
        assert_eq!(Claim::to_write(&path, CreateMode::OpenOrCreate).unwrap_err().kind(), ErrorKind::Locked);
        assert_eq!(Claim::to_read(&path).unwrap_err().kind(), ErrorKind::NotFound);
        drop(claim);
        let mut claim = Claim::to_write(&path, CreateMode::MustBeNew).unwrap();
        fs::write(path.join("CURRENT"), "").unwrap();
        claim.complete().unwrap();
        assert_eq!(Claim::to_read(&path).unwrap_err().kind(), ErrorKind::Locked, "it keeps its lock with its name");
        drop(claim);
        let readers = (Claim::to_read(&path).unwrap(), Claim::to_read(&path).unwrap());
        assert_eq!(Claim::to_write(&path, CreateMode::OpenOrCreate).unwrap_err().kind(), ErrorKind::Locked);
        drop(readers);
        Claim::to_write(&path, CreateMode::MustExist).unwrap();
    }
}
