//! What all formats have in common: bytes at known offsets, and rows that follow each other.

use std::io::Read;

use super::{Matrix, NumberType};
use crate::Result;

/// More numbers in a row than any vector has.
const DIMENSIONS_MAX: u64 = 1 << 20;

/// A file that knows where it is.
pub(super) struct Input<R> {
    from: R,
    offset: u64,
    length: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(from: R, length: u64) -> Input<R> {
        Input { from, offset: 0, length }
    }

    /// Where the next byte is.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> u64 {
        self.length - self.offset
    }

    /// Fills `buffer` with the next bytes, which are `what`.
    pub(super) fn take(&mut self, buffer: &mut [u8], what: &str) -> Result<()> {
        if buffer.len() as u64 > self.left() {
            let (offset, bytes, left) = (self.offset, buffer.len(), self.left());
            return Err(format!("byte {offset}: {what} takes {bytes} bytes, {left} are left").into());
        }
        self.from.read_exact(buffer).map_err(|error| format!("byte {}: {what}: {error}", self.offset))?;
        self.offset += buffer.len() as u64;
        Ok(())
    }

    /// Takes so many bytes.
    pub(super) fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.take(&mut bytes, what)?;
        Ok(bytes)
    }
}

/// The rows that a header has announced, checked against what is left of the file.
#[derive(Debug)]
pub(super) struct Rows {
    rows: usize,
    dimensions: usize,
    numbers: NumberType,
    /// In front of each row: what it says of its own dimension, if it does.
    prefix: Option<[u8; 4]>,
}

impl Rows {
    /// Rows without anything between them that take all the bytes that are left.
    pub(super) fn packed(rows: u64, dimensions: u64, numbers: NumberType, input: &Input<impl Read>) -> Result<Rows> {
        let dimensions = checked_dimensions(dimensions)?;
        let needed = rows.checked_mul((dimensions * numbers.bytes()) as u64);
        let (offset, left) = (input.offset(), input.left());
        match needed {
            _ if rows == 0 => Err("holds no vectors".into()),
            Some(needed) if needed == left => {
                Ok(Rows { rows: usize::try_from(rows)?, dimensions, numbers, prefix: None })
            }
            Some(needed) => Err(format!(
                "byte {offset}: {rows} vectors of {dimensions} numbers take {needed} bytes, {left} are left"
            )
            .into()),
            None => {
                Err(format!("byte {offset}: {rows} vectors of {dimensions} numbers are more than any file holds")
                    .into())
            }
        }
    }

    /// Rows each of which begins with its dimension, that of the first being `prefix`, which has been taken.
    pub(super) fn prefixed(prefix: [u8; 4], numbers: NumberType, input: &Input<impl Read>) -> Result<Rows> {
        let dimensions = checked_dimensions(u64::from(u32::from_le_bytes(prefix)))?;
        let row_bytes = (4 + dimensions * numbers.bytes()) as u64;
        let bytes = input.left() + 4;
        if !bytes.is_multiple_of(row_bytes) {
            let rest = bytes % row_bytes;
            return Err(format!(
                "byte {}: a vector of {dimensions} numbers takes {row_bytes} bytes, {rest} are left",
                input.offset() - 4 + bytes - rest
            )
            .into());
        }
        Ok(Rows { rows: usize::try_from(bytes / row_bytes)?, dimensions, numbers, prefix: Some(prefix) })
    }

    /// Reads the first `limit` of them.
    pub(super) fn read(self, input: &mut Input<impl Read>, limit: usize) -> Result<Matrix> {
        let mut vectors = Matrix::zero(self.rows.min(limit), self.dimensions);
        let mut bytes = vec![0; self.dimensions * self.numbers.bytes()];
        for (row, numbers) in vectors.numbers_mut().chunks_exact_mut(self.dimensions).enumerate() {
            if let Some(expected) = self.prefix.filter(|_| row > 0) {
                let offset = input.offset();
                let found = input.bytes("the dimension of a vector")?;
                if found != expected {
                    let [found, expected] = [found, expected].map(u32::from_le_bytes);
                    return Err(
                        format!("byte {offset}: vector {row} has {found} numbers, the first has {expected}").into()
                    );
                }
            }
            let offset = input.offset();
            input.take(&mut bytes, "a vector")?;
            self.numbers.decode(&bytes, numbers).map_err(|(position, wrong)| {
                let offset = offset + (position * self.numbers.bytes()) as u64;
                format!("byte {offset}: number {position} of vector {row}: {wrong}")
            })?;
        }
        Ok(vectors)
    }
}

fn checked_dimensions(dimensions: u64) -> Result<usize> {
    match dimensions {
        1..=DIMENSIONS_MAX => Ok(usize::try_from(dimensions)?),
        _ => Err(format!("vectors of {dimensions} numbers; 1 to {DIMENSIONS_MAX} are possible").into()),
    }
}
