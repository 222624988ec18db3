//! The workload of redb's own comparison of embedded stores, implemented from its description: random keys of 24 bytes
//! with values of 150 bytes are loaded, added to in transactions of several sizes, read, scanned and removed.

use serde::{Deserialize, Serialize};

use super::threads::run_threads;
use super::{Context, Phase};
use crate::Result;
use crate::dataset::pairs::{Pair, RandomPairs};
use crate::engine::{Durability, Engine, KeyValue, Reader, Write};
use crate::machine::drop_cached_pages;
use crate::measure::{Measurement, Series, Unit, directory_bytes};

/// How much of everything. redb's own numbers are those of [`OrderedMap::full`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedMap {
    /// Pairs loaded at once into the empty store.
    pub loaded: u64,
    /// Durable transactions of one pair.
    pub individual: u64,
    /// Durable transactions of [`batch`](OrderedMap::batch) pairs.
    pub batches: u64,
    /// Pairs in each of those.
    pub batch: u64,
    /// Transactions of one pair that survive only the death of the process.
    pub buffered: u64,
    /// Random reads.
    pub reads: u64,
    /// Random reads with nothing in memory.
    pub cold_reads: u64,
    /// Range reads of ten pairs.
    pub ranges: u64,
    /// Numbers of threads that read at once.
    pub threads: Vec<usize>,
    /// Pairs added at the end in ascending order, in one transaction.
    pub sorted: u64,
}

const PAIRS: RandomPairs = RandomPairs { seed: 0, key_bytes: 24, value_bytes: 150 };
const RANGE: usize = 10;
/// Reads between two looks at the clock.
const STRIDE: u64 = 256;

impl OrderedMap {
    /// A few seconds for each engine.
    #[must_use]
    pub fn quick() -> OrderedMap {
        OrderedMap {
            loaded: 100_000,
            individual: 200,
            batches: 10,
            batch: 1000,
            buffered: 10_000,
            reads: 100_000,
            cold_reads: 2_000,
            ranges: 25_000,
            threads: vec![1, 2, 4],
            sorted: 50_000,
        }
    }

    /// As redb measures.
    #[must_use]
    pub fn full() -> OrderedMap {
        OrderedMap {
            loaded: 5_000_000,
            individual: 1000,
            batches: 100,
            batch: 1000,
            buffered: 50_000,
            reads: 1_000_000,
            cold_reads: 20_000,
            ranges: 500_000,
            threads: vec![1, 2, 4, 8, 16, 32],
            sorted: 1_000_000,
        }
    }

    pub(super) fn name(&self) -> String {
        format!("ordered map, {} pairs", self.loaded)
    }

    pub(super) fn description(&self) -> String {
        format!(
            "redb's comparison: random keys of 24 bytes, values of 150 bytes; {} loaded at once, then {} durable \
             transactions of 1 pair, {} of {} pairs, {} of 1 pair that survive the process only; {} reads, {} ranges of \
             10, removal of the first half, compaction, {} ascending inserts in one transaction.",
            self.loaded, self.individual, self.batches, self.batch, self.buffered, self.reads, self.ranges, self.sorted
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let run = Run { sizes: self, pairs: RandomPairs { seed: context.seed, ..PAIRS }, context };
        super::measure_bare_sync(context)?;
        let store = engine.open_key_value(&context.options())?;
        run.write(&*store)?;
        drop(store);
        run.read_cold(engine)?;
        let store = engine.open_key_value(&context.options())?;
        run.read(&*store)?;
        run.read_in_threads(&*store)?;
        run.remove(&*store)?;
        run.insert_sorted(&*store)
    }

    /// Pairs in the store once all have been written.
    fn total(&self) -> u64 {
        self.loaded + self.individual + self.batches * self.batch + self.buffered
    }
}

struct Run<'a> {
    sizes: &'a OrderedMap,
    pairs: RandomPairs,
    context: &'a Context<'a>,
}

impl Run<'_> {
    fn phase(&self, name: impl Into<String>, total: u64) -> Result<Phase<'_>> {
        Ok(self.context.recorder.phase(name, total)?)
    }

    fn measured(&self, measurement: Measurement) -> Result<()> {
        Ok(self.context.recorder.measured(measurement)?)
    }

    fn write(&self, store: &dyn KeyValue) -> Result<()> {
        let sizes = self.sizes;
        super::load(store, self.pairs, sizes.loaded, "bulk load", self.context)?;
        let mut next = sizes.loaded;
        next = self.transactions("individual writes", store, next, sizes.individual, 1, Durability::Sync)?;
        next = self.transactions("batch writes", store, next, sizes.batches, sizes.batch, Durability::Sync)?;
        next = self.transactions("writes without sync", store, next, sizes.buffered, 1, Durability::Buffered)?;

        let mut phase = self.phase("background work after that", 0)?;
        store.settle()?;
        phase.advance(1)?;
        self.measured(phase.duration())?;

        let mut phase = self.phase("count", 0)?;
        let count = store.count()?;
        phase.advance(1)?;
        super::expect("pairs counted", next, count)?;
        self.measured(phase.duration().checksum(count))
    }

    /// Transactions of so many pairs each, beginning with the pair at `next`; returns the pair after the last.
    fn transactions(
        &self,
        name: &str,
        store: &dyn KeyValue,
        mut next: u64,
        transactions: u64,
        size: u64,
        durability: Durability,
    ) -> Result<u64> {
        let mut pairs: Vec<Pair> = (0..size).map(|_| self.pairs.buffer()).collect();
        let mut phase = self.phase(name, transactions * size)?.with_latencies();
        for _ in 0..transactions {
            for pair in &mut pairs {
                self.pairs.write(next, pair);
                next += 1;
            }
            let writes: Vec<Write<'_>> = pairs.iter().map(|pair| Write::Put(&pair.key, &pair.value)).collect();
            store.commit(&writes, durability)?;
            phase.advance(size)?;
        }
        self.measured(phase.rate())?;
        Ok(next)
    }

    fn read_cold(&self, engine: &dyn Engine) -> Result<()> {
        if !drop_cached_pages(self.context.directory)? {
            return Ok(());
        }
        let store = engine.open_key_value(&self.context.options())?;
        self.reads("random reads, cold", &*store, self.sizes.cold_reads)
    }

    fn read(&self, store: &dyn KeyValue) -> Result<()> {
        self.reads("first reads", store, self.sizes.reads)?; // the cache fills: told apart from what follows
        self.reads("random reads", store, self.sizes.reads)?;

        let mut reader = store.reader()?;
        let (mut key, mut checksum) = (vec![0; PAIRS.key_bytes], 0_u64);
        let mut phase = self.phase("range reads", self.sizes.ranges)?;
        for number in 0..self.sizes.ranges {
            self.pairs.write_key(self.position(number), &mut key);
            checksum = checksum.wrapping_add(read_range(&mut *reader, &key)?);
            if number % STRIDE == STRIDE - 1 {
                phase.advance(STRIDE)?;
            }
        }
        phase.advance(self.sizes.ranges % STRIDE)?;
        self.measured(phase.rate().checksum(checksum))
    }

    fn reads(&self, name: &str, store: &dyn KeyValue, reads: u64) -> Result<()> {
        let mut reader = store.reader()?;
        let mut pair = self.pairs.buffer();
        let mut phase = self.phase(name, reads)?;
        for number in 0..reads {
            self.read_one(&mut *reader, self.position(number), &mut pair)?;
            if number % STRIDE == STRIDE - 1 {
                phase.advance(STRIDE)?;
            }
        }
        phase.advance(reads % STRIDE)?;
        self.measured(phase.rate())
    }

    fn read_in_threads(&self, store: &dyn KeyValue) -> Result<()> {
        for &threads in &self.sizes.threads {
            let each = self.sizes.reads / threads as u64;
            let plural = if threads == 1 { "" } else { "s" };
            let mut phase = self.phase(format!("reads, {threads} thread{plural}"), each * threads as u64)?;
            run_threads(&mut phase, threads, |worker| {
                let mut reader = store.reader()?;
                let mut pair = self.pairs.buffer();
                let first = each * worker.number as u64;
                for number in first..first + each {
                    self.read_one(&mut *reader, self.position(number), &mut pair)?;
                    worker.advance()?;
                }
                Ok(())
            })?;
            self.measured(phase.rate().at(Series::ReadsByThreads, threads as f64))?;
        }
        Ok(())
    }

    /// Which pair is read at the step `number`: all of them, in the order in which they were written.
    fn position(&self, number: u64) -> u64 {
        number % self.sizes.total()
    }

    fn read_one(&self, reader: &mut dyn Reader, position: u64, pair: &mut Pair) -> Result<()> {
        self.pairs.write(position, pair);
        let mut right = false;
        let found = reader.get(&pair.key, &mut |value| right = value == pair.value)?;
        if found && right {
            return Ok(());
        }
        let what = if found { "has another value than was written" } else { "is missing" };
        Err(format!("wrong answer: the pair at position {position} {what}").into())
    }

    fn remove(&self, store: &dyn KeyValue) -> Result<()> {
        self.sizes_of(store, "size")?;
        let removed = self.sizes.total() / 2;
        let mut keys = vec![0; PAIRS.key_bytes * removed as usize];
        for (position, key) in (0..).zip(keys.chunks_exact_mut(PAIRS.key_bytes)) {
            self.pairs.write_key(position, key);
        }
        let deletes: Vec<Write<'_>> = keys.chunks_exact(PAIRS.key_bytes).map(Write::Delete).collect();
        let mut phase = self.phase("removals", removed)?;
        store.commit(&deletes, Durability::Sync)?;
        phase.advance(removed)?;
        self.measured(phase.rate())?;
        super::expect("pairs left after removals", self.sizes.total() - removed, store.count()?)?;

        let mut phase = self.phase("compaction", 0)?;
        if store.compact()? {
            phase.advance(1)?;
            self.measured(phase.duration())?;
        }
        self.sizes_of(store, "size after removing half and compaction")
    }

    fn sizes_of(&self, store: &dyn KeyValue, name: &str) -> Result<()> {
        store.settle()?;
        let disk = directory_bytes(self.context.directory)?;
        self.measured(Measurement::new(name, Unit::Bytes, disk.allocated_bytes as f64))
    }

    fn insert_sorted(&self, store: &dyn KeyValue) -> Result<()> {
        let count = self.sizes.sorted;
        let (mut pair, mut keys, before) = (self.pairs.buffer(), Vec::new(), store.count()?);
        self.pairs.write(0, &mut pair);
        // All above every random key but one in 2^24.
        keys.extend((0..count).map(|number| [[0xFF; 8], number.to_be_bytes(), [0; 8], [0; 8]].concat()));
        let puts: Vec<Write<'_>> = keys.iter().map(|key| Write::Put(key, &pair.value)).collect();
        let mut phase = self.phase("ascending inserts", count)?;
        store.commit(&puts, Durability::Sync)?;
        phase.advance(count)?;
        self.measured(phase.rate())?;
        super::expect("pairs after ascending inserts", before + count, store.count()?)
    }
}

/// Reads ten pairs from `start` and adds up what they hold, after making sure that they are in order.
fn read_range(reader: &mut dyn Reader, start: &[u8]) -> Result<u64> {
    let (mut sum, mut ordered) = (0_u64, true);
    let mut last = start.to_vec();
    let read = reader.scan(start, RANGE, &mut |key, value| {
        ordered &= key >= last.as_slice();
        last.clear();
        last.extend_from_slice(key);
        sum += u64::from(value.first().copied().unwrap_or(0)) + key.len() as u64;
    })?;
    match ordered && read <= RANGE && read > 0 {
        true => Ok(sum),
        false => Err(format!("wrong answer: a range read of {RANGE} gave {read} pairs, in order: {ordered}").into()),
    }
}
