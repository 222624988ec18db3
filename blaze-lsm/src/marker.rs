//! The marker file, which makes a directory a Blaze database and says which versions of Blaze may open it.
//!
//! `magic (8 bytes) | format (4) | features needed to read (8) | features needed to write (8) | crc32 of these (4)`,
//! big-endian. Every later format keeps the magic, the place of its number, and a crc32 at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as IoErrorKind, Write as _};
use std::path::Path;

use blaze_core::{Error, ErrorKind, Result};

use crate::error;
use crate::options::CreateMode;

const NAME: &str = "BLAZE";
/// Where the marker is written before it gets its name. A directory that holds only this counts as empty.
const TEMPORARY_NAME: &str = "BLAZE.new";
const MAGIC: &[u8; 8] = b"BLAZE-DB";
const FORMAT: u32 = 1;
/// Bits of the features that this version knows. There are none yet.
const FEATURES: u64 = 0;
const BYTES: usize = 32;

/// Makes sure that `path` is a database that this version can open, creating the directory and its marker where
/// `create` allows it. A directory of something else is left as it is.
pub(crate) fn prepare(path: &Path, create: CreateMode) -> Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => {
            return Err(Error::invalid(format!("{} is not a directory", path.display())));
        }
        Ok(_) => {}
        Err(error) if error.kind() == IoErrorKind::NotFound => return create_at(path, create),
        Err(error) => return Err(error::file(path, error)),
    }
    let marker = path.join(NAME);
    match fs::read(&marker) {
        Ok(_) if create == CreateMode::MustBeNew => {
            Err(Error::already_exists(format!("{} is a Blaze database already", path.display())))
        }
        Ok(bytes) => check(&bytes).and_then(|()| check_complete(path)).map_err(|error| error.context(path.display())),
        Err(error) if error.kind() != IoErrorKind::NotFound => Err(error::file(&marker, error)),
        Err(_) if is_empty(path)? => create_at(path, create),
        Err(_) => Err(Error::invalid(format!("{} is not a Blaze database: it holds other files", path.display()))),
    }
}

/// Refuses a directory that is there and is no database, or one of a newer version. A marker that is damaged or lost is
/// let pass: the rest may be readable.
pub(crate) fn check_damaged(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return Err(Error::not_found(format!("there is no directory {}", path.display())));
    }
    let marker = fs::read(path.join(NAME)).unwrap_or_default();
    match check(&marker) {
        Err(error) if marker.starts_with(MAGIC) && error.kind() == ErrorKind::Invalid => {
            Err(error.context(path.display()))
        }
        _ if path.join("CURRENT").exists() => Ok(()),
        _ => Err(Error::invalid(format!("{} is not a Blaze database: it has no file CURRENT", path.display()))),
    }
}

/// Writes the marker of a directory so that it is there, whole, after a power loss.
pub(crate) fn write(path: &Path) -> Result<()> {
    let (temporary, marker) = (path.join(TEMPORARY_NAME), path.join(NAME));
    let write = || {
        // Not truncated: two that create the same database at once write the same bytes.
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&temporary)?;
        file.write_all(&encode(FORMAT, FEATURES, FEATURES))?;
        file.sync_all()
    };
    write().map_err(|error| error::file(&temporary, error))?;
    match fs::rename(&temporary, &marker) {
        Err(error) if !(error.kind() == IoErrorKind::NotFound && marker.exists()) => Err(error::file(&marker, error)),
        _ => sync_directory(path),
    }
}

/// Refuses to put something new at `place` if that is within `directory`, which is there and has an order of its own.
pub(crate) fn refuse_within(directory: &Path, place: &Path) -> Result<()> {
    let directory = fs::canonicalize(directory).map_err(|error| error::file(directory, error))?;
    // The nearest part of the place that exists tells where the rest will be.
    let parts = place.ancestors().map(|part| if part.as_os_str().is_empty() { Path::new(".") } else { part });
    match parts.filter_map(|part| fs::canonicalize(part).ok()).next() {
        Some(part) if part.starts_with(&directory) => {
            Err(Error::invalid(format!("{} is within {}", place.display(), directory.display())))
        }
        _ => Ok(()),
    }
}

/// Makes the name of a file or directory durable in the directory that it is in.
pub(crate) fn sync_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Makes what was created and renamed in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<()> {
    // Only POSIX systems can, and need to.
    match cfg!(unix) {
        true => File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| error::file(path, error)),
        false => Ok(()),
    }
}

fn create_at(path: &Path, create: CreateMode) -> Result<()> {
    if create == CreateMode::MustExist {
        return Err(Error::not_found(format!("there is no Blaze database at {}", path.display())));
    }
    create_directory(path)?;
    write(path)
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
        _ => sync_directory(parent),
    }
}

fn is_empty(path: &Path) -> Result<bool> {
    Ok(names(path)?.iter().all(|name| name == TEMPORARY_NAME))
}

/// Refuses a database whose files were lost: RocksDB would begin a new one in their place.
fn check_complete(path: &Path) -> Result<()> {
    let names = names(path)?;
    let is_data = |name: &String| name.starts_with("MANIFEST-") || name.ends_with(".sst") || name.ends_with(".blob");
    match names.iter().any(|name| name == "CURRENT") || !names.iter().any(is_data) {
        true => Ok(()),
        false => Err(Error::corruption("the file CURRENT is missing")),
    }
}

fn names(path: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| error::file(path, error))?;
    Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

fn encode(format: u32, read_features: u64, write_features: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&format.to_be_bytes());
    bytes.extend_from_slice(&read_features.to_be_bytes());
    bytes.extend_from_slice(&write_features.to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

fn check(bytes: &[u8]) -> Result<()> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(Error::invalid(format!("not a Blaze database: its file {NAME} is something else's")));
    };
    let damaged = || Error::new(ErrorKind::Corruption, format!("the file {NAME} is damaged"));
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
        return Err(damaged());
    }
    let format = u32::from_be_bytes(*format);
    if format > FORMAT {
        return Err(Error::invalid(format!(
            "format {format} is newer than this version of Blaze understands ({FORMAT})"
        )));
    }
    let (read, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    let (write, _) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    let unknown = (u64::from_be_bytes(*read) | u64::from_be_bytes(*write)) & !FEATURES;
    match bytes.len() == BYTES && format == FORMAT {
        false => Err(damaged()),
        true if unknown != 0 => {
            Err(Error::invalid(format!("it uses features {unknown:#x}, which this version of Blaze does not know")))
        }
        true => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_accepted() {
        assert!(check(&encode(FORMAT, FEATURES, FEATURES)).is_ok());
    }

    #[test]
    fn a_newer_format_is_named() {
        let error = check(&encode(9, 0, 0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.to_string(), "format 9 is newer than this version of Blaze understands (1)");
    }

    #[test]
    fn unknown_features_are_named() {
        let error = check(&encode(FORMAT, 0, 4)).unwrap_err();
        assert_eq!(error.to_string(), "it uses features 0x4, which this version of Blaze does not know");
    }

    #[test]
    fn no_damaged_byte_and_no_cut_is_accepted() {
        let good = encode(FORMAT, FEATURES, FEATURES);
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            let expected = if position < MAGIC.len() { ErrorKind::Invalid } else { ErrorKind::Corruption };
            assert_eq!(check(&bad).unwrap_err().kind(), expected, "byte {position}");
            assert!(check(&good[..position]).is_err(), "cut to {position} bytes");
        }
    }
}
