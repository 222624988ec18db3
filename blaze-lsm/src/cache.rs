//! The record cache: the latest values of the records that are read most, found without asking RocksDB.
//!
//! An entry is the value of a key from `valid_from` on, up to the last published commit. So a reader may use it if its
//! read point is not older. Two rules keep that true while commits go on:
//!
//! 1. Before a commit is published, it replaces or removes every entry that it writes over, and stamps the shards of the
//!    keys with its timestamp.
//! 2. A reader who brings a value from RocksDB enters it only if the shard's stamp is not above its read point: the value
//!    may have been written over since. Stamp and entry change under the shard's lock.
//!
//! Ranges are removed in constant time: the collection is stamped, and what it had before counts as absent.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64};

use blaze_core::fault::{self, Mistake};
use blaze_core::{Family, KeyRange, Prefix, Timestamp, Write, prefix_of_range};
use parking_lot::RwLock;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Weighter};
use serde::Serialize;

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};

/// Locks over which keys are spread.
const SHARDS: usize = 256;

/// Collections whose removed ranges are told apart.
const CLEARED_MAX: usize = 16;

/// Bytes that an entry takes beside its key and value: two allocations with their counts, and its place in the table.
const ENTRY_OVERHEAD_BYTES: usize = 120;

/// What the record cache holds and how it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordCacheStats {
    /// The most that it holds.
    pub capacity_bytes: u64,
    /// What it holds.
    pub used_bytes: u64,
    /// Records in it.
    pub records: u64,
    /// Reads since the database was opened that found their record in it.
    pub hits: u64,
    /// Reads that looked for their record and did not. While hardly any finds it, seven keys of eight are not looked for,
    /// and counted nowhere.
    pub misses: u64,
}

/// The bounded map from keys of [`Family::Data`] to their latest values.
#[derive(Debug)]
pub(crate) struct RecordCache {
    entries: Cache<Box<[u8]>, Cached, Weight>,
    hasher: DefaultHashBuilder,
    shards: Box<[Mutex<Shard>]>,
    /// A trace of the keys that were asked for lately and were not there: a key that is read once is not worth a place.
    seen: Box<[AtomicU8]>,
    cleared: RwLock<Cleared>,
    /// Whether there is anything in `cleared`: most databases never remove a range.
    is_cleared: AtomicBool,
    value_bytes_max: usize,
    hits: Box<[Count]>,
    misses: Box<[Count]>,
    /// Reads that did not look.
    passed: Box<[Count]>,
    /// True while hardly a read finds its record: then only every eighth key is looked for.
    samples: AtomicBool,
    /// True once it was found to be nearly full. Before that every record that is read has a place: what is small enough is in
    /// memory as a whole after it was read once.
    is_full: AtomicBool,
    /// Bytes that were taken in of one key in so many, while it was not full.
    taken_bytes: AtomicU64,
    /// Hits and misses when that was last looked at.
    looked_at: Mutex<(u64, u64)>,
}

/// A part of a count, on a line of the processor's cache of its own: threads that read different keys do not meet.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Count(AtomicU64);

/// Parts of each count.
const COUNTS: usize = 16;

/// After so many hits or misses in one part, how the cache does is looked at again.
const LOOK_EVERY: u64 = 256;

/// While one read in so many finds its record, or fewer do, the others are spared the search, which visits memory that is
/// nowhere near.
const READS_PER_HIT_MIN: u64 = 32;

/// The share of the keys that are looked for all the same, so that it shows when that has changed.
const SAMPLED_KEYS: u64 = 8;

/// After so many reads in one part that did not look, all keys are looked for again for a while: few hot keys may all be
/// among those that are passed over.
const PASSED_MAX: u64 = 16 * LOOK_EVERY;

/// While the cache fills, how full it is is looked at for one key in so many, since that takes a lock for each of its parts.
const FILL_LOOKED_AT_EVERY: u64 = 64;

/// The keys of one lock.
#[derive(Debug, Default)]
struct Shard {
    /// When one of these keys was last written.
    stamp: Timestamp,
    /// Whether an entry was ever made: spares a bulk load the search for entries.
    used: bool,
}

/// A value and since when it has been that.
#[derive(Clone, Debug)]
pub(crate) struct Cached(Arc<[u8]>);

impl Cached {
    /// `value`, with the timestamp written into it at `stamp_at`.
    fn new(valid_from: Timestamp, value: &[u8], stamp_at: Option<usize>) -> Cached {
        let mut bytes = Vec::with_capacity(8 + value.len());
        bytes.extend_from_slice(&valid_from.to_bits().to_ne_bytes());
        bytes.extend_from_slice(value);
        if let Some(at) = stamp_at {
            bytes[8 + at..16 + at].copy_from_slice(&valid_from.to_bits().to_be_bytes());
        }
        Cached(bytes.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0[8..]
    }

    fn valid_from(&self) -> Timestamp {
        let stamp = self.0.first_chunk().copied().unwrap_or_default();
        Timestamp::from_bits(u64::from_ne_bytes(stamp))
    }
}

/// What an entry takes of the capacity, in bytes.
#[derive(Clone, Debug)]
struct Weight;

impl Weighter<Box<[u8]>, Cached> for Weight {
    fn weight(&self, key: &Box<[u8]>, value: &Cached) -> u64 {
        (ENTRY_OVERHEAD_BYTES + key.len() + value.0.len()) as u64
    }
}

impl RecordCache {
    /// A cache of about so many bytes; none at all for zero.
    pub(crate) fn new(bytes: usize) -> RecordCache {
        let entries = bytes / (ENTRY_OVERHEAD_BYTES + 128);
        RecordCache {
            entries: Cache::with_weighter(entries, bytes as u64, Weight),
            hasher: DefaultHashBuilder::default(),
            shards: (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect(),
            seen: (0..(4 * entries).next_power_of_two()).map(|_| AtomicU8::new(0)).collect(),
            cleared: RwLock::default(),
            is_cleared: AtomicBool::new(false),
            value_bytes_max: (bytes / 64).min(64 * 1024),
            hits: (0..COUNTS).map(|_| Count::default()).collect(),
            misses: (0..COUNTS).map(|_| Count::default()).collect(),
            passed: (0..COUNTS).map(|_| Count::default()).collect(),
            samples: AtomicBool::new(false),
            is_full: AtomicBool::new(bytes == 0),
            taken_bytes: AtomicU64::new(0),
            looked_at: Mutex::new((0, 0)),
        }
    }

    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The value of `key` at the read point of `ts`, if it is known.
    pub(crate) fn get(&self, key: &[u8], ts: Timestamp) -> Option<Cached> {
        let part = key.last().map_or(0, |byte| usize::from(*byte) % COUNTS);
        if self.passes_over(key) {
            let passed = self.passed[part].0.fetch_add(1, Ordering::Relaxed) + 1;
            if passed.is_multiple_of(PASSED_MAX) {
                self.look_for_all();
            }
            return None;
        }
        let is_valid = |cached: &Cached| cached.valid_from() <= ts && cached.valid_from() >= self.cleared_at(key);
        let cached = self.entries.get(key).filter(is_valid);
        let counts = if cached.is_some() { &self.hits } else { &self.misses };
        let count = counts[part].0.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(LOOK_EVERY) {
            self.look_at_hits();
        }
        cached
    }

    /// True if `key` is not looked for at all, nor entered.
    fn passes_over(&self, key: &[u8]) -> bool {
        self.samples.load(Ordering::Relaxed) && !self.hash(key).is_multiple_of(SAMPLED_KEYS)
    }

    /// Looks for every key until it is decided again.
    #[cold]
    fn look_for_all(&self) {
        *self.looked_at.lock() = (sum(&self.hits), sum(&self.misses));
        self.samples.store(false, Ordering::Relaxed);
    }

    /// Decides whether it is worth the while to look for every key.
    #[cold]
    fn look_at_hits(&self) {
        let (hits, misses) = (sum(&self.hits), sum(&self.misses));
        let mut before = self.looked_at.lock();
        let (new_hits, new_misses) = (hits.saturating_sub(before.0), misses.saturating_sub(before.1));
        if new_hits + new_misses < LOOK_EVERY {
            return; // another thread has just looked
        }
        *before = (hits, misses);
        let is_full = self.is_full.load(Ordering::Relaxed);
        self.samples.store(is_full && (new_hits + new_misses) / READS_PER_HIT_MIN >= new_hits, Ordering::Relaxed);
    }

    /// What the cache holds and how often it had what was asked for.
    pub(crate) fn stats(&self) -> RecordCacheStats {
        RecordCacheStats {
            capacity_bytes: self.entries.capacity(),
            used_bytes: self.entries.weight(),
            records: self.entries.len() as u64,
            hits: sum(&self.hits),
            misses: sum(&self.misses),
        }
    }

    /// Takes in a value that was read at the read point of `ts`, if it was asked for before and may still be the latest.
    pub(crate) fn offer(&self, key: &[u8], value: &[u8], ts: Timestamp) {
        if value.len() > self.value_bytes_max || self.passes_over(key) {
            return;
        }
        let hash = self.hash(key);
        if self.is_full.load(Ordering::Relaxed) {
            if !self.was_seen(hash) {
                return;
            }
        } else if hash.is_multiple_of(FILL_LOOKED_AT_EVERY) {
            self.look_at_fill((ENTRY_OVERHEAD_BYTES + key.len() + value.len()) as u64);
        }
        let mut shard = self.shard(hash);
        if shard.stamp <= ts || fault::makes(Mistake::StaleCacheFill) {
            shard.used = true;
            self.entries.insert(key.into(), Cached::new(ts, value, None));
        }
    }

    /// Notes that one more key of a few is taken in, and whether the cache is full: it will stay so, but for what is removed.
    /// Where entries are large beside its parts, it never becomes that by its weight.
    #[cold]
    fn look_at_fill(&self, entry_bytes: u64) {
        let taken = self.taken_bytes.fetch_add(entry_bytes, Ordering::Relaxed) + entry_bytes;
        let capacity = self.entries.capacity();
        let is_full =
            self.entries.weight() >= capacity / 8 * 7 || taken.saturating_mul(FILL_LOOKED_AT_EVERY) >= 2 * capacity;
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    /// Takes in what the commit of `ts` writes. It must be called before that is published, and no commit may be written
    /// before one that was applied earlier.
    pub(crate) fn apply(&self, writes: &[Write], ts: Timestamp) {
        let mut keeps_values = true;
        for write in writes {
            if let Write::DeleteRange { family: Family::Data, range } = write {
                self.clear(range, ts);
                keeps_values = false; // some may have been put before
            }
        }
        for write in writes.iter().filter(|write| write.family() == Family::Data) {
            match write {
                Write::Put { key, value, stamp_at, .. } if keeps_values => {
                    self.replace(key, ts, Some((value, *stamp_at)));
                }
                Write::Put { key, .. } | Write::Delete { key, .. } | Write::Add { key, .. } => {
                    self.replace(key, ts, None);
                }
                Write::DeleteRange { .. } | Write::Touch { .. } => {}
            }
        }
    }

    /// Replaces the value of a key, if it has an entry: by nothing, or by a value, and where in it the timestamp goes.
    fn replace(&self, key: &[u8], ts: Timestamp, value: Option<(&[u8], Option<usize>)>) {
        let mut shard = self.shard(self.hash(key));
        shard.stamp = ts;
        if !shard.used || !self.entries.contains_key(key) {
            return;
        }
        match value {
            Some((value, stamp_at)) if value.len() <= self.value_bytes_max => {
                self.entries.insert(key.into(), Cached::new(ts, value, stamp_at));
            }
            _ => drop(self.entries.remove(key)),
        }
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        self.shards[hash as usize % SHARDS].lock()
    }

    /// Whether a key was asked for lately. It is from now on.
    fn was_seen(&self, hash: u64) -> bool {
        let place = &self.seen[(hash >> 16) as usize & (self.seen.len() - 1)];
        let print = (hash >> 8) as u8 | 1; // never that of nothing
        if place.load(Ordering::Relaxed) == print {
            return true;
        }
        place.store(print, Ordering::Relaxed);
        false
    }

    /// Makes all entries of the collection that `range` is in count as absent; all there are, if it is in several.
    fn clear(&self, range: &KeyRange, ts: Timestamp) {
        let mut cleared = self.cleared.write();
        match prefix_of_range(range) {
            Some(prefix) if cleared.collections.len() < CLEARED_MAX => {
                cleared.collections.retain(|(other, _)| *other != prefix);
                cleared.collections.push((prefix, ts));
            }
            _ => *cleared = Cleared { all: ts, collections: Vec::new() },
        }
        self.is_cleared.store(true, Ordering::SeqCst);
    }

    /// Before when the entries of a key's collection count as absent.
    fn cleared_at(&self, key: &[u8]) -> Timestamp {
        if !self.is_cleared.load(Ordering::SeqCst) {
            return Timestamp::ZERO;
        }
        let cleared = self.cleared.read();
        let own = cleared.collections.iter().find(|(prefix, _)| key.starts_with(prefix));
        own.map_or(cleared.all, |(_, ts)| *ts)
    }
}

fn sum(counts: &[Count]) -> u64 {
    counts.iter().map(|count| count.0.load(Ordering::Relaxed)).sum()
}

/// Since when entries count as absent because a range was removed.
#[derive(Debug, Default)]
struct Cleared {
    all: Timestamp,
    /// The collections, which are all that is told apart, and not very many.
    collections: Vec<(Prefix, Timestamp)>,
}
