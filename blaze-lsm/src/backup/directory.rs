//! The directory of backups: what it says that it is, and who uses it.
//!
//! Its marker is `magic (8 bytes) | format (4) | crc32 of these (4)`, big-endian. It carries the lock, too: shared by
//! those who read backups, held alone by who writes or removes one.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind as IoErrorKind};
use std::path::{Path, PathBuf};

use blaze_core::fault::{self, Point};
use blaze_core::{Error, ErrorKind, Result};

use crate::{error, marker};

const NAME: &str = "BLAZE-BACKUPS";
/// Where the marker is written before it gets its name. A directory that holds only this counts as empty.
const TEMPORARY_NAME: &str = "BLAZE-BACKUPS.new";
const MAGIC: &[u8; 8] = b"BLAZE-BK";
const FORMAT: u32 = 1;

/// Makes sure that `path` is a directory of backups, and makes it one if it is empty or not there. A directory of
/// something else is left as it is.
pub(super) fn prepare(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(_) if !is_empty(path)? => return check(path),
        Ok(_) => {}
        Err(error) if error.kind() == IoErrorKind::NotFound => crate::directory::create_directory(path)?,
        Err(error) => return Err(error::file(path, error)),
    }
    let (temporary, name) = (path.join(TEMPORARY_NAME), path.join(NAME));
    fs::write(&temporary, encode(FORMAT))
        .and_then(|()| File::open(&temporary)?.sync_all())
        .inspect(|()| fault::reached(Point::BackupsBegun))
        .and_then(|()| fs::rename(&temporary, &name))
        .map_err(|error| error::file(&temporary, error))?;
    marker::sync_directory(path)
}

/// Makes sure that `path` is a directory of backups that this version understands.
pub(super) fn check(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => {
            return Err(Error::invalid(format!("{} is not a directory", path.display())));
        }
        Ok(_) => {}
        Err(error) if error.kind() == IoErrorKind::NotFound => {
            return Err(Error::not_found(format!("there are no backups at {}", path.display())));
        }
        Err(error) => return Err(error::file(path, error)),
    }
    let name = path.join(NAME);
    match fs::read(&name) {
        Ok(bytes) => decode(&bytes).map_err(|error| error.context(path.display())),
        Err(error) if error.kind() == IoErrorKind::NotFound => {
            Err(Error::invalid(format!("{} is not a directory of backups: it holds other files", path.display())))
        }
        Err(error) => Err(error::file(&name, error)),
    }
}

/// A hold on the directory, until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Hold(File);

impl Drop for Hold {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started has the file for a moment, too.
        let _ = self.0.unlock();
    }
}

impl Hold {
    /// For reading backups, together with other readers.
    pub(super) fn shared(path: &Path) -> Result<Hold> {
        Hold::take(path, File::try_lock_shared)
    }

    /// For writing and removing backups, alone.
    pub(super) fn alone(path: &Path) -> Result<Hold> {
        Hold::take(path, File::try_lock)
    }

    fn take(path: &Path, lock: impl Fn(&File) -> Result<(), TryLockError>) -> Result<Hold> {
        let name = path.join(NAME);
        let file = File::open(&name).map_err(|error| error::file(&name, error))?;
        match lock(&file) {
            Ok(()) => Ok(Hold(file)),
            Err(TryLockError::WouldBlock) => {
                let path = path.display();
                Err(Error::new(ErrorKind::Locked, format!("the backups at {path} are being written or read")))
            }
            Err(TryLockError::Error(error)) => Err(error::file(&name, error)),
        }
    }
}

/// Where the description of a backup lies.
pub(super) fn description(path: &Path, id: u32) -> PathBuf {
    path.join("meta").join(id.to_string())
}

/// The numbers of all backups, complete ones and damaged ones, in order.
pub(super) fn ids(path: &Path) -> Result<Vec<u32>> {
    let directory = path.join("meta");
    let names = match names(&directory) {
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(Vec::new()),
        names => names.map_err(|error| error::file(&directory, error))?,
    };
    let mut ids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    ids.sort_unstable();
    Ok(ids)
}

fn is_empty(path: &Path) -> Result<bool> {
    match fs::read_dir(path) {
        Err(error) if error.kind() == IoErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error::file(path, error)),
        Ok(_) => {
            let names = names(path).map_err(|error| error::file(path, error))?;
            Ok(names.iter().all(|name| name == TEMPORARY_NAME))
        }
    }
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn encode(format: u32) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&format.to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<()> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(Error::invalid(format!("not a directory of backups: its file {NAME} is something else's")));
    };
    let damaged = || Error::corruption(format!("the file {NAME} is damaged"));
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    let format = rest.first_chunk::<4>().ok_or_else(damaged)?;
    if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
        return Err(damaged());
    }
    match u32::from_be_bytes(*format) {
        FORMAT if rest.len() == 8 => Ok(()),
        newer if newer > FORMAT => Err(Error::invalid(format!(
            "format {newer} of backups is newer than this version of Blaze understands ({FORMAT})"
        ))),
        _ => Err(damaged()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_format_is_named() {
        assert!(decode(&encode(FORMAT)).is_ok());
        let error = decode(&encode(9)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.to_string(), "format 9 of backups is newer than this version of Blaze understands (1)");
    }

    #[test]
    fn no_damaged_byte_and_no_cut_is_accepted() {
        let good = encode(FORMAT);
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            let expected = if position < MAGIC.len() { ErrorKind::Invalid } else { ErrorKind::Corruption };
            assert_eq!(decode(&bad).unwrap_err().kind(), expected, "byte {position}");
            assert!(decode(&good[..position]).is_err(), "cut to {position} bytes");
        }
    }
}
