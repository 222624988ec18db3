//! The model of a [`Store`]: every version of every key, in memory. See [`MemStore`].

mod read;
mod trail;
mod versions;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use self::read::MemReadPoint;
use self::trail::Trail;
use self::versions::Versions;
use crate::clock::{Clock, HybridClock, Timestamp};
use crate::error::{Error, Result};
use crate::store::{
    ChangeSignal, Changes, CommitRequest, Direction, Family, Isolation, KeyRange, Marks, Prefix, ReadPoint, Store,
    Versions as KeyVersions, Write, counter, prefix_of,
};

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
    signal: ChangeSignal,
}

/// What a store shares with its read points and cursors; empty once it is closed.
#[derive(Debug)]
struct Shared(RwLock<Option<State>>, Views);

/// The read points that anybody holds: how many there are of each commit.
#[derive(Debug, Default)]
struct Views(Mutex<BTreeMap<Timestamp, usize>>);

#[derive(Debug, Default)]
struct State {
    families: [Versions; Family::ALL.len()],
    commits: HybridClock,
    /// The last commit that wrote to the catalog.
    catalog_ts: Timestamp,
    trail: Trail,
}

impl MemStore {
    /// An empty store whose commit timestamps follow `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> MemStore {
        MemStore {
            clock,
            shared: Arc::new(Shared(RwLock::new(Some(State::default())), Views::default())),
            signal: ChangeSignal::default(),
        }
    }
}

impl Store for MemStore {
    fn read_point(&self) -> Result<Arc<dyn ReadPoint>> {
        let guard = self.shared.read();
        let state = open(&guard)?;
        Ok(Arc::new(MemReadPoint::new(Arc::clone(&self.shared), state.commits.last(), state.catalog_ts)))
    }

    fn oldest_view(&self) -> Result<Option<Timestamp>> {
        let published = open(&self.shared.read())?.commits.last(); // first: views that come after are not older
        Ok(Some(self.shared.1.oldest().map_or(published, |oldest| oldest.min(published))))
    }

    fn commit(&self, mut request: CommitRequest) -> Result<Timestamp> {
        let mut guard = self.shared.write();
        let state = guard.as_mut().ok_or_else(closed)?;
        request.writes.iter().try_for_each(Write::validate)?;
        if request.is_empty() {
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
        let hook = request.hook.take();
        let fed = state.apply_all(request, ts);
        if let Some(hook) = hook {
            hook.committed(ts); // nobody can read before the lock is released
        }
        drop(guard);
        self.signal.announce(ts, &fed);
        Ok(ts)
    }

    fn read_point_at(&self, ts: Timestamp) -> Result<Arc<dyn ReadPoint>> {
        let guard = self.shared.read();
        let state = open(&guard)?;
        let now = MemReadPoint::new(Arc::clone(&self.shared), state.commits.last(), state.catalog_ts);
        Ok(Arc::new(now.into_past(ts, Arc::clone(&state.trail.marks))))
    }

    fn versions(&self, point: &Arc<dyn ReadPoint>, key: &[u8]) -> Result<KeyVersions> {
        let guard = self.shared.read();
        let state = open(&guard)?;
        let (prefix, marks) = (prefix_of(key), &state.trail.marks);
        marks.check_history(prefix, point.ts())?;
        let floor = prefix.and_then(|prefix| marks.history_from(prefix)).unwrap_or_default();
        Ok(Box::new(state.versions(key, point.ts(), floor).into_iter().map(Ok)))
    }

    fn changes(&self, point: &Arc<dyn ReadPoint>, after: Timestamp) -> Result<Changes> {
        // Whether the point is one of the past, it says itself; not under the lock, which it takes, too.
        point.cursor(Family::Feed, &KeyRange::all(), Direction::Forward)?;
        let guard = self.shared.read();
        let state = open(&guard)?;
        state.trail.marks.check_feed(None, after)?;
        Ok(Box::new(state.trail.changes(after, point.ts()).into_iter().map(Ok)))
    }

    fn wait_for_changes(&self, after: Timestamp, prefix: Option<Prefix>, timeout: Duration) -> Result<bool> {
        self.signal.wait(after, prefix, timeout)
    }

    fn marks(&self) -> Result<Arc<Marks>> {
        Ok(Arc::clone(&open(&self.shared.read())?.trail.marks))
    }

    fn feed_within(&self, bytes: u64) -> Result<Timestamp> {
        Ok(open(&self.shared.read())?.trail.within(bytes))
    }

    fn sync(&self) -> Result<()> {
        open(&self.shared.read()).map(drop)
    }

    fn bytes_used(&self) -> Result<u64> {
        Ok(open(&self.shared.read())?.families.iter().map(Versions::bytes).sum())
    }

    fn close(&self) -> Result<()> {
        *self.shared.write() = None;
        self.signal.close();
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

impl Views {
    fn enter(&self, ts: Timestamp) {
        *self.lock().entry(ts).or_default() += 1;
    }

    fn leave(&self, ts: Timestamp) {
        let mut views = self.lock();
        if let Some(count) = views.get_mut(&ts) {
            *count -= 1;
            if *count == 0 {
                views.remove(&ts);
            }
        }
    }

    fn oldest(&self) -> Option<Timestamp> {
        self.lock().keys().next().copied()
    }

    // As above.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Timestamp, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
                Write::Add { .. } | Write::Touch { .. } => Ok(()),
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
            Write::Touch { family, key } => self.families[family as usize].touch(key, ts),
        }
    }
}

fn open(state: &Option<State>) -> Result<&State> {
    state.as_ref().ok_or_else(closed)
}

fn closed() -> Error {
    Error::closed("the database is closed")
}
