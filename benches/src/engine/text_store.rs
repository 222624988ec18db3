//! Texts in the documents of a database, as an application writes them: one by one, durably.

use crate::Result;
use crate::dataset::text::TextSet;

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPlace {
    /// A collection without an index of texts.
    Plain,
    /// One with few texts in its index.
    Small,
    /// One with many.
    Large,
}

/// An open database with three collections of texts, two of which have an index of them. Every commit is durable when it
/// returns.
pub trait TextStore: Send + Sync {
    /// Adds the first `rows` texts to an empty collection, in the way the product recommends for many, and waits until no
    /// work is left.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, place: TextPlace, texts: &TextSet, rows: u64) -> Result<()>;

    /// Inserts one text below a new id, with its index in the same transaction where there is one.
    ///
    /// # Errors
    /// Those of the product.
    fn insert(&self, place: TextPlace, id: u64, text: &str) -> Result<()>;

    /// How many texts of a collection with an index have a word, by that index.
    ///
    /// # Errors
    /// Those of the product.
    fn count(&self, place: TextPlace, word: &str) -> Result<u64>;
}
