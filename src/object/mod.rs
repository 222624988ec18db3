//! Objects: streams of bytes of any size.

mod failure;
mod info;
mod reader;
mod stored;
mod writer;

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use blaze_core::limits::VALUE_BYTES_MAX;
use blaze_core::{Direction, Error, Family, KeyRange, Result};

pub use info::ObjectInfo;
pub use reader::ObjectReader;
pub use writer::ObjectWriter;

use self::stored::StoredObject;
use crate::catalog::{self, Kind, validate_key};
use crate::session::{Scope, Session, SessionCursor};

/// An ordered map from raw bytes to streams of bytes of any size.
///
/// An object is stored in chunks of [`OBJECT_CHUNK_BYTES`](crate::limits::OBJECT_CHUNK_BYTES), so that writing and
/// reading one takes the memory of a few chunks however large it is. It becomes visible whole, in one commit, and a
/// reader goes on with the object that it has opened while that is replaced or deleted. Taken from a
/// [`Transaction`](crate::Transaction), all of it belongs to that. Keys are as long as those of a
/// [`Keyspace`](crate::Keyspace), objects up to 2⁶⁴ bytes.
///
/// ```
/// use std::io::{Read, Write};
///
/// let db = blaze::Database::temporary()?;
/// let attachments = db.objects("attachments")?;
///
/// let mut writer = attachments.create("report.txt")?;
/// writer.write_all(b"All is ")?;
/// writer.write_all(b"well.")?;
/// assert!(attachments.info("report.txt")?.is_none()); // not before it is finished
/// assert_eq!(writer.finish()?.bytes, 12);
///
/// let mut text = String::new();
/// attachments.open("report.txt")?.expect("it was finished").read_to_string(&mut text)?;
/// assert_eq!(text, "All is well.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "blob")]
#[doc(alias = "bucket")]
#[doc(alias = "file")]
pub struct Objects {
    scope: Scope,
    name: String,
}

impl Objects {
    pub(crate) fn named(scope: Scope, name: &str) -> Result<Objects> {
        catalog::open(&scope, name, Kind::Objects)?;
        Ok(Objects { scope, name: name.to_owned() })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins to write the object under `key`. It becomes visible, in the place of the one that is there,
    /// with [`finish`](ObjectWriter::finish); dropped before that, it never was. Of several that write the same object
    /// the last one to finish wins.
    ///
    /// In a transaction it belongs to that: it is finished within it, seen by others after its commit, and held in memory
    /// until then. It counts among the [`TRANSACTION_BYTES_MAX`](crate::limits::TRANSACTION_BYTES_MAX) that the transaction
    /// may write, so larger ones are written outside.
    ///
    /// # Errors
    /// As [`info`](Objects::info); [`Invalid`](crate::ErrorKind::Invalid) in a snapshot.
    pub fn create(&self, key: impl AsRef<[u8]>) -> Result<ObjectWriter> {
        let key = key.as_ref();
        validate_key(key)?;
        let id = self.scope.read(|session| self.id(session))?;
        match &self.scope {
            Scope::Database(core) => Ok(ObjectWriter::ahead(Arc::clone(core), &self.name, id, key)),
            Scope::Session(session) if session.is_read_only() => {
                Err(Error::invalid("an object cannot be written in a snapshot"))
            }
            Scope::Session(session) => Ok(ObjectWriter::within(Arc::clone(session), &self.name, id, key)),
        }
    }

    /// A reader of the object under `key`, as it is now, if there is one.
    ///
    /// Kept for long, it keeps what was overwritten since from being reclaimed.
    ///
    /// # Errors
    /// As [`info`](Objects::info).
    pub fn open(&self, key: impl AsRef<[u8]>) -> Result<Option<ObjectReader>> {
        let key = key.as_ref();
        validate_key(key)?;
        self.scope.read(|session| {
            let id = self.id(session)?;
            let stored = StoredObject::read(session, id, key)?;
            Ok(stored.map(|stored| ObjectReader::new(Arc::clone(session), id, key, stored)))
        })
    }

    /// The bytes of a range of the object under `key`, as far as it reaches, if there is such an object. Takes time
    /// linear in the length of the range, wherever it lies. For more than [`VALUE_BYTES_MAX`] take a
    /// [reader](Objects::open).
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let objects = blaze::Database::temporary()?.objects("texts")?;
    /// let mut writer = objects.create("greeting")?;
    /// writer.write_all(b"Hello, world")?;
    /// writer.finish()?;
    /// assert_eq!(objects.read_range("greeting", 7..)?.unwrap(), b"world");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`info`](Objects::info); [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the range holds more than
    /// [`VALUE_BYTES_MAX`] bytes.
    pub fn read_range(&self, key: impl AsRef<[u8]>, range: impl RangeBounds<u64>) -> Result<Option<Vec<u8>>> {
        let Some(mut reader) = self.open(key)? else { return Ok(None) };
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        let bytes = end.min(reader.info().bytes).saturating_sub(start);
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= VALUE_BYTES_MAX => reader.read_at(start, bytes).map(Some),
            _ => Err(Error::limit_exceeded(format!(
                "the range has {bytes} bytes, the limit is {VALUE_BYTES_MAX}: read it as a stream"
            ))),
        }
    }

    /// Size, checksum and times of the object under `key`, if there is one.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a bad key;
    /// [`NotFound`](crate::ErrorKind::NotFound) when the object store was dropped;
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Closed`](crate::ErrorKind::Closed).
    pub fn info(&self, key: impl AsRef<[u8]>) -> Result<Option<ObjectInfo>> {
        let key = key.as_ref();
        validate_key(key)?;
        let stored = self.scope.read(|session| StoredObject::read(session, self.id(session)?, key))?;
        Ok(stored.map(|stored| stored.info()))
    }

    /// Removes the object under `key`; says whether there was one. Takes time linear in the number of its chunks, up to 256
    /// of them. Readers that are open go on.
    ///
    /// # Errors
    /// As [`info`](Objects::info), and what [`Transaction::commit`](crate::Transaction::commit) returns.
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        let key = key.as_ref();
        validate_key(key)?;
        self.scope.write(|session| {
            let id = self.id(session)?;
            let Some(stored) = StoredObject::read(session, id, key)? else { return Ok(false) };
            stored.delete(session, id, key)?;
            Ok(true)
        })
    }

    /// The keys that begin with `prefix`, in ascending order, each with what is known of its object, at one moment. An
    /// empty prefix is that of all. The iterator owns what it needs.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the object store was dropped; [`Closed`](crate::ErrorKind::Closed).
    pub fn list(&self, prefix: impl AsRef<[u8]>) -> Result<ObjectEntries> {
        self.scope.read(|session| {
            let range = KeyRange::prefix(&stored::info_key(self.id(session)?, prefix.as_ref()));
            let cursor = session.cursor(Family::Data, &range, Direction::Forward)?;
            Ok(ObjectEntries { cursor, failed: false, _session: Arc::clone(session) })
        })
    }

    fn id(&self, session: &Session) -> Result<u32> {
        Ok(catalog::get(session, &self.name, Kind::Objects)?.id)
    }
}

/// Keys of [`Objects`] in order, each with what is known of its object.
///
/// Owns its view: it may outlive the handle it came from. After an error it ends.
#[derive(Debug)]
pub struct ObjectEntries {
    cursor: SessionCursor,
    failed: bool,
    /// Keeps the database open.
    _session: Arc<Session>,
}

impl ObjectEntries {
    fn advance(&mut self) -> Result<Option<(Vec<u8>, ObjectInfo)>> {
        let Some((key, row)) = self.cursor.next()? else { return Ok(None) };
        Ok(Some((stored::key_of(key)?.to_vec(), StoredObject::decode(row)?.info())))
    }
}

impl Iterator for ObjectEntries {
    type Item = Result<(Vec<u8>, ObjectInfo)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let entry = self.advance();
        self.failed = entry.is_err();
        entry.transpose()
    }
}
