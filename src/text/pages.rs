//! The pages of segments: rows of the database, and a cache of them. Segments never change and their numbers are never used
//! again, so that a page is right for every view.

use std::sync::Arc;

use blaze_core::{Error, Family, ReadPoint, Result};
use blaze_text::{PAGE_BYTES_MAX, Page, Pages, Stream};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::layout;

/// Bytes that a cached page takes beside its own.
const OVERHEAD_BYTES: u64 = 96;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PageKey {
    index: u32,
    segment: u64,
    stream: u8,
    number: u32,
}

#[derive(Clone, Debug)]
struct PageWeight;

impl Weighter<PageKey, Page> for PageWeight {
    fn weight(&self, _: &PageKey, page: &Page) -> u64 {
        page.memory_bytes() as u64 + OVERHEAD_BYTES
    }
}

/// Pages that were read lately, of all text indexes of a database.
pub(super) struct PageCache {
    cache: Cache<PageKey, Page, PageWeight>,
}

impl PageCache {
    pub(super) fn new(bytes: usize) -> PageCache {
        PageCache { cache: Cache::with_weighter(bytes / PAGE_BYTES_MAX, bytes as u64, PageWeight) }
    }
}

/// The pages of one segment, as a view sees them.
pub(super) struct SegmentPages {
    pub(super) point: Arc<dyn ReadPoint>,
    pub(super) cache: Arc<PageCache>,
    pub(super) index: u32,
    pub(super) segment: u64,
}

impl Pages for SegmentPages {
    fn page(&self, stream: Stream, number: u32) -> Result<Page> {
        let key = PageKey { index: self.index, segment: self.segment, stream: stream as u8, number };
        if let Some(page) = self.cache.cache.get(&key) {
            return Ok(page);
        }
        let mut page = None;
        let row = layout::page_key(self.index, self.segment, stream as u8, number);
        self.point.visit(Family::Text, &row, &mut |bytes| {
            page = Some(Page::read(stream, number, bytes)?);
            Ok(())
        })?;
        let page = page.ok_or_else(|| {
            let segment = self.segment;
            Error::corruption(format!(
                "page {number} of {stream:?} of the segment {segment} of a text index is missing"
            ))
        })?;
        self.cache.cache.insert(key, page.clone());
        Ok(page)
    }
}
