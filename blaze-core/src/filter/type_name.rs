//! Names of types, as the operator `type` takes them.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::Value;

/// The name of a type of values, or of all numeric types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TypeName {
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`, over the whole range of `i64` and `u64`
    Int,
    /// `float`
    Float,
    /// `decimal`
    Decimal,
    /// `number`: `int`, `float` or `decimal`
    Number,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `time`
    Time,
    /// `uuid`
    Uuid,
    /// `vector`
    Vector,
    /// `array`
    Array,
    /// `map`
    Map,
}

impl TypeName {
    /// Every name.
    pub const ALL: [TypeName; 13] = [
        TypeName::Null,
        TypeName::Bool,
        TypeName::Int,
        TypeName::Float,
        TypeName::Decimal,
        TypeName::Number,
        TypeName::String,
        TypeName::Bytes,
        TypeName::Time,
        TypeName::Uuid,
        TypeName::Vector,
        TypeName::Array,
        TypeName::Map,
    ];

    /// The name as text: what [`Value::type_name`] says, or `number`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            TypeName::Null => "null",
            TypeName::Bool => "bool",
            TypeName::Int => "int",
            TypeName::Float => "float",
            TypeName::Decimal => "decimal",
            TypeName::Number => "number",
            TypeName::String => "string",
            TypeName::Bytes => "bytes",
            TypeName::Time => "time",
            TypeName::Uuid => "uuid",
            TypeName::Vector => "vector",
            TypeName::Array => "array",
            TypeName::Map => "map",
        }
    }

    /// True if `value` is of this type.
    #[must_use]
    pub fn includes(self, value: &Value) -> bool {
        match self {
            TypeName::Number => {
                matches!(value, Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_))
            }
            _ => self.as_str() == value.type_name(),
        }
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TypeName {
    type Err = Error;

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if no type has this name.
    fn from_str(text: &str) -> Result<TypeName> {
        let known = TypeName::ALL.into_iter().find(|name| name.as_str() == text);
        known.ok_or_else(|| Error::invalid(format!("{text:?} names no type of values")))
    }
}
