//! What expressions read of a record: the value of a path, as it is or as a key, and a few of the fields.

use super::cursor::{Cursor, damaged};
use super::item::Item;
use super::raw::{RawDocument, check_level, element};
use crate::document::Document;
use crate::error::Result;
use crate::key::{self, Order};
use crate::path::{Path, Segment};
use crate::value::Value;

/// What a path leads to.
enum Reached<'a> {
    /// One value, and the level of the container that it stands in.
    One(Item<'a>, usize),
    /// Those in the maps of an array.
    Several(Vec<Value>),
}

impl<'a> RawDocument<'a> {
    /// The value of a path in an [`Expression`](crate::Expression): what the path leads to, or, where it goes on in the maps
    /// of an array, the array of all that it reaches there.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if damage stands in the way.
    pub fn reach(&self, path: &Path) -> Result<Option<Value>> {
        match self.walk(path)? {
            Some(Reached::One(item, level)) => self.value(item, level).map(Some),
            Some(Reached::Several(values)) => Ok(Some(Value::Array(values))),
            None => Ok(None),
        }
    }

    /// Appends what [`reach`](RawDocument::reach) answers, encoded as an ascending [`key`]; a missing value, too.
    ///
    /// Strings and numbers are encoded where they stand, without being decoded first.
    ///
    /// # Errors
    /// As [`reach`](RawDocument::reach).
    pub fn write_key(&self, path: &Path, key: &mut Vec<u8>) -> Result<()> {
        match self.walk(path)? {
            Some(Reached::One(Item::String(bytes), _)) => {
                let text = std::str::from_utf8(bytes).map_err(|_| damaged("a string is not UTF-8"))?;
                key::write_string(key, text, Order::Ascending);
            }
            Some(Reached::One(item, level)) => key::write_value(key, &self.value(item, level)?, Order::Ascending),
            Some(Reached::Several(values)) => key::write_value(key, &Value::Array(values), Order::Ascending),
            None => key::write_missing(key, Order::Ascending),
        }
        Ok(())
    }

    /// The document with only those of its fields, nested ones aside, that `wanted` names; the others are skipped.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the bytes are not those of a document.
    pub fn decode_fields(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Document> {
        let mut entries = Vec::new();
        let mut cursor = Cursor(self.body);
        if self.body.is_empty() {
            return Ok(Document::new());
        }
        if let Some(shape) = self.dictionary.read_shape(&mut cursor)? {
            for key in shape.iter() {
                let item = Item::read(&mut cursor)?;
                if wanted(key) {
                    entries.push((String::from(&**key), self.value(item, 1)?));
                }
            }
            return Ok(self.identified(Document::from_distinct(entries)));
        }
        while !cursor.is_empty() {
            let key = self.dictionary.read_key(&mut cursor)?;
            let item = Item::read(&mut cursor)?;
            if wanted(key) {
                entries.push((key.to_owned(), self.value(item, 1)?));
            }
        }
        let count = entries.len();
        let document: Document = entries.into_iter().collect();
        if document.len() < count {
            return Err(damaged("a map has a key twice"));
        }
        Ok(self.identified(document))
    }

    fn walk(&self, path: &Path) -> Result<Option<Reached<'a>>> {
        let Some((first, mut rest)) = path.segments().split_first() else { return Ok(None) };
        let mut item = match self.id.and_then(|id| id.held_in(first.key())) {
            Some(id) => Some(Item::of_id(id)),
            None => self.field(self.body, first.key())?,
        };
        let mut level = 1;
        while let Some((segment, behind)) = rest.split_first() {
            check_level(level)?;
            item = match item {
                Some(Item::Map(map)) => self.field(map, segment.key())?,
                Some(Item::Array(array)) if segment.index().is_some() => element(array, segment)?,
                Some(Item::Array(array)) => {
                    let mut values = Vec::new();
                    self.collect(Item::Array(array), rest, level, &mut values)?;
                    return Ok(Some(Reached::Several(values)));
                }
                _ => return Ok(None),
            };
            level += 1;
            rest = behind;
        }
        Ok(item.map(|item| Reached::One(item, level)))
    }

    /// Adds what `segments` reach from a value that stands in a container of `level`.
    fn collect(&self, item: Item<'a>, segments: &[Segment], level: usize, values: &mut Vec<Value>) -> Result<()> {
        let Some((first, rest)) = segments.split_first() else {
            values.push(self.value(item, level)?);
            return Ok(());
        };
        check_level(level)?;
        let next = match item {
            Item::Map(map) => self.field(map, first.key())?,
            Item::Array(array) if first.index().is_some() => element(array, first)?,
            Item::Array(array) => {
                let mut cursor = Cursor(array);
                while !cursor.is_empty() {
                    if let Item::Map(map) = Item::read(&mut cursor)?
                        && let Some(field) = self.field(map, first.key())?
                    {
                        self.collect(field, rest, level + 2, values)?;
                    }
                }
                None
            }
            _ => None,
        };
        next.map_or(Ok(()), |next| self.collect(next, rest, level + 1, values))
    }
}
