//! Several sorted runs as one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use blaze_core::{Error, Family, Result};

use super::buffer::{Buffer, Position};
use super::run::{Run, RunReader};
use super::{Row, blocks};

/// Bytes of a part, about: below, a file of its own is not worth it; above, it is as large as files are.
const PART_BYTES_MIN: usize = 1024 * 1024;
const PART_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Rows in the order of their families and keys, from a [`RowSorter`](super::RowSorter).
pub struct SortedRows {
    /// The source of the next row on top.
    sources: BinaryHeap<Source>,
    /// True once the row on top was answered.
    answered: bool,
}

/// Rows in order, standing at one of them.
enum Source {
    Memory(Buffer, Position),
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
        sources.extend(
            buffer.filter(|buffer| !buffer.is_empty()).map(|buffer| Source::Memory(buffer, Position::default())),
        );
        Ok(SortedRows { sources, answered: false })
    }

    /// All rows in about `parts` parts and one more for each prefix of four bytes, if they are in memory and none was answered
    /// yet; rows with the same key stay together. Takes time linear in the rows.
    ///
    /// # Errors
    /// The rows as they were, if some of them are in files.
    pub fn into_parts(mut self, parts: usize) -> std::result::Result<Vec<SortedPart>, SortedRows> {
        match (self.sources.pop(), self.answered) {
            (None, _) => Ok(Vec::new()),
            (Some(Source::Memory(buffer, _)), false) if self.sources.is_empty() => {
                let bytes_max = (buffer.bytes() / parts.max(1)).clamp(PART_BYTES_MIN, PART_BYTES_MAX);
                let (parts, buffer) = (buffer.parts(bytes_max), Arc::new(buffer));
                let part = |(lane, slots): (usize, Range<usize>)| {
                    Some(SortedPart { family: buffer.family_of(lane)?, buffer: Arc::clone(&buffer), lane, slots })
                };
                Ok(parts.into_iter().filter_map(part).collect())
            }
            (Some(source), _) => {
                self.sources.push(source);
                Err(self)
            }
        }
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

/// Some of the rows of a [`RowSorter`](super::RowSorter), all of one family and with the same first four bytes of their keys,
/// to be read by any thread.
#[derive(Clone)]
pub struct SortedPart {
    buffer: Arc<Buffer>,
    family: Family,
    lane: usize,
    slots: Range<usize>,
}

impl SortedPart {
    /// Where the rows go.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Keys and values in order.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.buffer.rows_of(self.lane, self.slots.clone())
    }
}

impl fmt::Debug for SortedPart {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.slots.len();
        f.debug_struct("SortedPart").field("family", &self.family).field("rows", &rows).finish_non_exhaustive()
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
                *position = buffer.after(*position);
                Ok(buffer.row(*position).is_some())
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
