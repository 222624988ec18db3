//! Comparing documents with the entries of their indexes, and making them agree, a part at a time.

use std::collections::BTreeMap;

use blaze_core::record::Record;
use blaze_core::{Direction, Document, DocumentId, Error, Family, KeyRange, Result};

use crate::catalog::{self, Definition, Kind, prefix, prefixed};
use crate::collection::document_key;
use crate::embedding::{SourceText, backlog_row, parked_key, pending_key};
use crate::index::{
    Entries, IndexDefinition, IndexFields, Traits, is_entry, owner, read_id, scan_range, vector_id, violation,
};
use crate::session::Session;

/// Documents or entries that one transaction compares.
const BATCH_ENTRIES_MAX: u64 = 256;

/// What one transaction has done.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) entries: u64,
    /// Entries added and removed, by index.
    pub(super) repaired: BTreeMap<String, (u64, u64)>,
    /// What cannot be repaired: the index, if it is about one, the key in it or the id, and why.
    pub(super) problems: Vec<(Option<String>, Vec<u8>, Error)>,
    /// The key from which to go on; none at the end.
    pub(super) next: Option<Vec<u8>>,
}

impl Batch {
    fn count(&mut self, index: &IndexDefinition, added: u64, removed: u64) {
        let counts = self.repaired.entry(index.name.clone()).or_default();
        *counts = (counts.0 + added, counts.1 + removed);
    }
}

/// Sees to it that the documents from a key on have the entries that they should have.
pub(super) fn check_documents(session: &Session, name: &str, from: Option<&[u8]>) -> Result<Batch> {
    let definition = catalog::get(session, name, Kind::Collection)?;
    let mut range = KeyRange::prefix(&prefix(definition.id));
    if let Some(from) = from {
        range = range.intersect(&KeyRange::new(from, None));
    }
    let mut batch = Batch::default();
    let mut cursor = session.cursor(Family::Data, &range, Direction::Forward)?;
    while let Some((key, record)) = cursor.next()? {
        if batch.entries == BATCH_ENTRIES_MAX {
            batch.next = Some(key.to_vec());
            break;
        }
        batch.entries += 1;
        let rest = key.get(4..).unwrap_or_default();
        match DocumentId::read_key(rest).and_then(|id| Ok((decode(session, &definition, record)?, id))) {
            Ok((document, id)) => check_document(session, &definition, &id, &document, &mut batch)?,
            Err(error) => batch.problems.push((None, rest.to_vec(), error)),
        }
    }
    Ok(batch)
}

fn check_document(
    session: &Session,
    definition: &Definition,
    id: &DocumentId,
    document: &Document,
    batch: &mut Batch,
) -> Result<()> {
    for index in definition.indexes.iter().filter(|index| index.ready && !index.is_on_text()) {
        let entries = match Entries::of(index, id, document) {
            Ok(entries) => entries,
            Err(error) => {
                batch.problems.push((Some(index.name.clone()), Vec::new(), error));
                continue;
            }
        };
        if !Traits::of(session, index)?.covers(entries.traits()) {
            entries.traits().remember(session, index)?;
            batch.count(index, 0, 0);
        }
        if let Some(SourceText { entry, .. }) = entries.source() {
            let added = check_embedded(session, index, entry)?;
            if added {
                batch.count(index, 1, 0);
            }
        }
        for (key, value) in entries {
            let found = session.get(index.family(), &key)?;
            match found {
                Some(found) if found == value => continue,
                Some(found) if has_entry(session, definition, index, &found, &key, id)? => {
                    let error = violation(index, &key, id, &owner(&found)?);
                    batch.problems.push((Some(index.name.clone()), key[4..].to_vec(), error));
                    continue;
                }
                Some(_) => batch.count(index, 1, 1),
                None => batch.count(index, 1, 0),
            }
            session.put(index.family(), key, value, None)?;
        }
    }
    Ok(())
}

/// Has a document be embedded whose text has no vector, if nothing else says so; true if that was needed.
fn check_embedded(session: &Session, index: &IndexDefinition, entry: &[u8]) -> Result<bool> {
    let row = session.get(Family::Vector, &prefixed(index.id, entry))?;
    let has_row = row.map_or(Ok(false), |row| index.is_embedded_row(&row))?;
    let mut waits = false;
    for key in [pending_key(index.id, entry), parked_key(index.id, entry)] {
        waits |= session.visit(Family::Vector, &key, &mut |_| Ok(()))?;
    }
    if has_row || waits {
        return Ok(false);
    }
    session.note_backlog()?;
    let (key, value) = backlog_row(index.id, entry);
    session.put(Family::Vector, key, value, None).map(|()| true)
}

/// True if the entry that is found under the key of a document in a unique index is rightly another's.
fn has_entry(
    session: &Session,
    definition: &Definition,
    index: &IndexDefinition,
    found: &[u8],
    key: &[u8],
    id: &DocumentId,
) -> Result<bool> {
    let Some(there) = owner(found).ok().filter(|there| index.is_unique() && there != id) else { return Ok(false) };
    let Some(record) = session.get(Family::Data, &document_key(definition.id, &there))? else { return Ok(false) };
    let entries = decode(session, definition, &record).and_then(|document| Entries::of(index, &there, &document));
    Ok(entries.is_ok_and(|entries| entries.get(key).is_some_and(|value| value == found)))
}

/// Removes the entries of an index from a key on that no document has.
pub(super) fn check_entries(session: &Session, name: &str, index: u32, from: Option<&[u8]>) -> Result<Batch> {
    let definition = catalog::get(session, name, Kind::Collection)?;
    let mut batch = Batch::default();
    let Some(index) = definition.indexes.iter().find(|of| of.id == index && of.ready) else { return Ok(batch) };
    let mut range = scan_range(index.id);
    if let Some(from) = from {
        range = range.intersect(&KeyRange::new(from, None));
    }
    let mut cursor = session.cursor(index.family(), &range, Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        if batch.entries == BATCH_ENTRIES_MAX {
            batch.next = Some(key.to_vec());
            break;
        }
        batch.entries += 1;
        if is_entry(key.get(4..).unwrap_or_default()) && is_stray(session, &definition, index, key, value)? {
            session.delete(index.family(), key.to_vec())?;
            batch.count(index, 0, 1);
        }
    }
    Ok(batch)
}

/// True for an entry that its document does not have. One whose document does not decode is left to it.
fn is_stray(
    session: &Session,
    definition: &Definition,
    index: &IndexDefinition,
    key: &[u8],
    value: &[u8],
) -> Result<bool> {
    let id = match index.parts()? {
        IndexFields::Fields(fields) => read_id(key, value, fields).map(|(_, id)| id),
        IndexFields::Vector(fields) => vector_id(key.get(4..).unwrap_or_default(), fields.several),
        IndexFields::Text(_) => DocumentId::read_key(key.get(4..).unwrap_or_default()),
    };
    let Ok(id) = id else { return Ok(true) };
    let Some(record) = session.get(Family::Data, &document_key(definition.id, &id))? else { return Ok(true) };
    let entries = decode(session, definition, &record).and_then(|document| Entries::of(index, &id, &document));
    let is_made_of_text = index.is_embedded_row(value)?;
    let belongs = |entries: &Entries| entries.has(key) || (is_made_of_text && entries.source().is_some());
    Ok(entries.is_ok_and(|entries| !belongs(&entries)))
}

pub(super) fn decode(session: &Session, definition: &Definition, record: &[u8]) -> Result<Document> {
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    Record::open(record, &dictionary)?.decode()
}
