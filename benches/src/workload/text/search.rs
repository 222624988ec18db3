//! The time to build, the space that it takes, and the time of questions by their class.

use std::time::Duration;

use super::question::{Class, Question, Shape};
use super::truth::Judge;
use super::{K, Run, SQLITE, TANTIVY, TextSource};
use crate::Result;
use crate::dataset::text::TextSet;
use crate::engine::{TextFormula, TextHit, TextItems, Texts};
use crate::measure::{Laps, Measurement, Target, Unit};

pub(super) const DESCRIPTION: &str = "The index is built by one thread that writes, with positions and without the texts \
    themselves, and merged into one segment. What came before, such as writing documents, is not part of the time to build. \
    Then one thread asks for the ids and scores of the 10 best texts, first once to warm up and to check every answer against \
    the scores of all texts by the product's own formula, then again and again: the median time of each question, and the \
    geometric mean of the questions of a class. The questions come of a rule and a seed (benches/queries): words in at most \
    one text of 500 (rare), of 50 (medium), or in more (frequent), that are in one text together; phrases as they occur.";

/// Questions of a class are asked again for so long, and so often.
const AT_LEAST: Duration = Duration::from_millis(500);
const AT_MOST: Duration = Duration::from_secs(4);
const TIMES: usize = 5;
/// How many times as fast as SQLite the searches shall be.
const TIMES_SQLITE: f64 = 3.0;
/// What the index may take by what tantivy's takes, without and with what deletes need.
const LARGER: f64 = 1.3;
const LARGER_WITH_ALL: f64 = 1.8;

pub(super) fn run(run: &Run<'_>, source: &TextSource) -> Result<()> {
    let texts = run.texts(source)?;
    let questions = source.questions(&texts)?;
    let index = run.engine.open_texts(&run.context.options())?;
    let seconds = run.load(&*index, TextItems { texts: &texts, vectors: None }, texts.rows() as u64)?;
    run.measured(Measurement::new("build", Unit::Seconds, seconds).target(Target::times(TANTIVY, 0.5)))?;
    let mut phase = run.phase("merge", 0)?;
    index.merge()?;
    phase.advance(1)?;
    run.measured(phase.duration())?;
    let size = index.size()?;
    let bytes = |name, bytes: u64, larger: f64| {
        Measurement::new(name, Unit::Bytes, bytes as f64).target(Target::times(TANTIVY, 1.0 / larger))
    };
    if let Some(index_bytes) = size.index_bytes {
        run.measured(bytes("size", index_bytes, LARGER))?;
    }
    run.measured(bytes("size with what deletes need", size.total_bytes, LARGER_WITH_ALL))?;

    let asked = ask(run, &*index, &texts, &questions)?;
    for shape in Shape::ALL {
        let times = asked.of(&questions, |class| class.shape == shape);
        let measurement = Measurement::new(shape.name(), Unit::Seconds, geometric_mean(&times));
        let measurement = measurement.target(Target::times(TANTIVY, least(source)));
        run.measured(measurement.further_target(Target::times(SQLITE, TIMES_SQLITE)))?;
    }
    let all = asked.of(&questions, |_| true);
    run.measured(Measurement::new("all questions", Unit::Seconds, geometric_mean(&all)))?;
    for class in Class::all() {
        let times = asked.of(&questions, |other| other == class);
        if !times.is_empty() {
            run.measured(Measurement::new(class.to_string(), Unit::Seconds, geometric_mean(&times)))?;
        }
    }
    run.measured(Measurement::new("answers as good as the best by exact BM25", Unit::Share, asked.share))
}

/// How many times as fast as tantivy the searches shall be.
fn least(source: &TextSource) -> f64 {
    match source {
        TextSource::Movies { .. } => 0.5,
        TextSource::Generated { .. } => 0.7,
    }
}

/// How long each question took.
pub(super) struct Asked {
    seconds: Vec<f64>,
    share: f64,
}

impl Asked {
    /// Those of some classes.
    pub(super) fn of(&self, questions: &[Question], is_wanted: impl Fn(Class) -> bool) -> Vec<f64> {
        let all = self.seconds.iter().zip(questions);
        all.filter(|(_, question)| is_wanted(question.class)).map(|(seconds, _)| *seconds).collect()
    }
}

pub(super) fn geometric_mean(times: &[f64]) -> f64 {
    let logarithms = times.iter().map(|seconds| seconds.max(1e-9).ln()).sum::<f64>();
    (logarithms / times.len().max(1) as f64).exp()
}

/// Asks all questions, checks the answers and takes the time.
pub(super) fn ask(run: &Run<'_>, index: &dyn Texts, texts: &TextSet, questions: &[Question]) -> Result<Asked> {
    run.phase("the true answers", 0)?;
    let judge = |formula| Judge::new(texts, questions, K, formula, run.context.kept);
    let (own, exact) = (judge(index.formula())?, judge(TextFormula::EXACT)?);
    let mut phase = run.phase("questions, checked", questions.len() as u64)?;
    let mut answers: Vec<Vec<TextHit>> = Vec::new();
    for (number, question) in questions.iter().enumerate() {
        let hits = index.search(&question.asked, K)?;
        phase.advance(1)?;
        own.check(number, &hits)?;
        phase.skip();
        answers.push(hits);
    }
    let mut seconds = vec![0.0; questions.len()];
    let mut phase = run.phase("questions, timed", 0)?;
    for class in Class::all() {
        let of_class: Vec<usize> = (0..questions.len()).filter(|&number| questions[number].class == class).collect();
        let times = time(index, questions, &of_class)?;
        for (number, mut times) in of_class.into_iter().zip(times) {
            phase.advance(times.len() as u64)?;
            times.sort_unstable();
            seconds[number] = times[times.len() / 2].as_secs_f64();
        }
    }
    Ok(Asked { seconds, share: exact.share(&answers) })
}

/// Asks some questions in turn, several times over.
fn time(index: &dyn Texts, questions: &[Question], numbers: &[usize]) -> Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::new(); numbers.len()];
    if numbers.is_empty() {
        return Ok(times);
    }
    let mut laps = Laps::start();
    for round in 1.. {
        for (number, times) in numbers.iter().zip(&mut times) {
            index.search(&questions[*number].asked, K)?;
            times.push(laps.lap());
        }
        if (round >= TIMES && laps.total() >= AT_LEAST) || laps.total() >= AT_MOST {
            break;
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometric_mean_does_not_care_for_the_unit() {
        assert!((geometric_mean(&[1.0, 4.0]) - 2.0).abs() < 1e-12);
        assert!((geometric_mean(&[1e-6, 4e-6]) - 2e-6).abs() < 1e-18);
    }
}
