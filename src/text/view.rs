//! What a session sees of an index of text.

use std::collections::HashSet;
use std::sync::Arc;

use blaze_core::{Error, Family, KeyRange, Result, Timestamp, Write};
use blaze_text::{Delta, DeltaLeaf, DocumentPostings, DocumentTerms, Pages, Searcher, SegmentLeaf, TermsRead};
use parking_lot::RwLockReadGuard;

use super::change_row::ChangeRow;
use super::layout;
use super::open::{Generation, Recent};
use super::pages::SegmentPages;
use super::past;
use super::segments::pages;
use crate::catalog::Definition;
use crate::index::{IndexDefinition, IndexFields};
use crate::session::Session;

/// What a session sees of an index of text: searched through a [`Reading`] of it.
pub(crate) struct TextView {
    generation: Arc<Generation>,
    read_ts: Timestamp,
    pages: Vec<SegmentPages>,
    /// What the session itself has written.
    own: Option<Own>,
}

/// What a session has written.
struct Own {
    delta: Delta,
    /// The documents of each segment that it has replaced or removed.
    masked: Vec<HashSet<u32>>,
}

/// A view that is being searched: what is not folded does not grow meanwhile.
pub(crate) struct Reading<'a> {
    view: &'a TextView,
    recent: RwLockReadGuard<'a, Recent>,
}

/// What a session sees of an index.
pub(crate) fn view(session: &Arc<Session>, definition: &Definition, index: &IndexDefinition) -> Result<TextView> {
    let IndexFields::Text(parts) = index.parts()? else {
        return Err(Error::internal("an index is searched for text that is none of text"));
    };
    let fields = parts.count();
    if session.is_as_of() {
        return past::view(session, definition, index, fields);
    }
    let index = index.id;
    let (core, point) = (session.core(), session.point());
    let texts = &core.texts;
    let open = texts.open(index, fields);
    let (known, is_new) = open.at(point, &texts.pages).inspect_err(|_| texts.let_go(&open))?;
    let generation = match known {
        Some(generation) => generation,
        // A view from before the index was read, or from between two that are kept.
        None => {
            let known = open.last_seen();
            let known = known.as_ref().map(|known| &known.segments);
            Arc::new(Generation::read(point, &texts.pages, index, fields, known)?)
        }
    };
    if is_new {
        let (changes, bytes) = generation.recent.read().size();
        texts.note_unfolded(index, changes, bytes);
        texts.look_after(core);
        texts.evict();
    }
    let part_pages = |part: &super::segments::Part| pages(point, &texts.pages, index, part.number);
    let pages: Vec<SegmentPages> = generation.segments.parts.iter().map(part_pages).collect();
    let own = own(session, index, fields, &generation, &pages)?;
    Ok(TextView { generation, read_ts: point.ts(), pages, own })
}

/// What the session has written itself, if anything.
fn own(
    session: &Session,
    index: u32,
    fields: u8,
    generation: &Generation,
    pages: &[SegmentPages],
) -> Result<Option<Own>> {
    if session.is_read_only() {
        return Ok(None);
    }
    let writes = session.own_writes(Family::Text, &layout::changes_range(index))?;
    let writes =
        writes.ok_or_else(|| Error::internal("a transaction has removed an index of text that it searches"))?;
    if writes.is_empty() {
        return Ok(None);
    }
    let mut own = Own { delta: Delta::new(fields), masked: vec![HashSet::new(); pages.len()] };
    for write in &writes {
        let Write::Put { key, value, .. } = &**write else { continue };
        let rest = layout::split(key).map(|(_, rest)| rest).unwrap_or_default();
        let Some((id, _)) = layout::split_change(rest)? else { continue };
        own.take(session, index, id, &ChangeRow::read(value)?, generation, pages)?;
    }
    Ok(Some(own))
}

impl Own {
    fn take(
        &mut self,
        session: &Session,
        index: u32,
        id: &[u8],
        row: &ChangeRow<'_>,
        generation: &Generation,
        pages: &[SegmentPages],
    ) -> Result<()> {
        let before = row.before.map(DocumentTerms::from_bytes).transpose()?;
        let after = match row.after {
            Some(occurrences) => {
                let entry = session.get(Family::Text, &layout::entry_of(index, id))?;
                let entry = entry.ok_or_else(|| Error::internal("a document was written without its entry"))?;
                Some(DocumentPostings::read(&entry, occurrences)?)
            }
            None => None,
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

impl TextView {
    /// A view that has no segments.
    pub(super) fn of(generation: Generation, read_ts: Timestamp) -> TextView {
        TextView { generation: Arc::new(generation), read_ts, pages: Vec::new(), own: None }
    }

    /// Begins to search.
    pub(crate) fn read(&self) -> Reading<'_> {
        Reading { view: self, recent: self.generation.recent.read() }
    }
}

impl Reading<'_> {
    /// Calls `work` with what searches the view.
    pub(crate) fn search<R>(
        &self,
        work: impl FnOnce(&Searcher<SegmentLeaf<'_>, DeltaLeaf<'_>>) -> Result<R>,
    ) -> Result<R> {
        let (view, recent) = (self.view, &self.recent);
        let at = view.read_ts.to_bits();
        let own = view.own.as_ref();
        let dead: Vec<_> = view
            .generation
            .segments
            .parts
            .iter()
            .enumerate()
            .map(|(place, part)| {
                let masked = &recent.masked[place];
                let own = own.map(|own| &own.masked[place]);
                move |document: u32| {
                    part.dead.has(document)
                        || masked.get(&document).is_some_and(|ts| *ts <= view.read_ts)
                        || own.is_some_and(|own| own.contains(&document))
                }
            })
            .collect();
        let parts = view.generation.segments.parts.iter().zip(&view.pages).zip(&dead);
        let segments: Vec<SegmentLeaf<'_>> =
            parts.map(|((part, pages), dead)| SegmentLeaf::new(&part.segment, pages as &dyn Pages, dead)).collect();
        let own_view = own.map(|own| own.delta.view(0));
        let masks = |id: &[u8]| own_view.is_some_and(|own| own.masks(id));
        let mut deltas = vec![match own_view {
            Some(_) => DeltaLeaf::below(recent.delta.view(at), &masks),
            None => DeltaLeaf::new(recent.delta.view(at)),
        }];
        deltas.extend(own_view.map(DeltaLeaf::new));
        work(&Searcher::new(segments, deltas))
    }
}

/// Counts what a search depends on as read: a serializable transaction conflicts with commits that change it.
pub(crate) fn track(session: &Session, index: u32, reads: &[TermsRead]) -> Result<()> {
    if !session.is_serializable() {
        return Ok(());
    }
    for read in reads {
        let range = match read {
            TermsRead::Term(key) => {
                let key = layout::term_key(index, key.field, &key.term);
                let next = [key.as_slice(), &[0]].concat();
                KeyRange::new(key, Some(next))
            }
            TermsRead::Prefix { field, prefix } => KeyRange::prefix(&layout::term_key(index, *field, prefix)),
        };
        session.read_range(Family::Text, &range)?;
    }
    Ok(())
}
