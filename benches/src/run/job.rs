//! What a process of its own is asked to do, and what it answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Errand;
use crate::measure::Resources;
use crate::workload::{Event, Workload};

/// What a worker process does; it reads it from its standard input, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Tells the version and the configuration of an engine, an [`EngineInfo`](crate::report::EngineInfo) in JSON.
    Describe {
        /// The engine.
        engine: String,
        /// Bytes for the engine's own cache.
        cache_bytes: usize,
    },
    /// Runs a job and tells about it, a message in JSON on each line of its standard output.
    Run(Job),
    /// Does something to a store that a job wants done by another process.
    Errand {
        /// The engine.
        engine: String,
        /// The store's directory.
        directory: PathBuf,
        /// Bytes for the engine's own cache.
        cache_bytes: usize,
        /// The seed of everything random.
        seed: u64,
        /// What to do.
        errand: Errand,
    },
}

/// One workload on one engine in one round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The engine.
    pub engine: String,
    /// The workload.
    pub workload: Workload,
    /// The round, from 0.
    pub round: u32,
    /// An empty directory.
    pub directory: PathBuf,
    /// A directory that all jobs of this workload have in common, for what takes long to make.
    pub kept: PathBuf,
    /// Bytes for the engine's own cache.
    pub cache_bytes: usize,
    /// The control group that limits memory, if one does; the workload says from when on.
    pub memory_group: Option<PathBuf>,
    /// The seed of everything random; the same for all engines and rounds.
    pub seed: u64,
}

/// What a worker tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Message {
    /// Something happened in the workload.
    Event(Event),
    /// The job is over.
    Ended {
        /// What it took.
        resources: Resources,
        /// Why it did not succeed, if it did not.
        failure: Option<String>,
    },
}
