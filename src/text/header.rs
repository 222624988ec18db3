//! Which segments an index of text has: the one row that says so, and that folds and merges replace.

use blaze_core::{Error, Result};
use blaze_text::SegmentMeta;

use super::layout;
use crate::seal::{seal, unseal};

/// The form in which the header is written.
const VERSION: u8 = 1;

/// Segments that an index may have: far more than merges leave.
const SEGMENTS_MAX: u32 = 4_096;

/// The segments of an index, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Header {
    /// The number of the next segment: numbers are never used again, so that what is cached of one stays right.
    pub(super) next: u64,
    pub(super) segments: Vec<StoredSegment>,
}

/// A segment as the header knows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredSegment {
    pub(super) number: u64,
    pub(super) meta: SegmentMeta,
    /// How many of its documents are dead.
    pub(super) dead: u32,
}

impl StoredSegment {
    /// Documents that are alive.
    pub(super) fn live(&self) -> u32 {
        self.meta.documents().saturating_sub(self.dead)
    }
}

impl Header {
    pub(super) fn to_bytes(&self, index: u32) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.next.to_be_bytes());
        bytes.extend_from_slice(&(self.segments.len() as u32).to_be_bytes());
        for segment in &self.segments {
            let meta = segment.meta.to_bytes();
            bytes.extend_from_slice(&segment.number.to_be_bytes());
            bytes.extend_from_slice(&segment.dead.to_be_bytes());
            bytes.extend_from_slice(&(meta.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&meta);
        }
        seal(&layout::header_key(index), &mut bytes);
        bytes
    }

    pub(super) fn from_bytes(index: u32, bytes: &[u8]) -> Result<Header> {
        let body = unseal(&layout::header_key(index), bytes)?;
        let header = Header::parse(body).ok_or_else(|| {
            Error::corruption(format!("the header of a text index, {} bytes, does not parse", bytes.len()))
        })?;
        let metas = header.segments.into_iter().map(|(number, dead, meta)| {
            let meta = SegmentMeta::from_bytes(meta)?;
            Ok(StoredSegment { number, meta, dead })
        });
        Ok(Header { next: header.next, segments: metas.collect::<Result<_>>()? })
    }

    fn parse(bytes: &[u8]) -> Option<Parsed<'_>> {
        let ([VERSION], rest) = bytes.split_first_chunk()? else { return None };
        let (next, rest) = rest.split_first_chunk()?;
        let (count, mut rest) = rest.split_first_chunk()?;
        let (next, count) = (u64::from_be_bytes(*next), u32::from_be_bytes(*count));
        let mut segments = Vec::new();
        if count > SEGMENTS_MAX {
            return None;
        }
        for _ in 0..count {
            let (number, after) = rest.split_first_chunk()?;
            let (dead, after) = after.split_first_chunk()?;
            let (length, after) = after.split_first_chunk()?;
            let (meta, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            segments.push((u64::from_be_bytes(*number), u32::from_be_bytes(*dead), meta));
            rest = after;
        }
        let is_below = segments.iter().all(|(number, ..)| *number < next);
        (rest.is_empty() && is_below).then_some(Parsed { next, segments })
    }
}

struct Parsed<'a> {
    next: u64,
    segments: Vec<(u64, u32, &'a [u8])>,
}
