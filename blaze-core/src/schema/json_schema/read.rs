//! From JSON Schema to schemas.

use std::collections::BTreeSet;
use std::fmt;

use super::{BLAZE_TYPE, pattern};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::TypeName;
use crate::identified::ID_FIELD;
use crate::limits::{SCHEMA_DEPTH_MAX, SCHEMA_FIELDS_MAX};
use crate::schema::field::{self, Kind};
use crate::schema::{FieldSchema, Schema};
use crate::value::Value;

/// Keywords that say nothing about what fits.
const ANNOTATIONS: [&str; 13] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "format",
    "contentEncoding",
    "contentMediaType",
];

/// Keywords about one type, with the type that must stand beside them.
const OF_TYPE: [(&str, &[&str]); 11] = [
    ("minLength", &["string"]),
    ("maxLength", &["string"]),
    ("pattern", &["string"]),
    ("minItems", &["array"]),
    ("maxItems", &["array"]),
    ("items", &["array"]),
    ("minimum", &["integer", "number"]),
    ("maximum", &["integer", "number"]),
    ("properties", &["object"]),
    ("required", &["object"]),
    ("additionalProperties", &["object"]),
];

/// Keywords about any type.
const OF_ANY_TYPE: [&str; 5] = ["type", "enum", "const", "anyOf", BLAZE_TYPE];

pub(super) fn read(document: &Document) -> Result<Schema> {
    let root = Place { above: None, step: "" };
    check_keywords(document, root)?;
    if let Some(refused) = ["enum", "const", "anyOf", BLAZE_TYPE].into_iter().find(|key| document.contains_key(key)) {
        return Err(root.error(format_args!("a schema cannot say {refused:?} of a whole document")));
    }
    if !matches!(types(document, root)?.as_deref(), None | Some(["object"])) {
        return Err(root.error("a document is of the type \"object\" and no other"));
    }
    let schema = read_map(document, root, 1)?;
    schema.validate()?;
    Ok(schema)
}

/// Where something stands, shown as a JSON pointer.
#[derive(Clone, Copy)]
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: &'a str,
}

impl<'a> Place<'a> {
    fn at(&'a self, step: &'a str) -> Place<'a> {
        Place { above: Some(self), step }
    }

    fn error(&self, message: impl fmt::Display) -> Error {
        Error::invalid(format!("at {self}: {message}"))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.above {
            None => f.write_str("/"),
            Some(above) => {
                if above.above.is_some() {
                    above.fmt(f)?;
                }
                write!(f, "/{}", self.step.replace('~', "~0").replace('/', "~1"))
            }
        }
    }
}

fn check_keywords(schema: &Document, place: Place<'_>) -> Result<()> {
    let is_known = |key: &str| {
        ANNOTATIONS.contains(&key) || OF_ANY_TYPE.contains(&key) || OF_TYPE.iter().any(|(known, _)| *known == key)
    };
    match schema.keys().find(|key| !is_known(key)) {
        None => Ok(()),
        Some(unknown) => Err(place.error(format_args!("a schema cannot say {unknown:?}"))),
    }
}

/// The types, if any are said.
fn types<'a>(schema: &'a Document, place: Place<'_>) -> Result<Option<Vec<&'a str>>> {
    let all = match schema.get("type") {
        None => return Ok(None),
        Some(Value::Array(all)) if !all.is_empty() => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let known = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let name = |value: &'a Value| value.as_str().filter(|name| known.contains(name));
    let names: Option<Vec<&str>> = all.iter().map(name).collect();
    match names {
        Some(names) => Ok(Some(names)),
        None => Err(place.at("type").error(format_args!("it is one or several of {}", known.join(", ")))),
    }
}

fn read_map(schema: &Document, place: Place<'_>, depth: usize) -> Result<Schema> {
    let nothing = Document::new();
    let properties = match schema.get("properties") {
        None => &nothing,
        Some(Value::Map(properties)) => properties,
        Some(_) => return Err(place.at("properties").error("an object is needed")),
    };
    if properties.len() > SCHEMA_FIELDS_MAX {
        let count = properties.len();
        return Err(Error::limit_exceeded(format!("at {place}: {count} properties, the limit is {SCHEMA_FIELDS_MAX}")));
    }
    let required: BTreeSet<&str> = strings(schema, "required", place)?.into_iter().collect();
    let declared: BTreeSet<&str> = properties.keys().collect();
    let refuses_others = match schema.get("additionalProperties") {
        None | Some(Value::Bool(true)) => false,
        Some(Value::Bool(false)) => true,
        Some(Value::Map(any)) if any.is_empty() => false,
        Some(_) => return Err(place.at("additionalProperties").error("a schema can say true or false")),
    };
    let mut read = Schema::new();
    for (key, value) in properties.iter() {
        let is_any = matches!(value, Value::Bool(true)) || matches!(value, Value::Map(any) if any.is_empty());
        if place.above.is_none() && refuses_others && key == ID_FIELD && is_any && !required.contains(&key) {
            continue; // no schema refuses an id
        }
        let within = place.at("properties");
        let field = read_field(value, within.at(key), depth)?;
        read = if required.contains(&key) { read.required(key, field) } else { read.optional(key, field) };
    }
    for key in required.into_iter().filter(|key| !declared.contains(key)) {
        if refuses_others {
            let message = format!("{key:?} is required, and additionalProperties refuses it");
            return Err(place.at("required").error(message));
        }
        read = read.required(key, field::any());
    }
    Ok(if refuses_others { read.refuse_others() } else { read })
}

fn strings<'a>(schema: &'a Document, key: &str, place: Place<'_>) -> Result<Vec<&'a str>> {
    let all = match schema.get(key) {
        None => return Ok(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
        Some(_) => None,
    };
    all.ok_or_else(|| place.at(key).error("an array of strings is needed"))
}

fn read_field(value: &Value, place: Place<'_>, depth: usize) -> Result<FieldSchema> {
    if depth > SCHEMA_DEPTH_MAX {
        return Err(Error::limit_exceeded(format!(
            "at {place}: there are more than {SCHEMA_DEPTH_MAX} levels of arrays, objects and alternatives"
        )));
    }
    let schema = match value {
        Value::Bool(true) => return Ok(field::any()),
        Value::Map(schema) => schema,
        Value::Bool(false) => return Err(place.error("a schema cannot say that nothing fits")),
        _ => return Err(place.error("an object or true is needed")),
    };
    check_keywords(schema, place)?;
    let types = types(schema, place)?;
    let mut field = match schema.get("anyOf") {
        Some(alternatives) => read_alternatives(schema, alternatives, place, depth)?,
        None => read_typed(schema, types.as_deref(), place, depth)?,
    };
    if let Some(values) = values(schema, place)? {
        if values.is_empty() {
            return Err(place.at("enum").error("a schema cannot say that nothing fits"));
        }
        // Null fits there only if it is listed.
        field.nullable &= values.contains(&Value::Null);
        field.values = values;
    }
    Ok(field)
}

fn values(schema: &Document, place: Place<'_>) -> Result<Option<Vec<Value>>> {
    match (schema.get("enum"), schema.get("const")) {
        (None, None) => Ok(None),
        (Some(Value::Array(values)), None) => Ok(Some(values.clone())),
        (Some(_), None) => Err(place.at("enum").error("an array is needed")),
        (None, Some(value)) => Ok(Some(vec![value.clone()])),
        (Some(_), Some(_)) => Err(place.error("a schema cannot say enum and const at once")),
    }
}

fn read_alternatives(schema: &Document, alternatives: &Value, place: Place<'_>, depth: usize) -> Result<FieldSchema> {
    let beside =
        schema.keys().find(|key| *key == "type" || *key == BLAZE_TYPE || OF_TYPE.iter().any(|(known, _)| known == key));
    if let Some(beside) = beside {
        return Err(place.error(format_args!("a schema cannot say {beside:?} beside \"anyOf\"")));
    }
    let within = place.at("anyOf");
    let Value::Array(alternatives) = alternatives else { return Err(within.error("an array is needed")) };
    let mut read = Vec::with_capacity(alternatives.len());
    for (number, alternative) in alternatives.iter().enumerate() {
        read.push(read_field(alternative, within.at(&number.to_string()), depth + 1)?);
    }
    Ok(field::one_of(read))
}

fn read_typed(schema: &Document, types: Option<&[&str]>, place: Place<'_>, depth: usize) -> Result<FieldSchema> {
    let all = types.unwrap_or_default();
    let others: Vec<&str> = all.iter().copied().filter(|name| *name != "null").collect();
    let misplaced = OF_TYPE
        .iter()
        .find(|(key, of)| schema.contains_key(key) && !matches!(others.as_slice(), [only] if of.contains(only)));
    if let Some((key, of)) = misplaced {
        let of = of.iter().map(|of| format!("{of:?}")).collect::<Vec<_>>().join(" or ");
        return Err(place.error(format_args!("{key:?} needs the type {of}, and no other, beside it")));
    }
    let mut field = match (schema.get(BLAZE_TYPE), others.as_slice()) {
        (Some(name), others) => {
            check_beside_blaze_type(schema, name, place)?;
            read_blaze_type(name, others, place)?
        }
        (None, [only]) => read_type(schema, only, place, depth)?,
        (None, []) if all.is_empty() => field::any(),
        (None, []) => return Ok(field::null()),
        (None, several) => {
            let each: Result<Vec<_>> = several.iter().map(|name| read_type(schema, name, place, depth + 1)).collect();
            field::one_of(each?)
        }
    };
    field.nullable = all.contains(&"null");
    let length = |key: &str| match schema.get(key) {
        None => Ok(None),
        Some(value) => match value.as_i64().and_then(|length| usize::try_from(length).ok()) {
            Some(length) => Ok(Some(length)),
            None => Err(place.at(key).error("an integer that is not below 0 is needed")),
        },
    };
    let bound = |key: &str| match schema.get(key) {
        None => Ok(None),
        Some(bound @ (Value::Int(_) | Value::UInt(_) | Value::Float(_))) => Ok(Some(bound.clone())),
        Some(_) => Err(place.at(key).error("a number is needed")),
    };
    let either = |one: Option<usize>, other: Option<usize>| one.or(other);
    field.length_min = either(length("minLength")?, length("minItems")?);
    field.length_max = either(length("maxLength")?, length("maxItems")?);
    (field.minimum, field.maximum) = (bound("minimum")?, bound("maximum")?);
    match schema.get("pattern") {
        None => Ok(field),
        Some(Value::String(pattern)) => {
            let Some(translated) = pattern::of_ecmascript(pattern) else {
                let message =
                    format!("{pattern:?} has more than what means the same in most dialects of regular expressions");
                return Err(place.at("pattern").error(message));
            };
            let field = field.regex(translated.as_str());
            let checked = field.regex.as_ref().map_or(Ok(()), |regex| regex.validate());
            checked.map_err(|error| error.context(format!("at {}", place.at("pattern"))))?;
            Ok(field)
        }
        Some(_) => Err(place.at("pattern").error("a string is needed")),
    }
}

fn read_type(schema: &Document, name: &str, place: Place<'_>, depth: usize) -> Result<FieldSchema> {
    Ok(match name {
        "boolean" => field::boolean(),
        "integer" => field::int(),
        "number" => field::number(),
        "string" => field::string(),
        "array" => match schema.get("items") {
            None => field::array(field::any()),
            Some(items) => field::array(read_field(items, place.at("items"), depth + 1)?),
        },
        "object" => field::object(read_map(schema, place, depth + 1)?),
        _ => field::null(),
    })
}

/// Refuses keywords that are about the form that a value has in JSON, where that is another one.
fn check_beside_blaze_type(schema: &Document, name: &Value, place: Place<'_>) -> Result<()> {
    let about_json: &[&str] = match name.as_str() {
        Some("float") => &[],
        Some("vector") => &["enum", "const"],
        _ => &["enum", "const", "pattern", "minLength", "maxLength"],
    };
    let numbers = Value::from(Document::new().with("type", "number"));
    let items = schema.get("items").filter(|items| **items != numbers).map(|_| "items");
    match about_json.iter().copied().find(|key| schema.contains_key(key)).or(items) {
        None => Ok(()),
        Some(key) => Err(place.at(key).error(format_args!("a schema cannot say it beside {BLAZE_TYPE:?}"))),
    }
}

/// The type that is one with others in JSON, beside the type that it has there.
fn read_blaze_type(name: &Value, beside: &[&str], place: Place<'_>) -> Result<FieldSchema> {
    let (name, json) = match name.as_str() {
        Some("float") => (TypeName::Float, "number"),
        Some("decimal") => (TypeName::Decimal, "string"),
        Some("bytes") => (TypeName::Bytes, "string"),
        Some("time") => (TypeName::Time, "string"),
        Some("uuid") => (TypeName::Uuid, "string"),
        Some("vector") => (TypeName::Vector, "array"),
        _ => {
            let known = "it is one of float, decimal, bytes, time, uuid, vector";
            return Err(place.at(BLAZE_TYPE).error(known));
        }
    };
    match beside == [json] {
        true => Ok(FieldSchema::new(Kind::Type(name))),
        false => Err(place.at(BLAZE_TYPE).error(format_args!("{name} needs the type {json:?} beside it"))),
    }
}
