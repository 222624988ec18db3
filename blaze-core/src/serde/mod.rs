//! Rust types to and from values, and values to and from other formats, through serde.
//!
//! | in Rust | as a value |
//! |---|---|
//! | integers | int; beyond the ranges of `i64` and `u64` a decimal |
//! | `f32`, `f64` | float |
//! | `Vec<f32>`, `[f32; N]`, tuples of `f32` alone | a vector, if not empty nor longer than [`VECTOR_DIMENSIONS_MAX`] |
//! | other sequences, tuples | array |
//! | structs, maps | map; keys may be strings, integers, booleans, characters, unit variants, times and UUIDs |
//! | `None`, `()`, unit structs | null |
//! | `char`, unit variants of enums | string |
//! | other variants of enums | a map of one entry, from the name of the variant |
//! | [`Time`], [`Uuid`], [`Decimal`], [`Vector`] | themselves, behind `flatten` and in untagged enums too |
//!
//! In JSON and other readable formats a time is an RFC 3339 string, a UUID and a decimal are strings, and a vector is an
//! array of numbers. In binary formats the four are bytes that the four types read back; a [`Value`] takes them for
//! bytes, because nothing there tells them apart.
//!
//! [`VECTOR_DIMENSIONS_MAX`]: crate::limits::VECTOR_DIMENSIONS_MAX
//! [`Time`]: crate::Time
//! [`Uuid`]: crate::Uuid
//! [`Decimal`]: crate::Decimal
//! [`Vector`]: crate::Vector

mod access;
mod de;
mod failure;
mod id;
mod identified;
mod key;
mod node;
mod ser;
pub(crate) mod special;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use de::Deserializer;
pub(crate) use failure::Failure;
pub use identified::from_document_under;
pub(crate) use key::{KeyDeserializer, KeySerializer};
pub(crate) use value::integer;

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::value::Value;

/// Turns a Rust value into a [`Value`].
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) if its `Serialize` fails or a map has a key that no string can stand for,
/// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) if it nests deeper than
/// [`NESTING_MAX`](crate::limits::NESTING_MAX).
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    match value.serialize(ser::Serializer::new()) {
        Ok(node) => Ok(node.into_value()),
        Err(failure) => Err(failure.into_error()),
    }
}

/// Turns a struct or a map into a [`Document`].
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Film {
///     title: String,
///     year: u16,
/// }
///
/// let document = blaze_core::to_document(&Film { title: "Solaris".into(), year: 1972 })?;
/// assert_eq!(document.get("year"), Some(&1972.into()));
/// let film: Film = blaze_core::from_document(document)?;
/// assert_eq!(film.title, "Solaris");
/// # Ok::<(), blaze_core::Error>(())
/// ```
///
/// # Errors
/// As [`to_value`]; [`Invalid`](crate::ErrorKind::Invalid) also if it becomes anything but a map.
pub fn to_document<T: Serialize + ?Sized>(value: &T) -> Result<Document> {
    match to_value(value)? {
        Value::Map(document) => Ok(document),
        other => {
            let (found, name) = (other.type_name(), std::any::type_name::<T>());
            Err(Error::invalid(format!("a document must be a struct or a map, {name} became a value of type {found}")))
        }
    }
}

/// Turns a [`Value`] into a Rust value.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) if the value does not fit the type; the message names the field.
/// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) if it nests deeper than
/// [`NESTING_MAX`](crate::limits::NESTING_MAX).
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    T::deserialize(Deserializer::new(value)).map_err(Failure::into_error)
}

/// Turns a [`Document`] into a Rust value.
///
/// # Errors
/// As [`from_value`].
pub fn from_document<T: DeserializeOwned>(document: Document) -> Result<T> {
    from_value(Value::Map(document))
}
