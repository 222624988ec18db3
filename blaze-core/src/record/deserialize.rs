//! A record straight into a type of serde's: as decoding it and turning the document into that type, without the document.

use ::serde::de::{self, DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::cursor::{Cursor, damaged};
use super::dictionary::Shape;
use super::item::Item;
use super::raw::RawDocument;
use crate::error::Result;
use crate::id::DocumentId;
use crate::identified::{ID_FIELD, PARENT_FIELD, fill_id};
use crate::limits::NESTING_MAX;
use crate::serde::{Deserializer, Failure, KeyDeserializer};

impl RawDocument<'_> {
    /// The whole document as a value of type `T`: what [`from_document`](crate::from_document) makes of it, or
    /// [`from_document_under`](crate::from_document_under) if its [id](RawDocument::with_id) is known, without decoding
    /// what `T` does not ask for.
    ///
    /// ```
    /// use blaze_core::Document;
    /// use blaze_core::record::{Dictionary, Record, encode};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Film {
    ///     title: String,
    /// }
    ///
    /// let (mut bytes, dictionary) = (Vec::new(), Dictionary::default());
    /// encode(&Document::new().with("title", "Solaris").with("year", 1972), &dictionary, &mut bytes)?;
    /// let film: Film = Record::open(&bytes, &dictionary)?.document().deserialize()?;
    /// assert_eq!(film.title, "Solaris");
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the document does not fit the type; the message names the field.
    /// [`Corruption`](crate::ErrorKind::Corruption) if the bytes are not those of a document.
    pub fn deserialize<T: de::DeserializeOwned>(&self) -> Result<T> {
        let (body, id, raw) = self.parts();
        let item = ItemDeserializer { item: Item::Map(body), raw, levels: NESTING_MAX };
        let value = match id {
            Some(id) => T::deserialize(Identified { item, body, id }),
            None => T::deserialize(item),
        };
        value.map_err(Failure::into_error)
    }
}

/// Takes one value of a record apart.
#[derive(Clone, Copy)]
struct ItemDeserializer<'a> {
    item: Item<'a>,
    /// Knows the dictionary.
    raw: RawDocument<'a>,
    /// How many levels of arrays and maps may still open.
    levels: usize,
}

impl<'a> ItemDeserializer<'a> {
    /// The value itself, for what is rare or has a form of its own in serde.
    fn owned(self) -> Result<Deserializer, Failure> {
        Ok(Deserializer::within(self.item.scalar()?, self.levels))
    }

    fn is_owned(&self) -> bool {
        matches!(self.item, Item::Time(_) | Item::Uuid(_) | Item::Decimal(_) | Item::Vector(..) | Item::Bytes(_))
    }

    fn enter(self) -> Result<usize, Failure> {
        self.levels.checked_sub(1).ok_or_else(Failure::too_deep)
    }

    fn elements<'de, V: Visitor<'de>>(self, array: &'a [u8], visitor: V) -> Result<V::Value, Failure> {
        let mut elements = Elements { cursor: Cursor(array), position: 0, raw: self.raw, levels: self.enter()? };
        let value = visitor.visit_seq(&mut elements)?;
        if elements.cursor.is_empty() {
            return Ok(value);
        }
        Err(Failure::invalid_length(elements.position + elements.count_rest()?, &"fewer elements"))
    }

    fn entries<'de, V: Visitor<'de>>(self, map: &'a [u8], visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_map(Entries::open(map, self.raw, self.enter()?)?)
    }
}

/// Takes a whole document apart whose id is known.
struct Identified<'a> {
    item: ItemDeserializer<'a>,
    body: &'a [u8],
    id: &'a DocumentId,
}

impl Identified<'_> {
    fn entries<'de, V: Visitor<'de>>(self, asked_for: &[&str], visitor: V) -> Result<V::Value, Failure> {
        let mut entries = Entries::open(self.body, self.item.raw, self.item.enter()?)?;
        let missing = [ID_FIELD, PARENT_FIELD].map(|field| {
            (field, asked_for.contains(&field).then(|| self.id.held_in(field).map(Item::of_id)).flatten())
        });
        entries.ids = Some(Ids { id: self.id, missing });
        visitor.visit_map(entries)
    }
}

macro_rules! whole {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            self.item.$method($($name,)* visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Identified<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.entries(&[], visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.entries(&[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.entries(fields, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        // A variant is a map of one entry, which is hardly ever the id: what is right is enough.
        let mut document = self.item.raw.decode()?;
        fill_id(&mut document, self.id);
        Deserializer::within(document.into(), self.item.levels).deserialize_enum(name, variants, visitor)
    }

    whole! {
        deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(),
        deserialize_i128(), deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(),
        deserialize_u128(), deserialize_f32(), deserialize_f64(), deserialize_char(), deserialize_str(),
        deserialize_string(), deserialize_bytes(), deserialize_byte_buf(), deserialize_unit(),
        deserialize_unit_struct(name: &'static str), deserialize_seq(), deserialize_tuple(length: usize),
        deserialize_tuple_struct(name: &'static str, length: usize), deserialize_identifier(),
        deserialize_ignored_any(),
    }
}

fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a string is not UTF-8").into())
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
        let (raw, levels) = (self.raw, self.levels);
        match self.item {
            Item::String(variant) => visitor.visit_enum(Variant { variant: text(variant)?, item: None, raw, levels }),
            Item::Map(map) => {
                let mut entries = Entries::open(map, raw, self.enter()?)?;
                let first = entries.next_entry()?;
                match (first, entries.next_entry()?) {
                    (Some((variant, item)), None) => {
                        visitor.visit_enum(Variant { variant, item: Some(item), raw, levels: entries.levels })
                    }
                    _ => Err(Failure::invalid_length(
                        Entries::open(map, raw, levels)?.count()?,
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

/// The elements of an array.
struct Elements<'a> {
    cursor: Cursor<'a>,
    position: usize,
    raw: RawDocument<'a>,
    levels: usize,
}

impl Elements<'_> {
    fn count_rest(&mut self) -> Result<usize, Failure> {
        let mut count = 0;
        while !self.cursor.is_empty() {
            Item::read(&mut self.cursor)?;
            count += 1;
        }
        Ok(count)
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        let item = Item::read(&mut self.cursor)?;
        let position = self.position;
        self.position += 1;
        let element = seed.deserialize(ItemDeserializer { item, raw: self.raw, levels: self.levels });
        element.map(Some).map_err(|failure| failure.within(position))
    }
}

/// The entries of a map.
struct Entries<'a> {
    cursor: Cursor<'a>,
    /// The keys still to come, or `None` if they are spelt out.
    keys: Option<std::slice::Iter<'a, std::sync::Arc<str>>>,
    /// The entry whose key has been given and whose value has not.
    current: Option<(&'a str, Item<'a>)>,
    raw: RawDocument<'a>,
    levels: usize,
    /// For the whole document, what its fields for ids hold.
    ids: Option<Ids<'a>>,
}

/// What the fields for ids of a document hold.
struct Ids<'a> {
    id: &'a DocumentId,
    /// Of those that are asked for and have not come yet.
    missing: [(&'static str, Option<Item<'a>>); 2],
}

impl<'a> Ids<'a> {
    /// What a field that comes holds by itself.
    fn in_place_of(&mut self, key: &str) -> Option<Item<'a>> {
        let id = self.id.held_in(key)?;
        self.missing.iter_mut().filter(|(field, _)| *field == key).for_each(|(_, missing)| *missing = None);
        Some(Item::of_id(id))
    }

    /// The next field that has not come.
    fn take_missing(&mut self) -> Option<(&'static str, Item<'a>)> {
        self.missing.iter_mut().find_map(|(field, missing)| Some((*field, missing.take()?)))
    }
}

impl<'a> Entries<'a> {
    fn open(map: &'a [u8], raw: RawDocument<'a>, levels: usize) -> Result<Entries<'a>, Failure> {
        let mut cursor = Cursor(map);
        let shape: Option<&'a Shape> = if map.is_empty() { None } else { raw.read_shape(&mut cursor)? };
        Ok(Entries { cursor, keys: shape.map(|shape| shape.iter()), current: None, raw, levels, ids: None })
    }

    fn next_entry(&mut self) -> Result<Option<(&'a str, Item<'a>)>, Failure> {
        let key = match &mut self.keys {
            Some(keys) => match keys.next() {
                Some(key) => key,
                None if self.cursor.is_empty() => return Ok(None),
                None => return Err(damaged("a map goes on after its last value").into()),
            },
            None if self.cursor.is_empty() => return Ok(None),
            None => self.raw.read_key(&mut self.cursor)?,
        };
        Ok(Some((key, Item::read(&mut self.cursor)?)))
    }

    fn count(mut self) -> Result<usize, Failure> {
        let mut count = 0;
        while self.next_entry()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        self.current = self.next_entry()?;
        if let Some(ids) = &mut self.ids {
            match &mut self.current {
                Some((key, item)) => *item = ids.in_place_of(key).unwrap_or(*item),
                None => self.current = ids.take_missing(),
            }
        }
        self.current.map(|(key, _)| seed.deserialize(KeyDeserializer(key))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let (key, item) = self.current.take().ok_or_else(|| Failure::custom("a value was asked for before its key"))?;
        let value = seed.deserialize(ItemDeserializer { item, raw: self.raw, levels: self.levels });
        value.map_err(|failure| failure.within(key))
    }

    fn size_hint(&self) -> Option<usize> {
        self.keys.as_ref().map(ExactSizeIterator::len)
    }
}

/// A variant of an enum, with what it contains.
struct Variant<'a> {
    variant: &'a str,
    item: Option<Item<'a>>,
    raw: RawDocument<'a>,
    levels: usize,
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
        match self.item {
            Some(item) => read(ItemDeserializer { item, raw: self.raw, levels: self.levels })
                .map_err(|failure| failure.within(self.variant)),
            None => Err(Failure::custom(format!("variant `{}` has content, which is missing", self.variant))),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.item {
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
