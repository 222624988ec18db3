//! Sorted rows in a temporary file.
//!
//! A row is `family (1 byte) | bytes of the key (4) | bytes of the value (4) | key | value`, big-endian, and rows are compressed
//! block by block. How many there are, and their checksum, is kept in memory: nobody reads a run but the one who wrote it.

use std::fs::{self, File};
use std::io::{self, ErrorKind as IoErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use blaze_core::{Error, Family, Result};
use crc32fast::Hasher;

use super::blocks::{BlockReader, BlockWriter, Unpacker};
use super::{Row, too_long};
use crate::error;
use crate::handles::Handles;

const HEAD_BYTES: usize = 9;

/// A file that is removed with its last use.
struct TemporaryFile {
    path: PathBuf,
    handles: Arc<Handles>,
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // In a store that is closed the names may be another's by now, whose opening has removed this file.
        if self.handles.check_open().is_ok() {
            let _ = fs::remove_file(&self.path); // what stays, the next opening removes
        }
    }
}

/// A run that is complete.
pub(super) struct Run {
    file: TemporaryFile,
    rows: u64,
    checksum: u32,
}

/// A run that is being written.
pub(super) struct RunWriter {
    file: TemporaryFile,
    out: BlockWriter,
    rows: u64,
    hasher: Hasher,
}

impl RunWriter {
    pub(super) fn create(path: PathBuf, handles: &Arc<Handles>, block_bytes: usize) -> Result<RunWriter> {
        let created = File::create_new(&path).map_err(|error| error::file(&path, error))?;
        let file = TemporaryFile { path, handles: Arc::clone(handles) }; // which removes it, should the next step fail
        let out = BlockWriter::new(created, block_bytes).map_err(|error| error::file(&file.path, error))?;
        Ok(RunWriter { file, out, rows: 0, hasher: Hasher::new() })
    }

    pub(super) fn push(&mut self, (family, key, value): Row<'_>) -> Result<()> {
        let key_bytes = u32::try_from(key.len()).map_err(|_| too_long("the key", key.len()))?;
        let value_bytes = u32::try_from(value.len()).map_err(|_| too_long("the value", value.len()))?;
        let mut head = [family as u8; HEAD_BYTES];
        head[1..5].copy_from_slice(&key_bytes.to_be_bytes());
        head[5..].copy_from_slice(&value_bytes.to_be_bytes());
        for part in [&head, key, value] {
            self.hasher.update(part);
            self.out.write(part).map_err(|error| error::file(&self.file.path, error))?;
        }
        self.rows += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Run> {
        self.out.finish().map_err(|error| error::file(&self.file.path, error))?;
        Ok(Run { file: self.file, rows: self.rows, checksum: self.hasher.finalize() })
    }
}

/// A run that is being read.
pub(super) struct RunReader {
    run: Run,
    input: BlockReader,
    rows_left: u64,
    hasher: Hasher,
    head: Vec<u8>,
    family: Family,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl RunReader {
    /// Opens a run that was written in such blocks.
    pub(super) fn open(run: Run, block_bytes: usize, unpacker: Unpacker) -> Result<RunReader> {
        let file = File::open(&run.file.path).map_err(|error| error::file(&run.file.path, error))?;
        Ok(RunReader {
            rows_left: run.rows,
            run,
            input: BlockReader::new(file, block_bytes, unpacker),
            hasher: Hasher::new(),
            head: Vec::new(),
            family: Family::Catalog,
            key: Vec::new(),
            value: Vec::new(),
        })
    }

    /// Goes to the next row; false at the end, once all of the run proved to be what was written.
    pub(super) fn advance(&mut self) -> Result<bool> {
        if self.rows_left == 0 {
            return match self.hasher.clone().finalize() == self.run.checksum {
                true => Ok(false),
                false => Err(self.damaged()),
            };
        }
        self.rows_left -= 1;
        self.fill(HEAD_BYTES, |reader| &mut reader.head)?;
        let [family, a, b, c, d, lengths @ ..] =
            *self.head.first_chunk::<HEAD_BYTES>().ok_or_else(|| self.damaged())?;
        let known = Family::ALL.into_iter().find(|known| *known as u8 == family);
        self.family = known.ok_or_else(|| self.damaged())?;
        self.fill(u32::from_be_bytes([a, b, c, d]) as usize, |reader| &mut reader.key)?;
        self.fill(u32::from_be_bytes(lengths) as usize, |reader| &mut reader.value)?;
        Ok(true)
    }

    pub(super) fn row(&self) -> Row<'_> {
        (self.family, &self.key, &self.value)
    }

    /// Reads the next bytes into one of the fields.
    fn fill(&mut self, bytes: usize, field: fn(&mut RunReader) -> &mut Vec<u8>) -> Result<()> {
        let mut read = std::mem::take(field(self));
        read.clear();
        let outcome = self.input.read(bytes, &mut read);
        self.hasher.update(&read);
        *field(self) = read;
        outcome.map_err(|error: io::Error| match error.kind() {
            IoErrorKind::UnexpectedEof | IoErrorKind::InvalidData => self.damaged(),
            _ => error::file(&self.run.file.path, error),
        })
    }

    fn damaged(&self) -> Error {
        let path = self.run.file.path.display();
        Error::corruption(format!("the temporary file {path} is not as it was written"))
    }
}
