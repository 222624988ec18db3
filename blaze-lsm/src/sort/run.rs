//! Sorted rows in a temporary file.
//!
//! A row is `family (1 byte) | bytes of the key (4) | bytes of the value (4) | key | value`, big-endian. How many rows there
//! are, and their checksum, is kept in memory: nobody reads a run but the one who wrote it.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind as IoErrorKind, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use blaze_core::{Error, Family, Result};
use crc32fast::Hasher;

use super::{Row, too_long};
use crate::error;
use crate::handles::Handles;

const HEAD_BYTES: usize = 9;

/// Bytes that are written at once.
const WRITE_BYTES: usize = 256 * 1024;

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
    out: BufWriter<File>,
    rows: u64,
    hasher: Hasher,
}

impl RunWriter {
    pub(super) fn create(path: PathBuf, handles: &Arc<Handles>) -> Result<RunWriter> {
        let out = File::create_new(&path).map_err(|error| error::file(&path, error))?;
        let file = TemporaryFile { path, handles: Arc::clone(handles) };
        Ok(RunWriter { file, out: BufWriter::with_capacity(WRITE_BYTES, out), rows: 0, hasher: Hasher::new() })
    }

    pub(super) fn push(&mut self, (family, key, value): Row<'_>) -> Result<()> {
        let key_bytes = u32::try_from(key.len()).map_err(|_| too_long("the key", key.len()))?;
        let value_bytes = u32::try_from(value.len()).map_err(|_| too_long("the value", value.len()))?;
        let mut head = [family as u8; HEAD_BYTES];
        head[1..5].copy_from_slice(&key_bytes.to_be_bytes());
        head[5..].copy_from_slice(&value_bytes.to_be_bytes());
        for part in [&head, key, value] {
            self.hasher.update(part);
            self.out.write_all(part).map_err(|error| error::file(&self.file.path, error))?;
        }
        self.rows += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Run> {
        self.out.flush().map_err(|error| error::file(&self.file.path, error))?;
        Ok(Run { file: self.file, rows: self.rows, checksum: self.hasher.finalize() })
    }
}

/// A run that is being read.
pub(super) struct RunReader {
    run: Run,
    input: BufReader<File>,
    rows_left: u64,
    hasher: Hasher,
    family: Family,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl RunReader {
    pub(super) fn open(run: Run, read_bytes: usize) -> Result<RunReader> {
        let file = File::open(&run.file.path).map_err(|error| error::file(&run.file.path, error))?;
        Ok(RunReader {
            rows_left: run.rows,
            run,
            input: BufReader::with_capacity(read_bytes, file),
            hasher: Hasher::new(),
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
        let mut head = [0; HEAD_BYTES];
        self.fill(&mut head)?;
        let [family, a, b, c, d, lengths @ ..] = head;
        let known = Family::ALL.into_iter().find(|known| *known as u8 == family);
        self.family = known.ok_or_else(|| self.damaged())?;
        self.key = self.take(u32::from_be_bytes([a, b, c, d]))?;
        self.value = self.take(u32::from_be_bytes(lengths))?;
        Ok(true)
    }

    pub(super) fn row(&self) -> Row<'_> {
        (self.family, &self.key, &self.value)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.input.read_exact(bytes).map_err(|error| match error.kind() {
            IoErrorKind::UnexpectedEof => self.damaged(),
            _ => error::file(&self.run.file.path, error),
        })?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// The next bytes. A length that is damaged asks for no more memory than there is file.
    fn take(&mut self, length: u32) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(u64::from(length)).read_to_end(&mut bytes);
        let read = read.map_err(|error| error::file(&self.run.file.path, error))?;
        self.hasher.update(&bytes);
        if read == length as usize { Ok(bytes) } else { Err(self.damaged()) }
    }

    fn damaged(&self) -> Error {
        let path = self.run.file.path.display();
        Error::corruption(format!("the temporary file {path} is not as it was written"))
    }
}
