//! The engine's own table: what Blaze costs over RocksDB where RocksDB is at the limit, and what it gains where it knows
//! more. Each row with a target says what Blaze shall reach beside the crate `rocksdb`, used well: the same settings, the
//! same memory, pinned reads, one batch for each commit.

mod beside;
mod beyond_memory;
mod durable;
mod hot;
mod mixed;
mod past;
mod reads;
mod row;
mod seeks;
mod writes;

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use self::row::{Key, ROW_BYTES, Rows};
use super::{Context, Phase};
use crate::Result;
use crate::distribution::{Chooser, Distribution, Random, fnv64};
use crate::engine::{Engine, EngineOptions, KeyValue, Opening, Transactional};
use crate::measure::{Measurement, Target, Unit};

/// A part of the table, over so many rows of 24 and 150 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineWorkload {
    /// Which.
    pub part: EnginePart,
    /// Rows that are there before anything is measured; durable commits begin with none.
    pub rows: u64,
}

/// The parts of the table. Each is a job: its rows share what was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnginePart {
    /// Gets, scans, seeks and read transactions; data in the cache, but for one row.
    Reads,
    /// Puts, transactions and a mixed load, all buffered.
    Writes,
    /// Commits that survive power loss.
    DurableCommits,
    /// Gets and puts with four times as much data as memory.
    BeyondMemory,
    /// Gets and puts where something has a history or a change feed.
    Past,
}

/// What the targets are held against.
const RIVAL: &str = "rocksdb";
/// Operations between two looks at the clock.
const STRIDE: usize = 256;

impl EngineWorkload {
    /// All parts.
    pub const PARTS: [EnginePart; 5] =
        [EnginePart::Reads, EnginePart::Writes, EnginePart::DurableCommits, EnginePart::BeyondMemory, EnginePart::Past];

    /// Bytes of keys and values that are loaded.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.rows * ROW_BYTES
    }

    pub(super) fn name(&self) -> String {
        let part = match self.part {
            EnginePart::Reads => "reads",
            EnginePart::Writes => "writes",
            EnginePart::DurableCommits => "durable commits",
            EnginePart::BeyondMemory => "data four times memory",
            EnginePart::Past => "history and feed",
        };
        format!("engine: {part}")
    }

    pub(super) fn description(&self) -> String {
        let rows = self.rows;
        let what = match self.part {
            EnginePart::Reads => "loaded and compacted; all in cache, but for the Zipfian gets, before which the store is \
                                  opened again with a cache of a tenth of the data. Writers beside keep their pace: 10,000 \
                                  commits a second for the hot keys, 1,000 for the rest"
                .to_owned(),
            EnginePart::Writes => "loaded and compacted, then overwritten in random order; commits survive the death of the \
                                   process. Each row begins when the background has come to rest. In the mixed load two \
                                   threads get and put in turn while everything is compacted"
                .to_owned(),
            EnginePart::DurableCommits => format!(
                "at most; an empty store, transactions of one row, each durable when it returns, for {} s by each number of \
                 threads; syncs are counted in a run of their own",
                self.seconds()
            ),
            EnginePart::BeyondMemory => "loaded in unlimited memory, then read and overwritten with a quarter of that, page \
                                         cache included"
                .to_owned(),
            EnginePart::Past => "loaded into two databases; one of them also has two maps with a twentieth of the keys, each \
                                 written ten times, one with a history. Gets and puts take turns between the maps that are \
                                 compared"
                .to_owned(),
        };
        format!("{rows} rows with random keys of 24 bytes and values of 150 bytes, {what}. Every value is checked.")
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let run = Run { workload: self, rows: Rows::seeded(context.seed), engine, context };
        match self.part {
            EnginePart::Reads => reads::run(&run),
            EnginePart::Writes => writes::run(&run),
            EnginePart::DurableCommits => durable::run(&run),
            EnginePart::BeyondMemory => beyond_memory::run(&run),
            EnginePart::Past => past::run(&run),
        }
    }

    /// Loads the rows, and waits until no work is left to the background.
    ///
    /// # Errors
    /// Those of the store.
    pub fn load(engine: &dyn Engine, options: &EngineOptions, rows: u64, seed: u64) -> Result<()> {
        let store = engine.open_transactional(options, Opening::BUFFERED)?;
        store.load(&mut Rows::seeded(seed).load(rows, &mut |_| ()))?;
        store.settle()
    }

    /// How long a phase takes that is not made of a fixed number of operations: less in a small trial.
    fn seconds(&self) -> f64 {
        (self.rows as f64 / 1e6).clamp(0.1, 2.0)
    }
}

/// A part that is running.
struct Run<'a> {
    workload: &'a EngineWorkload,
    rows: Rows,
    engine: &'a dyn Engine,
    context: &'a Context<'a>,
}

impl Run<'_> {
    fn open(&self, opening: Opening) -> Result<Box<dyn Transactional>> {
        self.engine.open_transactional(&self.context.options(), opening)
    }

    fn phase(&self, name: &str, total: u64) -> Result<Phase<'_>> {
        Ok(self.context.recorder.phase(name, total)?)
    }

    fn measured(&self, measurement: Measurement) -> Result<()> {
        Ok(self.context.recorder.measured(measurement)?)
    }

    /// Loads all rows, and compacts them so that every engine begins with a tree of the same shape.
    fn load(&self, store: &dyn KeyValue) -> Result<()> {
        let count = self.workload.rows;
        let phase = RefCell::new(self.phase("load", count)?);
        let mut told = Ok(());
        let mut progress = |given: u64| {
            let mut phase = phase.borrow_mut();
            let done = phase.done();
            told = phase.advance(given - done);
        };
        store.load(&mut self.rows.load(count, &mut progress))?;
        told?;
        let mut phase = phase.into_inner();
        phase.advance(count - phase.done())?;
        self.measured(phase.rate())?;

        let mut phase = self.phase("compaction after loading", 0)?;
        store.compact()?;
        store.settle()?;
        phase.advance(1)?;
        self.measured(phase.duration())
    }

    /// So many rows in random order; the same for all engines. Another `purpose` gives another order.
    fn order(&self, purpose: u64, distribution: Distribution, below: u64, count: u64) -> Vec<u32> {
        let mut random = Random::seeded(self.context.seed ^ fnv64(purpose));
        let chooser = Chooser::new(distribution, below);
        (0..count).map(|_| chooser.choose(&mut random) as u32).collect()
    }

    /// Gets these rows one by one, and looks at the clock after each `stride` of them.
    fn gets(&self, store: &dyn KeyValue, mut phase: Phase<'_>, order: &[u32], stride: usize) -> Result<Measurement> {
        for rows in order.chunks(stride) {
            for &row in rows {
                let row = u64::from(row);
                self.get(store, row, &self.rows.key(row))?;
            }
            phase.advance(rows.len() as u64)?;
        }
        Ok(phase.rate())
    }

    /// Gets a row and returns its version.
    fn get(&self, store: &dyn KeyValue, row: u64, key: &Key) -> Result<u64> {
        let mut version = None;
        let found = store.get(key, &mut |value| version = self.version(row, value))?;
        version.ok_or_else(|| {
            let what = if found { "has a value that was never written" } else { "is missing" };
            format!("wrong answer: row {row} {what}").into()
        })
    }

    /// The version of a value, if it is one of `row`.
    fn version(&self, row: u64, value: &[u8]) -> Option<u64> {
        self.rows.parse(value).filter(|(found, _)| *found == row).map(|(_, version)| version)
    }

    /// Tells how many commits a second there were beside a phase: below its pace the phase had it easy.
    fn paced(&self, phase: &str, rate: f64) -> Result<()> {
        self.measured(Measurement::new(format!("{phase}: commits beside it"), Unit::OperationsPerSecond, rate))
    }
}

/// A target beside the rival.
fn beside_rival(times: f64) -> Target {
    Target::times(RIVAL, times)
}
