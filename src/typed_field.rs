//! Typed field names, which `#[derive(Document)]` makes.

use std::fmt;
use std::marker::PhantomData;

use blaze_core::filter::{Field, Pattern, Regex};
use blaze_core::{DocumentId, Filter, ID_FIELD, Path, Uuid, Value, field};

/// The name of the stored field of type `V` in documents of type `T`: [`field`] with the compiler's help.
///
/// `#[derive(Document)]` gives a struct one for each of its fields, in the constant `FIELDS`. Its methods make the terms
/// of a [`Filter`]; they take values that convert to the field's type, and exist where that type converts to a
/// [`Value`]. For a type of your own, an enum for example, implement `From<YourType> for Value` as serde writes it.
///
/// ```
/// use blaze::{TypedField, field};
///
/// struct Movie;
/// const YEAR: TypedField<Movie, i32> = TypedField::new("year");
/// const GENRES: TypedField<Movie, Vec<String>> = TypedField::new("genres");
///
/// let filter = YEAR.ge(2015).and(GENRES.contains("Drama"));
/// assert_eq!(filter, field("year").ge(2015).and(field("genres").contains("Drama")));
/// ```
///
/// ```compile_fail
/// # use blaze::TypedField;
/// # const YEAR: TypedField<(), i32> = TypedField::new("year");
/// let filter = YEAR.ge("2015"); // a string is no year
/// ```
pub struct TypedField<T, V> {
    name: &'static str,
    types: PhantomData<fn(T) -> V>, // a name is Copy, Send and Sync whatever the types are
}

/// Types of fields that hold items of which a filter can ask for one.
pub trait Contains {
    /// What is asked for: the element of a list, a part of a string.
    type Item: Into<Value>;
}

impl Contains for String {
    type Item = String;
}

impl<E: Into<Value>> Contains for Vec<E> {
    type Item = E;
}

impl<V: Contains> Contains for Option<V> {
    type Item = V::Item;
}

/// Types of fields that hold a string.
pub trait Text {}

impl Text for String {}
impl Text for Option<String> {}

/// Types of fields that can be the id of a document: `#[blaze(id)]`.
///
/// An automatic id is a [`Uuid`], so that only an option of that or of any id stands for one that is yet to come.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize, blaze::Document)]
/// struct Event {
///     #[blaze(id)]
///     #[serde(rename = "_id")]
///     id: Option<blaze::Uuid>,
/// }
/// ```
///
/// ```compile_fail
/// #[derive(serde::Serialize, serde::Deserialize, blaze::Document)]
/// struct Event {
///     #[blaze(id)]
///     #[serde(rename = "_id")]
///     id: f64, // cannot be the id of a document
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a document",
    note = "an id is an integer, a String, a Uuid, a Vec<u8> or a DocumentId; one that is automatic where it is None is an \
            Option<Uuid> or an Option<DocumentId>"
)]
pub trait IdField {}

macro_rules! id_fields {
    ($($type:ty),* $(,)?) => {
        $(impl IdField for $type {})*
    };
}

id_fields! {
    String, Uuid, Vec<u8>, DocumentId, Option<Uuid>, Option<DocumentId>,
    i8, i16, i32, i64, u8, u16, u32, u64, usize,
}

impl<T, V: IdField> TypedField<T, V> {
    /// The field that is the id of its document, `_id`.
    #[must_use]
    pub const fn of_id() -> TypedField<T, V> {
        TypedField::new(ID_FIELD)
    }
}

impl<T, V> TypedField<T, V> {
    /// The field stored under `name`, a single key that may contain dots.
    #[must_use]
    pub const fn new(name: &'static str) -> TypedField<T, V> {
        TypedField { name, types: PhantomData }
    }

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The path of the field.
    #[must_use]
    pub fn path(self) -> Path {
        Path::from_keys([self.name])
    }

    /// The field without its types, for all that [`field`] offers.
    #[must_use]
    pub fn untyped(self) -> Field {
        field(self.path())
    }

    /// There, be it null (`true`), or missing (`false`).
    #[must_use]
    pub fn exists(self, exists: bool) -> Filter {
        self.untyped().exists(exists)
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(self, value: impl Into<V>) -> Filter {
                self.untyped().$name(value.into())
            }
        )*
    };
}

impl<T, V: Into<Value>> TypedField<T, V> {
    comparisons! {
        /// Equal to `value`.
        eq,
        /// Not equal to `value`, or missing.
        ne,
        /// Below `value`.
        lt,
        /// Below or equal to `value`.
        le,
        /// Above `value`.
        gt,
        /// Above or equal to `value`.
        ge,
    }

    /// From `low` to `high`, both included.
    #[must_use]
    pub fn between(self, low: impl Into<V>, high: impl Into<V>) -> Filter {
        self.untyped().between(low.into(), high.into())
    }

    /// Equal to one of `values`.
    #[must_use]
    pub fn is_in<I: Into<V>>(self, values: impl IntoIterator<Item = I>) -> Filter {
        self.untyped().is_in(values.into_iter().map(Into::into))
    }

    /// Equal to none of `values`, or missing.
    #[must_use]
    pub fn not_in<I: Into<V>>(self, values: impl IntoIterator<Item = I>) -> Filter {
        self.untyped().not_in(values.into_iter().map(Into::into))
    }
}

impl<T, V: Contains> TypedField<T, V> {
    /// A list with the element `item`, or a string with the substring `item`.
    #[must_use]
    pub fn contains(self, item: impl Into<V::Item>) -> Filter {
        self.untyped().contains(item.into())
    }
}

impl<T, V: Text> TypedField<T, V> {
    /// A string that begins with `prefix`.
    #[must_use]
    pub fn starts_with(self, prefix: impl Into<String>) -> Filter {
        self.untyped().starts_with(prefix)
    }

    /// A string that matches `pattern`, see [`Pattern`].
    #[must_use]
    pub fn like(self, pattern: impl Into<Pattern>) -> Filter {
        self.untyped().like(pattern)
    }

    /// A string of which a part matches `regex`, see [`Regex`].
    #[must_use]
    pub fn regex(self, regex: impl Into<Regex>) -> Filter {
        self.untyped().regex(regex)
    }
}

impl<T, V> Clone for TypedField<T, V> {
    fn clone(&self) -> TypedField<T, V> {
        *self
    }
}

impl<T, V> Copy for TypedField<T, V> {}

impl<T, V> fmt::Debug for TypedField<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedField").field(&self.name).finish()
    }
}

impl<T, V> From<TypedField<T, V>> for Path {
    fn from(field: TypedField<T, V>) -> Path {
        field.path()
    }
}
