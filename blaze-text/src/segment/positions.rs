//! Positions: the gaps between those of the documents of a block, in groups of 128 with a byte for their bits each.

use blaze_core::Result;

use super::bits::{BLOCK, Block, pack, packed_bytes, unpack, width};
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

/// Reads positions of one document after the other, and a group once.
pub(super) struct PositionReader<'p> {
    page: CurrentPage<'p>,
    block: Option<u32>,
    /// The group behind the one that is read.
    next: u64,
    page_number: u32,
    offset: usize,
    gaps: Block,
}

impl<'p> PositionReader<'p> {
    pub(super) fn new(pages: &'p dyn Pages) -> PositionReader<'p> {
        let page = CurrentPage::new(pages, Stream::Positions);
        PositionReader { page, block: None, next: 0, page_number: 0, offset: 0, gaps: [0; BLOCK] }
    }

    /// Appends the positions that are wanted.
    pub(super) fn read(&mut self, wanted: &Wanted, positions: &mut Vec<u32>) -> Result<()> {
        let (mut at, end) = (wanted.before, wanted.before + u64::from(wanted.count));
        let mut position = u32::MAX;
        while at < end {
            self.seek(wanted, at / BLOCK as u64)?;
            let (from, group) = ((at % BLOCK as u64) as usize, at - at % BLOCK as u64);
            let to = (end - group).min(BLOCK as u64) as usize;
            for (index, gap) in self.gaps[from..to].iter().enumerate() {
                let is_first = index == 0 && at == wanted.before;
                let next =
                    if is_first { Some(*gap) } else { position.checked_add(1).and_then(|next| next.checked_add(*gap)) };
                position = next.ok_or_else(|| damaged("positions are too high"))?;
                positions.push(position);
            }
            at = group + to as u64;
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
            let is_read = self.step(wanted.all, self.next == group);
            if is_read.is_err() {
                self.block = None;
            }
            is_read?;
        }
        Ok(())
    }

    /// Goes behind the next group and unpacks it, or passes it.
    fn step(&mut self, all: u64, is_wanted: bool) -> Result<()> {
        let mut page = self.page.get(self.page_number)?;
        if self.offset >= page.len() {
            (self.page_number, self.offset) = (self.page_number.saturating_add(1), 0);
            page = self.page.get(self.page_number)?;
        }
        let rest = page.get(self.offset..).and_then(<[u8]>::split_first);
        let (bits, packed) = rest.ok_or_else(|| damaged("positions are missing"))?;
        let count = all.saturating_sub(self.next * BLOCK as u64).min(BLOCK as u64) as usize;
        if is_wanted {
            unpack(packed, *bits, count, &mut self.gaps).ok_or_else(|| damaged("positions do not parse"))?;
        }
        self.offset += 1 + packed_bytes(count, *bits);
        self.next += 1;
        Ok(())
    }
}
