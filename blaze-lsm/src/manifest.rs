//! How long the manifest is at least, noted beside it, so that one that lost its end is not taken for an earlier one.
//!
//! RocksDB's manifest says which files are the database. It is a log to which RocksDB appends, and whose torn end RocksDB
//! passes over, as a power loss may leave one. But if what was appended and synced is lost later, RocksDB opens the
//! database as it was before, without what was flushed since, and removes the files that it does not know any more. So
//! whoever closes or copies a database notes the name of the manifest, its length, and a checksum. As manifests only grow
//! and never change, a note stays true however old it is: nobody has to remove it, and one that is lost or damaged
//! is none.
//!
//! `crc32 of what follows (4 bytes) | length (8) | crc32 of so many bytes of the manifest (4) | its name`, big-endian.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use blaze_core::{Error, Result};

use crate::log::endless_at;
use crate::{error, marker};

/// The name of the note.
const NAME: &str = "BLAZE.manifest";
/// Its name until it is whole.
const TEMPORARY_NAME: &str = "BLAZE.manifest.new";
/// The file that names the manifest.
const CURRENT: &str = "CURRENT";

/// Notes how long the manifest is, which nobody writes to meanwhile.
pub(crate) fn note(path: &Path) -> Result<()> {
    let named = path.join(CURRENT);
    let name = fs::read(&named).map_err(|error| error::file(&named, error))?;
    let name = name.trim_ascii_end();
    let manifest = path.join(String::from_utf8_lossy(name).as_ref());
    // All of it is synced: RocksDB does that with each record, and nobody writes any more.
    let bytes = fs::read(&manifest).map_err(|error| error::file(&manifest, error))?;
    let temporary = path.join(TEMPORARY_NAME);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(&encode(name, &bytes))?;
        file.sync_all()
    });
    written.map_err(|error| error::file(&temporary, error))?;
    fs::rename(&temporary, path.join(NAME)).map_err(|error| error::file(&temporary, error))?;
    marker::sync_directory(path)
}

/// Refuses a manifest that RocksDB would never end reading.
pub(crate) fn refuse_endless(path: &Path) -> Result<()> {
    let Ok(name) = fs::read(path.join(CURRENT)) else { return Ok(()) }; // which RocksDB misses, as it does a manifest
    let manifest = path.join(String::from_utf8_lossy(name.trim_ascii_end()).as_ref());
    match fs::read(&manifest).ok().and_then(|bytes| endless_at(&bytes)) {
        None => Ok(()),
        Some(at) => Err(Error::corruption(format!("{} is damaged at byte {at}", manifest.display()))),
    }
}

/// Refuses a manifest that is not what was noted, with more behind it at most.
pub(crate) fn check(path: &Path) -> Result<()> {
    let Ok(note) = fs::read(path.join(NAME)) else { return Ok(()) };
    let Some((length, checksum, name)) = decode(&note) else { return Ok(()) };
    let current = fs::read(path.join(CURRENT)).unwrap_or_default();
    if current.trim_ascii_end() != name {
        return Ok(()); // it is of an earlier one; one that is not there RocksDB misses
    }
    let manifest = path.join(String::from_utf8_lossy(name).as_ref());
    let Ok(bytes) = fs::read(&manifest) else { return Ok(()) };
    let noted = usize::try_from(length).ok().and_then(|length| bytes.get(..length));
    match noted {
        Some(noted) if crc32fast::hash(noted) == checksum => Ok(()),
        Some(_) => Err(Error::corruption(format!("{} is damaged", manifest.display()))),
        None => Err(Error::corruption(format!(
            "{} has {} bytes of at least {length}: its end is lost",
            manifest.display(),
            bytes.len()
        ))),
    }
}

fn encode(name: &[u8], manifest: &[u8]) -> Vec<u8> {
    let length = manifest.len() as u64;
    let body = [&length.to_be_bytes()[..], &crc32fast::hash(manifest).to_be_bytes(), name].concat();
    [&crc32fast::hash(&body).to_be_bytes()[..], &body].concat()
}

fn decode(note: &[u8]) -> Option<(u64, u32, &[u8])> {
    let (checksum, body) = note.split_first_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let (length, rest) = body.split_first_chunk::<8>()?;
    let (checksum, name) = rest.split_first_chunk::<4>()?;
    Some((u64::from_be_bytes(*length), u32::from_be_bytes(*checksum), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_manifest(bytes: &[u8]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("CURRENT"), "MANIFEST-000005\n").unwrap();
        fs::write(directory.path().join("MANIFEST-000005"), bytes).unwrap();
        directory
    }

    #[test]
    fn a_manifest_may_grow_and_be_replaced_and_may_not_shrink_or_change() {
        let directory = with_manifest(b"some records");
        let path = directory.path();
        check(path).unwrap();
        note(path).unwrap();
        check(path).unwrap();
        let manifest = path.join("MANIFEST-000005");
        for (bytes, is_right) in [
            (&b"some records and more"[..], true),
            (b"some record", false),
            (b"", false),
            (b"some Records and more", false),
        ] {
            fs::write(&manifest, bytes).unwrap();
            assert_eq!(check(path).is_ok(), is_right, "{bytes:?}");
        }
        fs::write(path.join("CURRENT"), "MANIFEST-000009\n").unwrap();
        check(path).unwrap();
    }

    #[test]
    fn a_damaged_note_is_none() {
        let directory = with_manifest(b"some records");
        let path = directory.path();
        note(path).unwrap();
        let whole = fs::read(path.join(NAME)).unwrap();
        fs::write(path.join("MANIFEST-000005"), "some").unwrap();
        assert!(check(path).is_err());
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            for bytes in [&flipped[..], &whole[..at]] {
                fs::write(path.join(NAME), bytes).unwrap();
                check(path).unwrap();
            }
        }
    }
}
