//! How a collection is loaded.

use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::limits::LOAD_MEMORY_BYTES_MIN;
use blaze_core::{Error, Result};

use super::collection::{CollectionLoader, LoadProgress, Progress};
use super::target::Target;
use crate::database::core::Core;
use crate::index::Index;

/// Bytes that are sorted in memory, unless said otherwise.
const MEMORY_BYTES: usize = 64 * 1024 * 1024;

/// How a collection is to be loaded; see [`Database::load_collection`](crate::Database::load_collection).
#[must_use = "nothing is loaded before begin"]
pub struct CollectionLoad<'a, T> {
    core: Arc<Core>,
    name: String,
    indexes: Vec<Index>,
    replaces: bool,
    memory_bytes: usize,
    progress: Progress<'a>,
    documents: PhantomData<fn(T)>,
}

impl<'a, T> CollectionLoad<'a, T> {
    pub(crate) fn new(core: &Arc<Core>, name: &str) -> CollectionLoad<'a, T> {
        CollectionLoad {
            core: Arc::clone(core),
            name: name.to_owned(),
            indexes: Vec::new(),
            replaces: false,
            memory_bytes: MEMORY_BYTES,
            progress: Box::new(|_| ControlFlow::Continue(())),
            documents: PhantomData,
        }
    }

    /// Has the collection have an index, complete when the load is finished. Those that a collection of this name has
    /// already need not be named: they are loaded, too.
    pub fn ensure_index(mut self, index: Index) -> CollectionLoad<'a, T> {
        self.indexes.push(index);
        self
    }

    /// Allows a collection of this name to have documents: the one commit that shows the new ones removes the old ones.
    ///
    /// Readers of older views go on to see those. What was set for the collection stays set, but its history and its change
    /// feed begin anew with that commit: a reader of the feed is told `FeedTruncated`, and reads the collection again.
    pub fn replace(mut self) -> CollectionLoad<'a, T> {
        self.replaces = true;
        self
    }

    /// Bytes of documents and index entries that are sorted in memory, about; 64 MiB by default, at least 64 KiB. What is
    /// more goes to temporary files, so that much more memory makes a load faster than that. A database in memory sorts
    /// there all that is loaded.
    pub fn memory_bytes(mut self, bytes: usize) -> CollectionLoad<'a, T> {
        self.memory_bytes = bytes;
        self
    }

    /// Called now and then, while documents are taken in and while they are written. With [`ControlFlow::Break`] the load
    /// ends with [`Cancelled`](crate::ErrorKind::Cancelled) and leaves nothing.
    pub fn progress(
        mut self,
        progress: impl FnMut(LoadProgress) -> ControlFlow<()> + Send + 'a,
    ) -> CollectionLoad<'a, T> {
        self.progress = Box::new(progress);
        self
    }

    /// Begins the load.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when the collection has documents and is not to be
    /// [replaced](CollectionLoad::replace); [`Invalid`](crate::ErrorKind::Invalid) when the name is empty or that of a
    /// keyspace or object store, an index is not well-formed or another one has its name, the memory is below
    /// [`LOAD_MEMORY_BYTES_MIN`](crate::limits::LOAD_MEMORY_BYTES_MIN), or the database is open read-only;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the name is too long or there are too many indexes;
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn begin(self) -> Result<CollectionLoader<'a, T>> {
        if self.memory_bytes < LOAD_MEMORY_BYTES_MIN {
            return Err(Error::invalid(format!(
                "a load would sort in {} bytes of memory, at least {LOAD_MEMORY_BYTES_MIN} are needed",
                self.memory_bytes
            )));
        }
        let target = Target::begin(&self.core, &self.name, self.replaces, &self.indexes)?;
        CollectionLoader::begin(&self.core, target, self.memory_bytes, self.progress)
    }
}

impl<T> fmt::Debug for CollectionLoad<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectionLoad").field("name", &self.name).finish_non_exhaustive()
    }
}
