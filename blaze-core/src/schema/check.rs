//! Checking a document against a schema.

use std::fmt;

use super::field::Kind;
use super::{Declared, FieldSchema, Schema};
use crate::document::Document;
use crate::filter::Literal;
use crate::id::DocumentId;
use crate::identified::ID_FIELD;
use crate::limits::VIOLATIONS_MAX;
use crate::value::Value;

/// Something of a document that does not fit its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The keys and places that lead there, joined by dots; empty for the document itself.
    pub path: String,
    /// What the schema says.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

pub(super) fn violations(schema: &Schema, id: Option<&DocumentId>, document: &Document) -> Vec<Violation> {
    let mut check = Check { path: Vec::new(), violations: Vec::new(), id };
    check.map(schema, document, true);
    check.violations
}

/// Steps of the path to what is being looked at.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Place(usize),
}

struct Check<'a> {
    path: Vec<Step<'a>>,
    violations: Vec<Violation>,
    /// The id of the document, if it is known.
    id: Option<&'a DocumentId>,
}

impl<'a> Check<'a> {
    fn is_full(&self) -> bool {
        self.violations.len() >= VIOLATIONS_MAX
    }

    fn add(&mut self, expected: impl Into<String>, found: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let step = |step: &Step<'_>| match step {
            Step::Key(key) => (*key).to_owned(),
            Step::Place(place) => place.to_string(),
        };
        let path: Vec<String> = self.path.iter().map(step).collect();
        self.violations.push(Violation { path: path.join("."), expected: expected.into(), found: found.into() });
    }

    fn within(&mut self, step: Step<'a>, work: impl FnOnce(&mut Self)) {
        if !self.is_full() {
            self.path.push(step);
            work(self);
            self.path.pop();
        }
    }

    fn map(&mut self, schema: &'a Schema, map: &'a Document, is_document: bool) {
        for Declared { key, required, schema } in &schema.fields {
            self.within(Step::Key(key), |check| match map.get(key) {
                Some(value) => check.value(schema, value),
                None if *required => check.add(schema.type_text(), "nothing"),
                None => {}
            });
        }
        if schema.refuses_others {
            for (key, value) in map.iter() {
                // Every document has an id, and one below another has a parent, whether it holds them in fields or not.
                let is_id = key == ID_FIELD || self.id.is_some_and(|id| id.held_in(key).is_some());
                let is_id = is_document && is_id;
                if !is_id && !schema.fields.iter().any(|declared| declared.key == key) {
                    self.within(Step::Key(key), |check| check.add("no such field", found(value)));
                }
            }
        }
        for rule in &schema.rules {
            if !self.is_full() && !rule.filter.matches(map) {
                self.add(rule.message.clone(), format!("what does not match {}", rule.filter));
            }
        }
    }

    fn value(&mut self, schema: &'a FieldSchema, value: &'a Value) {
        if schema.nullable && value.is_null() {
            return;
        }
        let fits = match &schema.kind {
            Kind::Any => true,
            Kind::Type(name) => name.includes(value),
            Kind::Array(_) => value.as_array().is_some(),
            Kind::Map(_) => value.as_map().is_some(),
            Kind::OneOf(alternatives) => alternatives.iter().any(|alternative| {
                let mut check = Check { path: Vec::new(), violations: Vec::new(), id: None };
                check.value(alternative, value);
                check.violations.is_empty()
            }),
        };
        if !fits {
            return self.add(schema.type_text(), found(value));
        }
        self.constraints(schema, value);
        match (&schema.kind, value) {
            (Kind::Array(element), Value::Array(elements)) => {
                for (place, value) in elements.iter().enumerate() {
                    self.within(Step::Place(place), |check| check.value(element, value));
                }
            }
            (Kind::Map(schema), Value::Map(map)) => self.map(schema, map, false),
            _ => {}
        }
    }

    fn constraints(&mut self, schema: &FieldSchema, value: &Value) {
        if !schema.values.is_empty() && !schema.values.contains(value) {
            self.add(format!("one of {}", Literal(&Value::Array(schema.values.clone()))), found(value));
        }
        if schema.length_min.is_some() || schema.length_max.is_some() {
            let length = length(value);
            if let Some(least) = schema.length_min.filter(|least| length.is_none_or(|length| length < *least)) {
                self.add(format!("length of at least {least}"), found_length(value, length));
            } else if let Some(most) = schema.length_max.filter(|most| length.is_none_or(|length| length > *most)) {
                self.add(format!("length of at most {most}"), found_length(value, length));
            }
        }
        if let Some(least) = schema.minimum.as_ref().filter(|least| !value.comparable(least) || value < *least) {
            self.add(format!("at least {}", Literal(least)), found(value));
        }
        if let Some(most) = schema.maximum.as_ref().filter(|most| !value.comparable(most) || value > *most) {
            self.add(format!("at most {}", Literal(most)), found(value));
        }
        if let Some(regex) =
            schema.regex.as_ref().filter(|regex| !value.as_str().is_some_and(|text| regex.is_match(text)))
        {
            self.add(format!("a match of {:?}", regex.as_str()), found(value));
        }
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Bytes(bytes) => Some(bytes.len()),
        Value::Array(elements) => Some(elements.len()),
        Value::Vector(vector) => Some(vector.dimension()),
        _ => None,
    }
}

fn found_length(value: &Value, length: Option<usize>) -> String {
    length.map_or_else(|| found(value), |length| format!("{length}"))
}

/// What is there, in words.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(elements) => format!("array of {} elements", elements.len()),
        Value::Map(map) => format!("map of {} fields", map.len()),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Vector(vector) => format!("vector of {} dimensions", vector.dimension()),
        value => format!("{} {}", value.type_name(), Literal(value)),
    }
}
