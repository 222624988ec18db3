//! What values contain, one by one: elements, entries and variants.

use ::serde::de::{self, DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::de::Deserializer;
use super::failure::Failure;
use super::key::KeyDeserializer;
use super::node::Node;
use crate::value::Value;

/// The elements of an array or a vector.
pub(super) struct Elements<I> {
    pub(super) nodes: I,
    pub(super) length: usize,
    pub(super) levels: usize,
}

impl<'de, I: ExactSizeIterator<Item = Node>> SeqAccess<'de> for &mut Elements<I> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let Some(node) = self.nodes.next() else { return Ok(None) };
        let position = || self.length - self.nodes.len() - 1;
        let element = seed.deserialize(Deserializer { node, levels: self.levels });
        element.map(Some).map_err(|failure| failure.within(position()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.nodes.len())
    }
}

/// The entries of a map.
pub(super) struct Entries {
    pub(super) entries: std::vec::IntoIter<(String, Value)>,
    /// The entry whose key has been given and whose value has not.
    pub(super) current: Option<(String, Value)>,
    pub(super) levels: usize,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        self.current = self.entries.next();
        self.current.as_ref().map(|(key, _)| seed.deserialize(KeyDeserializer(key))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let (key, value) =
            self.current.take().ok_or_else(|| Failure::custom("a value was asked for before its key"))?;
        let value = seed.deserialize(Deserializer { node: Node::Value(value), levels: self.levels });
        value.map_err(|failure| failure.within(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant of an enum, with what it contains.
pub(super) struct Variant {
    pub(super) variant: String,
    pub(super) value: Option<Value>,
    pub(super) levels: usize,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Failure;
    type Variant = Variant;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Variant), Failure> {
        let variant = seed.deserialize(KeyDeserializer(&self.variant))?;
        Ok((variant, self))
    }
}

impl Variant {
    /// The content for `read`; its failures are those of the variant's field.
    fn content<T>(self, read: impl FnOnce(Deserializer) -> Result<T, Failure>) -> Result<T, Failure> {
        match self.value {
            Some(value) => read(Deserializer { node: Node::Value(value), levels: self.levels })
                .map_err(|failure| failure.within(self.variant)),
            None => Err(Failure::custom(format!("variant `{}` has content, which is missing", self.variant))),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.value {
            None => Ok(()),
            Some(_) => self.content(de::Deserialize::deserialize),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Failure> {
        self.content(|content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.content(|content| de::Deserializer::deserialize_seq(content, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Failure> {
        self.content(|content| de::Deserializer::deserialize_map(content, visitor))
    }
}
