//! What change rows say that no segment has yet: of each document, what the segments have of it and what it is now.

use std::sync::Arc;

use blaze_core::{Direction, Error, Family, KeyRange, ReadPoint, Result};
use blaze_text::{Delta, DocumentPostings, DocumentTerms, FoldedChange};

use super::change::{NewText, RecentChange};
use super::change_row::ChangeRow;
use super::layout;

/// What answers the entry row of a document, by its id.
type EntryOf<'a> = dyn FnMut(&[u8]) -> Result<Option<Vec<u8>>> + 'a;

/// A document with all its changes that are not folded, the oldest first.
#[derive(Debug)]
pub(super) struct Unfolded {
    pub(super) changes: Vec<Arc<RecentChange>>,
}

impl Unfolded {
    /// The key of the id.
    fn id(&self) -> &[u8] {
        self.changes.first().map_or(&[], |first| &first.id)
    }

    /// What the segments have of it.
    fn before(&self) -> Result<Option<DocumentTerms>> {
        let before = self.changes.first().and_then(|first| first.before.as_deref());
        before.map(DocumentTerms::from_bytes).transpose()
    }

    /// What it is now.
    fn after(&self) -> Result<Option<DocumentPostings>> {
        let after = self.changes.last().and_then(|last| last.after.as_ref());
        after.map(NewText::read).transpose()
    }

    /// Adds the entry row to the last change. Those of the changes before it are gone, and nobody asks for them.
    pub(super) fn complete(&mut self, entry_of: &mut EntryOf<'_>) -> Result<()> {
        let Some(last) = self.changes.last_mut() else { return Ok(()) };
        let RecentChange { id, after: Some(NewText { entry, .. }), .. } = Arc::make_mut(last) else { return Ok(()) };
        let row = entry_of(id)?.ok_or_else(|| {
            Error::corruption(format!("a document has changed in a text index and has no entry there: {id:02x?}"))
        })?;
        *entry = row.into();
        Ok(())
    }

    /// Tells a delta of it, as of always.
    pub(super) fn add_to(&self, delta: &mut Delta) -> Result<()> {
        delta.change(0, self.id(), self.before()?.as_ref(), self.after()?.as_ref())
    }

    /// What a fold makes of it.
    pub(super) fn to_fold(&self) -> Result<FoldedChange> {
        Ok(FoldedChange { id: self.id().into(), before: self.before()?, after: self.after()? })
    }
}

/// Puts the changes of each document together, in the order of their commits.
pub(super) fn collapse(changes: impl IntoIterator<Item = Arc<RecentChange>>) -> Vec<Unfolded> {
    let mut all: Vec<Arc<RecentChange>> = changes.into_iter().collect();
    all.sort_by(|a, b| a.id.cmp(&b.id)); // stable
    let mut documents: Vec<Unfolded> = Vec::new();
    for change in all {
        match documents.last_mut().filter(|last| last.id() == &*change.id) {
            Some(document) => document.changes.push(change),
            None => documents.push(Unfolded { changes: vec![change] }),
        }
    }
    documents
}

/// The documents whose changes are not folded at a read point, in the order of their ids and from a key on, as long as they
/// take fewer than `bytes`; and where to go on.
pub(super) fn read(
    point: &dyn ReadPoint,
    index: u32,
    from: Option<&[u8]>,
    bytes: usize,
) -> Result<(Vec<Unfolded>, Option<Vec<u8>>)> {
    let mut range = layout::changes_range(index);
    if let Some(from) = from {
        range = range.intersect(&KeyRange::new(from, None));
    }
    let mut cursor = point.cursor(Family::Text, &range, Direction::Forward)?;
    let (mut documents, mut size): (Vec<Unfolded>, usize) = (Vec::new(), 0);
    let mut next = None;
    while let Some((key, value)) = cursor.next()? {
        let rest = key.get(4..).unwrap_or_default();
        let Some((id, _)) = layout::split_change(rest)? else { continue };
        if documents.last().is_none_or(|last| last.id() != id) {
            if size >= bytes {
                next = Some(key.to_vec());
                break;
            }
            documents.push(Unfolded { changes: Vec::new() });
        }
        size += key.len() + value.len();
        if let (Some(last), Some(change)) = (documents.last_mut(), parse(key, value)?) {
            last.changes.push(change);
        }
    }
    for document in &mut documents {
        document.complete(&mut |id| point.get(Family::Text, &layout::entry_of(index, id)))?;
    }
    Ok((documents, next))
}

/// A change, if this is the row of one, without the entry row after it.
pub(super) fn parse(key: &[u8], value: &[u8]) -> Result<Option<Arc<RecentChange>>> {
    let rest = key.get(4..).unwrap_or_default();
    let Some((id, _)) = layout::split_change(rest)? else { return Ok(None) };
    let row = ChangeRow::read(value)?;
    let after = row.after.map(|occurrences| NewText { entry: Box::default(), occurrences: occurrences.into() });
    Ok(Some(Arc::new(RecentChange { key: rest.into(), id: id.into(), before: row.before.map(Into::into), after })))
}
