//! External sort: rows that come in any order go out in the order of their keys, in bounded memory.

mod blocks;
mod buffer;
mod merge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Error, Family, Result};

use self::buffer::{Buffer, Position};
pub use self::merge::{SortedPart, SortedRows};
use self::run::{Run, RunWriter};
use crate::handles::Handles;
use crate::load;

/// Runs that are merged at once: as many files are open.
const RUNS_AT_ONCE: usize = 64;

/// Rows between two questions whether to go on.
const ROWS_PER_STEP: u64 = 4096;

/// A row: where it goes, its key and its value.
pub type Row<'a> = (Family, &'a [u8], &'a [u8]);

/// Rows on their way into an order: by family, then by key. Rows with the same key stay all.
///
/// What does not fit its memory is written to temporary files in the directory of the store, compressed and sorted run by
/// run, and merged at the end. They are gone with the sorter; after a crash the next opening removes them.
///
/// ```
/// use blaze_core::Family;
/// use blaze_lsm::RowSorter;
///
/// let mut sorter = RowSorter::in_memory();
/// sorter.push(Family::Data, b"b", b"2")?;
/// sorter.push(Family::Data, b"a", b"1")?;
/// let mut rows = sorter.into_sorted(&mut || Ok(()))?;
/// assert_eq!(rows.next()?, Some((Family::Data, b"a".as_slice(), b"1".as_slice())));
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[must_use = "rows are sorted to be read"]
pub struct RowSorter {
    buffer: Buffer,
    /// None for one that holds all in memory.
    files: Option<Files>,
    runs: VecDeque<Run>,
    rows: u64,
}

/// Where runs are written, and when.
struct Files {
    directory: PathBuf,
    /// Not the engine: a sort that goes on for long must not keep the store from being closed.
    handles: Arc<Handles>,
    memory_bytes: usize,
}

impl RowSorter {
    /// A sorter that holds everything in memory, for a store that lives there.
    pub fn in_memory() -> RowSorter {
        RowSorter { buffer: Buffer::new(usize::MAX), files: None, runs: VecDeque::new(), rows: 0 }
    }

    pub(crate) fn new(directory: &Path, handles: Arc<Handles>, memory_bytes: usize) -> RowSorter {
        let files = Files { directory: directory.to_path_buf(), handles, memory_bytes };
        RowSorter { buffer: Buffer::new(memory_bytes), files: Some(files), runs: VecDeque::new(), rows: 0 }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a row. Amortized cost: the bytes of the row are copied, and written once if they do not fit the memory.
    ///
    /// # Errors
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable) when the disk fails; [`Closed`](blaze_core::ErrorKind::Closed).
    pub fn push(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<()> {
        if !self.buffer.has_room(key, value) {
            self.spill()?;
        }
        self.buffer.push(family, key, value)?;
        self.rows += 1;
        Ok(())
    }

    /// The rows in order. `step` is called now and then, and ends the sort by an error. With more than 64 runs, rows are
    /// written once more for each further power of 64.
    ///
    /// # Errors
    /// As [`push`](RowSorter::push), and what `step` returns.
    pub fn into_sorted(mut self, step: &mut dyn FnMut() -> Result<()>) -> Result<SortedRows> {
        let mut buffer = mem::replace(&mut self.buffer, Buffer::new(0));
        buffer.sort();
        let Some(files) = self.files.take() else { return SortedRows::open(Vec::new(), Some(buffer), 0) };
        files.handles.check_open()?;
        let mut buffer = Some(buffer);
        if self.runs.len() > RUNS_AT_ONCE {
            // Merging takes its memory.
            let rest = buffer.take().filter(|buffer| !buffer.is_empty());
            self.runs.extend(rest.map(|buffer| files.write(&buffer)).transpose()?);
        }
        while self.runs.len() > RUNS_AT_ONCE {
            let runs = self.runs.drain(..RUNS_AT_ONCE).collect();
            let merged = files.merge(runs, step)?;
            self.runs.push_back(merged);
        }
        let runs: Vec<Run> = mem::take(&mut self.runs).into();
        SortedRows::open(runs, buffer, files.block_bytes())
    }

    /// Writes what is in memory as a run.
    fn spill(&mut self) -> Result<()> {
        let Some(files) = self.files.as_ref().filter(|_| !self.buffer.is_empty()) else { return Ok(()) };
        files.handles.check_open()?;
        self.buffer.sort();
        self.runs.push_back(files.write(&self.buffer)?);
        fault::reached(Point::RunSorted);
        self.buffer.clear();
        Ok(())
    }
}

impl Files {
    fn create(&self) -> Result<RunWriter> {
        RunWriter::create(load::new_file(&self.directory), &self.handles, self.block_bytes())
    }

    fn write(&self, sorted: &Buffer) -> Result<Run> {
        let mut run = self.create()?;
        let mut position = Position::default();
        while let Some(row) = sorted.row(position) {
            run.push(row)?;
            position = sorted.after(position);
        }
        run.finish()
    }

    fn merge(&self, runs: Vec<Run>, step: &mut dyn FnMut() -> Result<()>) -> Result<Run> {
        let mut merged = self.create()?;
        let mut rows = SortedRows::open(runs, None, self.block_bytes())?;
        let mut count = 0_u64;
        while let Some(row) = rows.next()? {
            merged.push(row)?;
            count += 1;
            if count.is_multiple_of(ROWS_PER_STEP) {
                self.handles.check_open()?;
                step()?;
            }
        }
        merged.finish()
    }

    /// Bytes of a block of each of the runs that are merged; it is held once as it is and once compressed.
    fn block_bytes(&self) -> usize {
        (self.memory_bytes / RUNS_AT_ONCE / 2).clamp(4 * 1024, 512 * 1024)
    }
}

impl fmt::Debug for RowSorter {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowSorter").field("rows", &self.rows).field("runs", &self.runs.len()).finish_non_exhaustive()
    }
}

fn too_long(what: &str, bytes: usize) -> Error {
    Error::limit_exceeded(format!("{what} of a row has {bytes} bytes, the limit is {}", u32::MAX))
}
