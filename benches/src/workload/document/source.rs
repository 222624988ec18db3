//! Which documents, and which questions.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::question::Question;
use crate::Result;
use crate::dataset::corpus::Corpus;
use crate::engine::{Find, Operator};
use crate::run::Profile;

/// What the documents are, and what they are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentSource {
    /// A known corpus with fixed questions.
    Corpus(Corpus),
    /// The user's own.
    Lines {
        /// A file with an object on each line, plain or compressed with zstd.
        documents: PathBuf,
        /// A file with a [`Find`] on each line.
        questions: PathBuf,
    },
}

impl DocumentSource {
    /// The corpora of a profile, those that are missing included; external ones are looked for in `data`.
    #[must_use]
    pub fn all(profile: Profile, data: Option<&Path>) -> Vec<DocumentSource> {
        let data = data.map(Path::to_path_buf);
        let corpora = match profile {
            Profile::Quick => {
                vec![Corpus::Generated { documents: 20_000 }, Corpus::Sources, Corpus::Movies(data)]
            }
            Profile::Full => vec![
                Corpus::Generated { documents: 200_000 },
                Corpus::Sources,
                Corpus::Movies(data.clone()),
                Corpus::Tate(data),
            ],
        };
        corpora.into_iter().map(DocumentSource::Corpus).collect()
    }

    /// What tables call it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("documents: {}", self.corpus().name())
    }

    /// Why it cannot be measured, if it cannot: the documents are not there, or a line of the questions is wrong.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        self.corpus().missing().or_else(|| self.questions().err().map(|error| error.to_string()))
    }

    pub(super) fn corpus(&self) -> Corpus {
        match self {
            DocumentSource::Corpus(corpus) => corpus.clone(),
            DocumentSource::Lines { documents, .. } => Corpus::Lines(documents.clone()),
        }
    }

    /// What is asked.
    pub(super) fn questions(&self) -> Result<Vec<Question>> {
        match self {
            DocumentSource::Corpus(Corpus::Generated { .. }) => Ok(of_customers()),
            DocumentSource::Corpus(Corpus::Sources) => Ok(of_sources()),
            DocumentSource::Corpus(Corpus::Movies(_)) => Ok(of_movies()),
            DocumentSource::Corpus(Corpus::Tate(_)) => Ok(of_artworks()),
            DocumentSource::Corpus(Corpus::Lines(_)) => Ok(Vec::new()),
            DocumentSource::Lines { questions, .. } => Question::read(questions),
        }
    }
}

fn all() -> Find {
    Find::default()
}

fn of_customers() -> Vec<Question> {
    let city = all().and("address.city", Operator::Eq, "delta");
    let age = all().and("age", Operator::Ge, 30).and("age", Operator::Lt, 35);
    vec![
        Question::find(all().and("number", Operator::Eq, 7777)),
        Question::find(city.clone()),
        Question::count(city.clone()),
        Question::find(age.clone()),
        Question::count(age),
        Question::find(all().and("tags", Operator::Contains, "kelp")),
        Question::find(city.and("age", Operator::Ge, 90)),
        Question::find(all().by("score", true).window(0, 20)),
        Question::find(all().and("age", Operator::Ge, 90).by("balance", false).window(0, 20)),
    ]
}

fn of_sources() -> Vec<Question> {
    let package = all().and("crate.name", Operator::Eq, "tokio");
    let size = all().and("bytes", Operator::Ge, 2_000).and("bytes", Operator::Lt, 2_500);
    vec![
        Question::find(all().and("name", Operator::Eq, "flush")),
        Question::find(package.clone()),
        Question::count(package),
        Question::find(size.clone()),
        Question::count(size),
        Question::find(all().and("words", Operator::Contains, "buffer")),
        Question::find(all().and("kind", Operator::Eq, "trait").and("lines", Operator::Ge, 50)),
        Question::find(all().by("bytes", true).window(0, 20)),
        Question::find(all().and("kind", Operator::Eq, "enum").by("name", false).window(0, 20)),
    ]
}

fn of_movies() -> Vec<Question> {
    let years = all().and("year", Operator::Ge, 1990).and("year", Operator::Lt, 1995);
    vec![
        Question::find(all().and("title", Operator::Eq, "Alien")),
        Question::find(all().and("year", Operator::Eq, 1994)),
        Question::find(years.clone()),
        Question::count(years),
        Question::find(all().and("genres", Operator::Contains, "Science Fiction")),
        Question::find(all().and("cast", Operator::Contains, "Tom Hanks")),
        Question::find(all().by("title", false).window(0, 20)),
        Question::find(all().and("genres", Operator::Contains, "Drama").by("year", true).window(0, 20)),
    ]
}

fn of_artworks() -> Vec<Question> {
    let born = "contributors.0.birthYear";
    let romantic = all().and(born, Operator::Ge, 1770).and(born, Operator::Lt, 1775);
    vec![
        Question::find(all().and("acno", Operator::Eq, "A00001")),
        Question::find(all().and("contributors.0.fc", Operator::Eq, "William Blake")),
        Question::find(romantic.clone()),
        Question::count(romantic),
        Question::find(all().and("acquisitionYear", Operator::Eq, 1922).and(born, Operator::Lt, 1800)),
        Question::find(all().by("title", false).window(0, 20)),
    ]
}
