//! The rows of the change feed.

use super::KeyRange;
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// What happened to a key or a range.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The key got a value.
    Put,
    /// The key was removed.
    Delete,
    /// All keys from [`Change::key`] on and below this one were removed at once; without it, all that follow.
    DeleteRange(Option<Vec<u8>>),
}

/// One row of the change feed: a write of a commit, in the order of the writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The commit.
    pub ts: Timestamp,
    /// The place within the commit, from 0 on.
    pub ordinal: u32,
    /// What happened.
    pub kind: ChangeKind,
    /// The whole key, or the first of a range.
    pub key: Vec<u8>,
    /// The value before, if there was one and the feed keeps images.
    pub before: Option<Vec<u8>>,
    /// The value after, if there is one and the feed keeps images.
    pub after: Option<Vec<u8>>,
}

/// The rows of the change feed in order.
pub type Changes = Box<dyn Iterator<Item = Result<Change>> + Send>;

const BEFORE: u8 = 1;
const AFTER: u8 = 2;
const END: u8 = 4;

impl Change {
    /// The bytes under which the row is stored; they sort by commit, then by place.
    ///
    /// ```
    /// use blaze_core::{Change, ChangeKind, Timestamp};
    ///
    /// let ts = Timestamp::from_ms(1);
    /// let change = Change { ts, ordinal: 0, kind: ChangeKind::Put, key: b"key".into(), before: None, after: None };
    /// assert_eq!(Change::from_bytes(&change.key_bytes(), &change.value_bytes())?, change);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn key_bytes(&self) -> Vec<u8> {
        [self.ts.to_bits().to_be_bytes().as_slice(), &self.ordinal.to_be_bytes()].concat()
    }

    /// The stored rows of all commits above `after`.
    #[must_use]
    pub fn range_after(after: Timestamp) -> KeyRange {
        match after.to_bits().checked_add(1) {
            Some(first) => KeyRange::new(first.to_be_bytes(), None),
            None => KeyRange::new([], Some(Vec::new())),
        }
    }

    /// The stored rows of all commits up to and including `through`.
    #[must_use]
    pub fn range_through(through: Timestamp) -> KeyRange {
        KeyRange::new([0], Some(through.next().to_bits().to_be_bytes().to_vec()))
    }

    /// The rest of the row, to be stored under [`key_bytes`](Change::key_bytes).
    #[must_use]
    pub fn value_bytes(&self) -> Vec<u8> {
        let (kind, end) = match &self.kind {
            ChangeKind::Put => (0, None),
            ChangeKind::Delete => (1, None),
            ChangeKind::DeleteRange(end) => (2, end.as_ref()),
        };
        let parts = [(BEFORE, self.before.as_ref()), (AFTER, self.after.as_ref()), (END, end)];
        let present = parts.iter().filter(|(_, part)| part.is_some()).fold(0, |bits, (bit, _)| bits | bit);
        let mut bytes = vec![kind, present];
        for part in [Some(&self.key)].into_iter().chain(parts.map(|(_, part)| part)).flatten() {
            // Keys and values are bounded far below 4 GiB.
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Reads a stored row.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) for anything but what the two writers above write.
    pub fn from_bytes(key: &[u8], value: &[u8]) -> Result<Change> {
        Change::parse(key, value).ok_or_else(|| {
            Error::corruption(format!(
                "a row of the change feed, {} and {} bytes, does not parse",
                key.len(),
                value.len()
            ))
        })
    }

    fn parse(key: &[u8], value: &[u8]) -> Option<Change> {
        let (ts, ordinal) = key.split_first_chunk::<8>()?;
        let (&[kind, present], mut rest) = value.split_first_chunk::<2>()?;
        if present > BEFORE | AFTER | END {
            return None;
        }
        let mut part = |bit: u8| match present & bit == bit {
            true => Some(Some(take_part(&mut rest)?)),
            false => Some(None),
        };
        let (key, before, after, end) = (part(0)??, part(BEFORE)?, part(AFTER)?, part(END)?);
        let kind = match (kind, end) {
            (0, None) => ChangeKind::Put,
            (1, None) => ChangeKind::Delete,
            (2, end) => ChangeKind::DeleteRange(end),
            _ => return None,
        };
        let (ts, ordinal) = (u64::from_be_bytes(*ts), u32::from_be_bytes(ordinal.try_into().ok()?));
        rest.is_empty().then_some(Change { ts: Timestamp::from_bits(ts), ordinal, kind, key, before, after })
    }
}

fn take_part(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *bytes = rest;
    Some(part.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn change() -> impl Strategy<Value = Change> {
        let bytes = || vec(any::<u8>(), 0..20);
        let image = || proptest::option::of(bytes());
        let kind =
            prop_oneof![Just(ChangeKind::Put), Just(ChangeKind::Delete), image().prop_map(ChangeKind::DeleteRange),];
        (any::<u64>(), any::<u32>(), kind, bytes(), image(), image()).prop_map(
            |(ts, ordinal, kind, key, before, after)| Change {
                ts: Timestamp::from_bits(ts),
                ordinal,
                kind,
                key,
                before,
                after,
            },
        )
    }

    proptest! {
        #[test]
        fn a_row_reads_back(change in change()) {
            let read = Change::from_bytes(&change.key_bytes(), &change.value_bytes()).unwrap();
            prop_assert_eq!(read, change);
        }

        #[test]
        fn no_cut_of_a_row_is_accepted(change in change(), at in any::<prop::sample::Index>()) {
            let value = change.value_bytes();
            let cut = &value[..at.index(value.len())];
            let error = Change::from_bytes(&change.key_bytes(), cut).unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::Corruption);
        }

        #[test]
        fn any_bytes_are_read_or_refused(key in vec(any::<u8>(), 0..14), value in vec(0u8..8, 0..40)) {
            if let Ok(change) = Change::from_bytes(&key, &value) {
                prop_assert_eq!((change.key_bytes(), change.value_bytes()), (key, value));
            }
        }

        #[test]
        fn ranges_split_the_feed_at_a_commit(change in change(), at in 0..u64::MAX) {
            let at = Timestamp::from_bits(at);
            let key = change.key_bytes();
            prop_assert_eq!(Change::range_after(at).contains(&key), change.ts > at);
            prop_assert_eq!(Change::range_through(at).contains(&key), change.ts <= at);
        }
    }
}
