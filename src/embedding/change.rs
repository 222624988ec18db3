//! What the writing of a document does to the backlog.

use blaze_core::{Family, Result};

use super::layout::{parked_key, pending_key};
use super::text::SourceText;
use crate::catalog::prefixed;
use crate::index::{Entries, IndexDefinition};
use crate::session::Session;

/// Has a document be embedded if its text has changed, and lets go of its vector if it has no text any more. Reads nothing,
/// so that writers do not meet those who embed.
pub(crate) fn write_backlog(
    session: &Session,
    index: &IndexDefinition,
    before: &Entries,
    after: &Entries,
) -> Result<()> {
    let (before, now) = (before.source(), after.source());
    if before == now {
        return Ok(());
    }
    session.note_backlog()?;
    if let Some(SourceText { entry, .. }) = before {
        session.delete(Family::Vector, parked_key(index.id, entry))?;
    }
    match (before, now) {
        (_, Some(SourceText { entry, .. })) => {
            let (key, value) = backlog_row(index.id, entry);
            session.put(Family::Vector, key, value, None)
        }
        (Some(SourceText { entry, .. }), None) => {
            session.delete(Family::Vector, pending_key(index.id, entry))?;
            match after.is_empty() {
                true => session.delete(Family::Vector, prefixed(index.id, entry)),
                false => Ok(()), // its own vector takes the place
            }
        }
        (None, None) => Ok(()),
    }
}

/// What has a document be embedded.
pub(crate) fn backlog_row(index: u32, entry: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (pending_key(index, entry), Vec::new())
}
