//! The dynamic value in the form that formats without self-description need: an enum with a tag.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A JSON value as an enum, which serde writes as the number of the variant and its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Mirror {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer in the range of `i64`.
    Int(i64),
    /// An integer above it.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Mirror>),
    /// Keys and values in order.
    Map(Vec<(String, Mirror)>),
}

impl From<&Json> for Mirror {
    fn from(json: &Json) -> Mirror {
        match json {
            Json::Null => Mirror::Null,
            Json::Bool(bool) => Mirror::Bool(*bool),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(int), _) => Mirror::Int(int),
                (None, Some(int)) => Mirror::UInt(int),
                (None, None) => Mirror::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(string) => Mirror::String(string.clone()),
            Json::Array(array) => Mirror::Array(array.iter().map(Mirror::from).collect()),
            Json::Object(map) => Mirror::Map(map.iter().map(|(key, value)| (key.clone(), value.into())).collect()),
        }
    }
}
