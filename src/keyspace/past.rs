//! The past of a keyspace: history, versions, change feed.

use blaze_core::{Feed, Result, Timestamp};

use super::Keyspace;
use crate::catalog::{Definition, Kind, prefix, prefixed, validate_key};
use crate::expiry;
use crate::feed::{self, Changes, FeedDefinition, read_change};
use crate::history::{self, History, Versions};
use crate::session::Session;

impl Keyspace {
    /// Switches the history on or off, or changes how long it goes back; see [`History`]. With a history, a range that is
    /// deleted is read first, and may not hold more than
    /// [`RANGE_HISTORY_BYTES_MAX`](crate::limits::RANGE_HISTORY_BYTES_MAX).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the age is below a second; else as [`put`](Keyspace::put).
    pub fn set_history(&self, history: History) -> Result<()> {
        history::set(&self.scope, self.name(), Kind::Keyspace, history)
    }

    /// How long what is replaced is remembered.
    ///
    /// # Errors
    /// As [`count`](Keyspace::count).
    pub fn history(&self) -> Result<History> {
        self.read(|_, definition| Ok(History::of(definition)))
    }

    /// The earliest time as of which the keyspace can be read; `None` without a history.
    ///
    /// # Errors
    /// As [`count`](Keyspace::count).
    pub fn history_start(&self) -> Result<Option<Timestamp>> {
        self.read(|session, definition| Ok(session.core().store.marks()?.history_from(prefix(definition.id))))
    }

    /// What the value of `key` was, back to the beginning of the history, the newest first; what the handle's own
    /// transaction has written is not among it. A value that expired ends then, by no commit.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the keyspace has no history; else as
    /// [`get`](Keyspace::get), here or in an item.
    pub fn versions(&self, key: impl AsRef<[u8]>) -> Result<Versions<Vec<u8>>> {
        validate_key(key.as_ref())?;
        self.read(|session, definition| {
            let stored = prefixed(definition.id, key.as_ref());
            let versions = match definition.expiring {
                false => Versions::open(session, &stored, Box::new(|value| Ok((value, None)))),
                true => Versions::open_expiring(session, &stored),
            };
            versions.map_err(|error| error.context(format!("keyspace {:?}", self.name())))
        })
    }

    /// Switches the change feed on or off, or changes how much it says; see [`changes`](Keyspace::changes).
    ///
    /// # Errors
    /// As [`put`](Keyspace::put).
    pub fn set_feed(&self, feed: Feed) -> Result<()> {
        feed::set(&self.scope, self.name(), Kind::Keyspace, feed)
    }

    /// How much the change feed says.
    ///
    /// # Errors
    /// As [`count`](Keyspace::count).
    pub fn feed(&self) -> Result<Feed> {
        self.read(|_, definition| Ok(FeedDefinition::of(definition)))
    }

    /// The earliest time after which [`changes`](Keyspace::changes) can be read; `None` without a feed.
    ///
    /// # Errors
    /// As [`count`](Keyspace::count).
    pub fn feed_start(&self) -> Result<Option<Timestamp>> {
        self.read(|session, definition| Ok(session.core().store.marks()?.feed_from(prefix(definition.id))))
    }

    /// What was committed after `after`, commit by commit; see [`Collection::changes`](crate::Collection::changes). That a value
    /// has expired is told once it is removed, as its removal.
    ///
    /// # Errors
    /// As [`Collection::changes`](crate::Collection::changes).
    pub fn changes(&self, after: Timestamp) -> Result<Changes<Vec<u8>, Vec<u8>>> {
        self.read(|session, definition| {
            let expiring = definition.expiring;
            let value = move |stored: Vec<u8>| match expiring {
                true => expiry::split(&stored).map(|(_, value)| value.to_vec()),
                false => Ok(stored),
            };
            let decode = move |row| read_change(row, |key| Ok(key.to_vec()), |_, stored| value(stored));
            Changes::open(session.core(), definition, self.name(), after, Box::new(decode))
        })
    }

    fn read<R>(&self, work: impl FnOnce(&Session, &Definition) -> Result<R>) -> Result<R> {
        self.scope.read(|session| work(session, &*self.named.definition(session)?))
    }
}
