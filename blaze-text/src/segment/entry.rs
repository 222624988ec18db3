//! What the dictionary says of a term.

use std::ops::Range;

use super::Page;
use super::bits::BLOCK;
use super::impacts::{IMPACTS_MAX, ImpactCodes};
use crate::reader::{Reader, write_varint};

/// Documents of a term at most that are kept in the dictionary.
pub(super) const INLINE_DOCUMENTS_MAX: usize = 8;

/// Bytes of such documents at most.
pub(super) const INLINE_BYTES_MAX: usize = 128;

/// A term of a segment.
#[derive(Clone, Debug)]
pub struct TermEntry {
    /// How many documents of the segment have it, those that are dead included.
    pub documents: u32,
    /// How many documents of other segments had it that are dead because of what this segment was made of; less than none
    /// where those are no longer counted.
    pub removed: i32,
    pub(super) field: u8,
    pub(super) place: Place,
}

/// Where the documents are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// On the page of the dictionary itself.
    Inline { page: Page, range: Range<usize> },
    /// In blocks, of which this is the number of the first; impacts only for several.
    Blocks { first: u32, impacts: ImpactCodes },
}

/// The same as it is read, before it is known on which page.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawEntry {
    pub(super) documents: u32,
    pub(super) removed: i32,
    pub(super) place: RawPlace,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum RawPlace {
    Inline { bytes: usize },
    Blocks { impacts: ImpactCodes },
}

/// How many blocks so many documents take.
pub(super) fn blocks(documents: u32) -> u32 {
    documents.div_ceil(BLOCK as u32)
}

impl RawEntry {
    /// Appends it, but for what is inline.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let is_inline = matches!(self.place, RawPlace::Inline { .. });
        let flags = u64::from(is_inline) << 1 | u64::from(self.removed != 0);
        write_varint(out, u64::from(self.documents) << 2 | flags);
        if self.removed != 0 {
            write_varint(out, (self.removed << 1 ^ self.removed >> 31) as u32);
        }
        match &self.place {
            RawPlace::Inline { bytes } => write_varint(out, *bytes as u64),
            RawPlace::Blocks { impacts } if self.documents > BLOCK as u32 => {
                out.push(impacts.as_slice().len() as u8);
                out.extend(impacts.as_slice().iter().flat_map(|code| code.to_le_bytes()));
            }
            RawPlace::Blocks { .. } => (),
        }
    }

    #[inline]
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<RawEntry> {
        let head = reader.varint()?;
        let documents = u32::try_from(head >> 2).ok()?;
        let removed = if head & 1 == 0 { 0 } else { reader.varint32()? };
        let removed = (removed >> 1) as i32 ^ -((removed & 1) as i32);
        let place = if head & 2 > 0 {
            RawPlace::Inline { bytes: reader.size()? }
        } else {
            let mut impacts = ImpactCodes::default();
            if documents > BLOCK as u32 {
                let count = usize::from(reader.byte()?);
                let codes = reader.take(2 * count)?;
                codes.as_chunks().0.iter().for_each(|code| impacts.push(u16::from_le_bytes(*code)));
                if count == 0 || count > IMPACTS_MAX {
                    return None;
                }
            }
            RawPlace::Blocks { impacts }
        };
        Some(RawEntry { documents, removed, place })
    }
}
