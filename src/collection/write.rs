//! Writing a document with everything that follows from it.

use blaze_core::fault::{self, Mistake};
use blaze_core::record::{self, STAMP_AT};
use blaze_core::{Document, DocumentId, Error, Family, Result, Uuid, take_parent};

use super::read::document_key;
use crate::catalog::{self, Definition};
use crate::embedding::write_backlog;
use crate::index::{Entries, IndexDefinition, TextChange, check_unique, is_own};
use crate::session::Session;

/// Inserts a document under `id`, or under a new one.
pub(crate) fn insert(
    session: &Session,
    definition: &Definition,
    id: Option<DocumentId>,
    document: &Document,
) -> Result<DocumentId> {
    insert_below(session, definition, None, id, document)
}

/// As [`insert`], below a parent if there is one.
pub(crate) fn insert_below(
    session: &Session,
    definition: &Definition,
    parent: Option<&DocumentId>,
    own: Option<DocumentId>,
    document: &Document,
) -> Result<DocumentId> {
    // Through the group, a document says itself where it belongs.
    let mut placed = None;
    let mut said = None;
    if parent.is_none() && definition.parent.is_some() && own.as_ref().is_none_or(|own| own.parent().is_none()) {
        said = take_parent(placed.insert(document.clone()))?;
    }
    let (document, parent) = (placed.as_ref().unwrap_or(document), parent.or(said.as_ref()));
    let whole = |own: DocumentId| match parent {
        Some(parent) => DocumentId::child(parent, own),
        None => own,
    };
    let there = |id: &DocumentId| session.visit(Family::Data, &document_key(definition.id, id), &mut |_| Ok(()));
    let id = match own.map(whole) {
        Some(id) => {
            id.validate()?;
            if there(&id)? {
                return Err(Error::already_exists(format!("there is a document {id:?} already")));
            }
            id
        }
        None => loop {
            // After a crash with a clock that went back, a tick may come a second time.
            let core = session.core();
            let id = whole(DocumentId::Uuid(Uuid::from_tick(core.ids.tick(&*core.clock), core.replica)));
            if !there(&id)? {
                break id;
            }
        },
    };
    write_document(session, definition, &id, None, Some(document))?;
    Ok(id)
}

/// Replaces what is stored under `id`: `before` is what was there, `after` what shall be. The one place where documents are
/// written, so that what holds for all of them is checked here.
pub(crate) fn write_document(
    session: &Session,
    definition: &Definition,
    id: &DocumentId,
    before: Option<&Document>,
    after: Option<&Document>,
) -> Result<()> {
    if let Some(after) = after {
        definition.check_place(id, after)?;
        definition.schema.as_ref().map_or(Ok(()), |schema| schema.check(id, after))?;
    }
    let entries = |index: &IndexDefinition, document: Option<&Document>| match document {
        Some(document) => Entries::of(index, id, document),
        None => Ok(Entries::default()),
    };
    let (mut changes, mut texts) = (Vec::with_capacity(definition.indexes.len()), Vec::new());
    for index in &definition.indexes {
        if index.is_on_text() {
            texts.extend(TextChange::of(index, id, before, after)?.map(|change| (index, change)));
            continue;
        }
        // A document that does not fit an index has no entries in it: it was there before the index.
        changes.push((index, entries(index, before).unwrap_or_default(), entries(index, after)?));
    }
    changes.iter().try_for_each(|(index, before, after)| check_unique(session, index, id, before, after))?;
    match (before, after) {
        (None, Some(_)) => definition.migration.note_whole(session, definition.id, id)?,
        (_, None) => definition.migration.note_removed(session, definition.id, id)?,
        // What an update makes of a document is as far as that was.
        (Some(_), Some(_)) => {}
    }
    // The record goes first: a conflict is then about the document rather than about its entries.
    write_record(session, definition, id, after)?;
    if before.is_some() != after.is_some() {
        catalog::count_one(session, definition, after.is_some())?;
    }
    changes.into_iter().try_for_each(|(index, before, after)| write_entries(session, index, &before, after))?;
    texts.into_iter().try_for_each(|(index, change)| change.write(session, index, id))
}

fn write_record(session: &Session, definition: &Definition, id: &DocumentId, after: Option<&Document>) -> Result<()> {
    let key = document_key(definition.id, id);
    let Some(document) = after else { return session.delete(Family::Data, key) };
    let dictionary = session.core().catalog.dictionaries.learn(session.core(), definition.id, document)?;
    let mut bytes = Vec::new();
    record::encode(document, &dictionary, &mut bytes).map_err(|error| error.context(format!("document {id:?}")))?;
    session.put(Family::Data, key, bytes, Some(STAMP_AT))
}

/// Replaces the entries of a document in one index, which is not on text and which [`check_unique`] has not refused.
pub(crate) fn write_entries(
    session: &Session,
    index: &IndexDefinition,
    before: &Entries,
    after: Entries,
) -> Result<()> {
    let family = index.family();
    if family == Family::Vector && !index.is_filled() {
        session.note_unbuilt(index.id)?;
    }
    for (key, value) in before.iter().filter(|(key, _)| !after.has(key)) {
        let forgets = fault::makes(Mistake::ForgottenIndexEntry) && family == Family::Index;
        if !forgets && is_own(session, index, key, value)? {
            session.delete(family, key.to_vec())?;
        }
    }
    after.traits().remember(session, index)?;
    write_backlog(session, index, before, &after)?;
    for (key, value) in after.into_iter().filter(|(key, value)| before.get(key) != Some(value.as_slice())) {
        if fault::makes(Mistake::ForgottenVector) && family == Family::Vector && before.has(&key) {
            continue;
        }
        session.put(family, key, value, None)?;
    }
    Ok(())
}
