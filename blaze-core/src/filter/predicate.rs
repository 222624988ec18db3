//! Predicates: what a term of a filter asks of the values that its path reaches.

use super::{Filter, Pattern, Regex, TypeName};
use crate::error::{Error, Result};
use crate::limits::NESTING_MAX;
use crate::nesting::nests_within;
use crate::value::Value;

/// An operator with its operands. The [module](super) says what matches.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Predicate {
    /// Equal.
    Eq(Value),
    /// No value of the path is equal; the field may be missing.
    Ne(Value),
    /// Below, within the class of the operand.
    Lt(Value),
    /// Below or equal, within the class of the operand.
    Le(Value),
    /// Above, within the class of the operand.
    Gt(Value),
    /// Above or equal, within the class of the operand.
    Ge(Value),
    /// From the first to the second, both included.
    Between(Value, Value),
    /// Equal to one of them.
    In(Vec<Value>),
    /// No value of the path is equal to one of them; the field may be missing.
    Nin(Vec<Value>),
    /// There is a value, be it null; or there is none.
    Exists(bool),
    /// Of this type.
    Type(TypeName),
    /// A string that begins with this one.
    StartsWith(String),
    /// A string that the pattern matches as a whole.
    Like(Pattern),
    /// A string of which the regular expression matches a part.
    Regex(Regex),
    /// An array with an equal element, or a string with this substring.
    Contains(Value),
    /// An array with an element equal to each of them.
    All(Vec<Value>),
    /// An array of this length.
    Size(usize),
    /// An array of which one element matches the filter.
    ElemMatch(Box<Filter>),
}

impl Predicate {
    /// The name of the operator, as in the table of the [module](super).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Predicate::Eq(_) => "eq",
            Predicate::Ne(_) => "ne",
            Predicate::Lt(_) => "lt",
            Predicate::Le(_) => "le",
            Predicate::Gt(_) => "gt",
            Predicate::Ge(_) => "ge",
            Predicate::Between(..) => "between",
            Predicate::In(_) => "in",
            Predicate::Nin(_) => "nin",
            Predicate::Exists(_) => "exists",
            Predicate::Type(_) => "type",
            Predicate::StartsWith(_) => "starts_with",
            Predicate::Like(_) => "like",
            Predicate::Regex(_) => "regex",
            Predicate::Contains(_) => "contains",
            Predicate::All(_) => "all",
            Predicate::Size(_) => "size",
            Predicate::ElemMatch(_) => "elem_match",
        }
    }

    /// True if the term matches when *no* value is [accepted](Predicate::accepts): `ne`, `nin` and `exists(false)`.
    pub(super) fn is_negated(&self) -> bool {
        matches!(self, Predicate::Ne(_) | Predicate::Nin(_) | Predicate::Exists(false))
    }

    /// Whether the predicate, or what it negates, holds for one value.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        let comparable = |operand: &Value| value.comparable(operand);
        match self {
            Predicate::Eq(operand) | Predicate::Ne(operand) => value == operand,
            Predicate::Lt(operand) => comparable(operand) && value < operand,
            Predicate::Le(operand) => comparable(operand) && value <= operand,
            Predicate::Gt(operand) => comparable(operand) && value > operand,
            Predicate::Ge(operand) => comparable(operand) && value >= operand,
            Predicate::Between(low, high) => comparable(low) && comparable(high) && low <= value && value <= high,
            Predicate::In(operands) | Predicate::Nin(operands) => operands.contains(value),
            Predicate::Exists(_) => true,
            Predicate::Type(name) => name.includes(value),
            Predicate::StartsWith(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix.as_str())),
            Predicate::Like(pattern) => value.as_str().is_some_and(|text| pattern.is_match(text)),
            Predicate::Regex(regex) => value.as_str().is_some_and(|text| regex.is_match(text)),
            Predicate::Contains(operand) => match (value, operand) {
                (Value::Array(array), _) => array.contains(operand),
                (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                _ => false,
            },
            Predicate::All(operands) => {
                value.as_array().is_some_and(|array| operands.iter().all(|operand| array.contains(operand)))
            }
            Predicate::Size(length) => value.as_array().is_some_and(|array| array.len() == *length),
            Predicate::ElemMatch(filter) => {
                value.as_array().is_some_and(|array| array.iter().any(|element| filter.matches_element(element)))
            }
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let operands = match self {
            Predicate::Like(pattern) => return pattern.validate(),
            Predicate::Regex(regex) => return regex.validate(),
            Predicate::Eq(operand)
            | Predicate::Ne(operand)
            | Predicate::Lt(operand)
            | Predicate::Le(operand)
            | Predicate::Gt(operand)
            | Predicate::Ge(operand)
            | Predicate::Contains(operand) => std::slice::from_ref(operand),
            Predicate::In(operands) | Predicate::Nin(operands) | Predicate::All(operands) => operands,
            Predicate::Between(low, high) => return [low, high].into_iter().try_for_each(validate_nesting),
            _ => &[],
        };
        operands.iter().try_for_each(validate_nesting)
    }
}

fn validate_nesting(operand: &Value) -> Result<()> {
    if nests_within(operand, NESTING_MAX) {
        return Ok(());
    }
    Err(Error::limit_exceeded(format!("value nests deeper than {NESTING_MAX} levels")))
}
