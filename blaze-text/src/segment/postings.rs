//! The postings of a term of a segment.

mod begin;

use std::fmt;
use std::ops::Range;

use blaze_core::Result;

use super::bits::{BLOCK, Block};
use super::block::{read_documents, read_frequencies};
use super::impacts::{Impacts, any_is_worth};
use super::inline::inline_positions;
use super::page::{Address, CurrentPage, damaged};
use super::positions::{PositionReader, Wanted};
use super::skip::Skips;
use super::{Page, Pages};
use crate::{Batch, END, Impact, Postings};

/// Documents that are compared at once with one that is sought, before the whole block is searched.
const NEAR: usize = 8;

/// A cursor through the documents of a term: it unpacks 128 at a time, their frequencies and positions when asked.
pub struct SegmentPostings<'p> {
    pages: &'p dyn Pages,
    limit: u32,
    count: u32,
    /// The current document, and its place in the block.
    current: u32,
    at: usize,
    documents: Block,
    frequencies: Block,
    has_frequencies: bool,
    sums: Option<Sums>,
    /// The current block, its last document, and where it is.
    block: u32,
    last: u32,
    postings: Address,
    positions: Address,
    page: CurrentPage<'p>,
    skips: Skips<'p>,
    ahead: Ahead,
    /// Impacts of all documents.
    all: Impacts,
    inline: Option<(Page, Range<usize>)>,
    reader: Option<Box<PositionReader<'p>>>,
}

/// Sums of the frequencies of the current block: of all, and of those before a place. A term is in a document 2^24 times at
/// most, as often as that has bytes, so that those of a block do not overflow.
#[derive(Clone, Copy)]
struct Sums {
    all: u32,
    to: usize,
    before: u32,
}

/// The block that was looked at ahead, for all targets in a range.
struct Ahead {
    block: u32,
    from: u32,
    last: u32,
    impacts: Impacts,
}

impl<'p> SegmentPostings<'p> {
    /// Unpacks the documents of a block and goes to its first one; `before` is the last document of the block before it.
    fn load(&mut self, block: u32, before: u32) -> Result<()> {
        let skip = self.skips.get(block)?;
        let left = self.count - block * BLOCK as u32;
        let count = left.min(BLOCK as u32) as usize;
        let page = self.page.get(skip.postings.page())?;
        let bytes = page.get(skip.postings.offset()..).unwrap_or(&[]);
        let read = read_documents(bytes, count, before, &mut self.documents);
        if read != Some(skip.last) || skip.last >= self.limit {
            return Err(damaged("a block of postings does not parse"));
        }
        (self.block, self.last, self.postings, self.positions) = (block, skip.last, skip.postings, skip.positions);
        (self.has_frequencies, self.sums, self.at, self.current) = (false, None, 0, self.documents[0]);
        Ok(())
    }

    /// How many documents the current block has.
    fn block_count(&self) -> usize {
        (self.count - self.block * BLOCK as u32).min(BLOCK as u32) as usize
    }

    #[inline]
    fn load_frequencies(&mut self) -> Result<()> {
        if self.has_frequencies { Ok(()) } else { self.read_frequencies() }
    }

    #[inline(never)]
    fn read_frequencies(&mut self) -> Result<()> {
        let count = self.block_count();
        let page = self.page.get(self.postings.page())?;
        let bytes = page.get(self.postings.offset()..).unwrap_or(&[]);
        read_frequencies(bytes, count, &mut self.frequencies).ok_or_else(|| damaged("frequencies do not parse"))?;
        self.has_frequencies = true;
        Ok(())
    }

    #[cold]
    fn end(&mut self) -> u32 {
        self.at = BLOCK - 1;
        self.documents[BLOCK - 1] = END;
        (self.block, self.last, self.current, self.has_frequencies) = (self.skips.count(), END, END, true);
        END
    }

    #[inline(never)]
    fn next_block(&mut self) -> Result<u32> {
        if self.block + 1 >= self.skips.count() {
            return Ok(self.end());
        }
        self.load(self.block + 1, self.last)?;
        Ok(self.current)
    }

    #[inline(never)]
    fn seek_block(&mut self, target: u32) -> Result<()> {
        let block = if (self.ahead.from..=self.ahead.last).contains(&target) {
            self.ahead.block
        } else {
            self.skips.find(self.block + 1, target)?
        };
        if block >= self.skips.count() {
            self.end();
            return Ok(());
        }
        let before = if block == self.block + 1 { self.last } else { self.skips.last(block - 1)? };
        self.load(block, before)
    }

    #[inline(never)]
    fn look_ahead(&mut self, target: u32) -> Result<()> {
        if self.skips.count() == 0 {
            self.ahead = Ahead { block: 0, from: self.last.saturating_add(1), last: END - 1, impacts: Impacts::NONE };
            if self.count > 0 && target <= self.last {
                self.ahead = Ahead { block: 0, from: 0, last: self.last, impacts: self.all };
            }
            return Ok(());
        }
        // Blocks ascend: what was looked at, and ends before the target, is passed.
        let is_behind = self.ahead.from <= self.ahead.last && self.ahead.last < target;
        let passed = if is_behind { self.ahead.block.saturating_add(1) } else { 0 };
        let block = self.skips.find(passed.max(self.block), target)?;
        self.ahead = if block < self.skips.count() {
            let skip = self.skips.get(block)?;
            Ahead { block, from: target, last: skip.last, impacts: Impacts::from_padded(skip.impacts) }
        } else {
            Ahead { block, from: target, last: END - 1, impacts: Impacts::NONE }
        };
        Ok(())
    }
}

impl Postings for SegmentPostings<'_> {
    #[inline]
    fn document(&self) -> u32 {
        self.current
    }

    #[inline]
    fn next(&mut self) -> Result<u32> {
        self.at += 1;
        match self.documents.get(self.at) {
            Some(document) if self.current != self.last => {
                self.current = *document;
                Ok(self.current)
            }
            _ => self.next_block(),
        }
    }

    #[inline]
    fn seek(&mut self, target: u32) -> Result<u32> {
        if target <= self.current {
            return Ok(self.current);
        }
        if target > self.last {
            self.seek_block(target)?;
            if target <= self.current {
                return Ok(self.current);
            }
        }
        if let Some(next) = self.documents[self.at % BLOCK..].first_chunk::<NEAR>() {
            let before = next.iter().filter(|document| **document < target).count();
            if before < NEAR {
                self.at += before;
                self.current = next[before];
                return Ok(self.current);
            }
        }
        // Those behind the last document are END, and the last one is not before the target.
        let mut at = 0;
        for step in [64, 32, 16, 8, 4, 2, 1] {
            at += if self.documents[(at + step - 1) % BLOCK] < target { step } else { 0 };
        }
        self.at = at % BLOCK;
        self.current = self.documents[self.at];
        Ok(self.current)
    }

    #[inline]
    fn frequency(&mut self) -> Result<u32> {
        self.load_frequencies()?;
        Ok(self.frequencies[self.at % BLOCK])
    }

    fn batch(&mut self, last: u32, least_frequency: u32, batch: &mut Batch) -> Result<()> {
        batch.clear();
        if self.current > last || self.current == END {
            return Ok(());
        }
        self.load_frequencies()?;
        let all = self.at % BLOCK..self.block_count();
        let (documents, frequencies) = (&self.documents[all.clone()], &self.frequencies[all]);
        let taken = match self.last <= last {
            true => documents.len(),
            false => documents.partition_point(|document| *document <= last),
        };
        batch.fill(&documents[..taken], &frequencies[..taken], least_frequency);
        // What comes behind may be in a block that nobody wants to be read.
        self.at += taken - 1;
        self.current = self.documents[self.at % BLOCK];
        Ok(())
    }

    fn positions(&mut self, positions: &mut Vec<u32>) -> Result<()> {
        positions.clear();
        if self.current == END {
            return Ok(());
        }
        if let Some((page, range)) = &self.inline {
            let bytes = page.payload().get(range.clone()).unwrap_or(&[]);
            let read = inline_positions(bytes, self.at, positions);
            return read.ok_or_else(|| damaged("positions in the dictionary do not parse"));
        }
        self.load_frequencies()?;
        let sum = |frequencies: &[u32]| frequencies.iter().fold(0_u32, |sum, frequency| sum.wrapping_add(*frequency));
        let all = || Sums { all: sum(&self.frequencies[..self.block_count()]), to: 0, before: 0 };
        let mut sums = self.sums.unwrap_or_else(all);
        sums.before = sums.before.wrapping_add(sum(&self.frequencies[sums.to..self.at]));
        sums.to = self.at;
        self.sums = Some(sums);
        let (all, before, count) = (u64::from(sums.all), u64::from(sums.before), self.frequencies[self.at]);
        let wanted = Wanted { block: self.block, address: self.positions, all, before, count };
        let reader = self.reader.get_or_insert_with(|| Box::new(PositionReader::new(self.pages)));
        reader.read(&wanted, positions)
    }

    fn len(&self) -> u32 {
        self.count
    }

    #[inline]
    fn block(&mut self, target: u32) -> Result<(u32, &[Impact])> {
        if !(self.ahead.from..=self.ahead.last).contains(&target) {
            self.look_ahead(target)?;
        }
        Ok((self.ahead.last, self.ahead.impacts.as_slice()))
    }

    #[inline]
    fn find_block(&mut self, target: u32, is_worth: impl Fn(Impact) -> bool) -> Result<(u32, u32)> {
        let (last, impacts) = self.block(target)?;
        if impacts.iter().any(|impact| is_worth(*impact)) {
            return Ok((target, last.clamp(target, END - 1)));
        }
        let (mut block, mut before) = (self.ahead.block + 1, self.ahead.last);
        while block < self.skips.count() {
            let (last, impacts) = self.skips.bound(block)?;
            if last <= before || last >= self.limit {
                return Err(damaged("the blocks of a term do not ascend"));
            }
            if any_is_worth(impacts, &is_worth) {
                let from = before.max(target).saturating_add(1);
                self.ahead = Ahead { block, from, last, impacts: Impacts::from_padded(impacts) };
                return Ok((from, last.clamp(from, END - 1)));
            }
            (block, before) = (block + 1, last);
        }
        Ok((END, END))
    }

    fn impacts(&self) -> &[Impact] {
        self.all.as_slice()
    }
}

impl fmt::Debug for SegmentPostings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SegmentPostings");
        shown.field("document", &self.current).field("documents", &self.count).finish_non_exhaustive()
    }
}
