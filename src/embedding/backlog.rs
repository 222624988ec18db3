//! Reading the backlog of an index: which documents are to be embedded next, and their texts.

use std::sync::Arc;

use blaze_core::limits::{EMBEDDING_BATCH_BYTES_MAX, EMBEDDING_BATCH_MAX};
use blaze_core::record::Record;
use blaze_core::{Direction, DocumentId, Durability, ErrorKind, Family, Isolation, KeyRange, Result};

use super::attached::{Attached, Moment};
use super::layout::{Pending, parked_range, pending_key, pending_range, waiting_entry};
use crate::catalog::{self, Definition, Kind};
use crate::collection::document_key;
use crate::database::core::Core;
use crate::index::{Entries, IndexDefinition};
use crate::session::{Session, commit_alone};

/// Entries that one look at the backlog reads: most of them may have to wait.
const ENTRIES_PER_LOOK: usize = 4_096;

/// Entries that one commit takes back of what was parked.
const TAKEN_BACK_PER_COMMIT: usize = 1_000;

/// Where an index is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) collection: String,
    pub(super) definition: Arc<Definition>,
    index: usize,
}

/// A document that is to be embedded.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The id, as it stands in keys.
    pub(super) entry: Vec<u8>,
    pub(super) failures: u32,
    /// None if there is nothing to embed any more. An error if the document cannot be read.
    pub(super) text: Result<Option<String>>,
}

/// What one look at the backlog finds.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) waiting: Vec<Waiting>,
    /// True if it came to the end.
    pub(super) is_at_the_end: bool,
    /// True if it is a part of a round that leaves out nothing.
    pub(super) takes_all: bool,
}

impl Place {
    /// Where the index of a number is, if it is anywhere.
    pub(super) fn find(session: &Session, attached: &Attached) -> Result<Option<Place>> {
        let known = attached.state.lock().collection.clone();
        if let Some(name) = known
            && let Some(place) = Place::find_in(session, &name, attached.index)?
        {
            return Ok(Some(place));
        }
        for (name, definition) in catalog::definitions(session)? {
            if definition.indexes.iter().any(|index| index.id == attached.index) {
                attached.state.lock().collection = Some(name.clone());
                return Place::find_in(session, &name, attached.index);
            }
        }
        Ok(None)
    }

    /// Where it is, if it is in this collection. Guards that.
    pub(super) fn find_in(session: &Session, collection: &str, number: u32) -> Result<Option<Place>> {
        let definition = match catalog::find(session, collection, Kind::Collection) {
            Ok(Some(definition)) => definition,
            Err(error) if error.kind() != ErrorKind::Invalid => return Err(error),
            Ok(None) | Err(_) => return Ok(None), // something else has the name now
        };
        let index = definition.indexes.iter().position(|index| index.id == number);
        Ok(index.map(|index| Place { collection: collection.to_owned(), definition, index }))
    }

    pub(super) fn index(&self) -> Option<&IndexDefinition> {
        self.definition.indexes.get(self.index)
    }

    /// The text that is to be embedded of a document; none if it is not there, or has another vector or none.
    pub(super) fn text(&self, session: &Session, entry: &[u8]) -> Result<Option<String>> {
        let (Some(index), Ok(id)) = (self.index(), DocumentId::read_key(entry)) else { return Ok(None) };
        let Some(bytes) = session.get(Family::Data, &document_key(self.definition.id, &id))? else { return Ok(None) };
        let dictionary = session.core().catalog.dictionaries.get(session.core(), self.definition.id)?;
        let entries = Record::open(&bytes, &dictionary).and_then(|record| match id.parent() {
            Some(_) => Entries::of(index, &id, &record.decode()?),
            None => Entries::of_record(index, &id, &record.document()),
        });
        match entries {
            // It was there before the index and has nothing in it.
            Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::LimitExceeded) => Ok(None),
            entries => Ok(entries?.into_source().map(|source| source.text)),
        }
    }
}

/// Looks for documents that are to be embedded, from where the last look came to.
pub(super) fn look(
    session: &Session,
    attached: &Attached,
    place: &Place,
    batch_max: usize,
    moment: Moment,
) -> Result<Look> {
    let batch_max = batch_max.clamp(1, EMBEDDING_BATCH_MAX);
    let mut range = pending_range(attached.index);
    let (mut position, takes_all) = {
        let state = attached.state.lock();
        (state.position.clone(), state.takes_all)
    };
    if let Some(last) = &position {
        range = range.intersect(&KeyRange::new([last.as_slice(), &[0]].concat(), None));
    }
    let (mut look, mut next_due_ms, mut bytes) = (Look { is_at_the_end: true, takes_all, ..Look::default() }, None, 0);
    let mut cursor = session.cursor(Family::Vector, &range, Direction::Forward)?;
    let mut entries = 0;
    while let Some((key, value)) = cursor.next()? {
        let Some(entry) = waiting_entry(key.get(4..).unwrap_or_default()) else { continue };
        let pending = Pending::from_value(value);
        entries += 1;
        if takes_all || pending.failures == 0 || moment.is_due(pending.due_ms) {
            let text = match place.text(session, entry) {
                Err(error) if error.kind() != ErrorKind::Corruption => return Err(error),
                text => text,
            };
            bytes += text.as_ref().ok().and_then(Option::as_ref).map_or(0, String::len);
            look.waiting.push(Waiting { entry: entry.to_vec(), failures: pending.failures, text });
        } else {
            next_due_ms = Some(next_due_ms.map_or(pending.due_ms, |next: u64| next.min(pending.due_ms)));
        }
        position = Some(key.to_vec());
        if look.waiting.len() == batch_max || bytes >= EMBEDDING_BATCH_BYTES_MAX || entries == ENTRIES_PER_LOOK {
            look.is_at_the_end = false;
            break;
        }
    }
    let mut state = attached.state.lock();
    state.position = position.filter(|_| !look.is_at_the_end);
    state.has_found |= !look.waiting.is_empty();
    state.takes_all &= !look.is_at_the_end; // else what fails again would be tried for ever
    state.next_due_ms = state.next_due_ms.into_iter().chain(next_due_ms).min();
    Ok(look)
}

/// Has everything be tried again that an embedder before this one could not do.
pub(super) fn take_back_parked(core: &Arc<Core>, attached: &Attached, place: &Place) -> Result<()> {
    while !attached.state.lock().has_taken_back {
        let is_done = commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
            if Place::find_in(session, &place.collection, attached.index)?.is_none() {
                return Ok(true);
            }
            let mut cursor = session.cursor(Family::Vector, &parked_range(attached.index), Direction::Forward)?;
            for _ in 0..TAKEN_BACK_PER_COMMIT {
                let Some((key, _)) = cursor.next()? else { return Ok(true) };
                let entry = waiting_entry(key.get(4..).unwrap_or_default()).unwrap_or_default();
                let (pending, value) = (pending_key(attached.index, entry), Pending::default().to_value());
                session.delete(Family::Vector, key.to_vec())?;
                session.put(Family::Vector, pending, value, None)?;
            }
            Ok(false)
        })?;
        attached.state.lock().has_taken_back = is_done;
    }
    Ok(())
}
