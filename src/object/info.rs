//! What is known of an object without reading it.

use blaze_core::Timestamp;

/// What is known of an object without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// Its size.
    pub bytes: u64,
    /// The CRC-32 of all its bytes (the polynomial of ISO 3309, as in gzip).
    pub checksum: u32,
    /// The commit with which there first was an object under the key; a deletion ends it. [`Timestamp::ZERO`] in a
    /// transaction if that is its own commit, whose time is not known yet.
    pub created_at: Timestamp,
    /// The commit that made the object what it is; [`Timestamp::ZERO`] in a transaction if that is its own.
    pub modified_at: Timestamp,
}
