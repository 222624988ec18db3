//! Parts of the documents that a search finds.

use blaze_core::{Path, Result};

use super::Search;
use super::hit::PartialHit;
use crate::query::Selection;

/// A search of which parts of the documents are answered, made by [`Search::select`] or [`Search::without`].
#[derive(Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct SearchSelect<T> {
    search: Search<T>,
    selection: Selection,
}

impl<T> Clone for SearchSelect<T> {
    fn clone(&self) -> SearchSelect<T> {
        SearchSelect { search: self.search.clone(), selection: self.selection.clone() }
    }
}

impl<T> Search<T> {
    /// Answers only what these paths reach of the documents, as [`Query::select`](crate::Query::select) does.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("v", 2))?;
    /// films.insert(&Document::new().with("title", "Solaris").with("v", Vector::F32(vec![1.0, 0.0])))?;
    /// let hits = films.search().nearest("v", &[1.0, 0.0]).select(["title"]).run()?;
    /// assert_eq!(hits[0].fields, Document::new().with("title", "Solaris"));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn select<P: Into<Path>>(self, paths: impl IntoIterator<Item = P>) -> SearchSelect<T> {
        SearchSelect { search: self, selection: Selection::only(paths) }
    }

    /// Answers everything of the documents but what these paths reach: the vectors themselves, say, which are not decoded then.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("v", 2))?;
    /// films.insert(&Document::new().with("title", "Solaris").with("v", Vector::F32(vec![1.0, 0.0])))?;
    /// let hits = films.search().nearest("v", &[1.0, 0.0]).without(["v"]).run()?;
    /// assert_eq!(hits[0].fields, Document::new().with("title", "Solaris"));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn without<P: Into<Path>>(self, paths: impl IntoIterator<Item = P>) -> SearchSelect<T> {
        SearchSelect { search: self, selection: Selection::without(paths) }
    }
}

impl<T> SearchSelect<T> {
    /// The nearest documents, the nearest first; equally near ones by id.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when a path is not well-formed, or none is given to select; else as
    /// [`Search::run`], but that the type of the documents does not matter.
    pub fn run(&self) -> Result<Vec<PartialHit>> {
        self.selection.validate()?;
        self.search.found(|session, definition, found| {
            found.into_iter().map(|hit| hit.read_parts(session, definition, &self.selection)).collect()
        })
    }
}
