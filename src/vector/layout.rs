//! The keys of the family `vector` that are no vectors: what is kept of the graph of an index.

use blaze_core::{Error, Family, Result};
use blaze_core::{KeyRange, Timestamp, Write};

use crate::catalog::prefixed;
pub(super) use crate::catalog::{split_prefixed as split, whole_prefix as whole_index};

/// What follows the number of the index in every key that is no vector's: no id begins with it.
const DERIVED: u8 = 0xFF;

/// What stands behind it.
const HEADER: u8 = 0x01;
const MARK: u8 = 0x02;
const BLOCK: u8 = 0x03;
const CALIBRATION: u8 = 0x05;

/// What stands behind that: what was measured, and the queries that were given for it.
const MEASURED: u8 = 0x00;
const QUERY: u8 = 0x01;
// From 0x10 on: what is to be embedded, see `crate::embedding`.

/// Where it says how far the blocks of a graph are complete.
pub(super) fn header_key(index: u32) -> Vec<u8> {
    prefixed(index, &[DERIVED, HEADER])
}

/// Where it says that a vector was written, and with which commit.
pub(super) fn mark_key(index: u32, entry: &[u8]) -> Vec<u8> {
    let mut key = prefixed(index, &[DERIVED, MARK]);
    key.extend_from_slice(entry);
    key
}

/// All marks of an index.
pub(super) fn marks_range(index: u32) -> KeyRange {
    KeyRange::new(prefixed(index, &[DERIVED, MARK]), Some(prefixed(index, &[DERIVED, MARK + 1])))
}

/// The vector that a mark is about.
pub(super) fn marked_entry(key: &[u8]) -> Result<&[u8]> {
    match key.get(4..) {
        Some([DERIVED, MARK, entry @ ..]) if !entry.is_empty() => Ok(entry),
        _ => Err(Error::corruption(format!("{key:02x?} is not the key of a mark"))),
    }
}

/// A mark, which the commit stamps.
pub(super) fn mark(index: u32, entry: &[u8]) -> Write {
    let (key, value) = (mark_key(index, entry), vec![0; 8]);
    Write::Put { family: Family::Vector, key, value, stamp_at: Some(0) }
}

/// The commit that a mark is of.
pub(super) fn marked_ts(value: &[u8]) -> Result<Timestamp> {
    let bytes = <[u8; 8]>::try_from(value).map_err(|_| {
        let bytes = value.len();
        Error::corruption(format!("a mark of a vector has {bytes} bytes, not 8"))
    })?;
    Ok(Timestamp::from_bits(u64::from_be_bytes(bytes)))
}

/// A block of a graph.
pub(super) fn block_key(index: u32, kind: u8, number: u32) -> Vec<u8> {
    let mut key = prefixed(index, &[DERIVED, BLOCK, kind]);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// All blocks of a graph.
pub(super) fn blocks_range(index: u32) -> KeyRange {
    KeyRange::new(prefixed(index, &[DERIVED, BLOCK]), Some(prefixed(index, &[DERIVED, BLOCK + 1])))
}

/// The kind and number of a block.
pub(super) fn block_of(key: &[u8]) -> Result<(u8, u32)> {
    match key.get(4..) {
        Some([DERIVED, BLOCK, kind, a, b, c, d]) => Ok((*kind, u32::from_be_bytes([*a, *b, *c, *d]))),
        _ => Err(Error::corruption(format!("{key:02x?} is not the key of a block"))),
    }
}

/// Where it says what was measured of the searches of an index.
pub(super) fn calibration_key(index: u32) -> Vec<u8> {
    prefixed(index, &[DERIVED, CALIBRATION, MEASURED])
}

/// One of the queries that it was measured with, if they were given.
pub(super) fn calibration_query_key(index: u32, number: u32) -> Vec<u8> {
    let mut key = prefixed(index, &[DERIVED, CALIBRATION, QUERY]);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// All of these queries.
pub(super) fn calibration_queries_range(index: u32) -> KeyRange {
    let bound = |kind| prefixed(index, &[DERIVED, CALIBRATION, kind]);
    KeyRange::new(bound(QUERY), Some(bound(QUERY + 1)))
}

/// True for what follows the number of the index in the key of a vector.
pub(super) fn is_vector(rest: &[u8]) -> bool {
    rest.first().is_some_and(|first| *first != DERIVED)
}

/// True for what follows the number of the index in the key that says how far its building has come.
pub(super) fn is_build_position(rest: &[u8]) -> bool {
    rest == [DERIVED, 0]
}

/// True for the key of what is kept of a graph.
pub(super) fn is_of_graph(key: &[u8]) -> bool {
    split(key).is_some_and(|(_, rest)| matches!(rest, [DERIVED, HEADER | MARK | BLOCK | CALIBRATION, ..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::prefix;
    use crate::index::scan_range;

    proptest! {
        #[test]
        fn keys_are_read_as_they_were_written_and_no_bytes_panic(
            index: u32, entry in proptest::collection::vec(any::<u8>(), 1..20), kind: u8, number: u32, bytes: Vec<u8>,
        ) {
            let (mark, block) = (mark_key(index, &entry), block_key(index, kind, number));
            prop_assert_eq!(marked_entry(&mark).unwrap(), entry.as_slice());
            prop_assert_eq!(block_of(&block).unwrap(), (kind, number));
            prop_assert!(marks_range(index).contains(&mark) && blocks_range(index).contains(&block));
            let (calibration, query) = (calibration_key(index), calibration_query_key(index, number));
            let queries = calibration_queries_range(index);
            prop_assert!(queries.contains(&query) && !queries.contains(&calibration));
            prop_assert!(!blocks_range(index).contains(&calibration) && !blocks_range(index).contains(&query));
            for derived in [&mark, &block, &header_key(index), &calibration, &query] {
                prop_assert!(!scan_range(index).contains(derived), "who reads all vectors ends before what is derived");
                prop_assert!(!is_vector(split(derived).unwrap().1));
                prop_assert!(is_of_graph(derived));
            }
            let _ = (marked_entry(&bytes), block_of(&bytes), marked_ts(&bytes), split(&bytes).map(|(_, rest)| is_vector(rest)));
        }
    }

    #[test]
    fn only_the_range_of_all_keys_of_an_index_is_that_of_the_index() {
        assert_eq!(whole_index(&KeyRange::prefix(&prefix(7))), Some(7));
        for range in [scan_range(7), marks_range(7), KeyRange::all(), KeyRange::prefix(&prefix(7)[..3])] {
            assert_eq!(whole_index(&range), None, "{range:?}");
        }
    }
}
