//! The tag byte that starts every value of a record, and the lengths and small numbers that fit into it.
//!
//! | tags | value |
//! |---|---|
//! | `00..=1F` | integer 0 to 31 |
//! | `20..=2F` | integer below 2^12: 4 bits in the tag, 1 byte |
//! | `30..=3F` | integer below 2^20: 4 bits in the tag, 2 bytes |
//! | `40..=7F` | string of 0 to 63 bytes |
//! | `80..=8F` | string of less than 2^12 bytes: 4 bits in the tag, 1 byte, the string |
//! | `90..=A7`, `A8..=AB` | array of 0 to 23 bytes; of less than 2^10 bytes |
//! | `B0..=C7`, `C8..=CB` | map of 0 to 23 bytes; of less than 2^10 bytes |
//! | `D0..=D7` | longer string, array, map; bytes; vectors of four kinds: varint of the length in bytes |
//! | `D8..=DD` | null, false, true, float of 4 and 8 bytes, decimal |
//! | `DE..=E1` | time in seconds, milliseconds, microseconds: 5, 6, 8 bytes; UUID |
//! | `E8..=EF` | integer from 0 up: 1 to 8 bytes |
//! | `F0..=F7` | integer `-1 - n`: `n` in 1 to 8 bytes |
//!
//! Integers are big-endian. The tags that are missing are free.

pub(super) const TINY: u8 = 0x00;
pub(super) const TINY_LAST: u8 = 0x1F;
pub(super) const INT_12: u8 = 0x20;
pub(super) const INT_12_LAST: u8 = 0x2F;
pub(super) const INT_20: u8 = 0x30;
pub(super) const INT_20_LAST: u8 = 0x3F;
pub(super) const BYTES: u8 = 0xD3;
pub(super) const VECTOR_F32: u8 = 0xD4;
pub(super) const VECTOR_F16: u8 = 0xD5;
pub(super) const VECTOR_I8: u8 = 0xD6;
pub(super) const VECTOR_BITS: u8 = 0xD7;
pub(super) const NULL: u8 = 0xD8;
pub(super) const FALSE: u8 = 0xD9;
pub(super) const TRUE: u8 = 0xDA;
pub(super) const FLOAT_4: u8 = 0xDB;
pub(super) const FLOAT_8: u8 = 0xDC;
pub(super) const DECIMAL: u8 = 0xDD;
pub(super) const TIME_S: u8 = 0xDE;
pub(super) const TIME_MS: u8 = 0xDF;
pub(super) const TIME_US: u8 = 0xE0;
pub(super) const UUID: u8 = 0xE1;
pub(super) const POSITIVE: u8 = 0xE8;
pub(super) const POSITIVE_LAST: u8 = 0xEF;
pub(super) const NEGATIVE: u8 = 0xF0;
pub(super) const NEGATIVE_LAST: u8 = 0xF7;

/// The bits of a decimal's scale byte that say that it is below zero.
pub(super) const DECIMAL_NEGATIVE: u8 = 0x80;

/// The tags of a type whose values have a length: in the tag, in the tag and a byte, in a varint.
pub(super) struct Sized {
    pub(super) short: u8,
    pub(super) short_last: u8,
    pub(super) wide: u8,
    pub(super) wide_last: u8,
    pub(super) long: u8,
}

pub(super) const STRING: Sized = Sized { short: 0x40, short_last: 0x7F, wide: 0x80, wide_last: 0x8F, long: 0xD0 };
pub(super) const ARRAY: Sized = Sized { short: 0x90, short_last: 0xA7, wide: 0xA8, wide_last: 0xAB, long: 0xD1 };
pub(super) const MAP: Sized = Sized { short: 0xB0, short_last: 0xC7, wide: 0xC8, wide_last: 0xCB, long: 0xD2 };

/// Bytes of a value by its tag, with the tag; 0 where more than the tag tells how many, and for tags that are free.
pub(super) static SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    let mut tag = 0;
    while tag < sizes.len() {
        sizes[tag] = size(tag as u8);
        tag += 1;
    }
    sizes
};

const fn size(tag: u8) -> u8 {
    match tag {
        TINY..=TINY_LAST | NULL..=TRUE => 1,
        INT_12..=INT_12_LAST => 2,
        INT_20..=INT_20_LAST => 3,
        0x40..=0x7F => 1 + tag - STRING.short,
        0x90..=0xA7 => 1 + tag - ARRAY.short,
        0xB0..=0xC7 => 1 + tag - MAP.short,
        FLOAT_4 => 5,
        FLOAT_8 | TIME_US => 9,
        TIME_S => 6,
        TIME_MS => 7,
        UUID => 17,
        POSITIVE..=POSITIVE_LAST => 2 + tag - POSITIVE,
        NEGATIVE..=NEGATIVE_LAST => 2 + tag - NEGATIVE,
        _ => 0,
    }
}
