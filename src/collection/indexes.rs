//! The indexes of a collection: building, renaming and removing them.

use std::ops::ControlFlow;

use blaze_core::{Error, ErrorKind, Result};

use super::Collection;
use crate::catalog::{self, Kind};
use crate::database::index_bytes_used;
use crate::index::{self, Index, IndexDefinition, IndexInfo, IndexProgress};

impl<T> Collection<T> {
    /// Builds an index unless it is there already, complete; see [`Index`].
    ///
    /// Other threads may go on reading and writing meanwhile; what they write to a unique index is checked against what it has
    /// by then. When the call is cut short by the end of the process, the next one goes on from there.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the index is not well-formed, when another one has its name, in a
    /// transaction that is not serializable, or when a document does not fit it (a vector of another dimension, say);
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when two documents have the same values in a unique one;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded); in these cases there is no index then. Else as
    /// [`insert`](Collection::insert).
    pub fn ensure_index(&self, index: Index) -> Result<()> {
        self.ensure_index_with(index, |_| ControlFlow::Continue(()))
    }

    /// As [`ensure_index`](Collection::ensure_index), telling how far it has come. With [`ControlFlow::Break`] it ends and
    /// there is no index, not even one that an earlier call had begun. In a transaction, what `progress` writes to that
    /// transaction from its own thread, which is waiting for it, is refused as [`Invalid`](crate::ErrorKind::Invalid).
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use blaze::{Database, Document, ErrorKind, Index};
    ///
    /// let db = Database::temporary()?;
    /// let numbers = db.collection::<Document>("numbers")?;
    /// numbers.bulk().insert((0..3_000).map(|n| Document::new().with("n", n)))?;
    /// let stopped = numbers.ensure_index_with(Index::on("n"), |progress| {
    ///     let percent = progress.expected.map(|expected| 100 * progress.documents / expected.max(1));
    ///     if percent < Some(60) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    /// });
    /// assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    /// assert!(numbers.indexes()?.is_empty());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ensure_index`](Collection::ensure_index), and [`Cancelled`](crate::ErrorKind::Cancelled) when `progress` asked for
    /// it.
    pub fn ensure_index_with(
        &self,
        index: Index,
        mut progress: impl FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        index::ensure(&self.scope, self.name(), &index, &mut progress)
            .map_err(|error| error.context(format!("collection {:?}", self.name())))
    }

    /// Builds another index beside the one of this name, which goes on to answer, and puts it in its place in one commit: an
    /// index on vectors of another model or in another precision, say, or on other fields. Any kind may follow any other.
    ///
    /// Until then both are kept up to date, so that a document which does not fit the new one is refused. When the call is cut
    /// short by the end of the process, the next one with the same index goes on from there; one with another index begins
    /// anew. Nothing is done if the index is that one already. [`indexes`](Collection::indexes) tells what is being built. An
    /// index on vectors takes its place with its graph, so that searches are as fast before as after: meanwhile there are two. In
    /// a transaction, which nobody else sees before it is committed, the graph is made after it.
    ///
    /// ```
    /// use blaze::{Copies, Database, Document, Index, Vector};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("old", 2).model("v1").named("embedding"))?;
    /// let vectors = Document::new().with("old", Vector::F32(vec![1.0, 0.0])).with("new", Vector::F32(vec![0.0, 1.0, 0.0]));
    /// films.insert(&vectors)?;
    /// films.replace_index("embedding", Index::vector("new", 3).model("v2").copies(Copies::F16))?;
    /// assert_eq!(films.indexes()?[0].definition, "new (3, cosine, model \"v2\", copies in f16)");
    /// assert_eq!(films.search().nearest("new", &[0.0, 1.0, 0.0]).index("embedding").run()?.len(), 1);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no index of this name, or when it is dropped meanwhile;
    /// [`Invalid`](crate::ErrorKind::Invalid) when the new one has another name; else as
    /// [`ensure_index`](Collection::ensure_index): the old index is then what it was.
    pub fn replace_index(&self, name: &str, index: Index) -> Result<()> {
        self.replace_index_with(name, index, |_| ControlFlow::Continue(()))
    }

    /// As [`replace_index`](Collection::replace_index), telling how far it has come. With [`ControlFlow::Break`] it ends, and
    /// the old index is what it was.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use blaze::{Database, Document, ErrorKind, Index};
    ///
    /// let db = Database::temporary()?;
    /// let numbers = db.collection::<Document>("numbers")?;
    /// numbers.ensure_index(Index::on("n"))?;
    /// numbers.bulk().insert((0..3_000).map(|n| Document::new().with("n", n)))?;
    /// let stopped = numbers.replace_index_with("n", Index::on("n").unique(), |_| ControlFlow::Break(()));
    /// assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    /// assert!(!numbers.indexes()?[0].unique && numbers.indexes()?[0].replacement.is_none());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`replace_index`](Collection::replace_index), and [`Cancelled`](crate::ErrorKind::Cancelled) when `progress` asked
    /// for it.
    pub fn replace_index_with(
        &self,
        name: &str,
        index: Index,
        mut progress: impl FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        index::replace(&self.scope, self.name(), name, &index, &mut progress)
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

    /// Gives an index another name, in one commit: its entries stay as they are.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::on("year"))?;
    /// films.rename_index("year", "by year")?;
    /// assert_eq!(films.indexes()?[0].name, "by year");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no index `from`;
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is another one named `to`;
    /// [`Invalid`](crate::ErrorKind::Invalid) and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a name that is empty
    /// or too long; else as [`insert`](Collection::insert).
    pub fn rename_index(&self, from: &str, to: &str) -> Result<()> {
        let renamed = self.scope.write(|session| index::rename(session, self.name(), from, to));
        renamed.map_err(|error| error.context(format!("collection {:?}", self.name())))
    }

    /// All indexes, in the order of their making.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn indexes(&self) -> Result<Vec<IndexInfo>> {
        // Looks it up, as it reads nothing else that would tell that the handle is closed.
        self.scope.read(|session| {
            let definition = catalog::get(session, self.name(), Kind::Collection)?;
            let info = |index: &IndexDefinition| {
                let is_its = |other: &&IndexDefinition| other.replaces() && other.name == index.name;
                let replacement = definition.indexes.iter().find(is_its).map(IndexDefinition::describe);
                index.info(index_bytes_used(session, index)?, replacement)
            };
            definition.indexes.iter().filter(|index| !index.replaces()).map(info).collect()
        })
    }

    /// Says of two documents with the same values which collection they are of.
    pub(super) fn name_duplicate(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::AlreadyExists => error.context(format!("collection {:?}", self.name())),
            _ => error,
        }
    }
}
