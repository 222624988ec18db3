//! Reading the dictionary.

use std::cmp::Ordering;
use std::fmt;

use blaze_core::Result;

use super::entry::{Place, RawEntry, RawPlace, blocks};
use super::keyed::Entries;
use super::page::damaged;
use super::{Pages, Segment, Stream, TermEntry};
use crate::TermKey;

/// The terms of a segment in order, from one on.
pub struct TermCursor<'p> {
    segment: &'p Segment,
    pages: &'p dyn Pages,
    entries: Option<Entries>,
    page: u32,
    read: ReadEntry,
    /// True if the current term is the one to move to.
    is_ahead: bool,
}

/// What the dictionary says of a term, as it is read.
struct ReadEntry {
    /// The number of the next term's first block.
    block: u32,
    entry: RawEntry,
    /// Of the current term.
    first_block: u32,
    inline_at: usize,
}

impl ReadEntry {
    fn new() -> ReadEntry {
        let entry = RawEntry { documents: 0, removed: 0, place: RawPlace::Inline { bytes: 0 } };
        ReadEntry { block: 0, entry, first_block: 0, inline_at: 0 }
    }

    /// Reads what belongs to the key that was read last.
    fn read(&mut self, entries: &mut Entries) -> Result<()> {
        if entries.is_restart() {
            self.block = entries.read(|reader| reader.varint32())?;
        }
        self.entry = entries.read(RawEntry::read)?;
        self.first_block = self.block;
        self.inline_at = entries.at();
        match self.entry.place {
            RawPlace::Inline { bytes } => entries.read(|reader| reader.take(bytes).map(|_| ())),
            RawPlace::Blocks { .. } => {
                let next = self.block.checked_add(blocks(self.entry.documents));
                self.block = next.ok_or_else(|| damaged("a term has too many blocks"))?;
                Ok(())
            }
        }
    }

    fn of_field(&self, field: u8, entries: &Entries) -> TermEntry {
        let place = match self.entry.place {
            RawPlace::Inline { bytes } => {
                Place::Inline { page: entries.page().clone(), range: self.inline_at..self.inline_at + bytes }
            }
            RawPlace::Blocks { impacts } => Place::Blocks { first: self.first_block, impacts },
        };
        TermEntry { documents: self.entry.documents, removed: self.entry.removed, field, place }
    }
}

/// The bytes under which a term is: its field before it.
pub(super) fn key_bytes(key: &TermKey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + key.term.len());
    bytes.push(key.field);
    bytes.extend_from_slice(&key.term);
    bytes
}

impl<'p> TermCursor<'p> {
    /// A cursor before the first term that is not before `from`.
    pub(super) fn new(segment: &'p Segment, pages: &'p dyn Pages, from: &[u8]) -> Result<TermCursor<'p>> {
        let read = ReadEntry::new();
        let mut cursor = TermCursor { segment, pages, entries: None, page: 0, read, is_ahead: false };
        let Some(page) = segment.terms.find(from) else {
            cursor.open(0)?;
            return Ok(cursor);
        };
        cursor.open(page)?;
        if let Some(entries) = &mut cursor.entries {
            entries.seek(from)?;
        }
        Ok(cursor)
    }

    fn open(&mut self, page: u32) -> Result<()> {
        self.page = page;
        self.entries = None;
        if page < self.segment.terms.pages() {
            self.entries = Some(Entries::new(self.pages.page(Stream::Terms, page)?)?);
        }
        Ok(())
    }

    /// Moves to the next term, the first one to begin with; false if there is none.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse.
    pub fn advance(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.is_ahead) {
            return Ok(true);
        }
        while let Some(entries) = &mut self.entries {
            if entries.next()? {
                self.read_entry()?;
                return Ok(true);
            }
            self.open(self.page + 1)?;
        }
        Ok(false)
    }

    fn read_entry(&mut self) -> Result<()> {
        let Some(entries) = &mut self.entries else { return Ok(()) };
        self.read.read(entries)?;
        if entries.key().is_empty() { Err(damaged("a term has no field")) } else { Ok(()) }
    }

    fn key(&self) -> &[u8] {
        self.entries.as_ref().map_or(&[], Entries::key)
    }

    /// The field of the current term.
    pub fn field(&self) -> u8 {
        self.key().first().copied().unwrap_or(0)
    }

    /// The current term.
    pub fn term(&self) -> &[u8] {
        self.key().get(1..).unwrap_or(&[])
    }

    /// How many documents of the segment have the current term, those that are dead included.
    pub fn documents(&self) -> u32 {
        self.read.entry.documents
    }

    /// What the dictionary says of the current term; nothing before the first one and behind the last one.
    pub fn entry(&self) -> Option<TermEntry> {
        self.entries.as_ref().map(|entries| self.read.of_field(self.field(), entries))
    }

    /// The current term and its field before it, ordered as terms are.
    pub(super) fn bytes(&self) -> &[u8] {
        self.key()
    }

    /// Moves to the next term and answers it.
    ///
    /// # Errors
    /// As [`advance`](TermCursor::advance).
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<(TermKey, TermEntry)>> {
        if !self.advance()? {
            return Ok(None);
        }
        Ok(self.entry().map(|entry| (TermKey::new(self.field(), self.term()), entry)))
    }
}

impl fmt::Debug for TermCursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let term = String::from_utf8_lossy(self.term());
        f.debug_struct("TermCursor").field("field", &self.field()).field("term", &term).finish_non_exhaustive()
    }
}

impl Segment {
    /// What the dictionary says of a term, if it has it.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse.
    pub fn find(&self, pages: &dyn Pages, key: &TermKey) -> Result<Option<TermEntry>> {
        let bytes = key_bytes(key);
        let Some(page) = self.terms.find(&bytes) else { return Ok(None) };
        let mut entries = Entries::new(pages.page(Stream::Terms, page)?)?;
        entries.seek(&bytes)?;
        let (mut read, mut matched) = (ReadEntry::new(), 0);
        while let Some(order) = entries.compare_next(&bytes, &mut matched)? {
            if order == Ordering::Greater {
                break;
            }
            read.read(&mut entries)?;
            if order == Ordering::Equal {
                return Ok(Some(read.of_field(key.field, &entries)));
            }
        }
        Ok(None)
    }

    /// The terms from `from` on.
    ///
    /// # Errors
    /// As [`find`](Segment::find).
    pub fn terms<'p>(&'p self, pages: &'p dyn Pages, from: &TermKey) -> Result<TermCursor<'p>> {
        let bytes = key_bytes(from);
        let mut cursor = TermCursor::new(self, pages, &bytes)?;
        while cursor.advance()? {
            if cursor.bytes() >= bytes.as_slice() {
                cursor.is_ahead = true;
                break;
            }
        }
        Ok(cursor)
    }
}
