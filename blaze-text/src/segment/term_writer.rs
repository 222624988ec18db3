//! Writing the dictionary and the postings of its terms.

use blaze_core::{Error, Result};

use super::Stream;
use super::bits::BLOCK;
use super::block::{BLOCK_BYTES_MAX, write_block};
use super::entry::{INLINE_BYTES_MAX, INLINE_DOCUMENTS_MAX, RawEntry, RawPlace};
use super::impacts::{ImpactCodes, ImpactCollector};
use super::inline::write_inline;
use super::keyed::KeyedWriter;
use super::page::{Address, PageBuffer, Sink};
use super::positions::write_groups;
use super::skip::{SKIP_BYTES, Skip};
use crate::END;
use crate::document::push_gaps;

/// Writes one term after the other: what is not written yet is at most a block of the current one.
pub(super) struct TermWriter {
    pub(super) dictionary: KeyedWriter,
    pub(super) postings: PageBuffer,
    pub(super) positions: PageBuffer,
    pub(super) skips: PageBuffer,
    pub(super) terms: u64,
    pub(super) all_postings: u64,
    /// Blocks of all terms so far.
    pub(super) blocks: u32,
    /// The current term with its field before it; empty before the first one.
    key: Vec<u8>,
    removed: i32,
    average: f32,
    documents: u32,
    first_block: u32,
    last: u32,
    impacts: ImpactCollector,
    block: OpenBlock,
    value: Vec<u8>,
}

/// The block that is being filled.
struct OpenBlock {
    gaps: Vec<u32>,
    /// Less one each.
    frequencies: Vec<u32>,
    positions: Vec<u32>,
    impacts: ImpactCollector,
}

impl TermWriter {
    pub(super) fn new() -> TermWriter {
        let (gaps, frequencies) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        TermWriter {
            dictionary: KeyedWriter::new(Stream::Terms),
            postings: PageBuffer::new(Stream::Postings),
            positions: PageBuffer::new(Stream::Positions),
            skips: PageBuffer::new(Stream::Skips),
            terms: 0,
            all_postings: 0,
            blocks: 0,
            key: Vec::new(),
            removed: 0,
            average: 0.0,
            documents: 0,
            first_block: 0,
            last: END,
            impacts: ImpactCollector::new(),
            block: OpenBlock { gaps, frequencies, positions: Vec::new(), impacts: ImpactCollector::new() },
            value: Vec::new(),
        }
    }

    /// Begins a term of a field that has so many tokens on average.
    pub(super) fn begin(
        &mut self,
        field: u8,
        term: &[u8],
        removed: i32,
        average: f32,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        self.end(sink)?;
        let is_ascending = self.key.split_first().is_none_or(|(last, before)| (*last, before) < (field, term));
        if !is_ascending || term.is_empty() {
            let (term, last) = (term.escape_ascii(), self.key.escape_ascii());
            return Err(Error::invalid(format!("the term \"{term}\" of the field {field} comes behind \"{last}\"")));
        }
        self.key.clear();
        self.key.push(field);
        self.key.extend_from_slice(term);
        (self.removed, self.average) = (removed, average);
        (self.documents, self.first_block, self.last) = (0, self.blocks, END);
        self.impacts = ImpactCollector::new();
        Ok(())
    }

    /// The field of the current term.
    pub(super) fn field(&self) -> u8 {
        self.key.first().copied().unwrap_or(0)
    }

    pub(super) fn set_removed(&mut self, removed: i32) {
        self.removed = removed;
    }

    /// Adds a document behind the last one, which has so many tokens in the field.
    pub(super) fn add(&mut self, document: u32, length: u32, positions: &[u32], sink: &mut Sink<'_>) -> Result<()> {
        let is_behind = self.last == END || self.last < document;
        if !is_behind || self.key.is_empty() {
            let (last, key) = (self.last, self.key.escape_ascii());
            return Err(Error::invalid(format!("document {document} comes behind {last} of the term \"{key}\"")));
        }
        if positions.is_empty() || !positions.is_sorted_by(|a, b| a < b) {
            let (count, key) = (positions.len(), self.key.escape_ascii());
            let message = format!("{count} positions of the term \"{key}\" in document {document} do not ascend");
            return Err(Error::invalid(message));
        }
        let frequency =
            u32::try_from(positions.len()).map_err(|_| Error::limit_exceeded("a document has too many positions"))?;
        let block = &mut self.block;
        block.gaps.push(document.wrapping_sub(self.last).wrapping_sub(1));
        block.frequencies.push(frequency - 1);
        push_gaps(positions, &mut block.positions);
        block.impacts.add(frequency, length);
        (self.last, self.documents) = (document, self.documents + 1);
        if self.block.gaps.len() == BLOCK { self.end_block(sink) } else { Ok(()) }
    }

    /// Ends the last term.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        if self.documents == 0 && self.removed == 0 {
            return Ok(());
        }
        let is_inline = self.inline();
        let place = if is_inline {
            RawPlace::Inline { bytes: self.value.len() }
        } else {
            self.end_block(sink)?;
            self.value.clear();
            let impacts =
                if self.documents > BLOCK as u32 { self.impacts.codes(self.average) } else { ImpactCodes::default() };
            RawPlace::Blocks { impacts }
        };
        let mut value = Vec::with_capacity(self.value.len() + 24);
        RawEntry { documents: self.documents, removed: self.removed, place }.write(&mut value);
        value.extend_from_slice(&self.value);
        self.dictionary.push(&self.key, u64::from(self.first_block), true, &value, sink)?;
        self.terms += 1;
        self.all_postings += u64::from(self.documents);
        self.clear_block();
        (self.documents, self.removed) = (0, 0);
        Ok(())
    }

    /// Writes what goes into the dictionary, if it is little enough.
    fn inline(&mut self) -> bool {
        self.value.clear();
        if self.documents as usize > INLINE_DOCUMENTS_MAX {
            return false;
        }
        let mut rest = self.block.positions.as_slice();
        for (gap, frequency) in self.block.gaps.iter().zip(&self.block.frequencies) {
            let (positions, others) = rest.split_at(*frequency as usize + 1);
            write_inline(&mut self.value, *gap, positions);
            rest = others;
            if self.value.len() > INLINE_BYTES_MAX {
                return false;
            }
        }
        true
    }

    fn end_block(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        if self.block.gaps.is_empty() {
            return Ok(());
        }
        let positions = self.positions.address()?;
        write_groups(&mut self.positions, &self.block.positions, sink)?;
        let postings = self.write_postings(sink)?;
        self.impacts.add_all(&self.block.impacts);
        let impacts = self.block.impacts.codes(self.average).padded();
        self.skips.make_room(SKIP_BYTES, sink)?;
        Skip { last: self.last, postings, positions, impacts }.write(&mut self.skips.bytes);
        let blocks = self.blocks.checked_add(1);
        self.blocks = blocks.ok_or_else(|| Error::limit_exceeded("a text segment has too many blocks"))?;
        self.clear_block();
        Ok(())
    }

    /// Writes the block on one page, and answers where.
    fn write_postings(&mut self, sink: &mut Sink<'_>) -> Result<Address> {
        self.value.clear();
        write_block(&mut self.value, &self.block.gaps, &self.block.frequencies);
        debug_assert!(self.value.len() <= BLOCK_BYTES_MAX);
        self.postings.make_room(self.value.len(), sink)?;
        let address = self.postings.address()?;
        self.postings.bytes.extend_from_slice(&self.value);
        Ok(address)
    }

    fn clear_block(&mut self) {
        self.block.gaps.clear();
        self.block.frequencies.clear();
        self.block.positions.clear();
        self.block.impacts = ImpactCollector::new();
    }
}
