//! Checksums of rows that are derived: over the key, too, so that a row under another key is found out.

use blaze_core::{Error, Result};

/// Bytes of the checksum at the end of a row.
pub(crate) const CHECKSUM_BYTES: usize = 4;

/// Appends the checksum of a row, and answers it.
pub(crate) fn seal(key: &[u8], bytes: &mut Vec<u8>) -> u32 {
    let checksum = checksum(key, bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    checksum
}

/// What [`seal`] was given.
pub(crate) fn unseal<'a>(key: &[u8], bytes: &'a [u8]) -> Result<&'a [u8]> {
    let parts = bytes.split_last_chunk::<CHECKSUM_BYTES>();
    match parts.filter(|(body, stored)| checksum(key, body).to_be_bytes() == **stored) {
        Some((body, _)) => Ok(body),
        None => Err(Error::corruption(format!("the row {key:02x?} does not match its checksum"))),
    }
}

fn checksum(key: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    hasher.finalize()
}
