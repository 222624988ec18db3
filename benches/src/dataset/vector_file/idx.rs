//! The format of MNIST: two zeros, the type of numbers, how many dimensions there are, the size of each in 4 bytes,
//! big-endian, and the numbers. The first dimension counts the vectors.

use std::io::Read;

use super::{Input, NumberType, Rows};
use crate::Result;

const UNSIGNED_BYTES: u8 = 0x08;

pub(super) fn read_header(input: &mut Input<impl Read>) -> Result<Rows> {
    let dimensions = match input.bytes("the header")? {
        [0, 0, UNSIGNED_BYTES, dimensions] => dimensions,
        [0, 0, other, _] => {
            return Err(format!("byte 2: numbers of type {other:#04x}; only 0x08, bytes, are read").into());
        }
        [0x1F, 0x8B, ..] => return Err("byte 0: is packed: unpack it first, with `gunzip -k`".into()),
        [first, second, ..] => return Err(format!("byte 0: {first:#04x} {second:#04x} in place of two zeros").into()),
    };
    if dimensions < 2 {
        return Err(format!("byte 3: {dimensions} dimensions; vectors have at least 2, labels have 1").into());
    }
    let rows = size(input)?;
    let mut numbers = 1_u64;
    for _ in 1..dimensions {
        let offset = input.offset();
        let size = size(input)?;
        numbers = numbers.checked_mul(size).ok_or_else(|| format!("byte {offset}: images of too many numbers"))?;
    }
    Rows::packed(rows, numbers, NumberType::U8, input)
}

fn size(input: &mut Input<impl Read>) -> Result<u64> {
    Ok(u64::from(u32::from_be_bytes(input.bytes("the size of a dimension")?)))
}
