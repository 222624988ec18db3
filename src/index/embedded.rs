//! Indexes that have vectors made of the texts of documents.

use blaze_core::limits::EMBEDDING_SOURCES_MAX;
use blaze_core::{Error, PARENT_FIELD, Path, Result};

use super::definition::refuse_id;
use super::{Index, IndexDefinition, IndexFields, IndexKind, VectorFields};
use crate::embedding::{Embedder, SharedEmbedder};

impl Index {
    /// Has documents that have no vector in the field of the index get one that is made of their texts. Ignored by others than
    /// vector indexes.
    ///
    /// The text of a document is what stands in the `sources`, in their order: strings, and strings in arrays, each on a line
    /// of its own; blank ones are left out. Beyond [`EMBEDDING_TEXT_BYTES_MAX`](crate::limits::EMBEDDING_TEXT_BYTES_MAX) it is
    /// cut. A document without any text has no vector. One with a vector of its own in the field is indexed with that and not
    /// embedded.
    ///
    /// A commit that changes the text of a document puts it into a backlog, in the same transaction; a thread in the background
    /// embeds it soon after, a batch at a time, outside of any transaction. So the document is found with its vector a little
    /// later, and a document whose text was changed is found with the vector of its old text until then; one that
    /// is deleted or has no text any more loses its vector at once. The vectors are in the index alone: documents are not
    /// touched, their versions stay, and who writes documents meets nobody. But to a transaction that has
    /// [searched](crate::Search), a vector that comes is a change as any other. Views of the [past](crate::Database::as_of)
    /// have no such vectors and cannot be searched by the index.
    ///
    /// What fails is tried again after a second, and then after longer and longer waits, up to five minutes; what the embedder
    /// calls [`Invalid`](crate::ErrorKind::Invalid) is parked until its text or the embedder changes.
    /// [`embedding_status`](crate::Collection::embedding_status) tells of both, and [`settle`](crate::Database::settle) waits
    /// for what can be embedded now. Where the [clock](crate::DatabaseBuilder::clock) stands still, `settle` embeds, as nothing
    /// happens in the background.
    ///
    /// The database keeps the sources, the backlog and the label of the [model](Embedder::model), which is also the
    /// [model](Index::model) of the index, and not the embedder: ensure the index after each opening. Until then the backlog
    /// waits. When the label or the sources are others by then, the index is made anew and embeds everything again, while
    /// searches find what has its vector already; [`replace_index`](crate::Collection::replace_index) embeds everything
    /// beside the old index, outside of a transaction, and puts the new one in its place when it has all vectors. Where that was
    /// cut short, ensuring the new one goes on with it, as the next `replace_index` does.
    ///
    /// ```
    /// use blaze::{Database, Document, Embedder, Index, Result};
    ///
    /// /// The letters of a text, counted.
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
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 26).embed_from(["title", "plot"], Letters))?;
    /// films.insert(&Document::new().with("title", "Solaris").with("plot", "an ocean that thinks"))?;
    /// films.insert(&Document::new().with("title", "Brazil").with("plot", "a typing error"))?;
    /// db.settle()?;
    /// let hits = films.search().nearest_text("embedding", "think of an ocean").limit(1).run()?;
    /// assert_eq!(hits[0].get("title").unwrap().as_str(), Some("Solaris"));
    /// assert!(films.embedding_status("embedding")?.is_settled());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn embed_from<P: Into<Path>>(
        self,
        sources: impl IntoIterator<Item = P>,
        embedder: impl Embedder + 'static,
    ) -> Index {
        let sources: Vec<Path> = sources.into_iter().map(Into::into).collect();
        let embedder = matches!(self.kind, IndexKind::Vector(_)).then(|| SharedEmbedder::new(embedder));
        Index { embedder, ..self.of_vector(|vector| vector.sources = sources) }
    }

    /// What makes the vectors, if anything does.
    pub(crate) fn embedder(&self) -> Option<&SharedEmbedder> {
        self.embedder.as_ref()
    }

    /// The fields of a vector index with the label of the model that makes its vectors.
    pub(super) fn with_model(&self, vector: &VectorFields) -> Result<VectorFields> {
        let Some(embedder) = &self.embedder else { return Ok(vector.clone()) };
        let path = &vector.path;
        if vector.sources.is_empty() {
            return Err(Error::invalid(format!("the index on {path} is to be embedded from no field")));
        }
        match &vector.model {
            Some(model) if model != embedder.model() => Err(Error::invalid(format!(
                "the index on {path} is to be of model {model:?}, its embedder is of model {:?}",
                embedder.model()
            ))),
            _ => Ok(VectorFields { model: Some(embedder.model().to_owned()), ..vector.clone() }),
        }
    }
}

impl IndexDefinition {
    /// True if documents without a vector get one that is made of their texts.
    pub(crate) fn is_embedded(&self) -> Result<bool> {
        Ok(matches!(self.parts()?, IndexFields::Vector(fields) if fields.is_embedded()))
    }

    /// True for an entry that others have made of a text: any row, as the text does not say which.
    pub(crate) fn is_embedded_row(&self, row: &[u8]) -> Result<bool> {
        Ok(matches!(self.parts()?, IndexFields::Vector(fields) if fields.is_embedded() && fields.is_row(row)))
    }
}

/// Checks where the texts are.
pub(super) fn validate_sources(fields: &VectorFields) -> Result<()> {
    let VectorFields { path, metric, sources, .. } = fields;
    if !sources.is_empty() && metric.is_binary() {
        return Err(Error::invalid(format!("embedders make numbers, and the metric {metric} compares bits")));
    }
    if !sources.is_empty() && fields.several {
        return Err(Error::invalid("embedders make one vector of each document, and it holds several"));
    }
    if sources.len() > EMBEDDING_SOURCES_MAX {
        let count = sources.len();
        return Err(Error::limit_exceeded(format!(
            "it is to be embedded from {count} fields, the limit is {EMBEDDING_SOURCES_MAX}"
        )));
    }
    for (place, source) in sources.iter().enumerate() {
        source.validate()?;
        refuse_id(source)?;
        let is_parent = source.segments().first().is_some_and(|first| first.key() == PARENT_FIELD);
        let refused = [
            (source == path, "is the field of its vectors"),
            (sources[..place].contains(source), "is named twice"),
            (is_parent, "is no text of the document"),
        ];
        if let Some((_, why)) = refused.iter().find(|(is_so, _)| *is_so) {
            return Err(Error::invalid(format!("it is to be embedded from {source}, which {why}")));
        }
    }
    Ok(())
}
