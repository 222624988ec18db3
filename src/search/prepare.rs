//! Checking a search before anything is read.

use std::collections::BTreeSet;

use blaze_core::limits::{SEARCH_DIVERSE_MAX, SEARCH_EXAMPLES_MAX, SEARCH_LIMIT_MAX};
use blaze_core::{DocumentId, Error, ErrorKind, Filter, Path, Result, Value, Vector};
use blaze_vector::{Nearest, Query as VectorQuery, RecallTarget};

use super::admission::Admission;
use super::embedded_query::check_view;
use super::examples::average;
use crate::catalog::Definition;
use crate::index::{Components, IndexDefinition, IndexFields, VectorFields, Width, validate_ef, validate_model};
use crate::query::implies;
use crate::session::Session;

/// Rows of a search that did not say how many.
const LIMIT: usize = 10;

/// What a search asks for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) target: Option<Target>,
    /// Documents to be far from.
    pub(super) unlike: Vec<DocumentId>,
    pub(super) index: Option<String>,
    pub(super) model: Option<String>,
    pub(super) filter: Filter,
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
    pub(super) within: Option<f32>,
    pub(super) min_score: Option<f32>,
    pub(super) ef: Option<usize>,
    pub(super) recall: Option<f64>,
    pub(super) exact: bool,
    /// How much nearness counts against being different, if that counts at all.
    pub(super) diversity: Option<f32>,
}

/// What to be near to, and in which field.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Vector(Path, Vector),
    Documents(Path, Vec<DocumentId>),
    /// To be made a vector before anything is searched.
    Text(Path, String),
}

/// What is asked of an index, checked.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) index: &'a IndexDefinition,
    pub(super) fields: &'a VectorFields,
    pub(super) query: VectorQuery,
    pub(super) admission: Admission,
    pub(super) within: Option<f32>,
    pub(super) min_score: Option<f32>,
    /// How wide a search by a graph is.
    pub(super) width: Width,
    /// True if every vector that could be an answer has to be compared.
    pub(super) exact: bool,
    /// True if the steps are to be put into words.
    pub(super) explains: bool,
}

impl Wanted<'_> {
    /// A step in words, where somebody wants to read them.
    pub(super) fn words(&self, words: impl FnOnce() -> String) -> String {
        if self.explains { words() } else { String::new() }
    }

    /// The `k` nearest, to be found.
    pub(super) fn nearest(&self, k: usize) -> Nearest<DocumentId> {
        let mut nearest = Nearest::new(self.query.clone(), k);
        if self.fields.several {
            nearest = nearest.distinct();
        }
        match self.within {
            Some(within) => nearest.within(within),
            None => nearest,
        }
    }
}

impl Default for Request {
    fn default() -> Request {
        Request {
            target: None,
            unlike: Vec::new(),
            index: None,
            model: None,
            filter: Filter::everything(),
            offset: 0,
            limit: None,
            within: None,
            min_score: None,
            ef: None,
            recall: None,
            exact: false,
            diversity: None,
        }
    }
}

impl Request {
    /// Rows after the offset.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT)
    }

    /// Rows that have to be found, those that are skipped included.
    pub(super) fn rows(&self) -> usize {
        self.offset.saturating_add(self.limit())
    }

    /// Checks all that can be told without the collection.
    pub(super) fn validate(&self) -> Result<()> {
        let (limit, offset) = (self.limit(), self.offset);
        if limit == 0 || limit > SEARCH_LIMIT_MAX {
            return Err(Error::invalid(format!(
                "the limit of a search is {limit}, 1 to {SEARCH_LIMIT_MAX} are possible"
            )));
        }
        if self.rows() > SEARCH_LIMIT_MAX {
            return Err(Error::invalid(format!(
                "the offset {offset} and the limit {limit} of a search are together above {SEARCH_LIMIT_MAX}"
            )));
        }
        if let Some(within) = self.within.filter(|within| within.is_nan()) {
            return Err(Error::invalid(format!("the distance to search within is {within}")));
        }
        if let Some(score) = self.min_score.filter(|score| score.is_nan()) {
            return Err(Error::invalid(format!("the smallest score of a search is {score}")));
        }
        if let Some(lambda) = self.diversity {
            if !(0.0..=1.0).contains(&lambda) {
                return Err(Error::invalid(format!("the lambda of a diverse search is {lambda}, 0 to 1 are possible")));
            }
            if self.rows() > SEARCH_DIVERSE_MAX {
                let rows = self.rows();
                return Err(Error::invalid(format!(
                    "a diverse search of {rows} rows, those skipped included, is above the limit of {SEARCH_DIVERSE_MAX}"
                )));
            }
        }
        self.width().map_err(|error| error.context("a search"))?;
        self.model.as_ref().map_or(Ok(()), |model| validate_model(model))?;
        self.validate_examples()?;
        self.validate_text()?;
        self.filter.validate()
    }

    /// How wide it is to be, if it says so.
    fn width(&self) -> Result<Option<Width>> {
        let refused = |both: String| Err(Error::invalid(format!("it has {both}")));
        match (self.recall, self.ef) {
            (Some(recall), Some(ef)) => refused(format!("a recall of {recall} and ef {ef}, one of them is possible")),
            (Some(recall), None) if self.exact => {
                refused(format!("a recall of {recall} and is exact, which finds everything"))
            }
            (None, Some(ef)) if self.exact => {
                refused(format!("ef {ef} and is exact, which compares everything and keeps no candidates"))
            }
            (Some(recall), None) => RecallTarget::new(recall).map(|target| Some(Width::Recall(target))),
            (None, Some(ef)) => validate_ef(ef).map(|()| Some(Width::Ef(ef))),
            (None, None) => Ok(None),
        }
    }

    fn validate_examples(&self) -> Result<()> {
        let similar = match &self.target {
            Some(Target::Documents(_, ids)) if ids.is_empty() => {
                return Err(Error::invalid("similar_to names no document, at least one is needed"));
            }
            Some(Target::Documents(_, ids)) => ids.as_slice(),
            _ if !self.unlike.is_empty() => {
                return Err(Error::invalid("unlike needs similar_to(field, documents): nothing else is to be near to"));
            }
            _ => &[],
        };
        let count = similar.len() + self.unlike.len();
        if count > SEARCH_EXAMPLES_MAX {
            return Err(Error::limit_exceeded(format!(
                "a search has {count} examples, the limit is {SEARCH_EXAMPLES_MAX}"
            )));
        }
        similar.iter().chain(&self.unlike).try_for_each(DocumentId::validate)
    }

    /// Chooses the index and makes the vector to be near to. Of examples, the vectors are read.
    pub(super) fn prepare<'a>(&self, session: &Session, name: &str, definition: &'a Definition) -> Result<Wanted<'a>> {
        let Some(target) = &self.target else {
            return Err(Error::invalid(
                "a search needs nearest(field, vector), nearest_text(field, text) or similar_to(field, documents)",
            ));
        };
        let mut left_out = BTreeSet::new();
        let (index, fields, query) = match target {
            Target::Vector(path, vector) => {
                let (index, fields) = self.indexes_for(name, definition, path, Some(vector))?.swap_remove(0);
                check_view(session, index, fields)?;
                let components = searched(fields, vector)?;
                (index, fields, VectorQuery::new(fields.metric, components.as_vector())?)
            }
            Target::Documents(path, ids) => {
                left_out.extend(ids.iter().chain(&self.unlike).cloned());
                let indexes = self.indexes_for(name, definition, path, None)?;
                let average = |index: (&'a IndexDefinition, &'a VectorFields)| {
                    check_view(session, index.0, index.1)?;
                    average(session, name, definition, index, ids, &self.unlike)
                };
                let ((index, fields), average) = first_that_has(indexes, average)?;
                let query = VectorQuery::new(fields.metric, &average);
                (index, fields, query.map_err(|error| error.context("the average of the examples"))?)
            }
            Target::Text(..) => return Err(Error::internal("the text of a search was not embedded")),
        };
        Ok(Wanted {
            index,
            fields,
            query: query.over(fields.copies),
            admission: Admission { filter: self.filter.clone(), left_out, group: None },
            within: self.within,
            min_score: self.min_score,
            width: self.width()?.unwrap_or_else(|| fields.width()),
            exact: self.exact,
            explains: false,
        })
    }

    /// The index of that name, or all on the field that fit, at least one; else the first at all says why it does not.
    fn indexes_for<'a>(
        &self,
        collection: &str,
        definition: &'a Definition,
        path: &Path,
        vector: Option<&Vector>,
    ) -> Result<Vec<(&'a IndexDefinition, &'a VectorFields)>> {
        let (mut fitting, mut misfit) = (Vec::new(), None);
        for index in definition.indexes.iter().filter(|index| index.ready) {
            let IndexFields::Vector(fields) = index.parts()? else { continue };
            if fields.path != *path || self.index.as_ref().is_some_and(|name| *name != index.name) {
                continue;
            }
            match self.check_fit(index, fields, vector) {
                Ok(()) => fitting.push((index, fields)),
                Err(error) => misfit = misfit.or(Some(error)),
            }
        }
        match fitting.is_empty() {
            true => Err(misfit.unwrap_or_else(|| self.no_index(collection, definition, path))),
            false => Ok(fitting),
        }
    }

    pub(super) fn check_fit(
        &self,
        index: &IndexDefinition,
        fields: &VectorFields,
        vector: Option<&Vector>,
    ) -> Result<()> {
        let name = &index.name;
        if let Some(model) = self.model.as_ref().filter(|model| fields.model.as_ref() != Some(*model)) {
            let has = fields.model.as_ref().map_or_else(|| "of no model".to_owned(), |has| format!("of model {has:?}"));
            return Err(Error::invalid(format!("the search is for model {model:?}, index {name:?} is {has}")));
        }
        if let Some(only) = index.only()?
            && !implies(&self.filter, only)
        {
            return Err(Error::invalid(format!(
                "index {name:?} is partial and may lack documents that are asked for: it has only those with {only}"
            )));
        }
        vector.map_or(Ok(()), |vector| searched(fields, vector).map(drop))
    }

    pub(super) fn no_index(&self, collection: &str, definition: &Definition, path: &Path) -> Error {
        let Some(name) = &self.index else {
            return Error::invalid(format!(
                "collection {collection:?} has no complete vector index on {path}: ensure_index one"
            ));
        };
        let refused = |why: String| Error::invalid(format!("the search asks for the index {name:?}, {why}"));
        match definition.indexes.iter().find(|index| index.name == *name) {
            None => refused(format!("which collection {collection:?} does not have")),
            Some(index) if !index.ready => refused("which is not complete yet".to_owned()),
            Some(index) => refused(format!("which is on {}, not on vectors in {path}", index.describe())),
        }
    }
}

/// The first of some indexes that has all examples, with their average; else the error of the first of them.
fn first_that_has<'a>(
    indexes: Vec<(&'a IndexDefinition, &'a VectorFields)>,
    average: impl Fn((&'a IndexDefinition, &'a VectorFields)) -> Result<Vec<f32>>,
) -> Result<((&'a IndexDefinition, &'a VectorFields), Vec<f32>)> {
    let mut refused = None;
    for index in indexes {
        match average(index) {
            Ok(average) => return Ok((index, average)),
            Err(error) if error.kind() == ErrorKind::Invalid => refused = refused.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(refused.unwrap_or_else(|| Error::internal("no index was asked for examples")))
}

/// What to be near to, of the kind and the dimension of an index.
fn searched(fields: &VectorFields, vector: &Vector) -> Result<Components> {
    let components = Components::of(&Value::Vector(vector.clone()), fields.metric)?;
    let (found, needed, path) = (components.as_vector().dimension(), fields.dimension, &fields.path);
    match found == needed {
        true => Ok(components),
        false => Err(Error::invalid(format!(
            "the vector searched for has {found} components, the index on {path} has {needed}"
        ))),
    }
}
