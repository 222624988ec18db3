//! Reading bytes from the front of a slice, and the variable-length integers in it.

/// What is left to read; each method answers nothing if what it is to read is not there.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// An integer, seven bits to a byte, the low ones first (LEB128), in as few bytes as it needs.
    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        let mut int = u64::from(first & 0x7F);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            if byte == 0 || shift == 63 && byte > 1 {
                return None;
            }
            int |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(int);
            }
        }
        None
    }

    /// A varint of at most 32 bits.
    #[inline]
    pub(crate) fn varint32(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }

    /// A varint that is the size of something in memory.
    #[inline]
    pub(crate) fn size(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }
}

/// Appends what [`Reader::varint`] reads.
#[inline]
pub(crate) fn write_varint(out: &mut Vec<u8>, int: impl Into<u64>) {
    let mut int = int.into();
    while int >= 0x80 {
        out.push(int as u8 | 0x80);
        int >>= 7;
    }
    out.push(int as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_varint_is_read_as_it_was_written_and_has_one_form(int: u64, shift in 0_u32..64, bytes: Vec<u8>) {
            let int = int >> shift;
            let mut out = Vec::new();
            write_varint(&mut out, int);
            let mut reader = Reader(&out);
            prop_assert_eq!(reader.varint(), Some(int));
            prop_assert!(reader.is_empty());
            let mut reader = Reader(&bytes);
            if let Some(int) = reader.varint() {
                out.clear();
                write_varint(&mut out, int);
                prop_assert_eq!(&out[..], &bytes[..bytes.len() - reader.0.len()]);
            }
        }
    }
}
