//! Questions about films, each with its years and its genre.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::super::answers::Judge;
use super::{BRUTE_FORCE, K, Run, curve, threads};
use crate::Result;
use crate::dataset::Matrix;
use crate::dataset::corpus::{Corpus, for_each_line};
use crate::engine::{Condition, Items, Operator, Properties, VectorFilter, VectorOptions, VectorSkill, Vectors};
use crate::measure::{Measurement, Target, Unit};
use crate::workload::vector::VectorSource;

pub(super) const DESCRIPTION: &str = "Descriptions of 36273 films as vectors of 384 numbers by a language model (MiniLM), each \
    with the year and the genres of its film beside it and ordinary indexes on both; 500 questions, each with a decade and a \
    genre that all of its answers must have. Near means near by angle. Queries a second are those at recall 0.95, interpolated; at \
    each effort, each question is asked once before the clock runs, so that what a product keeps of its filter is there; brute \
    force compares the question with the matching films alone, which lie one after the other in memory.";

const QUESTIONS: &str = "movies-queries.jsonl";
const RECALL: f64 = 0.95;
/// All questions that there are.
const QUERIES: usize = 500;

pub(super) fn missing(data: Option<&Path>) -> Option<String> {
    let source = VectorSource::Movies { data: data.map(Path::to_path_buf) };
    let films = Corpus::Movies(data.map(Path::to_path_buf));
    source.missing().or_else(|| films.missing()).or_else(|| {
        let data = data?;
        (!data.join(QUESTIONS).is_file()).then(|| format!("{QUESTIONS} is not in {}", data.display()))
    })
}

/// What is known of each film.
struct Films {
    all: Vec<Film>,
}

#[derive(Deserialize)]
struct Film {
    year: i64,
    #[serde(default)]
    genres: Vec<String>,
}

/// What the answers to a question must have.
#[derive(Deserialize)]
struct Question {
    year_from: Option<i64>,
    year_to: Option<i64>,
    genre: Option<String>,
}

/// A question with everything that is known about it before it is asked.
struct Asked {
    filter: VectorFilter,
    /// The rows that match.
    rows: Vec<usize>,
    matching: Matrix,
    query: Matrix,
}

impl Films {
    fn read(data: Option<PathBuf>) -> Result<Films> {
        let mut all = Vec::new();
        Corpus::Movies(data).for_each(|line| {
            all.push(serde_json::from_str(line)?);
            Ok(())
        })?;
        Ok(Films { all })
    }

    fn filter(&self, question: &Question) -> VectorFilter {
        let Question { year_from, year_to, genre } = question;
        let from = year_from.map(|year| Condition::new("year", Operator::Ge, year));
        let to = year_to.map(|year| Condition::new("year", Operator::Le, year));
        let of = genre.as_deref().map(|genre| Condition::new("genres", Operator::Contains, genre));
        let matches = |film: &Film| {
            year_from.is_none_or(|year| film.year >= year)
                && year_to.is_none_or(|year| film.year <= year)
                && genre.as_ref().is_none_or(|genre| film.genres.contains(genre))
        };
        VectorFilter {
            conditions: [from, to, of].into_iter().flatten().collect(),
            matching: self.all.iter().map(matches).collect(),
        }
    }
}

impl Properties for Films {
    fn names(&self) -> Vec<&str> {
        vec!["year", "genres"]
    }

    fn of(&self, row: usize) -> Map<String, Json> {
        let Film { year, genres } = &self.all[row];
        let distinct: BTreeSet<&String> = genres.iter().collect();
        [("year", Json::from(*year)), ("genres", distinct.into_iter().cloned().collect())]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }
}

pub(super) fn run(run: &Run<'_>, data: Option<&Path>) -> Result<()> {
    let source = VectorSource::Movies { data: data.map(Path::to_path_buf) };
    run.phase("vectors", 0)?;
    let (vectors, queries) = source.load(QUERIES, run.context.seed)?;
    let options = VectorOptions {
        threads: threads(),
        kept: run.kept(16),
        ..VectorOptions::new(vectors.dimensions(), source.metric())
    };
    let index = run.open("index", &options)?;
    if index.lacks(VectorSkill::Filters) {
        return Ok(());
    }
    let films = Films::read(data.map(Path::to_path_buf))?;
    if films.all.len() != vectors.rows() {
        return Err(format!("there are {} films and {} vectors of films", films.all.len(), vectors.rows()).into());
    }
    run.load(&*index, Items { vectors: &vectors, properties: Some(&films) }, "build")?;
    let asked = asked(&films, &data.unwrap_or(Path::new("")).join(QUESTIONS), &vectors, &queries)?;
    search(run, &*index, &asked)
}

/// All questions that have an answer.
fn asked(films: &Films, file: &Path, vectors: &Matrix, queries: &Matrix) -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for_each_line(file, |number, line| {
        let place = number as usize - 1;
        if place >= queries.rows() {
            return Ok(());
        }
        let filter = films.filter(&serde_json::from_str(line)?);
        let rows: Vec<usize> = (0..vectors.rows()).filter(|&row| filter.matching[row]).collect();
        if !rows.is_empty() {
            let (matching, query) = (vectors.select(rows.iter().copied()), queries.select([place]));
            asked.push(Asked { filter, rows, matching, query });
        }
        Ok(())
    })?;
    Ok(asked)
}

fn search(run: &Run<'_>, index: &dyn Vectors, asked: &[Asked]) -> Result<()> {
    let judges: Vec<Judge<'_>> = asked.iter().map(|asked| Judge::new(&asked.matching, &asked.query, K)).collect();
    let (mut curve, mut full) = (Vec::new(), 0);
    for effort in index.efforts() {
        let mut phase = run.phase(&format!("questions, effort {effort}"), asked.len() as u64)?;
        let (mut duration, mut recall) = (Duration::ZERO, 0.0);
        full = 0;
        for (asked, judge) in asked.iter().zip(&judges) {
            index.filter(Some(&asked.filter))?;
            index.search_all(&asked.query, K, effort)?; // the filter's rows and keys are read once before the clock runs
            let mut batch = index.search_all(&asked.query, K, effort)?;
            duration += batch.duration;
            for row in batch.answers.iter_mut().flatten() {
                let place = asked.rows.binary_search(&(*row as usize));
                *row = place.map_err(|_| format!("wrong answer: film {row} does not match"))? as u64;
            }
            recall += judge.recall_of(index, &batch.answers)?;
            full += usize::from(batch.answers.iter().all(|answer| answer.len() >= K.min(asked.rows.len())));
            phase.advance(1)?;
        }
        let count = asked.len().max(1) as f64;
        let queries_a_second = count / duration.as_secs_f64().max(1e-9);
        curve.push(curve::Found { effort, recall: recall / count, queries_a_second });
        if recall / count >= RECALL {
            break;
        }
    }
    index.filter(None)?;
    if let Some(queries) = curve::at(&curve, RECALL) {
        let measurement = Measurement::new("queries a second", Unit::OperationsPerSecond, queries);
        run.measured(measurement.target(Target::times(BRUTE_FORCE, 1.0)))?;
    }
    let Some(last) = curve.last() else { return Ok(()) };
    let recall = Measurement::new(format!("recall@{K}, with enough effort"), Unit::Share, last.recall);
    run.measured(recall.target(Target::Figure(RECALL)))?;
    let share = full as f64 / asked.len().max(1) as f64;
    let name = format!("answers with {K} films, or with all that match");
    run.measured(Measurement::new(name, Unit::Share, share).target(Target::Figure(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_matches_when_its_year_and_its_genre_do() {
        let film = |year, genre: &str| Film { year, genres: vec![genre.to_owned(), "Drama".to_owned()] };
        let films = Films {
            all: vec![film(1949, "Comedy"), film(1950, "Comedy"), film(1959, "Western"), film(1960, "Comedy")],
        };
        let question: Question =
            serde_json::from_str(r#"{"query": "x", "year_from": 1950, "year_to": 1959, "genre": "Comedy"}"#).unwrap();
        let filter = films.filter(&question);
        assert_eq!((filter.matching, filter.conditions.len()), (vec![false, true, false, false], 3));
        assert_eq!(films.of(2)["genres"], serde_json::json!(["Drama", "Western"]));
        let anything: Question = serde_json::from_str("{}").unwrap();
        assert!(films.filter(&anything).matching.iter().all(|matches| *matches));
    }
}
