//! The keys and values of undo records: what a key was before a commit replaced it.
//!
//! `prefix (4 bytes) | rest of the key, each 00 as 00 FF | 00 00 | commit timestamp (8 bytes, big-endian)` sorts by key,
//! then by commit. The value is `00`, or `01` and the value before.

use super::{KeyRange, Prefix};
use crate::clock::Timestamp;
use crate::error::{Error, Result};

const TERMINATOR: [u8; 2] = [0, 0];
const ESCAPED_ZERO: [u8; 2] = [0, 0xFF];

/// The key of an undo record.
///
/// ```
/// use blaze_core::{Timestamp, UndoKey};
///
/// let undo = UndoKey { prefix: [0, 0, 0, 2], rest: b"a\0b".to_vec(), ts: Timestamp::from_ms(1) };
/// assert_eq!(UndoKey::from_bytes(&undo.to_bytes())?, undo);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UndoKey {
    /// How the key that was replaced begins.
    pub prefix: Prefix,
    /// How it goes on.
    pub rest: Vec<u8>,
    /// The commit that replaced it.
    pub ts: Timestamp,
}

impl UndoKey {
    /// Bytes that sort as the records do.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        UndoKey::bytes(self.prefix, &self.rest, self.ts)
    }

    /// The bytes of a record that is not at hand as one.
    #[must_use]
    pub fn bytes(prefix: Prefix, rest: &[u8], ts: Timestamp) -> Vec<u8> {
        let mut bytes = UndoKey::start(prefix, rest);
        bytes.extend_from_slice(&ts.to_bits().to_be_bytes());
        bytes
    }

    /// How the bytes of all records of one key begin, and of no other.
    #[must_use]
    pub fn start(prefix: Prefix, rest: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(prefix.len() + rest.len() + TERMINATOR.len() + 8);
        bytes.extend_from_slice(&prefix);
        for byte in rest {
            match byte {
                0 => bytes.extend_from_slice(&ESCAPED_ZERO),
                byte => bytes.push(*byte),
            }
        }
        bytes.extend_from_slice(&TERMINATOR);
        bytes
    }

    /// The records of all keys of a range that lies within a prefix.
    #[must_use]
    pub fn range(prefix: Prefix, keys: &KeyRange) -> KeyRange {
        let bound = |key: &[u8]| key.strip_prefix(&prefix).map(|rest| UndoKey::start(prefix, rest));
        let start = bound(keys.start()).unwrap_or_else(|| prefix.to_vec());
        let end = keys.end().and_then(bound);
        KeyRange::new(start, end.or_else(|| KeyRange::prefix(&prefix).end().map(<[u8]>::to_vec)))
    }

    /// Reads what [`to_bytes`](UndoKey::to_bytes) has written.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<UndoKey> {
        UndoKey::parse(bytes).ok_or_else(|| {
            Error::corruption(format!("the key of an undo record, {} bytes, does not parse", bytes.len()))
        })
    }

    fn parse(bytes: &[u8]) -> Option<UndoKey> {
        let (prefix, bytes) = bytes.split_first_chunk::<4>()?;
        let (bytes, ts) = bytes.split_last_chunk::<8>()?;
        let mut escaped = bytes.strip_suffix(&TERMINATOR)?;
        let mut rest = Vec::with_capacity(escaped.len());
        while let [byte, after @ ..] = escaped {
            escaped = match byte {
                0 => after.strip_prefix(&[0xFF])?,
                _ => after,
            };
            rest.push(*byte);
        }
        Some(UndoKey { prefix: *prefix, rest, ts: Timestamp::from_bits(u64::from_be_bytes(*ts)) })
    }

    /// The prefix and the commit of a record, read without looking at the rest; `None` where there is no such thing.
    #[must_use]
    pub fn prefix_and_ts(bytes: &[u8]) -> Option<(Prefix, Timestamp)> {
        let (prefix, bytes) = bytes.split_first_chunk::<4>()?;
        let (bytes, ts) = bytes.split_last_chunk::<8>()?;
        let ts = Timestamp::from_bits(u64::from_be_bytes(*ts));
        bytes.ends_with(&TERMINATOR).then_some((*prefix, ts))
    }

    /// The value of a record: what was there before, if anything.
    #[must_use]
    pub fn value(before: Option<&[u8]>) -> Vec<u8> {
        match before {
            None => vec![0],
            Some(before) => [&[1], before].concat(),
        }
    }

    /// Reads what [`value`](UndoKey::value) has written.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) for anything else.
    pub fn read_value(bytes: &[u8]) -> Result<Option<&[u8]>> {
        match bytes {
            [0] => Ok(None),
            [1, before @ ..] => Ok(Some(before)),
            _ => Err(Error::corruption(format!("the value of an undo record, {} bytes, does not parse", bytes.len()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn undo() -> impl Strategy<Value = UndoKey> {
        let byte = prop_oneof![Just(0u8), Just(1), Just(0xFF), any::<u8>()];
        let ts = prop_oneof![0u64..3, any::<u64>()];
        ([0u8..2, 0..2, 0..2, 0..2], vec(byte, 0..6), ts).prop_map(|(prefix, rest, ts)| UndoKey {
            prefix,
            rest,
            ts: Timestamp::from_bits(ts),
        })
    }

    proptest! {
        #[test]
        fn a_key_reads_back(undo in undo()) {
            let bytes = undo.to_bytes();
            prop_assert_eq!(UndoKey::prefix_and_ts(&bytes), Some((undo.prefix, undo.ts)));
            prop_assert_eq!(UndoKey::from_bytes(&bytes).unwrap(), undo);
        }

        #[test]
        fn bytes_sort_as_records_do(a in undo(), b in undo()) {
            prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
            let same_key = (a.prefix, &a.rest) == (b.prefix, &b.rest);
            prop_assert_eq!(b.to_bytes().starts_with(&UndoKey::start(a.prefix, &a.rest)), same_key);
        }

        #[test]
        fn a_range_holds_the_records_of_its_keys(undo in undo(), start in vec(0u8..3, 0..4), end in vec(0u8..3, 0..4)) {
            let prefix = undo.prefix;
            let whole = |rest: &[u8]| [prefix.as_slice(), rest].concat();
            for end in [Some(whole(&end)), KeyRange::prefix(&prefix).end().map(<[u8]>::to_vec)] {
                let keys = KeyRange::new(whole(&start), end);
                let records = UndoKey::range(prefix, &keys);
                prop_assert_eq!(records.contains(&undo.to_bytes()), keys.contains(&whole(&undo.rest)));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(prop_oneof![Just(0u8), Just(0xFF), any::<u8>()], 0..20)) {
            let _ = UndoKey::prefix_and_ts(&bytes);
            if let Ok(undo) = UndoKey::from_bytes(&bytes) {
                prop_assert_eq!(undo.to_bytes(), bytes.clone());
            }
            if let Ok(before) = UndoKey::read_value(&bytes) {
                prop_assert_eq!(UndoKey::value(before), bytes);
            }
        }
    }
}
