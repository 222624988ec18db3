//! The formats of the TEXMEX corpus (SIFT, GIST): each vector is its dimension in 4 bytes, little-endian, and its numbers.

use std::io::Read;

use super::{Input, NumberType, Rows};
use crate::Result;

pub(super) fn read_header(input: &mut Input<impl Read>, numbers: NumberType) -> Result<Rows> {
    if input.left() == 0 {
        return Err("holds no vectors".into());
    }
    let dimensions = input.bytes("the dimension of the first vector")?;
    Rows::prefixed(dimensions, numbers, input)
}
