//! Parts of the documents that a search by text finds.

use blaze_core::{Path, Result};

use super::TextSearch;
use super::hit::PartialTextHit;
use crate::query::Selection;

/// A search by text of which parts of the documents are answered, made by [`TextSearch::select`] or [`TextSearch::without`].
#[derive(Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct TextSelect<T> {
    search: TextSearch<T>,
    selection: Selection,
}

impl<T> Clone for TextSelect<T> {
    fn clone(&self) -> TextSelect<T> {
        TextSelect { search: self.search.clone(), selection: self.selection.clone() }
    }
}

impl<T> TextSearch<T> {
    /// Answers only what these paths reach of the documents, as [`Query::select`](crate::Query::select) does.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["plot"]))?;
    /// films.insert(&Document::new().with("title", "Solaris").with("plot", "An ocean that thinks"))?;
    /// let hits = films.search().text("ocean").select(["title"]).run()?;
    /// assert_eq!(hits[0].fields, Document::new().with("title", "Solaris"));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn select<P: Into<Path>>(self, paths: impl IntoIterator<Item = P>) -> TextSelect<T> {
        TextSelect { search: self, selection: Selection::only(paths) }
    }

    /// Answers everything of the documents but what these paths reach: a long text that is [highlighted](TextSearch::highlight),
    /// say.
    pub fn without<P: Into<Path>>(self, paths: impl IntoIterator<Item = P>) -> TextSelect<T> {
        TextSelect { search: self, selection: Selection::without(paths) }
    }
}

impl<T> TextSelect<T> {
    /// The best documents, the best first.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when a path is not well-formed, or none is given to select; else as
    /// [`TextSearch::run`], but that the type of the documents does not matter.
    pub fn run(&self) -> Result<Vec<PartialTextHit>> {
        self.selection.validate()?;
        self.search.read(false, |running| {
            let highlighting = running.highlighting(&self.search.request)?;
            let hits = self.search.find(running)?.hits.into_iter();
            hits.map(|hit| hit.read_parts(running.session, running.definition, &self.selection, &highlighting))
                .collect()
        })
    }
}
