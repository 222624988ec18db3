//! Reading index keys back.

use super::number;
use super::{ARRAY, BYTES, ELEMENT, END, FALSE, MAP, MISSING, NULL, NUMBER, Order, STRING, TIME, TRUE, UUID, VECTOR};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::id::Uuid;
use crate::limits::NESTING_MAX;
use crate::value::{Time, Value, Vector, f16_of_ordered, f32_of_ordered, ordered_f16, ordered_f32};

/// What is wrong with a number that has the right form, but not the one form in which it is written.
pub(super) const UNWRITTEN: &str = "a spelling of NaN or zero that is never written";

const VECTOR_F16: u8 = VECTOR + 1;
const VECTOR_I8: u8 = VECTOR + 2;
const VECTOR_BITS: u8 = VECTOR + 3;

/// Reads one encoding off the front of `bytes`: a value equal to the one written, or `None` for a missing one. The value
/// of an element is given as it is; compare the first byte with [`element_tag`](super::element_tag) to tell.
///
/// # Errors
/// [`Corruption`](crate::ErrorKind::Corruption) if `bytes` do not begin with an encoding; they are then unchanged.
pub fn read_value(bytes: &mut &[u8], order: Order) -> Result<Option<Value>> {
    let mut reader = Reader { bytes, order };
    let element = reader.peek() == Some(ELEMENT);
    if element {
        reader.byte()?;
    }
    let value = match reader.byte()? {
        MISSING if element => return Err(reader.unknown(MISSING)),
        MISSING => None,
        tag => Some(reader.value(tag, NESTING_MAX)?),
    };
    *bytes = reader.bytes;
    Ok(value)
}

/// Steps over one encoding, without checking what it holds.
///
/// # Errors
/// [`Corruption`](crate::ErrorKind::Corruption) if `bytes` do not begin with an encoding; they are then unchanged.
pub fn skip_value(bytes: &mut &[u8], order: Order) -> Result<()> {
    let mut reader = Reader { bytes, order };
    if reader.peek() == Some(ELEMENT) {
        reader.byte()?;
    }
    // Arrays and maps are sequences of encodings, so a count of open ones replaces recursion.
    let mut open = 0_usize;
    loop {
        match reader.byte()? {
            END if open > 0 => open -= 1,
            MISSING | NULL | FALSE | TRUE => {}
            NUMBER => number::skip(&mut reader)?,
            STRING | BYTES | VECTOR..=VECTOR_BITS => reader.unescaped(|_| {})?,
            TIME => drop(reader.take(8)?),
            UUID => drop(reader.take(16)?),
            ARRAY | MAP => open += 1,
            tag => return Err(reader.unknown(tag)),
        }
        if open == 0 {
            break;
        }
    }
    *bytes = reader.bytes;
    Ok(())
}

/// Takes bytes off the front as they were before the order inverted them.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    order: Order,
}

impl<'a> Reader<'a> {
    fn value(&mut self, tag: u8, levels: usize) -> Result<Value> {
        Ok(match tag {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            NUMBER => number::read(self)?,
            STRING => Value::String(self.string()?),
            BYTES => Value::Bytes(self.terminated()?),
            TIME => Value::Time(Time::from_micros(i64::from_be_bytes(self.array()?) ^ i64::MIN)),
            UUID => Value::Uuid(Uuid::from_bytes(self.array()?)),
            VECTOR..=VECTOR_BITS => Value::Vector(self.vector(tag)?),
            ARRAY | MAP if levels == 0 => {
                return Err(self.damage(&format!("arrays and maps nested deeper than {NESTING_MAX}")));
            }
            ARRAY => self.array_value(levels - 1)?,
            MAP => self.map(levels - 1)?,
            _ => return Err(self.unknown(tag)),
        })
    }

    fn array_value(&mut self, levels: usize) -> Result<Value> {
        let mut elements = Vec::new();
        loop {
            match self.byte()? {
                END => return Ok(Value::Array(elements)),
                tag => elements.push(self.value(tag, levels)?),
            }
        }
    }

    fn map(&mut self, levels: usize) -> Result<Value> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        loop {
            match self.byte()? {
                END => return Ok(Value::Map(Document::from_distinct(entries))),
                STRING => {
                    let key = self.string()?;
                    if entries.last().is_some_and(|(last, _)| *last >= key) {
                        return Err(self.damage("a map whose keys do not ascend"));
                    }
                    let tag = self.byte()?;
                    entries.push((key, self.value(tag, levels)?));
                }
                _ => return Err(self.damage("a map with a key that is no string")),
            }
        }
    }

    fn vector(&mut self, tag: u8) -> Result<Vector> {
        let bytes = self.terminated()?;
        let (fours, four_rest) = bytes.as_chunks::<4>();
        let (twos, two_rest) = bytes.as_chunks::<2>();
        Ok(match tag {
            VECTOR if four_rest.is_empty() => {
                let number = |bits| Some(f32_of_ordered(bits)).filter(|number| ordered_f32(*number) == bits);
                let numbers = fours.iter().map(|four| number(u32::from_be_bytes(*four)));
                Vector::F32(numbers.collect::<Option<_>>().ok_or_else(|| self.damage(UNWRITTEN))?)
            }
            VECTOR_F16 if two_rest.is_empty() => {
                let number = |bits| Some(f16_of_ordered(bits)).filter(|number| ordered_f16(*number) == bits);
                let numbers = twos.iter().map(|two| number(u16::from_be_bytes(*two)));
                Vector::F16(numbers.collect::<Option<_>>().ok_or_else(|| self.damage(UNWRITTEN))?)
            }
            VECTOR_I8 => Vector::I8(bytes.iter().map(|byte| (byte ^ 0x80) as i8).collect()),
            VECTOR_BITS => Vector::Bits(bytes.iter().map(|byte| byte.reverse_bits()).collect()),
            _ => return Err(self.damage("a vector whose last number is cut off")),
        })
    }

    fn string(&mut self) -> Result<String> {
        String::from_utf8(self.terminated()?).map_err(|_| self.damage("a string that is not UTF-8"))
    }

    fn terminated(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.unescaped(|byte| bytes.push(byte))?;
        Ok(bytes)
    }

    /// Visits the bytes up to the terminator, which it steps over.
    fn unescaped(&mut self, mut visit: impl FnMut(u8)) -> Result<()> {
        loop {
            match self.byte()? {
                0x00 => match self.byte()? {
                    0x00 => return Ok(()),
                    0xFF => visit(0x00),
                    _ => return Err(self.damage("a zero byte that neither ends a string nor belongs to it")),
                },
                byte => visit(byte),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.first().map(|byte| self.order.apply(*byte))
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or_else(|| self.damage("an end too early"))?;
        self.bytes = rest;
        Ok(array.map(|byte| self.order.apply(byte)))
    }

    /// Takes bytes that are not looked at.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or_else(|| self.damage("an end too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn unknown(&self, tag: u8) -> Error {
        self.damage(&format!("the unknown tag {tag:#04x}"))
    }

    pub(super) fn damage(&self, what: &str) -> Error {
        Error::corruption(format!("index key has {what}, {} bytes before its end", self.bytes.len()))
    }
}
