//! Walking over a keyspace.

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
    view: ValueView,
    /// The entry that is lent, where what comes next in the store may be hidden.
    lent: (Vec<u8>, Vec<u8>),
    failed: bool,
    /// Keeps the database open.
    _session: Arc<Session>,
}

impl KeyValues {
    pub(super) fn new(cursor: SessionCursor, view: ValueView, session: &Arc<Session>) -> KeyValues {
        KeyValues { cursor, view, lent: Default::default(), failed: false, _session: Arc::clone(session) }
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
    pub fn next_entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        if self.failed {
            return Ok(None);
        }
        let entry = match self.view {
            ValueView::Plain => self.cursor.next(),
            ValueView::Expiring { .. } => next_shown(&mut self.cursor, self.view, &mut self.lent),
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

/// The next entry that is to be seen, copied into `lent`.
fn next_shown<'a>(
    cursor: &mut SessionCursor,
    view: ValueView,
    lent: &'a mut (Vec<u8>, Vec<u8>),
) -> Result<Option<Entry<'a>>> {
    let (lent_key, lent_value) = lent;
    while let Some((key, stored)) = cursor.next()? {
        if let Some(value) = view.show(stored)? {
            lent_key.clear();
            lent_key.extend_from_slice(key);
            lent_value.clear();
            lent_value.extend_from_slice(value);
            return Ok(Some((lent_key, lent_value)));
        }
    }
    Ok(None)
}

impl Iterator for KeyValues {
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry().map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).transpose()
    }
}
