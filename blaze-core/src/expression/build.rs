//! How expressions are written down.

use std::ops::{Add, Div, Mul, Sub};

use super::{DatePart, Expression, Operation, TimeUnit};
use crate::filter::Filter;
use crate::path::Path;
use crate::value::{Decimal, Time, Value};

/// The value that a path leads to.
///
/// ```
/// use blaze_core::expression::path;
/// use blaze_core::{Document, Value};
///
/// let person = |name| Document::new().with("name", name);
/// let film = Document::new().with("year", 1972).with("cast", [person("Bondarchuk"), person("Banionis")]);
/// assert_eq!(path("year").evaluate(&film)?, Some(Value::from(1972)));
/// assert_eq!(path("cast.name").evaluate(&film)?, Some(Value::from(["Bondarchuk", "Banionis"])));
/// assert_eq!(path("cast.0.name").evaluate(&film)?, Some(Value::from("Bondarchuk")));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn path(path: impl Into<Path>) -> Expression {
    Expression::Path(path.into())
}

/// A value as it is: strings need this, since a bare string is a path.
///
/// ```
/// use blaze_core::expression::literal;
/// use blaze_core::{Document, Value};
///
/// assert_eq!(literal("drama").evaluate(&Document::new())?, Some(Value::from("drama")));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn literal(value: impl Into<Value>) -> Expression {
    Expression::Literal(value.into())
}

/// The id of the document.
///
/// ```
/// use blaze_core::expression::{Input, document_id};
/// use blaze_core::{Document, DocumentId, Value};
///
/// let (document, id) = (Document::new(), DocumentId::from("solaris"));
/// let input = Input::document(&document).with_id(&id);
/// assert_eq!(document_id().evaluate_in(input)?.as_deref(), Some(&Value::from("solaris")));
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[must_use]
pub fn document_id() -> Expression {
    Expression::DocumentId
}

/// Strings one after another.
///
/// ```
/// use blaze_core::expression::{concat, literal, path};
/// use blaze_core::{Document, Value};
///
/// let person = Document::new().with("first", "Andrei").with("last", "Tarkovsky");
/// let name = concat([path("first"), literal(" "), path("last")]);
/// assert_eq!(name.evaluate(&person)?, Some(Value::from("Andrei Tarkovsky")));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn concat(parts: impl IntoIterator<Item = impl Into<Expression>>) -> Expression {
    Expression::Concat(parts.into_iter().map(Into::into).collect())
}

/// The first value that is neither missing nor null.
///
/// ```
/// use blaze_core::expression::{coalesce, path};
/// use blaze_core::{Document, Value};
///
/// let film = Document::new().with("title", ()).with("original_title", "Солярис");
/// assert_eq!(coalesce([path("title"), path("original_title")]).evaluate(&film)?, Some(Value::from("Солярис")));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn coalesce(parts: impl IntoIterator<Item = impl Into<Expression>>) -> Expression {
    Expression::Coalesce(parts.into_iter().map(Into::into).collect())
}

/// `then` if the document matches `filter`, else `otherwise`.
///
/// ```
/// use blaze_core::expression::{if_else, literal};
/// use blaze_core::{Document, Value, field};
///
/// let era = if_else(field("year").lt(1980), literal("old"), literal("new"));
/// assert_eq!(era.evaluate(&Document::new().with("year", 1972))?, Some(Value::from("old")));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn if_else(filter: impl Into<Filter>, then: impl Into<Expression>, otherwise: impl Into<Expression>) -> Expression {
    Expression::IfElse(Box::new(filter.into()), Box::new(then.into()), Box::new(otherwise.into()))
}

/// The largest of `boundaries`, which ascend, that is not above the value; none at the last boundary and above it. With
/// [`or`](Expression::or), what lies outside has a bucket of its own.
///
/// ```
/// use blaze_core::expression::bucket;
/// use blaze_core::{Document, Value};
///
/// let decade = bucket("year", [1970, 1980, 1990]).or("other");
/// assert_eq!(decade.evaluate(&Document::new().with("year", 1972))?, Some(Value::from(1970)));
/// assert_eq!(decade.evaluate(&Document::new().with("year", 1990))?, Some(Value::from("other")));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn bucket<V: Into<Value>>(of: impl Into<Expression>, boundaries: impl IntoIterator<Item = V>) -> Expression {
    Expression::Bucket(Box::new(of.into()), boundaries.into_iter().map(Into::into).collect())
}

/// The beginning, in UTC, of the unit that a time lies in.
///
/// ```
/// use blaze_core::expression::{TimeUnit, time_bucket};
/// use blaze_core::{Document, Time, Value};
///
/// let film = Document::new().with("released", "1972-05-13T20:00:00Z".parse::<Time>()?);
/// let month = time_bucket("released", TimeUnit::Month).evaluate(&film)?;
/// assert_eq!(month, Some(Value::from("1972-05-01T00:00:00Z".parse::<Time>()?)));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn time_bucket(of: impl Into<Expression>, unit: TimeUnit) -> Expression {
    Expression::TimeBucket(unit, Box::new(of.into()))
}

impl Expression {
    /// This value, or `default` where it is missing or null.
    #[must_use]
    pub fn or(self, default: impl Into<Value>) -> Expression {
        Expression::Coalesce(vec![self, literal(default)])
    }

    /// The string in lower case.
    #[must_use]
    pub fn lower(self) -> Expression {
        Expression::Lower(Box::new(self))
    }

    /// The string in upper case.
    #[must_use]
    pub fn upper(self) -> Expression {
        Expression::Upper(Box::new(self))
    }

    /// The number of elements of the array.
    #[must_use]
    pub fn size(self) -> Expression {
        Expression::Size(Box::new(self))
    }

    /// The year of the time, in UTC.
    ///
    /// ```
    /// use blaze_core::expression::path;
    /// use blaze_core::{Document, Time, Value};
    ///
    /// let film = Document::new().with("released", "1972-05-13T20:00:00Z".parse::<Time>()?);
    /// assert_eq!(path("released").year().evaluate(&film)?, Some(Value::from(1972)));
    /// assert_eq!(path("released").weekday().evaluate(&film)?, Some(Value::from(6)));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn year(self) -> Expression {
        Expression::DatePart(DatePart::Year, Box::new(self))
    }

    /// The month of the time, 1 to 12.
    #[must_use]
    pub fn month(self) -> Expression {
        Expression::DatePart(DatePart::Month, Box::new(self))
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> Expression {
        Expression::DatePart(DatePart::Day, Box::new(self))
    }

    /// The hour of the day, 0 to 23.
    #[must_use]
    pub fn hour(self) -> Expression {
        Expression::DatePart(DatePart::Hour, Box::new(self))
    }

    /// The day of the week: 1 is Monday, 7 is Sunday.
    #[must_use]
    pub fn weekday(self) -> Expression {
        Expression::DatePart(DatePart::Weekday, Box::new(self))
    }

    /// As [`time_bucket`].
    #[must_use]
    pub fn truncate(self, unit: TimeUnit) -> Expression {
        time_bucket(self, unit)
    }
}

impl From<&Expression> for Expression {
    fn from(expression: &Expression) -> Expression {
        expression.clone()
    }
}

macro_rules! paths {
    ($($type:ty),*) => {
        $(impl From<$type> for Expression {
            /// The value that the path leads to.
            fn from(text: $type) -> Expression {
                path(text)
            }
        })*
    };
}

paths! { &str, String, Path, &Path }

macro_rules! literals {
    ($($type:ty),*) => {
        $(impl From<$type> for Expression {
            fn from(value: $type) -> Expression {
                literal(value)
            }
        })*
    };
}

literals! { bool, i32, i64, u32, u64, f64, Decimal, Time, Value }

macro_rules! operators {
    ($($trait:ident $method:ident $operation:ident),*) => {
        $(impl<E: Into<Expression>> $trait<E> for Expression {
            type Output = Expression;

            fn $method(self, other: E) -> Expression {
                Expression::Arithmetic(Operation::$operation, Box::new(self), Box::new(other.into()))
            }
        })*
    };
}

operators! { Add add Add, Sub sub Subtract, Mul mul Multiply, Div div Divide }
