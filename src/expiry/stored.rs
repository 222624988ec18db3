//! How a value that may expire is stored: the time at which it expires, 8 bytes big-endian, and the value itself.

use blaze_core::{Error, Result};

/// The time at which a value expires that never does.
pub(crate) const NEVER_MS: u64 = 0;

/// A value as it is stored.
pub(crate) fn store(expiry_ms: u64, value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(8 + value.len());
    stored.extend_from_slice(&expiry_ms.to_be_bytes());
    stored.extend_from_slice(value);
    stored
}

/// When a stored value expires, and the value itself.
pub(crate) fn split(stored: &[u8]) -> Result<(u64, &[u8])> {
    let (expiry, value) = stored.split_first_chunk().ok_or_else(|| {
        let bytes = stored.len();
        Error::corruption(format!("a value that may expire has {bytes} bytes, at least 8 are needed"))
    })?;
    Ok((u64::from_be_bytes(*expiry), value))
}

/// When a stored value expires, if it ever does.
pub(crate) fn expiry_of(stored: &[u8]) -> Result<Option<u64>> {
    Ok(Some(split(stored)?.0).filter(|expiry_ms| *expiry_ms != NEVER_MS))
}

/// What is seen of the stored values of a keyspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueView {
    /// They are the values.
    Plain,
    /// They say until when they are there, and this is the time at which they are looked at.
    Expiring {
        /// Milliseconds since 1970.
        read_ms: u64,
    },
}

impl ValueView {
    /// The value; none when it has expired.
    pub(crate) fn show(self, stored: &[u8]) -> Result<Option<&[u8]>> {
        let ValueView::Expiring { read_ms } = self else { return Ok(Some(stored)) };
        let (expiry_ms, value) = split(stored)?;
        Ok((expiry_ms == NEVER_MS || expiry_ms > read_ms).then_some(value))
    }

    /// As [`show`](ValueView::show), of bytes that nobody else needs.
    pub(crate) fn show_owned(self, mut stored: Vec<u8>) -> Result<Option<Vec<u8>>> {
        let Some(value) = self.show(&stored)? else { return Ok(None) };
        let time_bytes = stored.len() - value.len();
        stored.drain(..time_bytes);
        Ok(Some(stored))
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::ErrorKind;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_seen_up_to_the_millisecond_before_it_expires() {
        let stored = store(5, b"v");
        let at = |read_ms| ValueView::Expiring { read_ms }.show(&stored).unwrap();
        assert_eq!((at(4), at(5), at(6)), (Some(&b"v"[..]), None, None));
        assert_eq!(ValueView::Expiring { read_ms: u64::MAX }.show(&store(0, b"")).unwrap(), Some(&b""[..]));
    }

    #[test]
    fn a_value_without_a_time_is_damaged() {
        for bytes in 0..8 {
            let error = ValueView::Expiring { read_ms: 1 }.show(&vec![0; bytes]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corruption);
            assert!(error.to_string().contains(&format!("has {bytes} bytes")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_is_what_is_read_and_no_bytes_panic(
            expiry_ms: u64,
            value: Vec<u8>,
            bytes in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let stored = store(expiry_ms, &value);
            prop_assert_eq!(split(&stored).unwrap(), (expiry_ms, value.as_slice()));
            let view = ValueView::Expiring { read_ms: 0 };
            prop_assert_eq!(view.show_owned(stored).unwrap(), Some(value));
            prop_assert_eq!(split(&bytes).is_ok(), bytes.len() >= 8);
        }
    }
}
