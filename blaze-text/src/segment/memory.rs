//! Pages in memory.

use std::collections::HashMap;

use blaze_core::Result;

use super::page::damaged;
use super::{Page, Pages, Stream};

/// The pages of a segment that lives in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryPages {
    pages: HashMap<(Stream, u32), Page>,
}

impl MemoryPages {
    /// Keeps a page that a [`SegmentWriter`](super::SegmentWriter) has written.
    ///
    /// # Errors
    /// As [`Page::read`].
    pub fn put(&mut self, stream: Stream, number: u32, bytes: Vec<u8>) -> Result<()> {
        self.pages.insert((stream, number), Page::read(stream, number, bytes)?);
        Ok(())
    }
}

impl Pages for MemoryPages {
    fn page(&self, stream: Stream, number: u32) -> Result<Page> {
        self.pages.get(&(stream, number)).cloned().ok_or_else(|| damaged("a page is missing"))
    }
}
