//! Groups, made on purpose: commits queue up while the turn to write is taken.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use blaze_core::{
    CommitRequest, Durability, ErrorKind, Family, Isolation, KeyRange, ManualClock, PointRead, RangeRead, Result,
    Store, Timestamp, Write,
};
use tempfile::TempDir;

use super::prepared::Prepared;
use super::publisher::{Outlet, Publisher};
use super::{LastBatch, Written};
use crate::{LsmOptions, LsmStore};

struct Fixture {
    store: LsmStore,
    _directory: TempDir, // after the store
}

impl Fixture {
    fn new() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let options = LsmOptions::new(Arc::new(ManualClock::at_ms(1_000)));
        Fixture { store: LsmStore::open(directory.path(), options).unwrap(), _directory: directory }
    }

    /// Commits requests as one group, whose order is theirs.
    fn commit_together(&self, requests: Vec<CommitRequest>) -> Vec<Result<Timestamp>> {
        let engine = self.store.engine().unwrap();
        let pipeline = &self.store.pipeline;
        thread::scope(|scope| {
            let mut committers = Vec::new();
            let queue_up = |_: &_| {
                for (before, request) in requests.into_iter().enumerate() {
                    committers.push(scope.spawn(|| self.store.commit(request)));
                    while pipeline.queue.len() <= before {
                        thread::yield_now();
                    }
                }
                Ok(())
            };
            pipeline.exclusively(&engine, queue_up).unwrap();
            committers.into_iter().map(|committer| committer.join().unwrap()).collect()
        })
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.store.read_point().unwrap().get(Family::Data, key.as_bytes()).unwrap()
    }
}

fn put(key: &str, value: &str) -> CommitRequest {
    CommitRequest { writes: vec![Write::put(Family::Data, key, value)], ..CommitRequest::default() }
}

fn kinds(outcomes: &[Result<Timestamp>]) -> Vec<Option<ErrorKind>> {
    outcomes.iter().map(|outcome| outcome.as_ref().err().map(|error| error.kind())).collect()
}

#[test]
fn a_group_takes_one_batch_and_one_sync() {
    let fixture = Fixture::new();
    let before = fixture.store.stats().unwrap().commits;
    let outcomes = fixture.commit_together((0..8).map(|n| put(&format!("{n}"), "value")).collect());
    let ts: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap()).collect();
    assert!(ts.is_sorted_by(|one, next| one < next), "each has a timestamp of its own: {ts:?}");
    let after = fixture.store.stats().unwrap().commits;
    assert_eq!((after.committed - before.committed, after.batches - before.batches), (8, 1));
    assert_eq!(after.syncs - before.syncs, 1);
    assert_eq!(fixture.store.read_point().unwrap().ts(), ts[7]);
}

#[test]
fn a_transaction_conflicts_with_one_before_it_in_its_group() {
    let fixture = Fixture::new();
    fixture.store.commit(put("a", "0")).unwrap();
    let view = fixture.store.read_point().unwrap();
    let reading = |key: &str, request: CommitRequest| CommitRequest {
        read_ts: view.ts(),
        reads: vec![PointRead { family: Family::Data, key: key.into() }],
        ..request
    };
    let scanning = CommitRequest {
        read_ts: view.ts(),
        ranges: vec![RangeRead { family: Family::Data, range: KeyRange::prefix(b"b") }],
        ..put("c", "3")
    };
    let snapshot = CommitRequest { read_ts: view.ts(), isolation: Isolation::Snapshot, ..put("a", "4") };
    let outcomes = fixture.commit_together(vec![
        reading("a", put("b1", "1")), // the first: nothing was written since
        reading("b1", put("a", "2")), // reads what the first writes
        scanning,                     // reads a range that the first writes to
        put("a", "5"),                // blind
        snapshot,                     // writes what the one before it writes
        reading("absent", put("d", "6")),
    ]);
    let conflict = Some(ErrorKind::Conflict);
    assert_eq!(kinds(&outcomes), [None, conflict, conflict, None, conflict, None]);
    assert_eq!((fixture.get("a").as_deref(), fixture.get("c")), (Some(b"5".as_slice()), None));
    assert_eq!(fixture.store.stats().unwrap().commits.refused, 3);
}

#[test]
fn a_commit_that_is_not_admitted_in_time_leaves_nothing() {
    let fixture = Fixture::new();
    let engine = fixture.store.engine().unwrap();
    let late = |timeout_ms| CommitRequest { timeout: Some(Duration::from_millis(timeout_ms)), ..put("late", "1") };
    let refused = |_: &_| {
        for timeout_ms in [0, 20] {
            let committer = || fixture.store.commit(late(timeout_ms));
            let outcome = thread::scope(|scope| scope.spawn(committer).join().unwrap());
            assert_eq!(kinds(&[outcome]), [Some(ErrorKind::Unavailable)]);
        }
        Ok(())
    };
    fixture.store.pipeline.exclusively(&engine, refused).unwrap();
    assert_eq!(fixture.get("late"), None);
    fixture.store.commit(late(10_000)).unwrap();
    assert_eq!(fixture.get("late").as_deref(), Some(b"1".as_slice()));
}

#[test]
fn commits_that_wait_when_the_store_closes_are_told_so() {
    let fixture = Fixture::new();
    let engine = fixture.store.engine().unwrap();
    let pipeline = &fixture.store.pipeline;
    thread::scope(|scope| {
        let mut committer = None;
        let close = |_: &_| {
            committer = Some(scope.spawn(|| fixture.store.commit(put("late", "1"))));
            while pipeline.queue.is_empty() {
                thread::yield_now();
            }
            Ok(())
        };
        pipeline.exclusively(&engine, close).unwrap();
        drop(engine);
        fixture.store.close().unwrap();
        // It was written before the store closed, or it was not written.
        let outcome = committer.unwrap().join().unwrap();
        assert!(outcome.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Closed), "{outcome:?}");
    });
}

#[test]
fn a_commit_synced_within_an_interval_is_synced_without_another() {
    let fixture = Fixture::new();
    let syncs = || fixture.store.stats().unwrap().commits.syncs;
    let before = syncs();
    let durability = Durability::Interval(Duration::from_millis(1));
    fixture.store.commit(CommitRequest { durability, ..put("a", "1") }).unwrap();
    while syncs() == before {
        thread::yield_now();
    }
}

/// Counts what is published; no sync succeeds.
#[derive(Default)]
struct Published(AtomicUsize);

impl Outlet<u32> for Published {
    fn sync(&self) -> bool {
        false
    }

    fn publish(&self, groups: impl Iterator<Item = u32>) {
        self.0.fetch_add(groups.count(), Ordering::Relaxed);
    }
}

#[test]
fn a_group_that_wants_no_sync_is_published_even_after_a_failed_one() {
    // It is in RocksDB by then, and readers cannot go on with the view before it.
    let (publisher, outlet) = (Publisher::new(Timestamp::ZERO), Published::default());
    assert_eq!(publisher.submit(Timestamp::from_bits(1), false, 1, &outlet), None);
    assert!(publisher.sync(&outlet).is_err());
    assert_eq!(publisher.submit(Timestamp::from_bits(2), false, 2, &outlet), None);
    assert_eq!(outlet.0.load(Ordering::Relaxed), 2);
}

#[test]
fn closing_lets_go_of_views_that_were_never_published() {
    let fixture = Fixture::new();
    let engine = fixture.store.engine().unwrap();
    let pipeline = &fixture.store.pipeline;
    let mut writer = pipeline.writer.lock();
    for key in ["a", "b"] {
        let request = CommitRequest { durability: Durability::Sync, ..put(key, "1") };
        let prepared = Prepared::new(request, &pipeline.families);
        let turn = writer.write(&engine, &pipeline.publisher, vec![prepared]);
        let LastBatch { published, view, needs_sync } = turn.last.unwrap();
        assert!(view.is_some());
        let written = Written { published, view, fed: turn.fed, group: None };
        let pending = pipeline.publisher.submit(published.head.ts, needs_sync, written, &pipeline.outlet(&engine));
        assert!(pending.is_some());
    }
    drop(writer);
    engine.write(b"no batch").unwrap_err(); // from now on nothing is synced
    drop(engine);
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let _ = fixture.store.close();
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(60)).expect("closing hangs");
}

#[test]
fn files_are_discarded_only_once_the_commit_that_let_go_of_them_is_durable() {
    let fixture = Fixture::new();
    let syncs = || fixture.store.stats().unwrap().commits.syncs;
    let kept = fixture.store.commit(put("abcd", "1")).unwrap();
    fixture.store.sync().unwrap();
    let before = syncs();
    let discard = |since| fixture.store.discard(Family::Data, &KeyRange::prefix(b"abcd"), since).unwrap();
    assert!(discard(kept));
    assert_eq!(syncs(), before, "it was durable already");
    let let_go = fixture.store.commit(put("name", "another")).unwrap();
    assert!(discard(let_go) && discard(let_go));
    assert_eq!(syncs(), before + 1);
}
