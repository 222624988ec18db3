//! A variant of an enum in a record: a string, or a map of one entry.

use ::serde::de::{self, DeserializeSeed, EnumAccess, Error as _, VariantAccess, Visitor};

use super::item::ItemDeserializer;
use crate::error::Result;
use crate::serde::{Failure, KeyDeserializer};

/// A variant of an enum, with what it contains.
pub(super) struct Variant<'a> {
    pub(super) variant: &'a str,
    pub(super) content: Option<ItemDeserializer<'a>>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Failure> {
        let variant = seed.deserialize(KeyDeserializer(self.variant))?;
        Ok((variant, self))
    }
}

impl<'a> Variant<'a> {
    /// The content for `read`; its failures are those of the variant's field.
    fn content<T>(self, read: impl FnOnce(ItemDeserializer<'a>) -> Result<T, Failure>) -> Result<T, Failure> {
        match self.content {
            Some(content) => read(content).map_err(|failure| failure.within(self.variant)),
            None => Err(Failure::custom(format!("variant `{}` has content, which is missing", self.variant))),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.content {
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
