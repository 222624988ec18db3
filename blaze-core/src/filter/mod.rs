//! The filter language: one set of operators for find, partial indexes, watches, row policies and partial sync.
//!
//! A [`Filter`] joins terms; a term is a [`Path`] and a [`Predicate`]. A path can reach no value, one, or several
//! (through arrays of maps, see [`traverse`](crate::traverse)). **This table fixes what matches**:
//!
//! | case | rule |
//! |---|---|
//! | a path that reaches several values | a term matches if its predicate holds for at least one of them |
//! | missing | a path that reaches nothing satisfies only `ne`, `nin` and `exists(false)` |
//! | null | is a value: `exists(true)` and `eq(null)` match it; `eq(null)` does not match a missing field |
//! | empty string, array or map | are values, and neither null nor missing |
//! | `eq`, `in` | equality of [`Value`]: `1`, `1.0` and the decimal `1.00` are equal, NaN is equal to itself, arrays and maps are compared whole; `in` of no values matches nothing |
//! | `ne`, `nin` | exactly `not eq` and `not in`: they match a missing field, and no path of which one value is equal |
//! | `lt`, `le`, `gt`, `ge` | the order of [`Value`], within one class ([`Value::comparable`]): `year > 2000` matches no string; NaN is below every number |
//! | `between(low, high)` | `ge(low)` and `le(high)` of one and the same value; both ends are included |
//! | `exists` | `true`: the path reaches a value, null included; `false`: it reaches none |
//! | `type` | the value has the [`TypeName`]; `number` stands for `int`, `float` and `decimal` |
//! | `starts_with`, `like`, `regex` | strings only, upper and lower case told apart; `like` matches the whole string, `regex` any part of it |
//! | `contains(x)` | an array with an element equal to `x`, or a string with the substring `x` |
//! | `all` | an array with an element equal to each of the values; of no values: any array |
//! | `size` | an array of so many elements |
//! | `elem_match` | an array of which one element matches the whole filter inside; [`element`] names the element itself, paths go on in elements that are maps and reach nothing in others |
//! | `and`, `or`, `nor`, `not` | of the answers of their parts: `and` of nothing matches everything, `or` of nothing matches nothing |
//!
//! So two terms on one path may be satisfied by different values: `field("runs.year").ge(2000).and(field("runs.year")
//! .le(2009))` matches runs of 1990 and 2010, `between(2000, 2009)` does not.
//!
//! # As a document
//!
//! [`Filter::from_document`] reads the form that MongoDB's users know, and [`Filter::to_document`] writes it:
//!
//! ```
//! use blaze_core::{Document, Filter, field};
//!
//! let json = r#"{"year": {"$gte": 1970, "$lt": 1980}, "$or": [{"genres": {"$contains": "Drama"}}, {"rating": null}]}"#;
//! let document: Document = serde_json::from_str(json)?;
//! let filter = Filter::from_document(&document)?;
//! let drama = field("genres").contains("Drama").or(field("rating").eq(()));
//! assert_eq!(filter, field("year").ge(1970).and(field("year").lt(1980)).and(drama));
//! assert_eq!(filter.to_document(), document);
//!
//! let wrong: Document = serde_json::from_str(r#"{"$or": [{"a": 1}, {"year": {"$gtt": 1970}}]}"#)?;
//! let error = Filter::from_document(&wrong).unwrap_err();
//! assert_eq!(error.to_string(), r#"at $or[1].year: unknown operator "$gtt"; did you mean "$gte"?"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | in the document | what it is |
//! |---|---|
//! | `{"a.b": operand}` | the field at the path; several fields must all match |
//! | an operand without operators | must be equal to the field, maps and arrays as a whole: `{"a": [1]}` is `{"a": {"$eq": [1]}}` |
//! | `$eq $ne $lt $lte $gt $gte $contains` | with any value |
//! | `$in $nin $all` | with an array of values |
//! | `$between` | with an array of two values |
//! | `$exists` | with true or false |
//! | `$type` | with the name of a [type](TypeName) |
//! | `$startsWith $like` | with a string |
//! | `$regex` | with a string, and beside it `$options`: a string of `i` (case is ignored), `m` (`^` and `$` match at lines), `s` (`.` matches line ends) and `x` (blanks do not count) |
//! | `$size` | with an integer from 0 |
//! | `$elemMatch` | with a filter; operators that stand in it without a field are of the element itself |
//! | `$not` | in a field, with operators; beside fields, with a filter |
//! | `$and $or $nor` | with an array of filters |
//! | `$field` | with `{"keys": [..], "matches": {..}}`: a path of which a key has a dot in it or begins with `$`, and operators |
//!
//! What matches is what the table above says, not MongoDB: `{"a": null}` does not match a missing field, and `{"tags": "x"}`
//! no array with the element `x`, for which there is `$contains`.
//!
//! [`Value`]: crate::Value
//! [`Value::comparable`]: crate::Value::comparable

mod display;
mod evaluate;
mod field;
mod json;
mod pattern;
mod predicate;
mod raw;
mod stored;
mod through_serde;
mod type_name;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub(crate) use display::{Literal, Quoted};
pub use field::{Field, element, field};
pub(crate) use json::element_filter;
pub use pattern::{Pattern, Regex};
pub use predicate::Predicate;
pub use type_name::TypeName;

use std::ops::Not;

use crate::error::{Error, Result};
use crate::limits::FILTER_DEPTH_MAX;
use crate::path::Path;

/// A condition on documents. The [module](self) says what matches.
///
/// ```
/// use blaze_core::{Document, Value, field};
///
/// let filter = field("year").ge(2015).and(field("genres").contains("Drama"));
/// let film = Document::new().with("year", 2016).with("genres", vec![Value::from("Drama")]);
/// assert!(filter.matches(&film));
/// assert_eq!(filter.to_string(), r#"year >= 2015 and genres contains "Drama""#);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// All parts match; with no part, everything does.
    And(Vec<Filter>),
    /// At least one part matches; with no part, nothing does.
    Or(Vec<Filter>),
    /// No part matches.
    Nor(Vec<Filter>),
    /// The part does not match.
    Not(Box<Filter>),
    /// The predicate holds for a value that the path reaches.
    Field(Path, Predicate),
}

impl Filter {
    /// The filter that every document matches.
    #[must_use]
    pub fn everything() -> Filter {
        Filter::And(Vec::new())
    }

    /// Both filters match. A chain of these stays one level deep.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::And(mut terms), Filter::And(more)) => {
                terms.extend(more);
                Filter::And(terms)
            }
            (Filter::And(mut terms), term) => {
                terms.push(term);
                Filter::And(terms)
            }
            (term, Filter::And(mut terms)) => {
                terms.insert(0, term);
                Filter::And(terms)
            }
            (left, right) => Filter::And(vec![left, right]),
        }
    }

    /// One of the filters matches, or both. A chain of these stays one level deep.
    #[must_use]
    pub fn or(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::Or(mut terms), Filter::Or(more)) => {
                terms.extend(more);
                Filter::Or(terms)
            }
            (Filter::Or(mut terms), term) => {
                terms.push(term);
                Filter::Or(terms)
            }
            (term, Filter::Or(mut terms)) => {
                terms.insert(0, term);
                Filter::Or(terms)
            }
            (left, right) => Filter::Or(vec![left, right]),
        }
    }

    /// Neither filter matches.
    #[must_use]
    pub fn nor(self, other: Filter) -> Filter {
        Filter::Nor(vec![self, other])
    }

    /// The terms that every matching document satisfies: what a planner can look up in an index.
    ///
    /// Parts of `or`, `nor` and `not` are not among them. Two terms on one path may be satisfied by different values
    /// where the path fans out, so their ranges must not be intersected there.
    pub fn conjuncts(&self) -> impl Iterator<Item = (&Path, &Predicate)> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            while let Some(filter) = pending.pop() {
                match filter {
                    Filter::And(terms) => pending.extend(terms.iter().rev()),
                    Filter::Field(path, predicate) => return Some((path, predicate)),
                    Filter::Or(_) | Filter::Nor(_) | Filter::Not(_) => {}
                }
            }
            None
        })
    }

    /// Checks everything that the builders accepted unseen: paths, patterns, depth and the nesting of values.
    ///
    /// A filter that is not valid can be evaluated without harm, but the answer means nothing.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn validate(&self) -> Result<()> {
        self.validate_at(0, false)
    }

    /// As [`validate`](Filter::validate), for a filter on the elements of an array.
    pub(crate) fn validate_on_elements(&self) -> Result<()> {
        self.validate_at(0, true)
    }

    /// `depth` counts the levels above; in an element, the empty path names the element itself.
    fn validate_at(&self, depth: usize, in_element: bool) -> Result<()> {
        if depth > FILTER_DEPTH_MAX {
            return Err(Error::limit_exceeded(format!(
                "filter has more than {FILTER_DEPTH_MAX} levels of and, or, not and elem_match"
            )));
        }
        match self {
            Filter::And(terms) | Filter::Or(terms) | Filter::Nor(terms) => {
                terms.iter().try_for_each(|term| term.validate_at(depth + 1, in_element))
            }
            Filter::Not(term) => term.validate_at(depth + 1, in_element),
            Filter::Field(path, predicate) => {
                if !(in_element && path.segments().is_empty()) {
                    path.validate().map_err(|error| error.context(format!("filter operator {}", predicate.name())))?;
                }
                match predicate {
                    Predicate::ElemMatch(filter) => filter.validate_at(depth + 1, true),
                    _ => predicate.validate().map_err(|error| error.context(format!("filter term {self}"))),
                }
            }
        }
    }
}

impl Not for Filter {
    type Output = Filter;

    /// The filter that matches exactly the other documents; a double negation cancels out.
    fn not(self) -> Filter {
        match self {
            Filter::Not(filter) => *filter,
            filter => Filter::Not(Box::new(filter)),
        }
    }
}
