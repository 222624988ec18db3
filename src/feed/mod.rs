//! The change feed: what has changed in a collection or keyspace, or in all of them, commit by commit.

mod database;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use blaze_core::{ChangeKind, Feed, Prefix, Result, Timestamp};
use serde::{Deserialize, Serialize};

pub use database::{DatabaseChange, DatabaseChangeSet, DatabaseChanges};

use crate::catalog::{self, Definition, Kind, prefix};
use crate::database::core::Core;
use crate::session::Scope;

/// What the catalog keeps of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeedDefinition {
    Keys,
    Images,
}

impl FeedDefinition {
    fn new(feed: Feed) -> Option<FeedDefinition> {
        match feed {
            Feed::Keys => Some(FeedDefinition::Keys),
            Feed::Images => Some(FeedDefinition::Images),
            _ => None,
        }
    }

    pub(crate) fn of(definition: &Definition) -> Feed {
        match definition.feed {
            None => Feed::Off,
            Some(FeedDefinition::Keys) => Feed::Keys,
            Some(FeedDefinition::Images) => Feed::Images,
        }
    }
}

/// Switches the feed of `name` on or off, or changes how much it says.
pub(crate) fn set(scope: &Scope, name: &str, kind: Kind, feed: Feed) -> Result<()> {
    catalog::change(scope, name, kind, |definition| definition.feed = FeedDefinition::new(feed))
}

/// One change of a document or key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change<K, V> {
    /// It was created or replaced.
    Put {
        /// The id or key.
        key: K,
        /// What was there before, if anything was and the feed keeps images.
        before: Option<V>,
        /// What is there now, if the feed keeps images.
        after: Option<V>,
    },
    /// It was removed. A feed of keys tells also of the removal of what was not there.
    Removed {
        /// The id or key.
        key: K,
        /// What was there before, if the feed keeps images.
        before: Option<V>,
    },
    /// All keys of a range were removed at once, however many there were.
    RangeRemoved {
        /// The first key that may have been removed.
        start: Vec<u8>,
        /// The first key that was not; `None` if all that follow were removed.
        end: Option<Vec<u8>>,
    },
}

/// The changes of one commit, in the order of its writes: they belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet<K, V> {
    /// The commit, and the cursor after which to go on.
    pub ts: Timestamp,
    /// The changes; at least one.
    pub changes: Vec<Change<K, V>>,
}

/// How a stored row becomes a change.
pub(crate) type Decode<K, V> = Box<dyn Fn(blaze_core::Change) -> Result<Change<K, V>> + Send + Sync>;

/// The changes of a collection or keyspace, commit by commit; see [`Collection::changes`](crate::Collection::changes).
///
/// As an iterator it ends when there is nothing new; a later `next` or [`wait`](Changes::wait) goes on with what has come
/// since. After an error it has ended for good.
pub struct Changes<K, V> {
    core: Arc<Core>,
    /// What it is of, in the user's words.
    subject: String,
    prefix: Prefix,
    decode: Decode<K, V>,
    position: Timestamp,
    batch: Option<Batch>,
    failed: bool,
}

/// The rows up to some commit.
struct Batch {
    rows: blaze_core::Changes,
    /// The first row of the next commit.
    ahead: Option<blaze_core::Change>,
    until: Timestamp,
}

impl<K, V> Changes<K, V> {
    /// The changes after `after`, which must all be there still.
    pub(crate) fn open(
        core: &Arc<Core>,
        definition: &Definition,
        name: &str,
        after: Timestamp,
        decode: Decode<K, V>,
    ) -> Result<Changes<K, V>> {
        let changes = Changes {
            core: Arc::clone(core),
            subject: format!("{} {name:?}", definition.kind),
            prefix: prefix(definition.id),
            decode,
            position: after,
            batch: None,
            failed: false,
        };
        changes.check()?;
        Ok(changes)
    }

    /// The cursor: everything up to here was answered. Going on after it, later or after a restart, nothing is lost and
    /// nothing comes twice.
    #[must_use]
    pub fn position(&self) -> Timestamp {
        self.position
    }

    /// The changes of the next commit, waiting for one if there is none; `None` when the time is up before. Writers never
    /// wait for it.
    ///
    /// # Errors
    /// [`FeedTruncated`](crate::ErrorKind::FeedTruncated) when changes after the position are gone;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the feed was switched off, or the collection dropped;
    /// [`Closed`](crate::ErrorKind::Closed), also when the database is closed meanwhile;
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<ChangeSet<K, V>>> {
        loop {
            if let Some(set) = self.next() {
                return set.map(Some);
            }
            if self.failed || !self.core.store.wait_for_changes(self.position, Some(self.prefix), timeout)? {
                return Ok(None);
            }
        }
    }

    fn check(&self) -> Result<()> {
        let marks = self.core.store.marks()?;
        marks.check_feed(Some(self.prefix), self.position).map_err(|error| error.context(&self.subject))
    }

    fn step(&mut self) -> Result<Option<ChangeSet<K, V>>> {
        let mut batch = match self.batch.take() {
            Some(batch) => batch,
            None => {
                let point = self.core.store.read_point()?;
                if point.ts() <= self.position {
                    return Ok(None);
                }
                self.check()?;
                let rows = self.core.store.changes(&point, self.position)?;
                Batch { rows, ahead: None, until: point.ts() }
            }
        };
        let rows = batch.next_commit(Some(self.prefix))?;
        let Some(ts) = rows.first().map(|row| row.ts) else {
            self.position = batch.until;
            return Ok(None);
        };
        let changes = rows.into_iter().map(&self.decode).collect::<Result<_>>()?;
        self.position = ts;
        self.batch = Some(batch);
        Ok(Some(ChangeSet { ts, changes }))
    }
}

impl Batch {
    /// The rows of the next commit that has some, of this prefix or of any; none at the end.
    fn next_commit(&mut self, prefix: Option<Prefix>) -> Result<Vec<blaze_core::Change>> {
        let mut commit = Vec::from_iter(self.ahead.take());
        for row in self.rows.by_ref() {
            let row = row?;
            if prefix.is_some_and(|prefix| !row.key.starts_with(&prefix)) {
                continue;
            }
            if commit.first().is_some_and(|first: &blaze_core::Change| first.ts != row.ts) {
                self.ahead = Some(row);
                break;
            }
            commit.push(row);
        }
        Ok(commit)
    }
}

impl<K, V> Iterator for Changes<K, V> {
    type Item = Result<ChangeSet<K, V>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let set = self.step();
        self.failed = set.is_err();
        set.transpose()
    }
}

impl<K, V> fmt::Debug for Changes<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("of", &self.subject).field("position", &self.position).finish_non_exhaustive()
    }
}

/// Reads a row, given how its keys and its values read.
pub(crate) fn read_change<K, V>(
    row: blaze_core::Change,
    key: impl Fn(&[u8]) -> Result<K>,
    value: impl Fn(&[u8], Vec<u8>) -> Result<V>,
) -> Result<Change<K, V>> {
    let blaze_core::Change { kind, key: bytes, before, after, .. } = row;
    let rest = bytes.get(4..).unwrap_or_default();
    let before = before.map(|bytes| value(rest, bytes)).transpose()?;
    Ok(match kind {
        ChangeKind::Put => {
            let after = after.map(|bytes| value(rest, bytes)).transpose()?;
            Change::Put { key: key(rest)?, before, after }
        }
        ChangeKind::DeleteRange(end) => {
            // An end that is not under the prefix is that of all keys.
            let end = end.filter(|end| end.get(..4) == bytes.get(..4)).map(|end| end[4..].to_vec());
            Change::RangeRemoved { start: rest.to_vec(), end }
        }
        _ => Change::Removed { key: key(rest)?, before },
    })
}
