//! What a filter says of ids: which records a scan must read.

use blaze_core::{DocumentId, Filter, ID_FIELD, KeyRange, PARENT_FIELD, Path, Predicate, Value};

use crate::catalog::{Definition, prefix};
use crate::collection::{document_key, records_below};

/// A range of keys with all records of a collection that a filter can match.
pub(super) fn records(definition: &Definition, filter: &Filter) -> KeyRange {
    let parent = parent(definition, filter);
    let all = match &parent {
        Some(parent) => records_below(definition.id, parent),
        None => KeyRange::prefix(&prefix(definition.id)),
    };
    if parent.is_none() && definition.parent.is_some() {
        return all; // documents of different parents have the same id
    }
    let ranges = said_of(filter, ID_FIELD).filter_map(|values| around(definition.id, parent.as_ref(), values));
    ranges.fold(all, |all, range| all.intersect(&range))
}

/// The records of the one parent below which a filter asks for documents, if it is of a subcollection and says it.
pub(super) fn records_of_parent(definition: &Definition, filter: &Filter) -> Option<KeyRange> {
    parent(definition, filter).map(|_| records(definition, filter))
}

fn parent(definition: &Definition, filter: &Filter) -> Option<DocumentId> {
    definition.parent.as_ref()?;
    said_of(filter, PARENT_FIELD).find_map(|values| match values {
        [value] => plain_id(value),
        _ => None,
    })
}

/// True if a filter says which one document it can match: then nothing is found faster than by its id.
pub(super) fn is_said(definition: &Definition, filter: &Filter) -> bool {
    let says_parent = definition.parent.is_none() || parent(definition, filter).is_some();
    says_parent && said_of(filter, ID_FIELD).any(|values| values.len() == 1 && around(0, None, values).is_some())
}

/// The values of which a filter asks a field to have one.
fn said_of<'a>(filter: &'a Filter, field: &str) -> impl Iterator<Item = &'a [Value]> {
    let is_field = move |path: &Path| matches!(path.segments(), [only] if only.key() == field);
    filter.conjuncts().filter(move |(path, _)| is_field(path)).filter_map(|(_, predicate)| match predicate {
        Predicate::Eq(value) => Some(std::slice::from_ref(value)),
        Predicate::In(values) => Some(values.as_slice()),
        _ => None,
    })
}

/// The one id that a value equals.
fn plain_id(value: &Value) -> Option<DocumentId> {
    match value {
        Value::Int(_) | Value::UInt(_) | Value::String(_) | Value::Bytes(_) | Value::Uuid(_) => {
            DocumentId::try_from(value.clone()).ok()
        }
        _ => None,
    }
}

/// From the first to the last of the ids; none if a value equals more than one id, or none.
fn around(collection: u32, parent: Option<&DocumentId>, values: &[Value]) -> Option<KeyRange> {
    let key = |value: &Value| {
        let own = plain_id(value)?;
        let id = parent.map_or_else(|| own.clone(), |parent| DocumentId::child(parent, &own));
        Some(document_key(collection, &id))
    };
    let keys = values.iter().map(key).collect::<Option<Vec<_>>>()?;
    let (first, last) = (keys.iter().min()?, keys.iter().max()?);
    Some(KeyRange::new(first.as_slice(), Some([last.as_slice(), &[0]].concat())))
}
