//! Whether what is found is what was looked for: the Cranfield collection, whose answers were judged.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use blaze_core::{Analyzer, Language};
use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::question::{Class, Question, Shape, Stratum};
use super::truth::Judge;
use super::{K, Run, TANTIVY};
use crate::Result;
use crate::dataset::text::cranfield::Cranfield;
use crate::dataset::text::{TextSet, words_of};
use crate::engine::{TextItems, TextQuestion, TextSkill, Texts};
use crate::measure::{Measurement, Target, Unit};

pub(super) const DESCRIPTION: &str = "1400 abstracts and 225 questions of the Cranfield collection, with vectors of a language \
    model (MiniLM). Every engine gets the same words: those of Blaze's analysis for English, which leaves out stop words and \
    brings the others to their stems. A question asks for any of its words. nDCG@10, with gains of 15, 7, 3 and 1 by grade, is \
    the mean over all questions, its intervals are those of the bootstrap (95 %, 10000 samples); differences are taken question \
    by question. Both together is what the product does by default.";

/// What one way of searching has found: nDCG@10 of each question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Found {
    gains: Vec<f64>,
}

pub(super) fn run(run: &Run<'_>, data: Option<&Path>) -> Result<()> {
    run.phase("texts", 0)?;
    let cranfield = Cranfield::read(data.unwrap_or(Path::new("")))?;
    let texts = analysed(&cranfield.documents);
    let questions = analysed(&cranfield.questions);
    let questions: Vec<Question> = (0..questions.rows()).map(|row| ask(&questions, row)).collect();
    let index = run.engine.open_texts(&run.context.options())?;
    let items = TextItems { texts: &texts, vectors: Some(&cranfield.document_vectors) };
    run.load(&*index, items, texts.rows() as u64)?;
    index.merge()?;

    let words = by_words(run, &*index, &texts, &questions, &cranfield)?;
    run.measured(
        Measurement::new("nDCG@10 by words", Unit::Share, words.interval().mean).target(Target::times(TANTIVY, 1.0)),
    )?;
    tell_interval(run, "nDCG@10 by words", words.interval())?;
    beside_others(run, &words)?;
    if index.lacks(TextSkill::Vectors) {
        return Ok(());
    }
    let vectors = &cranfield.question_vectors;
    let by = |asked: &dyn Fn(usize) -> Option<TextQuestion>| -> Result<Found> {
        let found = |number| index.search_with_vector(asked(number).as_ref(), vectors.row(number), K);
        let answers = (0..questions.len()).map(found).collect::<Result<Vec<_>>>()?;
        Ok(Found::of(&answers, &cranfield.gains))
    };
    let vector = by(&|_| None)?;
    let both = by(&|number| Some(questions[number].asked.clone()))?;
    for (name, found) in [("nDCG@10 by vectors", &vector), ("nDCG@10 by both", &both)] {
        run.measured(Measurement::new(name, Unit::Share, found.interval().mean))?;
        tell_interval(run, name, found.interval())?;
    }
    for (name, other) in [("nDCG@10 by both, less by words", &words), ("nDCG@10 by both, less by vectors", &vector)] {
        let interval = both.less(other);
        let measurement = Measurement::new(name, Unit::Share, interval.mean);
        run.measured(measurement.target(Target::Figure(f64::MIN_POSITIVE)))?;
        tell_interval(run, name, interval)?;
    }
    Ok(())
}

/// The same words for all engines.
fn analysed(texts: &[String]) -> TextSet {
    let analyzer = Analyzer::standard().language(Language::English);
    let mut set = TextSet::default();
    for text in texts {
        let mut words = Vec::new();
        analyzer.analyze(text, &mut |token| words.extend(words_of(token.term)));
        set.add(words.iter().map(String::as_str));
    }
    set
}

/// A word that a question has twice is asked for once.
fn ask(questions: &TextSet, row: usize) -> Question {
    let mut words: Vec<String> = Vec::new();
    for &token in questions.tokens(row) {
        let word = questions.word(token);
        if !words.iter().any(|other| other == word) {
            words.push(word.to_owned());
        }
    }
    Question { class: Class { shape: Shape::One, stratum: Stratum::Mixed }, asked: TextQuestion::Any(words) }
}

fn by_words(
    run: &Run<'_>,
    index: &dyn Texts,
    texts: &TextSet,
    questions: &[Question],
    cranfield: &Cranfield,
) -> Result<Found> {
    let judge = Judge::new(texts, questions, K, index.formula(), run.context.kept)?;
    let mut phase = run.phase("questions", questions.len() as u64)?;
    let mut answers = Vec::new();
    for (number, question) in questions.iter().enumerate() {
        let hits = index.search(&question.asked, K)?;
        judge.check(number, &hits)?;
        answers.push(hits.into_iter().map(|hit| hit.id).collect());
        phase.advance(1)?;
    }
    Ok(Found::of(&answers, &cranfield.gains))
}

/// Leaves what was found for the jobs of other engines, and compares it with what they have left.
fn beside_others(run: &Run<'_>, words: &Found) -> Result<()> {
    const PREFIX: &str = "gains-";
    let own = format!("{PREFIX}{}.json", run.engine.name());
    fs::write(run.context.kept.join(&own), serde_json::to_vec(words)?)?;
    let mut others = Vec::new();
    for entry in fs::read_dir(run.context.kept)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let other = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(".json"));
        others.extend(other.filter(|_| name != own).map(str::to_owned));
    }
    others.sort();
    for other in others {
        let file = run.context.kept.join(format!("{PREFIX}{other}.json"));
        let interval = words.less(&serde_json::from_slice(&fs::read(file)?)?);
        let name = format!("nDCG@10 by words, less that of {other}");
        run.measured(Measurement::new(&name, Unit::Share, interval.mean))?;
        tell_interval(run, &name, interval)?;
    }
    Ok(())
}

fn tell_interval(run: &Run<'_>, name: &str, interval: Interval) -> Result<()> {
    run.measured(Measurement::new(format!("{name}: from"), Unit::Share, interval.from))?;
    run.measured(Measurement::new(format!("{name}: to"), Unit::Share, interval.to))
}

impl Found {
    fn of(answers: &[Vec<u64>], gains: &[HashMap<u64, f64>]) -> Found {
        Found { gains: answers.iter().zip(gains).map(|(answer, gains)| discounted(answer, gains)).collect() }
    }

    fn interval(&self) -> Interval {
        Interval::of(&self.gains)
    }

    /// The differences of the same questions.
    fn less(&self, other: &Found) -> Interval {
        let differences: Vec<f64> = self.gains.iter().zip(&other.gains).map(|(one, other)| one - other).collect();
        Interval::of(&differences)
    }
}

/// nDCG@10 of one answer: what it gains, less at each place, by what the best answer gains (Järvelin and Kekäläinen 2002), where
/// better documents count much more, 2 to the gain (Burges et al. 2005).
fn discounted(answer: &[u64], gains: &HashMap<u64, f64>) -> f64 {
    let sum = |gains: &[f64]| {
        gains
            .iter()
            .take(K)
            .zip(2_u32..)
            .map(|(gain, place)| (gain.exp2() - 1.0) / f64::from(place).log2())
            .sum::<f64>()
    };
    let found: Vec<f64> = answer.iter().map(|id| gains.get(id).copied().unwrap_or_default()).collect();
    let mut best: Vec<f64> = gains.values().copied().collect();
    best.sort_by(|one, other| other.total_cmp(one));
    let best = sum(&best);
    if best == 0.0 { 0.0 } else { sum(&found) / best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_order_has_one_and_later_places_count_less() {
        let gains = HashMap::from([(7, 4.0), (3, 2.0), (9, 1.0)]);
        assert_eq!(discounted(&[7, 3, 9, 1], &gains), 1.0);
        let ideal = 15.0 + 3.0 / 3_f64.log2() + 1.0 / 2.0;
        assert!((discounted(&[1, 7], &gains) - (15.0 / 3_f64.log2()) / ideal).abs() < 1e-12);
        assert_eq!((discounted(&[], &gains), discounted(&[1], &HashMap::new())), (0.0, 0.0));
    }

    #[test]
    fn a_word_that_a_question_has_twice_is_asked_for_once() {
        let questions = analysed(&["What flows, and what is the flow?".to_owned()]);
        assert_eq!(ask(&questions, 0).asked, TextQuestion::Any(vec!["flow".to_owned()]));
    }
}
