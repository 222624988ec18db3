//! Checksums of rows: over the key, too, so that a row under another key is found out.

use blaze_core::{Error, Result};

/// Bytes of the checksum at the end of a row.
const CHECKSUM_BYTES: usize = 4;

/// Appends the checksum of a row.
pub(super) fn seal(key: &[u8], bytes: &mut Vec<u8>) {
    let checksum = checksum(key, bytes);
    bytes.extend_from_slice(&checksum);
}

/// What was sealed.
pub(super) fn unseal<'a>(key: &[u8], bytes: &'a [u8]) -> Result<&'a [u8]> {
    let parts = bytes.split_last_chunk::<CHECKSUM_BYTES>();
    match parts.filter(|(body, stored)| checksum(key, body) == **stored) {
        Some((body, _)) => Ok(body),
        None => Err(Error::corruption(format!("a row of a text index, {key:02x?}, is damaged"))),
    }
}

fn checksum(key: &[u8], body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    hasher.finalize().to_be_bytes()
}
