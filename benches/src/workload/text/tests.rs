use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::*;
use crate::engine::{EngineOptions, Faculty, TextFormula, TextHit, TextQuestion, TextSize, TextSkill};
use crate::measure::Unit;
use crate::workload::measured::{measured, value};

/// Scores all texts, and says that a score is higher by a share of it.
struct Plain {
    more: f32,
}

struct PlainTexts {
    more: f32,
    texts: Mutex<Vec<Vec<String>>>,
}

impl Engine for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn version(&self) -> String {
        "1".to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::Texts]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        Vec::new()
    }

    fn open_texts(&self, _options: &EngineOptions) -> Result<Box<dyn Texts>> {
        Ok(Box::new(PlainTexts { more: self.more, texts: Mutex::default() }))
    }
}

impl PlainTexts {
    fn add(&self, items: TextItems<'_>, rows: std::ops::Range<u64>) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.extend(rows.map(|row| items.texts.text(row as usize).split(' ').map(str::to_owned).collect()));
    }
}

impl Texts for PlainTexts {
    fn load(&self, items: TextItems<'_>, rows: u64, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        self.add(items, 0..rows);
        progress(rows);
        Ok(Duration::from_secs(2))
    }

    fn insert(&self, items: TextItems<'_>, first: u64) -> Result<()> {
        self.add(items, first..items.texts.rows() as u64);
        Ok(())
    }

    fn merge(&self) -> Result<()> {
        Ok(())
    }

    fn search(&self, question: &TextQuestion, limit: usize) -> Result<Vec<TextHit>> {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let all = texts.len() as f32;
        let average = texts.iter().map(Vec::len).sum::<usize>() as f32 / all;
        let words = question.words();
        let mut weights = HashMap::new();
        for word in words {
            let count = texts.iter().filter(|text| text.contains(word)).count() as f32;
            weights.insert(word, (1.0 + (all - count + 0.5) / (count + 0.5)).ln());
        }
        let saturated = |count: usize, text: &[String]| {
            let norm = 1.2 * (0.25 + 0.75 * text.len() as f32 / average);
            count as f32 * 2.2 / (count as f32 + norm)
        };
        let score = |text: &[String]| -> f32 {
            let count = |word: &String| text.iter().filter(|other| *other == word).count();
            match question {
                TextQuestion::All(_) if words.iter().any(|word| count(word) == 0) => 0.0,
                TextQuestion::Any(_) | TextQuestion::All(_) => {
                    words.iter().map(|word| weights[word] * saturated(count(word), text)).sum()
                }
                TextQuestion::Phrase(_) => {
                    let together = text.windows(words.len()).filter(|window| *window == words).count();
                    words.iter().map(|word| weights[word]).sum::<f32>() * saturated(together, text)
                }
            }
        };
        let hits = texts.iter().zip(0..).map(|(text, id)| TextHit { id, score: score(text) * (1.0 + self.more) });
        let mut hits: Vec<TextHit> = hits.filter(|hit| hit.score > 0.0).collect();
        hits.sort_by(|one, other| other.score.total_cmp(&one.score));
        hits.truncate(limit);
        Ok(hits)
    }

    fn formula(&self) -> TextFormula {
        TextFormula::EXACT
    }

    fn size(&self) -> Result<TextSize> {
        Ok(TextSize { index_bytes: Some(1000), total_bytes: 1500 })
    }

    fn lacks(&self, skill: TextSkill) -> bool {
        skill == TextSkill::Vectors
    }
}

fn run(engine: &dyn Engine, part: TextPart) -> (Result<()>, Vec<Measurement>) {
    measured(|context| TextTable { part }.run(engine, context))
}

const FEW: TextSource = TextSource::Generated { rows: 300 };

#[test]
fn a_search_tells_building_size_and_the_time_of_each_class() {
    let (result, measurements) = run(&Plain { more: 0.0 }, TextPart::Search(FEW));
    result.unwrap();
    assert_eq!((value(&measurements, "build"), value(&measurements, "size")), (2.0, 1000.0));
    assert_eq!(value(&measurements, "size with what deletes need"), 1500.0);
    assert_eq!(value(&measurements, "answers as good as the best by exact BM25"), 1.0);
    for name in ["one word", "all of three words", "phrase", "any of two words, mixed", "phrase of three words"] {
        assert!(value(&measurements, name) > 0.0, "{name}");
    }
    let targets = measurements.iter().filter(|measurement| measurement.target.is_some());
    assert_eq!(targets.count(), 3 + 6);
}

#[test]
fn scores_that_are_not_those_of_the_formula_end_a_search() {
    let (result, _) = run(&Plain { more: 0.001 }, TextPart::Search(FEW));
    let message = result.unwrap_err().to_string();
    assert!(message.starts_with("wrong answer to '"), "{message}");
}

#[test]
fn a_tenth_that_is_not_folded_is_searched_as_well() {
    let (result, measurements) = run(&Plain { more: 0.0 }, TextPart::Unfolded(FEW));
    result.unwrap();
    let ratios = measurements.iter().filter(|measurement| measurement.unit == Unit::Ratio);
    assert_eq!(ratios.filter(|measurement| measurement.target.is_some()).count(), 6);
}
