//! Looking after a database: compactions under control, what takes space, what it does.

use std::sync::Arc;

use blaze_core::{Family, KeyRange, Result};
use blaze_lsm::DatabaseStats;

use super::Database;
use crate::catalog::{Definition, prefix};
use crate::collection::Collection;
use crate::database::core::{Core, Storage};
use crate::expiry::Entry;
use crate::index::IndexDefinition;
use crate::keyspace::Keyspace;
use crate::session::Session;

/// Keeps compactions from beginning by themselves until it is dropped.
#[derive(Debug)]
#[must_use = "compactions go on when the pause is dropped"]
pub struct CompactionPause(#[expect(dead_code, reason = "held for its end")] Option<blaze_lsm::CompactionPause>);

impl Database {
    /// What the database holds and does now. Cheap: it reads the names in the directory and some counters. All zero for
    /// a database in memory, but for `disk.total_bytes`, which then is what it takes in memory.
    ///
    /// With the feature `metrics` it also brings the gauges of the database up to date, so ask for it as often as they are
    /// collected.
    ///
    /// ```
    /// let db = blaze::Database::temporary()?;
    /// let stats = db.stats()?;
    /// assert!(stats.disk.total_bytes > 0 && !stats.compaction.writes_are_stopped);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable) when the directory cannot
    /// be read.
    pub fn stats(&self) -> Result<DatabaseStats> {
        let mut stats = match &self.core.storage {
            Storage::Directory { store, .. } => store.stats()?,
            Storage::Memory => {
                let mut stats = DatabaseStats::default();
                stats.disk.total_bytes = self.core.store.bytes_used()?;
                stats
            }
        };
        stats.retention.expired_values = self.core.retention.reaped();
        stats.retention.expired_documents = self.core.retention.reaped_documents();
        stats.vector_indexes = self.core.vectors.stats(&self.core)?;
        stats.text_indexes = self.core.texts.stats(&self.core)?;
        Ok(stats)
    }

    /// Keeps compactions from beginning by themselves until the guard is dropped; those that run end as they would.
    /// Meanwhile files pile up: reads slow down and space grows, commits are not slowed down. Several pauses last until
    /// the last one ends. [`compact`](Database::compact) still does what it is asked.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn pause_compaction(&self) -> Result<CompactionPause> {
        match &self.core.storage {
            Storage::Directory { store, .. } => Ok(CompactionPause(Some(store.pause_compaction()?))),
            Storage::Memory => Ok(CompactionPause(None)),
        }
    }
}

impl<T> Collection<T> {
    /// Rewrites the files of this collection and its indexes without what was overwritten or deleted, has each of its text
    /// indexes be one segment, and returns when that is done. It happens by itself, too.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped; [`Closed`](crate::ErrorKind::Closed);
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn compact(&self) -> Result<()> {
        self.scope.read(|session| {
            let (core, definition) = (session.core(), self.named.definition(session)?);
            core.check_writable()?;
            let texts = definition.indexes.iter().filter(|index| index.family() == Family::Text);
            core.texts.fold_all(core, &texts.map(|index| index.id).collect::<Vec<_>>(), true)?;
            compact(session, &definition)
        })
    }

    /// About how many bytes the collection takes with its indexes, in memory and on disk, compressed as it is there.
    /// What was overwritten or deleted counts until it is compacted away.
    ///
    /// # Errors
    /// As [`compact`](Collection::compact).
    pub fn bytes_used(&self) -> Result<u64> {
        self.scope.read(|session| bytes_used(session, &*self.named.definition(session)?))
    }
}

impl Keyspace {
    /// Rewrites the files of this keyspace without what was overwritten or deleted, and returns when that is done. It
    /// happens by itself, too. Does nothing for a database in memory.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the keyspace was dropped; [`Closed`](crate::ErrorKind::Closed);
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    pub fn compact(&self) -> Result<()> {
        self.scope.read(|session| compact(session, &*self.named.definition(session)?))
    }

    /// About how many bytes the keyspace takes, in memory and on disk, compressed as it is there. What was overwritten
    /// or deleted counts until it is compacted away.
    ///
    /// # Errors
    /// As [`compact`](Keyspace::compact).
    pub fn bytes_used(&self) -> Result<u64> {
        self.scope.read(|session| bytes_used(session, &*self.named.definition(session)?))
    }
}

/// Where something has its keys.
fn ranges(definition: &Definition) -> Vec<(Family, KeyRange)> {
    let own = [Family::Catalog, Family::Data].map(|family| (family, KeyRange::prefix(&prefix(definition.id))));
    let indexes = definition.indexes.iter().map(|index| (index.family(), KeyRange::prefix(&prefix(index.id))));
    let expiries = definition.expiring.then(|| (Family::Index, Entry::all(definition.id)));
    own.into_iter().chain(expiries).chain(indexes).collect()
}

fn compact(session: &Arc<Session>, definition: &Definition) -> Result<()> {
    let Storage::Directory { store, .. } = &session.core().storage else { return Ok(()) };
    // A range of keys that are still in memory only is not compacted.
    store.flush()?;
    ranges(definition).into_iter().try_for_each(|(family, range)| store.compact(family, &range))
}

fn bytes_used(session: &Arc<Session>, definition: &Definition) -> Result<u64> {
    bytes_in(session, ranges(definition))
}

/// About how many bytes an index takes.
pub(crate) fn index_bytes_used(session: &Session, index: &IndexDefinition) -> Result<u64> {
    bytes_in(session, vec![(index.family(), KeyRange::prefix(&prefix(index.id)))])
}

fn bytes_in(session: &Session, ranges: Vec<(Family, KeyRange)>) -> Result<u64> {
    let ranges = ranges.into_iter();
    match &session.core().storage {
        Storage::Directory { store, .. } => ranges.map(|(family, range)| store.approximate_bytes(family, &range)).sum(),
        Storage::Memory => ranges.map(|(family, range)| bytes_in_memory(session.core(), family, &range)).sum(),
    }
}

fn bytes_in_memory(core: &Core, family: Family, range: &KeyRange) -> Result<u64> {
    let mut cursor = core.store.read_point()?.cursor(family, range, blaze_core::Direction::Forward)?;
    let mut bytes = 0;
    while let Some((key, value)) = cursor.next()? {
        bytes += (key.len() + value.len()) as u64;
    }
    Ok(bytes)
}
