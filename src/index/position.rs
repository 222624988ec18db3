//! How far the filling of an index has come.
//!
//! Two keys take turns, so that a batch may be made while the one before it is not committed yet. What both say belongs
//! together: batches are committed in their order.

use blaze_core::{Direction, KeyRange, Result};

use super::IndexDefinition;
use crate::catalog::prefixed;
use crate::session::Session;

/// What follows the number of the index in the keys.
const POSITION: &[u8] = &[0xFF, 0x00];

/// What follows that in the key of every other batch.
const ODD: u8 = 0x01;

/// True for the keys, without the number of the index.
pub(crate) fn is_position(rest: &[u8]) -> bool {
    rest.starts_with(POSITION)
}

/// The last document that has its entries.
pub(super) fn last(session: &Session, index: &IndexDefinition) -> Result<Option<Vec<u8>>> {
    let keys = KeyRange::prefix(&prefixed(index.id, POSITION));
    let mut cursor = session.cursor(index.family(), &keys, Direction::Forward)?;
    let mut last: Option<Vec<u8>> = None;
    while let Some((_, document)) = cursor.next()? {
        last = last.max(Some(document.to_vec()));
    }
    Ok(last)
}

/// Has the batch of this number end with a document.
pub(super) fn advance(session: &Session, index: &IndexDefinition, batch: u64, document: &[u8]) -> Result<()> {
    session.put(index.family(), key(index, batch), document.to_vec(), None)
}

/// Forgets it: the index is filled.
pub(super) fn forget(session: &Session, index: &IndexDefinition) -> Result<()> {
    [0, 1].into_iter().try_for_each(|batch| session.delete(index.family(), key(index, batch)))
}

fn key(index: &IndexDefinition, batch: u64) -> Vec<u8> {
    let mut key = prefixed(index.id, POSITION);
    key.extend((!batch.is_multiple_of(2)).then_some(ODD));
    key
}
