//! Several sorted runs as one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fmt;
use std::sync::Arc;

use blaze_core::{Error, Family, Result};

use super::buffer::Buffer;
use super::run::{Run, RunReader};
use super::{Row, blocks};

/// Rows in the order of their families and keys, from a [`RowSorter`](super::RowSorter).
pub struct SortedRows {
    /// The source of the next row on top.
    sources: BinaryHeap<Source>,
    /// True once the row on top was answered.
    answered: bool,
}

/// Rows in order, standing at one of them.
enum Source {
    Memory(Buffer, usize),
    File(Box<RunReader>),
}

impl SortedRows {
    pub(super) fn open(runs: Vec<Run>, buffer: Option<Buffer>, block_bytes: usize) -> Result<SortedRows> {
        let mut sources = BinaryHeap::with_capacity(runs.len() + 1);
        let unpacker = blocks::unpacker().map_err(|error| Error::unavailable(format!("zstd: {error}")))?;
        for run in runs {
            let mut reader = RunReader::open(run, block_bytes, Arc::clone(&unpacker))?;
            if reader.advance()? {
                sources.push(Source::File(Box::new(reader)));
            }
        }
        sources.extend(buffer.filter(|buffer| !buffer.is_empty()).map(|buffer| Source::Memory(buffer, 0)));
        Ok(SortedRows { sources, answered: false })
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable) when the disk fails;
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) when a temporary file is not as it was written. Rows that were
    /// answered before may then be wrong, too.
    #[expect(clippy::should_implement_trait, reason = "a row is borrowed until the next one")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        if self.answered
            && let Some(mut top) = self.sources.peek_mut()
            && !top.advance()?
        {
            PeekMut::pop(top);
        }
        self.answered = true;
        Ok(self.sources.peek().map(Source::row))
    }
}

impl fmt::Debug for SortedRows {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SortedRows").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

impl Source {
    fn advance(&mut self) -> Result<bool> {
        match self {
            Source::Memory(buffer, position) => {
                *position += 1;
                Ok(*position < buffer.len())
            }
            Source::File(reader) => reader.advance(),
        }
    }

    fn row(&self) -> Row<'_> {
        match self {
            // No source is kept beyond its last row.
            Source::Memory(buffer, position) => buffer.row(*position).unwrap_or((Family::Catalog, &[], &[])),
            Source::File(reader) => reader.row(),
        }
    }

    fn place(&self) -> (Family, &[u8]) {
        let (family, key, _) = self.row();
        (family, key)
    }
}

/// Backwards: the heap has its greatest on top.
impl Ord for Source {
    fn cmp(&self, other: &Source) -> Ordering {
        other.place().cmp(&self.place())
    }
}

impl PartialOrd for Source {
    fn partial_cmp(&self, other: &Source) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Source) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Source {}
