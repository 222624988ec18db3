//! Running a search by text.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::record::{RawDocument, Record};
use blaze_core::{DocumentId, Family, Result};
use blaze_text::Node;
use serde::de::DeserializeOwned;

use super::TextSearch;
use super::find::{Matching, Outcome, find, matching};
use super::fusion::Fused;
use super::hit::{TextHit, TextIdHit};
use super::prepare::Wanted;
use super::rank::{TextRank, VectorRank};
use crate::catalog::Definition;
use crate::collection::document_key;
use crate::search::exact;
use crate::search::prepare::Wanted as WantedNear;
use crate::search::rows::nearest_chunk;
use crate::session::Session;
use crate::text::{self, TextView};

/// What a search by text works with while it runs.
pub(super) struct Running<'a> {
    pub(super) session: &'a Arc<Session>,
    pub(super) definition: &'a Definition,
    pub(super) wanted: Wanted<'a>,
    pub(super) view: &'a TextView,
    /// What is asked of the vectors, of a hybrid search.
    pub(super) near: Option<WantedNear<'a>>,
}

/// What a search has found: what is in the window of the answer, and how each list was found.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) hits: Vec<Fused>,
    /// The list of the text, taken for the hits but for how it was found.
    pub(super) text: Outcome,
    pub(super) near: Option<exact::Outcome>,
}

/// Reads a record of a document that matches.
pub(super) type ReadMatch<'a> = dyn FnMut(&RawDocument<'_>) -> Result<()> + 'a;

impl<T> TextSearch<T> {
    /// The ids of the best documents, the best first; nothing is highlighted. Without a filter, no document is read, but the
    /// examples of [`more_like`](crate::Search::more_like) and [`similar_to`](TextSearch::similar_to), hits of a hybrid search
    /// whose documents have several vectors each, and all documents in a view of the [past](crate::Database::as_of).
    ///
    /// # Errors
    /// As [`run`](TextSearch::run), but that the type of the documents does not matter.
    pub fn ids(&self) -> Result<Vec<TextIdHit>> {
        self.read(false, |running| Ok(self.find(running)?.hits.into_iter().map(Fused::into_id_hit).collect()))
    }

    /// How many documents match the text and the filter, whatever the limit and the offset. Of a hybrid search, being near to the
    /// vector does not count: every document with a vector is, more or less.
    ///
    /// Of a single word without a filter, this is known; else it takes time linear in the documents that match the text, or
    /// that match a filter which other indexes answer. A filter that they do not answer, and a smallest score, also take memory
    /// for the ids of all that match, and for such a filter they are read. Of a beginning or a likeness that more than 1,024
    /// words have, see [`TextQuery::Prefix`](crate::TextQuery::Prefix), those count that are searched for.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, field};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["plot"]))?;
    /// for year in 1960..1980 {
    ///     films.insert(&Document::new().with("plot", "a space station").with("year", year))?;
    /// }
    /// assert_eq!(films.search().text("space").count()?, 20);
    /// assert_eq!(films.search().text("space").filter(field("year").lt(1965)).count()?, 5);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a hybrid search with a smallest score; else as [`run`](TextSearch::run), but
    /// that the type of the documents does not matter.
    pub fn count(&self) -> Result<u64> {
        self.read(false, |running| self.matches(running, None))
    }

    /// Checks what is asked for and prepares it, in a view that `work` then reads.
    pub(super) fn read<R>(&self, explains: bool, work: impl FnOnce(&Running<'_>) -> Result<R>) -> Result<R> {
        let request = &self.request;
        request.validate()?;
        let asked = request.asked()?;
        // The embedder is called outside of any view.
        let near = match request.is_hybrid() {
            true => Some(request.near().with_vector(&self.collection)?.into_owned()),
            false => None,
        };
        let name = self.collection.name();
        self.collection.read(|session, definition| {
            let mut near = near.as_ref().map(|near| near.prepare(session, name, definition)).transpose()?;
            if let Some(near) = &mut near {
                near.explains = explains;
            }
            let index = request.choose(name, definition, &asked)?;
            let view = text::view(session, definition, index.0)?;
            let mut wanted = request.prepare(session, (name, definition), index, &asked, &view)?;
            wanted.explains = explains;
            if let Some(query) = wanted.query.as_ref().filter(|_| session.is_serializable()) {
                text::track(session, index.0.id, &query.terms())?;
            }
            let mut running = Running { session, definition, wanted, view: &view, near };
            running.leave_out_examples();
            work(&running)
        })
    }

    /// What is in the window of the answer.
    pub(super) fn find(&self, running: &Running<'_>) -> Result<Answer> {
        let request = &self.request;
        let (mut text, ranked) = running.best(request.depth())?;
        let mut near = None;
        let mut hits = match &running.near {
            None => {
                let alone = |(id, rank): (DocumentId, TextRank)| Fused {
                    id,
                    score: rank.score,
                    by_text: Some(rank),
                    by_vector: None,
                };
                ranked.into_iter().map(alone).collect()
            }
            Some(wanted) => {
                let (outcome, nearest) = running.nearest(wanted, request.depth())?;
                near = Some(outcome);
                request.fusion.unwrap_or_default().fuse(ranked, nearest)
            }
        };
        if let Some(min_score) = request.min_score {
            hits.retain(|hit| hit.score >= min_score);
        }
        hits.truncate(request.rows());
        hits.drain(..request.offset.min(hits.len()));
        if let Some(wanted) = &running.near {
            for hit in &mut hits {
                if let Some(rank) = &mut hit.by_vector {
                    rank.chunk = nearest_chunk(running.session, running.definition, wanted, &hit.id)?;
                }
            }
        }
        text.hits = Vec::new();
        Ok(Answer { hits, text, near })
    }

    /// How many documents match, each of which `read` is shown, if it wants to.
    pub(super) fn matches(&self, running: &Running<'_>, mut read: Option<&mut ReadMatch<'_>>) -> Result<u64> {
        let Running { session, definition, wanted, view, .. } = running;
        let Some(query) = &wanted.query else { return Ok(0) };
        let (admission, min_score) = (&wanted.admission, self.request.min_score_of_text()?);
        if read.is_none() && admission.is_of_all() && min_score.is_none() {
            return view.read().search(|searcher| match query {
                Node::Term { key, .. } => searcher.documents_with(key),
                _ => searcher.count(query),
            });
        }
        let is_enough = |score: f32| min_score.is_none_or(|least| score >= least);
        let mut ids = Vec::new();
        // Documents are read when that is done: while somebody searches, commits are taken in elsewhere.
        let known = view.read().search(|searcher| {
            if let Some(Matching { ids: known, .. }) = matching(session, definition, wanted, searcher, None)? {
                let found = searcher.top_among(query, known.len(), &known)?.into_iter();
                ids.extend(found.filter(|found| is_enough(found.score)).map(|found| found.id));
                return Ok(true);
            }
            searcher.for_each(query, &mut |id, score| {
                if is_enough(score) {
                    ids.push(Box::<[u8]>::from(id));
                }
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(false)
        })?;
        let mut count = 0;
        for id in &ids {
            let id = DocumentId::read_key(id)?;
            count += u64::from(match &mut read {
                None => known || admission.admits(session, definition, &id)?,
                Some(read) => running.read_match(&id, &mut **read)?,
            });
        }
        Ok(count)
    }
}

impl<T: DeserializeOwned> TextSearch<T> {
    /// The best documents, the best first; equally good ones in no certain order, of a hybrid search by id. There, what is equally
    /// good is so by both lists together: of equal scores in one of them, the ranks are in no certain order.
    ///
    /// Takes time that grows with how many documents have the words of the query, and less the more the best of them stand out.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the query cannot be read, no text index has the fields that it names, there is
    /// none of that name, or it is partial and the filter does not ask for what it has; when the limit is zero or with the offset
    /// above [`SEARCH_LIMIT_MAX`](crate::limits::SEARCH_LIMIT_MAX), a score, a weight or the number of candidates out of range, a
    /// field to be highlighted is not in the index, the filter not well-formed, or a document not of type `T`; of a hybrid search,
    /// when it is diverse, and as [`Search::run`](crate::Search::run);
    /// [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped or an example is not there;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a query that is too long or asks for too many
    /// words, where each counts once for each field that it is looked for in, more than
    /// [`SEARCH_EXAMPLES_MAX`](crate::limits::SEARCH_EXAMPLES_MAX) examples, or more than
    /// [`SEARCH_HIGHLIGHTS_MAX`](crate::limits::SEARCH_HIGHLIGHTS_MAX) fields to be highlighted;
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Closed`](crate::ErrorKind::Closed).
    pub fn run(&self) -> Result<Vec<TextHit<T>>> {
        self.read(false, |running| {
            let highlighting = running.highlighting(&self.request)?;
            let hits = self.find(running)?.hits.into_iter();
            hits.map(|hit| hit.read(running.session, running.definition, &highlighting)).collect()
        })
    }
}

impl Running<'_> {
    /// Examples are no answers of either list.
    fn leave_out_examples(&mut self) {
        let Some(near) = &mut self.near else { return };
        let of_text = &mut self.wanted.admission.left_out;
        let all: BTreeSet<DocumentId> = of_text.union(&near.admission.left_out).cloned().collect();
        near.admission.left_out.clone_from(&all);
        *of_text = all;
    }

    /// The list of the text, so deep.
    fn best(&self, depth: usize) -> Result<(Outcome, Vec<(DocumentId, TextRank)>)> {
        let mut outcome =
            self.view.read().search(|searcher| find(self.session, self.definition, &self.wanted, searcher, depth))?;
        let hits = std::mem::take(&mut outcome.hits);
        let rank = |(at, (id, score))| (id, TextRank { rank: at + 1, score });
        Ok((outcome, hits.into_iter().enumerate().map(rank).collect()))
    }

    /// The list of the vectors, so deep.
    fn nearest(
        &self,
        wanted: &WantedNear<'_>,
        depth: usize,
    ) -> Result<(exact::Outcome, Vec<(DocumentId, VectorRank)>)> {
        let outcome = exact::find(self.session, self.definition, wanted, depth)?;
        let (metric, dimension) = (wanted.fields.metric, wanted.fields.dimension);
        let rank = |(at, near): (usize, &blaze_vector::Hit<DocumentId>)| {
            let score = metric.score(near.distance, dimension);
            (near.key.clone(), VectorRank { rank: at + 1, score, distance: near.distance, chunk: None })
        };
        let ranked = outcome.hits.iter().enumerate().map(rank).collect();
        Ok((outcome, ranked))
    }

    /// Has `read` see a document that matches the text, if it is admitted; says whether it was.
    fn read_match(&self, id: &DocumentId, read: &mut ReadMatch<'_>) -> Result<bool> {
        let Running { session, definition, wanted, .. } = self;
        let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
        let mut is_admitted = false;
        session.visit(Family::Data, &document_key(definition.id, id), &mut |bytes| {
            let mut look = || -> Result<()> {
                let record = Record::open(bytes, &dictionary)?;
                let record = record.document().with_id(id);
                let admission = &wanted.admission;
                is_admitted = admission.filter.matches_raw(&record)? && admission.admits_record(id, &record)?;
                if is_admitted { read(&record) } else { Ok(()) }
            };
            look().map_err(|error| error.context(format!("document {id:?}")))
        })?;
        Ok(is_admitted)
    }
}
