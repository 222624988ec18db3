//! One segment of several.

use std::fmt;

use blaze_core::{Error, Result};

use super::documents::IdCursor;
use super::{Pages, Segment, SegmentMeta, SegmentPostings, SegmentWriter, TermCursor};
use crate::{END, FieldTotals, Postings, TermKey};

/// A segment to be merged, where its pages are, and which of its documents are dead.
#[derive(Clone, Copy)]
pub struct MergePart<'a> {
    /// The segment.
    pub segment: &'a Segment,
    /// Its pages.
    pub pages: &'a dyn Pages,
    /// True for a document that is dead.
    pub is_dead: &'a dyn Fn(u32) -> bool,
}

impl fmt::Debug for MergePart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergePart").field("segment", self.segment).finish_non_exhaustive()
    }
}

/// Writes a segment of the documents of all parts that are not dead, one term after the other.
///
/// What the parts count together, it counts: what they say of removed documents, less those that are dropped. Takes four bytes
/// of memory for each document of the parts.
///
/// # Errors
/// [`Invalid`](blaze_core::ErrorKind::Invalid) if two parts have the same document and neither is dead, or other fields than
/// the writer; what reading a page and the writer's sink answer.
pub fn merge(parts: &[MergePart<'_>], mut writer: SegmentWriter<'_>) -> Result<SegmentMeta> {
    let numbers = merge_documents(parts, &mut writer)?;
    let mut sources = Vec::with_capacity(parts.len());
    for (part, numbers) in parts.iter().zip(&numbers) {
        let terms = part.segment.terms(part.pages, &TermKey::new(0, ""))?;
        sources.push(TermSource { terms, part: *part, numbers, is_current: false });
    }
    for source in &mut sources {
        source.advance()?;
    }
    sources.retain(|source| source.is_current);
    let (mut postings, mut positions) = (Vec::new(), Vec::new());
    while let Some(least) = (0..sources.len()).min_by_key(|at| sources[*at].terms.bytes()) {
        let (field, term) = (sources[least].terms.field(), Box::from(sources[least].terms.term()));
        merge_postings(&sources, &TermKey { field, term }, &mut postings, &mut positions, &mut writer)?;
        let term = sources[least].terms.bytes().to_vec();
        for source in &mut sources {
            if source.terms.bytes() == term.as_slice() {
                source.advance()?;
            }
        }
        sources.retain(|source| source.is_current);
    }
    writer.finish()
}

/// A part at one of its terms.
struct TermSource<'a> {
    terms: TermCursor<'a>,
    part: MergePart<'a>,
    /// The new number of each of its documents; [`END`] for dead ones.
    numbers: &'a [u32],
    is_current: bool,
}

impl TermSource<'_> {
    fn advance(&mut self) -> Result<()> {
        self.is_current = self.terms.advance()?;
        Ok(())
    }
}

/// The postings of a term in a part, at a document that is not dead.
struct PostingSource<'a> {
    postings: SegmentPostings<'a>,
    numbers: &'a [u32],
    /// The new number of the document.
    number: u32,
    dropped: u32,
}

impl PostingSource<'_> {
    /// Goes to the first document that is not dead, from the current one on.
    fn settle(&mut self) -> Result<()> {
        loop {
            let document = self.postings.document();
            self.number = self.numbers.get(document as usize).copied().unwrap_or(END);
            if document == END || self.number != END {
                return Ok(());
            }
            self.dropped += 1;
            self.postings.next()?;
        }
    }
}

/// Merges the documents, and answers the new numbers of those of each part, [`END`] for dead ones.
fn merge_documents(parts: &[MergePart<'_>], writer: &mut SegmentWriter<'_>) -> Result<Vec<Vec<u32>>> {
    let mut numbers = Vec::with_capacity(parts.len());
    let mut sources = Vec::with_capacity(parts.len());
    for (part_number, part) in parts.iter().enumerate() {
        let fields = part.segment.meta().fields();
        if fields != writer.fields() {
            return Err(Error::invalid(format!("a part has {fields} fields, the merged segment {}", writer.fields())));
        }
        for field in 0..fields {
            writer.remove_totals(field, part.segment.meta().removed(field));
        }
        numbers.push(vec![END; part.segment.documents() as usize]);
        let mut source = DocumentSource { ids: part.segment.ids(part.pages), part, part_number, document: None };
        source.advance(writer)?;
        sources.push(source);
    }
    sources.retain(|source| source.document.is_some());
    while let Some(least) = sources.iter_mut().min_by(|a, b| a.ids.id().cmp(b.ids.id())) {
        if let Some(document) = least.document {
            let segment = least.part.segment;
            let lengths = (0..segment.meta().fields()).map(|field| segment.length(field, document));
            numbers[least.part_number][document as usize] = writer.add_document(least.ids.id(), lengths)?;
        }
        least.advance(writer)?;
        sources.retain(|source| source.document.is_some());
    }
    Ok(numbers)
}

/// A part at one of its documents that are not dead.
struct DocumentSource<'a> {
    ids: IdCursor<'a>,
    part: &'a MergePart<'a>,
    part_number: usize,
    document: Option<u32>,
}

impl DocumentSource<'_> {
    /// Goes to the next document that is not dead, and takes what is passed off what is removed elsewhere.
    fn advance(&mut self, writer: &mut SegmentWriter<'_>) -> Result<()> {
        loop {
            self.document = self.ids.next()?;
            let Some(dead) = self.document.filter(|document| (self.part.is_dead)(*document)) else { return Ok(()) };
            for field in 0..self.part.segment.meta().fields() {
                let length = self.part.segment.length(field, dead);
                let dropped = FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) };
                writer.remove_totals(field, FieldTotals::default().minus(dropped));
            }
        }
    }
}

/// Writes the postings of a term, which some of the sources are at.
fn merge_postings<'a>(
    sources: &[TermSource<'a>],
    key: &TermKey,
    postings: &mut Vec<PostingSource<'a>>,
    positions: &mut Vec<u32>,
    writer: &mut SegmentWriter<'_>,
) -> Result<()> {
    let mut removed = 0;
    writer.begin_term(key, 0)?;
    for source in sources.iter().filter(|source| source.terms.field() == key.field && source.terms.term() == &*key.term)
    {
        let Some(entry) = source.terms.entry() else { continue };
        removed += i64::from(entry.removed);
        let cursor = source.part.segment.postings(source.part.pages, &entry)?;
        let mut source = PostingSource { postings: cursor, numbers: source.numbers, number: END, dropped: 0 };
        source.settle()?;
        postings.push(source);
    }
    while let Some(least) = postings.iter_mut().min_by_key(|source| source.number).filter(|least| least.number != END) {
        least.postings.positions(positions)?;
        writer.add_posting(least.number, positions)?;
        least.postings.next()?;
        least.settle()?;
    }
    removed -= postings.drain(..).map(|source| i64::from(source.dropped)).sum::<i64>();
    let too_many =
        |_| Error::limit_exceeded(format!("{removed} documents with the term {key:?} are removed elsewhere"));
    writer.set_removed(i32::try_from(removed).map_err(too_many)?);
    Ok(())
}
