//! The core workloads of YCSB (Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", 2010), implemented from
//! their description: records of ten fields of 100 bytes under hashed keys.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Context;
use super::threads::{Worker, run_threads};
use crate::Result;
use crate::distribution::{Chooser, Distribution, Random, fnv64};
use crate::engine::{Durability, Engine, KeyValue, Pairs, Write};
use crate::machine::drop_cached_pages;
use crate::run::Errand;

/// The workloads A to F over one store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ycsb {
    /// Records loaded.
    pub records: u64,
    /// Operations of each workload; a fifth of them in E, whose operations are scans.
    pub operations: u64,
    /// Reads with nothing in memory, before the workloads.
    pub cold_reads: u64,
    /// Threads.
    pub threads: usize,
    /// Which records are asked for.
    pub distribution: Distribution,
    /// The limit on memory as a share of the data, for the description; the data fit when it is 1 or more.
    pub memory_by_data: f64,
}

const VALUE_BYTES: usize = 1000;
const SCAN_MAX: u64 = 100;
/// Under which a record lies: `user` and twenty digits.
const KEY_BYTES: usize = 24;
/// Bytes that a record takes, for sizing it against memory.
pub const RECORD_BYTES: u64 = (KEY_BYTES + VALUE_BYTES) as u64;

/// Shares of the operations in percent.
struct Mix {
    name: &'static str,
    reads: u64,
    updates: u64,
    inserts: u64,
    scans: u64,
    // The rest are read-modify-writes.
    latest: bool,
}

/// In the order that YCSB recommends: those that insert come last.
const MIXES: [Mix; 6] = [
    Mix { name: "A: half reads, half updates", reads: 50, updates: 50, inserts: 0, scans: 0, latest: false },
    Mix { name: "B: 95 % reads, 5 % updates", reads: 95, updates: 5, inserts: 0, scans: 0, latest: false },
    Mix { name: "C: reads", reads: 100, updates: 0, inserts: 0, scans: 0, latest: false },
    Mix { name: "F: half reads, half read-modify-writes", reads: 50, updates: 0, inserts: 0, scans: 0, latest: false },
    Mix { name: "D: 95 % reads of the latest, 5 % inserts", reads: 95, updates: 0, inserts: 5, scans: 0, latest: true },
    Mix { name: "E: 95 % scans, 5 % inserts", reads: 0, updates: 0, inserts: 5, scans: 95, latest: false },
];

impl Ycsb {
    /// So many records, and operations in each workload, by two threads.
    #[must_use]
    pub fn new(records: u64, operations: u64, distribution: Distribution, memory_by_data: f64) -> Ycsb {
        Ycsb { records, operations, cold_reads: operations / 20, threads: 2, distribution, memory_by_data }
    }

    pub(super) fn name(&self) -> String {
        let distribution = match self.distribution {
            Distribution::Uniform => "uniform",
            Distribution::Zipfian => "zipfian",
            Distribution::Latest => "latest",
        };
        let place = if self.memory_by_data < 1.0 { "larger than memory" } else { "in memory" };
        format!("YCSB, {distribution}, {place}")
    }

    pub(super) fn description(&self) -> String {
        format!(
            "{} records of 1,000 bytes, {:.2} times as much memory as data; {} operations in each workload (a fifth of \
             that in E, whose scans read 1 to {SCAN_MAX} records) by {} threads. What is larger than memory is loaded where \
             memory is not limited. An update writes the whole record. Writes survive the death of the process. A read-modify-write is one transaction.",
            self.records, self.memory_by_data, self.operations, self.threads
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        if self.memory_by_data < 1.0 {
            context.recorder.phase("load, in unlimited memory", self.records)?;
            Errand::Load(self.records).run(engine, &context.options(), context.seed)?;
            context.limit_memory()?;
        } else {
            let mut phase = context.recorder.phase("load", self.records)?;
            let store = engine.open_key_value(&context.options())?;
            store.load(&mut Load::of(self.records))?;
            phase.advance(self.records)?;
            context.recorder.measured(phase.rate())?;
            store.settle()?;
        }
        let dropped = drop_cached_pages(context.directory)?;
        let store = engine.open_key_value(&context.options())?;
        let inserted = Inserted::after(self.records);
        let run = Run { sizes: self, store: &*store, inserted: &inserted, context };
        if dropped {
            let cold = Mix { name: "reads, cold", reads: 100, updates: 0, inserts: 0, scans: 0, latest: false };
            run.mix(&cold, self.cold_reads)?;
        }
        for mix in &MIXES {
            run.mix(mix, if mix.scans > 0 { self.operations / 5 } else { self.operations })?;
        }
        super::expect("records at the end", inserted.all(), store.count()?)
    }
}

impl Ycsb {
    /// Loads so many records, and waits until no work is left to the background.
    ///
    /// # Errors
    /// Those of the store.
    pub fn load(store: &dyn KeyValue, records: u64) -> Result<()> {
        store.load(&mut Load::of(records))?;
        store.settle()
    }
}

struct Run<'a> {
    sizes: &'a Ycsb,
    store: &'a dyn KeyValue,
    inserted: &'a Inserted,
    context: &'a Context<'a>,
}

impl Run<'_> {
    fn mix(&self, mix: &Mix, operations: u64) -> Result<()> {
        let threads = self.sizes.threads;
        let each = operations / threads as u64;
        let mut phase = self.context.recorder.phase(mix.name, each * threads as u64)?.with_latencies();
        run_threads(&mut phase, threads, |worker| {
            let distribution = if mix.latest { Distribution::Latest } else { self.sizes.distribution };
            let letter = u64::from(mix.name.as_bytes()[0]);
            let seed = self.context.seed ^ fnv64(letter << 32 | worker.number as u64);
            let mut user = User {
                run: self,
                random: Random::seeded(seed),
                chooser: Chooser::new(distribution, self.inserted.acknowledged()),
                record: Record::default(),
            };
            (0..each).try_for_each(|_| user.step(mix, worker))
        })?;
        Ok(self.context.recorder.measured(phase.rate())?)
    }
}

/// One thread's part in a workload.
struct User<'a> {
    run: &'a Run<'a>,
    random: Random,
    chooser: Chooser,
    record: Record,
}

impl User<'_> {
    fn step(&mut self, mix: &Mix, worker: &mut Worker<'_>) -> Result<()> {
        let store = self.run.store;
        let dice = self.random.below(100);
        let number = if dice < mix.inserts {
            self.run.inserted.begin()
        } else {
            self.chooser.grow(self.run.inserted.acknowledged());
            self.chooser.choose(&mut self.random)
        };
        if dice < mix.inserts {
            self.record.write(number, 0);
            store.commit(&[self.record.put()], Durability::Buffered)?;
            self.run.inserted.end(number);
        } else if dice < mix.inserts + mix.reads {
            self.record.write_key(number);
            let mut right = false;
            let found = store.get(&self.record.key, &mut |value| right = Record::is_whole(value, number))?;
            check(found && right, number)?;
        } else if dice < mix.inserts + mix.reads + mix.updates {
            self.record.write(number, self.random.next_u64());
            store.commit(&[self.record.put()], Durability::Buffered)?;
        } else if dice < mix.inserts + mix.reads + mix.updates + mix.scans {
            self.scan(number)?;
        } else {
            self.record.write_key(number);
            let mut change = |value: &mut Vec<u8>| Record::next_version(value, number);
            let found = store.modify(&self.record.key, &mut change, Durability::Buffered)?;
            check(found, number)?;
        }
        worker.advance()
    }

    fn scan(&mut self, number: u64) -> Result<()> {
        self.record.write_key(number);
        let length = 1 + self.random.below(SCAN_MAX);
        let (mut right, mut last) = (true, self.record.key.clone());
        let read = self.run.store.scan(&self.record.key, length as usize, &mut |key, value| {
            right &= key >= last.as_slice() && value.len() == VALUE_BYTES;
            last.clear();
            last.extend_from_slice(key);
        })?;
        // The record that it starts from is there, so at least that one is found.
        check(right && read >= 1 && read <= length as usize, number)
    }
}

fn check(right: bool, number: u64) -> Result<()> {
    if right {
        Ok(())
    } else {
        Err(format!("wrong answer: record {number} is missing or not as it was written").into())
    }
}

/// Which records are there while several threads insert.
struct Inserted {
    next: AtomicU64,
    pending: Mutex<BTreeSet<u64>>,
    acknowledged: AtomicU64,
}

impl Inserted {
    fn after(records: u64) -> Inserted {
        let counter = || AtomicU64::new(records);
        Inserted { next: counter(), pending: Mutex::default(), acknowledged: counter() }
    }

    /// The number of a new record.
    fn begin(&self) -> u64 {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        pending.insert(number);
        number
    }

    /// The record is committed.
    fn end(&self, number: u64) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.remove(&number);
        let all_below = pending.first().copied().unwrap_or_else(|| self.next.load(Ordering::Relaxed));
        self.acknowledged.store(all_below, Ordering::Release);
    }

    /// All records below this number are there.
    fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    fn all(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }
}

/// A key and a value that can be told from a torn or a foreign one: the record's number at both ends of it.
#[derive(Clone, Debug)]
struct Record {
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Default for Record {
    fn default() -> Record {
        Record { key: b"user00000000000000000000".to_vec(), value: vec![0; VALUE_BYTES] }
    }
}

impl Record {
    fn write_key(&mut self, number: u64) {
        let mut hash = fnv64(number);
        for digit in self.key.iter_mut().skip(4).rev() {
            *digit = b'0' + (hash % 10) as u8;
            hash /= 10;
        }
    }

    fn write(&mut self, number: u64, version: u64) {
        self.write_key(number);
        Record::fill(&mut self.value, number, version);
    }

    fn put(&self) -> Write<'_> {
        Write::Put(&self.key, &self.value)
    }

    /// Number, version, random bytes of both, number and version mixed.
    fn fill(value: &mut [u8], number: u64, version: u64) {
        Random::seeded(number ^ version.rotate_left(32)).fill(value);
        value[..8].copy_from_slice(&number.to_le_bytes());
        value[8..16].copy_from_slice(&version.to_le_bytes());
        let end = value.len() - 8;
        value[end..].copy_from_slice(&(number ^ version).to_le_bytes());
    }

    fn is_whole(value: &[u8], number: u64) -> bool {
        let word = |at: usize| {
            value.get(at..at + 8).map(|bytes| bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
        };
        value.len() == VALUE_BYTES
            && word(0) == Some(number)
            && word(8).is_some_and(|version| word(VALUE_BYTES - 8) == Some(number ^ version))
    }

    /// Counts the version up, in a value that is whole; another one stays as it is, and is found when it is read.
    fn next_version(value: &mut [u8], number: u64) {
        if Record::is_whole(value, number) {
            let version = value[8..16].iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)).wrapping_add(1);
            Record::fill(value, number, version);
        }
    }
}

/// The records of the load, in the order of their numbers, which their hashed keys are not in.
struct Load {
    next: u64,
    end: u64,
    record: Record,
}

impl Load {
    fn of(records: u64) -> Load {
        Load { next: 0, end: records, record: Record::default() }
    }
}

impl Pairs for Load {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        if self.next == self.end {
            return None;
        }
        self.record.write(self.next, 0);
        self.next += 1;
        Some((&self.record.key, &self.record.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_told_from_a_torn_and_from_a_foreign_one() {
        let (mut record, mut other) = (Record::default(), Record::default());
        record.write(7, 1);
        other.write(7, 2);
        assert!(Record::is_whole(&record.value, 7) && !Record::is_whole(&record.value, 8));
        record.value[500..].copy_from_slice(&other.value[500..]);
        assert!(!Record::is_whole(&record.value, 7), "the second half is of another version");
        Record::next_version(&mut other.value, 7);
        record.write(7, 3);
        assert_eq!(record.value, other.value);
    }

    #[test]
    fn every_mix_adds_up_and_only_f_modifies() {
        for mix in &MIXES {
            let rest = 100 - mix.reads - mix.updates - mix.inserts - mix.scans;
            assert_eq!(rest > 0, mix.name.starts_with('F'), "{}", mix.name);
        }
    }

    #[test]
    fn a_record_counts_as_inserted_once_all_before_it_are_there() {
        let inserted = Inserted::after(10);
        let (first, second) = (inserted.begin(), inserted.begin());
        inserted.end(second);
        assert_eq!(inserted.acknowledged(), 10);
        inserted.end(first);
        assert_eq!((inserted.acknowledged(), inserted.all()), (12, 12));
    }
}
