//! Writing an object.

use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;

use blaze_core::limits::OBJECT_CHUNK_BYTES;
use blaze_core::{Durability, Error, Family, Isolation, Result, Timestamp};
use crc32fast::Hasher;

use super::failure::stream_error;
use super::info::ObjectInfo;
use super::stored::{Row, StoredObject, chunk_key, chunks_prefix};
use crate::catalog::{self, Kind, Orphan};
use crate::database::core::Core;
use crate::session::{RetryLimits, Session, commit_alone, retry};

/// Writes an object, which becomes visible when it is [finished](ObjectWriter::finish).
///
/// It holds one chunk in memory and commits each before the last on its own, where nobody sees it. Dropped
/// unfinished, it gives their space back; after a crash the next opening does.
///
/// Errors of the stream carry the [`Error`](crate::Error) of the database, to be had by [`io::Error::get_ref`]. What
/// an error refuses is not taken in: the same bytes can be written again.
///
/// ```
/// use std::io::Read;
///
/// let db = blaze::Database::temporary()?;
/// let backups = db.objects("backups")?;
/// let mut writer = backups.create("today")?;
/// let copied = std::io::copy(&mut std::io::repeat(7).take(1_000_000), &mut writer)?;
/// assert_eq!(writer.finish()?.bytes, copied);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "an object is not there before it is finished"]
pub struct ObjectWriter {
    core: Arc<Core>,
    /// Of the object store.
    name: String,
    id: u32,
    key: Vec<u8>,
    /// The chunk that is being filled; a full one stays until more is written, since it may be the last.
    chunk: Vec<u8>,
    bytes: u64,
    hasher: Hasher,
    /// What was committed ahead, if anything.
    ahead: Option<Ahead>,
}

/// The chunks that were committed before the object is visible.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    number: u64,
    chunks: u64,
}

impl ObjectWriter {
    pub(super) fn new(core: Arc<Core>, name: &str, id: u32, key: &[u8]) -> ObjectWriter {
        ObjectWriter {
            core,
            name: name.to_owned(),
            id,
            key: key.to_vec(),
            chunk: Vec::new(),
            bytes: 0,
            hasher: Hasher::new(),
            ahead: None,
        }
    }

    /// Bytes that were written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the object visible, in the place of the one that is there, in one commit that is as durable as the
    /// database's are.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the object store was dropped; what
    /// [`Transaction::commit`](crate::Transaction::commit) returns. The object is then not there, unless the outcome is
    /// [unknown](crate::ErrorKind::CommitOutcomeUnknown).
    pub fn finish(mut self) -> Result<ObjectInfo> {
        let core = Arc::clone(&self.core);
        let finished = retry(&core, RetryLimits::default(), || {
            let session = Session::read_write(&core, Isolation::Serializable, core.durability)?;
            let row = self.show(&session)?;
            Ok(row.info(session.commit()?))
        });
        if finished.is_ok() {
            self.ahead = None;
        }
        finished
    }

    /// Has the key lead to the object.
    fn show(&self, session: &Session) -> Result<Row> {
        self.check_store(session)?;
        let replaced = StoredObject::read(session, self.id, &self.key)?;
        if let Some(replaced) = &replaced {
            replaced.delete_chunks(session, self.id)?;
        }
        let Ahead { number, chunks } = match self.ahead {
            Some(ahead) => {
                self.orphan(ahead.number).adopt(session)?;
                ahead
            }
            None => Ahead { number: self.free_number(session)?, chunks: 0 },
        };
        session.put(Family::Data, chunk_key(self.id, number, chunks), self.chunk.clone(), None)?;
        let row = Row {
            number,
            bytes: self.bytes,
            chunk_bytes: OBJECT_CHUNK_BYTES as u32,
            checksum: self.hasher.clone().finalize(),
            created: replaced.map(|replaced| replaced.info().created_at.to_bits()),
        };
        row.write(session, self.id, &self.key)?;
        Ok(row)
    }

    /// Commits the chunk, which is full.
    fn store_chunk(&mut self) -> Result<()> {
        // Weaker than the last commit, which makes it up: the log keeps the order.
        let stored = commit_alone(&self.core, Isolation::Serializable, Durability::Buffered, |session| {
            self.check_store(session)?;
            let ahead = match self.ahead {
                Some(ahead) => ahead,
                None => {
                    let number = self.free_number(session)?;
                    self.orphan(number).declare(session)?;
                    Ahead { number, chunks: 0 }
                }
            };
            session.put(Family::Data, chunk_key(self.id, ahead.number, ahead.chunks), self.chunk.clone(), None)?;
            Ok(Ahead { chunks: ahead.chunks + 1, ..ahead })
        });
        self.ahead = Some(stored?);
        self.chunk.clear();
        Ok(())
    }

    /// The object store must still be the one in which the object was begun.
    fn check_store(&self, session: &Session) -> Result<()> {
        match catalog::get(session, &self.name, Kind::Objects)?.id == self.id {
            true => Ok(()),
            false => Err(Error::not_found(format!("the object store {:?} was dropped meanwhile", self.name))),
        }
    }

    /// A number that no object has. Clocks that jump can propose one that was given out before.
    fn free_number(&self, session: &Session) -> Result<u64> {
        loop {
            let number = self.core.ids.tick(&*self.core.clock).to_bits();
            if !session.visit(Family::Data, &chunk_key(self.id, number, 0), &mut |_| Ok(()))? {
                return Ok(number);
            }
        }
    }

    fn orphan(&self, number: u64) -> Orphan {
        Orphan::new(Family::Data, chunks_prefix(self.id, number))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.chunk.len() == OBJECT_CHUNK_BYTES {
            self.store_chunk()?;
        }
        let taken = &bytes[..bytes.len().min(OBJECT_CHUNK_BYTES - self.chunk.len())];
        let too_large = || Error::limit_exceeded(format!("the object has more than {} bytes", u64::MAX));
        self.bytes = self.bytes.checked_add(taken.len() as u64).ok_or_else(too_large)?;
        self.hasher.update(taken);
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
    }
}

impl io::Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes).map_err(stream_error)
    }

    /// Does nothing: an object is visible, and durable, when it is [finished](ObjectWriter::finish).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for ObjectWriter {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chunks = self.ahead.map_or(0, |ahead| ahead.chunks);
        f.debug_struct("ObjectWriter").field("bytes", &self.bytes).field("chunks", &chunks).finish_non_exhaustive()
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        if let Some(ahead) = mem::take(&mut self.ahead) {
            // Where it fails, as after a commit of unknown outcome, the next opening sees to it.
            let _ = self.orphan(ahead.number).reclaim(&self.core, Timestamp::ZERO);
        }
    }
}
