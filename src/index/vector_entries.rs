//! The entries of a document in an index on vectors.
//!
//! The value of an entry is the numbers of a vector in the precision that the index keeps, or its bits: a row. Of an index of one
//! vector for each document, its key is the number of the index and the id. Of an index of several, [`SEPARATOR`] and the number
//! of the row in its document stand behind the id, in every entry, so that id and number are told apart from the end. No tag
//! within an id is the separator, and no text has it: but for ids of bytes, the entries of a document stand together.

use blaze_core::limits::VECTORS_PER_DOCUMENT_MAX;
use blaze_core::record::RawDocument;
use blaze_core::{Direction, DocumentId, Error, Family, KeyRange, Result};

use super::chunks::{hash, numbered, vectors_in};
use super::subject::Subject;
use super::{OnMismatch, VectorFields};
use crate::catalog::prefix;
use crate::embedding::{SourceText, TextBuilder};
use crate::session::Session;

/// What stands behind the id in an entry of an index of several vectors.
const SEPARATOR: u8 = 0xFF;

/// Bytes of the number of a row in its document.
const NUMBER_BYTES: usize = 8;

/// The entries of a document, by their keys.
pub(super) fn vector_entries(
    index: u32,
    fields: &VectorFields,
    id: &DocumentId,
    subject: Subject<'_>,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    if !fields.several {
        return Ok(one_row(fields, subject)?.map(|row| (vector_key(index, id), row)).into_iter().collect());
    }
    let rows = rows_in_order(fields, subject)?.into_iter().map(|(_, row)| row);
    let mut begin = vector_key(index, id);
    begin.push(SEPARATOR);
    let key = |number: u64| [begin.as_slice(), &number.to_be_bytes()].concat();
    Ok(numbered(rows, hash).into_iter().map(|(number, row)| (key(number), row)).collect())
}

/// The row of a document in an index of one vector for each, if it has one.
fn one_row(fields: &VectorFields, subject: Subject<'_>) -> Result<Option<Vec<u8>>> {
    let path = &fields.path;
    let reached = subject.reached(path)?;
    let value = match reached.as_slice() {
        [] => return Ok(None),
        [value] if value.is_null() => return Ok(None),
        [value] => value,
        several if fields.on_mismatch == OnMismatch::Fail => {
            let count = several.len();
            return Err(Error::invalid(format!(
                "the path {path} reaches {count} values, this vector index holds one: Index::vectors holds several"
            )));
        }
        _ => return Ok(None),
    };
    let mut row = Vec::with_capacity(fields.copies.bytes(fields.dimension));
    let is_indexed = fields.write_row(value, &mut row).map_err(|error| error.context(path))?;
    Ok(is_indexed.then_some(row))
}

/// The text of a document that an index embeds, if it does and there is any.
pub(super) fn source_text(fields: &VectorFields, id: &DocumentId, subject: Subject<'_>) -> Result<Option<SourceText>> {
    let mut text = TextBuilder::default();
    for path in &fields.sources {
        subject.reached(path)?.iter().for_each(|value| text.add(value));
    }
    Ok(text.finish().map(|text| {
        let mut entry = Vec::new();
        id.write_key(&mut entry);
        SourceText { entry, text }
    }))
}

/// The rows of a document in an index of several vectors, each with the place of its vector.
fn rows_in_order(fields: &VectorFields, subject: Subject<'_>) -> Result<Vec<(usize, Vec<u8>)>> {
    let VectorFields { path, .. } = fields;
    let Some((first, rest)) = path.segments().split_first() else { return Ok(Vec::new()) };
    let Some(value) = subject.field(first.key())? else { return Ok(Vec::new()) };
    let vectors = vectors_in(&value, rest);
    if vectors.len() > VECTORS_PER_DOCUMENT_MAX {
        let count = vectors.len();
        return Err(Error::limit_exceeded(format!(
            "the path {path} reaches {count} vectors, the limit for a document is {VECTORS_PER_DOCUMENT_MAX}"
        )));
    }
    let mut rows = Vec::with_capacity(vectors.len());
    for (place, value) in vectors {
        let mut row = Vec::with_capacity(fields.copies.bytes(fields.dimension));
        let is_indexed = fields.write_row(value, &mut row);
        if is_indexed.map_err(|error| error.context(format!("{path}, vector {place}")))? {
            rows.push((place, row));
        }
    }
    Ok(rows)
}

/// The rows that a record has in an index of several vectors, each with the place of its vector.
pub(crate) fn placed_rows(fields: &VectorFields, record: &RawDocument<'_>) -> Result<Vec<(usize, Vec<u8>)>> {
    rows_in_order(fields, Subject::Record(record))
}

/// What the keys of all vectors of a document in an index begin with: of an index of one vector for each, the whole key.
fn vector_key(index: u32, id: &DocumentId) -> Vec<u8> {
    let mut key = prefix(index).to_vec();
    id.write_key(&mut key);
    key
}

/// The id in an entry of an index on vectors, without the number of the index; as bytes, which are the same for the same document.
pub(crate) fn id_bytes(entry: &[u8], several: bool) -> Result<&[u8]> {
    if !several {
        return Ok(entry);
    }
    let split = entry.len().checked_sub(1 + NUMBER_BYTES).map(|at| entry.split_at(at));
    match split {
        Some((id, [SEPARATOR, ..])) => Ok(id),
        _ => Err(Error::corruption(format!(
            "{entry:02x?} is not an entry of an index of several vectors for each document"
        ))),
    }
}

/// The document that an entry of an index on vectors is of, without the number of the index.
pub(crate) fn vector_id(entry: &[u8], several: bool) -> Result<DocumentId> {
    DocumentId::read_key(id_bytes(entry, several)?)
}

/// Calls `visit` with the rows of a document in an index, in the order of their keys; answers how many there are.
pub(crate) fn visit_rows(
    session: &Session,
    index: u32,
    fields: &VectorFields,
    id: &DocumentId,
    visit: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<u64> {
    let mut begin = vector_key(index, id);
    if !fields.several {
        return session.visit(Family::Vector, &begin, visit).map(u64::from);
    }
    begin.push(SEPARATOR);
    let mut count = 0;
    let mut cursor = session.cursor(Family::Vector, &KeyRange::prefix(&begin), Direction::Forward)?;
    while let Some((key, row)) = cursor.next()? {
        // A longer one is of an id of bytes that goes on with the separator.
        if key.len() == begin.len() + NUMBER_BYTES {
            count += 1;
            visit(row)?;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use blaze_core::{Document, ErrorKind, Path, Value, Vector};
    use proptest::prelude::*;

    use super::*;

    fn entries(document: &Document, id: &DocumentId) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let fields = VectorFields { several: true, ..VectorFields::new(Path::from("c.v"), 2) };
        vector_entries(7, &fields, id, Subject::Document(document))
    }

    fn document(vectors: &[[f32; 2]]) -> Document {
        let chunk = |vector: &[f32; 2]| Value::from(Document::new().with("v", Vector::F32(vector.to_vec())));
        Document::new().with("c", vectors.iter().map(chunk).collect::<Vec<_>>())
    }

    #[test]
    fn entries_do_not_depend_on_the_order_of_the_vectors_and_a_change_of_one_changes_one() {
        let id = DocumentId::from("a");
        let before = entries(&document(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), &id).unwrap();
        assert_eq!(before.len(), 3);
        assert_eq!(entries(&document(&[[5.0, 6.0], [1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]), &id).unwrap(), before);
        let after = entries(&document(&[[5.0, 6.0], [1.0, 2.5], [3.0, 4.0]]), &id).unwrap();
        assert_eq!(after.iter().filter(|entry| !before.contains(entry)).count(), 1);
    }

    #[test]
    fn a_limit_of_vectors_and_the_place_of_a_wrong_one_are_named() {
        let id = DocumentId::from(1);
        let error = entries(&document(&vec![[1.0, 1.0]; VECTORS_PER_DOCUMENT_MAX + 1]), &id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert_eq!(error.to_string(), "the path c.v reaches 4097 vectors, the limit for a document is 4096");
        let error = entries(&document(&[[1.0, 1.0], [1.0, f32::NAN]]), &id).unwrap_err();
        assert!(error.to_string().starts_with("c.v, vector 1: "), "{error}");
    }

    proptest! {
        #[test]
        fn an_entry_has_its_id_and_no_bytes_panic(
            id in prop_oneof![
                any::<i64>().prop_map(DocumentId::from),
                "[a-c]{1,3}".prop_map(DocumentId::from),
                proptest::collection::vec(prop_oneof![Just(0xFF), any::<u8>()], 1..20).prop_map(DocumentId::Bytes),
                ("[a-c]{1,3}", 0..9).prop_map(DocumentId::from),
            ],
            bytes: Vec<u8>,
        ) {
            for (key, _) in entries(&document(&[[1.0, 2.0], [3.0, 4.0]]), &id).unwrap() {
                prop_assert_eq!(vector_id(&key[4..], true).unwrap(), id.clone());
                prop_assert!(key.starts_with(&vector_key(7, &id)));
            }
            let _ = vector_id(&bytes, true);
        }
    }
}
