//! What a whole run found, as it is kept in JSON and shown as Markdown and as a page.

mod axis;
mod block;
mod comparison;
mod curves;
mod figure;
#[cfg(test)]
mod fixture;
mod html;
mod markdown;
mod plot;
mod spread;
mod standing;
mod story;
mod summary;
mod tables;
mod targets;
#[cfg(test)]
mod tests;
mod text;

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::comparison::{Change, Comparison, Drift, Verdict};
pub use self::spread::Spread;
pub use self::standing::{Rival, Standing};
pub use self::summary::{Answer, Cell, Row, Summary, Table};
pub use self::targets::Aim;
use crate::engine::{Engine, EngineOptions};
use crate::machine::Machine;
use crate::measure::{Measurement, Resources};

/// The version of the JSON form; a file with another one is refused.
pub const FORMAT: u32 = 2;

/// Everything that a run found. Written after each job, so that an interrupted run leaves a valid one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// When it began, in UTC, as RFC 3339 has it.
    pub started: String,
    /// How long it took until it was written.
    pub elapsed_s: f64,
    /// The command's arguments.
    pub command: String,
    /// Git's name for the sources, with `-dirty` behind it when they were changed; empty outside a repository.
    pub revision: String,
    /// Where it ran.
    pub machine: Machine,
    /// How it ran: what all rows of all tables have in common.
    pub conditions: Vec<String>,
    /// The engines in the order of the columns. The first is the one that the others are compared with.
    pub engines: Vec<EngineInfo>,
    /// What each job found, in the order in which they ran.
    pub outcomes: Vec<Outcome>,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
    /// What was still to come: the run was interrupted, or is still going on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

/// An engine as it was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// What tables call it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its settings.
    pub configuration: Vec<String>,
}

impl EngineInfo {
    /// What an engine says about itself.
    #[must_use]
    pub fn of(engine: &dyn Engine, options: &EngineOptions) -> EngineInfo {
        EngineInfo {
            name: engine.name().to_owned(),
            version: engine.version(),
            configuration: engine.configuration(options),
        }
    }
}

/// What one job, a workload on an engine in one round, found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The workload; the title of a table.
    pub workload: String,
    /// One sentence about it: sizes, durability, memory.
    pub description: String,
    /// The engine.
    pub engine: String,
    /// The round, from 0.
    pub round: u32,
    /// The figures, in the order in which they were found; fewer than in other rounds when the job failed.
    pub measurements: Vec<Measurement>,
    /// What the process took.
    pub resources: Resources,
    /// Why it ended early, if it did; a wrong answer, for one.
    pub failure: Option<String>,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What would have been measured.
    pub what: String,
    /// Why it was not.
    pub why: String,
}

/// A job that had still to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The workload.
    pub workload: String,
    /// The engine.
    pub engine: String,
    /// The round, from 0.
    pub round: u32,
}

impl Report {
    /// True when no job was still to come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Writes `report.json`, `report.md` and `report.html` into a directory; what was there is replaced as a whole or
    /// not at all.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let summary = Summary::of(self);
        let files = [
            ("report.json", serde_json::to_string_pretty(self)?),
            ("report.md", markdown::render(self, &summary)),
            ("report.html", html::render(self, &summary)),
        ];
        for (name, text) in files {
            let unfinished = directory.join(format!(".{name}.unfinished"));
            fs::write(&unfinished, text)?;
            fs::rename(&unfinished, directory.join(name))?;
        }
        Ok(())
    }

    /// Reads a `report.json`.
    ///
    /// # Errors
    /// Those of reading; `InvalidData` for a file that is none, or has another format.
    pub fn read(file: &Path) -> io::Result<Report> {
        let invalid =
            |message: String| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {message}", file.display()));
        let text = fs::read_to_string(file)?;
        let report: Report = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if report.format != FORMAT {
            return Err(invalid(format!("its format is {}, not {FORMAT}", report.format)));
        }
        Ok(report)
    }

    /// What the first engine shall reach and whether it does, with the figures of all engines, as a table for a terminal;
    /// `None` when it shall reach nothing.
    #[must_use]
    pub fn targets(&self) -> Option<String> {
        targets::grid(self, &Summary::of(self), true).map(|grid| text::write(&grid))
    }

    /// The jobs that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.failure.is_some())
    }
}
