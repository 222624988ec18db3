//! The terms of a document and where they are.

use std::fmt;

use blaze_core::{Error, Result};

use super::DocumentTerms;
use super::gaps::{push_gaps, read_positions, write_gaps};
use crate::reader::Reader;

/// The terms of a document and the positions of each, ascending and at least one.
///
/// The tokens of a field are as many as the positions of its terms.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DocumentPostings {
    pub(super) terms: DocumentTerms,
    /// Where the positions of each term end in `positions`.
    pub(super) ends: Vec<u32>,
    pub(super) positions: Vec<u32>,
}

impl DocumentPostings {
    /// The terms without their positions.
    pub fn terms(&self) -> &DocumentTerms {
        &self.terms
    }

    /// The terms of a field, ascending, with their positions.
    pub fn field(&self, field: u8) -> impl ExactSizeIterator<Item = (&[u8], &[u32])> + Clone {
        self.terms.range(field).map(|index| (self.terms.term(index), self.positions(index)))
    }

    /// All terms with their fields and positions, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8], &[u32])> + Clone {
        let fields = 0..self.terms.fields();
        fields.flat_map(|field| self.field(field).map(move |(term, positions)| (field, term, positions)))
    }

    /// The positions of one of all terms.
    #[inline]
    pub(crate) fn positions(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.positions[start..self.ends[index] as usize]
    }

    /// The positions as bytes, in the order of the terms: of each term the first one, doubled, and one more if there are
    /// others; then how many others there are, and the gaps between them. The terms themselves are not among them.
    pub fn occurrences(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.positions.len() + self.ends.len());
        let mut gaps = Vec::new();
        for index in 0..self.terms.len() {
            gaps.clear();
            push_gaps(self.positions(index), &mut gaps);
            write_gaps(&mut out, &gaps);
        }
        out
    }

    /// A document from the bytes of its terms and those of their positions.
    ///
    /// ```
    /// use blaze_text::{DocumentBuilder, DocumentPostings};
    ///
    /// let mut builder = DocumentBuilder::new(2);
    /// builder.add(1, b"fish", 3)?;
    /// builder.add(1, b"fish", 103)?;
    /// let document = builder.finish();
    /// let read = DocumentPostings::read(&document.terms().to_bytes(), &document.occurrences())?;
    /// assert_eq!(read.iter().collect::<Vec<_>>(), [(1, b"fish".as_slice(), [3, 103].as_slice())]);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if they do not parse or do not belong together.
    pub fn read(terms: &[u8], occurrences: &[u8]) -> Result<DocumentPostings> {
        let mut document = DocumentPostings { terms: DocumentTerms::from_bytes(terms)?, ..DocumentPostings::default() };
        let read = document.read_positions(Reader(occurrences));
        read.ok_or_else(|| Error::corruption("the positions of the terms of a document do not parse"))?;
        Ok(document)
    }

    fn read_positions(&mut self, mut reader: Reader<'_>) -> Option<()> {
        self.positions.reserve(reader.0.len());
        self.ends.reserve(self.terms.len());
        for field in 0..self.terms.fields() {
            let start = self.positions.len();
            for _ in self.terms.range(field) {
                read_positions(&mut reader, &mut self.positions)?;
                self.ends.push(u32::try_from(self.positions.len()).ok()?);
            }
            if self.positions.len() - start != self.terms.length(field) as usize {
                return None;
            }
        }
        reader.is_empty().then_some(())
    }
}

impl fmt::Debug for DocumentPostings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.iter().map(|(field, term, positions)| ((field, String::from_utf8_lossy(term)), positions));
        f.debug_map().entries(terms).finish()
    }
}
