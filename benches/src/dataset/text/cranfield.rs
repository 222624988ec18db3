//! The Cranfield collection: 1,400 abstracts, 225 questions, and who has judged which of them to answer which.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::dataset::{Matrix, read_vectors};

const DOCUMENTS: &str = "cranfield/cran.all.1400";
const QUESTIONS: &str = "cranfield/cran.qry";
const JUDGEMENTS: &str = "cranfield/cranqrel";
const DOCUMENT_VECTORS: &str = "cranfield/docs-minilm-384.f16.npy";
const QUESTION_VECTORS: &str = "cranfield/queries-minilm-384.f16.npy";

/// The collection, with the vectors of a language model (MiniLM) beside documents and questions.
#[derive(Clone, Debug)]
pub struct Cranfield {
    /// Title and abstract of each document.
    pub documents: Vec<String>,
    /// The questions.
    pub questions: Vec<String>,
    /// For each question what each document gains that was judged: 4 for a complete answer down to 1.
    pub gains: Vec<HashMap<u64, f64>>,
    /// A vector for each document.
    pub document_vectors: Matrix,
    /// A vector for each question.
    pub question_vectors: Matrix,
}

impl Cranfield {
    /// Why it cannot be read, if it cannot.
    #[must_use]
    pub fn missing(data: Option<&Path>) -> Option<String> {
        let Some(data) = data else { return Some(format!("{DOCUMENTS} is looked for in the directory of --data")) };
        let files = [DOCUMENTS, QUESTIONS, JUDGEMENTS, DOCUMENT_VECTORS, QUESTION_VECTORS];
        let missing = files.into_iter().find(|file| !data.join(file).is_file())?;
        Some(format!("{missing} is not in {}", data.display()))
    }

    /// Reads it.
    ///
    /// # Errors
    /// When a file is not there, or is something else.
    pub fn read(data: &Path) -> Result<Cranfield> {
        let text = |file: &str| fs::read_to_string(data.join(file)).map_err(|error| format!("{file}: {error}"));
        let documents = records(&text(DOCUMENTS)?).map(|record| fields(record, &[".T", ".W"])).collect::<Vec<_>>();
        let questions = records(&text(QUESTIONS)?).map(|record| fields(record, &[".W"])).collect::<Vec<_>>();
        let gains = gains(&text(JUDGEMENTS)?, questions.len(), documents.len())?;
        let document_vectors = read_vectors(&data.join(DOCUMENT_VECTORS), None)?;
        let question_vectors = read_vectors(&data.join(QUESTION_VECTORS), None)?;
        let found = [document_vectors.rows(), question_vectors.rows()];
        if found != [documents.len(), questions.len()] {
            let of = [documents.len(), questions.len()];
            return Err(format!("{found:?} vectors of {of:?} documents and questions").into());
        }
        Ok(Cranfield { documents, questions, gains, document_vectors, question_vectors })
    }
}

/// What lies between two lines that begin with `.I`.
fn records(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n.I ").filter(|record| !record.trim().is_empty())
}

/// The text of some fields, each of which begins with a line of a dot and a letter.
fn fields(record: &str, wanted: &[&str]) -> String {
    let (mut is_wanted, mut text) = (false, String::new());
    for line in record.lines() {
        let name = line.trim_end();
        if name.len() == 2 && name.starts_with('.') && name.ends_with(|letter: char| letter.is_ascii_uppercase()) {
            is_wanted = wanted.contains(&name);
        } else if is_wanted {
            text.push_str(line);
            text.push(' ');
        }
    }
    text
}

/// Each line has the numbers of a question and of a document, from 1, and a grade, of which 1 is the best.
fn gains(judgements: &str, questions: usize, documents: usize) -> Result<Vec<HashMap<u64, f64>>> {
    let mut gains = vec![HashMap::new(); questions];
    for (number, line) in (1..).zip(judgements.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let numbers = line.split_whitespace().map(str::parse::<i64>).collect::<std::result::Result<Vec<_>, _>>();
        let numbers = numbers.map_err(|error| format!("{JUDGEMENTS}, line {number}: {error}"))?;
        let [question, document, grade] = numbers[..] else {
            return Err(format!("{JUDGEMENTS}, line {number}: {} numbers in place of three", numbers.len()).into());
        };
        let below = |number: i64, count: usize| usize::try_from(number - 1).ok().filter(|&place| place < count);
        let (Some(question), Some(document)) = (below(question, questions), below(document, documents)) else {
            return Err(format!("{JUDGEMENTS}, line {number}: there is no such question or document").into());
        };
        if (1..=4).contains(&grade) {
            gains[question].insert(document as u64, (5 - grade) as f64);
        }
    }
    Ok(gains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_fields_and_a_line_of_text_may_begin_with_a_dot() {
        let text = ".I 1\n.T\na wing\n.A\nsomebody\n.W\na wing\n.5 of a wing\n.I 2\n.T\n.W\nflow\n";
        let found: Vec<String> = records(text).map(|record| fields(record, &[".T", ".W"])).collect();
        assert_eq!(found, ["a wing a wing .5 of a wing ", "flow "]);
    }

    #[test]
    fn better_grades_gain_more_and_those_beyond_four_nothing() {
        let found = gains("1 2 1\n1 1 4\n2 1 5\n2 2 -1 \n", 2, 2).unwrap();
        assert_eq!(found[0], HashMap::from([(1, 4.0), (0, 1.0)]));
        assert!(found[1].is_empty());
        let message = gains("1 3 1\n", 2, 2).unwrap_err().to_string();
        assert_eq!(message, "cranfield/cranqrel, line 1: there is no such question or document");
    }
}
