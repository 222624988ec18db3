//! The marker file, which makes a directory a Blaze database and says which versions of Blaze may open it.
//!
//! `magic (8 bytes) | format (4) | features needed to read (8) | features needed to write (8) | crc32 of these (4)`,
//! big-endian. Every later format keeps the magic, the place of its number, and a crc32 at the end.
//!
//! A version that stores something new in a way that older ones would misread sets a bit that is needed to read; if
//! they would only spoil it, one that is needed to write. The format number changes when bits do not do.
//!
//! Beside the marker of a copy stands an empty file, until the copy got what tells it from the original.

use std::fs::{self, File};
use std::io::ErrorKind as IoErrorKind;
use std::path::Path;

use blaze_core::fault::{self, Point};
use blaze_core::{Error, ErrorKind, FEATURE_TEXT_INDEXES, FEATURE_VECTOR_GRAPHS, Result};

use crate::error;

pub(crate) const NAME: &str = "BLAZE";
/// The name of a marker until all that it stands for is there.
pub(crate) const TEMPORARY_NAME: &str = "BLAZE.new";
/// The name of the file that says that a database is a copy of another one.
const COPY_NAME: &str = "BLAZE.copy";
const MAGIC: &[u8; 8] = b"BLAZE-DB";
const FORMAT: u32 = 1;
/// Bits of the features that this version can read. A database has those that it needs.
pub(crate) const READ_FEATURES: u64 = FEATURE_VECTOR_GRAPHS | FEATURE_TEXT_INDEXES;
/// Bits of the features that this version can keep intact when it writes. There are none yet.
const WRITE_FEATURES: u64 = 0;
const BYTES: usize = 32;

/// Writes the marker of a copy that needs `features` to be read in a directory that nobody else knows of, so that it is there, whole, after a power loss.
pub(crate) fn write_of_copy(path: &Path, features: u64) -> Result<()> {
    let copy = path.join(COPY_NAME);
    // Before the marker: a copy must never be taken for the original.
    File::create(&copy).and_then(|file| file.sync_all()).map_err(|error| error::file(&copy, error))?;
    sync_directory(path)?;
    fault::reached(Point::CopyNoted);
    let temporary = path.join(TEMPORARY_NAME);
    let written = fs::write(&temporary, encode(features)).and_then(|()| File::open(&temporary)?.sync_all());
    written.map_err(|error| error::file(&temporary, error))?;
    publish(path)
}

/// True if a database is a copy that nothing tells from the original yet.
pub(crate) fn is_of_copy(path: &Path) -> Result<bool> {
    let copy = path.join(COPY_NAME);
    fs::exists(&copy).map_err(|error| error::file(&copy, error))
}

/// Ends being a copy.
pub(crate) fn become_original(path: &Path) -> Result<()> {
    let copy = path.join(COPY_NAME);
    match fs::remove_file(&copy) {
        Err(error) if error.kind() != IoErrorKind::NotFound => Err(error::file(&copy, error)),
        _ => sync_directory(path),
    }
}

/// Gives a marker that is complete and synced its name.
pub(crate) fn publish(path: &Path) -> Result<()> {
    let marker = path.join(NAME);
    fs::rename(path.join(TEMPORARY_NAME), &marker).map_err(|error| error::file(&marker, error))?;
    fault::reached(Point::MarkerNamed);
    sync_directory(path)
}

/// Refuses a directory that is there and is no database, or one of a newer version. A marker that is damaged or lost is
/// let pass: the rest may be readable.
pub(crate) fn check_damaged(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return Err(Error::not_found(format!("there is no directory {}", path.display())));
    }
    let marker = fs::read(path.join(NAME)).unwrap_or_default();
    match check(&marker, true) {
        Err(error) if marker.starts_with(MAGIC) && error.kind() == ErrorKind::Invalid => {
            Err(error.context(path.display()))
        }
        _ if path.join("CURRENT").exists() => Ok(()),
        _ => Err(Error::invalid(format!("{} is not a Blaze database: it has no file CURRENT", path.display()))),
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

/// The marker of a database of this version that needs `features` to be read.
pub(crate) fn encode(features: u64) -> Vec<u8> {
    encode_as(FORMAT, features, WRITE_FEATURES)
}

/// What is needed to read the database of a marker that this version may open.
pub(crate) fn features(bytes: &[u8]) -> u64 {
    let features = bytes.get(MAGIC.len() + 4..).and_then(|rest| rest.first_chunk::<8>());
    features.map_or(0, |features| u64::from_be_bytes(*features))
}

fn encode_as(format: u32, read_features: u64, write_features: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&format.to_be_bytes());
    bytes.extend_from_slice(&read_features.to_be_bytes());
    bytes.extend_from_slice(&write_features.to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

/// Says whether this version may open a database with this marker, for reading or for writing, too.
pub(crate) fn check(bytes: &[u8], read_only: bool) -> Result<()> {
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
    if bytes.len() != BYTES || format != FORMAT {
        return Err(damaged());
    }
    let unknown_to_read = u64::from_be_bytes(*read) & !READ_FEATURES;
    let unknown_to_write = u64::from_be_bytes(*write) & !WRITE_FEATURES;
    match (unknown_to_read, unknown_to_write) {
        (0, 0) => Ok(()),
        (0, _) if read_only => Ok(()),
        (0, bits) => Err(Error::invalid(format!(
            "it uses features {bits:#x}, which this version of Blaze does not know how to write: open it read-only"
        ))),
        (bits, _) => {
            Err(Error::invalid(format!("it uses features {bits:#x}, which this version of Blaze does not know")))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(bytes: &[u8], read_only: bool) -> Option<String> {
        check(bytes, read_only).err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_accepted() {
        for features in [0, READ_FEATURES] {
            let marker = encode(features);
            assert_eq!(
                (refusal(&marker, false), refusal(&marker, true), super::features(&marker)),
                (None, None, features)
            );
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        for read_only in [false, true] {
            let error = check(&encode_as(9, 0, 0), read_only).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert_eq!(error.to_string(), "format 9 is newer than this version of Blaze understands (1)");
        }
    }

    #[test]
    fn an_unknown_feature_of_reading_closes_the_database() {
        let expected = Some("it uses features 0x4, which this version of Blaze does not know".to_owned());
        assert_eq!(refusal(&encode_as(FORMAT, 4, 0), false), expected);
        assert_eq!(refusal(&encode_as(FORMAT, 4, 0), true), expected);
        assert_eq!(refusal(&encode_as(FORMAT, 4, 8), true), expected);
    }

    #[test]
    fn an_unknown_feature_of_writing_leaves_it_open_to_readers() {
        let marker = encode_as(FORMAT, 0, 0x10);
        assert_eq!(refusal(&marker, true), None);
        let error = check(&marker, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("features 0x10"), "{error}");
        assert!(error.to_string().ends_with("open it read-only"), "{error}");
    }

    #[test]
    fn no_damaged_byte_and_no_cut_is_accepted() {
        let good = encode(READ_FEATURES);
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            let expected = if position < MAGIC.len() { ErrorKind::Invalid } else { ErrorKind::Corruption };
            assert_eq!(check(&bad, true).unwrap_err().kind(), expected, "byte {position}");
            assert!(check(&good[..position], true).is_err(), "cut to {position} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(tail in prop::collection::vec(any::<u8>(), 0..64), sealed in any::<bool>()) {
            let mut bytes = [MAGIC.as_slice(), &tail].concat();
            if sealed {
                bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
            }
            let of_ours = bytes == encode(0) || bytes == encode(READ_FEATURES);
            prop_assert_eq!(check(&bytes, false).is_ok(), of_ours);
        }
    }
}
