//! Schemas: what the documents of a collection have to look like.
//!
//! A [`Schema`] declares fields, each with a [`FieldSchema`]: a type and what its values have to be. It checks a document
//! and says of everything that does not fit where it is, what was expected and what was found.

mod check;
mod field;
mod infer;
mod json_schema;
/// Fails with all that does not fit.
fn refuse(violations: &[Violation]) -> Result<()> {
    if violations.is_empty() {
        return Ok(());
    }
    let texts: Vec<String> = violations.iter().map(Violation::to_string).collect();
    Err(Error::invalid(texts.join("; ")))
}

#[cfg(test)]
mod tests;

pub use check::Violation;
pub use field::{
    FieldSchema, any, array, boolean, bytes, decimal, float, int, null, number, object, one_of, string, time, uuid,
    vector,
};
pub use infer::{InferredField, InferredSchema};
pub use json_schema::JsonSchema;

use std::fmt;

use ::serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::id::DocumentId;
use crate::limits::{SCHEMA_DEPTH_MAX, SCHEMA_FIELDS_MAX};

/// What a document, or a map in it, has to look like. Fields that it does not declare are allowed, unless it
/// [refuses](Schema::refuse_others) them.
///
/// ```
/// use blaze_core::schema::{Schema, array, int, object, string};
/// use blaze_core::{Document, Value, field};
///
/// let schema = Schema::new()
///     .required("title", string().min_length(1))
///     .optional("year", int().between(1888, 2100))
///     .optional("cast", array(object(Schema::new().required("name", string()))))
///     .rule(field("seen").ne(true).or(field("rating").exists(true)), "what was seen has a rating");
/// let cast = vec![Value::from(Document::new().with("name", "Banionis")), Document::new().with("name", 7).into()];
/// let film = Document::new().with("title", "Solaris").with("year", 72).with("cast", cast);
/// assert_eq!(
///     schema.check(&film).unwrap_err().to_string(),
///     "year: expected at least 1888, found int 72; cast.1.name: expected string, found int 7",
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    fields: Vec<Declared>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    refuses_others: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
}

/// A field that a schema declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Declared {
    key: String,
    required: bool,
    schema: FieldSchema,
}

/// What the fields of a document must be to each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rule {
    filter: Filter,
    message: String,
}

impl Schema {
    /// A schema that every document fits.
    #[must_use]
    pub fn new() -> Schema {
        Schema::default()
    }

    /// Declares a field that must be there. A dot in the key has no meaning: see [`object`] for what is nested.
    #[must_use]
    pub fn required(self, key: impl Into<String>, schema: FieldSchema) -> Schema {
        self.declare(key.into(), true, schema)
    }

    /// Declares a field that may be missing.
    #[must_use]
    pub fn optional(self, key: impl Into<String>, schema: FieldSchema) -> Schema {
        self.declare(key.into(), false, schema)
    }

    fn declare(mut self, key: String, required: bool, schema: FieldSchema) -> Schema {
        self.fields.push(Declared { key, required, schema });
        self
    }

    /// Refuses fields that are not declared.
    #[must_use]
    pub fn refuse_others(mut self) -> Schema {
        self.refuses_others = true;
        self
    }

    /// Refuses documents that do not match `filter`; `message` says to people what is expected.
    #[must_use]
    pub fn rule(mut self, filter: impl Into<Filter>, message: impl Into<String>) -> Schema {
        self.rules.push(Rule { filter: filter.into(), message: message.into() });
        self
    }

    /// What of the document does not fit, in the order of the schema: as much as
    /// [`VIOLATIONS_MAX`](crate::limits::VIOLATIONS_MAX) allows, and nothing if it fits.
    #[must_use]
    pub fn violations(&self, document: &Document) -> Vec<Violation> {
        check::violations(self, None, document)
    }

    /// Checks that the document fits.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) with all that [`violations`](Schema::violations) says.
    pub fn check(&self, document: &Document) -> Result<()> {
        refuse(&self.violations(document))
    }

    /// Checks that the document fits that is stored under `id`: the fields that hold its id and its parent's are no others.
    ///
    /// # Errors
    /// As [`check`](Schema::check).
    pub fn check_under(&self, id: &DocumentId, document: &Document) -> Result<()> {
        refuse(&check::violations(self, Some(id), document))
    }

    /// Checks everything that the builders accepted unseen: keys, bounds, expressions, filters, size and depth.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn validate(&self) -> Result<()> {
        let mut fields = 0;
        self.validate_at(1, &mut fields)?;
        // A filter in it may nest deeper than what the catalog can keep.
        crate::to_value(self).map(drop).map_err(|error| error.context("schema"))
    }

    fn validate_at(&self, depth: usize, fields: &mut usize) -> Result<()> {
        if depth > SCHEMA_DEPTH_MAX {
            let message = format!("schema has more than {SCHEMA_DEPTH_MAX} levels of arrays, maps and alternatives");
            return Err(Error::limit_exceeded(message));
        }
        for (place, declared) in self.fields.iter().enumerate() {
            *fields += 1;
            if *fields > SCHEMA_FIELDS_MAX {
                return Err(Error::limit_exceeded(format!("schema declares more than {SCHEMA_FIELDS_MAX} fields")));
            }
            let key = &declared.key;
            if self.fields[..place].iter().any(|earlier| earlier.key == *key) {
                return Err(Error::invalid(format!("schema declares the field {key:?} twice")));
            }
            declared.schema.validate_at(depth, fields).map_err(|error| error.context(format!("field {key:?}")))?;
        }
        for rule in &self.rules {
            rule.filter.validate().map_err(|error| error.context(format!("rule {:?}", rule.message)))?;
        }
        Ok(())
    }

    fn write_fields(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        for Declared { key, required, schema } in &self.fields {
            let optional = if *required { "" } else { ", optional" };
            writeln!(f, "{:indent$}{key}: {schema}{optional}", "")?;
            if let Some(nested) = schema.nested() {
                nested.write_fields(f, indent + 2)?;
            }
        }
        for rule in &self.rules {
            writeln!(f, "{:indent$}rule: {} ({})", "", rule.message, rule.filter)?;
        }
        if self.refuses_others {
            writeln!(f, "{:indent$}no other fields", "")?;
        }
        Ok(())
    }
}

/// A line for each field, nested ones indented below theirs.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_fields(f, 0)
    }
}
