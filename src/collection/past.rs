//! The past of a collection: history, versions, change feed.

use blaze_core::{DocumentId, Feed, Result, Timestamp};
use serde::de::DeserializeOwned;

use super::{Collection, Found, document_key, valid};
use crate::catalog::{Kind, prefix};
use crate::feed::{self, Changes, FeedDefinition, read_change};
use crate::history::{self, History, Versions};

impl<T> Collection<T> {
    /// Switches the history on or off, or changes how long it goes back; see [`History`].
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the age is below a second; else as
    /// [`insert`](Collection::insert).
    pub fn set_history(&self, history: History) -> Result<()> {
        history::set(&self.scope, self.name(), Kind::Collection, history)
    }

    /// How long what is replaced is remembered.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn history(&self) -> Result<History> {
        self.read(|_, definition| Ok(History::of(definition)))
    }

    /// The earliest time as of which the collection can be read; `None` without a history.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn history_start(&self) -> Result<Option<Timestamp>> {
        self.read(|session, definition| Ok(session.core().store.marks()?.history_from(prefix(definition.id))))
    }

    /// Switches the change feed on or off, or changes how much it says; see [`changes`](Collection::changes).
    ///
    /// # Errors
    /// As [`insert`](Collection::insert).
    pub fn set_feed(&self, feed: Feed) -> Result<()> {
        feed::set(&self.scope, self.name(), Kind::Collection, feed)
    }

    /// How much the change feed says.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn feed(&self) -> Result<Feed> {
        self.read(|_, definition| Ok(FeedDefinition::of(definition)))
    }

    /// The earliest time after which [`changes`](Collection::changes) can be read; `None` without a feed.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn feed_start(&self) -> Result<Option<Timestamp>> {
        self.read(|session, definition| Ok(session.core().store.marks()?.feed_from(prefix(definition.id))))
    }
}

impl<T: DeserializeOwned + 'static> Collection<T> {
    /// What the document under `id` was, back to the beginning of the history, the newest first; what the handle's own
    /// transaction has written is not among it.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the collection has no history; else as
    /// [`get`](Collection::get), here or in an item.
    pub fn versions(&self, id: impl Into<DocumentId>) -> Result<Versions<T>> {
        let id = valid(id)?;
        self.read(|session, definition| {
            let (core, collection, key) = (session.core().clone(), definition.id, document_key(definition.id, &id));
            let decode = move |record: Vec<u8>| {
                let found = Found::decode_in(&core, collection, id.clone(), &record)?;
                Ok((found.value, Some(found.version)))
            };
            let versions = Versions::open(session, &key, Box::new(decode));
            versions.map_err(|error| error.context(format!("collection {:?}", self.name())))
        })
    }

    /// What was committed after `after`, commit by commit. A cursor is the [`ts`](crate::ChangeSet::ts) of the last commit
    /// that was dealt with, or the [`position`](Changes::position); the first one is
    /// [`feed_start`](Collection::feed_start), or the `read_ts` of a snapshot that was read in full.
    ///
    /// The feed is durable: it is written with each commit, and kept for as long as
    /// [`feed_retention`](crate::DatabaseBuilder::feed_retention) says. It begins when it is switched on.
    /// [`Database::changes`](crate::Database::changes) reads the feeds of all collections and keyspaces at once.
    ///
    /// ```
    /// use blaze::{Change, Database, Document, Feed};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.set_feed(Feed::Images)?;
    /// let mut changes = films.changes(films.feed_start()?.unwrap())?;
    /// films.insert_with_id("solaris", &Document::new().with("year", 1972))?;
    /// let set = changes.next().unwrap()?;
    /// assert!(matches!(&set.changes[0], Change::Put { before: None, after: Some(_), .. }));
    /// assert!(changes.next().is_none());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the collection has no feed;
    /// [`FeedTruncated`](crate::ErrorKind::FeedTruncated) when changes after `after` are gone, or were before the feed began;
    /// else as [`count`](Collection::count).
    pub fn changes(&self, after: Timestamp) -> Result<Changes<DocumentId, T>> {
        self.read(|session, definition| {
            let (core, collection) = (session.core().clone(), definition.id);
            let decode = move |row| {
                let value = |id: &[u8], record: Vec<u8>| {
                    Ok(Found::decode_in(&core, collection, DocumentId::read_key(id)?, &record)?.value)
                };
                read_change(row, DocumentId::read_key, value)
            };
            Changes::open(session.core(), definition, self.name(), after, Box::new(decode))
        })
    }
}
