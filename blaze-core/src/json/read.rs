//! JSON to values.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use ::serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{JsonForm, base64};
use crate::document::{Document, are_distinct};
use crate::error::{Error, Result};
use crate::id::Uuid;
use crate::limits::NESTING_MAX;
use crate::value::{Value, Vector};

/// The value of a text that begins with the line of this number.
pub(super) fn value(form: JsonForm, text: &str, line: u64) -> Result<Value> {
    let too_deep = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { form, levels: NESTING_MAX, too_deep: &too_deep };
    let read = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| {
        let message = error.to_string();
        // What serde_json says of the place comes last.
        let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
        let line = line + (error.line() as u64).saturating_sub(1);
        let message = format!("line {line}, column {}: {reason}", error.column().max(1));
        match too_deep.get() {
            true => Error::limit_exceeded(message),
            false => Error::invalid(message),
        }
    })
}

/// Reads whatever comes, down to so many levels of arrays and objects.
#[derive(Clone, Copy)]
struct Seed<'a> {
    form: JsonForm,
    levels: usize,
    too_deep: &'a Cell<bool>,
}

impl Seed<'_> {
    fn enter<E: ::serde::de::Error>(self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Seed { levels, ..self }),
            None => {
                self.too_deep.set(true);
                Err(E::custom(format!("value nests deeper than {NESTING_MAX} levels")))
            }
        }
    }

    /// The key as it is stored, if it is that of a field.
    fn field_key(self, mut key: String) -> std::result::Result<String, String> {
        if self.form == JsonForm::Plain || !key.starts_with('$') {
            return Ok(key);
        }
        if !key.starts_with("$$") {
            return Err(key);
        }
        key.remove(0);
        Ok(key)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inner = self.enter()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match self.field_key(key) {
                Ok(key) => entries.push((key, map.next_value_seed(self.enter()?)?)),
                Err(key) if entries.is_empty() => return special(&key, map),
                Err(key) => {
                    return Err(A::Error::custom(format!(
                        "{key:?} stands beside other keys: as a field it is \"${key}\""
                    )));
                }
            }
        }
        self.enter::<A::Error>()?;
        if !are_distinct(&entries) {
            let mut seen = HashSet::new();
            let repeated = entries.iter().find(|(key, _)| !seen.insert(key.as_str())).map(|(key, _)| key);
            return Err(A::Error::custom(format!("the key {:?} comes twice", repeated.map_or("", String::as_str))));
        }
        Ok(Value::Map(Document::from_distinct(entries)))
    }
}

/// The value of an object whose first key has a meaning.
fn special<'de, A: MapAccess<'de>>(key: &str, mut map: A) -> Result<Value, A::Error> {
    let value = match key {
        "$float" => float(&map.next_value::<String>()?),
        "$decimal" => map.next_value::<String>()?.parse().map(Value::Decimal).map_err(|error: Error| error.to_string()),
        "$bytes" => base64::decode(&map.next_value::<String>()?).map(Value::Bytes),
        "$time" => map.next_value::<String>()?.parse().map(Value::Time).map_err(|error: Error| error.to_string()),
        "$uuid" => Uuid::parse(&map.next_value::<String>()?).map(Value::Uuid).map_err(|error| error.to_string()),
        "$vector" => map.next_value_seed(VectorSeed).map(|vector| Ok(Value::Vector(vector)))?,
        _ => Err(format!("{key:?} is no type that values have: as a field it is \"${key}\"")),
    };
    let value = value.map_err(A::Error::custom)?;
    match map.next_key::<String>()? {
        None => Ok(value),
        Some(other) => Err(A::Error::custom(format!("the key {other:?} follows {key:?}, which stands alone"))),
    }
}

fn float(text: &str) -> std::result::Result<Value, String> {
    Ok(Value::Float(match text {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => return Err(format!("{text:?} is neither \"NaN\" nor \"Infinity\" nor \"-Infinity\"")),
    }))
}

/// Reads `{"f32": "..."}`.
struct VectorSeed;

impl<'de> DeserializeSeed<'de> for VectorSeed {
    type Value = Vector;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vector, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for VectorSeed {
    type Value = Vector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of one key: f32, f16, i8 or bits")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vector, A::Error> {
        let Some((kind, text)) = map.next_entry::<String, String>()? else {
            return Err(A::Error::custom("a vector has no kind: f32, f16, i8 or bits is needed"));
        };
        let bytes = base64::decode(&text).map_err(A::Error::custom)?;
        let uneven = |each: usize| {
            A::Error::custom(format!("a vector of {kind} has {} bytes, no multiple of {each}", bytes.len()))
        };
        let vector = match kind.as_str() {
            "f32" => match bytes.as_chunks() {
                (numbers, []) => Vector::F32(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()),
                _ => return Err(uneven(4)),
            },
            "f16" => match bytes.as_chunks() {
                (numbers, []) => Vector::F16(numbers.iter().map(|number| u16::from_le_bytes(*number)).collect()),
                _ => return Err(uneven(2)),
            },
            "i8" => Vector::I8(bytes.iter().map(|byte| *byte as i8).collect()),
            "bits" => Vector::Bits(bytes),
            _ => {
                return Err(A::Error::custom(format!("{kind:?} is no kind of vector: f32, f16, i8 or bits is needed")));
            }
        };
        match map.next_key::<String>()? {
            None => Ok(vector),
            Some(other) => Err(A::Error::custom(format!("the key {other:?} follows the numbers of a vector"))),
        }
    }
}
