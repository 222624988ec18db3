//! Writing the body of a record: the document's shape and its values.

use super::cursor::write_varint;
use super::dictionary::Dictionary;
use super::tag::*;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::limits::{DOCUMENT_BYTES_MAX, NESTING_MAX};
use crate::value::{Decimal, Value, Vector};

pub(super) struct Encoder<'a> {
    pub(super) dictionary: &'a Dictionary,
    pub(super) out: &'a mut Vec<u8>,
    /// Where the record starts in `out`.
    pub(super) start: usize,
}

impl Encoder<'_> {
    /// Writes a map without tag and length; `level` is 1 for the document itself. An empty one takes no byte.
    pub(super) fn map(&mut self, map: &Document, level: usize) -> Result<()> {
        if level > NESTING_MAX {
            return Err(Error::limit_exceeded(format!("document has more than {NESTING_MAX} levels")));
        }
        if map.is_empty() {
            return Ok(());
        }
        if let Some(shape) = self.dictionary.shape_of(map) {
            write_varint(self.out, shape + 1);
            return map.iter().try_for_each(|(_, value)| self.value(value, level));
        }
        write_varint(self.out, 0);
        for (key, value) in map.iter() {
            match self.dictionary.key_id(key) {
                Some(id) => write_varint(self.out, id + 1),
                None => {
                    write_varint(self.out, 0);
                    self.sized_bytes(key.as_bytes())?;
                }
            }
            self.value(value, level)?;
        }
        Ok(())
    }

    /// Writes a value that stands in an array or map of `level`.
    pub(super) fn value(&mut self, value: &Value, level: usize) -> Result<()> {
        match value {
            Value::Null => self.out.push(NULL),
            Value::Bool(false) => self.out.push(FALSE),
            Value::Bool(true) => self.out.push(TRUE),
            Value::Int(int) => self.signed(*int),
            Value::UInt(int) => self.positive(*int),
            Value::Float(float) => self.float(*float),
            Value::Decimal(decimal) => self.decimal(*decimal),
            Value::String(string) => {
                self.check_size(string.len())?;
                self.string(string);
            }
            Value::Bytes(bytes) => {
                self.out.push(BYTES);
                self.sized_bytes(bytes)?;
            }
            Value::Time(time) => self.time(time.micros()),
            Value::Uuid(uuid) => {
                self.out.push(UUID);
                self.out.extend_from_slice(uuid.as_bytes());
            }
            Value::Vector(vector) => self.vector(vector)?,
            Value::Array(array) => {
                let level = level + 1;
                if level > NESTING_MAX {
                    return Err(Error::limit_exceeded(format!("document has more than {NESTING_MAX} levels")));
                }
                self.container(&ARRAY, |encoder| array.iter().try_for_each(|element| encoder.value(element, level)))?;
            }
            Value::Map(map) => self.container(&MAP, |encoder| encoder.map(map, level + 1))?,
        }
        Ok(())
    }

    /// Writes the content and then puts tag and length before it: the length is known only now, and moving a small
    /// container by a byte or two costs less than measuring every level first.
    fn container(&mut self, tags: &Sized, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let start = self.out.len();
        self.out.push(0);
        write(self)?;
        let length = self.out.len() - start - 1;
        self.check_size(0)?;
        let (head, head_length) = tags.head(length);
        if head_length > 1 {
            self.out.resize(start + head_length + length, 0);
            self.out.copy_within(start + 1..start + 1 + length, start + head_length);
        }
        self.out[start..start + head_length].copy_from_slice(&head[..head_length]);
        Ok(())
    }

    /// Refuses a record that grows beyond the limit by `more` bytes, before they are copied.
    pub(super) fn check_size(&self, more: usize) -> Result<()> {
        let size = (self.out.len() - self.start).saturating_add(more);
        if size > DOCUMENT_BYTES_MAX {
            let limit = DOCUMENT_BYTES_MAX;
            return Err(Error::limit_exceeded(format!("document takes {size} bytes or more, the limit is {limit}")));
        }
        Ok(())
    }

    fn sized_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.check_size(bytes.len())?;
        write_varint(self.out, bytes.len() as u32); // the limit on documents is below 2^32
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes a string that [`check_size`](Encoder::check_size) has admitted.
    pub(super) fn string(&mut self, string: &str) {
        let (head, head_length) = STRING.head(string.len());
        self.out.extend_from_slice(&head[..head_length]);
        self.out.extend_from_slice(string.as_bytes());
    }

    pub(super) fn signed(&mut self, int: i64) {
        match u64::try_from(int) {
            Ok(int) => self.positive(int),
            Err(_) => self.minimal(NEGATIVE, !int as u64),
        }
    }

    pub(super) fn positive(&mut self, int: u64) {
        match int {
            0..=0x1F => self.out.push(TINY + int as u8),
            0x20..=0xFFF => self.out.extend_from_slice(&[INT_12 + (int >> 8) as u8, int as u8]),
            0x1000..=0xF_FFFF => self.out.extend_from_slice(&[INT_20 + (int >> 16) as u8, (int >> 8) as u8, int as u8]),
            _ => self.minimal(POSITIVE, int),
        }
    }

    /// Writes as few bytes as hold `int`, at least one; their number is in the tag.
    fn minimal(&mut self, first_tag: u8, int: u64) {
        let width = 8 - (int | 1).leading_zeros() as usize / 8;
        self.out.push(first_tag + width as u8 - 1);
        self.out.extend_from_slice(&int.to_be_bytes()[8 - width..]);
    }

    pub(super) fn float(&mut self, float: f64) {
        let single = float as f32;
        // Compared as bits: the sign of zero and the bits of NaN come back as well.
        if f64::from(single).to_bits() == float.to_bits() {
            self.out.push(FLOAT_4);
            self.out.extend_from_slice(&single.to_be_bytes());
        } else {
            self.out.push(FLOAT_8);
            self.out.extend_from_slice(&float.to_be_bytes());
        }
    }

    fn decimal(&mut self, decimal: Decimal) {
        let unused = decimal.coefficient().leading_zeros() as usize / 8;
        let sign = if decimal.is_negative() { DECIMAL_NEGATIVE } else { 0 };
        self.out.extend_from_slice(&[DECIMAL, 17 - unused as u8, decimal.scale() | sign]);
        self.out.extend_from_slice(&decimal.coefficient().to_be_bytes()[unused..]);
    }

    fn time(&mut self, micros: i64) {
        for (tag, width, unit) in [(TIME_S, 5, 1_000_000), (TIME_MS, 6, 1_000)] {
            let count = micros / unit;
            let unused = 64 - 8 * width as u32;
            if micros % unit == 0 && count << unused >> unused == count {
                self.out.push(tag);
                self.out.extend_from_slice(&count.to_be_bytes()[8 - width..]);
                return;
            }
        }
        self.out.push(TIME_US);
        self.out.extend_from_slice(&micros.to_be_bytes());
    }

    fn vector(&mut self, vector: &Vector) -> Result<()> {
        let (tag, width) = match vector {
            Vector::F32(_) => (VECTOR_F32, 4),
            Vector::F16(_) => (VECTOR_F16, 2),
            Vector::I8(_) => (VECTOR_I8, 1),
            Vector::Bits(bytes) => {
                self.out.push(VECTOR_BITS);
                return self.sized_bytes(bytes);
            }
        };
        let length = vector.dimension() * width;
        self.check_size(length)?;
        self.out.push(tag);
        write_varint(self.out, length as u32);
        self.out.reserve(length);
        match vector {
            Vector::F32(numbers) => numbers.iter().for_each(|number| self.out.extend_from_slice(&number.to_le_bytes())),
            Vector::F16(numbers) => numbers.iter().for_each(|number| self.out.extend_from_slice(&number.to_le_bytes())),
            Vector::I8(numbers) => self.out.extend(numbers.iter().map(|&number| number as u8)),
            Vector::Bits(_) => {}
        }
        Ok(())
    }
}

impl Sized {
    /// Tag and length of a value of `length` bytes, and how many of these bytes count.
    pub(super) fn head(&self, length: usize) -> ([u8; 6], usize) {
        let mut head = [0; 6];
        if length <= usize::from(self.short_last - self.short) {
            head[0] = self.short + length as u8;
            return (head, 1);
        }
        if length >> 8 <= usize::from(self.wide_last - self.wide) {
            head[0] = self.wide + (length >> 8) as u8;
            head[1] = length as u8;
            return (head, 2);
        }
        head[0] = self.long;
        let (mut rest, mut used) = (length, 1);
        while rest >= 0x80 {
            head[used] = rest as u8 | 0x80;
            rest >>= 7;
            used += 1;
        }
        head[used] = rest as u8;
        (head, used + 1)
    }
}
