//! What a search by text asks for.

use blaze_core::limits::{SEARCH_EXAMPLES_MAX, SEARCH_HIGHLIGHTS_MAX, SEARCH_LIMIT_MAX};
use blaze_core::{DocumentId, Error, Filter, Path, Result};

use super::fusion::Fusion;
use super::target::TextTarget;
use crate::Highlighter;
use crate::search::prepare::Request;

/// Rows of a search that did not say how many.
const LIMIT: usize = 10;

/// How deep each list of a hybrid search goes at least, if it does not say.
const CANDIDATES: usize = 100;

/// What a search by text asks for.
#[derive(Clone, Debug)]
pub(super) struct TextRequest {
    pub(super) target: Target,
    pub(super) index: Option<String>,
    pub(super) filter: Filter,
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
    pub(super) min_score: Option<f32>,
    pub(super) fusion: Option<Fusion>,
    pub(super) candidates: Option<usize>,
    pub(super) highlights: Vec<(Path, Highlighter)>,
    /// What the vectors are searched for, if it has a target.
    pub(super) vector: Request,
}

/// What texts are to have.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Query(TextTarget),
    /// The words that tell most of these documents, which are no hits themselves.
    Like(Vec<DocumentId>),
}

impl TextRequest {
    /// A search for a text, of what a search by similarity has said before.
    pub(super) fn new(target: Target, mut vector: Request) -> TextRequest {
        let is_hybrid = vector.target.is_some();
        TextRequest {
            target,
            // Without a vector, they can only be about the text.
            index: if is_hybrid { None } else { vector.index.take() },
            min_score: if is_hybrid { None } else { vector.min_score.take() },
            filter: std::mem::replace(&mut vector.filter, Filter::everything()),
            offset: std::mem::take(&mut vector.offset),
            limit: vector.limit.take(),
            fusion: None,
            candidates: None,
            highlights: Vec::new(),
            vector,
        }
    }

    pub(super) fn is_hybrid(&self) -> bool {
        self.vector.target.is_some()
    }

    /// Rows after the offset.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT)
    }

    /// Rows that have to be found, those that are skipped included.
    pub(super) fn rows(&self) -> usize {
        self.offset.saturating_add(self.limit())
    }

    /// How deep each list goes.
    pub(super) fn depth(&self) -> usize {
        match self.is_hybrid() {
            false => self.rows(),
            true => self.candidates.unwrap_or_else(|| self.rows().max(CANDIDATES)),
        }
    }

    /// Checks all that can be told without the collection.
    pub(super) fn validate(&self) -> Result<()> {
        let (limit, offset, rows) = (self.limit(), self.offset, self.rows());
        if !(1..=SEARCH_LIMIT_MAX).contains(&limit) {
            return Err(Error::invalid(format!(
                "the limit of a search is {limit}, 1 to {SEARCH_LIMIT_MAX} are possible"
            )));
        }
        if rows > SEARCH_LIMIT_MAX {
            return Err(Error::invalid(format!(
                "the offset {offset} and the limit {limit} of a search are together above {SEARCH_LIMIT_MAX}"
            )));
        }
        if let Some(score) = self.min_score.filter(|score| score.is_nan()) {
            return Err(Error::invalid(format!("the smallest score of a search is {score}")));
        }
        if let Target::Like(ids) = &self.target {
            validate_examples(ids)?;
        }
        if self.highlights.len() > SEARCH_HIGHLIGHTS_MAX {
            let count = self.highlights.len();
            return Err(Error::limit_exceeded(format!(
                "a search highlights {count} fields, the limit is {SEARCH_HIGHLIGHTS_MAX}"
            )));
        }
        self.filter.validate()?;
        self.validate_fusion()
    }

    fn validate_fusion(&self) -> Result<()> {
        let (rows, vector) = (self.rows(), &self.vector);
        if self.is_hybrid() {
            self.fusion.unwrap_or_default().validate()?;
            if vector.diversity.is_some() {
                return Err(Error::invalid("a hybrid search cannot be diverse: that is for nearest alone"));
            }
            if let Some(candidates) = self.candidates
                && !(rows..=SEARCH_LIMIT_MAX).contains(&candidates)
            {
                return Err(Error::invalid(format!(
                    "a hybrid search for {rows} documents, those skipped included, has {candidates} candidates: \
                     {rows} to {SEARCH_LIMIT_MAX} are possible"
                )));
            }
            return vector.validate();
        }
        let about_vectors = [
            ("a fusion", self.fusion.is_some()),
            ("candidates", self.candidates.is_some()),
            ("a model", vector.model.is_some()),
            ("a distance to be within", vector.within.is_some()),
            ("ef", vector.ef.is_some()),
            ("a recall", vector.recall.is_some()),
            ("exact", vector.exact),
            ("diversity", vector.diversity.is_some()),
            ("documents to be unlike", !vector.unlike.is_empty()),
        ];
        match about_vectors.iter().find(|(_, there)| *there) {
            Some((what, _)) => Err(Error::invalid(format!(
                "a search by text has {what}, which is for vectors: it needs nearest(field, vector), nearest_text(field, \
                 text) or similar_to(field, documents) as well"
            ))),
            None => Ok(()),
        }
    }

    /// What is asked of the vectors.
    pub(super) fn near(&self) -> Request {
        Request { filter: self.filter.clone(), ..self.vector.clone() }
    }

    /// The smallest score of the text, if one is asked for.
    pub(super) fn min_score_of_text(&self) -> Result<Option<f32>> {
        match self.min_score {
            Some(score) if self.is_hybrid() => Err(Error::invalid(format!(
                "a smallest score of {score} is of both lists, and what is counted are the documents that match the text"
            ))),
            score => Ok(score),
        }
    }
}

fn validate_examples(ids: &[DocumentId]) -> Result<()> {
    match ids.len() {
        0 => Err(Error::invalid("more_like names no document, at least one is needed")),
        1..=SEARCH_EXAMPLES_MAX => ids.iter().try_for_each(DocumentId::validate),
        count => {
            Err(Error::limit_exceeded(format!("a search has {count} examples, the limit is {SEARCH_EXAMPLES_MAX}")))
        }
    }
}
