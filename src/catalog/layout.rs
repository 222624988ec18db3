//! The keys of the catalog, and the prefix that every other key begins with.
//!
//! | family | key | value |
//! |---|---|---|
//! | catalog | `1, 'n', name` | definition of a collection or keyspace |
//! | catalog | `1, 'i'` | the next free number |
//! | catalog | `1, 'r'` | replica id |
//! | catalog | `1, 'd'`, number | name and kind of what was dropped and is still in the change feed |
//! | catalog | collection, ordinal | entry of its dictionary |
//! | data | collection, document id | record |
//! | data | keyspace, key | value |
//! | data | expiring keyspace, key | when the value expires, 0 for never; value |
//! | data | object store, `'i'`, key | record of the number, size and checksum of an object |
//! | data | object store, `'c'`, number of the object, chunk | bytes |
//! | data | `1, 'o'`, family, prefix | `0`, or `1` once it is reclaimed: no name leads to the keys of that family with that prefix |
//! | data | `1, 'c'`, number of a collection | how many documents it has, a counter |
//! | data | `1, 't'` | the time that retention went by, about a day old at most |
//! | data | `1, 'm'`, collection | how far its migration has come |
//! | data | `1, 'm'`, collection, document id | nothing; there if the document was written whole while its collection was migrated |
//! | index | index, values, document id | flags; nothing in an index that the first version made |
//! | index | unique index, values | flags, document id |
//! | index, vector | index, `FF` | there if some document has or had several entries (1, or nothing) or some value was cut (2) |
//! | index, vector | index, `FF 00` | while the index is built, the key of the last document that has its entries |
//! | vector | index, `FF 01` | how far the blocks of the graph are complete, or that they are being written |
//! | vector | index, `FF 02`, document id | the last commit that wrote the vector, if the blocks may lack it |
//! | vector | index, `FF 03`, kind, number | a block of the graph |
//! | vector | index, `FF 10`, document id | nothing: the document is to be embedded; or how often that failed, and when it is tried again |
//! | vector | index, `FF 11`, document id | nothing; there if the document cannot be embedded for now |
//! | index | expiring keyspace, when its value expires, key | nothing; there if the key has or had a value that expires then |
//! | vector | index, document id | numbers |
//! | text | index, document id | terms of the document |
//! | text | index, `FF 00` | while the index is built, the key of the last document that has its entry |
//! | text | index, `FF 02`, document id, read point of the session | what a commit did to the document and is not folded yet |
//! | history, feed | the store's own | what data was, what has changed |
//!
//! Numbers of collections, keyspaces, object stores and indexes take 4 bytes, those of objects and chunks 8, big-endian.
//! Times of expiry take 8 bytes, big-endian milliseconds since 1970. The value alone says when it expires: it is put without
//! a look at the one before it, whose entry stays in the index until its time comes and is then merely removed.

use blaze_core::record::STAMP_AT;
use blaze_core::{Error, Family, KeyRange, Result, Timestamp};

/// The number under which the catalog keeps its own rows.
const CATALOG: u32 = 1;

/// The first number for a collection, keyspace, object store or index.
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

/// The number that a key of a collection, keyspace or index begins with, and what follows it.
pub(crate) fn split_prefixed(key: &[u8]) -> Option<(u32, &[u8])> {
    key.split_first_chunk::<4>().map(|(id, rest)| (u32::from_be_bytes(*id), rest))
}

/// The number of which a range has exactly the keys.
pub(crate) fn whole_prefix(range: &KeyRange) -> Option<u32> {
    let (id, rest) = split_prefixed(range.start())?;
    (rest.is_empty() && *range == KeyRange::prefix(&prefix(id))).then_some(id)
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
pub(crate) fn is_own(key: &[u8]) -> bool {
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

/// How the keys of all begin that was dropped and is still in the change feed.
pub(super) fn all_dropped_prefix() -> Vec<u8> {
    prefixed(CATALOG, b"d")
}

pub(super) fn dropped_key(id: u32) -> Vec<u8> {
    [&all_dropped_prefix(), &prefix(id)[..]].concat()
}

/// The number behind the key of something that was dropped.
pub(super) fn dropped_of(key: &[u8]) -> Result<u32> {
    let id = key.strip_prefix(all_dropped_prefix().as_slice()).and_then(|id| id.try_into().ok());
    id.map(u32::from_be_bytes)
        .filter(|id| *id >= FIRST_ID)
        .ok_or_else(|| Error::corruption(format!("{key:02x?} is not the key of something that was dropped")))
}

/// Where, in [`Family::Data`], the time is that retention went by.
pub(crate) fn retention_time_key() -> Vec<u8> {
    prefixed(CATALOG, b"t")
}

/// How the keys of all counts of documents begin, in [`Family::Data`].
fn counts_prefix() -> Vec<u8> {
    prefixed(CATALOG, b"c")
}

/// Where, in [`Family::Data`], the count of the documents of a collection is.
pub(super) fn count_key(collection: u32) -> Vec<u8> {
    [&counts_prefix(), &prefix(collection)[..]].concat()
}

/// The collection whose documents are counted under a key, if it is such a key.
pub(crate) fn counted_of(key: &[u8]) -> Option<u32> {
    key.strip_prefix(counts_prefix().as_slice())?.try_into().ok().map(u32::from_be_bytes)
}

/// Where, in [`Family::Data`], it is how far the migration of a collection has come; and how the keys of the documents begin
/// that were written whole meanwhile.
pub(crate) fn migration_key(collection: u32) -> Vec<u8> {
    [&prefixed(CATALOG, b"m"), &prefix(collection)[..]].concat()
}

/// How the keys of all orphans begin, in [`Family::Data`].
pub(super) fn orphans_prefix() -> Vec<u8> {
    prefixed(CATALOG, b"o")
}

pub(super) fn orphan_key(family: Family, prefix: &[u8]) -> Vec<u8> {
    [&orphans_prefix(), &[family as u8][..], prefix].concat()
}

/// The family and the prefix behind the key of an orphan.
pub(super) fn orphan_of(key: &[u8]) -> Result<(Family, &[u8])> {
    let parts = key.strip_prefix(orphans_prefix().as_slice()).and_then(|rest| rest.split_first());
    let orphan = parts.and_then(|(family, prefix)| {
        let family = Family::ALL.into_iter().find(|known| *known as u8 == *family)?;
        // Whatever is read here is going to be removed: it must never be the catalog itself.
        let id = u32::from_be_bytes(*prefix.first_chunk()?);
        (id >= FIRST_ID).then_some((family, prefix))
    });
    orphan.ok_or_else(|| Error::corruption(format!("{key:02x?} is not the key of an orphan")))
}

/// The commit that wrote a record, read without looking at the rest.
pub(super) fn stamp_of(record: &[u8]) -> Result<Timestamp> {
    let stamp = record.get(STAMP_AT..STAMP_AT + 8).and_then(|stamp| stamp.try_into().ok());
    stamp
        .map(|stamp| Timestamp::from_bits(u64::from_be_bytes(stamp)))
        .ok_or_else(|| Error::corruption(format!("a record has {} bytes, too few for its envelope", record.len())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_catalog_itself_is_never_an_orphan() {
        for id in 0..FIRST_ID {
            assert!(orphan_of(&orphan_key(Family::Data, &prefix(id))).is_err());
        }
        assert_eq!(orphan_of(&orphan_key(Family::Data, &prefix(FIRST_ID))).unwrap(), (Family::Data, &prefix(2)[..]));
    }

    #[test]
    fn the_key_of_what_was_dropped_names_its_number() {
        for id in [FIRST_ID, 77, u32::MAX] {
            assert_eq!(dropped_of(&dropped_key(id)).unwrap(), id);
        }
        assert!(dropped_of(&dropped_key(CATALOG)).is_err() && dropped_of(&all_dropped_prefix()).is_err());
    }

    #[test]
    fn the_key_of_a_count_names_its_collection() {
        assert_eq!(counted_of(&count_key(77)), Some(77));
        assert_eq!(counted_of(&retention_time_key()), None);
        assert_eq!(counted_of(&count_key(77)[..7]), None);
    }

    proptest! {
        #[test]
        fn keys_of_orphans_are_read_as_they_were_written_and_no_bytes_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..20),
            family in proptest::sample::select(Family::ALL.to_vec()),
        ) {
            let _ = orphan_of(&bytes);
            let _ = dropped_of(&bytes);
            let key = orphan_key(family, &bytes);
            if let Ok(read) = orphan_of(&key) {
                prop_assert_eq!(read, (family, bytes.as_slice()));
            }
        }
    }
}
