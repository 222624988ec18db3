//! How far the embedding of a collection's texts has come.

use blaze_core::Result;

use super::Collection;
use crate::embedding::{self, EmbeddingStatus};

impl<T> Collection<T> {
    /// How far an index that [embeds](crate::Index::embed_from) has come, as it is committed. Takes time linear in the documents
    /// that are not embedded.
    ///
    /// ```
    /// use blaze::{Database, Document, Embedder, ErrorKind, Index, Result};
    ///
    /// struct Unreachable;
    ///
    /// impl Embedder for Unreachable {
    ///     fn model(&self) -> &str {
    ///         "remote-v1"
    ///     }
    ///
    ///     fn embed(&self, _texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    ///         Err(blaze::Error::unavailable("no answer from the server"))
    ///     }
    /// }
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 384).embed_from(["title"], Unreachable))?;
    /// films.insert(&Document::new().with("title", "Solaris"))?;
    /// db.settle()?;
    /// let status = films.embedding_status("embedding")?;
    /// assert_eq!((status.pending, status.failed, status.parked), (1, 1, 0));
    /// assert_eq!(status.last_error.as_deref(), Some("no answer from the server"));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no index of this name; [`Invalid`](crate::ErrorKind::Invalid) when it
    /// embeds nothing; else as [`count`](Collection::count).
    pub fn embedding_status(&self, index: &str) -> Result<EmbeddingStatus> {
        let status = self.read(|session, definition| embedding::status(session, definition, index));
        status.map_err(|error| error.context(format!("collection {:?}", self.name())))
    }
}
