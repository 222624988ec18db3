//! Going through the documents of a collection.

use std::ops::ControlFlow;

use blaze_core::record::Record;
use blaze_core::{Direction, Document, DocumentId, Family, KeyRange, Result};

use crate::catalog::{Definition, prefix};
use crate::session::Session;

/// A document on the way.
pub(crate) struct Walked {
    /// Where it is stored.
    pub(crate) key: Vec<u8>,
    pub(crate) id: DocumentId,
    pub(crate) document: Document,
    /// Of its record.
    pub(crate) bytes: usize,
}

/// Calls `visit` with the documents behind the key `after`, up to that of `until`, in the order of their ids; says
/// whether it came to the end.
pub(crate) fn walk(
    session: &Session,
    definition: &Definition,
    after: Option<&[u8]>,
    until: Option<&[u8]>,
    visit: &mut dyn FnMut(Walked) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let behind = |key: &[u8]| [key, &[0]].concat();
    let mut range = KeyRange::prefix(&prefix(definition.id));
    if let Some(after) = after {
        range = range.intersect(&KeyRange::new(behind(after), None));
    }
    if let Some(until) = until {
        range = range.intersect(&KeyRange::new([], Some(behind(until))));
    }
    let mut cursor = session.cursor(Family::Data, &range, Direction::Forward)?;
    while let Some((key, record)) = cursor.next()? {
        let id = DocumentId::read_key(key.get(4..).unwrap_or_default())?;
        let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
        let document = Record::open(record, &dictionary).and_then(|record| record.document().with_id(&id).decode());
        let document = document.map_err(|error| error.context(format!("document {id:?}")))?;
        if visit(Walked { key: key.to_vec(), id, document, bytes: record.len() })?.is_break() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where the last document is stored, if there is one.
pub(crate) fn last_key(session: &Session, definition: &Definition) -> Result<Option<Vec<u8>>> {
    let mut cursor = session.cursor(Family::Data, &KeyRange::prefix(&prefix(definition.id)), Direction::Reverse)?;
    Ok(cursor.next()?.map(|(key, _)| key.to_vec()))
}
