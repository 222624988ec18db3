//! The keys of the family `text`.
//!
//! Each begins with the number of the index. Behind it stands the id of a document, for its entry, or [`DERIVED`], with which no
//! id begins.

use blaze_core::{DocumentId, Error, KeyRange, Result, Timestamp};

use crate::catalog::{prefix, prefixed};
pub(super) use crate::catalog::{split_prefixed as split, whole_prefix as whole_index};

/// What follows the number of the index in every key that is no entry.
const DERIVED: u8 = 0xFF;

/// What stands behind it.
const CHANGE: u8 = 0x02;
const HEADER: u8 = 0x03;
const PAGE: u8 = 0x04;
const DEAD: u8 = 0x05;
const TERM: u8 = 0x20;

/// Bytes that say how long an id is.
const LENGTH_BYTES: usize = 2;

/// Bytes of the commit at which a session began.
const BEGUN_BYTES: usize = 8;

/// Where the terms of a document are.
pub(crate) fn entry_key(index: u32, id: &DocumentId) -> Vec<u8> {
    let mut key = prefix(index).to_vec();
    id.write_key(&mut key);
    key
}

/// Where the terms of a document are: `id` as in the key of its entry.
pub(super) fn entry_of(index: u32, id: &[u8]) -> Vec<u8> {
    prefixed(index, id)
}

/// Where it says what a session did to a document: how long its id is, the id as in the key of its entry, and the read point of
/// the session.
///
/// No two commits have the same key: of two sessions that began at one commit and change one document, one is refused. Those of
/// a document stand together, in the order in which they were committed.
pub(crate) fn change_key(index: u32, id: &[u8], begun: Timestamp) -> Vec<u8> {
    let mut key = prefixed(index, &[DERIVED, CHANGE]);
    // An id has no more than `ID_BYTES_MAX`, and as a key three times as many.
    key.extend_from_slice(&u16::try_from(id.len()).unwrap_or(u16::MAX).to_be_bytes());
    key.extend_from_slice(id);
    key.extend_from_slice(&begun.to_bits().to_be_bytes());
    key
}

/// The id in the key of a change, without the number of the index, and at which commit the session began; `None` for other
/// keys of the index.
///
/// # Errors
/// [`Corruption`](crate::ErrorKind::Corruption) for a key of a change that does not parse.
pub(crate) fn split_change(rest: &[u8]) -> Result<Option<(&[u8], Timestamp)>> {
    let Some(change) = rest.strip_prefix(&[DERIVED, CHANGE]) else { return Ok(None) };
    let damaged = || Error::corruption(format!("{rest:02x?} is not the key of a change of a text index"));
    let (length, change) = change.split_first_chunk::<LENGTH_BYTES>().ok_or_else(damaged)?;
    match change.split_last_chunk::<BEGUN_BYTES>() {
        Some((id, begun)) if !id.is_empty() && id.len() == usize::from(u16::from_be_bytes(*length)) => {
            Ok(Some((id, Timestamp::from_bits(u64::from_be_bytes(*begun)))))
        }
        _ => Err(damaged()),
    }
}

/// All rows of an index.
pub(super) fn whole_range(index: u32) -> KeyRange {
    KeyRange::prefix(&prefix(index))
}

/// All change rows of an index.
pub(super) fn changes_range(index: u32) -> KeyRange {
    KeyRange::prefix(&prefixed(index, &[DERIVED, CHANGE]))
}

pub(super) fn header_key(index: u32) -> Vec<u8> {
    prefixed(index, &[DERIVED, HEADER])
}

pub(super) fn is_header(rest: &[u8]) -> bool {
    rest == [DERIVED, HEADER]
}

/// How the keys of all pages of a segment begin.
pub(super) fn segment_prefix(index: u32, segment: u64) -> Vec<u8> {
    let mut key = prefixed(index, &[DERIVED, PAGE]);
    key.extend_from_slice(&segment.to_be_bytes());
    key
}

/// The pages of a segment, and those of all that come after it.
pub(super) fn pages_from(index: u32, segment: u64) -> KeyRange {
    KeyRange::new(segment_prefix(index, segment), Some(prefixed(index, &[DERIVED, PAGE + 1])))
}

pub(super) fn segment_pages(index: u32, segment: u64) -> KeyRange {
    KeyRange::prefix(&segment_prefix(index, segment))
}

pub(super) fn page_key(index: u32, segment: u64, stream: u8, number: u32) -> Vec<u8> {
    let mut key = segment_prefix(index, segment);
    key.push(stream);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Where it says which documents of a segment are dead.
pub(super) fn dead_range(index: u32, segment: u64) -> KeyRange {
    let mut key = prefixed(index, &[DERIVED, DEAD]);
    key.extend_from_slice(&segment.to_be_bytes());
    KeyRange::prefix(&key)
}

pub(super) fn dead_key(index: u32, segment: u64, chunk: u32) -> Vec<u8> {
    let mut key = dead_range(index, segment).start().to_vec();
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

/// What counts as written by a change of a document that has a term, and as read by a search for it. There is no such row.
pub(super) fn term_key(index: u32, field: u8, term: &[u8]) -> Vec<u8> {
    let mut key = prefixed(index, &[DERIVED, TERM, field]);
    key.extend_from_slice(term);
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::{is_entry, scan_range};

    fn id() -> impl Strategy<Value = DocumentId> {
        prop_oneof![
            any::<i64>().prop_map(DocumentId::from),
            "[a-c\0]{1,3}".prop_map(DocumentId::from),
            proptest::collection::vec(prop_oneof![Just(0xFF), Just(0), any::<u8>()], 1..20).prop_map(DocumentId::Bytes),
            ("[a-c]{1,3}", 0..9).prop_map(DocumentId::from),
        ]
    }

    proptest! {
        #[test]
        fn keys_are_read_as_they_were_written_and_no_bytes_panic(
            index: u32, id in id(), begun: u64, later: u64, bytes: Vec<u8>,
        ) {
            let entry = entry_key(index, &id);
            prop_assert!(scan_range(index).contains(&entry) && is_entry(&entry[4..]));
            prop_assert_eq!(split_change(&entry[4..]).unwrap(), None);
            let key = |begun| change_key(index, &entry[4..], Timestamp::from_bits(begun));
            let change = key(begun);
            prop_assert!(!scan_range(index).contains(&change), "who reads all entries ends before the changes");
            prop_assert_eq!(split_change(&change[4..]).unwrap(), Some((&entry[4..], Timestamp::from_bits(begun))));
            prop_assert_eq!(change.cmp(&key(later)), begun.cmp(&later));
            let _ = split_change(&bytes);
            let _ = split_change(&[&[DERIVED, CHANGE], bytes.as_slice()].concat());
        }
    }
}
