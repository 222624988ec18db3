//! The workloads: what is done to an engine, and which figures come of it.

mod commits;
mod document;
mod endurance;
mod engine;
#[cfg(test)]
mod measured;
mod ordered_map;
mod orders;
mod recorder;
mod reopen;
mod size;
mod text;
mod threads;
mod vector;
pub mod ycsb;

use std::cell::RefCell;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::commits::Commits;
pub use self::document::{DocumentSource, DocumentWorkload};
pub use self::endurance::Endurance;
pub use self::engine::{EnginePart, EngineWorkload};
pub use self::ordered_map::OrderedMap;
pub use self::orders::{OrderPart, OrderWorkload};
pub use self::recorder::{Event, Phase, Recorder};
pub use self::reopen::Reopen;
pub use self::size::SizeWorkload;
pub use self::text::{TextPart, TextSource, TextTable};
pub use self::vector::{VectorPart, VectorSource, VectorTable, VectorWorkload};
pub use self::ycsb::Ycsb;
use crate::Result;
use crate::dataset::pairs::RandomPairs;
use crate::engine::{Engine, EngineOptions, Faculty, KeyValue};
use crate::machine::{MemoryLimit, measure_syncs};
use crate::measure::{Measurement, Unit};

/// A workload with its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Workload {
    /// The workload of redb's own comparison.
    OrderedMap(OrderedMap),
    /// The core workloads A to F of the Yahoo! Cloud Serving Benchmark.
    Ycsb(Ycsb),
    /// Small durable transactions by several threads.
    Commits(Commits),
    /// Opening a database again, after an orderly end and after a sudden one.
    Reopen(Reopen),
    /// Overwriting for a long time.
    Endurance(Endurance),
    /// crud-bench's operations on documents, or questions of the user's own.
    Document(DocumentWorkload),
    /// Nearest neighbours: recall against queries a second.
    Vector(VectorWorkload),
    /// The engine's own table, with its targets.
    Engine(EngineWorkload),
    /// The documents' own table, with its targets.
    Orders(OrderWorkload),
    /// How much space documents take, with its targets.
    Size(SizeWorkload),
    /// The vectors' own table, with its targets.
    VectorTable(VectorTable),
    /// The texts' own table, with its targets.
    TextTable(TextTable),
}

/// What a workload runs in.
#[derive(Debug)]
pub struct Context<'a> {
    /// An empty directory for the engine.
    pub directory: &'a Path,
    /// A directory that all jobs of this workload have in common, for what takes long to make.
    pub kept: &'a Path,
    /// Bytes for the engine's own cache.
    pub cache_bytes: usize,
    /// The control group that limits memory, if one does.
    pub memory_group: Option<&'a Path>,
    /// The seed of everything random.
    pub seed: u64,
    /// Where figures and progress go.
    pub recorder: &'a Recorder,
}

impl Context<'_> {
    /// How the engine is opened.
    #[must_use]
    pub fn options(&self) -> EngineOptions {
        EngineOptions { directory: PathBuf::from(self.directory), cache_bytes: self.cache_bytes }
    }

    /// From now on this process has the memory of its group. What it has allocated before is not counted.
    ///
    /// # Errors
    /// Those of the group.
    fn limit_memory(&self) -> Result<()> {
        Ok(self.memory_group.map_or(Ok(()), MemoryLimit::join)?)
    }
}

impl Workload {
    /// Its name, the title of its table.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Workload::OrderedMap(workload) => workload.name(),
            Workload::Ycsb(workload) => workload.name(),
            Workload::Commits(workload) => workload.name(),
            Workload::Reopen(workload) => workload.name(),
            Workload::Endurance(workload) => workload.name(),
            Workload::Document(workload) => workload.name(),
            Workload::Vector(workload) => workload.name(),
            Workload::Engine(workload) => workload.name(),
            Workload::Orders(workload) => workload.name(),
            Workload::Size(workload) => workload.name(),
            Workload::VectorTable(workload) => workload.name(),
            Workload::TextTable(workload) => workload.name(),
        }
    }

    /// Its sizes in a sentence.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Workload::OrderedMap(workload) => workload.description(),
            Workload::Ycsb(workload) => workload.description(),
            Workload::Commits(workload) => workload.description(),
            Workload::Reopen(workload) => workload.description(),
            Workload::Endurance(workload) => workload.description(),
            Workload::Document(workload) => workload.description(),
            Workload::Vector(workload) => workload.description(),
            Workload::Engine(workload) => workload.description(),
            Workload::Orders(workload) => workload.description(),
            Workload::Size(workload) => workload.description(),
            Workload::VectorTable(workload) => workload.description(),
            Workload::TextTable(workload) => workload.description(),
        }
    }

    /// What an engine must store to run it.
    #[must_use]
    pub fn faculty(&self) -> Faculty {
        match self {
            Workload::Document(_) => Faculty::Documents,
            Workload::Vector(_) => Faculty::Vectors,
            Workload::Engine(workload) if workload.part == EnginePart::Past => Faculty::Past,
            Workload::Engine(_) => Faculty::Transactions,
            Workload::Orders(_) => Faculty::Orders,
            Workload::Size(_) => Faculty::Archive,
            Workload::VectorTable(workload) if workload.needs_documents() => Faculty::VectorStore,
            Workload::VectorTable(_) => Faculty::VectorIndex,
            Workload::TextTable(workload) if workload.needs_documents() => Faculty::TextStore,
            Workload::TextTable(_) => Faculty::Texts,
            _ => Faculty::KeyValue,
        }
    }

    /// True when it measures what survives power loss: it makes no sense on a disk that is memory.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        match self {
            Workload::OrderedMap(_) | Workload::Commits(_) | Workload::Reopen(_) => true,
            Workload::Engine(workload) => workload.part == EnginePart::DurableCommits,
            Workload::Orders(workload) => workload.part == OrderPart::Cached,
            Workload::VectorTable(workload) => workload.is_durable(),
            Workload::TextTable(workload) => workload.is_durable(),
            _ => false,
        }
    }

    /// True when its data are not to fit into memory: it makes no sense where memory cannot be limited.
    #[must_use]
    pub fn needs_little_memory(&self) -> bool {
        match self {
            Workload::Ycsb(workload) => workload.memory_by_data < 1.0,
            Workload::Engine(workload) => workload.part == EnginePart::BeyondMemory,
            _ => false,
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// Those of the engine, and a wrong answer. What was measured before is with the recorder.
    pub fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        if !self.needs_little_memory() && !matches!(self, Workload::Orders(_)) {
            context.limit_memory()?; // the others first load more than fits, or make what they load
        }
        match self {
            Workload::OrderedMap(workload) => workload.run(engine, context),
            Workload::Ycsb(workload) => workload.run(engine, context),
            Workload::Commits(workload) => workload.run(engine, context),
            Workload::Reopen(workload) => workload.run(engine, context),
            Workload::Endurance(workload) => workload.run(engine, context),
            Workload::Document(workload) => workload.run(engine, context),
            Workload::Vector(workload) => workload.run(engine, context),
            Workload::Engine(workload) => workload.run(engine, context),
            Workload::Orders(workload) => workload.run(engine, context),
            Workload::Size(workload) => workload.run(engine, context),
            Workload::VectorTable(workload) => workload.run(engine, context),
            Workload::TextTable(workload) => workload.run(engine, context),
        }
    }
}

/// Loads the pairs below `count` into an empty store, as a phase called `name`.
fn load(store: &dyn KeyValue, pairs: RandomPairs, count: u64, name: &str, context: &Context<'_>) -> Result<()> {
    let phase = RefCell::new(context.recorder.phase(name, count)?);
    let mut told = Ok(());
    let mut progress = |given: u64| {
        let mut phase = phase.borrow_mut();
        let done = phase.done();
        told = phase.advance(given - done);
    };
    store.load(&mut pairs.range(0..count, &mut progress))?;
    told?;
    let mut phase = phase.into_inner();
    phase.advance(count - phase.done())?;
    Ok(context.recorder.measured(phase.rate())?)
}

/// Measures the disk as this job finds it, without any engine: what a durable figure has to be held against, since disks
/// have moods.
fn measure_bare_sync(context: &Context<'_>) -> Result<()> {
    let latency = measure_syncs(context.directory, 50)?.latency();
    let mut measurement = Measurement::new("a bare sync, no engine", Unit::Seconds, latency.p50_us / 1e6);
    measurement.latency = Some(latency);
    Ok(context.recorder.measured(measurement)?)
}

/// Fails when an answer is not the one that it has to be.
fn expect<T: PartialEq + Display>(what: &str, expected: T, found: T) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("wrong answer: {what}: {found}, expected {expected}").into()),
    }
}
