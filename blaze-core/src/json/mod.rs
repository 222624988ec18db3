//! JSON text to and from values: without loss, or as other programs expect it.
//!
//! In the **extended** form every value comes back as it was, its type included. What JSON lacks is written as an object of
//! one key, which begins with a dollar sign:
//!
//! | value | extended | plain |
//! |---|---|---|
//! | null, booleans, strings, arrays, maps | themselves | themselves |
//! | int, from −2⁶³ to 2⁶⁴−1 | number without point and exponent | the same |
//! | float | number with a point or an exponent: `1.0` | the same |
//! | NaN, the infinities | `{"$float": "NaN"}`, `"Infinity"`, `"-Infinity"` | `null` |
//! | decimal | `{"$decimal": "1.50"}` | string |
//! | bytes | `{"$bytes": "AP8="}`, in base64 | string of base64 |
//! | time | `{"$time": "1972-05-13T00:00:00Z"}` | string |
//! | UUID | `{"$uuid": "0190a0a8-..."}` | string |
//! | vector | `{"$vector": {"f32": "AACAPw=="}}`: numbers in little-endian order in base64; also `f16`, `i8`, `bits` | array of numbers |
//! | a key that begins with `$` | with one more `$` in front | itself |
//!
//! In the plain form no key has a meaning, so that reading takes any JSON as it is. An integer beyond 2⁶⁴−1 is read as the
//! nearest float in both. A key that comes twice in one object is refused: JSON does not say which one counts.

mod base64;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::limits::NESTING_MAX;
use crate::nesting::nests_within;
use crate::value::Value;

/// How values are spelt in JSON: without loss, or as other programs expect it.
///
/// | value | `Extended` | `Plain` |
/// |---|---|---|
/// | NaN, the infinities | `{"$float": "NaN"}`, `"Infinity"`, `"-Infinity"` | `null` |
/// | decimal | `{"$decimal": "1.50"}` | string |
/// | bytes | `{"$bytes": "AP8="}`, in base64 | string of base64 |
/// | time | `{"$time": "1972-05-13T00:00:00Z"}` | string |
/// | UUID | `{"$uuid": "0190a0a8-..."}` | string |
/// | vector | `{"$vector": {"f32": "AACAPw=="}}`, in base64; also `f16`, `i8`, `bits` | array of numbers |
/// | a key that begins with `$` | with one more `$` in front | itself |
///
/// Everything else is itself in both; a float has a point or an exponent, an int has neither.
///
/// ```
/// use blaze_core::{Document, JsonForm, Time};
///
/// let film = Document::new().with("title", "Solaris").with("shown", "1972-05-13T00:00:00Z".parse::<Time>()?);
/// let text = r#"{"title":"Solaris","shown":{"$time":"1972-05-13T00:00:00Z"}}"#;
/// assert_eq!(JsonForm::Extended.write_document(&film)?, text);
/// assert_eq!(JsonForm::Extended.read_document(text)?, film);
/// assert_eq!(JsonForm::Plain.write_document(&film)?, r#"{"title":"Solaris","shown":"1972-05-13T00:00:00Z"}"#);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonForm {
    /// Every value comes back as it was, its type included.
    #[default]
    Extended,
    /// What other programs write and expect: no key has a meaning, and some types become others.
    Plain,
}

impl JsonForm {
    /// The value that a JSON text stands for.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) with line and column when the text is not JSON, an object has a key twice, or
    /// does not spell what its key with `$` says; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it nests deeper
    /// than [`NESTING_MAX`] levels.
    pub fn read(self, text: &str) -> Result<Value> {
        read::value(self, text, 1)
    }

    /// The document that a JSON text stands for.
    ///
    /// # Errors
    /// As [`read`](JsonForm::read); [`Invalid`](crate::ErrorKind::Invalid) also when it is anything but an object.
    pub fn read_document(self, text: &str) -> Result<Document> {
        self.read_document_at(text, 1)
    }

    /// As [`read_document`](JsonForm::read_document), of a text that begins with a certain line of something longer.
    ///
    /// # Errors
    /// As [`read_document`](JsonForm::read_document).
    pub fn read_document_at(self, text: &str, line: u64) -> Result<Document> {
        match read::value(self, text, line)? {
            Value::Map(document) => Ok(document),
            other => {
                let found = other.type_name();
                Err(Error::invalid(format!("line {line}, column 1: expected an object, found a value of type {found}")))
            }
        }
    }

    /// The JSON text of a value, in one line.
    ///
    /// # Errors
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the value nests deeper than [`NESTING_MAX`] levels.
    pub fn write(self, value: &Value) -> Result<String> {
        check_nesting(nests_within(value, NESTING_MAX))?;
        write::text(&write::Form(self, value))
    }

    /// The JSON text of a document, in one line.
    ///
    /// # Errors
    /// As [`write`](JsonForm::write).
    pub fn write_document(self, document: &Document) -> Result<String> {
        check_nesting(document.iter().all(|(_, value)| nests_within(value, NESTING_MAX - 1)))?;
        write::text(&write::Map(self, document))
    }
}

fn check_nesting(fits: bool) -> Result<()> {
    match fits {
        true => Ok(()),
        false => Err(Error::limit_exceeded(format!("value nests deeper than {NESTING_MAX} levels"))),
    }
}

/// Keys that spell a value of a type that JSON lacks.
const TYPED: [&str; 6] = ["$float", "$decimal", "$bytes", "$time", "$uuid", "$vector"];

/// Reads a document in which other keys that begin with a dollar sign are operators.
pub(crate) fn read_with_operators(text: &str) -> Result<Document> {
    let document = JsonForm::Plain.read_document(text)?;
    document.into_iter().map(|(key, value)| Ok((key, restored(value)?))).collect()
}

/// The value in which all that spells another one is that one. It nests no deeper than what was read.
fn restored(value: Value) -> Result<Value> {
    match value {
        Value::Map(map) if map.len() == 1 && map.keys().all(|key| TYPED.contains(&key)) => {
            JsonForm::Extended.read(&JsonForm::Plain.write(&Value::Map(map))?)
        }
        Value::Map(map) => {
            let entries = map.into_iter().map(|(key, value)| Ok((key, restored(value)?)));
            Ok(Value::Map(entries.collect::<Result<Document>>()?))
        }
        Value::Array(elements) => Ok(Value::Array(elements.into_iter().map(restored).collect::<Result<_>>()?)),
        value => Ok(value),
    }
}

impl Document {
    /// The document that a text in [extended JSON](JsonForm) stands for. Other programs' JSON is mostly the same;
    /// [`JsonForm::Plain`] reads all of it.
    ///
    /// ```
    /// use blaze_core::{Document, Value};
    ///
    /// let film = Document::from_json(r#"{"title": "Solaris", "rating": 8.0, "price": {"$decimal": "19.90"}}"#)?;
    /// assert!(matches!(film.get("rating"), Some(Value::Float(_))));
    /// assert_eq!(film.to_json()?, r#"{"title":"Solaris","rating":8.0,"price":{"$decimal":"19.90"}}"#);
    /// let error = Document::from_json("{\"title\": \n Solaris}").unwrap_err();
    /// assert_eq!(error.to_string(), "line 2, column 2: expected value");
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`JsonForm::read_document`].
    pub fn from_json(text: &str) -> Result<Document> {
        JsonForm::Extended.read_document(text)
    }

    /// The document as [extended JSON](JsonForm), in one line: [`from_json`](Document::from_json) reads back the same.
    ///
    /// # Errors
    /// As [`JsonForm::write`].
    pub fn to_json(&self) -> Result<String> {
        JsonForm::Extended.write_document(self)
    }
}
