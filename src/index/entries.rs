//! The entries of a document in an index.
//!
//! An entry of an index over fields is a key without a value: the number of the index, one value for each field, the
//! id of the document in the order of the last field. One more key of the index, [`MULTI_ENTRY`], says that some document has or
//! had several entries. An entry of a vector index is the number of the index and the id, its value the numbers.

use std::collections::{BTreeMap, BTreeSet};

use blaze_core::key::{self, Order};
use blaze_core::limits::{INDEX_ENTRIES_PER_DOCUMENT_MAX, INDEX_ENTRY_BYTES_MAX};
use blaze_core::{Document, DocumentId, Error, KeyRange, Path, Result, Value, Vector, traverse};
use blaze_vector::Metric;

use super::{IndexDefinition, IndexFields};
use crate::catalog::{prefix, prefixed};

/// What follows the number of the index in the key that marks it as one with several entries for some document.
///
/// No entry begins with this byte, see [`blaze_core::key`].
pub(crate) const MULTI_ENTRY: &[u8] = &[0xFF];

/// The entries of one document in one index: keys, each with the value under it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Entries {
    pub(crate) entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Entries {
    pub(crate) fn of(index: &IndexDefinition, id: &DocumentId, document: &Document) -> Result<Entries> {
        let entries = match index.parts()? {
            IndexFields::Fields(fields) => field_entries(index.id, fields, id, document),
            IndexFields::Vector { path, dimension, metric } => {
                vector_entry(index.id, path, *dimension, *metric, id, document)
            }
        };
        let entries = entries.map_err(|error| error.context(format!("index {:?}, document {id:?}", index.name)))?;
        Ok(Entries { entries })
    }
}

fn field_entries(
    index: u32,
    fields: &[(Path, Order)],
    id: &DocumentId,
    document: &Document,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut keys = vec![prefix(index).to_vec()];
    for (path, order) in fields {
        let values = encodings(document, path, *order);
        let count = keys.len().saturating_mul(values.len());
        if count > INDEX_ENTRIES_PER_DOCUMENT_MAX {
            return Err(Error::limit_exceeded(format!(
                "the document would have {count} entries, the limit is {INDEX_ENTRIES_PER_DOCUMENT_MAX}"
            )));
        }
        let extended = |key: &Vec<u8>| values.iter().map(|value| [key, value.as_slice()].concat()).collect::<Vec<_>>();
        keys = keys.iter().flat_map(extended).collect();
    }
    for key in &mut keys {
        write_id(key, id, id_order(fields));
        if key.len() > INDEX_ENTRY_BYTES_MAX {
            let bytes = key.len();
            return Err(Error::limit_exceeded(format!(
                "an entry would have {bytes} bytes, the limit is {INDEX_ENTRY_BYTES_MAX}"
            )));
        }
    }
    Ok(keys.into_iter().map(|key| (key, Vec::new())).collect())
}

/// What a field of a document is in an index: the encodings of all values that the path reaches, and of the elements of
/// those that are arrays; of nothing, if there are none.
fn encodings(document: &Document, path: &Path, order: Order) -> BTreeSet<Vec<u8>> {
    let mut encodings = BTreeSet::new();
    traverse::visit(document, path, &mut |value| {
        let mut whole = Vec::new();
        key::write_value(&mut whole, value, order);
        encodings.insert(whole);
        for element in value.as_array().unwrap_or_default() {
            let mut encoding = Vec::new();
            key::write_element(&mut encoding, element, order);
            encodings.insert(encoding);
        }
    });
    if encodings.is_empty() {
        let mut missing = Vec::new();
        key::write_missing(&mut missing, order);
        encodings.insert(missing);
    }
    encodings
}

fn vector_entry(
    index: u32,
    path: &Path,
    dimension: usize,
    metric: Metric,
    id: &DocumentId,
    document: &Document,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut reached = Vec::new();
    traverse::visit(document, path, &mut |value| reached.push(value));
    let value = match reached.as_slice() {
        [] | [Value::Null] => return Ok(BTreeMap::new()),
        [value] => *value,
        several => {
            let count = several.len();
            return Err(Error::invalid(format!("the path {path} reaches {count} values, a vector index holds one")));
        }
    };
    let numbers = numbers(value).map_err(|error| error.context(path))?;
    blaze_vector::validate(metric, dimension, numbers.as_slice()).map_err(|error| error.context(path))?;
    let mut key = prefix(index).to_vec();
    id.write_key(&mut key);
    let mut value = Vec::with_capacity(4 * dimension);
    blaze_vector::write_vector(numbers.as_slice(), &mut value);
    Ok(BTreeMap::from([(key, value)]))
}

/// The components of a vector, or of an array of numbers.
fn numbers(value: &Value) -> Result<Vec<f32>> {
    let other = |value: &Value| Error::invalid(format!("found {}, a vector is needed", value.type_name()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a vector has single precision")]
    let number = |(position, element): (usize, &Value)| match element {
        Value::Float(float) => Ok(*float as f32),
        Value::Int(int) => Ok(*int as f32),
        Value::UInt(int) => Ok(*int as f32),
        element => Err(Error::invalid(format!("component {position} is {}, a number is needed", element.type_name()))),
    };
    match value {
        Value::Vector(Vector::F32(numbers)) => Ok(numbers.clone()),
        Value::Vector(vector) => vector.to_f32().ok_or_else(|| other(value)),
        Value::Array(elements) => elements.iter().enumerate().map(number).collect(),
        value => Err(other(value)),
    }
}

/// All entries of an index over fields, without its marker.
pub(crate) fn scan_range(index: u32) -> KeyRange {
    KeyRange::new(prefix(index), Some(prefixed(index, MULTI_ENTRY)))
}

/// The order in which ids follow equal values: that of the last field, so that reading an index backwards is the
/// exact reverse.
pub(crate) fn id_order(fields: &[(Path, Order)]) -> Order {
    fields.last().map_or(Order::Ascending, |(_, order)| *order)
}

/// Appends an id to an entry.
pub(crate) fn write_id(key: &mut Vec<u8>, id: &DocumentId, order: Order) {
    let value = match id {
        DocumentId::Int(int) => Value::Int(*int),
        DocumentId::UInt(int) => Value::UInt(*int),
        DocumentId::String(string) => Value::String(string.clone()),
        DocumentId::Bytes(bytes) => Value::Bytes(bytes.clone()),
        DocumentId::Uuid(uuid) => Value::Uuid(*uuid),
    };
    key::write_value(key, &value, order);
}

/// The id at the end of an entry, and the encoded values before it.
pub(crate) fn read_id<'a>(entry: &'a [u8], fields: &[(Path, Order)]) -> Result<(&'a [u8], DocumentId)> {
    let damaged = || Error::corruption(format!("{entry:02x?} is not an entry of an index"));
    let values = entry.get(4..).ok_or_else(damaged)?;
    let mut rest = values;
    for (_, order) in fields {
        key::skip_value(&mut rest, *order)?;
    }
    let encoded = &values[..values.len() - rest.len()];
    let value = key::read_value(&mut rest, id_order(fields))?.ok_or_else(damaged)?;
    let id = match value {
        Value::String(string) => DocumentId::String(string),
        Value::Bytes(bytes) => DocumentId::Bytes(bytes),
        Value::Uuid(uuid) => DocumentId::Uuid(uuid),
        number => integer_id(&number).ok_or_else(damaged)?,
    };
    Ok((encoded, id))
}

/// A number in a key comes back as some number equal to what was written.
fn integer_id(number: &Value) -> Option<DocumentId> {
    match number {
        Value::Int(int) => Some((*int).into()),
        Value::UInt(int) => Some((*int).into()),
        #[expect(clippy::cast_possible_truncation, reason = "compared right after")]
        Value::Float(float) => {
            let int = *float as i64;
            let same = Value::Int(int) == *number;
            let unsigned = *float as u64;
            if same { Some(int.into()) } else { (Value::UInt(unsigned) == *number).then(|| unsigned.into()) }
        }
        _ => None,
    }
}
