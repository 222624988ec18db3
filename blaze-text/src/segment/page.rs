//! Pages: what a segment is stored in.

use std::fmt;
use std::sync::Arc;

use blaze_core::{Error, Result};
use crc32fast::Hasher;

/// Bytes of a page at most, its checksum included: so that it is no blob to the engine, and fits a block of a disk.
pub const PAGE_BYTES_MAX: usize = 3_900;

const CHECKSUM_BYTES: usize = 4;

/// Bytes that a page holds at most.
pub(super) const PAYLOAD_BYTES_MAX: usize = PAGE_BYTES_MAX - CHECKSUM_BYTES;

/// The kinds of pages of a segment, each numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stream {
    /// The dictionary, and behind it which term each of its pages begins with.
    Terms = 0,
    /// Documents and frequencies, in blocks of 128.
    Postings = 1,
    /// Positions.
    Positions = 2,
    /// Ids, and behind them which id each of their pages begins with.
    Documents = 3,
    /// Tokens of the fields of each document.
    Lengths = 4,
    /// Where blocks are, which documents are in them, and their impacts.
    Skips = 5,
}

impl Stream {
    /// All of them, in the order of their numbers.
    pub const ALL: [Stream; 6] =
        [Stream::Terms, Stream::Postings, Stream::Positions, Stream::Documents, Stream::Lengths, Stream::Skips];
}

/// A page whose checksum was compared, cheap to clone.
#[derive(Clone)]
pub struct Page(Arc<[u8]>);

impl Page {
    /// The page that a [`SegmentWriter`](super::SegmentWriter) has written as this one of this stream.
    ///
    /// Whoever keeps pages in memory keeps them as this, so that a page is verified once, when it comes from a disk.
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if a byte differs, or if it is another page.
    pub fn read(stream: Stream, number: u32, bytes: impl Into<Arc<[u8]>>) -> Result<Page> {
        let bytes = bytes.into();
        let is_whole = bytes.split_last_chunk().is_some_and(|(payload, sum)| *sum == checksum(stream, number, payload));
        if !is_whole || bytes.len() > PAGE_BYTES_MAX {
            let length = bytes.len();
            let message = format!("page {number} of {stream:?} of a text segment, {length} bytes, fails its checksum");
            return Err(Error::corruption(message));
        }
        Ok(Page(bytes))
    }

    /// Bytes in memory.
    pub fn memory_bytes(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(super) fn payload(&self) -> &[u8] {
        &self.0[..self.0.len() - CHECKSUM_BYTES]
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("bytes", &self.0.len()).finish_non_exhaustive()
    }
}

/// Where the pages of one segment are.
pub trait Pages {
    /// A page.
    ///
    /// # Errors
    /// What reading answers; [`Corruption`](blaze_core::ErrorKind::Corruption) if there is no such page.
    fn page(&self, stream: Stream, number: u32) -> Result<Page>;
}

pub(super) fn checksum(stream: Stream, number: u32, payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = Hasher::new();
    hasher.update(payload);
    hasher.update(&[stream as u8]);
    hasher.update(&number.to_le_bytes());
    hasher.finalize().to_le_bytes()
}

/// Where pages go, and how many bytes went there.
pub(super) struct Sink<'a> {
    to: &'a mut dyn FnMut(Stream, u32, Vec<u8>) -> Result<()>,
    pub(super) bytes: u64,
}

impl<'a> Sink<'a> {
    pub(super) fn new(to: &'a mut dyn FnMut(Stream, u32, Vec<u8>) -> Result<()>) -> Sink<'a> {
        Sink { to, bytes: 0 }
    }
}

/// The page of a stream that is being written.
pub(super) struct PageBuffer {
    stream: Stream,
    number: u32,
    pub(super) bytes: Vec<u8>,
}

impl PageBuffer {
    pub(super) fn new(stream: Stream) -> PageBuffer {
        PageBuffer { stream, number: 0, bytes: Vec::new() }
    }

    /// Begins a page, unless so many more bytes fit the current one.
    pub(super) fn make_room(&mut self, bytes: usize, sink: &mut Sink<'_>) -> Result<()> {
        if self.bytes.len() + bytes > PAYLOAD_BYTES_MAX { self.flush(sink) } else { Ok(()) }
    }

    /// Ends the page, if there is anything on it.
    pub(super) fn flush(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mut page = std::mem::take(&mut self.bytes);
        page.extend_from_slice(&checksum(self.stream, self.number, &page));
        sink.bytes += page.len() as u64;
        (sink.to)(self.stream, self.number, page)?;
        self.bytes = Vec::with_capacity(PAGE_BYTES_MAX);
        self.number = self.number.checked_add(1).ok_or_else(|| Error::limit_exceeded("a text segment is full"))?;
        Ok(())
    }

    /// How many pages are written.
    pub(super) fn pages(&self) -> u32 {
        self.number
    }

    /// Where the next byte goes.
    pub(super) fn address(&self) -> Result<Address> {
        Address::new(self.number, self.bytes.len())
    }
}

/// A place in a stream; one behind the last byte of a page is the begin of the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address(u64);

impl Address {
    /// Bytes that it is written in.
    pub(super) const BYTES: usize = 5;

    const OFFSET_BITS: u32 = 12;

    fn new(page: u32, offset: usize) -> Result<Address> {
        let address = u64::from(page) << Address::OFFSET_BITS | offset as u64;
        if address >> (8 * Address::BYTES) > 0 {
            return Err(Error::limit_exceeded("a text segment has more than 1 TiB"));
        }
        Ok(Address(address))
    }

    pub(super) fn to_bytes(self) -> [u8; Address::BYTES] {
        let [a, b, c, d, e, ..] = self.0.to_le_bytes();
        [a, b, c, d, e]
    }

    #[inline]
    pub(super) fn from_bytes(bytes: [u8; Address::BYTES]) -> Address {
        let [a, b, c, d, e] = bytes;
        Address(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]))
    }

    #[inline]
    pub(super) fn page(self) -> u32 {
        (self.0 >> Address::OFFSET_BITS) as u32
    }

    #[inline]
    pub(super) fn offset(self) -> usize {
        (self.0 & ((1 << Address::OFFSET_BITS) - 1)) as usize
    }
}

/// The page of a stream that was read last.
pub(super) struct CurrentPage<'p> {
    pages: &'p dyn Pages,
    stream: Stream,
    current: Option<(u32, Page)>,
}

impl<'p> CurrentPage<'p> {
    pub(super) fn new(pages: &'p dyn Pages, stream: Stream) -> CurrentPage<'p> {
        CurrentPage { pages, stream, current: None }
    }

    #[inline]
    pub(super) fn get(&mut self, number: u32) -> Result<&[u8]> {
        if self.current.as_ref().is_none_or(|(current, _)| *current != number) {
            self.current = Some((number, self.pages.page(self.stream, number)?));
        }
        Ok(self.current.as_ref().map_or(&[], |(_, page)| page.payload()))
    }
}

#[cold]
#[inline(never)]
pub(super) fn damaged(what: &str) -> Error {
    Error::corruption(format!("damaged text segment: {what}"))
}
