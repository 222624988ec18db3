//! The indexes of a collection.

use blaze_core::Result;

use super::Collection;
use crate::catalog::{self, Kind};
use crate::index::{self, Index, IndexInfo, IndexProgress};

impl<T> Collection<T> {
    /// Builds an index unless it is there already, complete; see [`Index`].
    ///
    /// Other threads may go on reading and writing meanwhile. When the call is cut short by the end of the process,
    /// the next one completes the index.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the index is not well-formed, when another one has its name, in a
    /// transaction that is not serializable, or when a document does not fit it (a vector of another dimension, say): then there is no index;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded); else as [`insert`](Collection::insert).
    pub fn ensure_index(&self, index: Index) -> Result<()> {
        self.ensure_index_with(index, |_| {})
    }

    /// As [`ensure_index`](Collection::ensure_index), telling how far it has come.
    ///
    /// # Errors
    /// As [`ensure_index`](Collection::ensure_index).
    pub fn ensure_index_with(&self, index: Index, mut progress: impl FnMut(IndexProgress)) -> Result<()> {
        index::ensure(&self.scope, self.name(), &index, &mut progress)
            .map_err(|error| error.context(format!("collection {:?}", self.name())))
    }

    /// Removes an index in one commit of constant size; says whether it was there. Most of its space goes back right after
    /// that commit, or after that of the transaction, unless someone reads an older view; after a crash the next opening
    /// sees to it.
    ///
    /// # Errors
    /// As [`insert`](Collection::insert).
    pub fn drop_index(&self, name: &str) -> Result<bool> {
        index::remove(&self.scope, self.name(), name)
    }

    /// All indexes, in the order of their making.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn indexes(&self) -> Result<Vec<IndexInfo>> {
        // Looks it up, as it reads nothing else that would tell that the handle is closed.
        self.scope.read(|session| {
            let definition = catalog::get(session, self.name(), Kind::Collection)?;
            Ok(definition.indexes.iter().map(|index| index.info()).collect())
        })
    }
}
