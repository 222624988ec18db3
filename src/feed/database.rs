//! The change feed of all collections and keyspaces at once.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use blaze_core::{Document, DocumentId, Prefix, Result, Timestamp, prefix_of};

use super::{Batch, Change, read_change};
use crate::catalog::{self, Definition, Dropped, Kind, prefix};
use crate::collection::Found;
use crate::database::core::Core;
use crate::expiry;
use crate::session::{CatalogVersion, Session};

/// One change of a database.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DatabaseChange {
    /// A document changed.
    Document {
        /// The collection.
        collection: Arc<str>,
        /// What changed.
        change: Change<DocumentId, Document>,
    },
    /// A key changed.
    Key {
        /// The keyspace.
        keyspace: Arc<str>,
        /// What changed.
        change: Change<Vec<u8>, Vec<u8>>,
    },
    /// A feed began with this commit: what the collection or keyspace had in it before is not told, and changes that came
    /// earlier may not be all. Who wants to know reads it at this commit or later. A collection that was
    /// [loaded in the place](crate::CollectionLoad::replace) of one with a feed begins its own.
    Begun {
        /// The collection or keyspace.
        name: Arc<str>,
    },
    /// A collection or keyspace was dropped, with all that was in it.
    Dropped {
        /// The name that it had. It may be another's by now.
        name: Arc<str>,
    },
}

/// The changes of one commit, in the order of its writes: they belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseChangeSet {
    /// The commit, and the cursor after which to go on.
    pub ts: Timestamp,
    /// The changes; at least one.
    pub changes: Vec<DatabaseChange>,
}

/// The changes of all collections and keyspaces that have a feed, commit by commit; see
/// [`Database::changes`](crate::Database::changes).
///
/// As an iterator it ends when there is nothing new; a later `next` or [`wait`](DatabaseChanges::wait) goes on with what has
/// come since. After an error it has ended for good.
pub struct DatabaseChanges {
    core: Arc<Core>,
    position: Timestamp,
    names: Arc<Names>,
    batch: Option<Ahead>,
    failed: bool,
}

/// What has a feed, or had one, by its prefix.
struct Names {
    version: Option<CatalogVersion>,
    by_prefix: HashMap<Prefix, Name>,
}

struct Name {
    name: Arc<str>,
    kind: Kind,
    /// True if its values say when they expire.
    expiring: bool,
    /// The commit that dropped it, if it is gone.
    dropped_at: Option<Timestamp>,
}

/// What comes next, up to some commit.
struct Ahead {
    batch: Batch,
    /// The rows of the next commit, if they were read already.
    rows: Vec<blaze_core::Change>,
    /// The feeds that began, by the commits with which they did.
    begun: BTreeMap<Timestamp, Vec<Arc<str>>>,
}

/// What a commit did.
struct Commit {
    ts: Timestamp,
    begun: Vec<Arc<str>>,
    rows: Vec<blaze_core::Change>,
}

impl DatabaseChanges {
    /// The changes after `after`, which must all be there still.
    pub(crate) fn open(core: &Arc<Core>, after: Timestamp) -> Result<DatabaseChanges> {
        let names = Arc::new(Names { version: None, by_prefix: HashMap::new() });
        let changes = DatabaseChanges { core: Arc::clone(core), position: after, names, batch: None, failed: false };
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
    /// wait for it. That a feed has begun wakes nobody: it is told before the next change.
    ///
    /// # Errors
    /// [`FeedTruncated`](crate::ErrorKind::FeedTruncated) when changes after the position are gone;
    /// [`Closed`](crate::ErrorKind::Closed), also when the database is closed meanwhile;
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<DatabaseChangeSet>> {
        loop {
            if let Some(set) = self.next() {
                return set.map(Some);
            }
            if self.failed || !self.core.store.wait_for_changes(self.position, None, timeout)? {
                return Ok(None);
            }
        }
    }

    fn check(&self) -> Result<()> {
        self.core.store.marks()?.check_feed(None, self.position)
    }

    fn step(&mut self) -> Result<Option<DatabaseChangeSet>> {
        let mut ahead = match self.batch.take() {
            Some(ahead) => ahead,
            None => match self.read_ahead()? {
                Some(ahead) => ahead,
                None => return Ok(None),
            },
        };
        while let Some(Commit { ts, begun, rows }) = ahead.next_commit()? {
            let begun = begun.into_iter().map(|name| Ok(Some(DatabaseChange::Begun { name })));
            let told = rows.into_iter().map(|row| self.tell(row));
            // What a row needs to be read goes when the feed does not reach back to it any more: then that is the error.
            let changes = begun.chain(told).filter_map(Result::transpose).collect::<Result<Vec<_>>>();
            let mut changes = changes.map_err(|error| self.check().err().unwrap_or(error))?;
            // What is put in the place of something begins after that has ended.
            changes.sort_by_key(|change| !matches!(change, DatabaseChange::Dropped { .. }));
            self.position = ts;
            if !changes.is_empty() {
                self.batch = Some(ahead);
                return Ok(Some(DatabaseChangeSet { ts, changes }));
            }
        }
        self.position = ahead.batch.until;
        Ok(None)
    }

    /// Opens the rows of all commits so far; none if there is nothing new.
    fn read_ahead(&mut self) -> Result<Option<Ahead>> {
        let point = self.core.store.read_point()?;
        let until = point.ts();
        if until <= self.position {
            return Ok(None);
        }
        let marks = self.core.store.marks()?; // not before the read point: what began up to there must be among them
        marks.check_feed(None, self.position)?;
        let rows = self.core.store.changes(&point, self.position)?;
        let session = Session::over(&self.core, point);
        if self.names.version != Some(session.catalog_version()) {
            self.names = Arc::new(Names::read(&session)?);
        }
        let mut begun = BTreeMap::<_, Vec<_>>::new();
        for (prefix, name) in &self.names.by_prefix {
            if let Some(from) = marks.feed_from(*prefix).filter(|from| (self.position.next()..=until).contains(from)) {
                begun.entry(from).or_default().push(Arc::clone(&name.name));
            }
        }
        begun.values_mut().for_each(|names| names.sort_unstable());
        Ok(Some(Ahead { batch: Batch { rows, ahead: None, until }, rows: Vec::new(), begun }))
    }

    /// Reads a row; none for what nobody knows any more.
    fn tell(&self, row: blaze_core::Change) -> Result<Option<DatabaseChange>> {
        let known = prefix_of(&row.key).and_then(|prefix| Some((prefix, self.names.by_prefix.get(&prefix)?)));
        let Some((prefix, known)) = known else { return Ok(None) };
        let name = Arc::clone(&known.name);
        if known.dropped_at == Some(row.ts) && matches!(row.kind, blaze_core::ChangeKind::DeleteRange(_)) {
            return Ok(Some(DatabaseChange::Dropped { name }));
        }
        Ok(match known.kind {
            Kind::Keyspace => {
                let value = |_: &[u8], stored: Vec<u8>| match known.expiring {
                    true => expiry::split(&stored).map(|(_, value)| value.to_vec()),
                    false => Ok(stored),
                };
                let change = read_change(row, |key| Ok(key.to_vec()), value)?;
                Some(DatabaseChange::Key { keyspace: name, change })
            }
            Kind::Collection => {
                let value = |id: &[u8], record: Vec<u8>| {
                    let id = DocumentId::read_key(id)?;
                    Ok(Found::decode_in(&self.core, u32::from_be_bytes(prefix), id, &record)?.value)
                };
                let change = read_change(row, DocumentId::read_key, value)?;
                Some(DatabaseChange::Document { collection: name, change })
            }
            Kind::Objects => None, // they have no feed
        })
    }
}

impl Names {
    fn read(session: &Session) -> Result<Names> {
        let dropped = Dropped::all(session)?.into_iter().map(|dropped| {
            let (name, dropped_at) = (dropped.name.into(), Some(dropped.dropped_at));
            (prefix(dropped.id), Name { name, kind: dropped.kind, expiring: dropped.expiring, dropped_at })
        });
        let alive = catalog::definitions(session)?.into_iter().map(|(name, definition)| {
            let Definition { id, kind, expiring, .. } = definition;
            (prefix(id), Name { name: name.into(), kind, expiring, dropped_at: None })
        });
        Ok(Names { version: Some(session.catalog_version()), by_prefix: dropped.chain(alive).collect() })
    }
}

impl Ahead {
    /// The next commit; none at the end.
    fn next_commit(&mut self) -> Result<Option<Commit>> {
        if self.rows.is_empty() {
            self.rows = self.batch.next_commit(None)?;
        }
        let of_rows = self.rows.first().map(|row| row.ts);
        let of_begun = self.begun.first_key_value().map(|(ts, _)| *ts);
        let Some(ts) = of_rows.into_iter().chain(of_begun).min() else { return Ok(None) };
        let rows = if of_rows == Some(ts) { mem::take(&mut self.rows) } else { Vec::new() };
        Ok(Some(Commit { ts, begun: self.begun.remove(&ts).unwrap_or_default(), rows }))
    }
}

impl Iterator for DatabaseChanges {
    type Item = Result<DatabaseChangeSet>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let set = self.step();
        self.failed = set.is_err();
        set.transpose()
    }
}

impl fmt::Debug for DatabaseChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseChanges").field("position", &self.position).finish_non_exhaustive()
    }
}
