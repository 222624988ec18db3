//! Walking over a keyspace.

use std::fmt;
use std::sync::Arc;

use blaze_core::{Entry, Result};

use crate::expiry::ValueView;
use crate::session::{Session, SessionCursor};

/// Keys and values of a [`Keyspace`](super::Keyspace) in order.
///
/// Owns its view: it may outlive the handle it came from. After an error it ends.
#[derive(Debug)]
pub struct KeyValues {
    cursor: SessionCursor,
    /// Where some of what is stored is not to be seen.
    shown: Option<Box<Shown>>,
    failed: bool,
    /// Keeps the database open.
    _session: Arc<Session>,
}

/// The entry that is lent, and what is seen of those that are stored.
struct Shown {
    view: ValueView,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl KeyValues {
    pub(super) fn new(cursor: SessionCursor, view: ValueView, session: &Arc<Session>) -> KeyValues {
        let shown = (view != ValueView::Plain).then(|| Box::new(Shown { view, key: Vec::new(), value: Vec::new() }));
        KeyValues { cursor, shown, failed: false, _session: Arc::clone(session) }
    }

    /// The next key and its value, lent until the next call: spares the copies that the iterator makes.
    ///
    /// ```
    /// let db = blaze::Database::in_memory()?;
    /// let letters = db.keyspace("letters")?;
    /// letters.put("a", "12")?;
    /// letters.put("b", "345")?;
    /// let (mut entries, mut bytes) = (letters.iter()?, 0);
    /// while let Some((_, value)) = entries.next_entry()? {
    ///     bytes += value.len();
    /// }
    /// assert_eq!(bytes, 5);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed); [`Corruption`](crate::ErrorKind::Corruption);
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    #[inline]
    pub fn next_entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        if self.failed {
            return Ok(None);
        }
        let entry = match &mut self.shown {
            None => self.cursor.next(),
            Some(shown) => shown.next(&mut self.cursor),
        };
        match entry {
            Ok(entry) => Ok(entry.map(|(key, value)| (key.get(4..).unwrap_or_default(), value))),
            Err(error) => {
                self.failed = true;
                Err(error)
            }
        }
    }
}

impl Shown {
    /// The next entry that is to be seen.
    fn next(&mut self, cursor: &mut SessionCursor) -> Result<Option<Entry<'_>>> {
        while let Some((key, stored)) = cursor.next()? {
            if let Some(value) = self.view.show(stored)? {
                self.key.clear();
                self.key.extend_from_slice(key);
                self.value.clear();
                self.value.extend_from_slice(value);
                return Ok(Some((&self.key, &self.value)));
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Shown {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("view", &self.view).finish_non_exhaustive()
    }
}

impl Iterator for KeyValues {
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry().map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).transpose()
    }
}
