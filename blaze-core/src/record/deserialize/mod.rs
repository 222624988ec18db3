//! A record straight into a type of serde's: as decoding it and turning the document into that type, without the document.
//!
//! Values are taken off a cursor as they are asked for, so that what is known to be a number or a string is read as just that.

mod at_cursor;
mod container;
mod item;
mod variant;

use ::serde::de::{self, DeserializeSeed, MapAccess, Visitor};

use self::container::Entries;
use self::item::ItemDeserializer;
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
        let item = ItemDeserializer { item: Item::Map(self.body), dictionary: self.dictionary, levels: NESTING_MAX };
        let value = match self.id {
            Some(id) => T::deserialize(Identified { item, raw: *self, id }),
            None => T::deserialize(item),
        };
        value.map_err(Failure::into_error)
    }
}

/// Takes a whole document apart whose id is known.
struct Identified<'a> {
    item: ItemDeserializer<'a>,
    raw: RawDocument<'a>,
    id: &'a DocumentId,
}

impl Identified<'_> {
    fn entries<'de, V: Visitor<'de>>(self, asked_for: &[&str], visitor: V) -> Result<V::Value, Failure> {
        let entries = Entries::open(self.raw.body, self.item.dictionary, self.item.enter()?)?;
        let missing = [ID_FIELD, PARENT_FIELD].map(|field| {
            let id = if asked_for.contains(&field) { self.id.held_in(field) } else { None };
            id.map(|id| (field, id))
        });
        visitor.visit_map(IdentifiedEntries { entries, id: self.id, missing, next: None })
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
        let mut document = RawDocument { id: None, ..self.raw }.decode()?;
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

/// The entries of a whole document, with its id and that of its parent in the fields for them.
struct IdentifiedEntries<'a> {
    entries: Entries<'a>,
    id: &'a DocumentId,
    /// The fields that are asked for and have not come yet.
    missing: [Option<(&'static str, &'a DocumentId)>; 2],
    /// What comes next, if it is the value of such a field.
    next: Option<(&'static str, &'a DocumentId)>,
}

impl<'de> MapAccess<'de> for IdentifiedEntries<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        self.next = None;
        let key = match self.entries.next_key()? {
            Some(key) => match self.id.held_in(key) {
                Some(id) => {
                    self.entries.skip_value()?; // the place that is kept for it
                    let field = if key == ID_FIELD { ID_FIELD } else { PARENT_FIELD };
                    self.missing.iter_mut().for_each(|missing| *missing = missing.filter(|(other, _)| *other != field));
                    self.next = Some((field, id));
                    field
                }
                None => key,
            },
            None => {
                self.next = self.missing.iter_mut().find_map(Option::take);
                let Some((field, _)) = self.next else { return Ok(None) };
                field
            }
        };
        seed.deserialize(KeyDeserializer(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let Some((field, id)) = self.next.take() else { return self.entries.next_value_seed(seed) };
        let Entries { dictionary, levels, .. } = self.entries;
        let value = seed.deserialize(ItemDeserializer { item: Item::of_id(id), dictionary, levels });
        value.map_err(|failure| failure.within(field))
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint()
    }
}
