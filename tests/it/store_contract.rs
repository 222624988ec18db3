//! What every store must do, run on both of them, and one compared with the other.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod commits;
mod conflicts;
mod model;
mod past;
mod reads;
mod record_cache;

use std::sync::Arc;

use blaze_core::{
    CommitRequest, Cursor, Direction, Durability, ErrorKind, Family, Isolation, KeyRange, ManualClock, MemStore,
    PointRead, RangeRead, ReadPoint, Result, Store, Timestamp, Write, counter,
};
use blaze_lsm::{LsmOptions, LsmStore};
use tempfile::TempDir;

/// Makes a test of each function for each store.
macro_rules! contracts {
    ($($name:ident,)*) => {
        mod mem_store {
            $(#[test] fn $name() { super::$name(&crate::store_contract::Fixture::mem()) })*
        }
        mod lsm_store {
            $(#[test] fn $name() { super::$name(&crate::store_contract::Fixture::lsm()) })*
        }
    };
}
use contracts;

/// A fresh store under a clock that the test moves.
struct Fixture {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    _directory: Option<TempDir>, // after the store
}

impl Fixture {
    fn mem() -> Fixture {
        let clock = Arc::new(ManualClock::at_ms(1_000_000));
        Fixture { store: Arc::new(MemStore::new(clock.clone())), clock, _directory: None }
    }

    fn lsm() -> Fixture {
        let clock = Arc::new(ManualClock::at_ms(1_000_000));
        let directory = tempfile::tempdir().unwrap();
        let store = LsmStore::open(directory.path(), LsmOptions::new(clock.clone())).unwrap();
        Fixture { store: Arc::new(store), clock, _directory: Some(directory) }
    }

    fn view(&self) -> Arc<dyn ReadPoint> {
        self.store.read_point().unwrap()
    }

    /// Commits writes that depend on nothing.
    fn write(&self, writes: Vec<Write>) -> Timestamp {
        self.store
            .commit(CommitRequest { writes, durability: Durability::Buffered, ..CommitRequest::default() })
            .unwrap()
    }

    /// Puts a value that is its key under each of `keys`.
    fn fill(&self, keys: &[&str]) {
        self.write(keys.iter().map(|key| put(key, key)).collect());
    }

    fn get(&self, key: &str) -> Option<String> {
        get(&*self.view(), key)
    }
}

fn put(key: &str, value: &str) -> Write {
    Write::put(Family::Data, key, value)
}

fn delete(key: &str) -> Write {
    Write::delete(Family::Data, key)
}

fn delete_range(start: &str, end: Option<&str>) -> Write {
    Write::DeleteRange { family: Family::Data, range: range(start, end) }
}

fn touch(key: &str) -> Write {
    Write::Touch { family: Family::Data, key: key.into() }
}

fn range(start: &str, end: Option<&str>) -> KeyRange {
    KeyRange::new(start, end.map(|end| end.as_bytes().to_vec()))
}

fn get(view: &dyn ReadPoint, key: &str) -> Option<String> {
    view.get(Family::Data, key.as_bytes()).unwrap().map(text)
}

/// The keys of a range, joined.
fn keys(view: &dyn ReadPoint, range: &KeyRange, direction: Direction) -> String {
    rest(&mut *view.cursor(Family::Data, range, direction).unwrap())
}

/// The keys that a cursor still has, joined.
fn rest(cursor: &mut dyn Cursor) -> String {
    let mut keys = Vec::new();
    while let Some((key, _)) = cursor.next().unwrap() {
        keys.push(text(key.to_vec()));
    }
    keys.join(" ")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A transaction in the making.
struct Transaction<'a> {
    fixture: &'a Fixture,
    view: Arc<dyn ReadPoint>,
    request: CommitRequest,
}

impl Fixture {
    fn begin(&self, isolation: Isolation) -> Transaction<'_> {
        let view = self.view();
        let request = CommitRequest { read_ts: view.ts(), isolation, ..CommitRequest::default() };
        Transaction { fixture: self, view, request: CommitRequest { durability: Durability::Buffered, ..request } }
    }
}

impl Transaction<'_> {
    fn read(mut self, key: &str) -> Self {
        self.request.reads.push(PointRead { family: Family::Data, key: key.into() });
        self
    }

    fn guard(mut self, key: &str) -> Self {
        self.request.guards.push(PointRead { family: Family::Data, key: key.into() });
        self
    }

    fn read_range(mut self, start: &str, end: Option<&str>) -> Self {
        self.request.ranges.push(RangeRead { family: Family::Data, range: range(start, end) });
        self
    }

    fn write(mut self, write: Write) -> Self {
        self.request.writes.push(write);
        self
    }

    fn commit(self) -> Result<Timestamp> {
        let result = self.fixture.store.commit(self.request);
        drop(self.view); // a request's read point lives until its commit returns
        result
    }
}

fn assert_conflict(result: Result<Timestamp>) {
    assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::Conflict));
}

fn assert_committed(result: Result<Timestamp>) {
    assert!(result.is_ok(), "refused: {result:?}");
}
