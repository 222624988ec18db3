//! Whether a segment holds together.

use blaze_core::{Error, Result};

use super::entry::{Place, blocks};
use super::impacts::covers;
use super::page::damaged;
use super::terms::TermCursor;
use super::{Pages, Segment, Stream, TermEntry};
use crate::{END, FieldTotals, Postings, TermKey};

/// Reads all of a segment, and compares what it says in several ways: its documents ascend and are found by their ids, its terms
/// ascend and are found, postings ascend and have positions, impacts cover them, and lengths and totals are those of the
/// postings.
///
/// Takes four bytes of memory for each document and field.
///
/// # Errors
/// [`Corruption`](blaze_core::ErrorKind::Corruption) says what does not hold; what reading a page answers.
pub fn check(segment: &Segment, pages: &dyn Pages) -> Result<()> {
    for stream in Stream::ALL {
        for number in 0..segment.meta().pages(stream) {
            pages.page(stream, number)?;
        }
    }
    check_documents(segment, pages)?;
    let mut check = Check { segment, pages, tokens: Vec::new(), positions: Vec::new(), postings: 0, blocks: 0 };
    check.tokens = (0..segment.meta().fields()).map(|_| vec![0; segment.documents() as usize]).collect();
    let terms = check.terms()?;
    let meta = segment.meta();
    if (terms, check.postings, check.blocks) != (meta.terms, meta.postings, meta.blocks) {
        return Err(damaged("terms, postings or blocks are other than counted"));
    }
    for (field, tokens) in (0..).zip(&check.tokens) {
        if (0..).zip(tokens).any(|(document, tokens)| segment.length(field, document) != *tokens) {
            return Err(damaged("a document has another length than positions"));
        }
        let documents = tokens.iter().filter(|tokens| **tokens > 0).count() as i64;
        let tokens = tokens.iter().map(|tokens| i64::from(*tokens)).sum();
        if meta.added(field) != (FieldTotals { documents, tokens }) {
            return Err(damaged("a field has other totals than documents"));
        }
    }
    Ok(())
}

fn check_documents(segment: &Segment, pages: &dyn Pages) -> Result<()> {
    let (mut ids, mut last) = (segment.ids(pages), Vec::new());
    while let Some(document) = ids.next()? {
        if ids.id() <= last.as_slice() {
            return Err(damaged("ids do not ascend"));
        }
        last = ids.id().to_vec();
        if segment.find_document(pages, &last)? != Some(document) || *segment.id(pages, document)? != *last {
            return Err(damaged("a document is not found by its id"));
        }
    }
    Ok(())
}

struct Check<'a> {
    segment: &'a Segment,
    pages: &'a dyn Pages,
    /// Of each field and document.
    tokens: Vec<Vec<u32>>,
    positions: Vec<u32>,
    postings: u64,
    blocks: u32,
}

impl Check<'_> {
    fn terms(&mut self) -> Result<u64> {
        let mut terms = self.segment.terms(self.pages, &TermKey::new(0, ""))?;
        let (mut count, mut last) = (0, Vec::new());
        while terms.advance()? {
            if terms.bytes() <= last.as_slice()
                || terms.term().is_empty()
                || terms.field() >= self.segment.meta().fields()
            {
                return Err(damaged("terms do not ascend, or are of no field"));
            }
            last = terms.bytes().to_vec();
            self.term(&terms).map_err(|error| error.context(format!("the term \"{}\"", last.escape_ascii())))?;
            count += 1;
        }
        Ok(count)
    }

    fn term(&mut self, terms: &TermCursor<'_>) -> Result<()> {
        let found = self.segment.find(self.pages, &TermKey::new(terms.field(), terms.term()))?;
        let (Some(entry), Some(found)) = (terms.entry(), found) else { return Err(damaged("it is not found")) };
        if (found.documents, found.removed) != (entry.documents, entry.removed) {
            return Err(damaged("another one is found"));
        }
        if let Place::Blocks { first, .. } = entry.place {
            if first != self.blocks {
                return Err(damaged("its blocks are not behind those of the term before"));
            }
            self.blocks = first.saturating_add(blocks(entry.documents));
        }
        self.postings += u64::from(entry.documents);
        self.postings(terms.field(), &entry)
    }

    fn postings(&mut self, field: u8, entry: &TermEntry) -> Result<()> {
        let mut postings = self.segment.postings(self.pages, entry)?;
        let (mut count, mut last) = (0, None);
        while postings.document() != END {
            let document = postings.document();
            let frequency = postings.frequency()?;
            let length = self.segment.length(field, document);
            if last >= Some(document) || document >= self.segment.documents() {
                return Err(damaged("documents do not ascend"));
            }
            let (behind, impacts) = postings.block(document)?;
            if behind < document
                || !covers(impacts, frequency, length)
                || !covers(postings.impacts(), frequency, length)
            {
                return Err(damaged("impacts do not cover a document"));
            }
            self.positions(&mut postings, field, document, frequency)?;
            (count, last) = (count + 1, Some(document));
            postings.next()?;
        }
        if count == entry.documents { Ok(()) } else { Err(damaged("documents are missing")) }
    }

    fn positions(&mut self, postings: &mut impl Postings, field: u8, document: u32, frequency: u32) -> Result<()> {
        postings.positions(&mut self.positions)?;
        let tokens = self.tokens.get_mut(usize::from(field)).and_then(|tokens| tokens.get_mut(document as usize));
        let is_right =
            self.positions.len() == frequency as usize && self.positions.is_sorted_by(|a, b| a < b) && frequency > 0;
        match tokens {
            Some(tokens) if is_right => *tokens = tokens.saturating_add(frequency),
            _ => {
                return Err(Error::corruption(format!(
                    "positions of document {document} do not ascend or are too few"
                )));
            }
        }
        Ok(())
    }
}
