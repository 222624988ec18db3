//! The segments of an index as they are from one commit to the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use blaze_core::{Family, ReadPoint, Result, Write};
use blaze_text::Segment;

use super::dead::Dead;
use super::header::{Header, StoredSegment};
use super::layout;
use super::pages::{PageCache, SegmentPages};

/// The segments of an index as they are from one commit to the next.
#[derive(Debug, Default)]
pub(super) struct Segments {
    pub(super) header: Header,
    pub(super) parts: Vec<Part>,
}

/// One segment, with its documents that are dead.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) number: u64,
    pub(super) segment: Arc<Segment>,
    pub(super) dead: Dead,
}

impl Segments {
    /// Those at a read point; what is the same as in others that were read before is shared with them.
    pub(super) fn read(
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
        index: u32,
        known: Option<&Segments>,
    ) -> Result<Segments> {
        let mut header = Header::default();
        point.visit(Family::Text, &layout::header_key(index), &mut |bytes| {
            header = Header::from_bytes(index, bytes)?;
            Ok(())
        })?;
        let part = |stored: &StoredSegment| {
            let known = known.and_then(|known| known.parts.iter().find(|part| part.number == stored.number));
            let segment = match known {
                Some(known) => Arc::clone(&known.segment),
                None => {
                    let pages = pages(point, cache, index, stored.number);
                    Arc::new(Segment::open(stored.meta.clone(), &pages)?)
                }
            };
            let dead = if stored.dead == 0 { Dead::default() } else { Dead::read(&**point, index, stored.number)? };
            Ok(Part { number: stored.number, segment, dead })
        };
        let parts = header.segments.iter().map(part).collect::<Result<_>>()?;
        Ok(Segments { header, parts })
    }

    /// Bytes of memory that they take beside their pages.
    pub(super) fn memory_bytes(&self) -> usize {
        self.parts.iter().map(|part| part.segment.memory_bytes()).sum()
    }

    /// Has documents be dead, each by the place of its segment; answers the rows that say so.
    pub(super) fn kill(&mut self, index: u32, documents: &[(usize, u32)]) -> Vec<Write> {
        let mut rows = Vec::new();
        for (place, part) in self.parts.iter_mut().enumerate() {
            let of_part = documents.iter().filter(|(at, _)| *at == place).map(|(_, document)| *document);
            let killed: BTreeSet<u32> = of_part.filter(|document| part.dead.insert(*document)).collect();
            if let Some(stored) = self.header.segments.iter_mut().find(|stored| stored.number == part.number) {
                stored.dead += killed.len() as u32;
            }
            rows.extend(part.dead.rows(index, part.number, &killed));
        }
        rows
    }
}

/// The pages of a segment as a view sees them.
pub(super) fn pages(point: &Arc<dyn ReadPoint>, cache: &Arc<PageCache>, index: u32, segment: u64) -> SegmentPages {
    SegmentPages { point: Arc::clone(point), cache: Arc::clone(cache), index, segment }
}
