//! Values to Rust types.

use ::serde::de::value::BytesDeserializer;
use ::serde::de::{self, Error as _, Expected, Unexpected, Visitor};

use super::access::{Elements, Entries, Variant};
use super::failure::Failure;
use super::node::{Node, is_vector_dimension};
use super::special::{self, Special, bits};
use crate::document::Document;
use crate::limits::NESTING_MAX;
use crate::value::{Decimal, Value, Vector};

/// Takes one value apart.
pub(crate) struct Deserializer {
    pub(super) node: Node,
    /// How many levels of arrays and maps may still open.
    pub(super) levels: usize,
}

impl Deserializer {
    pub(super) fn new(value: Value) -> Deserializer {
        Deserializer::within(value, NESTING_MAX)
    }

    /// As [`new`](Deserializer::new), for a value inside of others: so many levels may still open.
    pub(crate) fn within(value: Value, levels: usize) -> Deserializer {
        Deserializer { node: Node::Value(value), levels }
    }

    /// The special value, if it is one.
    fn special(&self) -> Option<Special<'_>> {
        match &self.node {
            Node::Value(value) => Special::of(value),
            Node::F32(_) => None,
        }
    }

    fn mismatch(&self, expected: &dyn Expected) -> Failure {
        let found = match &self.node {
            Node::Value(value) => value.type_name(),
            Node::F32(_) => "float",
        };
        Failure::invalid_type(Unexpected::Other(found), expected)
    }

    fn elements<'de, V: Visitor<'de>>(
        levels: usize,
        nodes: impl ExactSizeIterator<Item = Node>,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let levels = levels.checked_sub(1).ok_or_else(Failure::too_deep)?;
        let mut elements = Elements { length: nodes.len(), nodes, levels };
        let value = visitor.visit_seq(&mut elements)?;
        match elements.nodes.len() {
            0 => Ok(value),
            _ => Err(Failure::invalid_length(elements.length, &"fewer elements")),
        }
    }

    fn map<'de, V: Visitor<'de>>(levels: usize, map: Document, visitor: V) -> Result<V::Value, Failure> {
        let levels = levels.checked_sub(1).ok_or_else(Failure::too_deep)?;
        visitor.visit_map(Entries { entries: map.into_iter(), current: None, levels })
    }

    /// Gives a string, for a type whose text is also its readable form elsewhere.
    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.special().map(|special| special.text()) {
            Some(Some(text)) => visitor.visit_string(text),
            Some(None) => Err(self.mismatch(&visitor)),
            None => de::Deserializer::deserialize_any(self, visitor),
        }
    }

    fn sequence<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let levels = self.levels;
        let int = |int: i64| Node::Value(Value::Int(int));
        match self.node {
            Node::Value(Value::Bytes(bytes)) => {
                Self::elements(levels, bytes.into_iter().map(|byte| int(byte.into())), visitor)
            }
            Node::Value(Value::Vector(vector)) => match vector {
                Vector::I8(numbers) => Self::elements(levels, numbers.into_iter().map(|n| int(n.into())), visitor),
                Vector::Bits(bytes) => Self::elements(levels, bits(&bytes).map(|bit| int(bit.into())), visitor),
                Vector::F32(numbers) => Self::elements(levels, numbers.into_iter().map(Node::F32), visitor),
                vector @ Vector::F16(_) => {
                    let numbers = vector.to_f32().unwrap_or_default();
                    Self::elements(levels, numbers.into_iter().map(Node::F32), visitor)
                }
            },
            node => de::Deserializer::deserialize_any(Deserializer { node, levels }, visitor),
        }
    }
}

macro_rules! through {
    ($($method:ident($($name:ident: $type:ty),*) => $function:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            self.$function(visitor)
        })*
    };
}

/// Types that no special value stands for: a newtype struct would be an error that names the wrong thing.
macro_rules! plain {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            match self.special() {
                Some(_) => Err(self.mismatch(&visitor)),
                None => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Deserializer {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let value = match self.node {
            Node::F32(number) => return visitor.visit_f32(number),
            Node::Value(value) => value,
        };
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Int(int) => visitor.visit_i64(int),
            Value::UInt(int) => visitor.visit_u64(int),
            Value::Float(float) => visitor.visit_f64(float),
            Value::String(string) => visitor.visit_string(string),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::Array(elements) => Self::elements(self.levels, elements.into_iter().map(Node::Value), visitor),
            Value::Map(map) => Self::map(self.levels, map, visitor),
            // These come as they went in, so that a buffered one fits a `Vec<f32>` too.
            Value::Vector(Vector::F32(numbers)) if is_vector_dimension(numbers.len()) => {
                Self::elements(self.levels, numbers.into_iter().map(Node::F32), visitor)
            }
            value @ (Value::Decimal(_) | Value::Time(_) | Value::Uuid(_) | Value::Vector(_)) => {
                let bytes = Special::of(&value).map_or_else(Vec::new, |special| special.to_bytes());
                visitor.visit_newtype_struct(BytesDeserializer::new(&bytes))
            }
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        match self.special() {
            Some(special) if name == special::NAME => {
                visitor.visit_newtype_struct(BytesDeserializer::new(&special.to_bytes()))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node {
            Node::Value(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node {
            Node::Value(Value::Decimal(decimal)) if decimal.scale() == 0 => visit_integer(decimal, visitor),
            _ => self.deserialize_i64(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_i128(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let levels = self.levels;
        match self.node {
            Node::Value(Value::String(variant)) => visitor.visit_enum(Variant { variant, value: None, levels }),
            Node::Value(Value::Map(map)) if map.len() == 1 => {
                let levels = levels.checked_sub(1).ok_or_else(Failure::too_deep)?;
                match map.into_iter().next() {
                    Some((variant, value)) => visitor.visit_enum(Variant { variant, value: Some(value), levels }),
                    None => Err(Failure::invalid_length(0, &"a map of one entry")),
                }
            }
            Node::Value(Value::Map(map)) => {
                Err(Failure::invalid_length(map.len(), &"a map of one entry, named like a variant"))
            }
            node => Err(Deserializer { node, levels }.mismatch(&"the name of a variant, or a map of one entry")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    through! {
        deserialize_char() => text, deserialize_str() => text, deserialize_string() => text,
        deserialize_identifier() => text,
        deserialize_seq() => sequence, deserialize_tuple(_length: usize) => sequence,
        deserialize_tuple_struct(_name: &'static str, _length: usize) => sequence,
        deserialize_bytes() => deserialize_any, deserialize_byte_buf() => deserialize_any,
    }

    plain! {
        deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(),
        deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(), deserialize_f32(),
        deserialize_f64(), deserialize_unit(), deserialize_unit_struct(_name: &'static str), deserialize_map(),
        deserialize_struct(_name: &'static str, _fields: &'static [&'static str]),
    }
}

fn visit_integer<'de, V: Visitor<'de>>(decimal: Decimal, visitor: V) -> Result<V::Value, Failure> {
    match i128::try_from(decimal.coefficient()) {
        Ok(magnitude) if decimal.is_negative() => visitor.visit_i128(-magnitude),
        Err(_) if decimal == Decimal::integer(true, i128::MIN.unsigned_abs()) => visitor.visit_i128(i128::MIN),
        Err(_) if decimal.is_negative() => Err(Failure::invalid_value(Unexpected::Other("decimal"), &visitor)),
        _ => visitor.visit_u128(decimal.coefficient()),
    }
}
