//! The terms of a document.

use std::fmt;
use std::ops::Range;

use blaze_core::limits::{TEXT_FIELDS_MAX, TEXT_TERM_BYTES_MAX};
use blaze_core::{Error, Result};

use crate::front::{read_suffix, shared_prefix, write_suffix};
use crate::reader::{Reader, write_varint};

/// The distinct terms of a document, ascending in each field, and how many tokens each field has.
///
/// All terms lie in one piece of memory. A [`DocumentBuilder`](super::DocumentBuilder) makes it from tokens; its bytes are
/// what a database keeps of each document, so that it can be deleted without analysing it again.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DocumentTerms {
    pub(super) fields: Vec<Field>,
    /// Where each term ends in `bytes`.
    pub(super) ends: Vec<u32>,
    pub(super) bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Tokens.
    pub(super) length: u32,
    /// Where its terms end among those of the document.
    pub(super) end: u32,
}

impl DocumentTerms {
    /// How many fields the index has.
    pub fn fields(&self) -> u8 {
        self.fields.len() as u8
    }

    /// How many tokens a field has; none if there is no such field.
    pub fn length(&self, field: u8) -> u32 {
        self.fields.get(usize::from(field)).map_or(0, |field| field.length)
    }

    /// How many tokens each field has.
    pub fn lengths(&self) -> impl ExactSizeIterator<Item = u32> {
        self.fields.iter().map(|field| field.length)
    }

    /// How many terms there are, in all fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if no field has a token.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The terms of a field, ascending.
    pub fn terms(&self, field: u8) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        self.range(field).map(|index| self.term(index))
    }

    /// All terms with their fields, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> + Clone {
        (0..self.fields()).flat_map(|field| self.terms(field).map(move |term| (field, term)))
    }

    /// Which terms are those of a field.
    pub(super) fn range(&self, field: u8) -> Range<usize> {
        let Some(end) = self.fields.get(usize::from(field)).map(|field| field.end as usize) else { return 0..0 };
        let start = if field == 0 { 0 } else { self.fields[usize::from(field) - 1].end as usize };
        start..end
    }

    /// One of all terms.
    #[inline]
    pub(crate) fn term(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    /// The terms as bytes, of which there is one form: for each field its tokens, how many terms, and the terms, of each how
    /// many bytes it shares with the one before it and the others.
    ///
    /// ```
    /// use blaze_text::{DocumentBuilder, DocumentTerms};
    ///
    /// let mut builder = DocumentBuilder::new(1);
    /// for (position, token) in ["to", "be", "or", "not", "to", "be"].iter().enumerate() {
    ///     builder.add(0, token.as_bytes(), position as u32)?;
    /// }
    /// let document = builder.finish();
    /// let terms = DocumentTerms::from_bytes(&document.terms().to_bytes())?;
    /// assert_eq!(terms.length(0), 6);
    /// assert!(terms.terms(0).eq([b"be".as_slice(), b"not", b"or", b"to"]));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + self.ends.len() + 4 * self.fields.len());
        for field in 0..self.fields() {
            let range = self.range(field);
            write_varint(&mut out, self.length(field));
            write_varint(&mut out, range.len() as u64);
            let mut before: &[u8] = &[];
            for term in range.map(|index| self.term(index)) {
                write_suffix(&mut out, shared_prefix(before, term), term);
                before = term;
            }
        }
        out
    }

    /// What [`to_bytes`](DocumentTerms::to_bytes) has written.
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) for everything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<DocumentTerms> {
        let mut terms = DocumentTerms::default();
        terms.read(Reader(bytes)).ok_or_else(|| Error::corruption("the terms of a document do not parse"))?;
        Ok(terms)
    }

    fn read(&mut self, mut reader: Reader<'_>) -> Option<()> {
        self.bytes.reserve(reader.0.len());
        while !reader.is_empty() {
            let (length, count) = (reader.varint32()?, reader.varint32()?);
            if self.fields.len() == TEXT_FIELDS_MAX || length < count || (length > 0) != (count > 0) {
                return None;
            }
            let mut before = 0..0;
            for _ in 0..count {
                let (shared, suffix) = read_suffix(&mut reader, &self.bytes[before.clone()])?;
                let start = self.bytes.len();
                if shared + suffix.len() > TEXT_TERM_BYTES_MAX {
                    return None;
                }
                self.bytes.extend_from_within(before.start..before.start + shared);
                self.bytes.extend_from_slice(suffix);
                self.ends.push(u32::try_from(self.bytes.len()).ok()?);
                before = start..self.bytes.len();
            }
            self.fields.push(Field { length, end: u32::try_from(self.ends.len()).ok()? });
        }
        Some(())
    }
}

impl fmt::Debug for DocumentTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = (0..self.fields()).map(|field| {
            let terms: Vec<_> = self.terms(field).map(String::from_utf8_lossy).collect();
            (self.length(field), terms)
        });
        f.debug_list().entries(fields).finish()
    }
}
