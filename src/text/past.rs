//! What a view of the past has of an index of text: all documents as they were, analysed again.

use std::sync::Arc;

use blaze_core::record::Record;
use blaze_core::{DocumentId, ErrorKind, Filter, Result};
use blaze_text::{Delta, DocumentPostings};

use super::generation::Generation;
use super::layout;

use super::view::TextView;
use crate::catalog::Definition;
use crate::index::{Entries, IndexDefinition};
use crate::query::{Candidates, Question, plan};
use crate::session::Session;

/// What a view of the past has of an index over so many fields. Takes time and memory for all documents.
pub(super) fn view(
    session: &Arc<Session>,
    definition: &Definition,
    index: &IndexDefinition,
    fields: u8,
) -> Result<TextView> {
    let mut delta = Delta::new(fields);
    let everything = Filter::everything();
    let found = plan(session, definition, Question::of_filter(&everything))?;
    let mut candidates = Candidates::open(session, definition, &found, &everything)?;
    while let Some((id, record)) = candidates.next_record()? {
        let entries = entries(index, &id, &record).map_err(|error| error.context(format!("document {id:?}")))?;
        let occurrences = entries.occurrences().map(<[u8]>::to_vec);
        let entry = entries.into_iter().next();
        if let Some(((_, terms), occurrences)) = entry.zip(occurrences) {
            let postings = DocumentPostings::read(&terms, &occurrences)?;
            delta.change(0, &layout::entry_key(index.id, &id)[4..], None, Some(&postings))?;
        }
    }
    Ok(TextView::of(Generation::of_delta(session.point().ts(), fields, delta), session.read_ts()))
}

/// What an index has of a record.
fn entries(index: &IndexDefinition, id: &DocumentId, record: &Record<'_>) -> Result<Entries> {
    let entries = match id.parent() {
        Some(_) => Entries::of(index, id, &record.decode()?),
        None => Entries::of_record(index, id, &record.document()),
    };
    match entries {
        // It was there before the index, and had no entry in it.
        Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::LimitExceeded) => Ok(Entries::default()),
        entries => entries,
    }
}
