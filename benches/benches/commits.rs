//! What the validation of a commit costs, by how much the transaction has read and by how much others have written since:
//! one small write without a sync, over RocksDB and in memory.

#![expect(clippy::expect_used, reason = "a benchmark whose work fails has nothing to tell")]

use std::path::Path;
use std::sync::Arc;

use blaze::SystemClock;
use blaze_core::{
    CommitRequest, Durability, Family, KeyRange, MemStore, PointRead, RangeRead, ReadPoint, Store, Timestamp, Write,
};
use blaze_lsm::{LsmOptions, LsmStore};
use criterion::{BatchSize, BenchmarkId, Criterion};

/// Keys that transactions of others have written since the oldest open one began, besides the last of them.
const REMEMBERED: [usize; 2] = [0, 10_000];
const POINTS: [usize; 4] = [0, 10, 100, 1_000];
const RANGES: [usize; 3] = [0, 10, 100];
/// Stores keep what is written while someone reads: after so many commits a new one takes over.
const COMMITS_PER_STORE: usize = 20_000;

/// Opens the store with this number.
type Open<'a> = dyn Fn(usize) -> Arc<dyn Store> + 'a;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let directory = tempfile::tempdir().expect("there is room for temporary files");
    let on_disk = |number: usize| open(&directory.path().join(number.to_string()));
    let in_memory = |_| -> Arc<dyn Store> { Arc::new(MemStore::new(Arc::new(SystemClock))) };
    let stores: [(&str, &Open<'_>); 2] = [("commit to RocksDB", &on_disk), ("commit to memory", &in_memory)];
    let mut opened = 0;
    for (name, open) in stores {
        for remembered in REMEMBERED {
            let mut open = || {
                opened += 1;
                Others::new(open(opened), remembered)
            };
            measure(&mut criterion, &format!("{name}, {remembered} writes remembered"), &mut open);
        }
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, name: &str, open: &mut dyn FnMut() -> Others) {
    let mut group = criterion.benchmark_group(name);
    let mut others: Option<Others> = None;
    for (what, points, ranges) in reads() {
        let mut prepare = || {
            if others.as_ref().is_some_and(|others| others.commits == COMMITS_PER_STORE) {
                others = None; // closes the old one before there is a new one
            }
            others.get_or_insert_with(&mut *open).prepare(points, ranges)
        };
        group.bench_function(BenchmarkId::from_parameter(what), |bencher| {
            bencher.iter_batched(&mut prepare, Mine::commit, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn open(path: &Path) -> Arc<dyn Store> {
    Arc::new(LsmStore::open(path, LsmOptions::new(Arc::new(SystemClock))).expect("the directory is new"))
}

/// What transactions have read.
fn reads() -> impl Iterator<Item = (String, usize, usize)> {
    let points = POINTS.into_iter().map(|count| (format!("{count} keys read"), count, 0));
    points.chain(RANGES.into_iter().skip(1).map(|count| (format!("{count} ranges read"), 0, count)))
}

/// A store, an open transaction because of which it remembers writes, and these writes.
struct Others {
    store: Arc<dyn Store>,
    /// The oldest open transaction; without one that is older than each measured commit, only the last write is remembered.
    _oldest: Option<Arc<dyn ReadPoint>>,
    commits: usize,
}

/// A transaction that is ready to be committed.
struct Mine {
    store: Arc<dyn Store>,
    view: Arc<dyn ReadPoint>,
    request: CommitRequest,
}

impl Others {
    fn new(store: Arc<dyn Store>, remembered: usize) -> Others {
        commit(&*store, vec![put("begin")]);
        let oldest = (remembered > 0).then(|| store.read_point().expect("the store is open"));
        let names: Vec<String> = (0..remembered).map(|number| format!("{number:06}")).collect();
        for names in names.chunks(100) {
            commit(&*store, names.iter().map(|name| put(name)).collect());
        }
        Others { store, _oldest: oldest, commits: 0 }
    }

    /// Begins a transaction, after which another one commits, so that it has to be validated.
    fn prepare(&mut self, points: usize, ranges: usize) -> Mine {
        let view = self.store.read_point().expect("the store is open");
        commit(&*self.store, vec![put("other")]);
        self.commits += 1;
        let reads = (0..points).map(|number| PointRead { family: Family::Data, key: key(&spread(number, points)) });
        let ranges = (0..ranges).map(|number| {
            let range = KeyRange::prefix(&key(&spread(number, ranges)));
            RangeRead { family: Family::Data, range }
        });
        let request = CommitRequest {
            read_ts: view.ts(),
            reads: reads.collect(),
            ranges: ranges.collect(),
            writes: vec![put("mine")],
            durability: Durability::Buffered,
            ..CommitRequest::default()
        };
        Mine { store: Arc::clone(&self.store), view, request }
    }
}

impl Mine {
    /// What is measured; the view that it returns ends after the clock has stopped.
    fn commit(self) -> (Timestamp, Arc<dyn ReadPoint>) {
        let committed = self.store.commit(self.request).expect("nobody writes what was read");
        (committed, self.view)
    }
}

/// Names of keys that nobody writes, each between two that others write.
fn spread(number: usize, count: usize) -> String {
    let largest = REMEMBERED[REMEMBERED.len() - 1];
    format!("{:06} is read", number * largest / count)
}

fn key(name: &str) -> Vec<u8> {
    format!("collection/{name}").into_bytes()
}

fn put(name: &str) -> Write {
    Write::put(Family::Data, key(name), vec![b'v'; 100])
}

fn commit(store: &dyn Store, writes: Vec<Write>) -> Timestamp {
    let request = CommitRequest { writes, durability: Durability::Buffered, ..CommitRequest::default() };
    store.commit(request).expect("a blind write is never refused")
}
