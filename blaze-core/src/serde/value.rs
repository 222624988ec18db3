//! Values and documents in any format.

use std::fmt;

use ::serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use ::serde::{Deserialize, Serialize, Serializer};

use super::failure::Failure;
use super::node::{Node, Sequence};
use super::special::SpecialVisitor;
use crate::document::Document;
use crate::limits::NESTING_MAX;
use crate::value::{Decimal, Value};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => serializer.serialize_i64(*int),
            Value::UInt(int) => serializer.serialize_u64(*int),
            Value::Float(float) => serializer.serialize_f64(*float),
            Value::Decimal(decimal) => decimal.serialize(serializer),
            Value::String(string) => serializer.serialize_str(string),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Value::Time(time) => time.serialize(serializer),
            Value::Uuid(uuid) => uuid.serialize(serializer),
            Value::Vector(vector) => vector.serialize(serializer),
            Value::Array(elements) => serializer.collect_seq(elements),
            Value::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(NodeVisitor { levels: NESTING_MAX }).map(Node::into_value)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        match deserializer.deserialize_map(NodeVisitor { levels: NESTING_MAX })?.into_value() {
            Value::Map(document) => Ok(document),
            other => Err(D::Error::invalid_type(Unexpected::Other(other.type_name()), &"a map")),
        }
    }
}

/// Reads whatever comes, down to so many levels of arrays and maps.
#[derive(Clone, Copy)]
struct NodeVisitor {
    levels: usize,
}

impl NodeVisitor {
    fn enter<E: de::Error>(self) -> Result<NodeVisitor, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom(Failure::too_deep()))?;
        Ok(NodeVisitor { levels })
    }
}

impl<'de> DeserializeSeed<'de> for NodeVisitor {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! visit {
    ($($method:ident($type:ty) => |$value:ident| $make:expr),* $(,)?) => {
        $(fn $method<E: de::Error>(self, $value: $type) -> Result<Node, E> {
            Ok(Node::Value($make))
        })*
    };
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    visit! {
        visit_bool(bool) => |value| Value::Bool(value),
        visit_i64(i64) => |value| Value::Int(value),
        visit_u64(u64) => |value| Value::from(value),
        visit_i128(i128) => |value| integer(value < 0, value.unsigned_abs()),
        visit_u128(u128) => |value| integer(false, value),
        visit_f64(f64) => |value| Value::Float(value),
        visit_str(&str) => |value| Value::from(value),
        visit_string(String) => |value| Value::String(value),
        visit_bytes(&[u8]) => |value| Value::from(value),
        visit_byte_buf(Vec<u8>) => |value| Value::Bytes(value),
    }

    fn visit_f32<E: de::Error>(self, value: f32) -> Result<Node, E> {
        Ok(Node::F32(value))
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Value(Value::Null))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Value(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(SpecialVisitor("a value")).map(Node::Value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let inner = self.enter()?;
        let mut sequence = Sequence::with_capacity(elements.size_hint());
        while let Some(element) = elements.next_element_seed(inner)? {
            sequence.push(element);
        }
        Ok(Node::Value(sequence.into_value()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let inner = self.enter()?;
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value_seed(inner)?.into_value()));
        }
        Ok(Node::Value(Value::Map(entries.into_iter().collect())))
    }
}

/// The integer in the smallest type that holds it.
pub(crate) fn integer(negative: bool, magnitude: u128) -> Value {
    match u64::try_from(magnitude) {
        Ok(magnitude) if !negative => Value::from(magnitude),
        Ok(magnitude) if magnitude <= i64::MIN.unsigned_abs() => Value::Int(0_i64.wrapping_sub_unsigned(magnitude)),
        _ => Value::Decimal(Decimal::integer(negative, magnitude)),
    }
}
