//! The core workloads of YCSB (Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", 2010), implemented from
//! their description: records of ten fields of 100 bytes under hashed keys.

mod inserted;
mod record;

use serde::{Deserialize, Serialize};

use self::inserted::Inserted;
use self::record::{KEY_BYTES, Load, Record, VALUE_BYTES};
use super::Context;
use super::threads::{Worker, run_threads};
use crate::Result;
use crate::distribution::{Chooser, Distribution, Random, fnv64};
use crate::engine::{Durability, Engine, KeyValue};
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

const SCAN_MAX: u64 = 100;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mix_adds_up_and_only_f_modifies() {
        for mix in &MIXES {
            let rest = 100 - mix.reads - mix.updates - mix.inserts - mix.scans;
            assert_eq!(rest > 0, mix.name.starts_with('F'), "{}", mix.name);
        }
    }
}
