//! The hand-over of the commit pipeline and the protocol of the record cache, with every lock and every wait replaced by one that tries out the orders in
//! which threads can take their steps.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

#[expect(dead_code, unreachable_pub, reason = "what the crate asks of it besides")]
#[path = "../src/cache.rs"]
mod cache;
#[expect(dead_code, reason = "what the crate asks of it besides")]
#[path = "../src/commit/publisher.rs"]
mod publisher;
#[expect(dead_code, reason = "what the crate asks of it besides")]
#[path = "../src/commit/queue.rs"]
mod queue;

/// What `src/sync.rs` is in the crate.
mod sync {
    pub(crate) use shuttle::sync::MutexGuard;
    pub(crate) use shuttle::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use shuttle::thread::yield_now;

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    #[derive(Debug)]
    pub(crate) struct Condvar(shuttle::sync::Condvar);

    impl Condvar {
        pub(crate) fn new() -> Condvar {
            Condvar(shuttle::sync::Condvar::new())
        }

        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(guard).unwrap()
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}

use std::sync::Arc;

use blaze_core::{Family, KeyRange, Timestamp, Write};
use cache::RecordCache;
use publisher::{Outlet, Publisher};
use queue::{Group, Queue};
use shuttle::thread;
use sync::Mutex;

const RUNS: usize = 5_000;

/// A request: whether a sync is asked for.
#[derive(Clone, Copy, Debug)]
struct Request {
    needs_sync: bool,
}

/// A store that is nothing but its pipeline, put together as the crate does it.
struct Pipeline {
    queue: Queue<Request, Option<u64>>,
    /// The last timestamp that was given out, in the place of the log.
    writer: Mutex<u64>,
    publisher: Publisher<Written>,
    surroundings: Surroundings,
}

struct Written {
    last: u64,
    group: Arc<Group<Option<u64>>>,
    outcomes: Vec<Option<u64>>,
}

/// What is beyond the pipeline: the disk and the readers.
struct Surroundings {
    written: Mutex<u64>,
    durable: Mutex<u64>,
    visible: Mutex<u64>,
    syncs: Mutex<u64>,
    /// The sync that fails, counted from 1.
    failing_sync: Option<u64>,
}

impl Pipeline {
    fn new(failing_sync: Option<u64>) -> Arc<Pipeline> {
        let zero = || Mutex::new(0);
        let surroundings =
            Surroundings { written: zero(), durable: zero(), visible: zero(), syncs: zero(), failing_sync };
        Arc::new(Pipeline {
            queue: Queue::new(),
            writer: Mutex::new(0),
            publisher: Publisher::new(Timestamp::ZERO),
            surroundings,
        })
    }

    /// The timestamp of the commit; none if its outcome is unknown.
    fn commit(&self, request: Request) -> Option<u64> {
        let place = self.queue.join(request, 1);
        if let Some(group) = place.led() {
            self.lead(group);
        }
        place.wait(2).unwrap()
    }

    fn lead(&self, group: &Arc<Group<Option<u64>>>) {
        let mut writer = self.writer.lock();
        if self.queue.bytes() < 3 {
            self.publisher.wait_for_sync();
        }
        let requests = self.queue.close();
        let outcomes: Vec<_> = requests.iter().zip(*writer + 1..).map(|(_, ts)| Some(ts)).collect();
        *writer += requests.len() as u64;
        *self.surroundings.written.lock() = *writer;
        let needs_sync = requests.iter().any(|request| request.needs_sync);
        let count = outcomes.len();
        let (last, group_of_all) = (*writer, Arc::clone(group));
        let written = Written { last, group: group_of_all, outcomes };
        let ts = Timestamp::from_bits(last);
        let pending = self.publisher.submit(ts, needs_sync, written, &self.surroundings);
        drop(writer);
        if pending.is_some_and(|number| self.publisher.wait(number, &self.surroundings).is_err()) {
            group.complete(vec![None; count]);
        }
    }
}

impl Outlet<Written> for Surroundings {
    fn sync(&self) -> bool {
        let reached = *self.written.lock();
        thread::yield_now(); // others write meanwhile
        let mut syncs = self.syncs.lock();
        *syncs += 1;
        if self.failing_sync == Some(*syncs) {
            return false;
        }
        *self.durable.lock() = reached;
        true
    }

    fn publish(&self, groups: impl Iterator<Item = Written>) {
        for written in groups {
            let mut visible = self.visible.lock();
            assert!(*visible < written.last, "{} is published after {visible}", written.last);
            *visible = written.last;
            drop(visible);
            written.group.complete(written.outcomes);
        }
    }
}

/// Each of some threads commits `commits` times; answers what they were told.
fn run(pipeline: &Arc<Pipeline>, threads: u64, commits: usize, needs_sync: fn(u64) -> bool) -> Vec<Option<u64>> {
    let committers: Vec<_> = (0..threads)
        .map(|thread| {
            let pipeline = Arc::clone(pipeline);
            thread::spawn(move || {
                let request = Request { needs_sync: needs_sync(thread) };
                (0..commits).map(|_| commit_and_look(&pipeline, request)).collect::<Vec<_>>()
            })
        })
        .collect();
    committers.into_iter().flat_map(|committer| committer.join().unwrap()).collect()
}

fn commit_and_look(pipeline: &Pipeline, request: Request) -> Option<u64> {
    let ts = pipeline.commit(request)?;
    assert!(*pipeline.surroundings.visible.lock() >= ts, "{request:?} returned before {ts} was visible");
    let durable = *pipeline.surroundings.durable.lock();
    assert!(!request.needs_sync || durable >= ts, "{request:?} returned before {ts} was durable");
    Some(ts)
}

#[test]
fn every_commit_returns_once_visible_and_as_durable_as_asked() {
    shuttle::check_random(
        || {
            let pipeline = Pipeline::new(None);
            let mut told = run(&pipeline, 3, 2, |thread| thread != 1);
            told.sort_unstable();
            assert_eq!(told, (1..=6).map(Some).collect::<Vec<_>>(), "each has a timestamp of its own");
            assert!(*pipeline.surroundings.syncs.lock() <= 4, "more syncs than commits that ask for one");
        },
        RUNS,
    );
}

#[test]
fn rare_orders_of_steps_are_tried_too() {
    shuttle::check_pct(
        || {
            let pipeline = Pipeline::new(None);
            assert!(run(&pipeline, 4, 1, |thread| thread % 2 == 0).iter().all(Option::is_some));
        },
        RUNS,
        4,
    );
}

#[test]
fn after_a_failed_sync_nothing_more_becomes_visible_and_nobody_waits_for_ever() {
    shuttle::check_random(
        || {
            let pipeline = Pipeline::new(Some(2));
            let told = run(&pipeline, 3, 2, |_| true);
            let (durable, visible) = (*pipeline.surroundings.durable.lock(), *pipeline.surroundings.visible.lock());
            assert!(visible <= durable, "{visible} is visible, {durable} durable");
            assert!(told.iter().flatten().all(|ts| *ts <= visible), "{told:?}, and {visible} is visible");
        },
        RUNS,
    );
}

#[test]
fn a_sync_covers_what_was_committed_before_it() {
    shuttle::check_random(
        || {
            let pipeline = Pipeline::new(None);
            let committer = {
                let pipeline = Arc::clone(&pipeline);
                thread::spawn(move || commit_and_look(&pipeline, Request { needs_sync: true }))
            };
            let ts = commit_and_look(&pipeline, Request { needs_sync: false }).unwrap();
            pipeline.publisher.sync(&pipeline.surroundings).unwrap();
            assert!(*pipeline.surroundings.durable.lock() >= ts);
            committer.join().unwrap();
        },
        RUNS,
    );
}

/// One key whose value is always the timestamp of the last commit, or absent if that removed the range it is in.
struct CachedKey {
    cache: RecordCache,
    /// The last timestamp that was given out; held while a commit is made.
    writer: Mutex<u64>,
    published: Mutex<u64>,
}

/// The commit of `ts` removes the key.
fn removes(ts: u64) -> bool {
    ts.is_multiple_of(3)
}

impl CachedKey {
    const KEY: &[u8] = b"0000key";

    fn commit(&self) {
        let mut writer = self.writer.lock();
        *writer += 1;
        let (ts, value) = (Timestamp::from_bits(*writer), writer.to_be_bytes());
        let all = || KeyRange::prefix(b"0000");
        let write = match removes(*writer) {
            true => Write::DeleteRange { family: Family::Data, range: all() },
            false => Write::put(Family::Data, Self::KEY, value),
        };
        self.cache.apply(&[write], ts);
        thread::yield_now(); // it is written to the log here
        *self.published.lock() = *writer;
    }

    /// Reads at a read point that may be old by the time that it is used.
    fn read(&self) {
        let at = *self.published.lock();
        let ts = Timestamp::from_bits(at);
        thread::yield_now();
        match self.cache.get(Self::KEY, ts) {
            Some(value) => {
                assert!(!removes(at), "a hit at {at}, where there is nothing");
                assert_eq!(value.bytes(), at.to_be_bytes(), "a hit at {at}");
            }
            None if !removes(at) && at > 0 => {
                thread::yield_now(); // it is read from the database here
                self.cache.offer(Self::KEY, &at.to_be_bytes(), ts);
            }
            None => {}
        }
    }
}

#[test]
fn the_record_cache_never_answers_with_a_stale_or_a_future_value() {
    shuttle::check_random(
        || {
            let key = Arc::new(CachedKey {
                cache: RecordCache::new(64 * 1024),
                writer: Mutex::new(0),
                published: Mutex::new(0),
            });
            let work = |steps: usize, step: fn(&CachedKey)| {
                let key = Arc::clone(&key);
                thread::spawn(move || (0..steps).for_each(|_| step(&key)))
            };
            let threads = [work(4, CachedKey::commit), work(4, CachedKey::read), work(4, CachedKey::read)];
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        },
        RUNS,
    );
}
