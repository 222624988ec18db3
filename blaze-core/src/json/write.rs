//! Values to JSON.

use ::serde::ser::Error as _;
use ::serde::{Serialize, Serializer};

use super::{JsonForm, base64};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::value::{Value, Vector};

pub(super) fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(format!("a value became no JSON: {error}")))
}

/// A value in a form.
pub(super) struct Form<'a>(pub(super) JsonForm, pub(super) &'a Value);

/// A document in a form.
pub(super) struct Map<'a>(pub(super) JsonForm, pub(super) &'a Document);

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Form(form, value) = *self;
        match value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => serializer.serialize_i64(*int),
            Value::UInt(int) => serializer.serialize_u64(*int),
            Value::Float(float) => self.float(*float, serializer),
            Value::String(string) => serializer.serialize_str(string),
            Value::Decimal(decimal) => self.special("$decimal", &decimal.to_string(), serializer),
            Value::Bytes(bytes) => self.special("$bytes", &base64::encode(bytes), serializer),
            Value::Time(time) => self.special("$time", &time.to_string(), serializer),
            Value::Uuid(uuid) => self.special("$uuid", &uuid.to_string(), serializer),
            Value::Vector(vector) => self.vector(vector, serializer),
            Value::Array(elements) => serializer.collect_seq(elements.iter().map(|element| Form(form, element))),
            Value::Map(map) => Map(form, map).serialize(serializer),
        }
    }
}

impl Form<'_> {
    fn special<S: Serializer>(&self, key: &str, text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            JsonForm::Extended => serializer.collect_map([(key, text)]),
            JsonForm::Plain => serializer.serialize_str(text),
        }
    }

    fn float<S: Serializer>(&self, float: f64, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match float {
            f64::INFINITY => "Infinity",
            f64::NEG_INFINITY => "-Infinity",
            _ if float.is_nan() => "NaN",
            _ => return serializer.serialize_f64(float),
        };
        match self.0 {
            JsonForm::Extended => serializer.collect_map([("$float", name)]),
            JsonForm::Plain => serializer.serialize_unit(),
        }
    }

    fn vector<S: Serializer>(&self, vector: &Vector, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == JsonForm::Plain {
            return match vector {
                Vector::I8(numbers) => serializer.collect_seq(numbers),
                Vector::Bits(bytes) => serializer.collect_seq(bytes.iter().flat_map(|byte| {
                    let byte = *byte;
                    (0..8).map(move |place| byte >> place & 1)
                })),
                floats => match floats.to_f32() {
                    Some(numbers) => serializer.collect_seq(numbers),
                    None => Err(S::Error::custom("a vector of this kind has no numbers")),
                },
            };
        }
        let (kind, bytes) = match vector {
            Vector::F32(numbers) => ("f32", numbers.iter().flat_map(|number| number.to_le_bytes()).collect()),
            Vector::F16(numbers) => ("f16", numbers.iter().flat_map(|number| number.to_le_bytes()).collect()),
            Vector::I8(numbers) => ("i8", numbers.iter().map(|number| *number as u8).collect::<Vec<u8>>()),
            Vector::Bits(bytes) => ("bits", bytes.clone()),
        };
        serializer.collect_map([("$vector", OneEntry(kind, base64::encode(&bytes)))])
    }
}

/// `{"f32": "..."}`
struct OneEntry(&'static str, String);

impl Serialize for OneEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, &self.1)])
    }
}

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Map(form, document) = *self;
        serializer.collect_map(document.iter().map(|(key, value)| (Key(form, key), Form(form, value))))
    }
}

/// A key, told apart from those that have a meaning.
struct Key<'a>(JsonForm, &'a str);

impl Serialize for Key<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            JsonForm::Extended if self.1.starts_with('$') => serializer.collect_str(&format_args!("${}", self.1)),
            _ => serializer.serialize_str(self.1),
        }
    }
}
