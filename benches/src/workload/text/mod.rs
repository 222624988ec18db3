//! The texts' own table: Blaze beside a library that does nothing but search texts and beside SQLite's full-text index; then
//! what only a database has to answer for, durable writes; and whether what is found is what was looked for. Each row with a
//! target says what Blaze shall reach.

mod inserts;
mod interval;
mod question;
mod relevance;
mod search;
mod source;
#[cfg(test)]
mod tests;
mod truth;
mod unfolded;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::source::TextSource;
use super::{Context, Phase};
use crate::Result;
use crate::dataset::text::TextSet;
use crate::dataset::text::cranfield::Cranfield;
use crate::engine::{Engine, TextItems, Texts};
use crate::measure::Measurement;

/// A part of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextTable {
    /// Which.
    pub part: TextPart,
}

/// The parts of the table. Each is a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextPart {
    /// Building, size, and the time of questions by their class.
    Search(TextSource),
    /// The time of questions while a tenth of the texts is not worked into the index.
    Unfolded(TextSource),
    /// Single durable inserts without an index, with a small one and with a large one.
    Inserts {
        /// Texts in the large one.
        rows: u64,
    },
    /// Questions of the Cranfield collection: how good the answers are.
    Relevance {
        /// The directory with the external data sets.
        data: Option<PathBuf>,
    },
}

/// Texts that every search asks for.
const K: usize = 10;
/// The rivals that targets name.
const TANTIVY: &str = "tantivy";
const SQLITE: &str = "sqlite";

impl TextPart {
    /// All parts, with so many generated texts; those of files are looked for in `data`.
    #[must_use]
    pub fn all(rows: u64, data: Option<PathBuf>) -> Vec<TextPart> {
        let films = TextSource::Movies { data: data.clone() };
        let generated = TextSource::Generated { rows };
        vec![
            TextPart::Search(films.clone()),
            TextPart::Search(generated.clone()),
            TextPart::Unfolded(films),
            TextPart::Unfolded(generated),
            TextPart::Inserts { rows },
            TextPart::Relevance { data },
        ]
    }

    /// Why it cannot run, if it cannot.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        match self {
            TextPart::Search(source) | TextPart::Unfolded(source) => source.missing(),
            TextPart::Inserts { .. } => None,
            TextPart::Relevance { data } => Cranfield::missing(data.as_deref()),
        }
    }

    /// Bytes of the texts, about.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        match self {
            TextPart::Search(source) | TextPart::Unfolded(source) => source.bytes(),
            TextPart::Inserts { rows } => TextSource::Generated { rows: *rows }.bytes(),
            TextPart::Relevance { .. } => 2 << 20,
        }
    }
}

impl TextTable {
    /// True when only a database can do it.
    #[must_use]
    pub fn needs_documents(&self) -> bool {
        matches!(self.part, TextPart::Inserts { .. })
    }

    pub(super) fn is_durable(&self) -> bool {
        self.needs_documents()
    }

    pub(super) fn name(&self) -> String {
        let title = match &self.part {
            TextPart::Search(source) => format!("search, {}", source.name()),
            TextPart::Unfolded(source) => format!("a tenth unfolded, {}", source.name()),
            TextPart::Inserts { rows } => format!("durable inserts, {rows}"),
            TextPart::Relevance { .. } => "relevance, Cranfield".to_owned(),
        };
        format!("texts: {title}")
    }

    pub(super) fn description(&self) -> String {
        match &self.part {
            TextPart::Search(source) => format!("{} {}", source.description(), search::DESCRIPTION),
            TextPart::Unfolded(source) => format!("{} {}", source.description(), unfolded::DESCRIPTION),
            TextPart::Inserts { rows } => {
                format!("{} {}", TextSource::Generated { rows: *rows }.description(), inserts::DESCRIPTION)
            }
            TextPart::Relevance { .. } => relevance::DESCRIPTION.to_owned(),
        }
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let run = Run { engine, context };
        match &self.part {
            TextPart::Search(source) => search::run(&run, source),
            TextPart::Unfolded(source) => unfolded::run(&run, source),
            TextPart::Inserts { rows } => inserts::run(&run, *rows),
            TextPart::Relevance { data } => relevance::run(&run, data.as_deref()),
        }
    }
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

    fn texts(&self, source: &TextSource) -> Result<TextSet> {
        self.phase("texts", 0)?;
        source.texts()
    }

    /// Loads the first `rows` texts into an index; the seconds that it took.
    fn load(&self, index: &dyn Texts, items: TextItems<'_>, rows: u64) -> Result<f64> {
        let mut phase = self.phase("build", rows)?;
        let mut told = Ok(());
        let took = index.load(items, rows, &mut |done| {
            let new = done.saturating_sub(phase.done());
            told = phase.advance(new);
        })?;
        told?;
        Ok(took.as_secs_f64())
    }
}
