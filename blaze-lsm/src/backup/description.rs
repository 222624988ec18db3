//! What RocksDB writes down of a backup, read without it: the files with their checksums, and our own metadata.
//!
//! ```text
//! seconds since the epoch
//! sequence number
//! metadata HEX
//! number of files
//! private/7/MANIFEST-000004 crc32 1234567890
//! shared_checksum/000008_s9KKCHHYV3A3BUFZ19XYM_1046.sst crc32 2345678901
//! ```
//!
//! Our metadata is `version: 1 | commit timestamp (8 bytes) | crc32 of these (4)`, big-endian. What is called crc32 in
//! the lines is CRC-32C.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path};

use blaze_core::{Error, ErrorKind, Result, Timestamp};

use crate::{crc32c, error};

const METADATA_VERSION: u8 = 1;
const READ_BYTES: usize = 1 << 20;

/// What a backup consists of.
#[derive(Debug, PartialEq)]
pub(super) struct Description {
    pub(super) commit_ts: Timestamp,
    pub(super) files: Vec<BackupFile>,
}

/// A file of a backup, by its name below the directory of backups.
#[derive(Debug, PartialEq)]
pub(super) struct BackupFile {
    pub(super) name: String,
    crc32c: u32,
}

/// The metadata of a backup that contains all commits up to `commit_ts`.
pub(super) fn metadata(commit_ts: Timestamp) -> Vec<u8> {
    let mut bytes = vec![METADATA_VERSION];
    bytes.extend_from_slice(&commit_ts.to_bits().to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

impl Description {
    pub(super) fn parse(bytes: &[u8]) -> Result<Description> {
        Description::read(bytes).ok_or_else(|| Error::corruption("the description of the backup is damaged"))
    }

    fn read(bytes: &[u8]) -> Option<Description> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        let _seconds: u64 = lines.next()?.parse().ok()?;
        let _sequence: u64 = lines.next()?.parse().ok()?;
        let commit_ts = commit_ts(&from_hex(lines.next()?.strip_prefix("metadata ")?)?)?;
        let count: usize = lines.next()?.parse().ok()?;
        let files = lines.map(BackupFile::parse).collect::<Option<Vec<_>>>()?;
        (files.len() == count).then_some(Description { commit_ts, files })
    }
}

impl BackupFile {
    fn parse(line: &str) -> Option<BackupFile> {
        let (name, crc32c) = line.split_once(" crc32 ")?;
        let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        // No file of a database has another name, and with a zero in it the system would not even look.
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        (is_below && is_name).then_some(BackupFile { name: name.to_owned(), crc32c: crc32c.parse().ok()? })
    }

    /// Reads the file below `directory` and compares it with its checksum.
    pub(super) fn verify(&self, directory: &Path) -> Result<()> {
        let path = directory.join(&self.name);
        let mut file = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::corruption(format!("the file {} is missing", self.name)),
            _ => error::file(&path, error),
        })?;
        let mut buffer = vec![0; READ_BYTES];
        let mut computed = 0;
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(bytes) => computed = crc32c::extend(computed, &buffer[..bytes]),
                Err(error) => return Err(error::file(&path, error)),
            }
        }
        match computed == self.crc32c {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Corruption,
                format!("the checksum of {} is {computed:08x}, {:08x} was written down", self.name, self.crc32c),
            )),
        }
    }
}

fn commit_ts(metadata: &[u8]) -> Option<Timestamp> {
    let (body, checksum) = metadata.split_last_chunk::<4>()?;
    let (version, ts) = body.split_first()?;
    let is_whole = *version == METADATA_VERSION && crc32fast::hash(body) == u32::from_be_bytes(*checksum);
    is_whole.then_some(Timestamp::from_bits(u64::from_be_bytes(ts.try_into().ok()?)))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<Vec<_>>>();
    bytes.filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(files: &str, count: usize) -> String {
        let hex: String = metadata(Timestamp::from_ms(7)).iter().map(|byte| format!("{byte:02X}")).collect();
        format!("1700000000\n42\nmetadata {hex}\n{count}\n{files}")
    }

    #[test]
    fn what_stands_there_is_read() {
        let files = "private/1/CURRENT crc32 7\nshared_checksum/000008_s_1046.sst crc32 4294967295\n";
        let file = |name: &str, crc32c| BackupFile { name: name.to_owned(), crc32c };
        let expected = vec![file("private/1/CURRENT", 7), file("shared_checksum/000008_s_1046.sst", u32::MAX)];
        let description = Description::parse(text(files, 2).as_bytes()).unwrap();
        assert_eq!(description, Description { commit_ts: Timestamp::from_ms(7), files: expected });
    }

    #[test]
    fn a_file_outside_and_a_wrong_count_are_damage() {
        for (files, count) in [
            ("../secret crc32 7\n", 1),
            ("/etc/passwd crc32 7\n", 1),
            ("private/../../x crc32 7\n", 1),
            ("a crc32 7\n", 2),
            ("a crc32 -1\n", 1),
            (" crc32 1\n", 1),
            ("private/1/\0\0\0\0ENT crc32 7\n", 1),
            ("a\n", 1),
        ] {
            let parsed = Description::parse(text(files, count).as_bytes());
            assert_eq!(parsed.unwrap_err().kind(), ErrorKind::Corruption, "{files:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            cut in 0_usize..120,
            position in 0_usize..120,
            byte: u8,
        ) {
            let _ = Description::parse(&bytes);
            let mut near = text("a crc32 7\nb/c crc32 8\n", 2).into_bytes();
            let at = position.min(near.len() - 1);
            near[at] = byte;
            near.truncate(near.len() - cut.min(near.len()));
            let _ = Description::parse(&near);
        }
    }
}
