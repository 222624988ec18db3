//! Ids and numbers of documents.

use std::cmp::Ordering;

use blaze_core::{Error, Result};

use super::keyed::Entries;
use super::page::damaged;
use super::{Pages, Segment, Stream};

impl Segment {
    /// The id of a document.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse, and if there is no
    /// such document.
    pub fn id(&self, pages: &dyn Pages, document: u32) -> Result<Box<[u8]>> {
        let page = self.ids.find_base(u64::from(document)).filter(|_| document < self.documents());
        let (page, base) = page.and_then(|page| self.ids.base(page).map(|base| (page, base))).ok_or_else(missing)?;
        let index = (u64::from(document) - base) as usize;
        Entries::new(pages.page(Stream::Documents, page)?)?.lone_key(index)
    }

    /// The document that has an id, dead or not.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse.
    pub fn find_document(&self, pages: &dyn Pages, id: &[u8]) -> Result<Option<u32>> {
        let Some(page) = self.ids.find(id) else { return Ok(None) };
        let mut entries = Entries::new(pages.page(Stream::Documents, page)?)?;
        entries.seek(id)?;
        while entries.next()? {
            match entries.key().cmp(id) {
                Ordering::Less => (),
                Ordering::Greater => break,
                Ordering::Equal => {
                    let number =
                        self.ids.base(page).and_then(|base| u32::try_from(base + entries.count() as u64 - 1).ok());
                    return number.filter(|number| *number < self.documents()).map(Some).ok_or_else(missing);
                }
            }
        }
        Ok(None)
    }

    /// The ids of all documents in order.
    pub(super) fn ids<'p>(&'p self, pages: &'p dyn Pages) -> IdCursor<'p> {
        IdCursor { segment: self, pages, page: 0, entries: None, document: 0 }
    }
}

fn missing() -> Error {
    damaged("the id of a document is missing")
}

/// Reads one id after the other.
pub(super) struct IdCursor<'p> {
    segment: &'p Segment,
    pages: &'p dyn Pages,
    page: u32,
    entries: Option<Entries>,
    /// The number behind that of the current document.
    document: u32,
}

impl IdCursor<'_> {
    /// Moves to the next document, the first one to begin with, and answers it.
    pub(super) fn next(&mut self) -> Result<Option<u32>> {
        if self.document == self.segment.documents() {
            return Ok(None);
        }
        loop {
            if let Some(entries) = &mut self.entries
                && entries.next()?
            {
                self.document += 1;
                return Ok(Some(self.document - 1));
            }
            if self.segment.ids.base(self.page) != Some(u64::from(self.document)) {
                return Err(missing());
            }
            self.entries = Some(Entries::new(self.pages.page(Stream::Documents, self.page)?)?);
            self.page += 1;
        }
    }

    /// The id of the current document.
    pub(super) fn id(&self) -> &[u8] {
        self.entries.as_ref().map_or(&[], Entries::key)
    }
}
