//! Writing a segment.

use std::fmt;

use blaze_core::limits::{TEXT_FIELDS_MAX, TEXT_TERM_BYTES_MAX};
use blaze_core::{Error, Result};

use super::keyed::KeyedWriter;
use super::page::{PageBuffer, Sink};
use super::positions::write_groups;
use super::term_writer::TermWriter;
use super::{SegmentMeta, Stream};
use crate::{END, FieldTotals, TermKey};

/// Writes a segment page by page: first its documents, then its terms.
///
/// It holds in memory the lengths of the documents' fields, one block of postings and a page of each stream. The same calls
/// write the same bytes.
///
/// ```
/// use blaze_text::{MemoryPages, Postings, Segment, SegmentWriter, TermKey};
///
/// let mut pages = MemoryPages::default();
/// let mut sink = |stream, number, page| pages.put(stream, number, page);
/// let mut writer = SegmentWriter::new(1, &mut sink);
/// let document = writer.add_document(b"a", [2])?;
/// writer.begin_term(&TermKey::new(0, "sea"), 0)?;
/// writer.add_posting(document, &[0, 1])?;
/// let meta = writer.finish()?;
///
/// let segment = Segment::open(meta, &pages)?;
/// let entry = segment.find(&pages, &TermKey::new(0, "sea"))?.expect("the term is there");
/// let mut postings = segment.postings(&pages, &entry)?;
/// assert_eq!((postings.document(), postings.frequency()?), (0, 2));
/// assert_eq!(segment.id(&pages, 0)?.as_ref(), b"a");
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub struct SegmentWriter<'a> {
    sink: Sink<'a>,
    ids: KeyedWriter,
    last_id: Vec<u8>,
    documents: u32,
    lengths: Vec<Vec<u32>>,
    /// Those of the document that is added.
    row: Vec<u32>,
    meta: SegmentMeta,
    has_terms: bool,
    terms: TermWriter,
}

impl<'a> SegmentWriter<'a> {
    /// A segment of an index over so many fields; `sink` is told each page with its stream and number, those of a stream in
    /// ascending order.
    pub fn new(fields: u8, sink: &'a mut dyn FnMut(Stream, u32, Vec<u8>) -> Result<()>) -> SegmentWriter<'a> {
        let fields = usize::from(fields);
        SegmentWriter {
            sink: Sink::new(sink),
            ids: KeyedWriter::new(Stream::Documents),
            last_id: Vec::new(),
            documents: 0,
            lengths: vec![Vec::new(); fields],
            row: Vec::new(),
            meta: SegmentMeta { fields: vec![Default::default(); fields], ..SegmentMeta::default() },
            has_terms: false,
            terms: TermWriter::new(),
        }
    }

    /// Adds a document behind the last one, with the tokens of each of its fields, and answers its number.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for an id that is not behind the last one, another number of fields, and
    /// once there is a term; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for an id that does not fit a page, and
    /// too many documents; what the sink answers.
    pub fn add_document(&mut self, id: &[u8], lengths: impl IntoIterator<Item = u32>) -> Result<u32> {
        if id <= self.last_id.as_slice() || self.has_terms {
            let (id, last) = (id.escape_ascii(), self.last_id.escape_ascii());
            return Err(Error::invalid(format!("document \"{id}\" comes behind \"{last}\" or behind terms")));
        }
        if self.documents == END - 1 {
            return Err(Error::limit_exceeded(format!("a text segment of more than {} documents", END - 1)));
        }
        self.row.clear();
        self.row.extend(lengths.into_iter().take(TEXT_FIELDS_MAX + 1));
        if self.row.len() != self.lengths.len() {
            let (fields, all) = (self.row.len(), self.lengths.len());
            return Err(Error::invalid(format!("a document with {fields} fields, of an index of {all}")));
        }
        self.ids.push(id, u64::from(self.documents), false, &[], &mut self.sink)?;
        for (field, &length) in self.row.iter().enumerate() {
            let added = &mut self.meta.fields[field].0;
            *added = added.plus(FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) });
            self.lengths[field].push(length);
        }
        self.last_id.clear();
        self.last_id.extend_from_slice(id);
        self.documents += 1;
        Ok(self.documents - 1)
    }

    /// Begins a term behind the last one, of which so many documents of other segments are dead because of what this one is
    /// made of. A term without those and without documents is not written.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a term that is empty or not behind the last one, or of a field that the
    /// index does not have; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for one that is too long; what the sink
    /// answers.
    pub fn begin_term(&mut self, key: &TermKey, removed: i32) -> Result<()> {
        self.begin(key.field, &key.term, removed)
    }

    pub(super) fn begin(&mut self, field: u8, term: &[u8], removed: i32) -> Result<()> {
        if usize::from(field) >= self.lengths.len() || term.len() > TEXT_TERM_BYTES_MAX {
            let (bytes, fields) = (term.len(), self.lengths.len());
            return Err(Error::limit_exceeded(format!(
                "a term of {bytes} bytes of the field {field}; there are {fields} fields and at most {TEXT_TERM_BYTES_MAX} bytes"
            )));
        }
        self.has_terms = true;
        self.terms.begin(field, term, removed, self.meta.average(field), &mut self.sink)
    }

    /// Adds a document to the term, behind the last one, with its positions, ascending and at least one.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a document that is not there or not behind the last one, and without a
    /// position; what the sink answers.
    pub fn add_posting(&mut self, document: u32, positions: &[u32]) -> Result<()> {
        let lengths = self.lengths.get(usize::from(self.terms.field()));
        let Some(&length) = lengths.and_then(|lengths| lengths.get(document as usize)) else {
            let documents = self.documents;
            return Err(Error::invalid(format!("a posting of document {document} of {documents}")));
        };
        self.terms.add(document, length, positions, &mut self.sink)
    }

    /// Says anew how many documents of other segments are dead that had the term.
    pub(super) fn set_removed(&mut self, removed: i32) {
        self.terms.set_removed(removed);
    }

    pub(super) fn fields(&self) -> u8 {
        self.lengths.len() as u8
    }

    /// Takes what documents of other segments had of a field that are dead because of what this one is made of.
    pub fn remove_totals(&mut self, field: u8, totals: FieldTotals) {
        if let Some((_, removed)) = self.meta.fields.get_mut(usize::from(field)) {
            *removed = removed.plus(totals);
        }
    }

    /// Writes what is left, and answers what the segment is opened with.
    ///
    /// # Errors
    /// What the sink answers; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for too many fields or pages.
    pub fn finish(mut self) -> Result<SegmentMeta> {
        if self.lengths.len() > TEXT_FIELDS_MAX {
            let fields = self.lengths.len();
            let message = format!("a text index over {fields} fields, at most {TEXT_FIELDS_MAX} are allowed");
            return Err(Error::limit_exceeded(message));
        }
        let sink = &mut self.sink;
        self.terms.end(sink)?;
        let mut lengths = PageBuffer::new(Stream::Lengths);
        for field in &self.lengths {
            write_groups(&mut lengths, field, sink)?;
        }
        lengths.flush(sink)?;
        for buffer in [&mut self.terms.postings, &mut self.terms.positions, &mut self.terms.skips] {
            buffer.flush(sink)?;
        }
        let (postings, positions, skips) =
            (self.terms.postings.pages(), self.terms.positions.pages(), self.terms.skips.pages());
        let (document_pages, documents) = self.ids.finish(sink)?;
        let (term_pages, terms) = self.terms.dictionary.finish(sink)?;
        Ok(SegmentMeta {
            documents: self.documents,
            terms: self.terms.terms,
            postings: self.terms.all_postings,
            blocks: self.terms.blocks,
            pages: [terms, postings, positions, documents, lengths.pages(), skips],
            term_pages,
            document_pages,
            bytes: sink.bytes,
            ..self.meta
        })
    }
}

impl fmt::Debug for SegmentWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentWriter").field("documents", &self.documents).finish_non_exhaustive()
    }
}
