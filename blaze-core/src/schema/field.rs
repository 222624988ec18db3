//! What a field of a document has to be.

use std::fmt;

use ::serde::{Deserialize, Serialize};

use super::Schema;
use crate::error::{Error, Result};
use crate::filter::{Literal, Regex, TypeName};
use crate::limits::SCHEMA_DEPTH_MAX;
use crate::value::Value;

/// What the values of a field have to be: made by [`string`], [`int`], [`array()`] and their like, narrowed by its methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldSchema {
    pub(super) kind: Kind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) nullable: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) length_min: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) length_max: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) minimum: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) maximum: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) regex: Option<Regex>,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Any,
    Type(TypeName),
    Array(Box<FieldSchema>),
    Map(Box<Schema>),
    OneOf(Vec<FieldSchema>),
}

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident => $type:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name() -> FieldSchema {
                FieldSchema::new(Kind::Type(TypeName::$type))
            }
        )*
    };
}

types! {
    /// Null alone; see [`FieldSchema::nullable`] for null among other values.
    null => Null,
    /// A boolean.
    boolean => Bool,
    /// An integer.
    int => Int,
    /// A floating-point number.
    float => Float,
    /// An exact decimal number.
    decimal => Decimal,
    /// A number of any type.
    number => Number,
    /// A string.
    string => String,
    /// Bytes.
    bytes => Bytes,
    /// An instant.
    time => Time,
    /// A UUID.
    uuid => Uuid,
    /// A vector; its length is its dimension.
    vector => Vector,
}

/// Any value, null included.
#[must_use]
pub fn any() -> FieldSchema {
    FieldSchema::new(Kind::Any)
}

/// An array of such elements.
#[must_use]
pub fn array(element: FieldSchema) -> FieldSchema {
    FieldSchema::new(Kind::Array(Box::new(element)))
}

/// A map with such fields.
#[must_use]
pub fn object(fields: Schema) -> FieldSchema {
    FieldSchema::new(Kind::Map(Box::new(fields)))
}

/// What fits at least one of the alternatives.
#[must_use]
pub fn one_of(alternatives: impl IntoIterator<Item = FieldSchema>) -> FieldSchema {
    FieldSchema::new(Kind::OneOf(alternatives.into_iter().collect()))
}

impl FieldSchema {
    pub(super) fn new(kind: Kind) -> FieldSchema {
        FieldSchema {
            kind,
            nullable: false,
            values: Vec::new(),
            length_min: None,
            length_max: None,
            minimum: None,
            maximum: None,
            regex: None,
        }
    }

    /// Allows null, too.
    #[must_use]
    pub fn nullable(mut self) -> FieldSchema {
        self.nullable = true;
        self
    }

    /// Allows only values that are equal to one of these.
    #[must_use]
    pub fn values<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> FieldSchema {
        self.values = values.into_iter().map(Into::into).collect();
        self
    }

    /// The least characters of a string, bytes, elements of an array, or dimension of a vector.
    #[must_use]
    pub fn min_length(mut self, length: usize) -> FieldSchema {
        self.length_min = Some(length);
        self
    }

    /// The most characters of a string, bytes, elements of an array, or dimension of a vector.
    #[must_use]
    pub fn max_length(mut self, length: usize) -> FieldSchema {
        self.length_max = Some(length);
        self
    }

    /// The least value of a number, a time or another type that has an order.
    #[must_use]
    pub fn at_least(mut self, minimum: impl Into<Value>) -> FieldSchema {
        self.minimum = Some(minimum.into());
        self
    }

    /// The greatest value.
    #[must_use]
    pub fn at_most(mut self, maximum: impl Into<Value>) -> FieldSchema {
        self.maximum = Some(maximum.into());
        self
    }

    /// The least and the greatest value.
    #[must_use]
    pub fn between(self, minimum: impl Into<Value>, maximum: impl Into<Value>) -> FieldSchema {
        self.at_least(minimum).at_most(maximum)
    }

    /// A regular expression that matches a part of the string; `^` and `$` tie it down. See [`Regex`].
    #[must_use]
    pub fn regex(mut self, regex: impl Into<Regex>) -> FieldSchema {
        self.regex = Some(regex.into());
        self
    }

    /// The schema of the maps in it, if it is of maps or of arrays of them.
    pub(super) fn nested(&self) -> Option<&Schema> {
        match &self.kind {
            Kind::Map(schema) => Some(schema),
            Kind::Array(element) => element.nested(),
            _ => None,
        }
    }

    /// Its type in words.
    pub(super) fn type_text(&self) -> String {
        let text = match &self.kind {
            Kind::Any => "any value".to_owned(),
            Kind::Type(name) => name.to_string(),
            Kind::Array(element) => format!("array of {}", element.type_text()),
            Kind::Map(_) => "map".to_owned(),
            Kind::OneOf(alternatives) => {
                let texts: Vec<String> = alternatives.iter().map(FieldSchema::type_text).collect();
                texts.join(" or ")
            }
        };
        if self.nullable { format!("{text} or null") } else { text }
    }

    pub(super) fn validate_at(&self, depth: usize, fields: &mut usize) -> Result<()> {
        if depth > SCHEMA_DEPTH_MAX {
            let message = format!("schema has more than {SCHEMA_DEPTH_MAX} levels of arrays, maps and alternatives");
            return Err(Error::limit_exceeded(message));
        }
        match &self.kind {
            Kind::Any | Kind::Type(_) => {}
            Kind::Array(element) => element.validate_at(depth + 1, fields)?,
            Kind::Map(schema) => schema.validate_at(depth + 1, fields)?,
            Kind::OneOf(alternatives) if alternatives.is_empty() => {
                return Err(Error::invalid("there is none among no alternatives"));
            }
            Kind::OneOf(alternatives) => {
                alternatives.iter().try_for_each(|alternative| alternative.validate_at(depth + 1, fields))?;
            }
        }
        if let Some(regex) = &self.regex {
            regex.validate()?;
        }
        if let (Some(least), Some(most)) = (self.length_min, self.length_max)
            && least > most
        {
            return Err(Error::invalid(format!("the least length {least} is above the greatest, {most}")));
        }
        self.validate_bounds()
    }

    fn validate_bounds(&self) -> Result<()> {
        for bound in self.minimum.iter().chain(&self.maximum) {
            if let Value::Null | Value::Array(_) | Value::Map(_) | Value::Vector(_) = bound {
                return Err(Error::invalid(format!("{} is no bound", Literal(bound))));
            }
        }
        match (&self.minimum, &self.maximum) {
            (Some(least), Some(most)) if !least.comparable(most) || least > most => {
                Err(Error::invalid(format!("nothing is between {} and {}", Literal(least), Literal(most))))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for FieldSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.type_text())?;
        if !self.values.is_empty() {
            write!(f, ", one of {}", Literal(&Value::Array(self.values.clone())))?;
        }
        if let Some(least) = self.length_min {
            write!(f, ", length at least {least}")?;
        }
        if let Some(most) = self.length_max {
            write!(f, ", length at most {most}")?;
        }
        if let Some(least) = &self.minimum {
            write!(f, ", at least {}", Literal(least))?;
        }
        if let Some(most) = &self.maximum {
            write!(f, ", at most {}", Literal(most))?;
        }
        match &self.regex {
            Some(regex) => write!(f, ", matching {:?}", regex.as_str()),
            None => Ok(()),
        }
    }
}
