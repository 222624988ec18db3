//! Indexes of vectors.

use crate::Result;
use crate::dataset::Matrix;

/// An open index of vectors by Euclidean distance. The id of a vector is the number of its row.
pub trait Vectors: Send + Sync {
    /// Adds every row of `vectors` to the empty index and makes it ready to search; calls `progress` with the rows done.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, vectors: &Matrix, progress: &mut dyn FnMut(u64)) -> Result<()>;

    /// How hard a search may try, from the fastest to the most thorough; `ef` of a graph, for one. A single 0 for an
    /// index that is exact.
    fn efforts(&self) -> Vec<usize>;

    /// The ids of the `k` nearest vectors, nearest first.
    ///
    /// # Errors
    /// Those of the product.
    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>>;
}
