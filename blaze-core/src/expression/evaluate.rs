//! Evaluation of expressions, on decoded documents and on records.

use std::borrow::Cow;

use super::Expression;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::{Filter, Literal};
use crate::id::DocumentId;
use crate::key::{self, Order};
use crate::path::{Path, Segment};
use crate::record::RawDocument;
use crate::traverse;
use crate::value::{Time, Value};

/// What an expression is computed from: a document, decoded or as a record, and its id where it has one.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    fields: Fields<'a>,
    id: Option<&'a DocumentId>,
}

#[derive(Clone, Copy, Debug)]
enum Fields<'a> {
    Document(&'a Document),
    Raw(RawDocument<'a>),
}

impl<'a> Input<'a> {
    /// A decoded document.
    #[must_use]
    pub fn document(document: &'a Document) -> Input<'a> {
        Input { fields: Fields::Document(document), id: None }
    }

    /// A document that is still bytes: only what is asked for is decoded.
    #[must_use]
    pub fn raw(document: RawDocument<'a>) -> Input<'a> {
        Input { fields: Fields::Raw(document), id: None }
    }

    /// The same document under an id.
    #[must_use]
    pub fn with_id(self, id: &'a DocumentId) -> Input<'a> {
        Input { id: Some(id), ..self }
    }

    /// The id or the parent's, where a path asks for it and the decoded document does not hold it itself: a record under an
    /// id does.
    fn own_id(self, path: &Path) -> Option<Value> {
        let Fields::Document(document) = self.fields else { return None };
        let [only] = path.segments() else { return None };
        let held = self.id?.held_in(only.key())?;
        (!document.contains_key(only.key())).then(|| held.into())
    }

    /// The value of a path, as expressions see it.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the record is damaged.
    pub fn reach(self, path: &Path) -> Result<Option<Cow<'a, Value>>> {
        if let Some(id) = self.own_id(path) {
            return Ok(Some(Cow::Owned(id)));
        }
        match self.fields {
            Fields::Document(document) => Ok(reach(document, path)),
            Fields::Raw(document) => Ok(document.reach(path)?.map(Cow::Owned)),
        }
    }

    /// Calls `visit` with each value that `path` reaches, by the rules of [`traverse::visit`].
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the record is damaged.
    pub fn visit(self, path: &Path, visit: &mut dyn FnMut(&Value)) -> Result<()> {
        if let Some(id) = self.own_id(path) {
            visit(&id);
            return Ok(());
        }
        match self.fields {
            Fields::Document(document) => {
                traverse::visit(document, path, &mut |value| visit(value));
                Ok(())
            }
            Fields::Raw(document) => document.visit(path, &mut |value| {
                visit(&value);
                Ok(())
            }),
        }
    }

    /// True if the document matches the filter.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the record is damaged.
    pub fn matches(self, filter: &Filter) -> Result<bool> {
        match self.fields {
            Fields::Document(document) => Ok(filter.holds(&|path, report| match self.own_id(path) {
                Some(id) => report(&id),
                None => traverse::visit(document, path, &mut |value| report(value)),
            })),
            Fields::Raw(document) => filter.matches_raw(&document),
        }
    }
}

impl Expression {
    /// The value of the expression in a document that has no id.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) where a value does not fit an operation, see the [module](super).
    pub fn evaluate(&self, document: &Document) -> Result<Option<Value>> {
        Ok(self.evaluate_in(Input::document(document))?.map(Cow::into_owned))
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// As [`evaluate`](Expression::evaluate); [`Corruption`](crate::ErrorKind::Corruption) if a record is damaged.
    pub fn evaluate_in<'a>(&'a self, input: Input<'a>) -> Result<Option<Cow<'a, Value>>> {
        let owned = |value: Option<Value>| Ok(value.map(Cow::Owned));
        match self {
            Expression::DocumentId => owned(input.id.map(Value::from)),
            Expression::Path(path) => input.reach(path),
            Expression::Literal(value) => Ok(Some(Cow::Borrowed(value))),
            Expression::IfElse(filter, then, otherwise) => {
                if input.matches(filter)? { then } else { otherwise }.evaluate_in(input)
            }
            Expression::Coalesce(parts) => coalesce(parts, input),
            Expression::Concat(parts) => owned(concat(parts, input)?),
            Expression::Bucket(of, boundaries) => {
                let value = of.evaluate_in(input)?;
                Ok(value.and_then(|value| boundary_below(boundaries, &value)).map(Cow::Borrowed))
            }
            Expression::Arithmetic(operation, left, right) => {
                let (left, right) = (left.evaluate_in(input)?, right.evaluate_in(input)?);
                let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
                if left.is_null() || right.is_null() {
                    return owned(Some(Value::Null));
                }
                owned(Some(operation.apply(&left, &right)?))
            }
            Expression::Lower(of) => of.map_in(input, |value| Ok(text(value, "lower")?.to_lowercase().into())),
            Expression::Upper(of) => of.map_in(input, |value| Ok(text(value, "upper")?.to_uppercase().into())),
            Expression::Size(of) => of.map_in(input, |value| match value {
                Value::Array(array) => Ok(Value::from(array.len() as u64)),
                other => Err(refused("size", other, "an array")),
            }),
            Expression::DatePart(part, of) => {
                of.map_in(input, |value| Ok(Value::Int(part.of(time(value, part.name())?))))
            }
            Expression::TimeBucket(unit, of) => of.map_in(input, |value| {
                let time = time(value, "time_bucket")?;
                let start = unit.truncate(time).ok_or_else(|| {
                    Error::invalid(format!("the {} of {time} begins before the first time there is", unit.name()))
                })?;
                Ok(Value::Time(start))
            }),
        }
    }

    /// Appends the value, encoded as an ascending [`key`]; a missing one, too. For a path of a record nothing is decoded.
    ///
    /// # Errors
    /// As [`evaluate_in`](Expression::evaluate_in).
    pub fn write_key(&self, input: Input<'_>, key: &mut Vec<u8>) -> Result<()> {
        if let (Expression::Path(path), Fields::Raw(document)) = (self, input.fields) {
            return document.write_key(path, key);
        }
        match self.evaluate_in(input)? {
            Some(value) => key::write_value(key, &value, Order::Ascending),
            None => key::write_missing(key, Order::Ascending),
        }
        Ok(())
    }

    /// What `make` makes of the value, where there is one that is not null.
    fn map_in<'a>(
        &'a self,
        input: Input<'a>,
        make: impl FnOnce(&Value) -> Result<Value>,
    ) -> Result<Option<Cow<'a, Value>>> {
        match self.evaluate_in(input)? {
            Some(value) if !value.is_null() => make(&value).map(|made| Some(Cow::Owned(made))),
            null_or_missing => Ok(null_or_missing),
        }
    }
}

fn coalesce<'a>(parts: &'a [Expression], input: Input<'a>) -> Result<Option<Cow<'a, Value>>> {
    let mut last = None;
    for part in parts {
        last = part.evaluate_in(input)?;
        if last.as_ref().is_some_and(|value| !value.is_null()) {
            break;
        }
    }
    Ok(last)
}

fn concat(parts: &[Expression], input: Input<'_>) -> Result<Option<Value>> {
    let (mut joined, mut is_null, mut is_missing) = (String::new(), false, false);
    for part in parts {
        match part.evaluate_in(input)? {
            None => is_missing = true,
            Some(value) if value.is_null() => is_null = true,
            Some(value) => joined.push_str(text(&value, "concat")?),
        }
    }
    Ok(match (is_missing, is_null) {
        (true, _) => None,
        (false, true) => Some(Value::Null),
        (false, false) => Some(Value::String(joined)),
    })
}

/// The largest boundary that is not above the value, unless it is the last.
fn boundary_below<'a>(boundaries: &'a [Value], value: &Value) -> Option<&'a Value> {
    let above = boundaries.partition_point(|boundary| boundary <= value);
    let boundary = boundaries.get(above.checked_sub(1)?)?;
    (above < boundaries.len() && boundary.comparable(value)).then_some(boundary)
}

fn text<'a>(value: &'a Value, operation: &str) -> Result<&'a str> {
    value.as_str().ok_or_else(|| refused(operation, value, "a string"))
}

fn time(value: &Value, operation: &str) -> Result<Time> {
    match value {
        Value::Time(time) => Ok(*time),
        other => Err(refused(operation, other, "a time")),
    }
}

fn refused(operation: &str, value: &Value, wanted: &str) -> Error {
    let type_name = value.type_name();
    Error::invalid(format!("{operation}: {} is of type {type_name}, {wanted} is needed", Literal(value)))
}

/// The value of a path in a decoded document.
fn reach<'a>(document: &'a Document, path: &Path) -> Option<Cow<'a, Value>> {
    let (first, mut rest) = path.segments().split_first()?;
    let mut value = document.get(first.key())?;
    while let Some((segment, behind)) = rest.split_first() {
        value = match (value, segment.index()) {
            (Value::Map(map), _) => map.get(segment.key())?,
            (Value::Array(array), Some(index)) => array.get(index)?,
            (Value::Array(_), None) => {
                let mut values = Vec::new();
                collect(value, rest, &mut values);
                return Some(Cow::Owned(Value::Array(values)));
            }
            _ => return None,
        };
        rest = behind;
    }
    Some(Cow::Borrowed(value))
}

fn collect(value: &Value, segments: &[Segment], values: &mut Vec<Value>) {
    let Some((first, rest)) = segments.split_first() else { return values.push(value.clone()) };
    match (value, first.index()) {
        (Value::Map(map), _) => map.get(first.key()).into_iter().for_each(|next| collect(next, rest, values)),
        (Value::Array(array), Some(index)) => {
            array.get(index).into_iter().for_each(|next| collect(next, rest, values));
        }
        (Value::Array(array), None) => {
            for next in array.iter().filter_map(Value::as_map).filter_map(|map| map.get(first.key())) {
                collect(next, rest, values);
            }
        }
        _ => {}
    }
}
