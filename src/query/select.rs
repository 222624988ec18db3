//! Parts of documents.

use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Error, Path, Result, Value};

use super::Query;
use super::run::{Records, Row};

/// A step of a path, and those behind it.
type Steps<'a> = &'a [blaze_core::Segment];

/// A query of which parts of the documents are answered, made by [`Query::select`] or [`Query::without`].
#[derive(Clone, Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct Select<T> {
    query: Query<T>,
    selection: Selection,
}

/// Which parts.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    Only(Vec<Path>),
    Without(Vec<Path>),
}

/// Parts of a document. It is no document, so that it is not put in the place of one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PartialRow {
    /// The id of the document.
    pub id: DocumentId,
    /// The parts that were asked for, in the maps and arrays that they stand in.
    pub fields: Document,
}

/// Parts of the documents of an answer, one after another; see [`Select::iter`].
#[derive(Debug)]
pub struct PartialRows {
    records: Records,
    selection: Selection,
    failed: bool,
}

impl<T> Query<T> {
    /// Answers only what these paths reach, in the maps and arrays that it stands in. Of each document, only the fields of
    /// the first level that are asked for are decoded; where an index has all of them exactly, no document is read. An
    /// element of an array that a number does not choose is left out, unless it is a map.
    ///
    /// ```
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// let rating = Document::new().with("stars", 5).with("votes", 1_000);
    /// films.insert_with_id(1, &Document::new().with("title", "Solaris").with("text", "long").with("rating", rating))?;
    /// let rows = films.find_all().select(["title", "rating.stars"]).run()?;
    /// let expected = Document::new().with("title", "Solaris").with("rating", Document::new().with("stars", 5));
    /// assert_eq!(rows[0].fields, expected);
    /// assert_eq!(films.find_all().without(["text", "rating"]).run()?[0].fields, Document::new().with("title", "Solaris"));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn select<P: Into<Path>>(self, paths: impl IntoIterator<Item = P>) -> Select<T> {
        Select { query: self, selection: Selection::only(paths) }
    }

    /// Answers everything but what these paths reach. What is left out of the first level is not decoded.
    pub fn without<P: Into<Path>>(self, paths: impl IntoIterator<Item = P>) -> Select<T> {
        Select { query: self, selection: Selection::without(paths) }
    }
}

impl<T> Select<T> {
    /// All rows of the answer.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when a path is not well-formed, or none is given to select; else as
    /// [`Query::run`].
    pub fn run(&self) -> Result<Vec<PartialRow>> {
        self.iter()?.collect()
    }

    /// The first row of the answer, if there is one.
    ///
    /// # Errors
    /// As [`run`](Select::run).
    pub fn first(&self) -> Result<Option<PartialRow>> {
        let limit = self.query.limit.unwrap_or(1).min(1);
        let first = Select { query: self.query.clone().limit(limit), selection: self.selection.clone() };
        first.iter()?.next().transpose()
    }

    /// The rows of the answer, one after another.
    ///
    /// # Errors
    /// As [`run`](Select::run), here or in an item.
    pub fn iter(&self) -> Result<PartialRows> {
        self.selection.validate()?;
        let query = &self.query;
        query.validate()?;
        let records = query.collection.read(|session, definition| {
            let plan = query.plan(session, definition, true)?;
            query.records_of(session, definition, &plan)
        })?;
        Ok(PartialRows { records, selection: self.selection.clone(), failed: false })
    }
}

impl Selection {
    /// What these paths reach.
    pub(crate) fn only<P: Into<Path>>(paths: impl IntoIterator<Item = P>) -> Selection {
        Selection::Only(paths.into_iter().map(Into::into).collect())
    }

    /// Everything but what these paths reach.
    pub(crate) fn without<P: Into<Path>>(paths: impl IntoIterator<Item = P>) -> Selection {
        Selection::Without(paths.into_iter().map(Into::into).collect())
    }

    fn paths(&self) -> &[Path] {
        match self {
            Selection::Only(paths) | Selection::Without(paths) => paths,
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if matches!(self, Selection::Only(paths) if paths.is_empty()) {
            return Err(Error::invalid("select names no path, at least one is needed"));
        }
        self.paths().iter().try_for_each(Path::validate).map_err(|error| error.context("in a selection"))
    }

    /// The selected parts of a record.
    pub(crate) fn of(&self, id: &DocumentId, record: &Record<'_>) -> Result<Document> {
        let document = record.document().with_id(id);
        let paths: Vec<Steps<'_>> = self.paths().iter().map(Path::segments).collect();
        let first = |path: &Steps<'_>, key: &str| path.first().is_some_and(|first| first.key() == key);
        match self {
            Selection::Only(_) => {
                let fields = document.decode_fields(&|key| paths.iter().any(|path| first(path, key)))?;
                Ok(kept_of_map(fields, &paths))
            }
            Selection::Without(_) => {
                let is_gone = |key: &str| paths.iter().any(|path| path.len() == 1 && first(path, key));
                let fields = document.decode_fields(&|key| !is_gone(key))?;
                Ok(rest_of_map(fields, &paths))
            }
        }
    }
}

/// The paths that go on behind a key.
fn behind<'a>(paths: &[Steps<'a>], key: &str) -> Vec<Steps<'a>> {
    paths.iter().filter_map(|path| path.split_first().filter(|(first, _)| first.key() == key)).map(|(_, r)| r).collect()
}

/// The paths that go on behind an element that they choose by its number.
fn behind_number<'a>(paths: &[Steps<'a>], number: usize) -> Vec<Steps<'a>> {
    let chooses = |path: &&Steps<'a>| path.first().is_some_and(|first| first.index() == Some(number));
    paths.iter().filter(chooses).map(|path| &path[1..]).collect()
}

fn kept_of_map(map: Document, paths: &[Steps<'_>]) -> Document {
    let kept = map.into_iter().filter_map(|(key, value)| {
        let inside = behind(paths, &key);
        let value = kept(value, &inside)?;
        Some((key, value))
    });
    kept.collect()
}

/// What paths reach within a value, all of it at the end of one of them.
fn kept(value: Value, paths: &[Steps<'_>]) -> Option<Value> {
    if paths.is_empty() {
        return None;
    }
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value);
    }
    match value {
        Value::Map(map) => Some(Value::Map(kept_of_map(map, paths))),
        Value::Array(elements) => {
            let elements = elements.into_iter().enumerate().filter_map(|(number, element)| {
                let mut inside = behind_number(paths, number);
                if matches!(element, Value::Map(_)) {
                    inside.extend(paths);
                }
                kept(element, &inside)
            });
            Some(Value::Array(elements.collect()))
        }
        _ => None,
    }
}

fn rest_of_map(map: Document, paths: &[Steps<'_>]) -> Document {
    let left = map.into_iter().filter_map(|(key, value)| {
        let inside = behind(paths, &key);
        let value = rest(value, &inside)?;
        Some((key, value))
    });
    left.collect()
}

/// What paths do not reach within a value.
fn rest(value: Value, paths: &[Steps<'_>]) -> Option<Value> {
    if paths.is_empty() {
        return Some(value);
    }
    if paths.iter().any(|path| path.is_empty()) {
        return None;
    }
    match value {
        Value::Map(map) => Some(Value::Map(rest_of_map(map, paths))),
        Value::Array(elements) => {
            let elements = elements.into_iter().enumerate().filter_map(|(number, element)| {
                let mut inside = behind_number(paths, number);
                if matches!(element, Value::Map(_)) {
                    inside.extend(paths);
                }
                rest(element, &inside)
            });
            Some(Value::Array(elements.collect()))
        }
        value => Some(value),
    }
}

impl Iterator for PartialRows {
    type Item = Result<PartialRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = self.next_row();
        self.failed = row.is_err();
        row.transpose()
    }
}

impl PartialRows {
    fn next_row(&mut self) -> Result<Option<PartialRow>> {
        let covered = match &self.selection {
            Selection::Only(paths) => Some(paths.as_slice()),
            Selection::Without(_) => None,
        };
        let Some((id, row)) = self.records.next_row(covered)? else { return Ok(None) };
        let fields = match row {
            Row::Fields(fields) => fields,
            Row::Record(record) => {
                self.selection.of(&id, &record).map_err(|error| error.context(format!("document {id:?}")))?
            }
        };
        Ok(Some(PartialRow { id, fields }))
    }
}
