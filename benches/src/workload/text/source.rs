//! Where texts and the questions about them come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::question::{self, Question};
use crate::Result;
use crate::dataset::corpus::Corpus;
use crate::dataset::text::TextSet;

/// Texts to be searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextSource {
    /// 36,273 films, title and description in one text; looked for in a directory.
    Movies {
        /// The directory with the external data sets.
        data: Option<PathBuf>,
    },
    /// Texts of about 60 words, whose frequencies are those of a language.
    Generated {
        /// How many.
        rows: u64,
    },
}

/// So many generated texts have their questions in a file.
const GENERATED: u64 = 1_000_000;
const MOVIES_QUESTIONS: &str = include_str!("../../../queries/movies.txt");
const GENERATED_QUESTIONS: &str = include_str!("../../../queries/generated.txt");

impl TextSource {
    /// Those whose questions are in files, with the names of the files.
    #[must_use]
    pub fn with_files(data: Option<PathBuf>) -> [(&'static str, TextSource); 2] {
        [("movies.txt", TextSource::Movies { data }), ("generated.txt", TextSource::Generated { rows: GENERATED })]
    }

    pub(super) fn name(&self) -> String {
        match self {
            TextSource::Movies { .. } => "films".to_owned(),
            TextSource::Generated { rows } => format!("generated, {rows}"),
        }
    }

    pub(super) fn description(&self) -> String {
        match self {
            TextSource::Movies { .. } => "36273 films, title and description in one text.".to_owned(),
            TextSource::Generated { rows } => format!(
                "{rows} texts of 40 to 80 words by Zipf's law, of which one in five is a word that the text has before."
            ),
        }
    }

    /// Why it cannot be read, if it cannot.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        match self {
            TextSource::Movies { data } => Corpus::Movies(data.clone()).missing(),
            TextSource::Generated { .. } => None,
        }
    }

    /// Bytes of the texts, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            TextSource::Movies { .. } => 20 << 20,
            TextSource::Generated { rows } => 330 * rows,
        }
    }

    /// Reads or makes the texts.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn texts(&self) -> Result<TextSet> {
        match self {
            TextSource::Movies { data } => TextSet::movies(data.as_deref()),
            TextSource::Generated { rows } => Ok(TextSet::generated(*rows)),
        }
    }

    /// The questions that the rule makes of the texts, as they are kept in a file of `benches/queries`.
    ///
    /// # Errors
    /// Those of reading the texts.
    pub fn made_questions(&self) -> Result<String> {
        Ok(question::write(&question::make(&self.texts()?)))
    }

    /// The questions about them: those of a file, or such as the rule makes that made the file.
    pub(super) fn questions(&self, texts: &TextSet) -> Result<Vec<Question>> {
        match self {
            TextSource::Movies { .. } => question::read(MOVIES_QUESTIONS),
            TextSource::Generated { rows: GENERATED } => question::read(GENERATED_QUESTIONS),
            TextSource::Generated { .. } => Ok(question::make(texts)),
        }
    }
}
