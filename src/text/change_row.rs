//! What a commit did to a document of an index on text, as the database keeps it until it is folded.

use blaze_core::{Error, Result, Timestamp};

/// Which of the two parts there are.
const BEFORE: u8 = 1;
const AFTER: u8 = 2;

/// Bytes before the parts: the flags, and the commit.
const HEAD_BYTES: usize = 1 + 8;

/// Bytes that say how long the first of two parts is.
const LENGTH_BYTES: usize = 4;

/// A change of a document: flags, the commit, how many bytes `before` has if there is one, `before`, `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangeRow<'a> {
    /// The commit; zero in a row that is not committed yet.
    pub(crate) ts: Timestamp,
    /// The entry of the document as it was when the session began; none if it had none.
    pub(crate) before: Option<&'a [u8]>,
    /// How often and where the terms of the entry are that the document has since, in their order; none if it has no entry.
    pub(crate) after: Option<&'a [u8]>,
}

impl<'a> ChangeRow<'a> {
    /// Where in the bytes the commit is.
    pub(crate) const STAMP_AT: usize = 1;

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let (before, after) = (self.before.unwrap_or_default(), self.after.unwrap_or_default());
        let mut bytes = Vec::with_capacity(HEAD_BYTES + LENGTH_BYTES + before.len() + after.len());
        bytes.push(BEFORE * u8::from(self.before.is_some()) + AFTER * u8::from(self.after.is_some()));
        bytes.extend_from_slice(&self.ts.to_bits().to_be_bytes());
        if self.before.is_some() {
            // A transaction has fewer bytes than that by orders of magnitude.
            bytes.extend_from_slice(&u32::try_from(before.len()).unwrap_or(u32::MAX).to_be_bytes());
        }
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(after);
        bytes
    }

    /// Reads what [`to_bytes`](ChangeRow::to_bytes) has written.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) for anything else.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<ChangeRow<'a>> {
        ChangeRow::parse(bytes).ok_or_else(|| {
            let bytes = bytes.len();
            Error::corruption(format!("a change of a text index, {bytes} bytes, does not parse"))
        })
    }

    fn parse(bytes: &'a [u8]) -> Option<ChangeRow<'a>> {
        let (&flags, rest) = bytes.split_first()?;
        let (ts, mut rest) = rest.split_first_chunk::<8>()?;
        if !(BEFORE..=BEFORE + AFTER).contains(&flags) {
            return None;
        }
        let before = match flags & BEFORE {
            0 => None,
            _ => {
                let (length, parts) = rest.split_first_chunk::<LENGTH_BYTES>()?;
                let (before, after) = parts.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
                rest = after;
                Some(before)
            }
        };
        let after = (flags & AFTER != 0).then_some(rest);
        if after.is_none() && !rest.is_empty() {
            return None;
        }
        Some(ChangeRow { ts: Timestamp::from_bits(u64::from_be_bytes(*ts)), before, after })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_row_is_read_as_it_was_written(
            ts: u64, before in option::of(vec(any::<u8>(), 0..20)), after in option::of(vec(any::<u8>(), 0..20)),
        ) {
            prop_assume!(before.is_some() || after.is_some());
            let row = ChangeRow { ts: Timestamp::from_bits(ts), before: before.as_deref(), after: after.as_deref() };
            let mut bytes = row.to_bytes();
            prop_assert_eq!(ChangeRow::read(&bytes).unwrap(), row);
            bytes[ChangeRow::STAMP_AT..][..8].copy_from_slice(&7_u64.to_be_bytes());
            prop_assert_eq!(ChangeRow::read(&bytes).unwrap(), ChangeRow { ts: Timestamp::from_bits(7), ..row });
        }

        #[test]
        fn any_bytes_are_read_or_refused(head in 0_u8..6, bytes in vec(prop_oneof![Just(0), any::<u8>()], 0..40)) {
            let bytes = [vec![head], bytes].concat();
            if let Ok(row) = ChangeRow::read(&bytes) {
                prop_assert_eq!(row.to_bytes(), bytes);
            }
        }
    }
}
