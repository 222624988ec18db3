//! Values: what a field of a document can hold.

mod decimal;
pub mod half;
mod number;
mod order;
#[cfg(test)]
pub(crate) mod strategy;
mod time;
mod vector;
mod wide;

pub use decimal::Decimal;
pub(crate) use number::{Number, power_of_ten};
pub use time::Time;
pub(crate) use time::{date_of_days, days_of_date};
pub use vector::{Vector, VectorKind};
pub(crate) use vector::{f16_of_ordered, f32_of_ordered, ordered_f16, ordered_f32};

use crate::document::Document;
use crate::id::Uuid;

/// A value in a document.
///
/// Values have one total order and one equality, used by filters, sorts and indexes alike:
/// null < booleans < numbers < strings < bytes < times < UUIDs < vectors < arrays < maps.
///
/// | compared | rule |
/// |---|---|
/// | numbers | by their exact value, whatever their type: `1`, `1.0` and the decimal `1.00` are equal; no rounding |
/// | NaN | equal to itself and below every other number |
/// | −0.0 | equal to 0.0 |
/// | strings, bytes | bytewise; strings are not normalised |
/// | arrays | element by element, then by length |
/// | maps | as their entries sorted by key; the order in which keys were written does not matter |
/// | vectors | by kind, then number by number, then by length; never equal to an array |
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nothing, but present: a missing field is not null.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer in the range of `i64`.
    Int(i64),
    /// An integer above `i64::MAX`. Smaller ones are [`Int`](Value::Int), see `From<u64>`.
    UInt(u64),
    /// A floating-point number, NaN and the infinities included.
    Float(f64),
    /// An exact decimal number.
    Decimal(Decimal),
    /// A string.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An instant.
    Time(Time),
    /// A UUID.
    Uuid(Uuid),
    /// A vector of numbers of one type, for search by similarity.
    Vector(Vector),
    /// A list of values.
    Array(Vec<Value>),
    /// A nested document.
    Map(Document),
}

impl Value {
    /// The name of the type, as the filter operator `type` and error messages use it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::UInt(_) => "int",
            Value::Float(_) => "float",
            Value::Decimal(_) => "decimal",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::Time(_) => "time",
            Value::Uuid(_) => "uuid",
            Value::Vector(_) => "vector",
            Value::Array(_) => "array",
            Value::Map(_) => "map",
        }
    }

    /// True for null; false for everything else, empty strings and arrays included.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The string, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(string) => Some(string),
            _ => None,
        }
    }

    /// The integer, if this is one in the range of `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            Value::UInt(int) => i64::try_from(*int).ok(),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The nested document, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Document> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Value {
                $make
            }
        })*
    };
}

from! {
    bool => |value| Value::Bool(value),
    i8 => |value| Value::Int(value.into()),
    i16 => |value| Value::Int(value.into()),
    i32 => |value| Value::Int(value.into()),
    i64 => |value| Value::Int(value),
    u8 => |value| Value::Int(value.into()),
    u16 => |value| Value::Int(value.into()),
    u32 => |value| Value::Int(value.into()),
    u64 => |value| i64::try_from(value).map_or(Value::UInt(value), Value::Int),
    f32 => |value| Value::Float(value.into()),
    f64 => |value| Value::Float(value),
    Decimal => |value| Value::Decimal(value),
    String => |value| Value::String(value),
    &str => |value| Value::String(value.to_owned()),
    Vec<u8> => |value| Value::Bytes(value),
    &[u8] => |value| Value::Bytes(value.to_vec()),
    Vec<f32> => |value| Value::Vector(Vector::F32(value)),
    &[f32] => |value| Value::Vector(Vector::F32(value.to_vec())),
    Time => |value| Value::Time(value),
    Uuid => |value| Value::Uuid(value),
    Vector => |value| Value::Vector(value),
    Vec<Value> => |value| Value::Array(value),
    Document => |value| Value::Map(value),
    () => |_value| Value::Null,
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Value {
        Value::Bytes(value.to_vec())
    }
}

impl<const N: usize> From<[f32; N]> for Value {
    fn from(value: [f32; N]) -> Value {
        Value::Vector(Vector::F32(value.to_vec()))
    }
}

impl<const N: usize> From<[Value; N]> for Value {
    fn from(value: [Value; N]) -> Value {
        Value::Array(value.into())
    }
}

/// Lists, one element type at a time: those of `u8` are bytes and those of `f32` vectors, so no `T` covers the rest.
macro_rules! from_lists {
    ($($type:ty),* $(,)?) => {
        $(
            impl From<Vec<$type>> for Value {
                fn from(value: Vec<$type>) -> Value {
                    value.into_iter().collect()
                }
            }

            impl<const N: usize> From<[$type; N]> for Value {
                fn from(value: [$type; N]) -> Value {
                    value.into_iter().collect()
                }
            }
        )*
    };
}

from_lists! { bool, i32, i64, u32, u64, f64, &str, String, Decimal, Time, Uuid, Document }

impl<T: Into<Value>> FromIterator<T> for Value {
    /// An array of the values, whatever their type.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Value {
        Value::Array(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
