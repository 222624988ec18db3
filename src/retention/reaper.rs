//! Removing values and documents whose time has come, by ordinary commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Direction, Durability, Family, Isolation, KeyRange, Result};

use crate::catalog::{self, Kind, prefixed};
use crate::database::core::Core;
use crate::expiry::{self, Entry};
use crate::session::{Session, commit_alone};

/// Bytes of values that one transaction removes, about: a history or a feed keeps them, in the same commit.
pub(super) const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Entries that one transaction looks at.
pub(super) const BATCH_ENTRIES_MAX: u64 = 256;

/// Where, by the numbers of keyspaces and indexes, removals go on that were cut short: the first key of the index. What is
/// before it was removed, and walking over that again and again would take longer and longer.
pub(super) type Positions = BTreeMap<u32, Vec<u8>>;

/// Removes what has expired in one keyspace after another, with so many entries at most.
pub(super) struct Reaper<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) positions: &'a mut Positions,
    /// What expires up to here goes.
    pub(super) until_ms: u64,
    pub(super) entries_left: u64,
    /// When what is left expires first.
    pub(super) next_ms: Option<u64>,
    /// Values that were removed.
    pub(super) reaped: u64,
    /// Documents that were removed.
    pub(super) reaped_documents: u64,
}

/// What one transaction has done.
#[derive(Default)]
struct Batch {
    entries: u64,
    reaped: u64,
    /// Of the values that were removed.
    bytes: usize,
    /// The key of the last entry; none if there was none.
    last: Option<Vec<u8>>,
}

impl<'a> Reaper<'a> {
    pub(super) fn new(
        core: &'a Arc<Core>,
        positions: &'a mut Positions,
        until_ms: u64,
        entries_max: u64,
    ) -> Reaper<'a> {
        Reaper { core, positions, until_ms, entries_left: entries_max, next_ms: None, reaped: 0, reaped_documents: 0 }
    }

    /// Removes what has expired in the keyspace `name`. Whoever is interrupted can begin again.
    pub(super) fn reap(&mut self, name: &str, id: u32) -> Result<()> {
        let mut from = self.positions.remove(&id).unwrap_or_else(|| Entry::all(id).start().to_vec());
        loop {
            let first_ms = first_expiry(self.core, id, &from)?;
            let is_due = first_ms.is_some_and(|first_ms| first_ms <= self.until_ms);
            if !is_due || self.entries_left == 0 {
                self.next_ms = [self.next_ms, first_ms].into_iter().flatten().min();
                if is_due {
                    self.positions.insert(id, from);
                }
                return Ok(());
            }
            let range = KeyRange::new(from.clone(), Some(prefixed(id, &self.until_ms.saturating_add(1).to_be_bytes())));
            let entries_max = self.entries_left.min(BATCH_ENTRIES_MAX);
            // What decides is written: a value that is replaced meanwhile, or an entry that is made again, is a conflict
            // under snapshot isolation, too, and a key that is written all the time holds nothing up.
            let batch = commit_alone(self.core, Isolation::Snapshot, Durability::Buffered, |session| {
                reap_batch(session, name, id, &range, entries_max)
            })?;
            fault::reached(Point::ValuesRemoved);
            self.reaped += batch.reaped;
            self.entries_left -= batch.entries;
            let Some(last) = batch.last else { return Ok(()) }; // the keyspace was dropped meanwhile
            from = [last.as_slice(), &[0]].concat();
        }
    }
}

/// When the first entry is due that a keyspace has at or behind a key of the index.
fn first_expiry(core: &Arc<Core>, id: u32, from: &[u8]) -> Result<Option<u64>> {
    let range = KeyRange::new(from.to_vec(), Entry::all(id).end().map(<[u8]>::to_vec));
    let session = Session::read_only(core)?;
    let mut cursor = session.cursor(Family::Index, &range, Direction::Forward)?;
    let first = cursor.next()?;
    // What cannot be read is due: it is removed.
    Ok(first.map(|(key, _)| Entry::read(key.get(4..).unwrap_or_default()).map_or(0, |entry| entry.expiry_ms)))
}

/// Removes the first entries of a range, and the values that they are of: not those that expire at another time by now.
fn reap_batch(session: &Session, name: &str, id: u32, due: &KeyRange, entries_max: u64) -> Result<Batch> {
    let found = catalog::find(session, name, Kind::Keyspace)?;
    let mut batch = Batch::default();
    if found.is_none_or(|definition| definition.id != id) {
        return Ok(batch);
    }
    let mut cursor = session.cursor(Family::Index, due, Direction::Forward)?;
    while batch.entries < entries_max
        && batch.bytes < BATCH_BYTES_MAX
        && let Some((index_key, _)) = cursor.next()?
    {
        batch.entries += 1;
        if let Ok(entry) = Entry::read(index_key.get(4..).unwrap_or_default()) {
            let key = prefixed(id, entry.key);
            if let Some((expiry_ms, bytes)) = expiry_at(session, &key)?
                && expiry_ms == entry.expiry_ms
            {
                session.delete(Family::Data, key)?;
                batch.reaped += 1;
                batch.bytes += bytes;
            }
        }
        session.delete(Family::Index, index_key.to_vec())?;
        batch.last = Some(index_key.to_vec());
    }
    Ok(batch)
}

/// When the value of a key expires, if there is one, and how many bytes it takes. Of a damaged one that is not known: it is
/// left to be found.
fn expiry_at(session: &Session, key: &[u8]) -> Result<Option<(u64, usize)>> {
    let mut found = None;
    session.visit(Family::Data, key, &mut |stored| {
        found = expiry::expiry_of(stored).unwrap_or_default().map(|expiry_ms| (expiry_ms, stored.len()));
        Ok(())
    })?;
    Ok(found)
}
