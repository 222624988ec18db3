//! How objects are stored: a row for each, and the keys of its chunks.

use blaze_core::record::{self, Dictionary, Record, STAMP_AT};
use blaze_core::{Error, Family, KeyRange, Result, Timestamp, from_document, to_document};
use serde::{Deserialize, Serialize};

use super::info::ObjectInfo;
use crate::catalog::prefixed;
use crate::session::Session;

/// Chunks of an object that are removed one by one. Each removal of a range is looked at by every later read, until it is
/// compacted away: many small objects must not leave many of them.
const CHUNKS_DELETED_ONE_BY_ONE_MAX: u64 = 256;

/// Bytes of a chunk that a row may claim: more than any version has written.
const CHUNK_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// The row of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    /// Under which its chunks are stored. No two objects of a store have the same one.
    pub(super) number: u64,
    pub(super) bytes: u64,
    pub(super) chunk_bytes: u32,
    pub(super) checksum: u32,
    /// The commit that first wrote an object under the key; none if it is the one that wrote this row.
    pub(super) created: Option<u64>,
}

/// An object that was found.
#[derive(Clone, Debug)]
pub(super) struct StoredObject {
    pub(super) row: Row,
    modified: Timestamp,
}

/// The key of the row of an object.
pub(super) fn info_key(id: u32, key: &[u8]) -> Vec<u8> {
    [&prefixed(id, b"i"), key].concat()
}

/// The key of an object, from that of its row.
pub(super) fn key_of(info_key: &[u8]) -> Result<&[u8]> {
    info_key.get(5..).ok_or_else(|| Error::corruption(format!("{info_key:02x?} is not the key of an object")))
}

/// How the keys of all chunks of an object begin.
pub(super) fn chunks_prefix(id: u32, number: u64) -> Vec<u8> {
    [&prefixed(id, b"c"), number.to_be_bytes().as_slice()].concat()
}

/// The key of a chunk.
pub(super) fn chunk_key(id: u32, number: u64, chunk: u64) -> Vec<u8> {
    [chunks_prefix(id, number).as_slice(), chunk.to_be_bytes().as_slice()].concat()
}

impl Row {
    /// How many chunks there are. The empty object has one, too, which shows that its number is taken.
    pub(super) fn chunks(&self) -> u64 {
        self.bytes.div_ceil(self.chunk_bytes.into()).max(1)
    }

    pub(super) fn write(&self, session: &Session, id: u32, key: &[u8]) -> Result<()> {
        let mut row = Vec::new();
        record::encode(&to_document(self)?, &Dictionary::default(), &mut row)?;
        session.put(Family::Data, info_key(id, key), row, Some(STAMP_AT))
    }

    /// What is known of the object once `modified` has written the row.
    pub(super) fn info(&self, modified: Timestamp) -> ObjectInfo {
        ObjectInfo {
            bytes: self.bytes,
            checksum: self.checksum,
            created_at: self.created.map_or(modified, Timestamp::from_bits),
            modified_at: modified,
        }
    }
}

impl StoredObject {
    /// The object under `key`, if there is one.
    pub(super) fn read(session: &Session, id: u32, key: &[u8]) -> Result<Option<StoredObject>> {
        let mut stored = None;
        session.visit(Family::Data, &info_key(id, key), &mut |row| {
            stored = Some(StoredObject::decode(row)?);
            Ok(())
        })?;
        Ok(stored)
    }

    pub(super) fn decode(row: &[u8]) -> Result<StoredObject> {
        let dictionary = Dictionary::default();
        let record = Record::open(row, &dictionary)?;
        let row: Row = from_document(record.decode()?)
            .map_err(|error| Error::corruption(format!("the row of an object does not parse: {error}")))?;
        match row.chunk_bytes {
            1..=CHUNK_BYTES_MAX => Ok(StoredObject { row, modified: record.version() }),
            bytes => {
                Err(Error::corruption(format!("an object has chunks of {bytes} bytes, not 1 to {CHUNK_BYTES_MAX}")))
            }
        }
    }

    pub(super) fn info(&self) -> ObjectInfo {
        self.row.info(self.modified)
    }

    /// True in the transaction that has written it: the row has no timestamp before the commit.
    pub(super) fn is_uncommitted(&self) -> bool {
        self.modified == Timestamp::ZERO
    }

    /// When there first was an object under the key; none if it is the commit of the transaction that reads it.
    pub(super) fn created(&self) -> Option<u64> {
        Some(self.info().created_at).filter(|created| *created != Timestamp::ZERO).map(Timestamp::to_bits)
    }

    /// Removes the object.
    pub(super) fn delete(&self, session: &Session, id: u32, key: &[u8]) -> Result<()> {
        session.delete(Family::Data, info_key(id, key))?; // first: a conflict is about the object, and not about its parts
        self.delete_chunks(session, id)
    }

    /// Removes what the object has but its row.
    pub(super) fn delete_chunks(&self, session: &Session, id: u32) -> Result<()> {
        let number = self.row.number;
        match self.row.chunks() {
            chunks @ 0..=CHUNKS_DELETED_ONE_BY_ONE_MAX => {
                (0..chunks).try_for_each(|chunk| session.delete(Family::Data, chunk_key(id, number, chunk)))
            }
            _ => session.delete_range(Family::Data, KeyRange::prefix(&chunks_prefix(id, number))),
        }
    }
}
