//! What a filter says of ids: which records a scan must read.

use blaze_core::{DocumentId, Filter, ID_FIELD, KeyRange, Path, Predicate, Value};

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

/// True if a filter says which one document it can match: then nothing is found faster than by its id.
pub(super) fn is_said(filter: &Filter) -> bool {
    let says_one = |predicate: &Predicate| match predicate {
        Predicate::Eq(value) => around(0, std::slice::from_ref(value)).is_some(),
        Predicate::In(values) => values.len() == 1 && around(0, values).is_some(),
        _ => false,
    };
    let is_id = |path: &Path| matches!(path.segments(), [only] if only.key() == ID_FIELD);
    filter.conjuncts().any(|(path, predicate)| is_id(path) && says_one(predicate))
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
