//! Writing sorted files outside of a database.

use std::fmt;
use std::mem::transmute;
use std::path::Path;

use blaze_core::Result;
use rocksdb::{Options as RocksOptions, SstFileWriter};

use crate::error;

/// A sorted file that is being written.
pub(crate) struct SortedFile {
    writer: SstFileWriter<'static>, // before the options, which it borrows
    _options: Box<RocksOptions>,
}

impl SortedFile {
    /// A new file at `path`.
    pub(crate) fn create(path: &Path, options: RocksOptions) -> Result<SortedFile> {
        let options = Box::new(options);
        let writer = SstFileWriter::create(&options);
        // SAFETY: the lifetime is that of the options, which are on the heap, are never changed or lent mutably, and are
        // dropped after the writer.
        let writer = unsafe { transmute::<SstFileWriter<'_>, SstFileWriter<'static>>(writer) };
        let file = SortedFile { writer, _options: options };
        file.writer.open(path).map_err(|error| error::rocks(&format!("creating {}", path.display()), &error))?;
        Ok(file)
    }

    /// Adds a key, which must be above the one before it, and its value.
    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.writer.put(key, value).map_err(|error| error::rocks("writing a sorted file", &error))
    }

    /// Bytes in the file so far, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.writer.file_size()
    }

    /// Completes and syncs the file.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.writer.finish().map_err(|error| error::rocks("completing a sorted file", &error))
    }
}

impl fmt::Debug for SortedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SortedFile").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}
