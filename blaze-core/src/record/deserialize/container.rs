//! Arrays and maps of a record, value by value.

use std::sync::Arc;

use ::serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::super::cursor::{Cursor, damaged};
use super::super::dictionary::Dictionary;
use super::super::item::Item;
use super::at_cursor::CursorDeserializer;
use crate::error::Result;
use crate::serde::{Failure, KeyDeserializer};

/// Bytes from which on the elements of an array are counted before they are read.
const COUNTED_BYTES_MIN: usize = 256;

/// The elements of an array.
pub(super) struct Elements<'a> {
    cursor: Cursor<'a>,
    position: usize,
    dictionary: &'a Dictionary,
    levels: usize,
}

impl<'a> Elements<'a> {
    #[inline]
    pub(super) fn open(array: &'a [u8], dictionary: &'a Dictionary, levels: usize) -> Elements<'a> {
        Elements { cursor: Cursor(array), position: 0, dictionary, levels }
    }

    /// Shows all of them to a visitor, who must want them all.
    #[inline]
    pub(super) fn visit<'de, V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        let value = visitor.visit_seq(&mut self)?;
        if self.cursor.is_empty() {
            return Ok(value);
        }
        let rest = count(self.cursor).ok_or_else(|| damaged("an array ends inside a value"))?;
        Err(Failure::invalid_length(self.position + rest, &"fewer elements"))
    }
}

/// How many values there are from a cursor on; `None` if they are damaged.
fn count(mut cursor: Cursor<'_>) -> Option<usize> {
    let mut count = 0;
    while !cursor.is_empty() {
        Item::skip(&mut cursor).ok()?;
        count += 1;
    }
    Some(count)
}

impl<'de> SeqAccess<'de> for &mut Elements<'_> {
    type Error = Failure;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        let position = self.position;
        self.position += 1;
        match CursorDeserializer::give(&mut self.cursor, self.dictionary, self.levels, seed) {
            Ok(element) => Ok(Some(element)),
            Err(failure) => Err(failure.within(position)),
        }
    }

    /// To step over many elements takes less than to let a vector of them grow, which begins with room for four.
    fn size_hint(&self) -> Option<usize> {
        if self.cursor.0.len() < COUNTED_BYTES_MIN { None } else { count(self.cursor) }
    }
}

/// The entries of a map.
pub(super) struct Entries<'a> {
    cursor: Cursor<'a>,
    /// The keys still to come, or `None` if they are spelt out.
    keys: Option<std::slice::Iter<'a, Arc<str>>>,
    /// The key that has been given and whose value has not.
    key: Option<&'a str>,
    pub(super) dictionary: &'a Dictionary,
    pub(super) levels: usize,
}

impl<'a> Entries<'a> {
    #[inline]
    pub(super) fn open(map: &'a [u8], dictionary: &'a Dictionary, levels: usize) -> Result<Entries<'a>, Failure> {
        let mut cursor = Cursor(map);
        let shape = if map.is_empty() { None } else { dictionary.read_shape(&mut cursor)? };
        Ok(Entries { cursor, keys: shape.map(|shape| shape.iter()), key: None, dictionary, levels })
    }

    /// The next key. The value of the one before it is skipped if it has not been given.
    #[inline]
    pub(super) fn next_key(&mut self) -> Result<Option<&'a str>, Failure> {
        if self.key.is_some() {
            self.skip_value()?;
        }
        let key = match &mut self.keys {
            Some(keys) => match keys.next() {
                Some(key) => &**key,
                None if self.cursor.is_empty() => return Ok(None),
                None => return Err(damaged("a map goes on after its last value").into()),
            },
            None if self.cursor.is_empty() => return Ok(None),
            None => self.dictionary.read_key(&mut self.cursor)?,
        };
        self.key = Some(key);
        Ok(Some(key))
    }

    pub(super) fn skip_value(&mut self) -> Result<(), Failure> {
        self.key = None;
        Ok(Item::skip(&mut self.cursor)?)
    }

    /// The next key with its value.
    pub(super) fn next_entry(&mut self) -> Result<Option<(&'a str, Item<'a>)>, Failure> {
        let Some(key) = self.next_key()? else { return Ok(None) };
        self.key = None;
        Ok(Some((key, Item::read(&mut self.cursor)?)))
    }

    pub(super) fn count(mut self) -> Result<usize, Failure> {
        let mut count = 0;
        while self.next_key()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Failure;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        match self.next_key()? {
            Some(key) => seed.deserialize(KeyDeserializer(key)).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let key = self.key.take().ok_or_else(|| Failure::custom("a value was asked for before its key"))?;
        let value = CursorDeserializer::give(&mut self.cursor, self.dictionary, self.levels, seed);
        value.map_err(|failure| failure.within(key))
    }

    fn size_hint(&self) -> Option<usize> {
        self.keys.as_ref().map(ExactSizeIterator::len)
    }
}
