//! Search by similarity.

use std::ops::Deref;
use std::sync::Arc;

use blaze_core::limits::SEARCH_LIMIT_MAX;
use blaze_core::record::Record;
use blaze_core::{Direction, DocumentId, Error, Family, Filter, KeyRange, Path, Result, Timestamp};
use blaze_vector::{Metric, Nearest, Query as VectorQuery};
use serde::de::DeserializeOwned;

use crate::catalog::{Definition, prefix};
use crate::collection::{Collection, Found, document_key};
use crate::index::IndexFields;
use crate::query::{Candidates, Counters, Explain, ExplainNode, Plan, Question, describe, plan};
use crate::session::Session;

/// Documents whose vectors are looked up one by one; where more match, all vectors are read in a row.
const FEW_DOCUMENTS: usize = 10_000;

/// Rows of a search that did not say how many.
const DEFAULT_LIMIT: usize = 10;

/// A search for the documents whose vectors are nearest to a given one, exact.
///
/// With a filter, the nearest of the matching documents are found: as many as asked for, if so many match.
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
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct Search<T> {
    collection: Collection<T>,
    nearest: Option<(Path, Vec<f32>)>,
    filter: Filter,
    limit: usize,
    within: Option<f32>,
}

/// A document that a search has found, and its distance; dereferences to its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<T> {
    /// Its id.
    pub id: DocumentId,
    /// The commit that wrote it; [`Timestamp::ZERO`] for what the searching transaction itself has written.
    pub version: Timestamp,
    /// Its value.
    pub value: T,
    /// The distance of its vector from the one searched for, as the [`Metric`] of the index defines it.
    pub distance: f32,
}

impl<T> Deref for Hit<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The vector index that a search uses.
struct VectorIndex {
    id: u32,
    name: String,
    definition: String,
    dimension: usize,
    metric: Metric,
}

/// What a search has found before documents are read, and how.
struct Outcome {
    hits: Vec<blaze_vector::Hit<DocumentId>>,
    /// How they were found, as a step of a plan.
    node: ExplainNode,
    counters: Counters,
}

/// Documents that are looked at one by one, and what was read to find them.
struct Few {
    ids: Vec<DocumentId>,
    counters: Counters,
    /// Entries read in each scan of the plan.
    keys: Vec<u64>,
}

impl<T> Search<T> {
    pub(crate) fn new(collection: Collection<T>) -> Search<T> {
        Search { collection, nearest: None, filter: Filter::everything(), limit: DEFAULT_LIMIT, within: None }
    }

    /// The vector to be near to, and the field whose index is searched.
    pub fn nearest(mut self, path: impl Into<Path>, vector: &[f32]) -> Search<T> {
        self.nearest = Some((path.into(), vector.to_vec()));
        self
    }

    /// Only documents that match.
    pub fn filter(mut self, filter: impl Into<Filter>) -> Search<T> {
        self.filter = filter.into();
        self
    }

    /// At most so many documents, 1 to [`SEARCH_LIMIT_MAX`]; 10 by default.
    pub fn limit(mut self, documents: usize) -> Search<T> {
        self.limit = documents;
        self
    }

    /// Only documents at this distance or nearer.
    pub fn within(mut self, distance: f32) -> Search<T> {
        self.within = Some(distance);
        self
    }

    /// Searches and says how, and what that took.
    ///
    /// # Errors
    /// As [`run`](Search::run).
    pub fn explain(&self) -> Result<Explain> {
        self.collection.read(|session, definition| {
            let (index, query) = self.prepare(session, definition)?;
            let Outcome { hits, node, counters } = self.find(session, definition, &index, query)?;
            Ok(Explain::new(ExplainNode { index: Some(index.name), ..node }, Vec::new(), counters, hits.len() as u64))
        })
    }

    /// Checks everything before anything is read.
    fn prepare(&self, session: &Session, definition: &Definition) -> Result<(VectorIndex, VectorQuery)> {
        if session.is_as_of() {
            return Err(Error::unsupported(
                "a view of the past cannot be searched by similarity: its indexes are gone",
            ));
        }
        if self.limit == 0 || self.limit > SEARCH_LIMIT_MAX {
            let limit = self.limit;
            return Err(Error::invalid(format!(
                "the limit of a search is {limit}, 1 to {SEARCH_LIMIT_MAX} are possible"
            )));
        }
        if let Some(within) = self.within.filter(|within| within.is_nan()) {
            return Err(Error::invalid(format!("the distance to search within is {within}")));
        }
        self.filter.validate()?;
        let Some((path, vector)) = &self.nearest else {
            return Err(Error::invalid("a search needs nearest(field, vector)"));
        };
        let index = vector_index(definition, path)?.ok_or_else(|| {
            let name = self.collection.name();
            Error::invalid(format!("collection {name:?} has no complete vector index on {path}: ensure_index one"))
        })?;
        if vector.len() != index.dimension {
            let (found, needed) = (vector.len(), index.dimension);
            return Err(Error::invalid(format!(
                "the vector searched for has {found} components, the index on {path} has {needed}"
            )));
        }
        let query = VectorQuery::new(index.metric, vector.as_slice())?;
        Ok((index, query))
    }

    fn find(
        &self,
        session: &Arc<Session>,
        definition: &Definition,
        index: &VectorIndex,
        query: VectorQuery,
    ) -> Result<Outcome> {
        let mut nearest = Nearest::new(query, self.limit);
        if let Some(within) = self.within {
            nearest = nearest.within(within);
        }
        let about = format!("vector index {} on {}, exact", index.name, index.definition);
        let found = plan(session, definition, Question::of_filter(&self.filter))?;
        if !found.is_scan()
            && let Some(Few { ids, counters, keys }) = self.few(session, definition, &found)?
        {
            let among = describe(&found.access, &mut keys.into_iter());
            let node = ExplainNode::of(format!("{about}, among what is found"), vec![among]);
            return find_among(session, index, nearest, ids, node, counters);
        }
        self.find_in_all(session, definition, index, nearest, about)
    }

    /// The documents that match, if an index finds them and they are few enough to be looked at one by one.
    fn few(&self, session: &Arc<Session>, definition: &Definition, found: &Plan) -> Result<Option<Few>> {
        let mut candidates = Candidates::open(session, definition, found, &self.filter)?;
        let mut ids = Vec::new();
        while let Some(id) = candidates.next_id()? {
            if ids.len() == FEW_DOCUMENTS {
                return Ok(None);
            }
            ids.push(id);
        }
        Ok(Some(Few { ids, counters: candidates.counters(), keys: candidates.keys().to_vec() }))
    }

    /// Looks at all vectors, and checks the filter on those that would enter the answer.
    fn find_in_all(
        &self,
        session: &Arc<Session>,
        definition: &Definition,
        index: &VectorIndex,
        mut nearest: Nearest<DocumentId>,
        about: String,
    ) -> Result<Outcome> {
        let mut about = about;
        let unfiltered = self.filter == Filter::everything();
        if !unfiltered {
            about = format!("{about}, documents checked that would enter: {}", self.filter);
        }
        let mut counters = Counters::default();
        let mut buffer = Vec::new();
        let range = KeyRange::prefix(&prefix(index.id));
        let mut cursor = session.cursor(Family::Vector, &range, Direction::Forward)?;
        while let Some((key, bytes)) = cursor.next()? {
            counters.keys_examined += 1;
            let id = || DocumentId::read_key(key.get(4..).unwrap_or_default());
            if !unfiltered {
                if nearest.query().distance_to_stored(bytes, &mut buffer)? > nearest.bound() {
                    continue;
                }
                counters.documents_examined += 1;
                if !self.matches(session, definition, &id()?)? {
                    continue;
                }
            }
            nearest.offer_stored(bytes, id)?;
        }
        let node = of_counters(ExplainNode::of(about, Vec::new()), counters);
        Ok(Outcome { hits: nearest.into_sorted(), node, counters })
    }

    fn matches(&self, session: &Session, definition: &Definition, id: &DocumentId) -> Result<bool> {
        let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
        let mut matches = false;
        session.visit(Family::Data, &document_key(definition.id, id), &mut |bytes| {
            let record = Record::open(bytes, &dictionary);
            matches = record
                .and_then(|record| self.filter.matches_raw(&record.document().with_id(id)))
                .map_err(|error| error.context(format!("document {id:?}")))?;
            Ok(())
        })?;
        Ok(matches)
    }
}

impl<T: DeserializeOwned> Search<T> {
    /// The nearest documents, the nearest first; equally near ones by id.
    ///
    /// Takes time linear in the vectors of the index, or of the documents that the filter's index finds.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when there is no vector index on the field, when the vector has another
    /// dimension, a component that is not finite, or no direction, when the limit is out of range, the filter not
    /// well-formed, or a document not of type `T`; [`NotFound`](crate::ErrorKind::NotFound) when the collection was
    /// dropped; [`Unsupported`](crate::ErrorKind::Unsupported) in a view of the [past](crate::Database::as_of);
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Closed`](crate::ErrorKind::Closed).
    pub fn run(&self) -> Result<Vec<Hit<T>>> {
        self.collection.read(|session, definition| {
            let (index, query) = self.prepare(session, definition)?;
            let outcome = self.find(session, definition, &index, query)?;
            outcome.hits.into_iter().map(|hit| read_hit(session, definition, hit)).collect()
        })
    }
}

/// Looks at the vectors of these documents.
fn find_among(
    session: &Session,
    index: &VectorIndex,
    mut nearest: Nearest<DocumentId>,
    ids: Vec<DocumentId>,
    node: ExplainNode,
    mut counters: Counters,
) -> Result<Outcome> {
    for id in ids {
        let mut key = prefix(index.id).to_vec();
        id.write_key(&mut key);
        let there = session.visit(Family::Vector, &key, &mut |bytes| nearest.offer_stored(bytes, || Ok(id.clone())))?;
        counters.keys_examined += u64::from(there);
    }
    Ok(Outcome { hits: nearest.into_sorted(), node: of_counters(node, counters), counters })
}

fn of_counters(node: ExplainNode, counters: Counters) -> ExplainNode {
    let Counters { keys_examined, documents_examined } = counters;
    ExplainNode { keys_examined, documents_examined, ..node }
}

fn read_hit<T: DeserializeOwned>(
    session: &Session,
    definition: &Definition,
    hit: blaze_vector::Hit<DocumentId>,
) -> Result<Hit<T>> {
    let blaze_vector::Hit { key: id, distance } = hit;
    let record = session.get(Family::Data, &document_key(definition.id, &id))?.ok_or_else(|| {
        Error::corruption(format!("a vector index has an entry for document {id:?}, which is not there"))
    })?;
    let Found { id, version, value } = Found::decode(session, definition.id, id, &record)?;
    Ok(Hit { id, version, value, distance })
}

fn vector_index(definition: &Definition, path: &Path) -> Result<Option<VectorIndex>> {
    for index in definition.indexes.iter().filter(|index| index.ready) {
        if let IndexFields::Vector { path: of, dimension, metric } = index.parts()?
            && of == path
        {
            return Ok(Some(VectorIndex {
                id: index.id,
                name: index.name.clone(),
                definition: index.describe(),
                dimension: *dimension,
                metric: *metric,
            }));
        }
    }
    Ok(None)
}
