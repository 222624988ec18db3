//! Keys of a keyspace, and ranges of them.

use std::ops::Bound;

use blaze_core::KeyRange;

use crate::catalog::{prefix, prefixed};

/// A bound as bytes.
pub(super) fn borrowed<K: AsRef<[u8]>>(bound: Bound<&K>) -> Bound<&[u8]> {
    bound.map(AsRef::as_ref)
}

/// The keys between two bounds, as the keyspace with the number `id` stores them.
pub(super) fn key_range(id: u32, start: Bound<&[u8]>, end: Bound<&[u8]>) -> KeyRange {
    let at = |key: &[u8]| prefixed(id, key);
    let after = |key: &[u8]| [&prefix(id), key, &[0]].concat();
    let start = match start {
        Bound::Included(key) => at(key),
        Bound::Excluded(key) => after(key),
        Bound::Unbounded => prefix(id).to_vec(),
    };
    let end = match end {
        Bound::Included(key) => Some(after(key)),
        Bound::Excluded(key) => Some(at(key)),
        Bound::Unbounded => KeyRange::prefix(&prefix(id)).end().map(<[u8]>::to_vec),
    };
    KeyRange::new(start, end)
}
