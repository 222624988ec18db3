//! Indexes on text: whether they have what documents say.
//!
//! What is folded of a text index cannot be made to agree with a single entry: what it had counted of a document stands in the
//! entry that is lost or damaged. So an index that differs from its documents is built anew as a whole.

use std::sync::Arc;

use blaze_core::{Direction, DocumentId, ErrorKind, Family, KeyRange, ReadPoint, Result};

use super::index::decode;
use crate::catalog::{self, Kind, prefix};
use crate::database::core::Core;
use crate::index::{Entries, IndexDefinition, IndexFields, scan_range};
use crate::session::Session;
use crate::text::{self, ChangeRow, Rows, VisitRow, entry_key, split_change};

/// True if an index on text has the entries that its documents should have, and no others, and all of its changes parse. The
/// entry of a document that does not decode is left to that.
pub(super) fn is_whole(core: &Arc<Core>, collection: &str, index: &IndexDefinition) -> Result<bool> {
    let session = Session::read_only(core)?;
    let definition = catalog::get(&session, collection, Kind::Collection)?;
    let mut entries = 0;
    let mut documents = session.cursor(Family::Data, &KeyRange::prefix(&prefix(definition.id)), Direction::Forward)?;
    while let Some((key, record)) = documents.next()? {
        let Ok(id) = DocumentId::read_key(key.get(4..).unwrap_or_default()) else { continue };
        let expected = decode(&session, &definition, record).and_then(|document| Entries::of(index, &id, &document));
        let found = session.get(Family::Text, &entry_key(index.id, &id))?;
        entries += u64::from(found.is_some());
        let agrees = expected.is_err()
            || expected.ok().and_then(|entries| entries.into_iter().next()).map(|(_, value)| value) == found;
        if !agrees {
            return Ok(false);
        }
    }
    if session.count(Family::Text, &scan_range(index.id))? != entries || !changes_parse(&session, index)? {
        return Ok(false);
    }
    let IndexFields::Text(fields) = index.parts()? else { return Ok(true) };
    match text::check(&PointRows(session.point()), index.id, fields.count()) {
        Err(error) if error.kind() == ErrorKind::Corruption => Ok(false),
        checked => checked.map(|()| true),
    }
}

/// The rows of text indexes at a read point.
struct PointRows<'a>(&'a Arc<dyn ReadPoint>);

impl Rows for PointRows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.0.get(Family::Text, key)
    }

    fn walk(&self, range: &KeyRange, visit: &mut VisitRow<'_>) -> Result<()> {
        let mut cursor = self.0.cursor(Family::Text, range, Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            visit(key, value)?;
        }
        Ok(())
    }
}

fn changes_parse(session: &Session, index: &IndexDefinition) -> Result<bool> {
    let mut rows = session.cursor(Family::Text, &KeyRange::prefix(&prefix(index.id)), Direction::Forward)?;
    rows.seek(scan_range(index.id).end().unwrap_or_default())?;
    while let Some((key, value)) = rows.next()? {
        match split_change(key.get(4..).unwrap_or_default()) {
            Ok(None) => {}
            Ok(Some((id, _))) if DocumentId::read_key(id).is_ok() && ChangeRow::read(value).is_ok() => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}
