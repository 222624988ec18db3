//! Copies of the database: backups.

use std::ops::ControlFlow;
use std::path::Path;

use blaze_core::{Error, Result};
use blaze_lsm::{Backup, BackupProgress};

use super::Database;
use crate::database::core::Storage;

impl Database {
    /// Adds a backup to the directory `to`, which is made if it is not there. Reads and commits go on meanwhile; files
    /// that earlier backups there have are not copied again. Every commit that returned before the call is in it, whole.
    ///
    /// Afterwards the backup survives power loss. What a crash leaves in the middle harms no other backup and is removed
    /// by a later one. Keep the backups on another disk than the database, and [verify](crate::Backups::verify) them.
    ///
    /// ```
    /// use blaze::{Backups, Database};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let (backups, restored) = (directory.path().join("backups"), directory.path().join("restored"));
    /// let db = Database::open(directory.path().join("app.blaze"))?;
    /// db.keyspace("settings")?.put("theme", "dark")?;
    /// let backup = db.backup(&backups)?;
    ///
    /// Backups::open(&backups)?.restore(backup.id, &restored)?;
    /// let theme = Database::open(&restored)?.keyspace("settings")?.get("theme")?;
    /// assert_eq!(theme.as_deref(), Some(b"dark".as_slice()));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when `to` is something else or within the database, or for a database in
    /// memory; [`Locked`](crate::ErrorKind::Locked) when someone else uses the backups there;
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<Backup> {
        self.backup_with(to, |_| ControlFlow::Continue(()))
    }

    /// As [`backup`](Database::backup), telling how far it has come: at the beginning and for every mebibyte of a file,
    /// not always in this thread. With [`ControlFlow::Break`] the backup ends and leaves nothing. `progress` must not
    /// close the database, which waits for the backup.
    ///
    /// # Errors
    /// As [`backup`](Database::backup), and [`Cancelled`](crate::ErrorKind::Cancelled) when `progress` asked for it.
    pub fn backup_with(
        &self,
        to: impl AsRef<Path>,
        mut progress: impl FnMut(BackupProgress) -> ControlFlow<()> + Send,
    ) -> Result<Backup> {
        match &self.core.storage {
            Storage::Directory { store, .. } => store.backup(to.as_ref(), &mut progress),
            Storage::Memory => Err(Error::invalid("a database in memory has no files to copy")),
        }
    }
}
