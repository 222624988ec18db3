//! The process of its own that a job runs in.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::job::{Job, Message, Task};
use crate::Result;
use crate::engine::{Engine, EngineOptions};
use crate::measure::Resources;
use crate::report::EngineInfo;
use crate::workload::{Context, Recorder};

/// Reads a [`Task`] from the standard input and does it.
#[must_use]
pub fn serve(engines: &[&'static dyn Engine]) -> ExitCode {
    match try_to_serve(engines) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The one who has asked reads it from the pipe.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn try_to_serve(engines: &[&'static dyn Engine]) -> Result<()> {
    let mut task = String::new();
    io::stdin().read_to_string(&mut task)?;
    match serde_json::from_str(&task)? {
        Task::Describe { engine, cache_bytes } => describe(find(engines, &engine)?, cache_bytes),
        Task::Run(job) => run(find(engines, &job.engine)?, &job),
        Task::Errand { engine, directory, cache_bytes, seed, errand } => {
            errand.serve(find(engines, &engine)?, &EngineOptions { directory, cache_bytes }, seed)
        }
    }
}

fn find(engines: &[&'static dyn Engine], name: &str) -> Result<&'static dyn Engine> {
    let engine = engines.iter().find(|engine| engine.name() == name);
    engine.copied().ok_or_else(|| format!("there is no engine '{name}' in this program").into())
}

fn describe(engine: &dyn Engine, cache_bytes: usize) -> Result<()> {
    let info = EngineInfo::of(engine, &EngineOptions { directory: PathBuf::new(), cache_bytes });
    Ok(serde_json::to_writer(io::stdout(), &info)?)
}

fn run(engine: &dyn Engine, job: &Job) -> Result<()> {
    let recorder = Recorder::new(|event| tell(&Message::Event(event)));
    let context = Context {
        directory: &job.directory,
        kept: &job.kept,
        cache_bytes: job.cache_bytes,
        memory_group: job.memory_group.as_deref(),
        seed: job.seed,
        recorder: &recorder,
    };
    let failure = job.workload.run(engine, &context).err().map(|error| error.to_string());
    Ok(tell(&Message::Ended { resources: Resources::now(), failure })?)
}

fn tell(message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
