//! A value that was read off its record, taken apart.

use ::serde::de::{self, Error as _, Visitor};

use super::super::cursor::damaged;
use super::super::dictionary::Dictionary;
use super::super::item::Item;
use super::container::{Elements, Entries};
use super::variant::Variant;
use crate::error::{Error, Result};
use crate::serde::{Deserializer, Failure};

/// Takes one value of a record apart.
#[derive(Clone, Copy)]
pub(super) struct ItemDeserializer<'a> {
    pub(super) item: Item<'a>,
    pub(super) dictionary: &'a Dictionary,
    /// How many levels of arrays and maps may still open.
    pub(super) levels: usize,
}

impl<'a> ItemDeserializer<'a> {
    /// The value itself, for what is rare or has a form of its own in serde.
    fn owned(self) -> Result<Deserializer, Failure> {
        Ok(Deserializer::within(self.item.scalar()?, self.levels))
    }

    fn is_owned(&self) -> bool {
        matches!(self.item, Item::Time(_) | Item::Uuid(_) | Item::Decimal(_) | Item::Vector(..) | Item::Bytes(_))
    }

    pub(super) fn enter(self) -> Result<usize, Failure> {
        self.levels.checked_sub(1).ok_or_else(Failure::too_deep)
    }

    fn elements<'de, V: Visitor<'de>>(self, array: &'a [u8], visitor: V) -> Result<V::Value, Failure> {
        Elements::open(array, self.dictionary, self.enter()?).visit(visitor)
    }

    fn entries<'de, V: Visitor<'de>>(self, map: &'a [u8], visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_map(Entries::open(map, self.dictionary, self.enter()?)?)
    }
}

#[inline]
pub(super) fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a string is not UTF-8"))
}

/// Methods that treat all values alike but those that stand for themselves.
macro_rules! any {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            match self.is_owned() {
                true => self.owned()?.$method($($name,)* visitor),
                false => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for ItemDeserializer<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.item {
            Item::Null => visitor.visit_unit(),
            Item::Bool(bool) => visitor.visit_bool(bool),
            Item::Int(int) => visitor.visit_i64(int),
            Item::UInt(int) => visitor.visit_u64(int),
            Item::Float(float) => visitor.visit_f64(float),
            Item::String(string) => visitor.visit_str(text(string)?),
            Item::Array(array) => self.elements(array, visitor),
            Item::Map(map) => self.entries(map, visitor),
            _ => self.owned()?.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        match self.is_owned() {
            true => self.owned()?.deserialize_newtype_struct(name, visitor),
            false => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.item {
            Item::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let (dictionary, levels) = (self.dictionary, self.levels);
        match self.item {
            Item::String(variant) => visitor.visit_enum(Variant { variant: text(variant)?, content: None }),
            Item::Map(map) => {
                let mut entries = Entries::open(map, dictionary, self.enter()?)?;
                let first = entries.next_entry()?;
                match (first, entries.next_entry()?) {
                    (Some((variant, item)), None) => {
                        let content = ItemDeserializer { item, dictionary, levels: entries.levels };
                        visitor.visit_enum(Variant { variant, content: Some(content) })
                    }
                    _ => Err(Failure::invalid_length(
                        Entries::open(map, dictionary, levels)?.count()?,
                        &"a map of one entry, named like a variant",
                    )),
                }
            }
            Item::Array(_) => Err(Failure::invalid_type(
                de::Unexpected::Other("array"),
                &"the name of a variant, or a map of one entry",
            )),
            _ => self.owned()?.deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    any! {
        deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(),
        deserialize_i128(), deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(),
        deserialize_u128(), deserialize_f32(), deserialize_f64(), deserialize_char(), deserialize_str(),
        deserialize_string(), deserialize_bytes(), deserialize_byte_buf(), deserialize_unit(),
        deserialize_unit_struct(name: &'static str), deserialize_seq(), deserialize_tuple(length: usize),
        deserialize_tuple_struct(name: &'static str, length: usize), deserialize_map(),
        deserialize_struct(name: &'static str, fields: &'static [&'static str]), deserialize_identifier(),
    }
}
