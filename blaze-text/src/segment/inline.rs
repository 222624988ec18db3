//! Postings of a few documents, as they are kept in the dictionary.
//!
//! Of each document the gap to the one before it, and its positions as a document's change has them: so many bytes for each
//! number as it needs.

use crate::document::{read_positions, skip_positions, write_gaps};
use crate::reader::{Reader, write_varint};

/// Appends a document: the gap before it, and its positions as gaps, less one but for the first.
pub(super) fn write_inline(out: &mut Vec<u8>, gap: u32, positions: &[u32]) {
    write_varint(out, gap);
    write_gaps(out, positions);
}

/// Reads a document behind the one `before`, and how often the term is in it.
pub(super) fn read_inline(reader: &mut Reader<'_>, before: u32) -> Option<(u32, u32)> {
    let gap = reader.varint32()?;
    let document = if before == u32::MAX { gap } else { before.checked_add(1)?.checked_add(gap)? };
    Some((document, skip_positions(reader)?))
}

/// Appends the positions of the document at `index`.
pub(super) fn inline_positions(bytes: &[u8], index: usize, positions: &mut Vec<u32>) -> Option<()> {
    let mut reader = Reader(bytes);
    for _ in 0..index {
        reader.varint()?;
        skip_positions(&mut reader)?;
    }
    reader.varint()?;
    read_positions(&mut reader, positions)
}
