//! The keys of the catalog, and the prefix that every other key begins with.
//!
//! | family | key | value |
//! |---|---|---|
//! | catalog | `1, 'n', name` | definition of a collection or keyspace |
//! | catalog | `1, 'i'` | the next free number |
//! | catalog | `1, 'r'` | replica id |
//! | catalog | collection, ordinal | entry of its dictionary |
//! | data | collection, document id | record |
//! | data | keyspace, key | value |
//! | index | index, values, document id | nothing |
//! | index | index, `FF` | nothing; there if some document has or had several entries |
//! | vector | index, document id | numbers |
//! | history, feed | the store's own | what data was, what has changed |
//!
//! Numbers of collections, keyspaces and indexes take 4 bytes, big-endian.

use blaze_core::record::STAMP_AT;
use blaze_core::{Error, Result, Timestamp};

/// The number under which the catalog keeps its own rows.
const CATALOG: u32 = 1;

/// The first number for a collection, keyspace or index.
pub(super) const FIRST_ID: u32 = 2;

/// How all keys of a collection, keyspace or index begin.
pub(crate) fn prefix(id: u32) -> [u8; 4] {
    id.to_be_bytes()
}

/// A key of a collection, keyspace or index.
pub(crate) fn prefixed(id: u32, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(4 + rest.len());
    key.extend_from_slice(&prefix(id));
    key.extend_from_slice(rest);
    key
}

/// Keys up to here are put together on the stack.
const SHORT_KEY_BYTES: usize = 128;

/// Calls `work` with a key of a collection, keyspace or index, which costs no allocation if it is short.
pub(crate) fn with_prefixed<R>(id: u32, rest: &[u8], work: impl FnOnce(&[u8]) -> R) -> R {
    let mut short = [0; SHORT_KEY_BYTES];
    match short.get_mut(..4 + rest.len()) {
        Some(key) => {
            key[..4].copy_from_slice(&prefix(id));
            key[4..].copy_from_slice(rest);
            work(key)
        }
        None => work(&prefixed(id, rest)),
    }
}

pub(super) fn name_key(name: &str) -> Vec<u8> {
    let mut key = prefixed(CATALOG, b"n");
    key.extend_from_slice(name.as_bytes());
    key
}

/// True for the rows that the catalog keeps under its own number.
pub(super) fn is_own(key: &[u8]) -> bool {
    key.starts_with(&prefix(CATALOG))
}

pub(super) fn is_name(key: &[u8]) -> bool {
    key.starts_with(&name_key(""))
}

pub(super) fn name_of(key: &[u8]) -> Result<String> {
    let name = key.get(5..).and_then(|name| std::str::from_utf8(name).ok());
    name.map(str::to_owned).ok_or_else(|| Error::corruption(format!("{key:02x?} is not the key of a name")))
}

pub(super) fn counter_key() -> Vec<u8> {
    prefixed(CATALOG, b"i")
}

pub(super) fn replica_key() -> Vec<u8> {
    prefixed(CATALOG, b"r")
}

/// The commit that wrote a record, read without looking at the rest.
pub(super) fn stamp_of(record: &[u8]) -> Result<Timestamp> {
    let stamp = record.get(STAMP_AT..STAMP_AT + 8).and_then(|stamp| stamp.try_into().ok());
    stamp
        .map(|stamp| Timestamp::from_bits(u64::from_be_bytes(stamp)))
        .ok_or_else(|| Error::corruption(format!("a record has {} bytes, too few for its envelope", record.len())))
}
