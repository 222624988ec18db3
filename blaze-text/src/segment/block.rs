//! A block: up to 128 documents and how often the term is in each.
//!
//! Two bytes say how many bits a gap and a frequency take, then come all gaps, then all frequencies, one less each.

use super::bits::{BLOCK, Block, accumulate, pack, packed_bytes, unpack, width};
use crate::END;
use crate::reader::Reader;

/// Bytes of a block at most.
pub(super) const BLOCK_BYTES_MAX: usize = 2 + 2 * 4 * BLOCK;

/// Appends a block: gaps between documents and frequencies, one less each.
pub(super) fn write_block(out: &mut Vec<u8>, gaps: &[u32], frequencies: &[u32]) {
    let (gap_bits, frequency_bits) = (width(gaps), width(frequencies));
    out.extend_from_slice(&[gap_bits, frequency_bits]);
    pack(out, gaps, gap_bits);
    pack(out, frequencies, frequency_bits);
}

/// Gaps of fewer bits do not add up to 32 bits.
const LARGE_GAP_BITS: u8 = 25;

/// Reads the documents of a block behind the document `before`, which is [`END`] before the first block, and answers the last
/// one; those behind that are [`END`].
#[inline]
pub(super) fn read_documents(bytes: &[u8], count: usize, before: u32, documents: &mut Block) -> Option<u32> {
    let mut reader = Reader(bytes);
    let (bits, _) = (reader.byte()?, reader.byte()?);
    unpack(reader.0, bits, count, documents)?;
    accumulate(documents, before);
    let (read, others) = documents.split_at_mut_checked(count)?;
    others.fill(END);
    let last = *read.last()?;
    let is_ascending = last > before || before == END;
    (is_ascending && (bits < LARGE_GAP_BITS || read.is_sorted_by(|a, b| a < b))).then_some(last)
}

/// Reads the frequencies of a block.
#[inline]
pub(super) fn read_frequencies(bytes: &[u8], count: usize, frequencies: &mut Block) -> Option<()> {
    let mut reader = Reader(bytes);
    let (gap_bits, bits) = (reader.byte()?, reader.byte()?);
    reader.take(packed_bytes(count, gap_bits))?;
    unpack(reader.0, bits, count, frequencies)?;
    frequencies.iter_mut().for_each(|frequency| *frequency = frequency.wrapping_add(1));
    Some(())
}
