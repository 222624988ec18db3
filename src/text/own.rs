//! What a session has written of the texts of an index, to be searched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use blaze_core::{Error, Family, Result, Write};
use blaze_text::{Delta, DocumentPostings, DocumentTerms};

use super::change_row::ChangeRow;
use super::generation::Generation;
use super::layout;
use super::pages::SegmentPages;
use crate::index::is_entry;
use crate::session::Session;

/// Changes of a delta beyond twice those that count, before it is made anew.
const AGAIN: usize = 64;

/// What a session has written. From one search of the session to the next, what was written since is added; it is made anew
/// once something was taken back.
pub(super) struct Own {
    pub(super) delta: Delta,
    /// The documents of each segment that it has replaced or removed.
    pub(super) masked: Vec<HashSet<u32>>,
    /// What it was made of, in the order of the keys.
    taken: Vec<OwnChange>,
}

/// A change row that a session has written, and the entry that belongs to it.
#[derive(Clone)]
struct OwnChange {
    change: Arc<Write>,
    entry: Option<Arc<Write>>,
}

impl Own {
    /// What a session has written, if anything, with what is kept of its last search.
    pub(super) fn of(
        session: &Session,
        (index, fields): (u32, u8),
        generation: &Generation,
        pages: &[SegmentPages],
        kept: Option<Arc<Own>>,
    ) -> Result<Option<Arc<Own>>> {
        let written = written(session, index)?;
        if written.is_empty() {
            return Ok(None);
        }
        // Another search of the session may have it.
        let kept = kept.and_then(Arc::into_inner).filter(|own| own.masked.len() == pages.len());
        let since = kept.and_then(|own| since(&own.taken, &written).map(|since| (own, since)));
        let is_little =
            |(own, since): &(Own, Vec<OwnChange>)| own.delta.len() + since.len() <= 2 * written.len() + AGAIN;
        let (mut own, since) = since.filter(is_little).unwrap_or_else(|| {
            let masked = vec![HashSet::new(); pages.len()];
            (Own { delta: Delta::new(fields), masked, taken: Vec::new() }, written.clone())
        });
        since.iter().try_for_each(|change| own.take(change, generation, pages))?;
        own.taken = written;
        Ok(Some(Arc::new(own)))
    }

    fn take(&mut self, written: &OwnChange, generation: &Generation, pages: &[SegmentPages]) -> Result<()> {
        let Write::Put { key, value, .. } = &*written.change else { return Ok(()) };
        let rest = layout::split(key).map(|(_, rest)| rest).unwrap_or_default();
        let Some((id, _)) = layout::split_change(rest)? else { return Ok(()) };
        let row = ChangeRow::read(value)?;
        let before = row.before.map(DocumentTerms::from_bytes).transpose()?;
        let after = match (row.after, written.entry.as_deref()) {
            (Some(occurrences), Some(Write::Put { value, .. })) => Some(DocumentPostings::read(value, occurrences)?),
            (Some(_), _) => return Err(Error::internal("a document was written without its entry")),
            (None, _) => None,
        };
        self.delta.change(0, id, before.as_ref(), after.as_ref())?;
        if before.is_some() {
            for ((part, pages), masked) in generation.segments.parts.iter().zip(pages).zip(&mut self.masked) {
                masked.extend(part.segment.find_document(pages, id)?);
            }
        }
        Ok(())
    }
}

impl OwnChange {
    /// True if this is the very same as another one: what is kept is not written anew in its place.
    fn is(&self, other: &OwnChange) -> bool {
        let has_entry = match (&self.entry, &other.entry) {
            (Some(entry), Some(other)) => Arc::ptr_eq(entry, other),
            (entry, other) => entry.is_none() && other.is_none(),
        };
        has_entry && Arc::ptr_eq(&self.change, &other.change)
    }
}

/// The change rows that a session has written, in the order of their keys.
fn written(session: &Session, index: u32) -> Result<Vec<OwnChange>> {
    let writes = session.own_writes(Family::Text, &layout::whole_range(index))?;
    let writes =
        writes.ok_or_else(|| Error::internal("a transaction has removed an index of text that it searches"))?;
    let (mut entries, mut changes) = (HashMap::new(), Vec::new());
    for write in &writes {
        let Write::Put { key, .. } = &**write else { continue };
        let rest = layout::split(key).map(|(_, rest)| rest).unwrap_or_default();
        if let Some((id, _)) = layout::split_change(rest)? {
            changes.push((id, write));
        } else if is_entry(rest) {
            entries.insert(rest, write);
        }
    }
    let with_entry = |(id, change): (&[u8], &Arc<Write>)| OwnChange {
        change: Arc::clone(change),
        entry: entries.get(id).map(|entry| Arc::clone(entry)),
    };
    Ok(changes.into_iter().map(with_entry).collect())
}

/// What was written since something was taken in, both in the order of their keys; none if that is not all there any more.
fn since(taken: &[OwnChange], written: &[OwnChange]) -> Option<Vec<OwnChange>> {
    let (mut taken, mut since) = (taken.iter().peekable(), Vec::new());
    for write in written {
        match taken.next_if(|taken| taken.change.key() <= write.change.key()) {
            Some(taken) if taken.change.key() < write.change.key() => return None,
            Some(taken) if taken.is(write) => {}
            Some(_) | None => since.push(write.clone()),
        }
    }
    taken.next().is_none().then_some(since)
}
