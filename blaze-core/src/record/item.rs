//! One value of a record, read as far as its length: what is skipped, and what is decoded.

use super::cursor::{Cursor, damaged};
use super::tag::*;
use crate::error::Result;
use crate::id::{DocumentId, Uuid};
use crate::value::{Decimal, Time, Value, Vector, VectorKind};

/// A value whose bytes are not looked into yet. It takes constant time to read, whatever its size.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Decimal(&'a [u8]),
    String(&'a [u8]),
    Bytes(&'a [u8]),
    Time(i64),
    Uuid([u8; 16]),
    Vector(VectorKind, &'a [u8]),
    Array(&'a [u8]),
    Map(&'a [u8]),
}

impl Sized {
    /// The bytes of a value with a tag of this type.
    #[inline]
    fn read<'a>(&self, tag: u8, cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
        if tag <= self.short_last {
            cursor.take(usize::from(tag - self.short))
        } else {
            let length = usize::from(tag - self.wide) << 8 | usize::from(cursor.byte()?);
            cursor.take(length)
        }
    }

    /// The bytes of a value of this type, and the cursor behind it; none, and the cursor stays, if there is anything else.
    #[inline]
    fn read_if<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>> {
        let mut ahead = *cursor;
        let tag = ahead.byte()?;
        let bytes = if (self.short..=self.wide_last).contains(&tag) {
            self.read(tag, &mut ahead)?
        } else if tag == self.long {
            ahead.sized()?
        } else {
            return Ok(None);
        };
        *cursor = ahead;
        Ok(Some(bytes))
    }
}

impl<'a> Item<'a> {
    /// The value at the cursor, which moves behind it.
    #[inline]
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Item<'a>> {
        let tag = cursor.byte()?;
        Ok(match tag {
            TINY..=TINY_LAST => Item::Int(i64::from(tag)),
            INT_12..=INT_12_LAST => Item::Int(i64::from(tag - INT_12) << 8 | i64::from(cursor.byte()?)),
            INT_20..=INT_20_LAST => {
                Item::Int(i64::from(tag - INT_20) << 16 | i64::from(u16::from_be_bytes(cursor.array()?)))
            }
            0x40..=0x8F => Item::String(STRING.read(tag, cursor)?),
            0x90..=0xAB => Item::Array(ARRAY.read(tag, cursor)?),
            0xB0..=0xCB => Item::Map(MAP.read(tag, cursor)?),
            0xD0 => Item::String(cursor.sized()?),
            0xD1 => Item::Array(cursor.sized()?),
            0xD2 => Item::Map(cursor.sized()?),
            NULL => Item::Null,
            FALSE => Item::Bool(false),
            TRUE => Item::Bool(true),
            _ => return Item::read_rare(tag, cursor),
        })
    }

    /// Moves behind the value at the cursor without looking into it.
    #[inline]
    pub(super) fn skip(cursor: &mut Cursor<'a>) -> Result<()> {
        let bytes = cursor.0.first().map_or(0, |&tag| usize::from(SIZES[usize::from(tag)]));
        match cursor.0.get(bytes..) {
            Some(rest) if bytes > 0 => {
                cursor.0 = rest;
                Ok(())
            }
            _ => Item::read(cursor).map(drop),
        }
    }

    /// The integer at the cursor, which moves behind it; none, and the cursor stays, if there is anything else or one beyond
    /// `i64`.
    #[inline]
    pub(super) fn read_int(cursor: &mut Cursor<'a>) -> Result<Option<i64>> {
        let mut ahead = *cursor;
        let int = match ahead.byte()? {
            tag @ TINY..=TINY_LAST => i64::from(tag),
            tag @ INT_12..=INT_12_LAST => i64::from(tag - INT_12) << 8 | i64::from(ahead.byte()?),
            tag @ INT_20..=INT_20_LAST => i64::from(tag - INT_20) << 16 | i64::from(u16::from_be_bytes(ahead.array()?)),
            tag @ POSITIVE..=POSITIVE_LAST => match i64::try_from(ahead.uint(usize::from(tag - POSITIVE) + 1)?) {
                Ok(int) => int,
                Err(_) => return Ok(None),
            },
            _ => return Ok(None),
        };
        *cursor = ahead;
        Ok(Some(int))
    }

    /// As [`read_int`](Item::read_int), of a float.
    #[inline]
    pub(super) fn read_float(cursor: &mut Cursor<'a>) -> Result<Option<f64>> {
        let mut ahead = *cursor;
        let float = match ahead.byte()? {
            FLOAT_8 => f64::from_be_bytes(ahead.array()?),
            FLOAT_4 => f64::from(f32::from_be_bytes(ahead.array()?)),
            _ => return Ok(None),
        };
        *cursor = ahead;
        Ok(Some(float))
    }

    /// As [`read_int`](Item::read_int), of the bytes of a string.
    #[inline]
    pub(super) fn read_string(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>> {
        STRING.read_if(cursor)
    }

    /// As [`read_int`](Item::read_int), of the bytes of an array.
    #[inline]
    pub(super) fn read_array(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>> {
        ARRAY.read_if(cursor)
    }

    /// As [`read_int`](Item::read_int), of the bytes of a map.
    #[inline]
    pub(super) fn read_map(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>> {
        MAP.read_if(cursor)
    }

    /// The value of a document's id.
    pub(super) fn of_id(id: &'a DocumentId) -> Item<'a> {
        match id {
            DocumentId::Int(int) => Item::Int(*int),
            DocumentId::UInt(int) => i64::try_from(*int).map_or(Item::UInt(*int), Item::Int),
            DocumentId::String(string) => Item::String(string.as_bytes()),
            DocumentId::Bytes(bytes) => Item::Bytes(bytes),
            DocumentId::Uuid(uuid) => Item::Uuid(*uuid.as_bytes()),
            DocumentId::Child(child) => Item::of_id(child.own()),
        }
    }

    fn read_rare(tag: u8, cursor: &mut Cursor<'a>) -> Result<Item<'a>> {
        Ok(match tag {
            BYTES => Item::Bytes(cursor.sized()?),
            VECTOR_F32 => Item::Vector(VectorKind::F32, cursor.sized()?),
            VECTOR_F16 => Item::Vector(VectorKind::F16, cursor.sized()?),
            VECTOR_I8 => Item::Vector(VectorKind::I8, cursor.sized()?),
            VECTOR_BITS => Item::Vector(VectorKind::Bits, cursor.sized()?),
            FLOAT_4 => Item::Float(f64::from(f32::from_be_bytes(cursor.array()?))),
            FLOAT_8 => Item::Float(f64::from_be_bytes(cursor.array()?)),
            DECIMAL => Item::Decimal(cursor.sized()?),
            TIME_S => Item::Time(read_time(cursor, 5, 1_000_000)?),
            TIME_MS => Item::Time(read_time(cursor, 6, 1_000)?),
            TIME_US => Item::Time(read_time(cursor, 8, 1)?),
            UUID => Item::Uuid(cursor.array()?),
            POSITIVE..=POSITIVE_LAST => {
                let int = cursor.uint(usize::from(tag - POSITIVE) + 1)?;
                i64::try_from(int).map_or(Item::UInt(int), Item::Int)
            }
            NEGATIVE..=NEGATIVE_LAST => {
                let int = i64::try_from(cursor.uint(usize::from(tag - NEGATIVE) + 1)?);
                Item::Int(!int.map_err(|_| damaged("an integer is below the range of i64"))?)
            }
            _ => return Err(damaged(&format!("0x{tag:02x} is not the tag of a value"))),
        })
    }

    /// The value, decoded. The caller has taken care of arrays and maps.
    pub(super) fn scalar(self) -> Result<Value> {
        Ok(match self {
            Item::Null => Value::Null,
            Item::Bool(bool) => Value::Bool(bool),
            Item::Int(int) => Value::Int(int),
            Item::UInt(int) => Value::UInt(int),
            Item::Float(float) => Value::Float(float),
            Item::Decimal(bytes) => Value::Decimal(read_decimal(bytes)?),
            Item::String(bytes) => match std::str::from_utf8(bytes) {
                Ok(string) => Value::String(string.to_owned()),
                Err(_) => return Err(damaged("a string is not UTF-8")),
            },
            Item::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Item::Time(micros) => Value::Time(Time::from_micros(micros)),
            Item::Uuid(bytes) => Value::Uuid(Uuid::from_bytes(bytes)),
            Item::Vector(kind, bytes) => Value::Vector(read_vector(kind, bytes)?),
            Item::Array(_) | Item::Map(_) => return Err(damaged("a container stands where a scalar should")),
        })
    }
}

fn read_time(cursor: &mut Cursor<'_>, width: usize, micros: i64) -> Result<i64> {
    let unused = 64 - 8 * width as u32; // shifted up and back down to extend the sign
    let count = (cursor.uint(width)? << unused) as i64 >> unused;
    count.checked_mul(micros).ok_or_else(|| damaged("a time is out of range"))
}

fn read_decimal(bytes: &[u8]) -> Result<Decimal> {
    let (&scale, digits) = bytes.split_first().ok_or_else(|| damaged("a decimal is empty"))?;
    if digits.len() > 16 {
        return Err(damaged("a decimal has more than 128 bits"));
    }
    let coefficient = digits.iter().fold(0, |int: u128, &byte| int << 8 | u128::from(byte));
    let negative = scale & DECIMAL_NEGATIVE != 0;
    Decimal::new(negative, coefficient, scale & !DECIMAL_NEGATIVE)
        .ok_or_else(|| damaged("a decimal has too many digits after the point"))
}

fn read_vector(kind: VectorKind, bytes: &[u8]) -> Result<Vector> {
    let uneven = || damaged("a vector ends inside a number");
    Ok(match kind {
        VectorKind::F32 => {
            let (numbers, rest) = bytes.as_chunks();
            if !rest.is_empty() {
                return Err(uneven());
            }
            Vector::F32(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
        }
        VectorKind::F16 => {
            let (numbers, rest) = bytes.as_chunks();
            if !rest.is_empty() {
                return Err(uneven());
            }
            Vector::F16(numbers.iter().map(|number| u16::from_le_bytes(*number)).collect())
        }
        VectorKind::I8 => Vector::I8(bytes.iter().map(|&number| number as i8).collect()),
        VectorKind::Bits => Vector::Bits(bytes.to_vec()),
    })
}
