//! Reading a document in a record without decoding all of it.

use std::fmt;

use super::cursor::{Cursor, damaged};
use super::dictionary::Dictionary;
use super::item::Item;
use crate::document::Document;
use crate::error::Result;
use crate::id::DocumentId;
use crate::identified::fill_id;
use crate::limits::NESTING_MAX;
use crate::path::{Path, Segment};
use crate::value::Value;

/// A document that is still bytes: a path in it is read without decoding the rest.
///
/// Reading a path takes time linear in the number of values that stand before it in the maps and arrays on the way;
/// each is skipped by its length.
#[derive(Clone, Copy)]
pub struct RawDocument<'a> {
    pub(super) body: &'a [u8],
    pub(super) dictionary: &'a Dictionary,
    pub(super) id: Option<&'a DocumentId>,
}

impl<'a> RawDocument<'a> {
    pub(super) fn new(body: &'a [u8], dictionary: &'a Dictionary) -> RawDocument<'a> {
        RawDocument { body, dictionary, id: None }
    }

    /// The same document as the one stored under `id`, which its field [`ID_FIELD`](crate::ID_FIELD) then holds, and in that
    /// of a document below another one [`PARENT_FIELD`](crate::PARENT_FIELD) the parent's.
    #[must_use]
    pub fn with_id(self, id: &'a DocumentId) -> RawDocument<'a> {
        RawDocument { id: Some(id), ..self }
    }

    /// The one value at `path`, where a number chooses an element of an array and nothing fans out, as in
    /// [`traverse::get`](crate::traverse::get).
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if damage stands in the way.
    pub fn get(&self, path: &Path) -> Result<Option<Value>> {
        let Some((first, rest)) = path.segments().split_first() else { return Ok(None) };
        if let Some(id) = self.id.and_then(|id| id.held_in(first.key())) {
            return Ok(rest.is_empty().then(|| id.into()));
        }
        let mut item = self.field(self.body, first.key())?;
        let mut level = 1;
        for segment in rest {
            item = match item {
                Some(Item::Map(map)) => self.field(map, segment.key())?,
                Some(Item::Array(array)) => element(array, segment)?,
                _ => return Ok(None),
            };
            level += 1;
        }
        item.map(|item| self.value(item, level)).transpose()
    }

    /// Calls `visit` with each value that `path` reaches, in the order and by the rules of
    /// [`traverse::visit`](crate::traverse::visit), until it fails.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if damage stands in the way; those of `visit`.
    pub fn visit(&self, path: &Path, visit: &mut dyn FnMut(Value) -> Result<()>) -> Result<()> {
        self.visit_raw(path, &mut |value| visit(value.decode()?))
    }

    /// As [`visit`](RawDocument::visit), with values that are not decoded yet.
    ///
    /// # Errors
    /// As [`visit`](RawDocument::visit).
    pub fn visit_raw(&self, path: &Path, visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>) -> Result<()> {
        let Some((first, rest)) = path.segments().split_first() else { return Ok(()) };
        match self.id.and_then(|id| id.held_in(first.key())) {
            Some(id) if rest.is_empty() => visit(RawValue { item: Item::of_id(id), raw: *self, level: 1 }),
            Some(_) => Ok(()),
            None => self.visit_field(self.body, first, rest, 1, visit),
        }
    }

    /// The whole document.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the bytes are not those of a document.
    pub fn decode(&self) -> Result<Document> {
        Ok(self.identified(self.map(self.body, 1)?))
    }

    /// The document or a part of it, with its id in the field for that, if it has one and its id is known.
    pub(super) fn identified(&self, mut document: Document) -> Document {
        if let Some(id) = self.id {
            fill_id(&mut document, id);
        }
        document
    }

    fn visit_field(
        &self,
        map: &'a [u8],
        first: &Segment,
        rest: &[Segment],
        level: usize,
        visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>,
    ) -> Result<()> {
        match self.field(map, first.key())? {
            Some(item) => self.visit_item(item, rest, level, visit),
            None => Ok(()),
        }
    }

    /// Goes on from a value that stands in a container of `level`.
    fn visit_item(
        &self,
        item: Item<'a>,
        segments: &[Segment],
        level: usize,
        visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>,
    ) -> Result<()> {
        let Some((first, rest)) = segments.split_first() else { return visit(RawValue { item, raw: *self, level }) };
        check_level(level)?;
        match item {
            Item::Map(map) => self.visit_field(map, first, rest, level + 1, visit),
            Item::Array(array) => {
                if let Some(chosen) = element(array, first)? {
                    self.visit_item(chosen, rest, level + 1, visit)?;
                }
                let mut cursor = Cursor(array);
                while !cursor.is_empty() {
                    if let Item::Map(map) = Item::read(&mut cursor)? {
                        self.visit_field(map, first, rest, level + 2, visit)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The value under `key` in the bytes of a map.
    pub(super) fn field(&self, map: &'a [u8], key: &str) -> Result<Option<Item<'a>>> {
        let mut cursor = Cursor(map);
        if map.is_empty() {
            return Ok(None);
        }
        if let Some(shape) = self.dictionary.read_shape(&mut cursor)? {
            let Some(position) = shape.iter().position(|known| **known == *key) else { return Ok(None) };
            for _ in 0..position {
                Item::skip(&mut cursor)?;
            }
            return Item::read(&mut cursor).map(Some);
        }
        while !cursor.is_empty() {
            if self.dictionary.read_key(&mut cursor)? == key {
                return Item::read(&mut cursor).map(Some);
            }
            Item::skip(&mut cursor)?;
        }
        Ok(None)
    }

    /// Decodes a value that stands in a container of `level`.
    pub(super) fn value(&self, item: Item<'a>, level: usize) -> Result<Value> {
        match item {
            Item::Map(map) => self.map(map, level + 1).map(Value::Map),
            Item::Array(array) => {
                check_level(level + 1)?;
                let mut cursor = Cursor(array);
                let mut values = Vec::new();
                while !cursor.is_empty() {
                    values.push(self.value(Item::read(&mut cursor)?, level + 1)?);
                }
                Ok(Value::Array(values))
            }
            scalar => scalar.scalar(),
        }
    }

    fn map(&self, map: &'a [u8], level: usize) -> Result<Document> {
        check_level(level)?;
        if map.is_empty() {
            return Ok(Document::new());
        }
        let mut cursor = Cursor(map);
        let mut entries = Vec::new();
        if let Some(shape) = self.dictionary.read_shape(&mut cursor)? {
            entries.reserve_exact(shape.len());
            for key in shape.iter() {
                entries.push((String::from(&**key), self.value(Item::read(&mut cursor)?, level)?));
            }
            return match cursor.is_empty() {
                true => Ok(Document::from_distinct(entries)),
                false => Err(damaged("a map goes on after its last value")),
            };
        }
        while !cursor.is_empty() {
            let key = self.dictionary.read_key(&mut cursor)?.to_owned();
            entries.push((key, self.value(Item::read(&mut cursor)?, level)?));
        }
        let count = entries.len();
        let document: Document = entries.into_iter().collect();
        if document.len() < count {
            return Err(damaged("a map has a key twice"));
        }
        Ok(document)
    }
}

/// A value of a document that is still bytes.
#[derive(Clone, Copy)]
pub struct RawValue<'a> {
    pub(crate) item: Item<'a>,
    raw: RawDocument<'a>,
    /// The level of the container in which it stands.
    level: usize,
}

impl<'a> RawValue<'a> {
    /// The value, decoded.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if it is damaged.
    pub fn decode(&self) -> Result<Value> {
        self.raw.value(self.item, self.level)
    }

    /// The bytes of a string; of anything else none.
    #[must_use]
    pub fn string_bytes(&self) -> Option<&'a [u8]> {
        match self.item {
            Item::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Calls `visit` with each element of an array, until it fails; anything else has none.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if an element is damaged; those of `visit`.
    pub fn visit_elements(&self, visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>) -> Result<()> {
        let Item::Array(array) = self.item else { return Ok(()) };
        check_level(self.level + 1)?;
        let mut cursor = Cursor(array);
        while !cursor.is_empty() {
            visit(RawValue { item: Item::read(&mut cursor)?, raw: self.raw, level: self.level + 1 })?;
        }
        Ok(())
    }

    /// Calls `visit` with each value that `path` reaches in a map, until it fails; in anything else it reaches none.
    ///
    /// # Errors
    /// As [`RawDocument::visit`].
    pub fn visit_raw(&self, path: &Path, visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>) -> Result<()> {
        match (self.item, path.segments().split_first()) {
            (Item::Map(map), Some((first, rest))) => {
                check_level(self.level + 1)?;
                self.raw.visit_field(map, first, rest, self.level + 1, visit)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for RawValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawValue").field(&self.decode()).finish()
    }
}

impl fmt::Debug for RawDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawDocument").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// The element of an array that a step chooses by number.
pub(super) fn element<'a>(array: &'a [u8], segment: &Segment) -> Result<Option<Item<'a>>> {
    let Some(index) = segment.index() else { return Ok(None) };
    let mut cursor = Cursor(array);
    for _ in 0..index {
        if cursor.is_empty() {
            return Ok(None);
        }
        Item::skip(&mut cursor)?;
    }
    if cursor.is_empty() { Ok(None) } else { Item::read(&mut cursor).map(Some) }
}

/// Stops the recursion over damaged bytes before the stack ends.
pub(super) fn check_level(level: usize) -> Result<()> {
    if level > NESTING_MAX {
        return Err(damaged(&format!("it has more than {NESTING_MAX} levels")));
    }
    Ok(())
}
