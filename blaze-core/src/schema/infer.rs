//! What documents have in common: a schema inferred from them.

use std::collections::BTreeMap;
use std::fmt;

use ::serde::Serialize;

use super::field::{self, FieldSchema};
use super::{Schema, any, array, object, one_of};
use crate::document::Document;
use crate::filter::Literal;
use crate::limits::{SCHEMA_DEPTH_MAX, SCHEMA_FIELDS_MAX};
use crate::value::Value;

/// What was seen of the fields of some documents.
///
/// ```
/// use blaze_core::schema::InferredSchema;
/// use blaze_core::Document;
///
/// let mut inferred = InferredSchema::default();
/// inferred.observe(&Document::new().with("title", "Solaris").with("year", 1972));
/// inferred.observe(&Document::new().with("title", "Stalker"));
/// let year = &inferred.fields()[1];
/// assert_eq!((year.path.as_str(), year.present, year.is_required()), ("year", 1, false));
/// assert!(inferred.to_schema().check(&Document::new().with("title", 5)).is_err());
/// ```
#[derive(Clone, Debug, Default, Serialize)]
pub struct InferredSchema {
    documents: u64,
    fields: Vec<InferredField>,
    /// How many fields there are, nested ones included.
    #[serde(skip)]
    known: usize,
    has_unlisted: bool,
}

/// What was seen of one field.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct InferredField {
    /// The keys that lead to it, joined by dots; through arrays as filters do.
    pub path: String,
    /// Maps in which it could be.
    pub maps: u64,
    /// Maps in which it is.
    pub present: u64,
    /// How often it was of each type.
    pub types: BTreeMap<&'static str, u64>,
    /// The least number or time.
    pub minimum: Option<Value>,
    /// The greatest number or time.
    pub maximum: Option<Value>,
    /// The first value that is neither null nor nested.
    pub example: Option<Value>,
    /// What was seen of the elements, if it was an array.
    pub elements: Option<Box<InferredField>>,
    /// What was seen of the fields, if it was a map.
    pub fields: Vec<InferredField>,
    #[serde(skip)]
    key: String,
}

impl InferredField {
    fn new(path: String, key: &str) -> InferredField {
        InferredField {
            path,
            maps: 0,
            present: 0,
            types: BTreeMap::new(),
            minimum: None,
            maximum: None,
            example: None,
            elements: None,
            fields: Vec::new(),
            key: key.to_owned(),
        }
    }

    /// True if it was in every map in which it could be.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.present == self.maps
    }

    /// Its types in words: `string`, `array of int or null`.
    #[must_use]
    pub fn type_text(&self) -> String {
        let name = |name: &&'static str| match (&self.elements, *name) {
            (Some(elements), "array") if !elements.types.is_empty() => format!("array of {}", elements.type_text()),
            (_, name) => name.to_owned(),
        };
        self.types.keys().map(name).collect::<Vec<_>>().join(" or ")
    }

    /// Itself, then the fields in it and in its elements.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a InferredField)) {
        visit(self);
        let mut element = Some(self);
        while let Some(of) = element {
            of.fields.iter().for_each(|field| field.walk(visit));
            element = of.elements.as_deref();
        }
    }

    /// Takes note of a value; says whether there are fields that are not listed.
    fn observe(&mut self, value: &Value, depth: usize, known: &mut usize) -> bool {
        self.present += 1;
        *self.types.entry(value.type_name()).or_default() += 1;
        match value {
            Value::Array(_) | Value::Map(_) if depth >= SCHEMA_DEPTH_MAX => return true,
            Value::Array(elements) => {
                let (path, key) = (&self.path, &self.key);
                let inner = self.elements.get_or_insert_with(|| Box::new(InferredField::new(path.clone(), key)));
                return elements.iter().fold(false, |unlisted, element| {
                    inner.maps += 1;
                    inner.observe(element, depth + 1, known) | unlisted
                });
            }
            Value::Map(map) => {
                let maps = self.types.get("map").copied().unwrap_or(0);
                return observe_map(&mut self.fields, map, maps, &format!("{}.", self.path), depth + 1, known);
            }
            Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_) | Value::Time(_) => self.bound(value),
            Value::Null => return false,
            _ => {}
        }
        if self.example.is_none() {
            self.example = Some(value.clone());
        }
        false
    }

    fn bound(&mut self, value: &Value) {
        if self.minimum.as_ref().is_none_or(|least| value.comparable(least) && value < least) {
            self.minimum = Some(value.clone());
        }
        if self.maximum.as_ref().is_none_or(|most| value.comparable(most) && value > most) {
            self.maximum = Some(value.clone());
        }
    }

    /// A schema of at most so many levels.
    fn to_schema(&self, levels: usize) -> FieldSchema {
        let has = |name: &str| self.types.contains_key(name);
        let numbers = ["int", "float", "decimal"].iter().filter(|name| has(name)).count();
        let alternatives = self.types.len() - usize::from(has("null")) - numbers.saturating_sub(1);
        let Some(inner) = levels.checked_sub(1 + usize::from(alternatives > 1)).filter(|inner| *inner > 0) else {
            return any();
        };
        let mut forms = Vec::new();
        if numbers > 1 {
            forms.push(field::number());
        }
        for name in self.types.keys() {
            forms.push(match *name {
                "null" => continue,
                "int" | "float" | "decimal" if numbers > 1 => continue,
                "bool" => field::boolean(),
                "int" => field::int(),
                "float" => field::float(),
                "decimal" => field::decimal(),
                "string" => field::string(),
                "bytes" => field::bytes(),
                "time" => field::time(),
                "uuid" => field::uuid(),
                "vector" => field::vector(),
                "array" => array(self.elements.as_ref().map_or_else(any, |elements| elements.to_schema(inner))),
                "map" => object(schema_of(&self.fields, inner)),
                _ => any(),
            });
        }
        let only = if forms.len() == 1 { forms.pop() } else { None };
        let schema = match only {
            Some(schema) => schema,
            None if forms.is_empty() && has("null") => return field::null(),
            None if forms.is_empty() => any(),
            None => one_of(forms),
        };
        if has("null") { schema.nullable() } else { schema }
    }
}

impl InferredSchema {
    /// Takes note of a document.
    pub fn observe(&mut self, document: &Document) {
        self.documents += 1;
        self.has_unlisted |= observe_map(&mut self.fields, document, self.documents, "", 1, &mut self.known);
    }

    /// How many documents were looked at.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The fields in the order in which they appeared; what is nested is in them.
    #[must_use]
    pub fn fields(&self) -> &[InferredField] {
        &self.fields
    }

    /// True if there are more fields than [`SCHEMA_FIELDS_MAX`], or deeper ones than [`SCHEMA_DEPTH_MAX`].
    #[must_use]
    pub fn has_unlisted(&self) -> bool {
        self.has_unlisted
    }

    /// A schema that all these documents fit: fields that were always there are required, others allowed.
    #[must_use]
    pub fn to_schema(&self) -> Schema {
        schema_of(&self.fields, SCHEMA_DEPTH_MAX)
    }
}

fn observe_map(
    fields: &mut Vec<InferredField>,
    map: &Document,
    maps: u64,
    prefix: &str,
    depth: usize,
    known: &mut usize,
) -> bool {
    let mut unlisted = false;
    for (place, (key, value)) in map.iter().enumerate() {
        // Documents tend to have their keys in the same order.
        let here = fields.get(place).is_some_and(|field| field.key == key);
        let found = if here { Some(place) } else { fields.iter().position(|field| field.key == key) };
        let found = match found {
            Some(found) => found,
            None if *known >= SCHEMA_FIELDS_MAX => {
                unlisted = true;
                continue;
            }
            None => {
                *known += 1;
                fields.push(InferredField::new(format!("{prefix}{key}"), key));
                fields.len() - 1
            }
        };
        if let Some(field) = fields.get_mut(found) {
            unlisted |= field.observe(value, depth, known);
        }
    }
    fields.iter_mut().for_each(|field| field.maps = maps);
    unlisted
}

fn schema_of(fields: &[InferredField], levels: usize) -> Schema {
    fields.iter().fold(Schema::new(), |schema, field| match field.is_required() {
        true => schema.required(field.key.clone(), field.to_schema(levels)),
        false => schema.optional(field.key.clone(), field.to_schema(levels)),
    })
}

/// A line for each field: where, which types, how often, from where to where or an example.
impl fmt::Display for InferredSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} documents", self.documents)?;
        let mut fields = Vec::new();
        self.fields.iter().for_each(|field| field.walk(&mut |field| fields.push(field)));
        let width = fields.iter().map(|field| field.path.chars().count()).max().unwrap_or(0);
        for field in fields {
            write!(f, "{:width$}  {}", field.path, field.type_text())?;
            if !field.is_required() {
                write!(f, ", in {} of {}", field.present, field.maps)?;
            }
            match (&field.minimum, &field.maximum, &field.example) {
                (Some(least), Some(most), _) => write!(f, ", {} to {}", Literal(least), Literal(most))?,
                (_, _, Some(example)) => write!(f, ", such as {}", Literal(example))?,
                _ => {}
            }
            writeln!(f)?;
        }
        if self.has_unlisted { writeln!(f, "and further fields") } else { Ok(()) }
    }
}
