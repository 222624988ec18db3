//! What a session sees of an index of text.

use std::collections::HashMap;
use std::sync::Arc;

use blaze_core::{Error, Family, KeyRange, Result, Timestamp};
use blaze_text::{DeltaLeaf, DeltaView, Pages, Searcher, SegmentLeaf, TermsRead};

use super::generation::{Generation, Source};
use super::kept::KeptBytes;
use super::layout;
use super::level::Level;
use super::own::Own;
use super::pages::SegmentPages;
use super::past;
use super::segments::pages;
use crate::catalog::Definition;
use crate::index::{IndexDefinition, IndexFields};
use crate::session::Session;

/// Which part of the memory for text indexes sessions keep for themselves at most, of indexes as only they see them.
const KEPT_PART: usize = 8;

/// What a session sees of an index of text: searched through a [`Reading`] of it.
pub(crate) struct TextView {
    pub(super) generation: Arc<Generation>,
    read_ts: Timestamp,
    pages: Vec<SegmentPages>,
    /// What the session itself has written.
    pub(super) own: Option<Arc<Own>>,
}

/// A view that is being searched. Nobody waits for that: what is committed meanwhile is appended elsewhere.
pub(crate) struct Reading<'a> {
    view: &'a TextView,
    levels: Vec<Arc<Level>>,
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
    let (index, point, cache) = (index.id, session.point(), &session.core().texts.pages);
    let generation = match session.kept_texts().generation(index) {
        Some(generation) => generation,
        None => generation(session, Source { point, cache, index, fields })?,
    };
    let part_pages = |part: &super::segments::Part| pages(point, cache, index, part.number);
    let pages: Vec<SegmentPages> = generation.segments.parts.iter().map(part_pages).collect();
    let own = match session.is_read_only() {
        true => None,
        false => {
            let kept = session.kept_texts().take_own(index);
            Own::of(session, (index, fields), &generation, &pages, kept)?
        }
    };
    own.iter().for_each(|own| session.kept_texts().keep_own(index, own));
    Ok(TextView { generation, read_ts: point.ts(), pages, own })
}

/// What an index is at the read point of a session.
fn generation(session: &Session, source: Source<'_>) -> Result<Arc<Generation>> {
    let Source { point, index, .. } = source;
    let (core, texts) = (session.core(), &session.core().texts);
    let open = texts.open(index, source.fields, point.ts());
    let (known, is_new) = match &open {
        Some(open) => open.at(point, &texts.pages).inspect_err(|_| texts.let_go(open))?,
        None => (None, false),
    };
    let Some(generation) = known else {
        // A view from before the index was read, or from between two that are kept, or one of an index that is gone.
        let known = open.and_then(|open| open.last_seen());
        let generation = Arc::new(Generation::read(source, known.as_ref().map(|known| &known.segments))?);
        let most = texts.memory_bytes / KEPT_PART;
        if let Some(bytes) = KeptBytes::take(&texts.kept_bytes, generation.memory_bytes(), most) {
            session.kept_texts().keep_generation(index, &generation, bytes);
        }
        return Ok(generation);
    };
    if is_new {
        let (changes, bytes) = generation.recent.size();
        texts.note_unfolded(index, point.ts(), changes, bytes);
        texts.look_after(core);
        texts.evict();
    }
    Ok(generation)
}

impl TextView {
    /// A view that has no segments.
    pub(super) fn of(generation: Generation, read_ts: Timestamp) -> TextView {
        TextView { generation: Arc::new(generation), read_ts, pages: Vec::new(), own: None }
    }

    /// Begins to search.
    pub(crate) fn read(&self) -> Reading<'_> {
        Reading { view: self, levels: self.generation.recent.levels() }
    }
}

impl Reading<'_> {
    /// Calls `work` with what searches the view.
    pub(crate) fn search<R>(
        &self,
        work: impl FnOnce(&Searcher<SegmentLeaf<'_>, DeltaLeaf<'_>>) -> Result<R>,
    ) -> Result<R> {
        let view = self.view;
        let (at, own) = (view.read_ts.to_bits(), view.own.as_deref());
        let dead: Vec<_> = view
            .generation
            .segments
            .parts
            .iter()
            .enumerate()
            .map(|(place, part)| {
                let masked: Vec<&HashMap<u32, Timestamp>> =
                    self.levels.iter().filter_map(|level| level.masked(place)).collect();
                let own = own.map(|own| &own.masked[place]);
                move |document: u32| {
                    let hides =
                        |masked: &&HashMap<u32, Timestamp>| masked.get(&document).is_some_and(|ts| *ts <= view.read_ts);
                    part.dead.has(document)
                        || masked.iter().any(hides)
                        || own.is_some_and(|own| own.contains(&document))
                }
            })
            .collect();
        let parts = view.generation.segments.parts.iter().zip(&view.pages).zip(&dead);
        let segments: Vec<SegmentLeaf<'_>> =
            parts.map(|((part, pages), dead)| SegmentLeaf::new(&part.segment, pages as &dyn Pages, dead)).collect();
        let mut deltas: Vec<DeltaView<'_>> = self.levels.iter().map(|level| level.delta.view(at)).collect();
        deltas.extend(own.map(|own| own.delta.view(0)));
        let masks: Vec<_> = (1..=deltas.len())
            .map(|above| {
                let above = &deltas[above..];
                move |id: &[u8]| above.iter().any(|view| view.masks(id))
            })
            .collect();
        let leaves = deltas.iter().zip(&masks).enumerate().map(|(place, (view, masks))| match place + 1 {
            above if above == deltas.len() => DeltaLeaf::new(*view),
            _ => DeltaLeaf::below(*view, masks),
        });
        work(&Searcher::new(segments, leaves.collect()))
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
