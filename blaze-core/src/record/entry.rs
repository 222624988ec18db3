//! What a dictionary learnt, one step at a time, as it is persisted.

use std::sync::Arc;

use super::cursor::{Cursor, write_varint};
use crate::error::{Error, Result};
use crate::limits::SHAPE_KEYS_MAX;

/// One key or shape that a [`Dictionary`](super::Dictionary) learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DictionaryEntry {
    ordinal: u32,
    change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Key(Arc<str>),
    /// The ids of the keys in order.
    Shape(Arc<[u32]>),
}

const KEY: u8 = 1;
const SHAPE: u8 = 2;

impl DictionaryEntry {
    pub(super) fn new(ordinal: u32, change: Change) -> DictionaryEntry {
        DictionaryEntry { ordinal, change }
    }

    pub(super) fn change(&self) -> &Change {
        &self.change
    }

    /// The place in the order of learning: 0, 1, 2 and so on. Entries are persisted under it and replayed in its order.
    #[must_use]
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// The entry as bytes, its ordinal included.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_varint(&mut bytes, self.ordinal);
        match &self.change {
            Change::Key(key) => {
                bytes.push(KEY);
                bytes.extend_from_slice(key.as_bytes());
            }
            Change::Shape(ids) => {
                bytes.push(SHAPE);
                ids.iter().for_each(|&id| write_varint(&mut bytes, id));
            }
        }
        bytes
    }

    /// Reads what [`to_bytes`](DictionaryEntry::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if it did not write these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<DictionaryEntry> {
        let damaged = || Error::corruption(format!("{} bytes are not a dictionary entry", bytes.len()));
        let mut cursor = Cursor(bytes);
        let ordinal = cursor.varint()?;
        let change = match cursor.byte()? {
            KEY => Change::Key(std::str::from_utf8(cursor.0).map_err(|_| damaged())?.into()),
            SHAPE => {
                let mut ids = Vec::new();
                while !cursor.is_empty() {
                    if ids.len() == SHAPE_KEYS_MAX {
                        return Err(damaged());
                    }
                    ids.push(cursor.varint()?);
                }
                Change::Shape(ids.into())
            }
            _ => return Err(damaged()),
        };
        Ok(DictionaryEntry { ordinal, change })
    }
}
