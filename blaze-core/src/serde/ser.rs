//! Rust types to values.

use ::serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::failure::Failure;
use super::key::KeySerializer;
use super::node::{Node, Sequence};
use super::special;
use super::value::integer;
use crate::document::Document;
use crate::limits::NESTING_MAX;
use crate::value::Value;

/// Makes one value.
#[derive(Clone, Copy)]
pub(super) struct Serializer {
    /// How many levels of arrays and maps it may still open.
    levels: usize,
    /// False where the bytes of a special type are asked for.
    readable: bool,
}

impl Serializer {
    pub(super) fn new() -> Serializer {
        Serializer { levels: NESTING_MAX, readable: true }
    }

    /// The serializer one level down.
    fn enter(self) -> Result<Serializer, Failure> {
        let levels = self.levels.checked_sub(1).ok_or_else(Failure::too_deep)?;
        Ok(Serializer { levels, ..self })
    }

    fn sequence(self, variant: Option<&'static str>, length: Option<usize>) -> Result<SequenceSerializer, Failure> {
        let outer = if variant.is_some() { self.enter()? } else { self };
        Ok(SequenceSerializer { inner: outer.enter()?, variant, sequence: Sequence::with_capacity(length) })
    }

    fn map(self, variant: Option<&'static str>, length: usize) -> Result<MapSerializer, Failure> {
        let outer = if variant.is_some() { self.enter()? } else { self };
        let entries = Vec::with_capacity(length.min(1024));
        Ok(MapSerializer { inner: outer.enter()?, variant, key: String::new(), entries })
    }
}

/// The value of a type that serde does not know, given what is in the newtype struct of its name.
pub(super) fn special_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Failure> {
    match value.serialize(Serializer { readable: false, ..Serializer::new() })?.into_value() {
        Value::Bytes(bytes) => special::from_bytes(&bytes).or_else(|| special::from_plain_bytes(&bytes)),
        _ => None,
    }
    .ok_or_else(|| Failure::custom(format!("{} is a name that only Blaze may use", special::NAME)))
}

/// The value, as the content of an enum's variant if there is one.
fn under(variant: Option<&'static str>, value: Value) -> Node {
    Node::Value(match variant {
        Some(variant) => Document::from_distinct(vec![(variant.to_owned(), value)]).into(),
        None => value,
    })
}

macro_rules! serialize {
    ($($method:ident($type:ty) => |$value:ident| $make:expr),* $(,)?) => {
        $(fn $method(self, $value: $type) -> Result<Node, Failure> {
            Ok(Node::Value($make))
        })*
    };
}

impl ::serde::Serializer for Serializer {
    type Ok = Node;
    type Error = Failure;
    type SerializeSeq = SequenceSerializer;
    type SerializeTuple = SequenceSerializer;
    type SerializeTupleStruct = SequenceSerializer;
    type SerializeTupleVariant = SequenceSerializer;
    type SerializeMap = MapSerializer;
    type SerializeStruct = MapSerializer;
    type SerializeStructVariant = MapSerializer;

    fn is_human_readable(&self) -> bool {
        self.readable
    }

    serialize! {
        serialize_bool(bool) => |value| value.into(),
        serialize_i8(i8) => |value| value.into(),
        serialize_i16(i16) => |value| value.into(),
        serialize_i32(i32) => |value| value.into(),
        serialize_i64(i64) => |value| value.into(),
        serialize_i128(i128) => |value| integer(value < 0, value.unsigned_abs()),
        serialize_u8(u8) => |value| value.into(),
        serialize_u16(u16) => |value| value.into(),
        serialize_u32(u32) => |value| value.into(),
        serialize_u64(u64) => |value| value.into(),
        serialize_u128(u128) => |value| integer(false, value),
        serialize_f64(f64) => |value| value.into(),
        serialize_char(char) => |value| value.to_string().into(),
        serialize_str(&str) => |value| value.into(),
        serialize_bytes(&[u8]) => |value| value.into(),
        serialize_unit_struct(&'static str) => |_name| Value::Null,
    }

    fn serialize_f32(self, value: f32) -> Result<Node, Failure> {
        Ok(Node::F32(value))
    }

    fn serialize_none(self) -> Result<Node, Failure> {
        Ok(Node::Value(Value::Null))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Failure> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Node, Failure> {
        Ok(Node::Value(Value::Null))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Node, Failure> {
        Ok(Node::Value(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Node, Failure> {
        if name != special::NAME {
            return value.serialize(self);
        }
        special_value(value).map(Node::Value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node, Failure> {
        let value = value.serialize(self.enter()?).map_err(|failure| failure.within(variant))?;
        Ok(under(Some(variant), value.into_value()))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<SequenceSerializer, Failure> {
        self.sequence(None, length)
    }

    fn serialize_tuple(self, length: usize) -> Result<SequenceSerializer, Failure> {
        self.sequence(None, Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<SequenceSerializer, Failure> {
        self.sequence(None, Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<SequenceSerializer, Failure> {
        self.sequence(Some(variant), Some(length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<MapSerializer, Failure> {
        self.map(None, length.unwrap_or(0))
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<MapSerializer, Failure> {
        self.map(None, length)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<MapSerializer, Failure> {
        self.map(Some(variant), length)
    }
}

/// Makes an array or a vector.
pub(super) struct SequenceSerializer {
    inner: Serializer,
    variant: Option<&'static str>,
    sequence: Sequence,
}

macro_rules! serialize_elements {
    ($($trait:ident::$method:ident),*) => {
        $(impl $trait for SequenceSerializer {
            type Ok = Node;
            type Error = Failure;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
                self.sequence.push(value.serialize(self.inner)?);
                Ok(())
            }

            fn end(self) -> Result<Node, Failure> {
                Ok(under(self.variant, self.sequence.into_value()))
            }
        })*
    };
}

serialize_elements! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
}

/// Makes a map.
pub(super) struct MapSerializer {
    inner: Serializer,
    variant: Option<&'static str>,
    /// Of the value that comes next.
    key: String,
    entries: Vec<(String, Value)>,
}

impl MapSerializer {
    fn entry<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), Failure> {
        match value.serialize(self.inner) {
            Ok(value) => self.entries.push((key, value.into_value())),
            Err(failure) => return Err(failure.within(key)),
        }
        Ok(())
    }

    fn finish(self) -> Node {
        under(self.variant, Value::Map(self.entries.into_iter().collect()))
    }
}

impl SerializeMap for MapSerializer {
    type Ok = Node;
    type Error = Failure;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failure> {
        self.key = key.serialize(KeySerializer)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let key = std::mem::take(&mut self.key);
        self.entry(key, value)
    }

    fn end(self) -> Result<Node, Failure> {
        Ok(self.finish())
    }
}

macro_rules! serialize_fields {
    ($($trait:ident),*) => {
        $(impl $trait for MapSerializer {
            type Ok = Node;
            type Error = Failure;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Failure> {
                self.entry(key.to_owned(), value)
            }

            fn end(self) -> Result<Node, Failure> {
                Ok(self.finish())
            }
        })*
    };
}

serialize_fields! { SerializeStruct, SerializeStructVariant }
