//! Reading an object.

use std::fmt;
use std::io::{self, SeekFrom};
use std::sync::Arc;

use blaze_core::{Error, Family, Result};
use crc32fast::Hasher;

use super::failure::stream_error;
use super::info::ObjectInfo;
use super::stored::{Row, StoredObject, chunk_key};
use crate::session::Session;

/// Reads an object as it was when it was opened, whatever becomes of it meanwhile.
///
/// In a transaction, too, it goes on with what was committed, also after the transaction has replaced or deleted that; what
/// the transaction itself has written it reads while that is there, and answers [`Invalid`](crate::ErrorKind::Invalid)
/// afterwards. It answers [`Closed`](crate::ErrorKind::Closed) once the transaction has ended.
///
/// It holds one chunk in memory, so small reads need no buffer around them, and seeking costs nothing by itself. A chunk
/// that is missing or too short is an error. Once all bytes have gone by in their order, seeks in between or not, their
/// checksum is compared; the read that would complete them fails if it is wrong.
///
/// Errors of the stream carry the [`Error`](crate::Error) of the database, to be had by [`io::Error::get_ref`].
///
/// ```
/// use std::io::{Read, Seek, SeekFrom, Write};
///
/// let logs = blaze::Database::temporary()?.objects("logs")?;
/// let mut writer = logs.create("boot")?;
/// writer.write_all(b"first line\nlast line")?;
/// writer.finish()?;
///
/// let mut reader = logs.open("boot")?.expect("it was finished");
/// reader.seek(SeekFrom::End(-9))?;
/// let mut end = String::new();
/// reader.read_to_string(&mut end)?;
/// assert_eq!(end, "last line");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ObjectReader {
    session: Arc<Session>,
    id: u32,
    key: Vec<u8>,
    row: Row,
    info: ObjectInfo,
    /// Whether the session itself has written it.
    is_uncommitted: bool,
    position: u64,
    chunk: Vec<u8>,
    /// Which chunk that is, if any.
    loaded: Option<u64>,
    /// Over the first `hashed` bytes.
    hasher: Hasher,
    hashed: u64,
}

impl ObjectReader {
    pub(super) fn new(session: Arc<Session>, id: u32, key: &[u8], stored: StoredObject) -> ObjectReader {
        ObjectReader {
            session,
            id,
            key: key.to_vec(),
            info: stored.info(),
            is_uncommitted: stored.is_uncommitted(),
            row: stored.row,
            position: 0,
            chunk: Vec::new(),
            loaded: None,
            hasher: Hasher::new(),
            hashed: 0,
        }
    }

    /// Size, checksum and times of the object that is being read.
    #[must_use]
    pub fn info(&self) -> ObjectInfo {
        self.info
    }

    /// So many bytes from `start` on, which the object has.
    pub(super) fn read_at(&mut self, start: u64, bytes: usize) -> Result<Vec<u8>> {
        let mut range = vec![0; bytes];
        self.position = start;
        let mut filled = 0;
        while filled < bytes {
            match self.read_some(&mut range[filled..])? {
                0 => return Err(self.damage("ends too early")),
                read => filled += read,
            }
        }
        Ok(range)
    }

    fn read_some(&mut self, out: &mut [u8]) -> Result<usize> {
        if out.is_empty() || self.position >= self.row.bytes {
            return Ok(0);
        }
        let chunk_bytes = u64::from(self.row.chunk_bytes);
        self.load(self.position / chunk_bytes)?;
        let start = (self.position % chunk_bytes) as usize;
        let read = out.len().min(self.chunk.len() - start);
        self.hash(start, read)?;
        out[..read].copy_from_slice(&self.chunk[start..start + read]);
        self.position += read as u64;
        Ok(read)
    }

    /// Sees to it that `chunk` is in memory, and as long as it must be.
    fn load(&mut self, chunk: u64) -> Result<()> {
        if self.loaded == Some(chunk) {
            return Ok(());
        }
        self.loaded = None;
        self.chunk.clear();
        let content = &mut self.chunk;
        let key = chunk_key(self.id, self.row.number, chunk);
        let mut copy = |value: &[u8]| {
            content.extend_from_slice(value);
            Ok(())
        };
        // The row leads to its chunks as long as there are any: they never change, and no other object gets their number.
        let found = match self.is_uncommitted {
            true => self.session.visit(Family::Data, &key, &mut copy)?,
            false => self.session.visit_committed(Family::Data, &key, &mut copy)?,
        };
        let chunk_bytes = u64::from(self.row.chunk_bytes);
        let expected = (self.row.bytes - chunk * chunk_bytes).min(chunk_bytes);
        if !found && self.is_uncommitted {
            let key = self.key.escape_ascii();
            return Err(Error::invalid(format!(
                "object \"{key}\" was replaced or taken back by the transaction that had written it, while it was read"
            )));
        }
        if !found {
            return Err(self.damage(&format!("lacks chunk {chunk} of {}", self.row.chunks())));
        }
        if self.chunk.len() as u64 != expected {
            let bytes = self.chunk.len();
            return Err(self.damage(&format!("has {bytes} bytes in chunk {chunk}, not {expected}")));
        }
        self.loaded = Some(chunk);
        Ok(())
    }

    /// Takes the bytes that are about to be read into the checksum, as far as they continue it.
    fn hash(&mut self, start: usize, read: usize) -> Result<()> {
        let end = self.position + read as u64;
        if !(self.position..end).contains(&self.hashed) {
            return Ok(());
        }
        let known = (self.hashed - self.position) as usize;
        let mut hasher = self.hasher.clone();
        hasher.update(&self.chunk[start + known..start + read]);
        if end == self.row.bytes && hasher.clone().finalize() != self.row.checksum {
            return Err(self.damage("does not have the checksum that was stored with it"));
        }
        (self.hasher, self.hashed) = (hasher, end);
        Ok(())
    }

    #[cold]
    fn damage(&self, what: &str) -> Error {
        Error::corruption(format!("object \"{}\" {what}", self.key.escape_ascii()))
    }
}

impl io::Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.read_some(out).map_err(stream_error)
    }
}

impl fmt::Debug for ObjectReader {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader")
            .field("info", &self.info)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl io::Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, position) = match to {
            SeekFrom::Start(position) => (0, Some(position)),
            SeekFrom::End(offset) => (self.row.bytes, self.row.bytes.checked_add_signed(offset)),
            SeekFrom::Current(offset) => (self.position, self.position.checked_add_signed(offset)),
        };
        self.position = position.ok_or_else(|| {
            stream_error(Error::invalid(format!("{to:?} from {from} leads outside of 0 to {}", u64::MAX)))
        })?;
        Ok(self.position)
    }
}
