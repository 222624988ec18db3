//! A collection of JSON objects of which only one thing is asked: how much space it takes.

use serde_json::{Map, Value as Json};

use crate::Result;

/// An open collection of JSON objects by number.
pub trait Archive: Send + Sync {
    /// Inserts objects into the empty collection and sees to it that it has its indexes, in the way the product recommends
    /// for that; durable when it returns.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, objects: &mut dyn Iterator<Item = (i64, Map<String, Json>)>, indexes: &[ArchiveIndex])
    -> Result<()>;

    /// Reads an object by its number.
    ///
    /// # Errors
    /// Those of the product.
    fn get(&self, id: i64) -> Result<Option<Map<String, Json>>>;

    /// How many objects have this string or integer at a path, by the index on it.
    ///
    /// # Errors
    /// Those of the product.
    fn count(&self, path: &str, value: &Json) -> Result<u64>;

    /// Makes the files as small as the product can, and waits until they are.
    ///
    /// # Errors
    /// Those of the product.
    fn compact(&self) -> Result<()>;

    /// Closes it in order; whatever the product does then to its files is done when this returns.
    ///
    /// # Errors
    /// Those of the product.
    fn close(self: Box<Self>) -> Result<()>;
}

/// An index on a path, whose parts are separated by dots: keys of objects, and numbers for elements of arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveIndex {
    /// Where the values are.
    pub path: &'static str,
    /// No two objects have the same value.
    pub unique: bool,
}
