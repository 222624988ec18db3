//! Positions: the gaps between those of the documents of a block, in groups of 128 with a byte for their bits each.

use blaze_core::Result;

use super::bits::{BLOCK, pack, packed_bytes, unpack_one, width};
use super::page::{Address, CurrentPage, PageBuffer, Sink, damaged};
use super::{Pages, Stream};

/// Appends numbers in groups of 128; none is on two pages.
pub(super) fn write_groups(buffer: &mut PageBuffer, numbers: &[u32], sink: &mut Sink<'_>) -> Result<()> {
    for group in numbers.chunks(BLOCK) {
        let bits = width(group);
        buffer.make_room(1 + packed_bytes(group.len(), bits), sink)?;
        buffer.bytes.push(bits);
        pack(&mut buffer.bytes, group, bits);
    }
    Ok(())
}

/// Which positions are read: those of a document, among those of its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The block, which is told from others by its number, and where its positions are.
    pub(super) block: u32,
    pub(super) address: Address,
    /// Positions of the block, of documents before this one, and of this one.
    pub(super) all: u64,
    pub(super) before: u64,
    pub(super) count: u32,
}

/// Reads positions of one document after the other: only these, most documents of a block are not asked for.
pub(super) struct PositionReader<'p> {
    page: CurrentPage<'p>,
    block: Option<u32>,
    /// The group that was found last, and the one behind it.
    group: Group,
    next: u64,
    page_number: u32,
    offset: usize,
}

/// Where numbers are: on a page, so many of so many bits.
#[derive(Clone, Copy)]
struct Group {
    page: u32,
    offset: usize,
    count: usize,
    bits: u8,
}

impl<'p> PositionReader<'p> {
    pub(super) fn new(pages: &'p dyn Pages) -> PositionReader<'p> {
        let (page, group) =
            (CurrentPage::new(pages, Stream::Positions), Group { page: 0, offset: 0, count: 0, bits: 0 });
        PositionReader { page, block: None, group, next: 0, page_number: 0, offset: 0 }
    }

    /// Appends the positions that are wanted.
    pub(super) fn read(&mut self, wanted: &Wanted, positions: &mut Vec<u32>) -> Result<()> {
        let (mut at, end) = (wanted.before, wanted.before + u64::from(wanted.count));
        let mut next = Some(0_u32);
        while at < end {
            self.seek(wanted, at / BLOCK as u64)?;
            let (from, start) = ((at % BLOCK as u64) as usize, at - at % BLOCK as u64);
            let to = (end - start).min(BLOCK as u64) as usize;
            let Group { page, offset, count, bits } = self.group;
            let packed = self.page.get(page)?.get(offset..).unwrap_or(&[]);
            for index in from..to {
                let gap = unpack_one(packed, bits, count, index).ok_or_else(|| damaged("positions do not parse"))?;
                let position = next.and_then(|next| next.checked_add(gap));
                let position = position.ok_or_else(|| damaged("positions are too high"))?;
                positions.push(position);
                next = position.checked_add(1);
            }
            at = start + to as u64;
        }
        Ok(())
    }

    /// Makes this group the one that is read.
    fn seek(&mut self, wanted: &Wanted, group: u64) -> Result<()> {
        if self.block == Some(wanted.block) && self.next == group + 1 {
            return Ok(());
        }
        if self.block != Some(wanted.block) || self.next > group {
            (self.block, self.next) = (Some(wanted.block), 0);
            (self.page_number, self.offset) = (wanted.address.page(), wanted.address.offset());
        }
        while self.next <= group {
            let is_found = self.step(wanted.all);
            if is_found.is_err() {
                self.block = None;
            }
            is_found?;
        }
        Ok(())
    }

    /// Goes behind the next group.
    fn step(&mut self, all: u64) -> Result<()> {
        let mut page = self.page.get(self.page_number)?;
        if self.offset >= page.len() {
            (self.page_number, self.offset) = (self.page_number.saturating_add(1), 0);
            page = self.page.get(self.page_number)?;
        }
        let bits = *page.get(self.offset).ok_or_else(|| damaged("positions are missing"))?;
        let count = all.saturating_sub(self.next * BLOCK as u64).min(BLOCK as u64) as usize;
        let end = self.offset + 1 + packed_bytes(count, bits);
        if bits > 32 || end > page.len() {
            return Err(damaged("positions do not parse"));
        }
        self.group = Group { page: self.page_number, offset: self.offset + 1, count, bits };
        (self.offset, self.next) = (end, self.next + 1);
        Ok(())
    }
}
