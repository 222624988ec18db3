//! Expressions: values that are computed from the fields of a document.
//!
//! An [`Expression`] is a path, a literal, or an operation on other expressions. **This table fixes what comes out**:
//!
//! | case | rule |
//! |---|---|
//! | a path | the value that it leads to; where it goes on in the maps of an array, the array of all that it reaches there, in order, be it one value or none; a number chooses an element of an array (or the key of a map) |
//! | missing | stays missing: an operation with a missing operand has no value, unless the table says otherwise |
//! | null | an operation with a null and no missing operand is null |
//! | `+`, `-`, `*` | integers stay integers over the ranges of `i64` and `u64` together, decimals stay exact; with a float the result is a float; a result outside its type, and a decimal with a float, are errors |
//! | `/` | of integers and floats: a float; of decimals, or a decimal and an integer: a decimal, rounded half to even where 128 bits do not hold it; division by zero is an error |
//! | `concat`, `lower`, `upper` | strings; anything else is an error |
//! | `size` | the number of elements of an array; anything else is an error |
//! | `if_else` | the one expression if the document matches the filter, else the other; only that one is computed |
//! | `coalesce`, `or` | the first value that is neither missing nor null; without one, the last as it is |
//! | `year` … `weekday` | integers, of a time, in UTC; Monday is weekday 1, Sunday 7; anything but a time is an error |
//! | `time_bucket` | the beginning, in UTC, of the unit that the time lies in; weeks begin on Monday |
//! | `bucket` | the largest boundary that is not above the value; missing, if the value is below the first boundary, not below the last, or of another class |
//! | `document_id` | the id of the document as a value; missing where a stage has made a document of several |

mod arithmetic;
mod build;
mod calendar;
mod display;
mod evaluate;
mod paths;
#[cfg(test)]
mod tests;

pub use arithmetic::Operation;
pub(crate) use arithmetic::divide;
pub use build::{bucket, coalesce, concat, document_id, if_else, literal, path, time_bucket};
pub use calendar::{DatePart, TimeUnit};
pub use evaluate::Input;

use crate::error::{Error, Result};
use crate::filter::{Filter, Literal};
use crate::limits::{BUCKET_BOUNDARIES_MAX, EXPRESSION_DEPTH_MAX, NESTING_MAX};
use crate::nesting::nests_within;
use crate::path::Path;
use crate::value::Value;

/// A value that is computed from a document. The [module](self) says what comes out.
///
/// ```
/// use blaze_core::expression::{literal, path};
/// use blaze_core::{Document, Value};
///
/// let item = Document::new().with("price", 20).with("count", 3).with("name", "Cup");
/// let total = path("price") * path("count") + 5;
/// assert_eq!(total.evaluate(&item)?, Some(Value::from(65)));
/// assert_eq!(path("name").lower().evaluate(&item)?, Some(Value::from("cup")));
/// assert_eq!((path("discount") + 1).evaluate(&item)?, None, "missing stays missing");
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expression {
    /// The id of the document.
    DocumentId,
    /// What a path leads to.
    Path(Path),
    /// A value.
    Literal(Value),
    /// An operation on two numbers.
    Arithmetic(Operation, Box<Expression>, Box<Expression>),
    /// Strings one after another.
    Concat(Vec<Expression>),
    /// A string in lower case.
    Lower(Box<Expression>),
    /// A string in upper case.
    Upper(Box<Expression>),
    /// The number of elements of an array.
    Size(Box<Expression>),
    /// One expression or the other.
    IfElse(Box<Filter>, Box<Expression>, Box<Expression>),
    /// The first that is neither missing nor null.
    Coalesce(Vec<Expression>),
    /// A part of a time.
    DatePart(DatePart, Box<Expression>),
    /// The beginning of the unit that a time lies in.
    TimeBucket(TimeUnit, Box<Expression>),
    /// The boundary below a value.
    Bucket(Box<Expression>, Vec<Value>),
}

impl Expression {
    /// Checks what the builders accepted unseen: paths, filters, depth, and boundaries, which must ascend.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn validate(&self) -> Result<()> {
        self.validate_at(0)
    }

    fn validate_at(&self, depth: usize) -> Result<()> {
        if depth > EXPRESSION_DEPTH_MAX {
            return Err(Error::limit_exceeded(format!("an expression has more than {EXPRESSION_DEPTH_MAX} levels")));
        }
        match self {
            Expression::DocumentId => Ok(()),
            Expression::Path(path) => path.validate(),
            Expression::Literal(value) => validate_nesting(value),
            Expression::Arithmetic(_, left, right) => {
                left.validate_at(depth + 1).and_then(|()| right.validate_at(depth + 1))
            }
            Expression::Concat(parts) | Expression::Coalesce(parts) => {
                if parts.is_empty() {
                    let name = if matches!(self, Expression::Concat(_)) { "concat" } else { "coalesce" };
                    return Err(Error::invalid(format!("{name} has no operand, at least 1 is needed")));
                }
                parts.iter().try_for_each(|part| part.validate_at(depth + 1))
            }
            Expression::IfElse(filter, then, otherwise) => {
                filter.validate()?;
                then.validate_at(depth + 1).and_then(|()| otherwise.validate_at(depth + 1))
            }
            Expression::Lower(of)
            | Expression::Upper(of)
            | Expression::Size(of)
            | Expression::DatePart(_, of)
            | Expression::TimeBucket(_, of) => of.validate_at(depth + 1),
            Expression::Bucket(of, boundaries) => {
                validate_boundaries(boundaries)?;
                of.validate_at(depth + 1)
            }
        }
    }
}

fn validate_nesting(value: &Value) -> Result<()> {
    if nests_within(value, NESTING_MAX - 1) {
        return Ok(());
    }
    Err(Error::limit_exceeded(format!("a literal nests a document deeper than {NESTING_MAX} levels")))
}

fn validate_boundaries(boundaries: &[Value]) -> Result<()> {
    let count = boundaries.len();
    if count < 2 {
        return Err(Error::invalid(format!("bucket has {count} boundaries, at least 2 are needed")));
    }
    if count > BUCKET_BOUNDARIES_MAX {
        let limit = BUCKET_BOUNDARIES_MAX;
        return Err(Error::limit_exceeded(format!("bucket has {count} boundaries, the limit is {limit}")));
    }
    boundaries.iter().try_for_each(validate_nesting)?;
    for pair in boundaries.windows(2) {
        let (low, high) = (Literal(&pair[0]), Literal(&pair[1]));
        if !pair[0].comparable(&pair[1]) {
            return Err(Error::invalid(format!("bucket boundaries {low} and {high} are not of one type")));
        }
        if pair[0] >= pair[1] {
            return Err(Error::invalid(format!("bucket boundaries do not ascend: {low} stands before {high}")));
        }
    }
    Ok(())
}
