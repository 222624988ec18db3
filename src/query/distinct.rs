//! The different values of a field.

use std::collections::BTreeSet;
use std::sync::Arc;

use blaze_core::key::{self, Order};
use blaze_core::limits::DISTINCT_BYTES_MAX;
use blaze_core::{Direction, Error, Family, Filter, KeyRange, Path, Result, Value};

use super::{Hint, Query};
use crate::catalog::{Definition, prefix};
use crate::index::{IndexDefinition, IndexFields, Traits, scan_range};
use crate::session::Session;

/// Entries of one value that are stepped over before the rest of them is leapt over.
const STEPS_MAX: u32 = 8;

/// Bytes that a value takes beside its encoding.
const VALUE_BYTES: usize = 64;

/// Different values in their order, in bounded memory.
#[derive(Debug, Default)]
struct Values {
    encodings: BTreeSet<Vec<u8>>,
    bytes: usize,
}

impl<T> Query<T> {
    /// The different values that a path reaches in the documents of the answer, in their order. An array counts as its
    /// elements; a missing field counts as nothing. Of equal numbers of different types there is one, in the shortest type.
    ///
    /// Without a filter, an index that begins with the path is leapt through from value to value: that takes time linear in
    /// the number of values, not of documents.
    ///
    /// ```
    /// use blaze::{Database, Document, Value};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert(&Document::new().with("genres", vec![Value::from("Drama"), "Mystery".into()]))?;
    /// films.insert(&Document::new().with("genres", vec![Value::from("Drama")]))?;
    /// assert_eq!(films.find_all().distinct("genres")?, [Value::from("Drama"), "Mystery".into()]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the values take more than
    /// [`DISTINCT_BYTES_MAX`](crate::limits::DISTINCT_BYTES_MAX); [`Invalid`](crate::ErrorKind::Invalid) when the path is
    /// not well-formed; else as [`run`](Query::run).
    pub fn distinct(&self, path: impl Into<Path>) -> Result<Vec<Value>> {
        let path = path.into();
        path.validate().map_err(|error| error.context("in distinct"))?;
        self.validate()?;
        self.collection.read(|session, definition| {
            let mut values = Values::default();
            match self.index_of_all(session, definition, &path)? {
                Some((index, order)) => leap(session, index, order, &mut values)?,
                None => self.read_values(session, definition, &path, &mut values)?,
            }
            values.into_vec()
        })
    }

    /// A complete index that begins with the path and has an entry for each document, if all of them are asked for.
    fn index_of_all<'a>(
        &self,
        session: &Session,
        definition: &'a Definition,
        path: &Path,
    ) -> Result<Option<(&'a IndexDefinition, Order)>> {
        let asks_for_all = self.filter == Filter::everything() && self.skip == 0 && self.limit.is_none();
        if !asks_for_all || session.is_as_of() || self.hint == Some(Hint::Scan) {
            return Ok(None);
        }
        for index in definition.indexes.iter().filter(|index| index.ready) {
            if index.only()?.is_some() {
                continue; // it lacks documents
            }
            let is_asked_for = match &self.hint {
                Some(Hint::Index(name)) => index.name == *name,
                _ => true,
            };
            if let IndexFields::Fields(fields) = index.parts()?
                && let Some((of, order)) = fields.first()
                && of == path
                && is_asked_for
                && !Traits::of(session, index)?.has_cut
            {
                return Ok(Some((index, *order)));
            }
        }
        Ok(None)
    }

    fn read_values(
        &self,
        session: &Arc<Session>,
        definition: &Definition,
        path: &Path,
        values: &mut Values,
    ) -> Result<()> {
        let sort = if self.limit.is_some() || self.skip > 0 { self.sort.clone() } else { Vec::new() };
        let query = Query { sort, ..self.clone() };
        let plan = query.plan(session, definition, true)?;
        let mut records = query.records_of(session, definition, &plan)?;
        while let Some((id, record)) = records.next()? {
            record.document().with_id(&id).visit(path, &mut |value| match value {
                Value::Array(elements) => elements.iter().try_for_each(|element| values.add(element)),
                value => values.add(&value),
            })?;
        }
        Ok(())
    }
}

/// Goes through an index from value to value.
fn leap(session: &Session, index: &IndexDefinition, order: Order, values: &mut Values) -> Result<()> {
    let arrays = [&prefix(index.id)[..], &[key::class_range(&Value::Array(Vec::new()), order).end]].concat();
    let mut cursor = session.cursor(Family::Index, &scan_range(index.id), Direction::Forward)?;
    let (mut last, mut steps) = (Vec::new(), 0);
    while let Some((entry, _)) = cursor.next()? {
        let mut rest = entry.get(4..).ok_or_else(|| Error::corruption("an entry is shorter than its number"))?;
        key::skip_value(&mut rest, order)?;
        let end = entry.len() - rest.len();
        if entry[..end] == last {
            steps += 1;
            if steps >= STEPS_MAX {
                match KeyRange::prefix(&last).end() {
                    Some(next) => cursor.seek(next)?,
                    None => break,
                }
            }
            continue;
        }
        (last, steps) = (entry[..end].to_vec(), 0);
        let mut encoded = &last[4..];
        let is_element = encoded.first() == Some(&key::element_tag(order));
        match key::read_value(&mut encoded, order)? {
            // Its elements have entries of their own.
            Some(Value::Array(_)) if !is_element => cursor.seek(&arrays)?,
            Some(value) => values.add(&value)?,
            None => {}
        }
    }
    Ok(())
}

impl Values {
    fn add(&mut self, value: &Value) -> Result<()> {
        let mut encoding = Vec::new();
        key::write_value(&mut encoding, value, Order::Ascending);
        let bytes = encoding.len() + VALUE_BYTES;
        if !self.encodings.insert(encoding) {
            return Ok(());
        }
        self.bytes += bytes;
        match self.bytes {
            0..=DISTINCT_BYTES_MAX => Ok(()),
            bytes => Err(Error::limit_exceeded(format!(
                "the different values take {bytes} bytes, the limit is {DISTINCT_BYTES_MAX}: narrow the query"
            ))),
        }
    }

    fn into_vec(self) -> Result<Vec<Value>> {
        let read = |encoding: Vec<u8>| {
            let value = key::read_value(&mut encoding.as_slice(), Order::Ascending)?;
            value.ok_or_else(|| Error::corruption("a value is read back as a missing one"))
        };
        self.encodings.into_iter().map(read).collect()
    }
}
