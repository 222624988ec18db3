//! Backups: a directory that holds a database as it was at several moments, each restorable by itself.
//!
//! RocksDB's backup engine copies the files, shares those that do not change between backups, and checks what it
//! restores. Here is added what the directory is, who may use it, which commits a backup contains, and the
//! verification of its checksums.

mod description;
mod directory;

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use blaze_core::fault::{self, Point};
use blaze_core::{Error, Result, Store as _, Timestamp};

use self::description::Description;
use self::directory::Hold;
use crate::ffi::{BackupEngine, REPORT_BYTES};
use crate::store::LsmStore;
use crate::{error, manifest, marker};

/// A database as it was at one moment, in a directory of [`Backups`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backup {
    /// Its number: one above that of the last backup in the directory.
    pub id: u32,
    /// Every commit up to this one is in it. So may be some that came while it was written: all up to some moment.
    pub commit_ts: Timestamp,
    /// Bytes of its files, those included that it shares with other backups.
    pub bytes: u64,
    /// How many files it has, those included that it shares with other backups.
    pub files: u64,
    /// What is wrong, if it can be told without reading the files. Such a backup cannot be restored, and what the
    /// fields above say of it may be zero.
    pub damage: Option<String>,
}

/// How far the writing of a backup has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BackupProgress {
    /// Bytes that were copied, rounded down for each file.
    pub bytes: u64,
}

/// The backups in a directory. A handle keeps nothing open: each call looks at what is there.
///
/// Those who list, verify and restore share the directory; who writes or removes a backup has it alone, and meanwhile
/// the others are answered [`Locked`](blaze_core::ErrorKind::Locked).
#[derive(Clone, Debug)]
pub struct Backups {
    path: PathBuf,
}

impl Backups {
    /// The backups in the directory `path`, into which some backup was written before.
    ///
    /// # Errors
    /// [`NotFound`](blaze_core::ErrorKind::NotFound) when nothing is there; [`Invalid`](blaze_core::ErrorKind::Invalid)
    /// when something else is, or backups of a newer version; [`Corruption`](blaze_core::ErrorKind::Corruption) when
    /// the file is damaged that says what the directory is; [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn open(path: impl AsRef<Path>) -> Result<Backups> {
        let path = path.as_ref().to_path_buf();
        directory::check(&path)?;
        Ok(Backups { path })
    }

    /// All backups, the oldest first. Reads their descriptions, not their files.
    ///
    /// # Errors
    /// [`Locked`](blaze_core::ErrorKind::Locked); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn list(&self) -> Result<Vec<Backup>> {
        let _hold = Hold::shared(&self.path)?;
        directory::ids(&self.path)?.into_iter().map(|id| self.look_at(id)).collect()
    }

    /// Reads all files of a backup and compares them with their checksums.
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) with the name of the first file that is damaged or missing;
    /// [`NotFound`](blaze_core::ErrorKind::NotFound) when there is no such backup;
    /// [`Locked`](blaze_core::ErrorKind::Locked); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn verify(&self, id: u32) -> Result<()> {
        let _hold = Hold::shared(&self.path)?;
        let description = self.describe(id)?;
        description.files.iter().try_for_each(|file| file.verify(&self.path)).map_err(|error| self.of(id, error))
    }

    /// Makes a database of a backup, in the new directory `to`. Every file is checked on the way. What a crash leaves
    /// behind in the middle does not open as a database; once this returns, it survives a loss of power.
    ///
    /// Opened for writing, it gets a replica id of its own, so that it and the original never make the same automatic id.
    ///
    /// # Errors
    /// [`AlreadyExists`](blaze_core::ErrorKind::AlreadyExists) when there is something at `to`;
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when `to` is within the directory of backups;
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) when a file is damaged or missing, and then nothing is left
    /// at `to`; [`NotFound`](blaze_core::ErrorKind::NotFound) when there is no such backup;
    /// [`Locked`](blaze_core::ErrorKind::Locked); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn restore(&self, id: u32, to: impl AsRef<Path>) -> Result<()> {
        let to = to.as_ref();
        let _hold = Hold::shared(&self.path)?;
        self.describe(id)?;
        if fs::symlink_metadata(to).is_ok() {
            return Err(Error::already_exists(format!("{} exists already", to.display())));
        }
        marker::refuse_within(&self.path, to)?;
        tracing::info!(id, "restoring a backup");
        crate::directory::create_directory(to)?;
        fault::reached(Point::RestoreBegun);
        let restored = BackupEngine::open(&self.path, None).and_then(|mut engine| engine.restore(id, to));
        fault::reached(Point::FilesRestored);
        // The marker comes last: without it, what a crash left behind is not taken for a database.
        // It says that all is needed that this version knows: a backup does not tell.
        restored
            .and_then(|()| manifest::note(to))
            .and_then(|()| marker::write_of_copy(to, marker::READ_FEATURES))
            .map_err(|error| {
                let _ = fs::remove_dir_all(to); // the first error is the one to be told
                self.of(id, error)
            })
    }

    /// Removes a backup, and its files but for those that others share. When it is the last one, its number will be
    /// given again.
    ///
    /// # Errors
    /// [`NotFound`](blaze_core::ErrorKind::NotFound) when there is no such backup;
    /// [`Locked`](blaze_core::ErrorKind::Locked); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn delete(&self, id: u32) -> Result<()> {
        let _hold = Hold::alone(&self.path)?;
        match directory::ids(&self.path)?.contains(&id) {
            true => self.remove(&[id]),
            false => Err(self.no_such(id)),
        }
    }

    /// Removes all backups but the newest `count`, damaged ones included, and answers the numbers of the removed.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when `count` is 0; [`Locked`](blaze_core::ErrorKind::Locked);
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn keep_last(&self, count: usize) -> Result<Vec<u32>> {
        if count == 0 {
            return Err(Error::invalid("0 backups would be kept, at least 1 is needed"));
        }
        let _hold = Hold::alone(&self.path)?;
        let mut ids = directory::ids(&self.path)?;
        ids.truncate(ids.len().saturating_sub(count));
        self.remove(&ids)?;
        Ok(ids)
    }

    /// Removes the descriptions first: without them the rest is garbage, now or after a crash.
    fn remove(&self, ids: &[u32]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        for id in ids {
            let path = directory::description(&self.path, *id);
            fs::remove_file(&path).map_err(|error| error::file(&path, error))?;
        }
        marker::sync_directory(&self.path.join("meta"))?;
        fault::reached(Point::BackupForgotten);
        BackupEngine::open(&self.path, None)?.collect_garbage()
    }

    fn look_at(&self, id: u32) -> Result<Backup> {
        let damaged = |error: Error| Backup {
            id,
            commit_ts: Timestamp::ZERO,
            bytes: 0,
            files: 0,
            damage: Some(error.to_string()),
        };
        let description = match self.describe(id) {
            Err(error) if error.kind() == blaze_core::ErrorKind::Corruption => return Ok(damaged(error)),
            description => description?,
        };
        let mut bytes = 0;
        for file in &description.files {
            let path = self.path.join(&file.name);
            match fs::metadata(&path) {
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == IoErrorKind::NotFound => {
                    return Ok(damaged(Error::corruption(format!("the file {} is missing", file.name))));
                }
                Err(error) => return Err(error::file(&path, error)),
            }
        }
        let (commit_ts, files) = (description.commit_ts, description.files.len() as u64);
        Ok(Backup { id, commit_ts, bytes, files, damage: None })
    }

    fn describe(&self, id: u32) -> Result<Description> {
        let path = directory::description(&self.path, id);
        match fs::read(&path) {
            Ok(bytes) => Description::parse(&bytes).map_err(|error| self.of(id, error)),
            Err(error) if error.kind() == IoErrorKind::NotFound => Err(self.no_such(id)),
            Err(error) => Err(error::file(&path, error)),
        }
    }

    fn no_such(&self, id: u32) -> Error {
        Error::not_found(format!("there is no backup {id} at {}", self.path.display()))
    }

    fn of(&self, id: u32, error: Error) -> Error {
        error.context(format!("backup {id} at {}", self.path.display()))
    }
}

impl LsmStore {
    /// Adds a backup to the directory `to`, which is made if it is not there. Reads and commits go on meanwhile;
    /// files that earlier backups have are not copied again. Afterwards it survives power loss, and what a crash
    /// leaves in the middle harms no other backup and is removed later.
    ///
    /// `progress` is called at the beginning and for every mebibyte of a file, not always in this thread; with
    /// [`ControlFlow::Break`] it ends the backup. It must not close the store, which waits for the backup.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) when `to` is something else or within the database;
    /// [`Locked`](blaze_core::ErrorKind::Locked) when someone uses the backups there;
    /// [`Cancelled`](blaze_core::ErrorKind::Cancelled) when `progress` asked for it;
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable).
    pub fn backup(
        &self,
        to: &Path,
        progress: &mut (dyn FnMut(BackupProgress) -> ControlFlow<()> + Send),
    ) -> Result<Backup> {
        let engine = self.engine()?;
        engine.check_healthy()?;
        marker::refuse_within(self.path(), to)?;
        directory::prepare(to)?;
        let _hold = Hold::alone(to)?;
        let mut bytes = 0;
        let mut report = || {
            fault::reached(Point::BackupGoesOn);
            let flow = progress(BackupProgress { bytes });
            bytes += REPORT_BYTES;
            flow
        };
        if report().is_break() {
            return Err(Error::cancelled("the backup was stopped by its caller"));
        }
        // Whatever is visible now was written to the log before, which is copied with the files.
        let commit_ts = self.read_point()?.ts();
        let mut backups = BackupEngine::open(to, self.environment().interposed())?;
        let id = backups.create(&engine, &description::metadata(commit_ts), &mut report)?;
        fault::reached(Point::BackupCompleted);
        tracing::info!(id, "wrote a backup");
        Backups { path: to.to_path_buf() }.look_at(id)
    }
}
