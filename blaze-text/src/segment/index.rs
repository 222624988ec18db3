//! The first key of each page, in memory.

use blaze_core::Result;

use super::keyed::Entries;
use super::page::damaged;
use super::{Pages, Stream};

/// Which key each page of a stream begins with, and what its writer said of that.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyIndex {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    bases: Vec<u64>,
}

impl KeyIndex {
    /// Reads what is behind the first `pages` pages of `all`.
    pub(super) fn read(from: &dyn Pages, stream: Stream, pages: u32, all: u32) -> Result<KeyIndex> {
        let mut index = KeyIndex::default();
        for number in pages..all {
            let mut entries = Entries::new(from.page(stream, number)?)?;
            while entries.next()? {
                let base = entries.read(|reader| reader.varint())?;
                let is_ascending = index.bases.last().is_none_or(|last| *last <= base)
                    && index.ends.len().checked_sub(1).is_none_or(|last| index.key(last) < entries.key());
                let end = u32::try_from(index.bytes.len() + entries.key().len()).ok().filter(|_| is_ascending);
                index.bytes.extend_from_slice(entries.key());
                index.ends.push(end.ok_or_else(|| damaged("an index of keys does not ascend"))?);
                index.bases.push(base);
            }
        }
        if index.ends.len() != pages as usize {
            return Err(damaged("an index of keys has another length"));
        }
        Ok(index)
    }

    fn key(&self, page: usize) -> &[u8] {
        let start = if page == 0 { 0 } else { self.ends[page - 1] as usize };
        &self.bytes[start..self.ends[page] as usize]
    }

    pub(super) fn pages(&self) -> u32 {
        self.ends.len() as u32
    }

    /// What the writer said of a page.
    pub(super) fn base(&self, page: u32) -> Option<u64> {
        self.bases.get(page as usize).copied()
    }

    /// The last page that does not begin behind `key`.
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle) <= key { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1).map(|page| page as u32)
    }

    /// The last page of which the base is not above `base`.
    pub(super) fn find_base(&self, base: u64) -> Option<u32> {
        self.bases.partition_point(|other| *other <= base).checked_sub(1).map(|page| page as u32)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + 4 * self.ends.capacity() + 8 * self.bases.capacity()
    }
}
