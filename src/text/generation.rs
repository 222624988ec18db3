//! What an index is from one fold to the next.

use std::sync::Arc;

use blaze_core::{ReadPoint, Result, Timestamp};
use blaze_text::Delta;

use super::change::RecentChange;
use super::level::{Committed, Level, Masked};
use super::pages::PageCache;
use super::recent::Recent;
use super::segments::{Segments, pages};
use super::unfolded;

/// What an index is from one fold to the next.
pub(super) struct Generation {
    /// For views from here on.
    pub(super) from: Timestamp,
    pub(super) segments: Segments,
    pub(super) recent: Recent,
}

/// Where an index is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) point: &'a Arc<dyn ReadPoint>,
    pub(super) cache: &'a Arc<PageCache>,
    pub(super) index: u32,
    pub(super) fields: u8,
}

impl Generation {
    /// What is at a read point.
    pub(super) fn read(source: Source<'_>, known: Option<&Segments>) -> Result<Generation> {
        let Source { point, cache, index, .. } = source;
        let segments = Segments::read(point, cache, index, known)?;
        let (documents, _) = unfolded::read(&**point, index, None, usize::MAX)?;
        Generation::of(source, segments, documents.into_iter().flat_map(|document| document.changes))
    }

    /// What segments are, and changes of before the read point.
    pub(super) fn of(
        source: Source<'_>,
        segments: Segments,
        changes: impl IntoIterator<Item = Arc<RecentChange>>,
    ) -> Result<Generation> {
        let changes: Vec<Committed> = changes.into_iter().map(|change| (Timestamp::ZERO, change)).collect();
        let mut level = Level::new(source.fields, segments.parts.len());
        level.add(&changes)?;
        level.mask(hidden(source, &segments, &changes)?);
        let recent = Recent::new(source.fields, segments.parts.len(), level);
        Ok(Generation { from: source.point.ts(), segments, recent })
    }

    /// Nothing but a delta.
    pub(super) fn of_delta(from: Timestamp, fields: u8, delta: Delta) -> Generation {
        let recent = Recent::new(fields, 0, Level::of_delta(delta));
        Generation { from, segments: Segments::default(), recent }
    }

    /// Takes in what was committed after all that is there. Only one at a time may do so.
    pub(super) fn take(&self, source: Source<'_>, changes: &[Committed]) -> Result<()> {
        self.recent.append(changes, &hidden(source, &self.segments, changes)?)
    }

    /// All changes, those that came first before others of the same document.
    pub(super) fn changes(&self) -> Vec<Arc<RecentChange>> {
        let levels = self.recent.levels();
        levels.iter().flat_map(|level| level.changes()).map(|(_, change)| Arc::clone(change)).collect()
    }

    /// Bytes that it takes, about: what is not folded is there as it was written, and to be searched.
    pub(super) fn memory_bytes(&self) -> usize {
        self.segments.memory_bytes() + 3 * self.recent.size().1
    }
}

/// Where changes replace or remove documents of segments.
fn hidden(source: Source<'_>, segments: &Segments, changes: &[Committed]) -> Result<Vec<Masked>> {
    let Source { point, cache, index, .. } = source;
    let mut hidden = Vec::new();
    let replacing = changes.iter().filter(|(_, change)| change.before.is_some());
    for (ts, change) in replacing {
        for (place, part) in segments.parts.iter().enumerate() {
            let pages = pages(point, cache, index, part.number);
            let document = part.segment.find_document(&pages, &change.id)?;
            hidden.extend(document.filter(|document| !part.dead.has(*document)).map(|document| (place, document, *ts)));
        }
    }
    Ok(hidden)
}
