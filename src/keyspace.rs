//! Keyspaces: raw bytes to raw bytes.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use blaze_core::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use blaze_core::{Direction, Error, Family, KeyRange, Result};

use crate::catalog::{self, Kind, prefix, prefixed};
use crate::session::{Scope, Session, SessionCursor};

/// An ordered map from raw bytes to raw bytes.
///
/// Taken from a [`Database`](crate::Database), each operation is a commit of its own; taken from a
/// [`Transaction`](crate::Transaction), it belongs to that.
///
/// ```
/// use blaze::Database;
///
/// let db = Database::temporary()?;
/// let sessions = db.keyspace("sessions")?;
/// sessions.put("ann", "token 1")?;
/// sessions.put("bob", "token 2")?;
/// assert_eq!(sessions.get("ann")?.as_deref(), Some(b"token 1".as_slice()));
///
/// let from_b: Vec<_> = sessions.range("b"..)?.collect::<Result<_, _>>()?;
/// assert_eq!(from_b, [(b"bob".to_vec(), b"token 2".to_vec())]);
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "column family")]
pub struct Keyspace {
    pub(crate) scope: Scope,
    pub(crate) name: String,
}

impl Keyspace {
    pub(crate) fn open(scope: Scope, name: &str) -> Result<Keyspace> {
        catalog::open(&scope, name, Kind::Keyspace)?;
        Ok(Keyspace { scope, name: name.to_owned() })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a bad key;
    /// [`NotFound`](crate::ErrorKind::NotFound) when the keyspace was dropped; [`Closed`](crate::ErrorKind::Closed).
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        validate_key(key.as_ref())?;
        self.scope.read(|session| session.get(Family::Data, &self.key(session, key.as_ref())?))
    }

    /// True if there is a value under `key`.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        validate_key(key.as_ref())?;
        self.scope.read(|session| session.visit(Family::Data, &self.key(session, key.as_ref())?, &mut |_| Ok(())))
    }

    /// Sets the value under `key`.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get), and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a value above
    /// [`VALUE_BYTES_MAX`] or a transaction that grows too large.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (key, value) = (key.as_ref(), value.as_ref());
        validate_key(key)?;
        if value.len() > VALUE_BYTES_MAX {
            let bytes = value.len();
            return Err(Error::limit_exceeded(format!("value has {bytes} bytes, the limit is {VALUE_BYTES_MAX}")));
        }
        self.scope.write(|session| session.put(Family::Data, self.key(session, key)?, value.to_vec(), None))
    }

    /// Removes `key`. It costs no read, so it does not say whether the key was there.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<()> {
        validate_key(key.as_ref())?;
        self.scope.write(|session| session.delete(Family::Data, self.key(session, key.as_ref())?))
    }

    /// Removes all keys of a range in constant time.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn delete_range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<()> {
        let (start, end) = (owned(range.start_bound()), owned(range.end_bound()));
        self.scope.write(|session| session.delete_range(Family::Data, self.range_of(session, &start, &end)?))
    }

    /// Removes all keys in constant time.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn clear(&self) -> Result<()> {
        self.delete_range::<&[u8]>(..)
    }

    /// The keys of a range and their values in ascending order, at one moment. The iterator owns what it needs.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the keyspace was dropped; [`Closed`](crate::ErrorKind::Closed).
    pub fn range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<KeyValues> {
        self.walk(owned(range.start_bound()), owned(range.end_bound()), Direction::Forward)
    }

    /// The keys of a range and their values in descending order.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn range_reverse<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<KeyValues> {
        self.walk(owned(range.start_bound()), owned(range.end_bound()), Direction::Reverse)
    }

    /// All keys and their values in ascending order.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn iter(&self) -> Result<KeyValues> {
        self.walk(Bound::Unbounded, Bound::Unbounded, Direction::Forward)
    }

    /// The keys that begin with `prefix` and their values in ascending order.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn prefix(&self, prefix: impl AsRef<[u8]>) -> Result<KeyValues> {
        let range = KeyRange::prefix(prefix.as_ref());
        let end = range.end().map_or(Bound::Unbounded, |end| Bound::Excluded(end.to_vec()));
        self.walk(Bound::Included(range.start().to_vec()), end, Direction::Forward)
    }

    /// How many keys there are. Takes time linear in their number.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn count(&self) -> Result<u64> {
        self.scope
            .read(|session| session.count(Family::Data, &self.range_of(session, &Bound::Unbounded, &Bound::Unbounded)?))
    }

    fn walk(&self, start: Bound<Vec<u8>>, end: Bound<Vec<u8>>, direction: Direction) -> Result<KeyValues> {
        self.scope.read(|session| {
            let range = self.range_of(session, &start, &end)?;
            let cursor = session.cursor(Family::Data, &range, direction)?;
            Ok(KeyValues { cursor, failed: false, _session: Arc::clone(session) })
        })
    }

    fn key(&self, session: &Session, key: &[u8]) -> Result<Vec<u8>> {
        Ok(prefixed(catalog::get(session, &self.name, Kind::Keyspace)?.id, key))
    }

    fn range_of(&self, session: &Session, start: &Bound<Vec<u8>>, end: &Bound<Vec<u8>>) -> Result<KeyRange> {
        let id = catalog::get(session, &self.name, Kind::Keyspace)?.id;
        let after = |key: &Vec<u8>| [key.as_slice(), &[0]].concat();
        let start = match start {
            Bound::Included(key) => prefixed(id, key),
            Bound::Excluded(key) => prefixed(id, &after(key)),
            Bound::Unbounded => prefix(id).to_vec(),
        };
        let end = match end {
            Bound::Included(key) => Some(prefixed(id, &after(key))),
            Bound::Excluded(key) => Some(prefixed(id, key)),
            Bound::Unbounded => KeyRange::prefix(&prefix(id)).end().map(<[u8]>::to_vec),
        };
        Ok(KeyRange::new(start, end))
    }
}

/// Keys and values of a [`Keyspace`] in order.
///
/// Owns its view: it may outlive the handle it came from. After an error it ends.
#[derive(Debug)]
pub struct KeyValues {
    cursor: SessionCursor,
    failed: bool,
    /// Keeps the database open.
    _session: Arc<Session>,
}

impl Iterator for KeyValues {
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let entry = self.cursor.next().map(|entry| entry.map(|(key, value)| (key[4..].to_vec(), value.to_vec())));
        self.failed = entry.is_err();
        entry.transpose()
    }
}

fn owned<K: AsRef<[u8]>>(bound: Bound<&K>) -> Bound<Vec<u8>> {
    bound.map(|key| key.as_ref().to_vec())
}

fn validate_key(key: &[u8]) -> Result<()> {
    match key.len() {
        0 => Err(Error::invalid("key is empty, at least 1 byte is needed")),
        1..=KEY_BYTES_MAX => Ok(()),
        bytes => Err(Error::limit_exceeded(format!("key has {bytes} bytes, the limit is {KEY_BYTES_MAX}"))),
    }
}
