//! Filters as text for people: `explain`, logs and error messages.

use std::fmt;

use super::{Filter, Predicate};
use crate::value::Value;

/// How much of a long string or array is shown.
const CHARACTERS_SHOWN: usize = 80;
const ELEMENTS_SHOWN: usize = 16;

/// Readable text, in which long operands are cut short.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(terms) if terms.is_empty() => f.write_str("everything"),
            Filter::Or(terms) if terms.is_empty() => f.write_str("nothing"),
            Filter::And(terms) => joined(f, terms, " and "),
            Filter::Or(terms) => joined(f, terms, " or "),
            Filter::Nor(terms) => {
                f.write_str("not (")?;
                if terms.is_empty() {
                    f.write_str("nothing")?;
                }
                joined(f, terms, " or ")?;
                f.write_str(")")
            }
            Filter::Not(term) => write!(f, "not {}", Operand(term)),
            Filter::Field(path, predicate) if path.segments().is_empty() => write!(f, "element {predicate}"),
            Filter::Field(path, predicate) => write!(f, "{path} {predicate}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, terms: &[Filter], word: &str) -> fmt::Result {
    for (position, term) in terms.iter().enumerate() {
        if position > 0 {
            f.write_str(word)?;
        }
        if terms.len() == 1 {
            write!(f, "{term}")?;
        } else {
            write!(f, "{}", Operand(term))?;
        }
    }
    Ok(())
}

/// A filter inside another: in parentheses where the reader would have to know which word binds tighter.
struct Operand<'a>(&'a Filter);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Filter::And(terms) | Filter::Or(terms) if terms.len() == 1 => write!(f, "{}", Operand(&terms[0])),
            Filter::And(terms) | Filter::Or(terms) if !terms.is_empty() => write!(f, "({})", self.0),
            filter => write!(f, "{filter}"),
        }
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::Eq(value) => write!(f, "= {}", Literal(value)),
            Predicate::Ne(value) => write!(f, "!= {}", Literal(value)),
            Predicate::Lt(value) => write!(f, "< {}", Literal(value)),
            Predicate::Le(value) => write!(f, "<= {}", Literal(value)),
            Predicate::Gt(value) => write!(f, "> {}", Literal(value)),
            Predicate::Ge(value) => write!(f, ">= {}", Literal(value)),
            Predicate::Between(low, high) => write!(f, "between {} and {}", Literal(low), Literal(high)),
            Predicate::In(values) => write!(f, "in {}", List(values)),
            Predicate::Nin(values) => write!(f, "not in {}", List(values)),
            Predicate::Exists(true) => f.write_str("exists"),
            Predicate::Exists(false) => f.write_str("is missing"),
            Predicate::Type(name) => write!(f, "type {name}"),
            Predicate::StartsWith(prefix) => write!(f, "starts_with {}", Quoted(prefix)),
            Predicate::Like(pattern) => write!(f, "like {}", Quoted(pattern.as_str())),
            Predicate::Regex(regex) => write!(f, "regex {}", Quoted(regex.as_str())),
            Predicate::Contains(value) => write!(f, "contains {}", Literal(value)),
            Predicate::All(values) => write!(f, "all {}", List(values)),
            Predicate::Size(length) => write!(f, "size {length}"),
            Predicate::ElemMatch(filter) => write!(f, "elem_match ({filter})"),
        }
    }
}

/// A value, one level deep: what is nested in it is only named.
pub(crate) struct Literal<'a>(pub(crate) &'a Value);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(bool) => write!(f, "{bool}"),
            Value::Int(int) => write!(f, "{int}"),
            Value::UInt(int) => write!(f, "{int}"),
            Value::Float(float) => write!(f, "{float:?}"),
            Value::Decimal(decimal) => write!(f, "{decimal}"),
            Value::String(string) => write!(f, "{}", Quoted(string)),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::Time(time) => write!(f, "{time}"),
            Value::Uuid(uuid) => write!(f, "{uuid}"),
            Value::Vector(vector) => write!(f, "a vector of {}", vector.dimension()),
            Value::Array(array) => write!(f, "{}", List(array)),
            Value::Map(map) => write!(f, "a map of {}", map.len()),
        }
    }
}

struct List<'a>(&'a [Value]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (position, value) in self.0.iter().take(ELEMENTS_SHOWN).enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            match value {
                Value::Array(array) => write!(f, "an array of {}", array.len())?,
                value => write!(f, "{}", Literal(value))?,
            }
        }
        match self.0.len().saturating_sub(ELEMENTS_SHOWN) {
            0 => f.write_str("]"),
            more => write!(f, ", and {more} more]"),
        }
    }
}

/// A string in quotes, cut short if it is long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(CHARACTERS_SHOWN) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}...", &self.0[..end]),
        }
    }
}
