//! A record that owns its bytes.

use std::sync::Arc;

use super::{BODY_AT, Dictionary, RawDocument, Record};
use crate::clock::Timestamp;
use crate::error::Result;

/// As [`Record`], with its bytes and the dictionary that reads them; the checksum is verified once.
#[derive(Clone, Debug)]
pub struct OwnedRecord {
    bytes: Vec<u8>,
    dictionary: Arc<Dictionary>,
    version: Timestamp,
}

impl OwnedRecord {
    /// Reads the envelope and verifies the checksum; decodes nothing.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption).
    pub fn open(bytes: Vec<u8>, dictionary: Arc<Dictionary>) -> Result<OwnedRecord> {
        let version = Record::open(&bytes, &dictionary)?.version();
        Ok(OwnedRecord { bytes, dictionary, version })
    }

    /// As [`open`](OwnedRecord::open), of bytes that were opened before: the checksum is not computed once more.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption).
    pub fn of_verified(bytes: Vec<u8>, dictionary: Arc<Dictionary>) -> Result<OwnedRecord> {
        let version = Record::of_verified(&bytes, &dictionary)?.version();
        Ok(OwnedRecord { bytes, dictionary, version })
    }

    /// The timestamp of the commit that wrote the record.
    #[must_use]
    pub fn version(&self) -> Timestamp {
        self.version
    }

    /// The document, not decoded.
    #[must_use]
    pub fn document(&self) -> RawDocument<'_> {
        RawDocument::new(self.bytes.get(BODY_AT..).unwrap_or_default(), &self.dictionary)
    }

    /// Bytes of the whole record.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }
}
