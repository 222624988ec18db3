//! Where a life keeps what, and how that is removed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::Result;

/// The extension of a directory that is being removed.
pub const GONE: &str = "gone";

/// Where a life keeps what.
#[derive(Clone, Debug)]
pub struct Places(pub PathBuf);

impl Places {
    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("db")
    }

    /// Its backups.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.0.join("backups")
    }

    /// What a child restores until it is killed.
    #[must_use]
    pub fn restored(&self) -> PathBuf {
        self.0.join("restored")
    }

    /// A checkpoint that is salvaged.
    #[must_use]
    pub fn damaged(&self) -> PathBuf {
        self.0.join("damaged")
    }

    /// What is salvaged of it.
    #[must_use]
    pub fn salvaged(&self) -> PathBuf {
        self.0.join("salvaged")
    }

    /// The checkpoints, below.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }
}

/// Removes a directory, if it is there. A death amid it leaves nothing of the name, which could pass for damaged.
///
/// # Errors
/// Those of the system.
pub fn remove(path: &Path) -> Result<()> {
    let gone = path.with_extension(GONE);
    remove_in_place(&gone)?;
    match fs::rename(path, &gone) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        renamed => {
            renamed?;
            path.parent().map_or(Ok(()), sync_directory)?;
            remove_in_place(&gone)
        }
    }
}

/// Makes what was made and renamed in a directory survive a loss of power.
///
/// # Errors
/// Those of the system.
pub fn sync_directory(path: &Path) -> Result<()> {
    match cfg!(unix) {
        true => Ok(fs::File::open(path)?.sync_all()?),
        false => Ok(()),
    }
}

fn remove_in_place(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
