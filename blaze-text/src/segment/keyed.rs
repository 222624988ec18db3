//! Pages of keys in ascending order, each with what belongs to it.
//!
//! Keys are front-coded, every sixteenth one is spelt out; at the end of the page is where those are, in two bytes each, and
//! how many they are.

use std::cmp::Ordering;

use blaze_core::{Error, Result};

use super::page::{PAYLOAD_BYTES_MAX, PageBuffer, Sink, damaged};
use super::{Page, Stream};
use crate::front::{read_parts, read_suffix, shared_prefix, write_suffix};
use crate::reader::{Reader, write_varint};

/// Keys from one that is spelt out to the next one.
pub(super) const RESTART: usize = 16;

/// Bytes before a key and of its base at most.
const HEADER_BYTES_MAX: usize = 16;

/// Writes keys, and then an index: the first key of each page.
pub(super) struct KeyedWriter {
    pub(super) buffer: PageBuffer,
    restarts: Vec<u16>,
    /// Keys on the page.
    count: usize,
    last: Vec<u8>,
    /// The first key of each page, and what the writer says of it.
    firsts: Vec<(Box<[u8]>, u64)>,
}

impl KeyedWriter {
    pub(super) fn new(stream: Stream) -> KeyedWriter {
        let buffer = PageBuffer::new(stream);
        KeyedWriter { buffer, restarts: Vec::new(), count: 0, last: Vec::new(), firsts: Vec::new() }
    }

    /// Adds a key behind the last one, and what belongs to it. `base` is told of the first key of each page, and, `with_base`,
    /// of each key that is spelt out.
    pub(super) fn push(
        &mut self,
        key: &[u8],
        base: u64,
        with_base: bool,
        value: &[u8],
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let most = self.buffer.bytes.len() + key.len() + value.len() + HEADER_BYTES_MAX + self.trailer_bytes();
        if self.count > 0 && most > PAYLOAD_BYTES_MAX {
            self.end_page(sink)?;
        }
        if self.count == 0 {
            self.firsts.push((key.into(), base));
        }
        let is_restart = self.count.is_multiple_of(RESTART);
        let shared = if is_restart { 0 } else { shared_prefix(&self.last, key) };
        if is_restart {
            self.restarts.push(self.buffer.bytes.len() as u16);
        }
        write_suffix(&mut self.buffer.bytes, shared, key);
        if is_restart && with_base {
            write_varint(&mut self.buffer.bytes, base);
        }
        self.buffer.bytes.extend_from_slice(value);
        if self.buffer.bytes.len() + 2 * self.restarts.len() + 2 > PAYLOAD_BYTES_MAX {
            let bytes = key.len();
            return Err(Error::limit_exceeded(format!("a key of {bytes} bytes is too long for a text segment")));
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        self.count += 1;
        Ok(())
    }

    /// Bytes of the end of a page with another key.
    fn trailer_bytes(&self) -> usize {
        2 * (self.restarts.len() + 2)
    }

    fn end_page(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        if self.count > 0 {
            let count = self.restarts.len() as u16;
            let restarts = self.restarts.drain(..).chain([count]);
            self.buffer.bytes.extend(restarts.flat_map(u16::to_le_bytes));
            self.buffer.flush(sink)?;
            self.count = 0;
        }
        Ok(())
    }

    /// Writes what is left and the index, and answers how many pages are before that one.
    pub(super) fn finish(mut self, sink: &mut Sink<'_>) -> Result<(u32, u32)> {
        self.end_page(sink)?;
        let pages = self.buffer.pages();
        let mut value = Vec::new();
        for (key, base) in std::mem::take(&mut self.firsts) {
            value.clear();
            write_varint(&mut value, base);
            self.push(&key, 0, false, &value, sink)?;
        }
        self.end_page(sink)?;
        Ok((pages, self.buffer.pages()))
    }
}

/// A cursor through the keys of one page.
#[derive(Clone, Debug)]
pub(super) struct Entries {
    page: Page,
    /// What is not read yet.
    at: usize,
    end: usize,
    /// Keys that were read.
    count: usize,
    key: Vec<u8>,
}

impl Entries {
    pub(super) fn new(page: Page) -> Result<Entries> {
        let mut entries = Entries { page, at: 0, end: 0, count: 0, key: Vec::new() };
        let payload = entries.page.payload();
        let restarts =
            payload.split_last_chunk().map(|(rest, count)| (rest.len(), usize::from(u16::from_le_bytes(*count))));
        let end = restarts.and_then(|(length, count)| length.checked_sub(2 * count).filter(|_| count > 0));
        entries.end = end.ok_or_else(|| damaged("a page of keys does not parse"))?;
        Ok(entries)
    }

    pub(super) fn page(&self) -> &Page {
        &self.page
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Where the next byte to be read is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// True if the key that was read last is spelt out.
    pub(super) fn is_restart(&self) -> bool {
        self.count % RESTART == 1
    }

    /// Keys of this page that were read, or passed by [`restart`](Entries::restart).
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Reads the next key; false if there is none. What belongs to the one before must have been read.
    pub(super) fn next(&mut self) -> Result<bool> {
        if self.at >= self.end {
            return Ok(false);
        }
        let mut reader = Reader(&self.page.payload()[self.at..self.end]);
        let is_restart = self.count.is_multiple_of(RESTART);
        let read = read_suffix(&mut reader, if is_restart { &[] } else { self.key.as_slice() });
        let (shared, suffix) = read.ok_or_else(|| damaged("a key does not parse"))?;
        if is_restart && self.count > 0 && suffix <= self.key.as_slice() {
            return Err(damaged("keys do not ascend"));
        }
        self.key.truncate(if is_restart { 0 } else { shared });
        self.key.extend_from_slice(suffix);
        self.at = self.end - reader.0.len();
        self.count += 1;
        Ok(true)
    }

    /// The key at a place of the page, of which nothing belongs to any key.
    ///
    /// The keys before it are not made: of each only that is copied which the later ones leave to it.
    pub(super) fn lone_key(&mut self, index: usize) -> Result<Box<[u8]>> {
        self.restart(index / RESTART)?;
        let mut reader = Reader(&self.page.payload()[self.at..self.end]);
        let mut parts: [(usize, &[u8]); RESTART] = [(0, &[]); RESTART];
        let parts = &mut parts[..=index % RESTART];
        for part in parts.iter_mut() {
            *part = read_parts(&mut reader).ok_or_else(|| damaged("a key does not parse"))?;
        }
        let length = parts.last().map_or(0, |(shared, suffix)| shared.saturating_add(suffix.len()));
        if length == 0 || length > PAYLOAD_BYTES_MAX {
            return Err(damaged("a key is empty or too long"));
        }
        let mut key = vec![0; length].into_boxed_slice();
        let mut left = length;
        for (shared, suffix) in parts.iter().rev() {
            if *shared < left {
                let suffix = suffix.get(..left - shared).ok_or_else(|| damaged("a key shares what is not there"))?;
                key[*shared..left].copy_from_slice(suffix);
                left = *shared;
            }
        }
        if left == 0 { Ok(key) } else { Err(damaged("a key shares what is not there")) }
    }

    /// Goes past the next key and compares it with a target, of which the key before it begins with `matched` bytes and is below
    /// it; the key is not made. Nothing if there is no other key.
    pub(super) fn compare_next(&mut self, target: &[u8], matched: &mut usize) -> Result<Option<Ordering>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let mut reader = Reader(&self.page.payload()[self.at..self.end]);
        let (shared, suffix) = read_parts(&mut reader).ok_or_else(|| damaged("a key does not parse"))?;
        if self.count.is_multiple_of(RESTART) {
            *matched = 0;
            if shared > 0 {
                return Err(damaged("a key that is spelt out shares bytes"));
            }
        }
        self.at = self.end - reader.0.len();
        self.count += 1;
        Ok(Some(match shared.cmp(matched) {
            // It has the byte of the key before it by which that is below the target.
            Ordering::Greater => Ordering::Less,
            // It is above the key before it in a byte that the target has, too.
            Ordering::Less => Ordering::Greater,
            Ordering::Equal => {
                let rest = target.get(shared..).unwrap_or(&[]);
                let common = shared_prefix(suffix, rest);
                *matched = shared + common;
                suffix[common..].first().cmp(&rest[common..].first())
            }
        }))
    }

    /// Reads what belongs to the key.
    pub(super) fn read<T>(&mut self, read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Result<T> {
        let mut reader = Reader(&self.page.payload()[self.at..self.end]);
        let value = read(&mut reader).ok_or_else(|| damaged("what belongs to a key does not parse"))?;
        self.at = self.end - reader.0.len();
        Ok(value)
    }

    /// Goes before the last spelt-out key that is not behind `key`; to the first one if all are.
    pub(super) fn seek(&mut self, key: &[u8]) -> Result<()> {
        let restarts = self.restarts();
        let (mut low, mut high) = (0, restarts);
        while low < high {
            let middle = low + (high - low) / 2;
            let first = self.spelt_out(middle)?;
            if first.cmp(key) == Ordering::Greater { high = middle } else { low = middle + 1 }
        }
        self.restart(low.saturating_sub(1))
    }

    /// Goes before one of the keys that are spelt out.
    pub(super) fn restart(&mut self, restart: usize) -> Result<()> {
        self.at = self.offset(restart).ok_or_else(|| damaged("a page of keys is too short"))?;
        self.count = restart * RESTART;
        self.key.clear();
        Ok(())
    }

    fn restarts(&self) -> usize {
        (self.page.payload().len() - self.end) / 2 - 1
    }

    fn offset(&self, restart: usize) -> Option<usize> {
        let (offsets, _) = self.page.payload()[self.end..].as_chunks();
        let offset = offsets.get(restart).filter(|_| restart < self.restarts())?;
        Some(usize::from(u16::from_le_bytes(*offset))).filter(|offset| *offset < self.end)
    }

    fn spelt_out(&self, restart: usize) -> Result<&[u8]> {
        let bytes = self.offset(restart).map(|offset| &self.page.payload()[offset..self.end]);
        let read = bytes.and_then(|bytes| read_suffix(&mut Reader(bytes), &[]));
        read.map(|(_, suffix)| suffix).ok_or_else(|| damaged("a key does not parse"))
    }
}
