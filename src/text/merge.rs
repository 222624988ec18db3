//! Merging: several segments become one, without their dead documents.

use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Family, Result, Write};
use blaze_text::{FieldTotals, MergePart, SegmentMeta, SegmentWriter};

use super::fold::{Output, commit_header, fields_of};
use super::header::StoredSegment;
use super::segments::{Part, Segments, pages};
use super::{Texts, layout};
use crate::database::core::Core;
use crate::session::Session;

/// So many segments of about one size are merged: each document is written again for each time that the index grows so many
/// times, and a search asks up to about as many segments for each.
const FAN_IN: usize = 8;

/// Documents of the smallest size of segments.
const SMALLEST: u32 = 4_096;

/// A segment of which more than one part in so many is dead is written again.
const DEAD_PART: u32 = 3;

impl Texts {
    /// Merges segments as long as some should be; into one if `whole`.
    pub(super) fn merge(&self, core: &Arc<Core>, index: u32, whole: bool) -> Result<()> {
        loop {
            let session = Session::read_only(core)?;
            let Some(fields) = fields_of(&session, index)? else { return Ok(()) };
            let known = self.last_seen(index);
            let known = known.as_ref().map(|known| &known.segments);
            let mut segments = Segments::read(session.point(), &self.pages, index, known)?;
            let chosen = if whole { all(&segments.header.segments) } else { choose(&segments.header.segments) };
            if chosen.is_empty() || self.has_ended() {
                return Ok(());
            }
            let _span = tracing::info_span!("merge text", index, segments = chosen.len()).entered();
            let number = segments.header.next;
            let parts: Vec<&Part> = chosen.iter().filter_map(|place| segments.parts.get(*place)).collect();
            let gone: Vec<u64> = parts.iter().map(|part| part.number).collect();
            let mut output = Output::begin(core, index, number)?;
            let meta = output.write(fields, |writer| self.merge_parts(&session, index, &parts, writer))?;
            let header = &mut segments.header;
            header.next += 1;
            header.segments.retain(|stored| !gone.contains(&stored.number));
            if meta.documents() > 0 || takes_away(&meta) {
                header.segments.push(StoredSegment { number, meta, dead: 0 });
            }
            let mut writes = vec![Write::put(Family::Text, layout::header_key(index), header.to_bytes(index))];
            for number in gone {
                for range in [layout::segment_pages(index, number), layout::dead_range(index, number)] {
                    writes.push(Write::DeleteRange { family: Family::Text, range });
                }
            }
            fault::reached(Point::TextMerged);
            commit_header(core, &session, index, &writes)?;
        }
    }

    fn merge_parts(
        &self,
        session: &Session,
        index: u32,
        parts: &[&Part],
        writer: SegmentWriter<'_>,
    ) -> Result<SegmentMeta> {
        let pages: Vec<_> = parts.iter().map(|part| pages(session.point(), &self.pages, index, part.number)).collect();
        let is_dead: Vec<_> = parts.iter().map(|part| |document: u32| part.dead.has(document)).collect();
        let inputs = parts.iter().zip(&pages).zip(&is_dead);
        let inputs: Vec<_> =
            inputs.map(|((part, pages), is_dead)| MergePart { segment: &part.segment, pages, is_dead }).collect();
        blaze_text::merge(&inputs, writer)
    }
}

/// True if a segment says of others what is not there any more.
fn takes_away(meta: &SegmentMeta) -> bool {
    meta.terms() > 0 || (0..meta.fields()).any(|field| meta.removed(field) != FieldTotals::default())
}

/// All segments, by their places, if they are several or some of their documents are dead.
fn all(segments: &[StoredSegment]) -> Vec<usize> {
    match segments {
        [] => Vec::new(),
        [one] if one.dead == 0 => Vec::new(),
        several => (0..several.len()).collect(),
    }
}

/// The places of the segments that should be merged now.
fn choose(segments: &[StoredSegment]) -> Vec<usize> {
    let sparse = segments.iter().position(|segment| segment.dead > segment.meta.documents() / DEAD_PART);
    let mut sizes: Vec<(u32, usize)> = segments.iter().map(StoredSegment::live).zip(0..).map(size).collect();
    sizes.sort_unstable();
    let chunks = sizes.chunk_by(|a, b| a.0 == b.0).find(|of_size| of_size.len() >= FAN_IN);
    match (chunks, sparse) {
        (Some(of_size), _) => {
            // With all that are smaller: they would soon follow.
            let largest = of_size.first().map_or(0, |(size, _)| *size);
            sizes.iter().filter(|(size, _)| *size <= largest).map(|(_, place)| *place).collect()
        }
        (None, Some(sparse)) => vec![sparse],
        (None, None) => Vec::new(),
    }
}

/// The size of a segment, by powers.
fn size((documents, place): (u32, usize)) -> (u32, usize) {
    ((documents / SMALLEST).max(1).ilog(FAN_IN as u32), place)
}
