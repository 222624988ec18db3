//! The keys of the family `vector` that say which documents of an index are to be embedded.

use blaze_core::KeyRange;

use crate::catalog::prefixed;

/// What follows the number of the index, and stands before the id: of what is to be embedded, and of what is not tried again
/// for now.
const PENDING: [u8; 2] = [0xFF, 0x10];
const PARKED: [u8; 2] = [0xFF, 0x11];

/// Bytes that say of an entry of the backlog how often it failed and when it is tried again.
const FAILED_BYTES: usize = 12;

/// An entry of the backlog: nothing, or that embedding has failed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pending {
    /// How often it has failed.
    pub(super) failures: u32,
    /// When it is tried again, in milliseconds since 1970.
    pub(super) due_ms: u64,
}

impl Pending {
    pub(super) fn to_value(self) -> Vec<u8> {
        match self.failures {
            0 => Vec::new(),
            failures => [&failures.to_be_bytes()[..], &self.due_ms.to_be_bytes()].concat(),
        }
    }

    /// What a value says; one that nobody has written says that the document is to be embedded now.
    pub(super) fn from_value(value: &[u8]) -> Pending {
        let parts = value.split_first_chunk::<4>().filter(|_| value.len() == FAILED_BYTES);
        let due = parts.and_then(|(_, due)| due.try_into().ok()).map(u64::from_be_bytes);
        match (parts, due) {
            (Some((failures, _)), Some(due_ms)) => Pending { failures: u32::from_be_bytes(*failures), due_ms },
            _ => Pending::default(),
        }
    }
}

fn key(index: u32, kind: [u8; 2], entry: &[u8]) -> Vec<u8> {
    let mut key = prefixed(index, &kind);
    key.extend_from_slice(entry);
    key
}

fn range(index: u32, kind: [u8; 2]) -> KeyRange {
    KeyRange::prefix(&prefixed(index, &kind))
}

/// Where it says that a document is to be embedded.
pub(crate) fn pending_key(index: u32, entry: &[u8]) -> Vec<u8> {
    key(index, PENDING, entry)
}

/// Where it says that a document could not be embedded, and is not tried again for now.
pub(crate) fn parked_key(index: u32, entry: &[u8]) -> Vec<u8> {
    key(index, PARKED, entry)
}

pub(super) fn pending_range(index: u32) -> KeyRange {
    range(index, PENDING)
}

pub(super) fn parked_range(index: u32) -> KeyRange {
    range(index, PARKED)
}

/// The entry behind a key of the backlog or of what is parked, without the number of the index.
pub(crate) fn waiting_entry(rest: &[u8]) -> Option<&[u8]> {
    rest.strip_prefix(&PENDING).or_else(|| rest.strip_prefix(&PARKED))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::{is_entry, scan_range};

    proptest! {
        #[test]
        fn what_is_written_is_read_and_no_bytes_panic(
            index: u32, entry in proptest::collection::vec(any::<u8>(), 1..20), failures in 1_u32.., due_ms: u64, bytes: Vec<u8>,
        ) {
            let (pending, parked) = (pending_key(index, &entry), parked_key(index, &entry));
            for (key, range) in [(&pending, pending_range(index)), (&parked, parked_range(index))] {
                prop_assert!(range.contains(key) && !scan_range(index).contains(key) && !is_entry(&key[4..]));
                prop_assert_eq!(waiting_entry(&key[4..]), Some(entry.as_slice()));
            }
            prop_assert!(!pending_range(index).contains(&parked) && !parked_range(index).contains(&pending));
            let failed = Pending { failures, due_ms };
            prop_assert_eq!(Pending::from_value(&failed.to_value()), failed);
            prop_assert_eq!(Pending::from_value(&Pending::default().to_value()), Pending::default());
            let _ = (Pending::from_value(&bytes), waiting_entry(&bytes));
        }
    }
}
