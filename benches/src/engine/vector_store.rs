//! Vectors in the documents of a database, as an application writes them: one by one, durably.

use crate::Result;
use crate::dataset::Matrix;

/// Where a vector goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A collection with an index of vectors.
    Indexed,
    /// One without.
    Plain,
}

/// An open database with two collections of vectors, only one of which has an index of them, and a collection of something
/// else. Every commit is durable when it returns.
pub trait VectorStore: Send + Sync {
    /// Adds vectors below the ids from `first` on, in the way the product recommends for many.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, place: Place, first: u64, vectors: &Matrix) -> Result<()>;

    /// Inserts vectors below the ids from `first` on, in one transaction.
    ///
    /// # Errors
    /// Those of the product.
    fn insert(&self, place: Place, first: u64, vectors: &Matrix) -> Result<()>;

    /// Inserts a small document into the collection of something else.
    ///
    /// # Errors
    /// Those of the product.
    fn insert_other(&self, number: u64) -> Result<()>;

    /// The ids of the `k` nearest vectors in the collection with the index, as the product searches by default.
    ///
    /// # Errors
    /// Those of the product.
    fn nearest(&self, query: &[f32], k: usize) -> Result<Vec<u64>>;

    /// The same, but that every vector is compared.
    ///
    /// # Errors
    /// Those of the product.
    fn nearest_exactly(&self, query: &[f32], k: usize) -> Result<Vec<u64>>;

    /// Waits until no work of earlier writes is left to the background.
    ///
    /// # Errors
    /// Those of the product.
    fn settle(&self) -> Result<()>;
}
