//! How a filter is written down: `field("year").ge(2015)`.

use super::{Filter, Pattern, Predicate, Regex, TypeName};
use crate::path::Path;
use crate::value::Value;

/// A field that a filter speaks of; its methods make the terms. Made by [`field`] and [`element`].
#[derive(Clone, Debug)]
pub struct Field {
    path: Path,
}

/// The field at `path`.
///
/// ```
/// use blaze_core::field;
///
/// let filter = field("author.name").starts_with("Le").or(!field("year").is_in([1961, 1972]));
/// assert_eq!(filter.to_string(), r#"author.name starts_with "Le" or not year in [1961, 1972]"#);
/// ```
pub fn field(path: impl Into<Path>) -> Field {
    Field { path: path.into() }
}

/// The element itself, in the filter of an [`elem_match`](Field::elem_match): for arrays of other things than maps.
///
/// ```
/// use blaze_core::filter::{element, field};
/// use blaze_core::{Document, Value};
///
/// let filter = field("scores").elem_match(element().ge(80).and(element().lt(85)));
/// let scores = |scores: [i64; 2]| Document::new().with("scores", scores.map(Value::from).to_vec());
/// assert!(filter.matches(&scores([70, 84])));
/// assert!(!filter.matches(&scores([70, 90])));
/// ```
#[must_use]
pub fn element() -> Field {
    Field { path: Path::from_keys::<String>([]) }
}

macro_rules! value_operators {
    ($($(#[$doc:meta])* $name:ident => $predicate:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(self, value: impl Into<Value>) -> Filter {
                self.term(Predicate::$predicate(value.into()))
            }
        )*
    };
}

macro_rules! list_operators {
    ($($(#[$doc:meta])* $name:ident => $predicate:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Filter {
                self.term(Predicate::$predicate(values.into_iter().map(Into::into).collect()))
            }
        )*
    };
}

impl Field {
    value_operators! {
        /// Equal to `value`.
        eq => Eq,
        /// Not equal to `value`, or missing.
        ne => Ne,
        /// Below `value`.
        lt => Lt,
        /// Below or equal to `value`.
        le => Le,
        /// Above `value`.
        gt => Gt,
        /// Above or equal to `value`.
        ge => Ge,
        /// An array with the element `value`, or a string with the substring `value`.
        contains => Contains,
    }

    list_operators! {
        /// Equal to one of `values`: the operator `in`.
        is_in => In,
        /// Equal to none of `values`, or missing: the operator `nin`.
        not_in => Nin,
        /// An array with all of `values`.
        all => All,
    }

    /// From `low` to `high`, both included.
    #[must_use]
    pub fn between(self, low: impl Into<Value>, high: impl Into<Value>) -> Filter {
        self.term(Predicate::Between(low.into(), high.into()))
    }

    /// There, be it null (`true`), or missing (`false`).
    #[must_use]
    pub fn exists(self, exists: bool) -> Filter {
        self.term(Predicate::Exists(exists))
    }

    /// Of the type `name`: the operator `type`.
    #[must_use]
    pub fn has_type(self, name: TypeName) -> Filter {
        self.term(Predicate::Type(name))
    }

    /// A string that begins with `prefix`.
    #[must_use]
    pub fn starts_with(self, prefix: impl Into<String>) -> Filter {
        self.term(Predicate::StartsWith(prefix.into()))
    }

    /// A string that matches `pattern`, see [`Pattern`].
    #[must_use]
    pub fn like(self, pattern: impl Into<Pattern>) -> Filter {
        self.term(Predicate::Like(pattern.into()))
    }

    /// A string of which a part matches `regex`, see [`Regex`].
    #[must_use]
    pub fn regex(self, regex: impl Into<Regex>) -> Filter {
        self.term(Predicate::Regex(regex.into()))
    }

    /// An array of `length` elements.
    #[must_use]
    pub fn size(self, length: usize) -> Filter {
        self.term(Predicate::Size(length))
    }

    /// An array of which one element matches the whole of `filter`; see [`element`] for arrays of scalars.
    #[must_use]
    pub fn elem_match(self, filter: Filter) -> Filter {
        self.term(Predicate::ElemMatch(Box::new(filter)))
    }

    fn term(self, predicate: Predicate) -> Filter {
        Filter::Field(self.path, predicate)
    }
}
