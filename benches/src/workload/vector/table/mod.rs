//! The vectors' own table: Blaze beside libraries that do nothing but look for the nearest vectors, and beside brute force;
//! then what only a database has to answer for: documents, durable commits, opening again. Each row with a target says what
//! Blaze shall reach.

mod build;
mod changes;
mod curve;
mod documents;
mod films;
mod filtered;
mod ranks;
mod reopen;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::answers::Judge;
use super::{VectorSource, metric_name};
use crate::Result;
use crate::dataset::{Clustered, Matrix};
use crate::engine::{Engine, EngineOptions, Items, VectorOptions, Vectors};
use crate::measure::{Measurement, Target, Unit};
use crate::workload::{Context, Phase};

/// A part of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorTable {
    /// Which.
    pub part: VectorPart,
}

/// The parts of the table. Each is a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VectorPart {
    /// Queries a second by recall.
    Curve(VectorSource),
    /// The time to build, by one thread and by two, and the memory that it takes.
    Build(VectorSource),
    /// Deleting and inserting half of the vectors, five times over.
    Changes(VectorSource),
    /// Filters that keep few or many of so many generated vectors.
    Filters {
        /// Vectors.
        rows: u64,
    },
    /// Questions about films, each with its years and its genre.
    Films {
        /// The directory with the external data sets.
        data: Option<PathBuf>,
    },
    /// Opening a database with so many generated vectors again.
    Reopen {
        /// Vectors.
        rows: u64,
    },
    /// Single durable inserts beside so many generated vectors.
    Inserts {
        /// Vectors.
        rows: u64,
        /// Numbers of each.
        dimensions: usize,
    },
    /// Durable commits of something else while vectors are committed a thousand at a time.
    Commits {
        /// Vectors that are there before.
        rows: u64,
    },
}

/// Neighbours that every search asks for.
const K: usize = 10;
/// The dimensions of generated vectors, where a part does not say otherwise.
const DIMENSIONS: usize = 128;
/// The rivals that targets name.
const HNSWLIB: &str = "hnswlib";
const SVS: &str = "svs";
const SVS_FLOAT16: &str = "svs-float16";
const BARE_INDEX: &str = "bare-index";
const BRUTE_FORCE: &str = "brute-force";

impl VectorPart {
    /// All parts, with so many generated vectors where there are most; those of files are looked for in `data`.
    #[must_use]
    pub fn all(rows: u64, data: Option<PathBuf>) -> Vec<VectorPart> {
        let fashion = VectorSource::FashionMnist { data: data.clone() };
        let films = VectorSource::Movies { data: data.clone() };
        vec![
            VectorPart::Curve(fashion.clone()),
            VectorPart::Curve(VectorSource::FashionMnistRotated { data: data.clone() }),
            VectorPart::Curve(films.clone()),
            VectorPart::Curve(generated(rows, DIMENSIONS)),
            VectorPart::Build(fashion),
            VectorPart::Build(films),
            VectorPart::Build(generated((rows / 20).max(1), 768)),
            VectorPart::Changes(generated((rows / 20).max(1), DIMENSIONS)),
            VectorPart::Filters { rows },
            VectorPart::Films { data },
            VectorPart::Reopen { rows },
            VectorPart::Inserts { rows, dimensions: DIMENSIONS },
            VectorPart::Inserts { rows, dimensions: 768 },
            VectorPart::Commits { rows: (rows / 10).max(1) },
        ]
    }

    fn source(&self) -> Option<&VectorSource> {
        match self {
            VectorPart::Curve(source) | VectorPart::Build(source) | VectorPart::Changes(source) => Some(source),
            _ => None,
        }
    }

    /// Why it cannot run, if it cannot.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        match self {
            VectorPart::Films { data } => films::missing(data.as_deref()),
            _ => self.source()?.missing(),
        }
    }

    /// Bytes of the vectors in single precision, about.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        let numbers = match self {
            VectorPart::Curve(source) | VectorPart::Build(source) | VectorPart::Changes(source) => source.numbers(),
            VectorPart::Films { data } => VectorSource::Movies { data: data.clone() }.numbers(),
            VectorPart::Filters { rows } | VectorPart::Reopen { rows } | VectorPart::Commits { rows } => {
                rows * DIMENSIONS as u64
            }
            VectorPart::Inserts { rows, dimensions } => rows * *dimensions as u64,
        };
        4 * numbers
    }

    fn title(&self) -> String {
        let of = |source: &VectorSource| source.name().trim_start_matches("vectors, ").to_owned();
        match self {
            VectorPart::Curve(source) => format!("search, {}", of(source)),
            VectorPart::Build(source) => format!("build, {}", of(source)),
            VectorPart::Changes(source) => format!("changes, {}", of(source)),
            VectorPart::Filters { rows } => format!("filters, clustered, {rows} × {DIMENSIONS}"),
            VectorPart::Films { .. } => "filters, films by years and genre".to_owned(),
            VectorPart::Reopen { rows } => format!("reopen, {rows} × {DIMENSIONS}"),
            VectorPart::Inserts { rows, dimensions } => format!("durable inserts, {rows} × {dimensions}"),
            VectorPart::Commits { rows } => format!("commits of something else, {rows} × {DIMENSIONS}"),
        }
    }
}

impl VectorTable {
    /// True when only a database can do it.
    #[must_use]
    pub fn needs_documents(&self) -> bool {
        matches!(self.part, VectorPart::Reopen { .. } | VectorPart::Inserts { .. } | VectorPart::Commits { .. })
    }

    pub(in crate::workload) fn is_durable(&self) -> bool {
        matches!(self.part, VectorPart::Inserts { .. } | VectorPart::Commits { .. })
    }

    pub(in crate::workload) fn name(&self) -> String {
        format!("vectors: {}", self.part.title())
    }

    pub(in crate::workload) fn description(&self) -> String {
        let about = |source: &VectorSource| {
            format!("{} Near means near by {}.", source.description(), metric_name(source.metric()))
        };
        match &self.part {
            VectorPart::Curve(source) => format!("{} {}", about(source), curve::DESCRIPTION),
            VectorPart::Build(source) => format!("{} {}", about(source), build::DESCRIPTION),
            VectorPart::Changes(source) => format!("{} {}", about(source), changes::DESCRIPTION),
            VectorPart::Filters { rows } => {
                format!("{} {}", generated(*rows, DIMENSIONS).description(), filtered::DESCRIPTION)
            }
            VectorPart::Films { .. } => films::DESCRIPTION.to_owned(),
            VectorPart::Reopen { rows } => {
                format!("{} {}", generated(*rows, DIMENSIONS).description(), reopen::DESCRIPTION)
            }
            VectorPart::Inserts { rows, dimensions } => {
                format!("{} {}", generated(*rows, *dimensions).description(), documents::INSERTS)
            }
            VectorPart::Commits { rows } => {
                format!("{} {}", generated(*rows, DIMENSIONS).description(), documents::COMMITS)
            }
        }
    }

    pub(in crate::workload) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let run = Run { engine, context };
        match &self.part {
            VectorPart::Curve(source) => curve::run(&run, source),
            VectorPart::Build(source) => build::run(&run, source),
            VectorPart::Changes(source) => changes::run(&run, source),
            VectorPart::Filters { rows } => filtered::run(&run, *rows),
            VectorPart::Films { data } => films::run(&run, data.as_deref()),
            VectorPart::Reopen { rows } => reopen::run(&run, *rows),
            VectorPart::Inserts { rows, dimensions } => documents::inserts(&run, *rows, *dimensions),
            VectorPart::Commits { rows } => documents::commits(&run, *rows),
        }
    }

    /// Loads generated vectors into the collection with the index, and closes the database: what another process does before
    /// it is opened again.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn load(engine: &dyn Engine, options: &EngineOptions, rows: u64, seed: u64) -> Result<()> {
        reopen::load(engine, options, rows, seed)
    }

    /// Opens what [`load`](VectorTable::load) has left, and asks: how that went, for the job that wants it done by a process
    /// that has never seen it.
    ///
    /// # Errors
    /// Those of the engine, and a wrong answer.
    pub fn open(engine: &dyn Engine, options: &EngineOptions, rows: u64, seed: u64) -> Result<impl Serialize> {
        reopen::open(engine, options, rows, seed)
    }
}

/// Generated vectors, a thousand in a cluster.
fn generated(rows: u64, dimensions: usize) -> VectorSource {
    VectorSource::Clustered { rows, dimensions, clusters: clusters(rows) }
}

fn clusters(rows: u64) -> usize {
    (rows / 1000).max(1) as usize
}

fn mixture(rows: u64, dimensions: usize, seed: u64) -> Clustered {
    Clustered::new(seed, dimensions, clusters(rows))
}

/// A part that is running.
struct Run<'a> {
    engine: &'a dyn Engine,
    context: &'a Context<'a>,
}

impl Run<'_> {
    fn phase(&self, name: &str, total: u64) -> Result<Phase<'_>> {
        Ok(self.context.recorder.phase(name, total)?)
    }

    fn measured(&self, measurement: Measurement) -> Result<()> {
        Ok(self.context.recorder.measured(measurement)?)
    }

    fn share(&self, name: impl Into<String>, share: f64) -> Result<()> {
        self.measured(Measurement::new(name, Unit::Share, share))
    }

    /// The truth about the nearest vectors, from a job before this one if there was one.
    fn judge<'a>(&self, vectors: &'a Matrix, queries: &'a Matrix, name: &str) -> Result<Judge<'a>> {
        self.phase("the true neighbours of the queries", 0)?;
        Judge::kept(vectors, queries, K, &self.context.kept.join(format!("{name}.json")))
    }

    /// An empty index in a directory of its own.
    fn open(&self, name: &str, options: &VectorOptions) -> Result<Box<dyn Vectors>> {
        let directory = self.context.directory.join(name);
        std::fs::create_dir(&directory)?;
        self.engine.open_vectors(&EngineOptions { directory, ..self.context.options() }, options)
    }

    /// Where an index with so many connections is kept for the next round.
    fn kept(&self, connections: usize) -> Option<PathBuf> {
        Some(self.context.kept.join(format!("{}-{connections}", self.engine.name())))
    }

    /// Loads an index; the seconds that it took.
    fn load(&self, index: &dyn Vectors, items: Items<'_>, name: &str) -> Result<f64> {
        let rows = items.vectors.rows() as u64;
        let mut phase = self.phase(name, rows)?;
        let mut told = Ok(());
        let took = index.load(items, &mut |done| {
            let new = done.saturating_sub(phase.done());
            told = phase.advance(new);
        })?;
        told?;
        Ok(took.as_secs_f64())
    }
}

/// A target beside hnswlib.
fn beside_hnswlib(times: f64) -> Target {
    Target::times(HNSWLIB, times)
}

/// All threads that there are.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
