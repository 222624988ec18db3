//! From schemas to JSON Schema.

use super::{BLAZE_TYPE, DRAFT, JsonSchema, pattern};
use crate::document::Document;
use crate::filter::{Literal, TypeName};
use crate::identified::ID_FIELD;
use crate::schema::field::Kind;
use crate::schema::{FieldSchema, Schema};
use crate::value::Value;

pub(super) fn write(schema: &Schema) -> JsonSchema {
    let mut writer = Writer { path: Vec::new(), left_out: Vec::new() };
    let mut document = Document::new().with("$schema", DRAFT);
    writer.map(schema, &mut document, true);
    JsonSchema { document, left_out: writer.left_out }
}

struct Writer {
    path: Vec<String>,
    left_out: Vec<String>,
}

impl Writer {
    fn leave_out(&mut self, what: impl std::fmt::Display) {
        let path = self.path.join(".");
        self.left_out.push(if path.is_empty() { what.to_string() } else { format!("{path}: {what}") });
    }

    fn within<R>(&mut self, step: &str, work: impl FnOnce(&mut Writer) -> R) -> R {
        self.path.push(step.to_owned());
        let result = work(self);
        self.path.pop();
        result
    }

    fn map(&mut self, schema: &Schema, out: &mut Document, is_document: bool) {
        out.insert("type", "object");
        let mut properties = Document::new();
        for declared in &schema.fields {
            let property = self.within(&declared.key, |writer| writer.field(&declared.schema));
            properties.insert(declared.key.as_str(), property);
        }
        if is_document && schema.refuses_others && !properties.contains_key(ID_FIELD) {
            // Every document has an id, which no schema refuses.
            properties.insert(ID_FIELD, Document::new());
        }
        if !properties.is_empty() {
            out.insert("properties", properties);
        }
        let required = schema.fields.iter().filter(|declared| declared.required);
        let required: Vec<Value> = required.map(|declared| Value::from(declared.key.as_str())).collect();
        if !required.is_empty() {
            out.insert("required", required);
        }
        if schema.refuses_others {
            out.insert("additionalProperties", false);
        }
        for rule in &schema.rules {
            self.leave_out(format_args!("rule: {} ({})", rule.message, rule.filter));
        }
    }

    fn field(&mut self, field: &FieldSchema) -> Document {
        let mut out = Document::new();
        match &field.kind {
            Kind::Any => {}
            Kind::Type(name) => write_type(*name, &mut out),
            Kind::Array(element) => {
                out.insert("type", "array");
                let items = self.within("[]", |writer| writer.field(element));
                if !items.is_empty() {
                    out.insert("items", items);
                }
            }
            Kind::Map(schema) => self.map(schema, &mut out, false),
            Kind::OneOf(alternatives) => {
                let mut any_of: Vec<Value> =
                    alternatives.iter().map(|alternative| self.field(alternative).into()).collect();
                if field.nullable {
                    any_of.push(Document::new().with("type", "null").into());
                }
                out.insert("anyOf", any_of);
            }
        }
        if let Some(Value::String(name)) = out.get("type").filter(|_| field.nullable)
            && name != "null"
        {
            let types = vec![Value::from(name.as_str()), Value::from("null")];
            out.insert("type", types);
        }
        self.values(field, &mut out);
        self.lengths(field, &mut out);
        self.bounds(field, &mut out);
        if let Some(regex) = &field.regex {
            match &field.kind {
                Kind::Type(TypeName::String) if pattern::is_common(regex.as_str()) => {
                    out.insert("pattern", regex.as_str());
                }
                _ => self.leave_out(format_args!("matching {:?}", regex.as_str())),
            }
        }
        out
    }

    fn values(&mut self, field: &FieldSchema, out: &mut Document) {
        if field.values.is_empty() {
            return;
        }
        let is_same_in_json = |value: &Value| match value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::String(_) => true,
            Value::Float(float) => float.is_finite(),
            _ => false,
        };
        // What is a string in JSON has no values there that are numbers here.
        let is_string_in_json = matches!(
            &field.kind,
            Kind::Type(TypeName::Decimal | TypeName::Bytes | TypeName::Time | TypeName::Uuid | TypeName::Vector)
        );
        if is_string_in_json || !field.values.iter().all(is_same_in_json) {
            return self.leave_out(format_args!("one of {}", Literal(&Value::Array(field.values.clone()))));
        }
        let mut values = field.values.clone();
        if field.nullable && !values.contains(&Value::Null) {
            values.push(Value::Null);
        }
        out.insert("enum", values);
    }

    fn lengths(&mut self, field: &FieldSchema, out: &mut Document) {
        let names = match &field.kind {
            Kind::Type(TypeName::String) => Some(["minLength", "maxLength"]),
            Kind::Array(_) | Kind::Type(TypeName::Vector) => Some(["minItems", "maxItems"]),
            _ => None,
        };
        let lengths = [("at least", field.length_min), ("at most", field.length_max)];
        for (place, (word, length)) in lengths.into_iter().enumerate() {
            let Some(length) = length else { continue };
            match names {
                Some(names) => drop(out.insert(names[place], length as u64)),
                None => self.leave_out(format_args!("length {word} {length}")),
            }
        }
    }

    fn bounds(&mut self, field: &FieldSchema, out: &mut Document) {
        let is_number = matches!(&field.kind, Kind::Type(TypeName::Int | TypeName::Float | TypeName::Number));
        let bounds = [("minimum", "at least", &field.minimum), ("maximum", "at most", &field.maximum)];
        for (name, word, bound) in bounds {
            match bound {
                None => {}
                Some(bound @ (Value::Int(_) | Value::UInt(_))) if is_number => drop(out.insert(name, bound.clone())),
                Some(Value::Float(bound)) if is_number && bound.is_finite() => drop(out.insert(name, *bound)),
                Some(bound) => self.leave_out(format_args!("{word} {}", Literal(bound))),
            }
        }
    }
}

fn write_type(name: TypeName, out: &mut Document) {
    let json = match name {
        TypeName::Null => "null",
        TypeName::Bool => "boolean",
        TypeName::Int => "integer",
        TypeName::Float | TypeName::Number => "number",
        TypeName::Decimal | TypeName::String | TypeName::Bytes | TypeName::Time | TypeName::Uuid => "string",
        TypeName::Vector | TypeName::Array => "array",
        TypeName::Map => "object",
    };
    out.insert("type", json);
    match name {
        TypeName::Time => drop(out.insert("format", "date-time")),
        TypeName::Uuid => drop(out.insert("format", "uuid")),
        TypeName::Bytes => drop(out.insert("contentEncoding", "base64")),
        TypeName::Vector => drop(out.insert("items", Document::new().with("type", "number"))),
        _ => {}
    }
    let is_told_apart = matches!(
        name,
        TypeName::Float | TypeName::Decimal | TypeName::Bytes | TypeName::Time | TypeName::Uuid | TypeName::Vector
    );
    if is_told_apart {
        out.insert(BLAZE_TYPE, name.as_str());
    }
}
