//! What the catalog and the data family keep of a migration.

use blaze_core::{DocumentId, Error, Family, KeyRange, Result};
use serde::{Deserialize, Serialize};

use crate::catalog::migration_key;
use crate::session::Session;

/// How far the documents of a collection are migrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MigrationDefinition {
    /// The last step that all documents have gone through.
    pub(super) version: u32,
    /// The last step that they are going through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<u32>,
}

impl MigrationDefinition {
    pub(crate) fn version(self) -> u32 {
        self.version
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == MigrationDefinition::default()
    }

    /// Takes note of a document that is written whole, which makes it one of the new form.
    pub(crate) fn note_whole(&self, session: &Session, collection: u32, id: &DocumentId) -> Result<()> {
        match self.to {
            Some(_) => session.put(Family::Data, whole_key(collection, id), Vec::new(), None),
            None => Ok(()),
        }
    }

    /// Takes note of a document that is removed.
    pub(crate) fn note_removed(&self, session: &Session, collection: u32, id: &DocumentId) -> Result<()> {
        match self.to {
            Some(_) => session.delete(Family::Data, whole_key(collection, id)),
            None => Ok(()),
        }
    }

    /// Lets go of what is kept beside the catalog, when the migration or the collection ends.
    pub(crate) fn forget(&self, session: &Session, collection: u32) -> Result<()> {
        match self.to {
            Some(_) => session.delete_range(Family::Data, KeyRange::prefix(&migration_key(collection))),
            None => Ok(()),
        }
    }

    /// Refuses what cannot be done while documents are of two forms.
    pub(crate) fn check_at_rest(&self, collection: &str) -> Result<()> {
        match self.to {
            None => Ok(()),
            Some(to) => Err(Error::invalid(format!(
                "the collection {collection:?} is being migrated to version {to}: complete that before it is loaded"
            ))),
        }
    }
}

/// The key that is there if a document was written whole since the migration began.
pub(super) fn whole_key(collection: u32, id: &DocumentId) -> Vec<u8> {
    let mut key = migration_key(collection);
    id.write_key(&mut key);
    key
}

/// How far a migration has come: committed together with the documents that it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// Documents that were gone through.
    pub(super) documents: u64,
    /// Documents that were changed.
    pub(super) changed: u64,
    /// Where the last one is stored.
    pub(super) last: Option<Vec<u8>>,
}

impl Position {
    pub(super) fn read(session: &Session, collection: u32) -> Result<Position> {
        let bytes = session.get(Family::Data, &migration_key(collection))?;
        let position = bytes.as_deref().and_then(Position::from_bytes);
        position.ok_or_else(|| Error::corruption("how far the migration has come is lost, or does not parse"))
    }

    pub(super) fn write(&self, session: &Session, collection: u32) -> Result<()> {
        session.put(Family::Data, migration_key(collection), self.to_bytes(), None)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let counts = [self.documents.to_be_bytes(), self.changed.to_be_bytes()];
        [counts.as_flattened(), self.last.as_deref().unwrap_or_default()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Position> {
        let (documents, rest) = bytes.split_first_chunk()?;
        let (changed, last) = rest.split_first_chunk()?;
        let (documents, changed) = (u64::from_be_bytes(*documents), u64::from_be_bytes(*changed));
        Some(Position { documents, changed, last: (!last.is_empty()).then(|| last.to_vec()) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn positions_are_read_as_they_were_written_and_no_bytes_panic(
            documents: u64, changed: u64, last in prop::collection::vec(any::<u8>(), 1..20), bytes: Vec<u8>,
        ) {
            for last in [None, Some(last)] {
                let position = Position { documents, changed, last };
                prop_assert_eq!(Position::from_bytes(&position.to_bytes()), Some(position));
            }
            let _ = Position::from_bytes(&bytes);
        }
    }
}
