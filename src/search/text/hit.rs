//! What a search by text has found.

use std::ops::Deref;

use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Error, Family, Path, Result, Snippet, Timestamp};
use serde::de::DeserializeOwned;

use super::fusion::Fused;
use super::rank::{TextRank, VectorRank};
use crate::catalog::Definition;
use crate::collection::{Found, document_key};
use crate::query::Selection;
use crate::session::Session;

/// A document that a search by text has found, with why it stands where it does; dereferences to its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TextHit<T> {
    /// Its id.
    pub id: DocumentId,
    /// The commit that wrote it; [`Timestamp::ZERO`] for what the searching transaction itself has written.
    pub version: Timestamp,
    /// Its value.
    pub value: T,
    /// What hits are in the order of: by text alone its score by BM25, else what the [`Fusion`](super::Fusion) has made of both.
    pub score: f32,
    /// Its place by the text; none if that does not match it, or not among the best
    /// [candidates](super::TextSearch::candidates).
    pub by_text: Option<TextRank>,
    /// Its place by the vector; none if none is searched for, or it is not among the nearest candidates.
    pub by_vector: Option<VectorRank>,
    /// What [`highlight`](super::TextSearch::highlight) asked for, in the order in which that was asked: each text with something
    /// that was found.
    pub highlights: Vec<Highlight>,
}

/// The parts of a text of a hit that tell why the document was found: those with words that are searched for, of a phrase
/// wherever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Highlight {
    /// The field.
    pub path: Path,
    /// Which of the texts that the path reaches it is, from 0: an array has several.
    pub place: usize,
    /// The best parts of it, at least one.
    pub snippets: Vec<Snippet>,
}

/// The id of a document that a search by text has found, with why it stands where it does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TextIdHit {
    /// The id.
    pub id: DocumentId,
    /// The score, as in [`TextHit`].
    pub score: f32,
    /// The place by the text, as in [`TextHit`].
    pub by_text: Option<TextRank>,
    /// The place by the vector, as in [`TextHit`].
    pub by_vector: Option<VectorRank>,
}

/// Parts of a document that a search by text has found, with why it stands where it does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PartialTextHit {
    /// The id of the document.
    pub id: DocumentId,
    /// The parts that were asked for, in the maps and arrays that they stand in.
    pub fields: Document,
    /// The score, as in [`TextHit`].
    pub score: f32,
    /// The place by the text, as in [`TextHit`].
    pub by_text: Option<TextRank>,
    /// The place by the vector, as in [`TextHit`].
    pub by_vector: Option<VectorRank>,
    /// What was highlighted, as in [`TextHit`].
    pub highlights: Vec<Highlight>,
}

impl<T> TextHit<T> {
    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for TextHit<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What makes the highlights of a record.
pub(super) type Highlighting<'a> = dyn Fn(&DocumentId, &Record<'_>) -> Result<Vec<Highlight>> + 'a;

impl Fused {
    pub(super) fn into_id_hit(self) -> TextIdHit {
        let Fused { id, score, by_text, by_vector } = self;
        TextIdHit { id, score, by_text, by_vector }
    }

    /// The document.
    pub(super) fn read<T: DeserializeOwned>(
        self,
        session: &Session,
        definition: &Definition,
        highlighting: &Highlighting<'_>,
    ) -> Result<TextHit<T>> {
        let Fused { id, score, by_text, by_vector } = self;
        let (found, highlights) = with_record(session, definition, id, |id, record| {
            Ok((Found::of_record(id.clone(), record)?, highlighting(&id, record)?))
        })?;
        let Found { id, version, value } = found;
        Ok(TextHit { id, version, value, score, by_text, by_vector, highlights })
    }

    /// Parts of the document.
    pub(super) fn read_parts(
        self,
        session: &Session,
        definition: &Definition,
        selection: &Selection,
        highlighting: &Highlighting<'_>,
    ) -> Result<PartialTextHit> {
        let Fused { id, score, by_text, by_vector } = self;
        let (id, fields, highlights) = with_record(session, definition, id, |id, record| {
            let fields = selection.of(&id, record).map_err(|error| error.context(format!("document {id:?}")))?;
            let highlights = highlighting(&id, record)?;
            Ok((id, fields, highlights))
        })?;
        Ok(PartialTextHit { id, fields, score, by_text, by_vector, highlights })
    }
}

/// Has `work` read the record of a document that an index has told of.
fn with_record<R>(
    session: &Session,
    definition: &Definition,
    id: DocumentId,
    work: impl FnOnce(DocumentId, &Record<'_>) -> Result<R>,
) -> Result<R> {
    let bytes = session.get(Family::Data, &document_key(definition.id, &id))?.ok_or_else(|| {
        Error::corruption(format!("a text index has an entry for document {id:?}, which is not there"))
    })?;
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    let record = Record::open(&bytes, &dictionary).map_err(|error| error.context(format!("document {id:?}")))?;
    work(id, &record)
}
