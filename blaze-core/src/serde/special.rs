//! Times, UUIDs, decimals and vectors, which serde does not know: text or numbers in readable formats, bytes in others.
//!
//! Each goes out as a newtype struct of the name [`NAME`]. Our own serializer and deserializer know the name, and the
//! bytes tell the type, so that the value survives also where serde buffers it (`flatten`, untagged enums).

use std::fmt;

use ::serde::de::{self, Deserializer, SeqAccess, Unexpected, Visitor};
use ::serde::{Deserialize, Serialize, Serializer};

use super::failure::Failure;
use crate::id::Uuid;
use crate::value::{Decimal, Time, Value, Vector};

pub(super) const NAME: &str = "$blaze::Value";

const TIME: u8 = 0;
const UUID: u8 = 1;
const DECIMAL: u8 = 2;
const VECTOR_F32: u8 = 3;
const VECTOR_F16: u8 = 4;
const VECTOR_I8: u8 = 5;
const VECTOR_BITS: u8 = 6;
const BYTES: u8 = 7;

/// One of the types that serde does not know.
pub(super) enum Special<'a> {
    Time(Time),
    Uuid(Uuid),
    Decimal(Decimal),
    Vector(&'a Vector),
}

impl<'a> Special<'a> {
    pub(super) fn of(value: &'a Value) -> Option<Special<'a>> {
        match value {
            Value::Time(time) => Some(Special::Time(*time)),
            Value::Uuid(uuid) => Some(Special::Uuid(*uuid)),
            Value::Decimal(decimal) => Some(Special::Decimal(*decimal)),
            Value::Vector(vector) => Some(Special::Vector(vector)),
            _ => None,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        fn tagged(tag: u8, bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
            std::iter::once(tag).chain(bytes).collect()
        }
        match self {
            Special::Time(time) => tagged(TIME, time.micros().to_le_bytes()),
            Special::Uuid(uuid) => tagged(UUID, *uuid.as_bytes()),
            Special::Decimal(decimal) => {
                let head = [decimal.scale(), decimal.is_negative().into()];
                tagged(DECIMAL, head.into_iter().chain(decimal.coefficient().to_le_bytes()))
            }
            Special::Vector(Vector::F32(numbers)) => tagged(VECTOR_F32, numbers.iter().flat_map(|n| n.to_le_bytes())),
            Special::Vector(Vector::F16(numbers)) => tagged(VECTOR_F16, numbers.iter().flat_map(|n| n.to_le_bytes())),
            Special::Vector(Vector::I8(numbers)) => tagged(VECTOR_I8, numbers.iter().map(|number| *number as u8)),
            Special::Vector(Vector::Bits(bytes)) => tagged(VECTOR_BITS, bytes.iter().copied()),
        }
    }

    /// The text of all but vectors.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Special::Time(time) => Some(time.to_string()),
            Special::Uuid(uuid) => Some(uuid.to_string()),
            Special::Decimal(decimal) => Some(decimal.to_string()),
            Special::Vector(_) => None,
        }
    }
}

/// The value of [`Special::to_bytes`].
pub(super) fn from_bytes(bytes: &[u8]) -> Option<Value> {
    let (tag, body) = bytes.split_first()?;
    Some(match *tag {
        TIME => Value::Time(Time::from_micros(i64::from_le_bytes(body.try_into().ok()?))),
        UUID => Value::Uuid(Uuid::from_bytes(body.try_into().ok()?)),
        DECIMAL => {
            let ([scale, negative], coefficient) = body.split_first_chunk()?;
            let coefficient = u128::from_le_bytes(coefficient.try_into().ok()?);
            Value::Decimal(Decimal::new(*negative != 0, coefficient, *scale)?)
        }
        VECTOR_F32 => Value::from(whole(body)?.iter().map(|number| f32::from_le_bytes(*number)).collect::<Vec<_>>()),
        VECTOR_F16 => {
            Value::Vector(Vector::F16(whole(body)?.iter().map(|number| u16::from_le_bytes(*number)).collect()))
        }
        VECTOR_I8 => Value::Vector(Vector::I8(body.iter().map(|byte| *byte as i8).collect())),
        VECTOR_BITS => Value::Vector(Vector::Bits(body.to_vec())),
        _ => return None,
    })
}

/// The value in a newtype struct, if its name says that it is of a special type.
pub(crate) fn value_of<T: Serialize + ?Sized>(name: &str, value: &T) -> Option<Result<Value, Failure>> {
    (name == NAME).then(|| super::ser::special_value(value))
}

/// The bytes that [`from_bytes`] takes for a UUID.
pub(super) fn uuid_bytes(uuid: Uuid) -> Vec<u8> {
    Special::Uuid(uuid).to_bytes()
}

/// Bytes marked as bytes, for our own serializer alone.
pub(super) fn plain_bytes(bytes: &[u8]) -> Vec<u8> {
    [&[BYTES], bytes].concat()
}

/// The value of [`plain_bytes`].
pub(super) fn from_plain_bytes(bytes: &[u8]) -> Option<Value> {
    bytes.strip_prefix(&[BYTES]).map(Value::from)
}

/// The bytes in chunks, if none is left over.
fn whole<const N: usize>(bytes: &[u8]) -> Option<&[[u8; N]]> {
    let (chunks, rest) = bytes.as_chunks();
    rest.is_empty().then_some(chunks)
}

/// The bits of a vector, first to last.
pub(super) fn bits(bytes: &[u8]) -> impl ExactSizeIterator<Item = u8> + '_ {
    (0..bytes.len() * 8).map(|place| bytes[place / 8] >> (place % 8) & 1)
}

impl Serialize for Special<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.to_bytes());
        }
        match self {
            Special::Time(time) => serializer.collect_str(time),
            Special::Uuid(uuid) => serializer.collect_str(uuid),
            Special::Decimal(decimal) => serializer.collect_str(decimal),
            Special::Vector(Vector::F32(numbers)) => serializer.collect_seq(numbers),
            Special::Vector(vector @ Vector::F16(_)) => serializer.collect_seq(vector.to_f32().unwrap_or_default()),
            Special::Vector(Vector::I8(numbers)) => serializer.collect_seq(numbers),
            Special::Vector(Vector::Bits(bytes)) => serializer.collect_seq(bits(bytes)),
        }
    }
}

/// Reads any form of a special type; what has no type of its own there comes as a string, number or vector.
pub(super) struct SpecialVisitor(pub(super) &'static str);

impl<'de> Visitor<'de> for SpecialVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        // Only a readable format can tell what it holds.
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_any(self),
            false => deserializer.deserialize_bytes(self),
        }
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Value, E> {
        from_bytes(bytes).ok_or_else(|| E::invalid_value(Unexpected::Bytes(bytes), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut numbers: Vec<f32> = Vec::new();
        while let Some(number) = elements.next_element()? {
            numbers.push(number);
        }
        Ok(Value::from(numbers))
    }
}

/// Implements serde for a special type; `$read` turns the forms that are not the type itself into it.
macro_rules! special {
    ($type:ident, $expected:literal, |$this:ident| $special:expr, $($form:pat => $read:expr),*) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $this = self;
                serializer.serialize_newtype_struct(NAME, &Special::$type($special))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                match deserializer.deserialize_newtype_struct(NAME, SpecialVisitor($expected))? {
                    Value::$type(value) => Ok(value),
                    $($form => $read.map_err(de::Error::custom),)*
                    other => Err(de::Error::invalid_type(Unexpected::Other(other.type_name()), &$expected)),
                }
            }
        }
    };
}

special!(Time, "a time", |time| *time, Value::String(text) => text.parse());
special!(Uuid, "a UUID", |uuid| *uuid, Value::String(text) => Uuid::parse(&text));
special!(Decimal, "a decimal number", |decimal| *decimal,
    Value::String(text) => text.parse(),
    Value::Int(int) => int.to_string().parse(),
    Value::UInt(int) => int.to_string().parse(),
    Value::Float(float) => float.to_string().parse()
);
special!(Vector, "a vector", |vector| vector,);
