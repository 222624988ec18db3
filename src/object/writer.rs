//! Writing an object.

use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::limits::{OBJECT_CHUNK_BYTES, TRANSACTION_BYTES_MAX};
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
/// unfinished, it gives their space back; after a crash the next opening does. In a transaction it commits nothing, and
/// holds all of the object in memory.
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
    target: Target,
    /// Of the object store.
    name: String,
    id: u32,
    key: Vec<u8>,
    /// The chunk that is being filled; a full one stays until more is written, since it may be the last.
    chunk: Vec<u8>,
    bytes: u64,
    hasher: Hasher,
}

/// Where the chunks before the last go.
enum Target {
    /// Into commits of their own.
    Ahead { core: Arc<Core>, stored: Option<Ahead> },
    /// Into the transaction, all of them when the object is finished: its savepoints and its failing operations know
    /// nothing of what is under way.
    Within { session: Arc<Session>, chunks: Vec<Vec<u8>> },
}

/// The chunks that were committed before the object is visible.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    number: u64,
    chunks: u64,
}

impl ObjectWriter {
    /// A writer whose object is shown by a commit of its own.
    pub(super) fn ahead(core: Arc<Core>, name: &str, id: u32, key: &[u8]) -> ObjectWriter {
        ObjectWriter::new(Target::Ahead { core, stored: None }, name, id, key)
    }

    /// A writer whose object belongs to a transaction.
    pub(super) fn within(session: Arc<Session>, name: &str, id: u32, key: &[u8]) -> ObjectWriter {
        ObjectWriter::new(Target::Within { session, chunks: Vec::new() }, name, id, key)
    }

    fn new(target: Target, name: &str, id: u32, key: &[u8]) -> ObjectWriter {
        let (name, key) = (name.to_owned(), key.to_vec());
        ObjectWriter { target, name, id, key, chunk: Vec::new(), bytes: 0, hasher: Hasher::new() }
    }

    /// Bytes that were written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the object visible, in the place of the one that is there, in one commit that is as durable as the
    /// database's are; in a transaction, with its commit.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the object store was dropped; what
    /// [`Transaction::commit`](crate::Transaction::commit) returns. The object is then not there, unless the outcome is
    /// [unknown](crate::ErrorKind::CommitOutcomeUnknown). In a transaction
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when that grows too large, and
    /// [`Closed`](crate::ErrorKind::Closed) when it has ended.
    pub fn finish(mut self) -> Result<ObjectInfo> {
        match &mut self.target {
            Target::Within { session, chunks } => {
                let (session, mut chunks) = (Arc::clone(session), mem::take(chunks));
                chunks.push(mem::take(&mut self.chunk));
                session.atomically(|| self.put_all(&session, chunks)).map(|row| row.info(Timestamp::ZERO))
            }
            Target::Ahead { core, stored } => {
                let (core, ahead) = (Arc::clone(core), *stored);
                fault::reached(Point::ObjectUnseen);
                let info = retry(&core, RetryLimits::default(), || {
                    let session = Session::read_write(&core, Isolation::Serializable, core.durability)?;
                    let row = self.put_last(&session, ahead)?;
                    Ok(row.info(session.commit()?))
                })?;
                self.target = Target::Ahead { core, stored: None }; // it is no orphan any more
                Ok(info)
            }
        }
    }

    /// Puts all chunks.
    fn put_all(&self, session: &Session, chunks: Vec<Vec<u8>>) -> Result<Row> {
        self.check_store(session)?;
        let number = self.free_number(session)?;
        for (chunk, content) in (0..).zip(chunks) {
            session.put(Family::Data, chunk_key(self.id, number, chunk), content, None)?;
        }
        self.show(session, number)
    }

    /// Puts the last chunk behind those that were committed ahead.
    fn put_last(&self, session: &Session, ahead: Option<Ahead>) -> Result<Row> {
        self.check_store(session)?;
        let Ahead { number, chunks } = match ahead {
            Some(ahead) => {
                self.orphan(ahead.number).adopt(session)?;
                ahead
            }
            None => Ahead { number: self.free_number(session)?, chunks: 0 },
        };
        session.put(Family::Data, chunk_key(self.id, number, chunks), self.chunk.clone(), None)?;
        self.show(session, number)
    }

    /// Has the key lead to the chunks.
    fn show(&self, session: &Session, number: u64) -> Result<Row> {
        let replaced = StoredObject::read(session, self.id, &self.key)?;
        let row = Row {
            number,
            bytes: self.bytes,
            chunk_bytes: OBJECT_CHUNK_BYTES as u32,
            checksum: self.hasher.clone().finalize(),
            created: replaced.as_ref().and_then(StoredObject::created),
        };
        row.write(session, self.id, &self.key)?; // first: a conflict is about the object, and not about its parts
        replaced.map_or(Ok(()), |replaced| replaced.delete_chunks(session, self.id))?;
        Ok(row)
    }

    /// Puts the chunk, which is full, where it goes.
    fn store_chunk(&mut self) -> Result<()> {
        match &mut self.target {
            Target::Within { chunks, .. } => chunks.push(mem::take(&mut self.chunk)),
            Target::Ahead { core, stored } => {
                let (core, ahead) = (Arc::clone(core), *stored);
                // Weaker than the last commit, which makes it up: the log keeps the order.
                let ahead = commit_alone(&core, Isolation::Serializable, Durability::Buffered, |session| {
                    self.commit_ahead(session, ahead)
                })?;
                self.target = Target::Ahead { core, stored: Some(ahead) };
                fault::reached(Point::ChunkStored);
                self.chunk.clear();
            }
        }
        Ok(())
    }

    /// Puts the chunk behind those that were committed ahead.
    fn commit_ahead(&self, session: &Session, ahead: Option<Ahead>) -> Result<Ahead> {
        self.check_store(session)?;
        let ahead = match ahead {
            Some(ahead) => ahead,
            None => {
                let number = self.free_number(session)?;
                self.orphan(number).declare(session)?;
                Ahead { number, chunks: 0 }
            }
        };
        session.put(Family::Data, chunk_key(self.id, ahead.number, ahead.chunks), self.chunk.clone(), None)?;
        Ok(Ahead { chunks: ahead.chunks + 1, ..ahead })
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
        let core = session.core();
        loop {
            let number = core.ids.tick(&*core.clock).to_bits();
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
        if let Target::Within { .. } = self.target
            && self.bytes >= TRANSACTION_BYTES_MAX as u64
        {
            return Err(Error::limit_exceeded(format!(
                "the object has more than {TRANSACTION_BYTES_MAX} bytes, the limit of what a transaction writes: write it \
                 outside of one"
            )));
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
        let chunks = match &self.target {
            Target::Ahead { stored, .. } => stored.map_or(0, |ahead| ahead.chunks),
            Target::Within { chunks, .. } => chunks.len() as u64,
        };
        f.debug_struct("ObjectWriter").field("bytes", &self.bytes).field("chunks", &chunks).finish_non_exhaustive()
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        if let Target::Ahead { core, stored: Some(ahead) } = &self.target {
            // Where it fails, as after a commit of unknown outcome, the next opening sees to it.
            let _ = self.orphan(ahead.number).reclaim(core, Timestamp::ZERO);
        }
    }
}
