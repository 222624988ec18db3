//! Reading bytes from the front of a slice, and the variable-length integers in it.

use crate::error::{Error, Result};

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

/// An error for bytes that the encoder cannot have written.
#[cold]
#[inline(never)]
pub(super) fn damaged(what: &str) -> Error {
    Error::corruption(format!("damaged record: {what}"))
}

impl<'a> Cursor<'a> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8> {
        let (&first, rest) = self.0.split_first().ok_or_else(|| damaged("it ends inside a value"))?;
        self.0 = rest;
        Ok(first)
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(|| damaged("it ends inside a value"))?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| damaged("it ends inside a value"))?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A big-endian integer of `width` bytes, 1 to 8.
    #[inline]
    pub(super) fn uint(&mut self, width: usize) -> Result<u64> {
        if let Some(eight) = self.0.first_chunk() {
            self.0 = &self.0[width..];
            return Ok(u64::from_be_bytes(*eight) >> (64 - 8 * width));
        }
        Ok(self.take(width)?.iter().fold(0, |int, &byte| int << 8 | u64::from(byte)))
    }

    /// An integer of 32 bits, seven to a byte, the low ones first (LEB128).
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u32> {
        let mut int = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            if shift == 28 && byte > 0x0F {
                break;
            }
            int |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(int);
            }
        }
        Err(damaged("an integer has more than 32 bits"))
    }

    /// As many bytes as a varint says.
    #[inline]
    pub(super) fn sized(&mut self) -> Result<&'a [u8]> {
        let length = self.varint()?;
        self.take(length as usize)
    }

    /// A string after its length as a varint.
    pub(super) fn string(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.sized()?).map_err(|_| damaged("a string is not UTF-8"))
    }
}

/// Writes what [`Cursor::varint`] reads.
#[inline]
pub(super) fn write_varint(out: &mut Vec<u8>, int: u32) {
    let (bytes, used) = varint(int);
    out.extend_from_slice(&bytes[..used]);
}

/// What [`Cursor::varint`] reads, and how many of these bytes count.
#[inline]
pub(super) fn varint(mut int: u32) -> ([u8; 5], usize) {
    let (mut bytes, mut used) = ([0; 5], 0);
    while int >= 0x80 {
        bytes[used] = int as u8 | 0x80;
        int >>= 7;
        used += 1;
    }
    bytes[used] = int as u8;
    (bytes, used + 1)
}
