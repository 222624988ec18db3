//! What a recorder hears of a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use ::metrics::{HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, with_local_recorder};
use blaze_core::{CommitRequest, Durability, Family, KeyRange, ManualClock, PointRead, Store, Write};
use tempfile::TempDir;

use super::*;
use crate::{LsmOptions, LsmStore};

/// Remembers all that it is told, by name and label.
#[derive(Default)]
struct Memory {
    described: Mutex<BTreeMap<String, Option<Unit>>>,
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    histograms: Mutex<BTreeMap<String, Arc<Values>>>,
}

#[derive(Default)]
struct Values(Mutex<Vec<f64>>);

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.0.lock().push(value);
    }
}

fn written(key: &Key) -> String {
    key.labels().fold(key.name().to_owned(), |text, label| format!("{text} {}={}", label.key(), label.value()))
}

impl Memory {
    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        self.described.lock().insert(name.as_str().to_owned(), unit);
    }

    fn counter(&self, key: &str) -> u64 {
        self.counters.lock()[key].load(Ordering::Relaxed)
    }

    fn gauge(&self, key: &str) -> f64 {
        f64::from_bits(self.gauges.lock()[key].load(Ordering::Relaxed))
    }

    fn values(&self, key: &str) -> Vec<f64> {
        self.histograms.lock()[key].0.lock().clone()
    }
}

impl Recorder for Memory {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _description: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _description: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _description: SharedString) {
        self.describe(&key, unit);
    }

    fn register_counter(&self, key: &Key, _metadata: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.counters.lock().entry(written(key)).or_default()))
    }

    fn register_gauge(&self, key: &Key, _metadata: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(self.gauges.lock().entry(written(key)).or_default()))
    }

    fn register_histogram(&self, key: &Key, _metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(self.histograms.lock().entry(written(key)).or_default()))
    }
}

struct Fixture {
    store: LsmStore,
    clock: Arc<ManualClock>,
    _directory: TempDir, // after the store
}

/// A store that records to `memory`.
fn fixture(memory: &Memory, label: Option<&str>) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(1_000));
    let options = LsmOptions::new(clock.clone());
    let options = label.map_or(options.clone(), |label| options.label(label));
    let store = with_local_recorder(memory, || LsmStore::open(directory.path(), options)).unwrap();
    Fixture { store, clock, _directory: directory }
}

fn put(key: &str, value: &str, durability: Durability) -> CommitRequest {
    CommitRequest { writes: vec![Write::put(Family::Data, key, value)], durability, ..CommitRequest::default() }
}

#[test]
fn commits_batches_bytes_and_syncs_are_counted_where_they_happen() {
    let memory = Memory::default();
    let Fixture { store, _directory, .. } = fixture(&memory, None);
    let view = store.read_point().unwrap();
    store.commit(put("a", "1", Durability::Sync)).unwrap();
    store.commit(put("b", "1", Durability::Buffered)).unwrap();
    let reads = vec![PointRead { family: Family::Data, key: b"a".to_vec() }];
    let conflicting = CommitRequest { read_ts: view.ts(), reads, ..put("c", "1", Durability::Sync) };
    store.commit(conflicting).unwrap_err();

    assert_eq!((memory.counter(COMMITS_TOTAL), memory.counter(COMMITS_REFUSED_TOTAL)), (2, 1));
    assert_eq!((memory.counter(COMMIT_BATCHES_TOTAL), memory.counter(SYNCS_TOTAL)), (2, 1));
    assert_eq!(memory.values(GROUP_COMMITS), [1.0, 1.0]);
    let seconds = memory.values(COMMIT_SECONDS);
    assert_eq!((seconds.len(), memory.values(SYNC_SECONDS).len()), (2, 1), "refused commits have no place in it");
    assert!(seconds.iter().all(|seconds| (0.0..60.0).contains(seconds)), "{seconds:?}");
    let stats = store.stats().unwrap().commits;
    assert_eq!(memory.counter(COMMIT_BYTES_TOTAL), stats.bytes);
    assert_eq!((stats.committed, stats.refused, stats.syncs), (2, 1, 1));
    assert!((4..100).contains(&stats.bytes), "two keys and two values of a byte: {stats:?}");
}

#[test]
fn gauges_and_the_sums_of_the_statistics_are_brought_up_to_date_when_these_are_asked_for() {
    let memory = Memory::default();
    let Fixture { store, clock, _directory } = fixture(&memory, None);
    store.commit(put("a", "1", Durability::Buffered)).unwrap();
    let view = store.read_point().unwrap();
    clock.advance_ms(2_500);
    store.commit(put("a", "2", Durability::Buffered)).unwrap();
    for _ in 0..3 {
        view.get(Family::Data, b"a").unwrap();
    }
    assert_eq!((memory.gauge(DISK_BYTES), memory.counter(RECORD_CACHE_MISSES_TOTAL)), (0.0, 0));
    let stats = store.stats().unwrap();
    assert_eq!(memory.gauge(DISK_BYTES), stats.disk.total_bytes as f64);
    assert_eq!(memory.gauge(OLDEST_VIEW_AGE_SECONDS), 2.5);
    assert!(memory.gauge(ORACLE_BYTES) > 0.0, "a transaction is open, so writes are remembered");
    let asked = || memory.counter(RECORD_CACHE_HITS_TOTAL) + memory.counter(RECORD_CACHE_MISSES_TOTAL);
    assert_eq!(asked(), 3);
    drop(view);
    store.stats().unwrap();
    assert_eq!((asked(), memory.gauge(OLDEST_VIEW_AGE_SECONDS)), (3, 0.0), "what was counted is not counted again");
}

#[test]
fn databases_with_labels_are_told_apart_and_those_without_are_added_up() {
    let memory = Memory::default();
    let unlabelled = [None, None].map(|label| fixture(&memory, label));
    let labelled = ["ann", "bob"].map(|label| fixture(&memory, Some(label)));
    for (commits, fixture) in [1, 2, 3, 4].into_iter().zip(unlabelled.iter().chain(&labelled)) {
        for _ in 0..commits {
            fixture.store.commit(put("a", "1", Durability::Buffered)).unwrap();
        }
        fixture.store.read_point().unwrap().get(Family::Data, b"a").unwrap();
        fixture.store.stats().unwrap();
    }
    for (label, commits, reads) in [("", 3, 2), (" database=ann", 3, 1), (" database=bob", 4, 1)] {
        assert_eq!(memory.counter(&format!("{COMMITS_TOTAL}{label}")), commits, "{label}");
        let asked = [RECORD_CACHE_HITS_TOTAL, RECORD_CACHE_MISSES_TOTAL];
        let asked: u64 = asked.iter().map(|name| memory.counter(&format!("{name}{label}"))).sum();
        assert_eq!(asked, reads, "{label}");
    }
}

#[test]
fn a_range_that_is_given_back_at_once_is_counted() {
    let memory = Memory::default();
    let Fixture { store, _directory, .. } = fixture(&memory, None);
    let ts = store.commit(put("abcd", "1", Durability::Buffered)).unwrap();
    assert!(store.discard(Family::Data, &KeyRange::prefix(b"abcd"), ts).unwrap());
    assert_eq!(memory.counter(RECLAIMED_RANGES_TOTAL), 1);
}

#[test]
fn every_name_is_registered_and_described_with_its_unit() {
    let memory = Memory::default();
    let _fixture = fixture(&memory, None);
    let described = memory.described.lock().clone();
    let mut registered: BTreeSet<String> = BTreeSet::new();
    registered.extend(memory.counters.lock().keys().cloned());
    registered.extend(memory.gauges.lock().keys().cloned());
    registered.extend(memory.histograms.lock().keys().cloned());
    assert_eq!(registered, described.keys().cloned().collect());
    assert_eq!(registered.len(), 22);
    for (name, unit) in described {
        let expected = match name.trim_end_matches("_total").rsplit('_').next() {
            Some("bytes") => Unit::Bytes,
            Some("seconds") => Unit::Seconds,
            _ => Unit::Count,
        };
        assert_eq!(unit, Some(expected), "{name}");
    }
}
