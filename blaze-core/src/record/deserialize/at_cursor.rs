//! A value that is still to be read off its record, taken apart.

use ::serde::de::{self, DeserializeSeed, Visitor};

use super::super::cursor::Cursor;
use super::super::dictionary::Dictionary;
use super::super::item::Item;
use super::super::tag::{BYTES, DECIMAL, FALSE, NULL, TIME_S, TRUE, UUID, VECTOR_BITS};
use super::container::{Elements, Entries};
use super::item::{ItemDeserializer, text};
use crate::error::Result;
use crate::serde::Failure;

/// Takes the value at a cursor apart, which moves behind it.
///
/// The type that is asked for tells what is likely there. If that is what there is, it is read without being looked at twice;
/// anything else is read as an [`Item`] first.
pub(super) struct CursorDeserializer<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    dictionary: &'a Dictionary,
    /// How many levels of arrays and maps may still open.
    levels: usize,
}

impl<'c, 'a> CursorDeserializer<'c, 'a> {
    /// What `seed` makes of the value at the cursor. One that it does not look at is skipped.
    #[inline]
    pub(super) fn give<'de, S: DeserializeSeed<'de>>(
        cursor: &'c mut Cursor<'a>,
        dictionary: &'a Dictionary,
        levels: usize,
        seed: S,
    ) -> Result<S::Value, Failure> {
        let bytes = cursor.0.len();
        let value = seed.deserialize(CursorDeserializer { cursor: &mut *cursor, dictionary, levels })?;
        if cursor.0.len() == bytes {
            Item::skip(cursor)?;
        }
        Ok(value)
    }

    fn item(self) -> Result<ItemDeserializer<'a>, Failure> {
        Ok(ItemDeserializer { item: Item::read(self.cursor)?, dictionary: self.dictionary, levels: self.levels })
    }

    fn tag(&self) -> Option<u8> {
        self.cursor.0.first().copied()
    }

    #[inline]
    fn enter(&self) -> Result<usize, Failure> {
        self.levels.checked_sub(1).ok_or_else(Failure::too_deep)
    }
}

macro_rules! integers {
    ($($method:ident),* $(,)?) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match Item::read_int(self.cursor)? {
                Some(int) => visitor.visit_i64(int),
                None => self.item()?.$method(visitor),
            }
        })*
    };
}

macro_rules! floats {
    ($($method:ident),* $(,)?) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match Item::read_float(self.cursor)? {
                Some(float) => visitor.visit_f64(float),
                None => self.item()?.$method(visitor),
            }
        })*
    };
}

macro_rules! strings {
    ($($method:ident),* $(,)?) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match Item::read_string(self.cursor)? {
                Some(string) => visitor.visit_str(text(string)?),
                None => self.item()?.$method(visitor),
            }
        })*
    };
}

macro_rules! arrays {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            match Item::read_array(self.cursor)? {
                Some(array) => Elements::open(array, self.dictionary, self.enter()?).visit(visitor),
                None => self.item()?.$method($($name,)* visitor),
            }
        })*
    };
}

macro_rules! maps {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            match Item::read_map(self.cursor)? {
                Some(map) => visitor.visit_map(Entries::open(map, self.dictionary, self.enter()?)?),
                None => self.item()?.$method($($name,)* visitor),
            }
        })*
    };
}

macro_rules! rest {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            self.item()?.$method($($name,)* visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for CursorDeserializer<'_, '_> {
    type Error = Failure;

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.tag() {
            Some(tag @ (FALSE | TRUE)) => {
                Item::skip(self.cursor)?;
                visitor.visit_bool(tag == TRUE)
            }
            _ => self.item()?.deserialize_bool(visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.tag() {
            Some(NULL) => {
                Item::skip(self.cursor)?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        match self.tag() {
            Some(BYTES..=VECTOR_BITS | DECIMAL | TIME_S..=UUID) => {
                self.item()?.deserialize_newtype_struct(name, visitor)
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        Item::skip(self.cursor)?;
        visitor.visit_unit()
    }

    integers! {
        deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64, deserialize_i128,
        deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64, deserialize_u128,
    }

    floats! { deserialize_f32, deserialize_f64 }

    strings! { deserialize_char, deserialize_str, deserialize_string, deserialize_identifier }

    arrays! {
        deserialize_seq(), deserialize_tuple(length: usize),
        deserialize_tuple_struct(name: &'static str, length: usize),
    }

    maps! { deserialize_map(), deserialize_struct(name: &'static str, fields: &'static [&'static str]) }

    rest! {
        deserialize_any(), deserialize_bytes(), deserialize_byte_buf(), deserialize_unit(),
        deserialize_unit_struct(name: &'static str),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]),
    }
}
