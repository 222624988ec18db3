//! Search by similarity, and by words.

mod admission;
mod diversity;
mod embedded_query;
mod exact;
mod examples;
mod explain;
mod graph;
mod group;
mod hit;
mod prepare;
mod recall;
mod rows;
mod select;
mod text;

use std::sync::Arc;

use blaze_core::{DocumentId, Filter, Path, Result, Vector};
use blaze_vector::Hit as Near;
use serde::de::DeserializeOwned;

use crate::catalog::Definition;
use crate::collection::Collection;
use crate::session::Session;
use exact::{Outcome, find};
use explain::timed;
pub use explain::{FilterStrategy, GraphStrategy, SearchExplain, SearchPath};
pub use group::{GroupedSearch, HitGroup};
pub use hit::{Hit, IdHit, PartialHit};
use prepare::{Request, Target, Wanted};
pub use recall::{RecallExplain, RecallMeasurement, RecallState};
use rows::nearest_chunk;
pub use select::SearchSelect;
pub use text::{
    Fusion, Highlight, HitExplain, PartialTextHit, Suggest, Suggestion, TermExplain, TermScore, TextExplain, TextHit,
    TextIdHit, TextRank, TextSearch, TextSelect, TextTarget, VectorRank,
};

/// A search for the documents whose vectors are nearest to a given one, or to those of other documents.
///
/// From 4,096 vectors on the graph of the index proposes what may be near: most of the nearest are found, how many is a matter of
/// [`recall`](Search::recall) or [`ef`](Search::ef), and all of them by [`exact`](Search::exact). Distances are exact in any case. With a filter, the nearest of
/// the matching documents are found: as many as asked for, if so many match. A transaction finds
/// its own vectors; a [snapshot](crate::Snapshot) and a view of the [past](crate::Database::as_of) find those that they see,
/// the latter by reading documents, and exactly. Where an index has [several vectors](crate::Index::vectors) of each document, a
/// document is as near as the nearest of them, and is found once. Several indexes may be on one field: the first one that fits the vector is searched,
/// unless [`index`](Search::index) names one.
///
/// A snapshot or transaction that began before the graph was there, made or read from the database, is searched exactly, which takes
/// time in proportion to all vectors. One that is held for long keeps nodes of vectors that were replaced or removed since: other
/// searches pass by them, and they take memory until it ends.
///
/// ```
/// use blaze::{Database, Document, Index, Vector, field};
///
/// let db = Database::temporary()?;
/// let colours = db.collection::<Document>("colours")?;
/// colours.ensure_index(Index::vector("rgb", 3))?;
/// for (name, rgb) in [("red", [1.0, 0.0, 0.0]), ("orange", [1.0, 0.6, 0.0]), ("blue", [0.0, 0.0, 1.0])] {
///     colours.insert_with_id(name, &Document::new().with("rgb", Vector::F32(rgb.to_vec())).with("warm", name != "blue"))?;
/// }
/// let hits = colours.search().nearest("rgb", &[0.2, 0.0, 1.0]).filter(field("warm").eq(true)).limit(2).run()?;
/// assert_eq!(hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), ["red", "orange"]);
/// assert!(hits[0].score > hits[1].score && hits[0].distance < hits[1].distance);
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct Search<T> {
    collection: Collection<T>,
    request: Request,
}

impl<T> Clone for Search<T> {
    fn clone(&self) -> Search<T> {
        Search { collection: self.collection.clone(), request: self.request.clone() }
    }
}

impl<T> Search<T> {
    pub(crate) fn new(collection: Collection<T>) -> Search<T> {
        Search { collection, request: Request::default() }
    }

    /// The vector to be near to, and the field whose index is searched: numbers, or [bits](Vector::Bits) where the metric
    /// compares bits.
    pub fn nearest(mut self, path: impl Into<Path>, vector: impl Into<Vector>) -> Search<T> {
        self.request.target = Some(Target::Vector(path.into(), vector.into()));
        self
    }

    /// Documents to be near to, and the field whose index is searched: what is near to the average of their vectors. They are
    /// no hits themselves. An id that comes twice counts twice; by the cosine, the length of a vector does not count. A document
    /// of several vectors counts as their average, in which equal ones count once. Of several indexes on the field, the first one
    /// that has all these documents is searched.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("v", 2))?;
    /// for (title, v) in [("Alien", [1.0, 0.0]), ("Aliens", [0.9, 0.1]), ("Amélie", [0.0, 1.0]), ("Gravity", [0.8, 0.3])] {
    ///     films.insert_with_id(title, &Document::new().with("v", Vector::F32(v.to_vec())))?;
    /// }
    /// let hits = films.search().similar_to("v", ["Alien", "Aliens"]).unlike(["Amélie"]).limit(1).run()?;
    /// assert_eq!(hits[0].id.to_string(), "Gravity");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[doc(alias = "recommend")]
    pub fn similar_to<I: Into<DocumentId>>(
        mut self,
        path: impl Into<Path>,
        ids: impl IntoIterator<Item = I>,
    ) -> Search<T> {
        self.request.target = Some(Target::Documents(path.into(), ids.into_iter().map(Into::into).collect()));
        self
    }

    /// Documents to be far from, with [`similar_to`](Search::similar_to): what is searched for is then twice the average of
    /// those to be near to, less the average of these. They are no hits themselves.
    pub fn unlike<I: Into<DocumentId>>(mut self, ids: impl IntoIterator<Item = I>) -> Search<T> {
        self.request.unlike = ids.into_iter().map(Into::into).collect();
        self
    }

    /// The name of the index to be searched, where several are on the field.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 2).named("by angle"))?;
    /// points.ensure_index(Index::vector("v", 2).metric(Metric::L2).named("by distance"))?;
    /// points.insert_with_id("far", &Document::new().with("v", Vector::F32(vec![9.0, 0.0])))?;
    /// points.insert_with_id("near", &Document::new().with("v", Vector::F32(vec![1.0, 1.0])))?;
    /// let first = |name: &str| points.search().nearest("v", &[1.0, 0.0]).index(name).limit(1).ids();
    /// assert_eq!(first("by angle")?[0].id.to_string(), "far");
    /// assert_eq!(first("by distance")?[0].id.to_string(), "near");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn index(mut self, name: impl Into<String>) -> Search<T> {
        self.request.index = Some(name.into());
        self
    }

    /// The label of what made the vector that is searched for: an index of another [model](crate::Index::model) is refused.
    ///
    /// ```
    /// use blaze::{Database, Document, ErrorKind, Index, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let notes = db.collection::<Document>("notes")?;
    /// notes.ensure_index(Index::vector("v", 2).model("small-2"))?;
    /// notes.insert_with_id(1, &Document::new().with("v", Vector::F32(vec![1.0, 0.0])))?;
    /// let search = notes.search().nearest("v", &[1.0, 0.1]);
    /// assert_eq!(search.clone().model("small-2").ids()?.len(), 1);
    /// assert_eq!(search.model("small-1").ids().unwrap_err().kind(), ErrorKind::Invalid);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn model(mut self, label: impl Into<String>) -> Search<T> {
        self.request.model = Some(label.into());
        self
    }

    /// Only documents that match.
    ///
    /// What matches a filter that is used again is kept in memory beside the graph of the index, as long as there is room, so that
    /// neither documents nor other indexes are read for it; see [`FilterStrategy::Cached`]. Serializable transactions do without:
    /// what they read for the filter counts as read.
    pub fn filter(mut self, filter: impl Into<Filter>) -> Search<T> {
        self.request.filter = filter.into();
        self
    }

    /// At most so many documents, 1 to [`SEARCH_LIMIT_MAX`](crate::limits::SEARCH_LIMIT_MAX) together with the offset; 10 by
    /// default.
    pub fn limit(mut self, documents: usize) -> Search<T> {
        self.request.limit = Some(documents);
        self
    }

    /// Leaves out so many documents at the beginning.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 1).metric(Metric::L2))?;
    /// for n in 0..20 {
    ///     points.insert_with_id(n, &Document::new().with("v", Vector::F32(vec![n as f32])))?;
    /// }
    /// let second_page = points.search().nearest("v", &[0.0]).offset(5).limit(5).ids()?;
    /// assert_eq!(second_page[0].id.to_string(), "5");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn offset(mut self, documents: usize) -> Search<T> {
        self.request.offset = documents;
        self
    }

    /// Only documents at this distance or nearer: with a large limit, and [`exact`](Search::exact), all of them.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector, limits::SEARCH_LIMIT_MAX};
    ///
    /// let db = Database::in_memory()?;
    /// let places = db.collection::<Document>("places")?;
    /// places.ensure_index(Index::vector("at", 2).metric(Metric::L2))?;
    /// for km in 0..40 {
    ///     places.insert_with_id(km, &Document::new().with("at", Vector::F32(vec![km as f32, 0.0])))?;
    /// }
    /// let around = places.search().nearest("at", &[20.0, 0.0]).within(7.0).limit(SEARCH_LIMIT_MAX);
    /// assert_eq!(around.ids()?.len(), 15);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn within(mut self, distance: f32) -> Search<T> {
        self.request.within = Some(distance);
        self
    }

    /// Only documents of this score or a larger one; see [`Metric`](crate::Metric) for what the score is.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 1).metric(Metric::L2))?;
    /// for n in 0..20 {
    ///     points.insert_with_id(n, &Document::new().with("v", Vector::F32(vec![n as f32])))?;
    /// }
    /// let near = points.search().nearest("v", &[0.0]).min_score(0.5).run()?; // 1 / (1 + distance)
    /// assert_eq!(near.iter().map(|hit| hit.score).collect::<Vec<_>>(), [1.0, 0.5]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn min_score(mut self, score: f32) -> Search<T> {
        self.request.min_score = Some(score);
        self
    }

    /// How many candidates the search keeps on its way through the graph of the index, 1 to
    /// [`SEARCH_EF_MAX`](crate::limits::SEARCH_EF_MAX): more find more of the nearest, and take longer. What the
    /// [index](crate::Index::ef) says, by default. Without a graph it does not matter; with [`recall`](Search::recall) or
    /// [`exact`](Search::exact) it is refused.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 2))?;
    /// points.insert_with_id(1, &Document::new().with("v", Vector::F32(vec![1.0, 0.0])))?;
    /// assert_eq!(points.search().nearest("v", &[1.0, 0.1]).ef(400).ids()?.len(), 1);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn ef(mut self, candidates: usize) -> Search<T> {
        self.request.ef = Some(candidates);
        self
    }

    /// The recall that the search is to reach, in place of [`ef`](Search::ef): the part of the true nearest that it finds, in
    /// the mean over searches, 0.5 to 0.999. See [`Index::recall`](crate::Index::recall) for how that is measured; an index
    /// that has none is measured once a search asks for one. Until it is, the search is exact.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, RecallState, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 2))?;
    /// points.insert_with_id(1, &Document::new().with("v", Vector::F32(vec![1.0, 0.0])))?;
    /// let search = points.search().nearest("v", &[1.0, 0.1]).recall(0.95);
    /// let recall = search.explain()?.recall.expect("one was asked for");
    /// assert_eq!((recall.target, recall.state), (0.95, RecallState::Exact));
    /// assert!(search.ef(100).run().is_err(), "it is one or the other");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn recall(mut self, wanted: f64) -> Search<T> {
        self.request.recall = Some(wanted);
        self
    }

    /// Has every vector be compared that could be an answer, so that no nearer one is missed. Takes time in proportion to them,
    /// and goes neither with [`ef`](Search::ef) nor with [`recall`](Search::recall), which say how much is enough.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 1).metric(Metric::L2))?;
    /// for n in 0..20 {
    ///     points.insert_with_id(n, &Document::new().with("v", Vector::F32(vec![n as f32])))?;
    /// }
    /// let explain = points.search().nearest("v", &[7.2]).limit(3).exact().explain()?;
    /// assert_eq!((explain.rows, explain.vectors_examined), (3, 20));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn exact(mut self) -> Search<T> {
        self.request.exact = true;
        self
    }

    /// Has the hits differ from each other: by maximal marginal relevance. `lambda` is 0 to 1; 1 counts nearness alone, 0
    /// nothing but the difference from the hits before.
    ///
    /// The hits are chosen one by one from five times as many nearest documents, at least 50: the one with the largest `lambda`
    /// · score − (1 − `lambda`) · the largest score of any hit before by it. The nearest comes first. At most
    /// [`SEARCH_DIVERSE_MAX`](crate::limits::SEARCH_DIVERSE_MAX) documents, the offset included.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let news = db.collection::<Document>("news")?;
    /// news.ensure_index(Index::vector("v", 2))?;
    /// for (id, v) in [("first", [1.0, 0.1]), ("the same again", [1.0, 0.11]), ("another", [1.0, -0.5])] {
    ///     news.insert_with_id(id, &Document::new().with("v", Vector::F32(v.to_vec())))?;
    /// }
    /// let hits = news.search().nearest("v", &[1.0, 0.0]).diverse(0.5).limit(2).ids()?;
    /// assert_eq!(hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), ["first", "another"]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[doc(alias = "mmr")]
    pub fn diverse(mut self, lambda: f32) -> Search<T> {
        self.request.diversity = Some(lambda);
        self
    }

    /// The ids of the nearest documents, the nearest first; equally near ones by id. Without a filter, no document is read, but of
    /// an index of [several vectors](crate::Index::vectors) those that are found, to say which vector it was.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 1).metric(Metric::L2))?;
    /// for n in 0..20 {
    ///     points.insert_with_id(n, &Document::new().with("v", Vector::F32(vec![n as f32])))?;
    /// }
    /// let ids = points.search().nearest("v", &[7.2]).limit(2).ids()?;
    /// assert_eq!(ids.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), ["7", "8"]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Search::run), but that the type of the documents does not matter.
    pub fn ids(&self) -> Result<Vec<IdHit>> {
        self.found(|_, _, found| Ok(found))
    }

    /// Searches and says how, and what that took.
    ///
    /// ```
    /// use blaze::{Database, Document, FilterStrategy, Index, SearchPath, Vector, field};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("v", 1))?;
    /// films.ensure_index(Index::on("year"))?;
    /// for year in 1960..1980 {
    ///     films.insert(&Document::new().with("year", year).with("v", Vector::F32(vec![year as f32])))?;
    /// }
    /// let explain = films.search().nearest("v", &[1.0]).filter(field("year").lt(1965)).explain()?;
    /// assert_eq!((explain.path, explain.filter), (SearchPath::Exact, FilterStrategy::First));
    /// assert_eq!((explain.distances_computed, explain.rows), (5, 5));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Search::run).
    pub fn explain(&self) -> Result<SearchExplain> {
        self.read(|session, definition, wanted| {
            let wanted = Wanted { explains: true, ..wanted };
            let (outcome, time_ms) = timed(session, || self.find(session, definition, &wanted))?;
            Ok(SearchExplain::new(session.core(), &wanted, outcome, self.rows_found(), time_ms))
        })
    }

    /// Checks what is asked for and prepares it, in a view that `work` then reads.
    fn read<R>(&self, work: impl FnOnce(&Arc<Session>, &Definition, Wanted<'_>) -> Result<R>) -> Result<R> {
        self.request.validate()?;
        let request = self.request.with_vector(&self.collection)?;
        self.collection.read(|session, definition| {
            work(session, definition, request.prepare(session, self.collection.name(), definition)?)
        })
    }

    /// Searches, and has `work` read what was found.
    fn found<R>(&self, work: impl FnOnce(&Arc<Session>, &Definition, Vec<IdHit>) -> Result<R>) -> Result<R> {
        self.read(|session, definition, wanted| {
            let hits = self.find(session, definition, &wanted)?.hits;
            let hits = hits.into_iter().map(|near| wanted.hit(session, definition, near)).collect::<Result<_>>()?;
            work(session, definition, hits)
        })
    }

    /// How many rows are searched for.
    fn rows_found(&self) -> usize {
        match self.request.diversity {
            None => self.request.rows(),
            Some(_) => diversity::candidates(self.request.rows()),
        }
    }

    /// What is in the window of the answer.
    fn find(&self, session: &Arc<Session>, definition: &Definition, wanted: &Wanted<'_>) -> Result<Outcome> {
        let rows = self.request.rows();
        let mut outcome = match self.request.diversity {
            None => find(session, definition, wanted, rows)?,
            Some(lambda) => {
                let mut outcome = find(session, definition, wanted, self.rows_found())?;
                diversity::diversify(session, definition, wanted, &mut outcome, lambda, rows)?;
                outcome
            }
        };
        outcome.hits.drain(..self.request.offset.min(outcome.hits.len()));
        Ok(outcome)
    }
}

impl<T: DeserializeOwned> Search<T> {
    /// The nearest documents, the nearest first; equally near ones by id.
    ///
    /// By a graph, takes time that hardly grows with the vectors of the index; without, linear time in them, or in the documents
    /// that the filter's index finds.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when there is no vector index on the field, none of that name, or of another model;
    /// when the vector has another dimension or kind, a component that is not finite, or no direction; when an example has no
    /// vector, or the index is of bits, which have no average; when the limit is zero or with the offset above
    /// [`SEARCH_LIMIT_MAX`](crate::limits::SEARCH_LIMIT_MAX), a distance, a score, `lambda`, `ef` or a recall out of range, two of
    /// `ef`, a recall and `exact` are asked for, the filter not well-formed, or a document not of type `T`; [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped or an
    /// example is not there; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for more than
    /// [`SEARCH_EXAMPLES_MAX`](crate::limits::SEARCH_EXAMPLES_MAX) examples; [`Unsupported`](crate::ErrorKind::Unsupported) in a
    /// view of the past, when vectors of the index are [made of texts](crate::Index::embed_from); [`Corruption`](crate::ErrorKind::Corruption);
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn run(&self) -> Result<Vec<Hit<T>>> {
        self.found(|session, definition, found| found.into_iter().map(|hit| hit.read(session, definition)).collect())
    }
}

impl Wanted<'_> {
    /// What was found, with its score, and by which of its vectors.
    fn hit(&self, session: &Session, definition: &Definition, near: Near<DocumentId>) -> Result<IdHit> {
        let Near { key: id, distance } = near;
        let chunk = nearest_chunk(session, definition, self, &id)?;
        Ok(IdHit { id, distance, score: self.fields.metric.score(distance, self.fields.dimension), chunk })
    }
}
