//! Documents to Rust types that have a field for the id.

use ::serde::de::{self, DeserializeOwned, Visitor};

use super::de::Deserializer;
use super::failure::Failure;
use crate::document::Document;
use crate::error::Result;
use crate::id::DocumentId;
use crate::identified::{ID_FIELD, PARENT_FIELD, fill_id};
use crate::value::Value;

/// As [`from_document`](super::from_document), for a document stored under `id`: its field [`ID_FIELD`] holds the id, as
/// does that of a struct which has one, and [`PARENT_FIELD`] the parent's.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Film {
///     _id: String,
///     title: String,
/// }
///
/// let document = blaze_core::Document::new().with("title", "Solaris");
/// let film: Film = blaze_core::from_document_under(document, &"solaris".into())?;
/// assert_eq!((film._id.as_str(), film.title.as_str()), ("solaris", "Solaris"));
/// # Ok::<(), blaze_core::Error>(())
/// ```
///
/// # Errors
/// As [`from_value`](super::from_value).
pub fn from_document_under<T: DeserializeOwned>(mut document: Document, id: &DocumentId) -> Result<T> {
    fill_id(&mut document, id);
    T::deserialize(Identified { document, id }).map_err(Failure::into_error)
}

/// Takes a whole document apart.
struct Identified<'a> {
    document: Document,
    id: &'a DocumentId,
}

impl Identified<'_> {
    fn plain(self) -> Deserializer {
        Deserializer::new(Value::Map(self.document))
    }
}

macro_rules! plain {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Failure> {
            self.plain().$method($($name,)* visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Identified<'_> {
    type Error = Failure;

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        for field in [ID_FIELD, PARENT_FIELD] {
            if let Some(id) = self.id.held_in(field)
                && fields.contains(&field)
                && !self.document.contains_key(field)
            {
                self.document.insert(field, Value::from(id));
            }
        }
        self.plain().deserialize_struct(name, fields, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    plain! {
        deserialize_any(), deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(),
        deserialize_i64(), deserialize_i128(), deserialize_u8(), deserialize_u16(), deserialize_u32(),
        deserialize_u64(), deserialize_u128(), deserialize_f32(), deserialize_f64(), deserialize_char(),
        deserialize_str(), deserialize_string(), deserialize_bytes(), deserialize_byte_buf(), deserialize_unit(),
        deserialize_unit_struct(name: &'static str), deserialize_seq(), deserialize_tuple(length: usize),
        deserialize_tuple_struct(name: &'static str, length: usize), deserialize_map(),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]), deserialize_identifier(),
        deserialize_ignored_any(),
    }
}
