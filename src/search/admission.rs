//! Which documents may be hits.

use std::collections::BTreeSet;

use blaze_core::record::{RawDocument, Record};
use blaze_core::{DocumentId, Family, Filter, Path, Result, Value};

use crate::catalog::Definition;
use crate::collection::document_key;
use crate::session::Session;

/// Which documents may be hits: those that match a filter, but for some, and that stand in a group if one is asked for.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) filter: Filter,
    /// Examples, which are no answers.
    pub(super) left_out: BTreeSet<DocumentId>,
    pub(super) group: Option<(Path, GroupTest)>,
}

/// Which groups a document must stand in.
#[derive(Clone, Debug)]
pub(super) enum GroupTest {
    /// In one at least that is not among these.
    BesideThese(BTreeSet<Value>),
    /// In this one.
    In(Value),
}

impl Admission {
    /// True if every document is admitted.
    pub(super) fn is_of_all(&self) -> bool {
        !self.needs_document() && self.left_out.is_empty()
    }

    /// True if a document must be read to tell whether it is admitted.
    pub(super) fn needs_document(&self) -> bool {
        self.filter != Filter::everything() || self.group.is_some()
    }

    /// True if a document is admitted.
    pub(super) fn admits(&self, session: &Session, definition: &Definition, id: &DocumentId) -> Result<bool> {
        self.admits_by(session, definition, id, |record| {
            Ok(self.filter.matches_raw(record)? && self.admits_group(record)?)
        })
    }

    /// True if a document that matches the filter is admitted.
    pub(super) fn admits_match(&self, session: &Session, definition: &Definition, id: &DocumentId) -> Result<bool> {
        match self.group {
            Some(_) => self.admits_by(session, definition, id, |record| self.admits_group(record)),
            None => Ok(!self.left_out.contains(id)),
        }
    }

    /// True if a document that matches the filter is admitted, by its record.
    pub(super) fn admits_record(&self, id: &DocumentId, record: &RawDocument<'_>) -> Result<bool> {
        Ok(!self.left_out.contains(id) && self.admits_group(record)?)
    }

    fn admits_by(
        &self,
        session: &Session,
        definition: &Definition,
        id: &DocumentId,
        check: impl Fn(&RawDocument<'_>) -> Result<bool>,
    ) -> Result<bool> {
        if self.left_out.contains(id) {
            return Ok(false);
        }
        if !self.needs_document() {
            return Ok(true);
        }
        let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
        let mut admits = false;
        session.visit(Family::Data, &document_key(definition.id, id), &mut |bytes| {
            let record = Record::open(bytes, &dictionary);
            admits = record
                .and_then(|record| check(&record.document().with_id(id)))
                .map_err(|error| error.context(format!("document {id:?}")))?;
            Ok(())
        })?;
        Ok(admits)
    }

    fn admits_group(&self, record: &RawDocument<'_>) -> Result<bool> {
        let Some((path, test)) = &self.group else { return Ok(true) };
        let keys = group_keys(record, path)?;
        Ok(match test {
            GroupTest::BesideThese(these) => keys.iter().any(|key| !these.contains(key)),
            GroupTest::In(this) => keys.contains(this),
        })
    }
}

/// The groups that a document stands in: the values that a path reaches, an array as its elements; null is none.
pub(super) fn group_keys(record: &RawDocument<'_>, path: &Path) -> Result<BTreeSet<Value>> {
    let mut keys = BTreeSet::new();
    record.visit(path, &mut |value| {
        match value {
            Value::Array(elements) => keys.extend(elements),
            value => keys.extend([value]),
        }
        Ok(())
    })?;
    keys.remove(&Value::Null);
    Ok(keys)
}
