//! The model of a [`Store`]: every version of every key, in memory. See [`MemStore`].

mod read;
mod versions;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::read::MemReadPoint;
use self::versions::Versions;
use crate::clock::{Clock, HybridClock, Timestamp};
use crate::error::{Error, Result};
use crate::store::{CommitRequest, Family, Isolation, KeyRange, ReadPoint, Store, Write, counter};

/// A store in memory that keeps every version of every key.
///
/// It is the model that other stores are compared with: it refuses exactly the commits that must be refused, because
/// it looks at the versions themselves. It never forgets one, so its memory grows with every write until it is closed;
/// that suits tests and small temporary databases.
///
/// ```
/// use std::sync::Arc;
/// use blaze_core::{CommitRequest, Family, ManualClock, MemStore, Store, Write};
///
/// # fn main() -> blaze_core::Result<()> {
/// let store = MemStore::new(Arc::new(ManualClock::at_ms(1)));
/// let before = store.read_point()?;
/// store.commit(CommitRequest { writes: vec![Write::put(Family::Data, *b"k", *b"v")], ..CommitRequest::default() })?;
/// assert_eq!(before.get(Family::Data, b"k")?, None);
/// assert_eq!(store.read_point()?.get(Family::Data, b"k")?.as_deref(), Some(b"v".as_slice()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemStore {
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

/// What a store shares with its read points and cursors; empty once it is closed.
#[derive(Debug)]
struct Shared(RwLock<Option<State>>);

#[derive(Debug, Default)]
struct State {
    families: [Versions; Family::ALL.len()],
    commits: HybridClock,
    /// The last commit that wrote to the catalog.
    catalog_ts: Timestamp,
}

impl MemStore {
    /// An empty store whose commit timestamps follow `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> MemStore {
        MemStore { clock, shared: Arc::new(Shared(RwLock::new(Some(State::default())))) }
    }
}

impl Store for MemStore {
    fn read_point(&self) -> Result<Arc<dyn ReadPoint>> {
        let guard = self.shared.read();
        let state = open(&guard)?;
        Ok(Arc::new(MemReadPoint::new(Arc::clone(&self.shared), state.commits.last(), state.catalog_ts)))
    }

    fn commit(&self, mut request: CommitRequest) -> Result<Timestamp> {
        let mut guard = self.shared.write();
        let state = guard.as_mut().ok_or_else(closed)?;
        request.writes.iter().try_for_each(Write::validate)?;
        if request.writes.is_empty() {
            return Ok(request.read_ts);
        }
        state.validate(&request)?;
        let newest =
            |family: Family, key: &[u8]| Ok(state.family(family).get(key, Timestamp::MAX).map(|value| value.to_vec()));
        counter::resolve(&mut request.writes, newest)?;
        let ts = state.commits.tick(&*self.clock);
        if request.writes.iter().any(|write| write.family() == Family::Catalog) {
            state.catalog_ts = ts;
        }
        for write in request.writes {
            state.apply(write, ts);
        }
        Ok(ts)
    }

    fn sync(&self) -> Result<()> {
        open(&self.shared.read()).map(drop)
    }

    fn bytes_used(&self) -> Result<u64> {
        Ok(open(&self.shared.read())?.families.iter().map(Versions::bytes).sum())
    }

    fn close(&self) -> Result<()> {
        *self.shared.write() = None;
        Ok(())
    }
}

impl Shared {
    // A panic under the lock can only come from a failed allocation: the state is as good as before.
    fn read(&self) -> RwLockReadGuard<'_, Option<State>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<State>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn family(&self, family: Family) -> &Versions {
        &self.families[family as usize]
    }

    fn validate(&self, request: &CommitRequest) -> Result<()> {
        let unchanged = |family, key: &[u8], last_change| match last_change > request.read_ts {
            true => Err(Error::conflict_over(family, key, request.read_ts)),
            false => Ok(()),
        };
        let point = |family, key: &[u8]| unchanged(family, key, self.family(family).last_change(key));
        let range =
            |family, range: &KeyRange| unchanged(family, range.start(), self.family(family).last_change_in(range));

        request.guards.iter().try_for_each(|guard| point(guard.family, &guard.key))?;
        match request.isolation {
            Isolation::Serializable => {
                request.reads.iter().try_for_each(|read| point(read.family, &read.key))?;
                request.ranges.iter().try_for_each(|read| range(read.family, &read.range))
            }
            Isolation::Snapshot => request.writes.iter().try_for_each(|write| match write {
                Write::Put { family, key, .. } | Write::Delete { family, key } => point(*family, key),
                Write::Add { .. } => Ok(()),
                Write::DeleteRange { family, range: keys } => range(*family, keys),
            }),
        }
    }

    fn apply(&mut self, write: Write, ts: Timestamp) {
        match write {
            Write::Put { family, key, mut value, stamp_at } => {
                if let Some(at) = stamp_at {
                    value[at..at + 8].copy_from_slice(&ts.to_bits().to_be_bytes());
                }
                self.families[family as usize].set(key, ts, Some(value.into()));
            }
            Write::Delete { family, key } => self.families[family as usize].set(key, ts, None),
            Write::Add { .. } => {} // a put by now
            Write::DeleteRange { family, range } => self.families[family as usize].delete_range(&range, ts),
        }
    }
}

fn open(state: &Option<State>) -> Result<&State> {
    state.as_ref().ok_or_else(closed)
}

fn closed() -> Error {
    Error::closed("the database is closed")
}
