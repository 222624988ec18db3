//! The first document of a term.

use std::ops::Range;

use blaze_core::Result;

use super::super::bits::BLOCK;
use super::super::entry::{Place, blocks};
use super::super::impacts::{ImpactCollector, Impacts};
use super::super::inline::read_inline;
use super::super::page::{Address, CurrentPage, damaged};
use super::super::skip::Skips;
use super::super::{Page, Pages, Segment, Stream, TermEntry};
use super::{Ahead, SegmentPostings};
use crate::END;
use crate::reader::Reader;

impl Segment {
    /// The postings of a term that [`find`](Segment::find) or a [`TermCursor`](crate::TermCursor) of this segment has found.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse.
    pub fn postings<'p>(&'p self, pages: &'p dyn Pages, entry: &TermEntry) -> Result<SegmentPostings<'p>> {
        let (first, count) = match entry.place {
            Place::Inline { .. } => (0, 0),
            Place::Blocks { first, .. } => (first, blocks(entry.documents)),
        };
        let nowhere = Address::from_bytes([0; Address::BYTES]);
        let mut postings = SegmentPostings {
            pages,
            limit: self.documents(),
            count: entry.documents,
            current: END,
            at: 0,
            documents: [END; BLOCK],
            frequencies: [0; BLOCK],
            has_frequencies: false,
            sums: None,
            block: 0,
            last: END,
            postings: nowhere,
            positions: nowhere,
            page: CurrentPage::new(pages, Stream::Postings),
            skips: Skips::new(pages, first, count),
            ahead: Ahead { block: 0, from: 1, last: 0, impacts: Impacts::NONE },
            all: Impacts::NONE,
            inline: None,
            reader: None,
        };
        match &entry.place {
            Place::Inline { page, range } => {
                let length_of = |document| self.length_of(entry.field, document);
                let read = postings.read_inline(page, range.clone(), length_of, self.average(entry.field));
                read.ok_or_else(|| damaged("postings in the dictionary do not parse"))?;
            }
            Place::Blocks { impacts, .. } => {
                postings.load(0, END)?;
                let is_several = count > 1;
                postings.all = if is_several {
                    Impacts::from_padded(impacts.padded())
                } else {
                    Impacts::from_padded(postings.skips.bound(0)?.1)
                };
            }
        }
        Ok(postings)
    }
}

impl SegmentPostings<'_> {
    fn read_inline(
        &mut self,
        page: &Page,
        range: Range<usize>,
        length_of: impl Fn(u32) -> Option<u32>,
        average: f32,
    ) -> Option<()> {
        let mut reader = Reader(page.payload().get(range.clone())?);
        let mut before = END;
        let mut impacts = ImpactCollector::new();
        for index in 0..self.count as usize {
            let (document, frequency) = read_inline(&mut reader, before)?;
            *self.documents.get_mut(index)? = document;
            self.frequencies[index] = frequency;
            impacts.add(frequency, length_of(document)?);
            before = document;
        }
        if !reader.is_empty() {
            return None;
        }
        self.has_frequencies = true;
        self.inline = Some((page.clone(), range));
        self.current = self.documents[0];
        self.last = before;
        if self.count > 0 {
            self.all = Impacts::from_padded(impacts.codes(average).padded());
            self.ahead = Ahead { block: 0, from: 0, last: before, impacts: self.all };
        }
        Some(())
    }
}
