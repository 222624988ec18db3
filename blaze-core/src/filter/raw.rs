//! Evaluation of filters on encoded records: nothing is decoded that can be told from the bytes.

use super::{Filter, Predicate};
use crate::error::{Error, Result};
use crate::path::Path;
use crate::record::{Item, RawDocument, RawValue};
use crate::value::Value;

/// What a filter is asked of: it reports each value that a path reaches.
trait Subject<'a> {
    fn visit(&self, path: &Path, visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>) -> Result<()>;
}

impl<'a> Subject<'a> for RawDocument<'a> {
    fn visit(&self, path: &Path, visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>) -> Result<()> {
        self.visit_raw(path, visit)
    }
}

/// An element of an array: the empty path is the element itself, the others go on in it if it is a map.
impl<'a> Subject<'a> for RawValue<'a> {
    fn visit(&self, path: &Path, visit: &mut dyn FnMut(RawValue<'a>) -> Result<()>) -> Result<()> {
        match path.segments() {
            [] => visit(*self),
            _ => self.visit_raw(path, visit),
        }
    }
}

impl Filter {
    /// True if the encoded `document` matches: as [`matches`](Filter::matches), but only what is compared is decoded, and
    /// no term is looked at once the answer is known.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the part of the record that was read is damaged.
    pub fn matches_raw(&self, document: &RawDocument<'_>) -> Result<bool> {
        self.holds_raw(document)
    }

    fn holds_raw<'a>(&self, subject: &dyn Subject<'a>) -> Result<bool> {
        match self {
            Filter::And(terms) => Ok(!any_is(false, terms, subject)?),
            Filter::Or(terms) => any_is(true, terms, subject),
            Filter::Nor(terms) => Ok(!any_is(true, terms, subject)?),
            Filter::Not(term) => Ok(!term.holds_raw(subject)?),
            Filter::Field(path, predicate) => {
                let mut accepted = false;
                subject.visit(path, &mut |value| {
                    accepted = accepted || predicate.accepts_raw(value)?;
                    Ok(())
                })?;
                Ok(accepted != predicate.is_negated())
            }
        }
    }
}

/// Whether one of `terms` gives `answer`; those after it are not evaluated.
fn any_is<'a>(answer: bool, terms: &[Filter], subject: &dyn Subject<'a>) -> Result<bool> {
    for term in terms {
        if term.holds_raw(subject)? == answer {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Predicate {
    /// As [`accepts`](Predicate::accepts), of a value that is not decoded.
    fn accepts_raw(&self, value: RawValue<'_>) -> Result<bool> {
        match value.item {
            Item::String(bytes) => self.accepts_string(bytes),
            Item::Array(_) => self.accepts_array(value),
            Item::Map(_) => match self.may_accept(&Value::Map(Default::default())) {
                true => Ok(self.accepts(&value.decode()?)),
                false => Ok(false),
            },
            // All others are decoded without a copy, or are rarely large.
            _ => Ok(self.accepts(&value.decode()?)),
        }
    }

    /// Bytes of UTF-8 have the order of the characters.
    fn accepts_string(&self, bytes: &[u8]) -> Result<bool> {
        let order = |operand: &Value| operand.as_str().map(|operand| bytes.cmp(operand.as_bytes()));
        let is = |operand: &Value| operand.as_str().is_some_and(|operand| bytes == operand.as_bytes());
        Ok(match self {
            Predicate::Eq(operand) | Predicate::Ne(operand) => is(operand),
            Predicate::Lt(operand) => order(operand).is_some_and(|order| order.is_lt()),
            Predicate::Le(operand) => order(operand).is_some_and(|order| order.is_le()),
            Predicate::Gt(operand) => order(operand).is_some_and(|order| order.is_gt()),
            Predicate::Ge(operand) => order(operand).is_some_and(|order| order.is_ge()),
            Predicate::Between(low, high) => {
                order(low).is_some_and(|order| order.is_ge()) && order(high).is_some_and(|order| order.is_le())
            }
            Predicate::In(operands) | Predicate::Nin(operands) => operands.iter().any(is),
            Predicate::StartsWith(prefix) => bytes.starts_with(prefix.as_bytes()),
            Predicate::Like(pattern) => pattern.is_match(text(bytes)?),
            Predicate::Regex(regex) => regex.is_match(text(bytes)?),
            Predicate::Contains(operand) => match operand.as_str() {
                Some(part) => text(bytes)?.contains(part),
                None => false,
            },
            Predicate::Exists(_) => true,
            Predicate::Type(name) => name.includes(&Value::String(String::new())),
            Predicate::All(_) | Predicate::Size(_) | Predicate::ElemMatch(_) => false,
        })
    }

    fn accepts_array(&self, array: RawValue<'_>) -> Result<bool> {
        let contains = |operand: &Value| any_element(array, &|element| is_equal(element, operand));
        match self {
            Predicate::Contains(operand) => contains(operand),
            Predicate::All(operands) => {
                for operand in operands {
                    if !contains(operand)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Predicate::Size(length) => {
                let mut count = 0;
                array.visit_elements(&mut |_| {
                    count += 1;
                    Ok(())
                })?;
                Ok(count == *length)
            }
            Predicate::ElemMatch(filter) => any_element(array, &|element| filter.holds_raw(&element)),
            _ if self.may_accept(&Value::Array(Vec::new())) => Ok(self.accepts(&array.decode()?)),
            _ => Ok(false),
        }
    }

    /// False if no value of the type of `like` can be accepted, whatever is in it.
    fn may_accept(&self, like: &Value) -> bool {
        match self {
            Predicate::Eq(operand)
            | Predicate::Ne(operand)
            | Predicate::Lt(operand)
            | Predicate::Le(operand)
            | Predicate::Gt(operand)
            | Predicate::Ge(operand) => operand.comparable(like),
            Predicate::Between(low, high) => low.comparable(like) && high.comparable(like),
            Predicate::In(operands) | Predicate::Nin(operands) => {
                operands.iter().any(|operand| operand.comparable(like))
            }
            Predicate::Exists(_) | Predicate::Type(_) => true,
            Predicate::StartsWith(_) | Predicate::Like(_) | Predicate::Regex(_) => false,
            Predicate::Contains(_) | Predicate::All(_) | Predicate::Size(_) | Predicate::ElemMatch(_) => {
                matches!(like, Value::Array(_))
            }
        }
    }
}

/// True if `is_it` says so of an element of an array.
fn any_element<'a>(array: RawValue<'a>, is_it: &dyn Fn(RawValue<'a>) -> Result<bool>) -> Result<bool> {
    let mut found = false;
    array.visit_elements(&mut |element| {
        found = found || is_it(element)?;
        Ok(())
    })?;
    Ok(found)
}

/// True if an undecoded value is equal to a decoded one.
fn is_equal(value: RawValue<'_>, operand: &Value) -> Result<bool> {
    match (value.item, operand) {
        (Item::String(bytes), Value::String(operand)) => Ok(bytes == operand.as_bytes()),
        (Item::String(_), _) | (_, Value::String(_)) => Ok(false),
        (Item::Array(_), operand) if operand.as_array().is_none() => Ok(false),
        (Item::Map(_), operand) if operand.as_map().is_none() => Ok(false),
        _ => Ok(value.decode()? == *operand),
    }
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::corruption("damaged record: a string is not UTF-8"))
}
