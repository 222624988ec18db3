//! Stores of documents, and the questions that all of them are asked.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Durability;
use crate::Result;

/// An open store of documents: one collection, from strings to JSON objects. Several threads use it at once.
pub trait Documents: Send + Sync {
    /// Inserts many documents into the empty store, in the way the product recommends for that, and makes them durable.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, documents: &mut dyn Iterator<Item = (String, Map<String, Json>)>) -> Result<()>;

    /// Inserts a document; fails when the id is taken.
    ///
    /// # Errors
    /// Those of the product.
    fn create(&self, id: &str, document: &Map<String, Json>, durability: Durability) -> Result<()>;

    /// Reads a whole document and decodes it.
    ///
    /// # Errors
    /// Those of the product.
    fn read(&self, id: &str) -> Result<Option<Map<String, Json>>>;

    /// Replaces a document; says whether it was there.
    ///
    /// # Errors
    /// Those of the product.
    fn update(&self, id: &str, document: &Map<String, Json>, durability: Durability) -> Result<bool>;

    /// Removes a document; says whether it was there.
    ///
    /// # Errors
    /// Those of the product.
    fn delete(&self, id: &str, durability: Durability) -> Result<bool>;

    /// Builds an index on a path, one that queries on it use; `elements` when each element of an array is to be found.
    /// False where the product cannot index what the documents hold there, because it is too large for one.
    ///
    /// # Errors
    /// Those of the product.
    fn create_index(&self, path: &str, elements: bool) -> Result<bool>;

    /// Decodes each document that `find` asks for and visits it with its id.
    ///
    /// # Errors
    /// Those of the product.
    fn find(&self, find: &Find, visit: &mut dyn FnMut(&str, &Map<String, Json>)) -> Result<()>;

    /// How many documents match, as the product counts best; `sort`, `skip` and `limit` do not matter.
    ///
    /// # Errors
    /// Those of the product.
    fn count(&self, find: &Find) -> Result<u64>;

    /// Waits until no work of earlier writes is left to the background, so that the next measurement starts level.
    ///
    /// # Errors
    /// Those of the product.
    fn settle(&self) -> Result<()>;
}

/// A question: conditions that must all hold, an order, a window. A line of a query file is one of these in JSON.
///
/// ```
/// use blaze_bench::engine::{Find, Operator};
///
/// let find: Find = serde_json::from_str(
///     r#"{"where": [{"path": "year", "is": "ge", "value": 2015}], "sort": {"path": "title"}, "limit": 20}"#,
/// )?;
/// assert_eq!((find.conditions[0].is, find.limit), (Operator::Ge, Some(20)));
/// assert_eq!(find.to_string(), "year >= 2015, by title, limit 20");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// All of them hold.
    #[serde(rename = "where", default)]
    pub conditions: Vec<Condition>,
    /// The order; any without it. Documents that are equal in it come in any order.
    #[serde(default)]
    pub sort: Option<Sort>,
    /// Documents left out at the beginning.
    #[serde(default)]
    pub skip: usize,
    /// The most documents.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A condition on the value at a path.
///
/// The parts of a path are separated by dots: keys of objects, and numbers for elements of arrays. A path does not lead
/// into every element of an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where the value is.
    pub path: String,
    /// How it compares.
    pub is: Operator,
    /// With what: a number or a string.
    pub value: Json,
    /// Whether documents hold booleans, arrays or objects at the path, too, which some products take for numbers and
    /// strings. An application knows that of its data; the workload finds it out, a query file does not say it.
    #[serde(skip)]
    pub mixed: bool,
}

/// How a value compares. Values of another type never match, nor does what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Equal.
    Eq,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// An array with an element that is equal.
    Contains,
}

/// An order by one field, which holds numbers, strings, null or nothing: null and nothing are first, then numbers, then
/// strings by their bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sort {
    /// Where the value is.
    pub path: String,
    /// From the greatest.
    #[serde(default)]
    pub descending: bool,
}

impl Condition {
    /// A condition on values of one type.
    pub fn new(path: impl Into<String>, is: Operator, value: impl Into<Json>) -> Condition {
        Condition { path: path.into(), is, value: value.into(), mixed: false }
    }
}

impl Find {
    /// Everything that satisfies one more condition.
    #[must_use]
    pub fn and(mut self, path: &str, is: Operator, value: impl Into<Json>) -> Find {
        self.conditions.push(Condition::new(path, is, value));
        self
    }

    /// In the order of a path.
    #[must_use]
    pub fn by(mut self, path: &str, descending: bool) -> Find {
        self.sort = Some(Sort { path: path.to_owned(), descending });
        self
    }

    /// A window of the answer.
    #[must_use]
    pub fn window(mut self, skip: usize, limit: usize) -> Find {
        (self.skip, self.limit) = (skip, Some(limit));
        self
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Eq => "=",
            Operator::Lt => "<",
            Operator::Le => "<=",
            Operator::Gt => ">",
            Operator::Ge => ">=",
            Operator::Contains => "contains",
        })
    }
}

impl fmt::Display for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = |Condition { path, is, value, .. }: &Condition| format!("{path} {is} {value}");
        let conditions: Vec<String> = self.conditions.iter().map(condition).collect();
        f.write_str(if conditions.is_empty() { "all" } else { "" })?;
        f.write_str(&conditions.join(" and "))?;
        if let Some(Sort { path, descending }) = &self.sort {
            write!(f, ", by {path}{}", if *descending { " descending" } else { "" })?;
        }
        if self.skip > 0 {
            write!(f, ", skip {}", self.skip)?;
        }
        match self.limit {
            Some(limit) => write!(f, ", limit {limit}"),
            None => Ok(()),
        }
    }
}
