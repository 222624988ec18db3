//! What is known of a segment without reading it.

use blaze_core::limits::TEXT_FIELDS_MAX;
use blaze_core::{Error, Result};

use super::Stream;
use crate::FieldTotals;
use crate::reader::{Reader, write_varint};

/// The form of segments that this version writes.
const VERSION: u8 = 1;

/// A segment in a few bytes, with which it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentMeta {
    pub(super) documents: u32,
    /// Of each field, what its documents have, and what its making has taken from other segments.
    pub(super) fields: Vec<(FieldTotals, FieldTotals)>,
    pub(super) terms: u64,
    pub(super) postings: u64,
    pub(super) blocks: u32,
    pub(super) pages: [u32; Stream::ALL.len()],
    /// Pages before the index of their first keys.
    pub(super) term_pages: u32,
    pub(super) document_pages: u32,
    pub(super) bytes: u64,
}

impl SegmentMeta {
    /// How many documents it has, those that are dead included.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// How many fields the index has.
    pub fn fields(&self) -> u8 {
        self.fields.len() as u8
    }

    /// What its documents have of a field.
    pub fn added(&self, field: u8) -> FieldTotals {
        self.fields.get(usize::from(field)).map_or_else(FieldTotals::default, |(added, _)| *added)
    }

    /// What documents of other segments had of a field that are dead because of what this segment was made of.
    pub fn removed(&self, field: u8) -> FieldTotals {
        self.fields.get(usize::from(field)).map_or_else(FieldTotals::default, |(_, removed)| *removed)
    }

    /// How many terms its dictionary has, over all fields.
    pub fn terms(&self) -> u64 {
        self.terms
    }

    /// How many documents its terms have together.
    pub fn postings(&self) -> u64 {
        self.postings
    }

    /// How many pages a stream has, numbered from 0.
    pub fn pages(&self, stream: Stream) -> u32 {
        self.pages[stream as usize]
    }

    /// Bytes of all pages.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Tokens that a document has in a field on average, if it has any.
    pub(super) fn average(&self, field: u8) -> f32 {
        let added = self.added(field);
        added.tokens as f32 / added.documents.max(1) as f32
    }

    /// The same as bytes, of which there is one form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.fields()];
        write_varint(&mut out, self.documents);
        for (added, removed) in &self.fields {
            for number in [added.documents, added.tokens, removed.documents, removed.tokens] {
                write_varint(&mut out, (number << 1 ^ number >> 63) as u64);
            }
        }
        write_varint(&mut out, self.terms);
        write_varint(&mut out, self.postings);
        write_varint(&mut out, self.blocks);
        self.pages.iter().for_each(|pages| write_varint(&mut out, *pages));
        write_varint(&mut out, self.term_pages);
        write_varint(&mut out, self.document_pages);
        write_varint(&mut out, self.bytes);
        out
    }

    /// What [`to_bytes`](SegmentMeta::to_bytes) has written.
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) for everything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<SegmentMeta> {
        let mut reader = Reader(bytes);
        let meta = SegmentMeta::read(&mut reader).filter(|_| reader.is_empty());
        meta.ok_or_else(|| Error::corruption("what is known of a text segment does not parse"))
    }

    fn read(reader: &mut Reader<'_>) -> Option<SegmentMeta> {
        let (version, fields) = (reader.byte()?, usize::from(reader.byte()?));
        if version != VERSION || fields > TEXT_FIELDS_MAX {
            return None;
        }
        let mut meta = SegmentMeta { documents: reader.varint32()?, ..SegmentMeta::default() };
        // Of fields there are lengths, which show whether there are so many documents: searches take memory for each.
        if fields == 0 && meta.documents > 0 {
            return None;
        }
        for _ in 0..fields {
            meta.fields.push((read_totals(reader)?, read_totals(reader)?));
        }
        (meta.terms, meta.postings, meta.blocks) = (reader.varint()?, reader.varint()?, reader.varint32()?);
        for pages in &mut meta.pages {
            *pages = reader.varint32()?;
        }
        (meta.term_pages, meta.document_pages) = (reader.varint32()?, reader.varint32()?);
        meta.bytes = reader.varint()?;
        let is_whole =
            meta.term_pages <= meta.pages(Stream::Terms) && meta.document_pages <= meta.pages(Stream::Documents);
        is_whole.then_some(meta)
    }
}

fn read_totals(reader: &mut Reader<'_>) -> Option<FieldTotals> {
    let mut signed = || reader.varint().map(|number| (number >> 1) as i64 ^ -((number & 1) as i64));
    Some(FieldTotals { documents: signed()?, tokens: signed()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_no_field_has_lengths_of_are_refused() {
        let meta = |documents, fields| {
            let fields = vec![Default::default(); fields];
            SegmentMeta::from_bytes(&SegmentMeta { documents, fields, ..SegmentMeta::default() }.to_bytes())
        };
        assert!(meta(u32::MAX, 1).is_ok() && meta(0, 0).is_ok());
        assert!(meta(u32::MAX, 0).is_err(), "they could be any number");
    }
}
