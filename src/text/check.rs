//! Whether the segments of an index, and what is not folded into them, agree with the entries of its documents.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;

use blaze_core::{Error, KeyRange, Result};
use blaze_text::{
    Delta, DeltaLeaf, DeltaView, DocumentTerms, FieldTotals, Leaf, Page, Pages, Segment, SegmentLeaf, Stream, TermKey,
};

use super::dead::Dead;
use super::header::Header;
use super::layout;
use super::unfolded::{collapse, parse};

/// Pages that are kept in memory.
const PAGES_MAX: usize = 4_096;

/// What rows are told to, each with its key and its value.
pub(crate) type VisitRow<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

/// The rows of the family `text` at one moment.
pub(crate) trait Rows {
    /// The value of a key, if there is one.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Calls `visit` with each entry of a range in order.
    fn walk(&self, range: &KeyRange, visit: &mut VisitRow<'_>) -> Result<()>;
}

/// Refuses an index over so many fields of which the segments, and what is not folded into them, differ from the entries. Takes
/// the time to read all of it, and memory for what is not folded.
///
/// # Errors
/// [`Corruption`](crate::ErrorKind::Corruption); what reading answers.
pub(crate) fn check(rows: &dyn Rows, index: u32, fields: u8) -> Result<()> {
    let header = rows.get(&layout::header_key(index))?.map(|bytes| Header::from_bytes(index, &bytes)).transpose()?;
    let delta = unfolded(rows, index, fields)?;
    let mut parts = Vec::new();
    for stored in header.unwrap_or_default().segments {
        let pages = CheckedPages { rows, index, segment: stored.number, known: RefCell::default() };
        let segment = Segment::open(stored.meta, &pages)?;
        blaze_text::check(&segment, &pages)?;
        let mut dead = Dead::default();
        rows.walk(&layout::dead_range(index, stored.number), &mut |key, value| dead.read_row(key, value))?;
        if dead.len() != u64::from(stored.dead) {
            let (said, found) = (stored.dead, dead.len());
            return Err(Error::corruption(format!(
                "a segment says that {said} of its documents are dead, {found} are"
            )));
        }
        parts.push((segment, pages, dead));
    }
    let view = delta.view(u64::MAX - 1);
    compare(rows, index, fields, &parts, view)
}

fn unfolded(rows: &dyn Rows, index: u32, fields: u8) -> Result<Delta> {
    let mut changes = Vec::new();
    rows.walk(&layout::changes_range(index), &mut |key, value| {
        changes.extend(parse(key, value)?);
        Ok(())
    })?;
    let mut delta = Delta::new(fields);
    for mut document in collapse(changes) {
        document.complete(&mut |id| rows.get(&layout::entry_of(index, id)))?;
        document.add_to(&mut delta)?;
    }
    Ok(delta)
}

fn compare(
    rows: &dyn Rows,
    index: u32,
    fields: u8,
    parts: &[(Segment, CheckedPages<'_>, Dead)],
    view: DeltaView<'_>,
) -> Result<()> {
    let (mut documents, mut terms) = (0_u64, 0_i64);
    let mut totals = vec![FieldTotals::default(); usize::from(fields)];
    rows.walk(&crate::index::scan_range(index), &mut |key, value| {
        let id = key.get(4..).unwrap_or_default();
        let entry = DocumentTerms::from_bytes(value)?;
        documents += 1;
        terms += entry.len() as i64;
        for (total, length) in totals.iter_mut().zip(entry.lengths()) {
            *total = total.plus(FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) });
        }
        let mut places = u32::from(view.find_document(id).is_some());
        for (segment, pages, dead) in parts.iter().filter(|_| !view.masks(id)) {
            places += u32::from(segment.find_document(pages, id)?.is_some_and(|document| !dead.has(document)));
        }
        match places {
            1 => Ok(()),
            _ => Err(Error::corruption(format!("a document with an entry is in {places} places: {id:02x?}"))),
        }
    })?;
    let delta = DeltaLeaf::new(view);
    let none = |_: u32| false;
    let leaves: Vec<SegmentLeaf<'_>> =
        parts.iter().map(|(segment, pages, _)| SegmentLeaf::new(segment, pages, &none)).collect();
    let mut live: u64 = (0..view.documents()).filter(|document| view.is_live(*document)).count() as u64;
    live += parts.iter().map(|(segment, _, dead)| u64::from(segment.documents()) - dead.len()).sum::<u64>();
    for (_, id) in view.masked_after(None) {
        for (segment, pages, dead) in parts {
            live -= u64::from(segment.find_document(pages, id)?.is_some_and(|document| !dead.has(document)));
        }
    }
    differ("documents", documents as i64, live as i64)?;
    for (field, expected) in (0..).zip(&totals) {
        let found = leaves.iter().map(|leaf| leaf.totals(field)).fold(delta.totals(field), FieldTotals::plus);
        differ("documents with a field", expected.documents, found.documents)?;
        differ("words in a field", expected.tokens, found.tokens)?;
    }
    let mut found = terms_of(&delta)?;
    for leaf in &leaves {
        found += terms_of(leaf)?;
    }
    differ("words of documents", terms, found)
}

/// By how many documents a leaf adds to those of all terms together.
fn terms_of(leaf: &impl Leaf) -> Result<i64> {
    let mut sum = 0;
    leaf.terms_from(&TermKey::new(0, []), &mut |_, _, added| {
        sum += added;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(sum)
}

fn differ(what: &str, expected: i64, found: i64) -> Result<()> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::corruption(format!(
            "the segments of a text index, with what is not folded, have {found} {what}, its entries {expected}"
        ))),
    }
}

/// The pages of a segment, of which the last ones are kept.
struct CheckedPages<'a> {
    rows: &'a dyn Rows,
    index: u32,
    segment: u64,
    known: RefCell<HashMap<(Stream, u32), Page>>,
}

impl Pages for CheckedPages<'_> {
    fn page(&self, stream: Stream, number: u32) -> Result<Page> {
        if let Some(known) = self.known.borrow().get(&(stream, number)) {
            return Ok(known.clone());
        }
        let key = layout::page_key(self.index, self.segment, stream as u8, number);
        let bytes = self.rows.get(&key)?.ok_or_else(|| {
            Error::corruption(format!("page {number} of {stream:?} of a segment of a text index is missing"))
        })?;
        let page = Page::read(stream, number, bytes)?;
        let mut known = self.known.borrow_mut();
        if known.len() >= PAGES_MAX {
            known.clear();
        }
        known.insert((stream, number), page.clone());
        Ok(page)
    }
}
