//! What a filter says of ids: which records a scan must read.

use blaze_core::{DocumentId, Filter, ID_FIELD, KeyRange, Predicate, Value};

use crate::catalog::prefix;
use crate::collection::document_key;

/// A range of keys with all records of a collection that a filter can match.
pub(super) fn records(collection: u32, filter: &Filter) -> KeyRange {
    let of_id = filter.conjuncts().filter(|(path, _)| matches!(path.segments(), [only] if only.key() == ID_FIELD));
    let ranges = of_id.filter_map(|(_, predicate)| match predicate {
        Predicate::Eq(value) => around(collection, std::slice::from_ref(value)),
        Predicate::In(values) => around(collection, values),
        _ => None,
    });
    ranges.fold(KeyRange::prefix(&prefix(collection)), |all, range| all.intersect(&range))
}

/// True if a filter says which ids its documents have: then nothing is found faster than by them.
pub(super) fn are_said(filter: &Filter) -> bool {
    records(0, filter) != KeyRange::prefix(&prefix(0))
}

/// From the first to the last of the ids; none if a value equals more than one id, or none.
fn around(collection: u32, values: &[Value]) -> Option<KeyRange> {
    let key = |value: &Value| match value {
        Value::Int(_) | Value::UInt(_) | Value::String(_) | Value::Bytes(_) | Value::Uuid(_) => {
            DocumentId::try_from(value.clone()).ok().map(|id| document_key(collection, &id))
        }
        _ => None,
    };
    let keys = values.iter().map(key).collect::<Option<Vec<_>>>()?;
    let (first, last) = (keys.iter().min()?, keys.iter().max()?);
    Some(KeyRange::new(first.as_slice(), Some([last.as_slice(), &[0]].concat())))
}
