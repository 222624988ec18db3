//! Search by a text, of which the embedder of the index makes the vector.

use std::borrow::Cow;

use blaze_core::limits::EMBEDDING_TEXT_BYTES_MAX;
use blaze_core::{Error, Path, Result, Vector};

use super::Search;
use super::prepare::{Request, Target};
use crate::catalog::Definition;
use crate::collection::Collection;
use crate::index::{IndexDefinition, IndexFields, VectorFields};
use crate::session::Session;

impl<T> Search<T> {
    /// The text to be near to, and the field whose index is searched: one that [embeds](crate::Index::embed_from), by whose
    /// embedder the text is made a vector. That happens at each run of the search, before anything is read; a plain
    /// [`nearest`](Search::nearest) with the same vector spares it.
    ///
    /// ```
    /// use blaze::{Database, Document, Embedder, Index, Result};
    ///
    /// struct Letters;
    ///
    /// impl Embedder for Letters {
    ///     fn model(&self) -> &str {
    ///         "letters-v1"
    ///     }
    ///
    ///     fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    ///         let count = |text: &str, letter| text.chars().filter(|other| *other == letter).count() as f32;
    ///         Ok(texts.iter().map(|text| ('a'..='z').map(|letter| 0.1 + count(text, letter)).collect()).collect())
    ///     }
    /// }
    ///
    /// let db = Database::in_memory()?;
    /// let words = db.collection::<Document>("words")?;
    /// words.ensure_index(Index::vector("v", 26).embed_from(["word"], Letters))?;
    /// for word in ["listen", "banana", "pepper"] {
    ///     words.insert_with_id(word, &Document::new().with("word", word))?;
    /// }
    /// db.settle()?;
    /// let hits = words.search().nearest_text("v", "silent").limit(1).ids()?;
    /// assert_eq!(hits[0].id.to_string(), "listen");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// When it is run: [`Invalid`](crate::ErrorKind::Invalid) when no index on the field embeds, or the text is blank;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is longer than
    /// [`EMBEDDING_TEXT_BYTES_MAX`]; [`Unavailable`](crate::ErrorKind::Unavailable) when the index has no embedder since the
    /// database was opened, or that fails; [`Unsupported`](crate::ErrorKind::Unsupported) in a view of the past.
    pub fn nearest_text(mut self, path: impl Into<Path>, text: impl Into<String>) -> Search<T> {
        self.request.target = Some(Target::Text(path.into(), text.into()));
        self
    }
}

impl Request {
    /// What is asked for, with the vector of its text. The embedder is called outside of any view.
    pub(super) fn with_vector<T>(&self, collection: &Collection<T>) -> Result<Cow<'_, Request>> {
        let Some(Target::Text(path, text)) = &self.target else { return Ok(Cow::Borrowed(self)) };
        let (index, model, dimension, embedder) = collection.read(|session, definition| {
            let (index, fields) = self.embedding_index(collection.name(), definition, path)?;
            check_view(session, index, fields)?;
            let embedder = session.core().embedding.embedder(index.id);
            Ok((index.name.clone(), fields.model.clone(), fields.dimension, embedder))
        })?;
        let embedder = embedder.ok_or_else(|| {
            Error::unavailable(format!(
                "index {index:?} has no embedder since the database was opened: ensure_index it with one of model {:?}",
                model.as_deref().unwrap_or_default()
            ))
        })?;
        let vector = embedder.embed_query(text, dimension).map_err(|error| error.context("the text of a search"))?;
        let target = Some(Target::Vector(path.clone(), Vector::F32(vector)));
        // Should the index be made anew meanwhile, by another model, this says so.
        Ok(Cow::Owned(Request { target, index: Some(index), model, ..self.clone() }))
    }

    pub(super) fn validate_text(&self) -> Result<()> {
        let Some(Target::Text(_, text)) = &self.target else { return Ok(()) };
        match text.len() {
            _ if text.trim().is_empty() => Err(Error::invalid("the text of a search is blank")),
            0..=EMBEDDING_TEXT_BYTES_MAX => Ok(()),
            bytes => Err(Error::limit_exceeded(format!(
                "the text of a search has {bytes} bytes, the limit is {EMBEDDING_TEXT_BYTES_MAX}"
            ))),
        }
    }

    /// The index of that name, or the first on the field that embeds and fits.
    fn embedding_index<'a>(
        &self,
        collection: &str,
        definition: &'a Definition,
        path: &Path,
    ) -> Result<(&'a IndexDefinition, &'a VectorFields)> {
        let (mut misfit, mut is_other) = (None, None);
        for index in definition.indexes.iter().filter(|index| index.ready) {
            let IndexFields::Vector(fields) = index.parts()? else { continue };
            if fields.path != *path || self.index.as_ref().is_some_and(|name| *name != index.name) {
                continue;
            }
            if !fields.is_embedded() {
                is_other = Some(index);
                continue;
            }
            match self.check_fit(index, fields, None) {
                Ok(()) => return Ok((index, fields)),
                Err(error) => misfit = misfit.or(Some(error)),
            }
        }
        Err(match (misfit, is_other) {
            (Some(misfit), _) => misfit,
            (None, Some(index)) => Error::invalid(format!(
                "a text is searched for, and index {:?} embeds none: it is on {}",
                index.name,
                index.describe()
            )),
            (None, None) => self.no_index(collection, definition, path),
        })
    }
}

/// Refuses a view of the past, which has no vectors that were made of texts.
pub(super) fn check_view(session: &Session, index: &IndexDefinition, fields: &VectorFields) -> Result<()> {
    match session.is_as_of() && fields.is_embedded() {
        false => Ok(()),
        true => Err(Error::unsupported(format!(
            "index {:?} has vectors made of texts, of which no history is kept: a view of the past cannot be searched by it",
            index.name
        ))),
    }
}
