//! What was dropped and still stands in the change feed.
//!
//! The feed outlives what it tells of. For as long as it does, a row keeps the name, and the dictionary stays, without
//! which images could not be read.

use std::sync::Arc;

use blaze_core::record::{self, Dictionary, Record, STAMP_AT};
use blaze_core::{
    Direction, Durability, Error, Family, Isolation, KeyRange, Result, Timestamp, from_document, to_document,
};
use serde::{Deserialize, Serialize};

use super::definition::{Definition, Kind};
use super::layout::{self, prefix};
use crate::database::core::Core;
use crate::session::{Session, commit_alone};

/// Something with a feed that was dropped.
#[derive(Debug)]
pub(crate) struct Dropped {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// True if its values said when they expire.
    pub(crate) expiring: bool,
    /// The commit that dropped it.
    pub(crate) dropped_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    kind: Kind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    expiring: bool,
}

impl Dropped {
    /// Keeps the name of what the session drops, and has the feed tell of it.
    pub(super) fn keep(session: &Session, name: &str, definition: &Definition) -> Result<()> {
        Dropped::keep_name(session, name, definition)?;
        session.delete_range(Family::Data, KeyRange::prefix(&prefix(definition.id)))
    }

    /// Keeps the name of a number that nothing has any more.
    pub(super) fn keep_name(session: &Session, name: &str, definition: &Definition) -> Result<()> {
        let mut row = Vec::new();
        let (name, kind, expiring) = (name.to_owned(), definition.kind, definition.expiring);
        record::encode(&to_document(&Row { name, kind, expiring })?, &Dictionary::default(), &mut row)?;
        session.put(Family::Catalog, layout::dropped_key(definition.id), row, Some(STAMP_AT))
    }

    /// All that is kept.
    pub(crate) fn all(session: &Session) -> Result<Vec<Dropped>> {
        let mut all = Vec::new();
        let range = KeyRange::prefix(&layout::all_dropped_prefix());
        let mut cursor = session.cursor(Family::Catalog, &range, Direction::Forward)?;
        while let Some((key, row)) = cursor.next()? {
            let dictionary = Dictionary::default();
            let record = Record::open(row, &dictionary)?;
            let Row { name, kind, expiring } = from_document(record.decode()?)
                .map_err(|error| Error::corruption(format!("a row of the catalog does not parse: {error}")))?;
            all.push(Dropped { id: layout::dropped_of(key)?, name, kind, expiring, dropped_at: record.version() });
        }
        Ok(all)
    }

    /// Lets go of what the feed, which begins after `floor`, does not tell of any more. True if something else is kept.
    pub(crate) fn forget(core: &Arc<Core>, floor: Timestamp) -> Result<bool> {
        let is_over = |dropped: &Dropped| dropped.dropped_at <= floor;
        let kept = Dropped::all(&*Session::read_only(core)?)?;
        let over = kept.iter().filter(|dropped| is_over(dropped)).count();
        if over == 0 {
            return Ok(!kept.is_empty());
        }
        commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
            for dropped in Dropped::all(session)?.into_iter().filter(is_over) {
                session.delete(Family::Catalog, layout::dropped_key(dropped.id))?;
                session.delete_range(Family::Catalog, KeyRange::prefix(&prefix(dropped.id)))?;
            }
            Ok(())
        })?;
        Ok(over < kept.len())
    }
}
