//! Where in a document something stands that is read as a filter or an update, for error messages.

use std::fmt;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::{Literal, Quoted};
use crate::value::Value;

/// A way from the top of a document: made on the way down, written out only if something is wrong there.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Top,
    Key(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    pub(crate) fn key(&'a self, key: &'a str) -> Place<'a> {
        Place::Key(self, key)
    }

    pub(crate) fn element(&'a self, index: usize) -> Place<'a> {
        Place::Element(self, index)
    }

    pub(crate) fn invalid(&self, message: impl fmt::Display) -> Error {
        self.locate(Error::invalid(message.to_string()))
    }

    /// Says that `error` is about something at this place.
    pub(crate) fn locate(&self, error: Error) -> Error {
        error.context(format!("at {self}"))
    }

    /// Says that something else than `found` is needed here.
    pub(crate) fn expected(&self, what: &str, found: &Value) -> Error {
        let literal = Literal(found);
        match found {
            // These describe themselves.
            Value::Null | Value::Bytes(_) | Value::Vector(_) | Value::Map(_) => {
                self.invalid(format!("expected {what}, found {literal}"))
            }
            _ => self.invalid(format!("expected {what}, found the {} {literal}", found.type_name())),
        }
    }

    pub(crate) fn map<'v>(&self, what: &str, value: &'v Value) -> Result<&'v Document> {
        value.as_map().ok_or_else(|| self.expected(what, value))
    }

    pub(crate) fn array<'v>(&self, what: &str, value: &'v Value) -> Result<&'v [Value]> {
        value.as_array().ok_or_else(|| self.expected(what, value))
    }

    pub(crate) fn string<'v>(&self, what: &str, value: &'v Value) -> Result<&'v str> {
        value.as_str().ok_or_else(|| self.expected(what, value))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Top => f.write_str("the top level"),
            Place::Key(parent, key) => {
                if !matches!(parent, Place::Top) {
                    write!(f, "{parent}.")?;
                }
                // What could be misread, or is long, is quoted.
                let plain = |character: char| !character.is_control() && !character.is_whitespace() && character != '"';
                match !key.is_empty() && key.len() <= 80 && key.chars().all(plain) {
                    true => f.write_str(key),
                    false => write!(f, "{}", Quoted(key)),
                }
            }
            Place::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
