//! Schemas as JSON Schema (draft 2020-12), of documents as [plain JSON](crate::JsonForm::Plain) has them.
//!
//! | a schema says | JSON Schema |
//! |---|---|
//! | required and optional fields, no others | `type: object`, `properties`, `required`, `additionalProperties: false` |
//! | null, bool, int, number, string | `type` of `null`, `boolean`, `integer`, `number`, `string` |
//! | float, decimal, bytes, time, UUID, vector | the type that they have in plain JSON, and which they are in `blazeType` |
//! | arrays, alternatives, any value | `items`, `anyOf`, nothing |
//! | nullable | one more type or alternative, `null` |
//! | values | `enum` |
//! | lengths of strings, arrays, vectors | `minLength`, `maxLength`, `minItems`, `maxItems` |
//! | bounds of numbers | `minimum`, `maximum` |
//! | a regular expression of what is common to most dialects | `pattern` |
//!
//! `blazeType` is a keyword that other programs pass over; beside it stand `format` and `contentEncoding`, where there are
//! such. Numbers are not quite the same: JSON Schema takes `1.0` for an integer, which to a schema here is a float; and a
//! decimal, which a schema of numbers allows, is a string in plain JSON, as NaN is null.

mod pattern;
mod read;
#[cfg(test)]
mod tests;
mod write;

use super::Schema;
use crate::document::Document;
use crate::error::Result;

/// The keyword that tells types apart which are one in JSON.
const BLAZE_TYPE: &str = "blazeType";

/// The draft that is written.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A schema as JSON Schema, made by [`Schema::to_json_schema`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JsonSchema {
    /// The JSON Schema. What fits the schema fits it.
    pub document: Document,
    /// What the schema says and JSON Schema cannot, in words, each with the path that it is about.
    pub left_out: Vec<String>,
}

impl Schema {
    /// The schema as JSON Schema (draft 2020-12) of documents in [plain JSON](crate::JsonForm::Plain).
    ///
    /// Left out is what that cannot say: rules between fields; bounds, listed values and lengths of types that are strings in
    /// JSON; the length, bounds and expression of alternatives and of any value; and regular expressions with more than what
    /// means the same in most dialects: characters, classes and ranges of them, groups, repetitions and anchors.
    ///
    /// ```
    /// use blaze_core::JsonForm;
    /// use blaze_core::schema::{Schema, string, time};
    ///
    /// let schema = Schema::new().required("title", string().min_length(1)).optional("shown", time().nullable());
    /// let written = schema.to_json_schema();
    /// assert!(written.left_out.is_empty());
    /// assert_eq!(
    ///     JsonForm::Plain.write_document(&written.document)?,
    ///     r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"#.to_owned()
    ///         + r#""title":{"type":"string","minLength":1},"#
    ///         + r#""shown":{"type":["string","null"],"format":"date-time","blazeType":"time"}},"required":["title"]}"#
    /// );
    /// assert_eq!(Schema::from_json_schema(&written.document)?, schema);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn to_json_schema(&self) -> JsonSchema {
        write::write(self)
    }

    /// Reads a JSON Schema of the keywords that [`to_json_schema`](Schema::to_json_schema) writes, and passes over
    /// annotations: `title`, `description`, `default`, `examples`, `format` and their like.
    ///
    /// In a `pattern`, `\\d` and `\\w` are the ASCII ones, as there; other escapes for classes of characters are refused.
    ///
    /// A keyword about one type needs that `type` beside it: without it, JSON Schema means it for values of that type alone,
    /// which a schema cannot say.
    ///
    /// ```
    /// use blaze_core::JsonForm;
    /// use blaze_core::schema::{Schema, int};
    ///
    /// let text = r#"{"type": "object", "properties": {"year": {"type": "integer", "minimum": 1888}}, "required": ["year"]}"#;
    /// let schema = Schema::from_json_schema(&JsonForm::Plain.read_document(text)?)?;
    /// assert_eq!(schema, Schema::new().required("year", int().at_least(1888)));
    ///
    /// let text = r#"{"properties": {"year": {"multipleOf": 4}}}"#;
    /// let error = Schema::from_json_schema(&JsonForm::Plain.read_document(text)?).unwrap_err();
    /// assert_eq!(error.to_string(), "JSON Schema: at /properties/year: a schema cannot say \"multipleOf\"");
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) with a JSON pointer to what cannot be said or is not well-formed;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too deep or declares too many fields.
    pub fn from_json_schema(document: &Document) -> Result<Schema> {
        read::read(document).map_err(|error| error.context("JSON Schema"))
    }
}
