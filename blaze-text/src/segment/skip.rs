//! Skips: what is known of a block without decoding it.

use blaze_core::Result;

use super::impacts::IMPACTS_MAX;
use super::page::{Address, CurrentPage, PAYLOAD_BYTES_MAX, damaged};
use super::{Pages, Stream};

/// Bytes of a skip: the last document, where the block is, where its positions are, and its impacts.
pub(super) const SKIP_BYTES: usize = 4 + 2 * Address::BYTES + 2 * IMPACTS_MAX;

/// All have the same length, so that the page of each is known.
const SKIPS_PER_PAGE: u32 = (PAYLOAD_BYTES_MAX / SKIP_BYTES) as u32;

/// A block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skip {
    pub(super) last: u32,
    pub(super) postings: Address,
    pub(super) positions: Address,
    pub(super) impacts: [u16; IMPACTS_MAX],
}

impl Skip {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.last.to_le_bytes());
        out.extend_from_slice(&self.postings.to_bytes());
        out.extend_from_slice(&self.positions.to_bytes());
        out.extend(self.impacts.iter().flat_map(|code| code.to_le_bytes()));
    }
}

/// The skips of a term.
pub(super) struct Skips<'p> {
    page: CurrentPage<'p>,
    /// The number of the first one among those of all terms.
    first: u32,
    count: u32,
}

impl<'p> Skips<'p> {
    pub(super) fn new(pages: &'p dyn Pages, first: u32, count: u32) -> Skips<'p> {
        Skips { page: CurrentPage::new(pages, Stream::Skips), first, count }
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    #[inline]
    fn bytes(&mut self, block: u32) -> Result<&[u8; SKIP_BYTES]> {
        let number = self.first.wrapping_add(block);
        let page = self.page.get(number / SKIPS_PER_PAGE)?;
        let skips = page.as_chunks().0;
        skips.get((number % SKIPS_PER_PAGE) as usize).ok_or_else(|| damaged("a block is missing"))
    }

    /// The last document of a block.
    #[inline]
    pub(super) fn last(&mut self, block: u32) -> Result<u32> {
        let [a, b, c, d, ..] = *self.bytes(block)?;
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    /// Where a block and its positions are, and its last document.
    #[inline]
    pub(super) fn get(&mut self, block: u32) -> Result<Skip> {
        let bytes = self.bytes(block)?;
        let [l0, l1, l2, l3, a0, a1, a2, a3, a4, p0, p1, p2, p3, p4, i @ ..] = *bytes;
        let impacts = [[i[0], i[1]], [i[2], i[3]], [i[4], i[5]], [i[6], i[7]]].map(u16::from_le_bytes);
        Ok(Skip {
            last: u32::from_le_bytes([l0, l1, l2, l3]),
            postings: Address::from_bytes([a0, a1, a2, a3, a4]),
            positions: Address::from_bytes([p0, p1, p2, p3, p4]),
            impacts,
        })
    }

    /// The last document of a block, and its impacts.
    #[inline(always)]
    pub(super) fn bound(&mut self, block: u32) -> Result<(u32, [u16; IMPACTS_MAX])> {
        let [l0, l1, l2, l3, _, _, _, _, _, _, _, _, _, _, i @ ..] = self.bytes(block)?;
        let impacts = [[i[0], i[1]], [i[2], i[3]], [i[4], i[5]], [i[6], i[7]]].map(u16::from_le_bytes);
        Ok((u32::from_le_bytes([*l0, *l1, *l2, *l3]), impacts))
    }

    /// The first block, from this one on, of which the last document is not before `target`; how many there are if none is.
    pub(super) fn find(&mut self, from: u32, target: u32) -> Result<u32> {
        let (mut low, mut high, mut step) = (from, self.count, 1);
        while low < high {
            let probe = low.saturating_add(step - 1).min(high - 1);
            if self.last(probe)? >= target {
                high = probe;
                break;
            }
            low = probe + 1;
            step = step.saturating_mul(2);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.last(middle)? < target { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }
}
