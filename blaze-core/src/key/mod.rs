//! Index keys: values as bytes whose bytewise order is the order of the values.
//!
//! Each encoding is a tag and a body that shows its own end, so that encodings can follow one another and no encoding is
//! the beginning of another. Equal values have equal bytes, whatever their type. In [`Order::Descending`] every byte is
//! inverted.
//!
//! | value | tag | body |
//! |---|---|---|
//! | missing | [`MISSING`] | |
//! | null | [`NULL`] | |
//! | false, true | [`FALSE`], [`TRUE`] | |
//! | number | [`NUMBER`] | the largest float that is not above it, 8 bytes; then 0, or 1 and the exact digits |
//! | string | [`STRING`] | UTF-8 with each 00 as 00 FF; then 00 00 |
//! | bytes | [`BYTES`] | as for a string |
//! | time | [`TIME`] | microseconds, 8 bytes, the highest bit flipped |
//! | UUID | [`UUID`] | 16 bytes |
//! | vector | [`VECTOR`] + kind | as for bytes: the numbers in 4, 2 or 1 bytes that keep their order; eight bits a byte |
//! | array | [`ARRAY`] | the encodings of the elements; then 00 |
//! | map | [`MAP`] | for each key, sorted, its encoding as a string and that of its value; then 00 |
//! | element | [`ELEMENT`] | the encoding of the value |
//!
//! Integers are big-endian. A float has its sign bit flipped if it is positive and all bits inverted if it is negative;
//! NaN is eight bytes of 0. The digits are the integer part (its count of bytes, then those), each two digits of the
//! fraction as a byte of 1 + them without zeros at the end, and 0; all of it inverted below zero.

mod number;
mod read;
mod restore;
#[cfg(test)]
mod tests;

pub use read::{read_value, skip_value};
pub use restore::is_restorable;

use std::ops::Range;

use crate::document::Document;
use crate::value::{Value, Vector, ordered_f16, ordered_f32};

/// Ends arrays and maps; below every tag.
const END: u8 = 0x00;
/// Tag of a field that is not there.
pub const MISSING: u8 = 0x08;
/// Tag of null.
pub const NULL: u8 = 0x10;
/// Tag of false.
pub const FALSE: u8 = 0x20;
/// Tag of true.
pub const TRUE: u8 = 0x21;
/// Tag of numbers of every type.
pub const NUMBER: u8 = 0x30;
/// Tag of strings.
pub const STRING: u8 = 0x40;
/// Tag of bytes.
pub const BYTES: u8 = 0x50;
/// Tag of times.
pub const TIME: u8 = 0x60;
/// Tag of UUIDs.
pub const UUID: u8 = 0x70;
/// Tag of vectors of single precision; those of the other [kinds](crate::VectorKind) follow it in their order.
pub const VECTOR: u8 = 0x80;
/// Tag of arrays.
pub const ARRAY: u8 = 0x90;
/// Tag of maps.
pub const MAP: u8 = 0xA0;
/// Tag in front of a value that is one element of an array, in an index that has an entry for each; above all others.
pub const ELEMENT: u8 = 0xE0;

/// The direction in which a field of an index is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// Small values first.
    #[default]
    Ascending,
    /// Large values first.
    Descending,
}

impl Order {
    /// The byte as this order writes it, and what it wrote as it was.
    const fn apply(self, byte: u8) -> u8 {
        match self {
            Order::Ascending => byte,
            Order::Descending => !byte,
        }
    }
}

/// Appends the encoding of `value`.
///
/// ```
/// use blaze_core::{Value, key};
///
/// let encode = |value: Value| {
///     let mut bytes = Vec::new();
///     key::write_value(&mut bytes, &value, key::Order::Ascending);
///     bytes
/// };
/// assert!(encode(Value::from(2)) < encode(Value::from(2.5)));
/// assert_eq!(encode(Value::from(2)), encode(Value::from(2.0)));
/// ```
pub fn write_value(key: &mut Vec<u8>, value: &Value, order: Order) {
    write(key, order, |key| write_ascending(key, value));
}

/// Appends the encoding of a string, as [`write_value`] does of a [`Value::String`].
pub fn write_string(key: &mut Vec<u8>, string: &str, order: Order) {
    write(key, order, |key| {
        key.push(STRING);
        write_terminated(key, string.bytes());
    });
}

/// Appends the encoding of a field that is not there; it comes before null.
pub fn write_missing(key: &mut Vec<u8>, order: Order) {
    key.push(order.apply(MISSING));
}

/// Appends the encoding of `value` as one element of an array.
pub fn write_element(key: &mut Vec<u8>, value: &Value, order: Order) {
    key.push(order.apply(ELEMENT));
    write_value(key, value, order);
}

/// Appends the bytes with which the encodings of all strings beginning with `prefix`, and of no others, begin.
pub fn write_string_prefix(key: &mut Vec<u8>, prefix: &str, order: Order) {
    write(key, order, |key| {
        key.push(STRING);
        write_escaped(key, prefix.bytes());
    });
}

/// The tags, as `order` writes them, with which the encodings of all values [comparable](Value::comparable) with `value`
/// begin, and no others: a range of keys to which inequalities are confined.
///
/// For entries of elements, the tags are the second byte, after [`ELEMENT`] as [`element_tag`] gives it.
#[must_use]
pub fn class_range(value: &Value, order: Order) -> Range<u8> {
    let (first, last) = match value {
        Value::Bool(_) => (FALSE, TRUE),
        Value::Vector(_) => (VECTOR, ARRAY - 1),
        other => (tag(other), tag(other)),
    };
    match order {
        Order::Ascending => first..last + 1,
        Order::Descending => !last..!first + 1,
    }
}

/// [`ELEMENT`] as `order` writes it.
#[must_use]
pub const fn element_tag(order: Order) -> u8 {
    order.apply(ELEMENT)
}

/// Calls `write`, then inverts what it appended if the order is descending.
fn write(key: &mut Vec<u8>, order: Order, write: impl FnOnce(&mut Vec<u8>)) {
    let start = key.len();
    write(key);
    if order == Order::Descending {
        key[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

fn tag(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(false) => FALSE,
        Value::Bool(true) => TRUE,
        Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_) => NUMBER,
        Value::String(_) => STRING,
        Value::Bytes(_) => BYTES,
        Value::Time(_) => TIME,
        Value::Uuid(_) => UUID,
        Value::Vector(vector) => VECTOR + vector.kind() as u8,
        Value::Array(_) => ARRAY,
        Value::Map(_) => MAP,
    }
}

fn write_ascending(key: &mut Vec<u8>, value: &Value) {
    key.push(tag(value));
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_) => {
            value.number().into_iter().for_each(|number| number::write(key, number));
        }
        Value::String(string) => write_terminated(key, string.bytes()),
        Value::Bytes(bytes) => write_terminated(key, bytes.iter().copied()),
        Value::Time(time) => key.extend_from_slice(&(time.micros() ^ i64::MIN).to_be_bytes()),
        Value::Uuid(uuid) => key.extend_from_slice(uuid.as_bytes()),
        Value::Vector(vector) => write_vector(key, vector),
        Value::Array(elements) => {
            elements.iter().for_each(|element| write_ascending(key, element));
            key.push(END);
        }
        Value::Map(map) => write_map(key, map),
    }
}

fn write_vector(key: &mut Vec<u8>, vector: &Vector) {
    match vector {
        Vector::F32(numbers) => write_terminated(key, numbers.iter().flat_map(|n| ordered_f32(*n).to_be_bytes())),
        Vector::F16(numbers) => write_terminated(key, numbers.iter().flat_map(|n| ordered_f16(*n).to_be_bytes())),
        Vector::I8(numbers) => write_terminated(key, numbers.iter().map(|number| *number as u8 ^ 0x80)),
        Vector::Bits(bytes) => write_terminated(key, bytes.iter().map(|byte| byte.reverse_bits())),
    }
}

fn write_map(key: &mut Vec<u8>, map: &Document) {
    for (name, value) in map.sorted() {
        key.push(STRING);
        write_terminated(key, name.bytes());
        write_ascending(key, value);
    }
    key.push(END);
}

fn write_terminated(key: &mut Vec<u8>, bytes: impl Iterator<Item = u8>) {
    write_escaped(key, bytes);
    key.extend_from_slice(&[0x00, 0x00]);
}

fn write_escaped(key: &mut Vec<u8>, bytes: impl Iterator<Item = u8>) {
    for byte in bytes {
        key.push(byte);
        if byte == 0x00 {
            key.push(0xFF);
        }
    }
}
