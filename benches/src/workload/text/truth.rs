//! The true answers to questions about texts: BM25 of every text, one after the other.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::question::Question;
use crate::Result;
use crate::dataset::text::TextSet;
use crate::engine::{TextFormula, TextHit, TextQuestion, WordWeight};

/// Knows what the best answers score, and checks answers by it.
pub(super) struct Judge<'a> {
    texts: &'a TextSet,
    questions: &'a [Question],
    formula: TextFormula,
    /// How many texts count.
    all: f64,
    truth: Vec<Known>,
}

/// What is known of a question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    /// How many texts have each of its words.
    frequencies: Vec<u32>,
    /// How many texts satisfy it.
    matches: u32,
    /// What the best of them score, best first.
    best: Vec<f64>,
}

const K1: f64 = 1.2;
const B: f64 = 0.75;
/// How far a score in single precision may be from one in double precision, as a share of it.
const ROUNDING: f64 = 1e-4;

/// Where each question has its matches: a row, and how often the word or the phrase is in it.
#[derive(Default)]
struct Postings {
    /// By number of the word, of those that are asked for.
    words: HashMap<u32, Vec<(u32, u32)>>,
    /// By question.
    phrases: HashMap<usize, Vec<(u32, u32)>>,
}

impl<'a> Judge<'a> {
    /// Finds out the truth, or reads it where a job before this one has left it.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn new(
        texts: &'a TextSet,
        questions: &'a [Question],
        limit: usize,
        formula: TextFormula,
        kept: &Path,
    ) -> Result<Judge<'a>> {
        let counts = |row: &usize| formula.counts_empty || !texts.tokens(*row).is_empty();
        let all = (0..texts.rows()).filter(counts).count() as f64;
        let mut judge = Judge { texts, questions, formula, all, truth: Vec::new() };
        let file = kept.join(format!("truth-{}.json", formula.name));
        if file.is_file() {
            judge.truth = serde_json::from_slice(&fs::read(file)?)?;
            return Ok(judge);
        }
        let postings = Postings::of(texts, questions);
        let mut sums = vec![(0.0, 0); texts.rows()];
        let known = |number| judge.know(number, &postings, limit, &mut sums);
        let truth: Vec<Known> = (0..questions.len()).map(known).collect();
        fs::write(file, serde_json::to_vec(&truth)?)?;
        judge.truth = truth;
        Ok(judge)
    }

    fn know(&self, number: usize, postings: &Postings, limit: usize, sums: &mut [(f64, u32)]) -> Known {
        let asked = &self.questions[number].asked;
        let words: Vec<Option<u32>> = asked.words().iter().map(|word| self.texts.number(word)).collect();
        let of_word =
            |word: &Option<u32>| word.and_then(|word| postings.words.get(&word)).map_or(&[][..], Vec::as_slice);
        let frequencies: Vec<u32> = words.iter().map(|word| of_word(word).len() as u32).collect();
        let (lists, least): (Vec<&[(u32, u32)]>, _) = match asked {
            TextQuestion::Phrase(_) => (vec![postings.phrases.get(&number).map_or(&[][..], Vec::as_slice)], 1),
            TextQuestion::Any(_) => (words.iter().map(of_word).collect(), 1),
            TextQuestion::All(words_asked) => (words.iter().map(of_word).collect(), words_asked.len() as u32),
        };
        let matches = lists.first().map_or(0, |list| list.len() as u32);
        let weights = self.weights(asked, &frequencies, matches);
        let mut touched = Vec::new();
        for (list, weight) in lists.iter().zip(&weights) {
            for &(row, occurrences) in *list {
                let (sum, satisfied) = &mut sums[row as usize];
                if *satisfied == 0 {
                    touched.push(row as usize);
                }
                *sum += weight * self.saturated(row as usize, occurrences);
                *satisfied += 1;
            }
        }
        let mut best: Vec<f64> = touched.iter().filter(|&&row| sums[row].1 >= least).map(|&row| sums[row].0).collect();
        touched.into_iter().for_each(|row| sums[row] = (0.0, 0));
        let matches = best.len() as u32;
        best.sort_by(|one, other| other.total_cmp(one));
        best.truncate(limit);
        Known { frequencies, matches, best }
    }

    /// What each list of a question weighs: its words, or its phrase.
    fn weights(&self, asked: &TextQuestion, frequencies: &[u32], matches: u32) -> Vec<f64> {
        let weight = |count: u32| {
            let odds = (self.all - f64::from(count) + 0.5) / (f64::from(count) + 0.5);
            match self.formula.weight {
                WordWeight::Positive => odds.ln_1p(),
                WordWeight::Classic if odds <= 1.0 => 1e-6,
                WordWeight::Classic => odds.ln(),
            }
        };
        let words = frequencies.iter().map(|&count| weight(count));
        match (asked, self.formula.weight) {
            (TextQuestion::Phrase(_), WordWeight::Positive) => vec![words.sum()],
            (TextQuestion::Phrase(_), WordWeight::Classic) => vec![weight(matches)],
            _ => words.collect(),
        }
    }

    /// What many occurrences in a text of some length count.
    fn saturated(&self, row: usize, occurrences: u32) -> f64 {
        let average = self.texts.total_tokens() as f64 / self.all.max(1.0);
        let length = (self.formula.length)(self.texts.tokens(row).len() as u32);
        let (occurrences, length) = (f64::from(occurrences), f64::from(length));
        occurrences * (K1 + 1.0) / (occurrences + K1 * (1.0 - B + B * length / average))
    }

    /// What a text scores; 0 where it does not satisfy the question.
    fn score(&self, number: usize, row: usize) -> f64 {
        let (asked, known) = (&self.questions[number].asked, &self.truth[number]);
        let words: Vec<Option<u32>> = asked.words().iter().map(|word| self.texts.number(word)).collect();
        let tokens = self.texts.tokens(row);
        let counts: Vec<u32> = match asked {
            TextQuestion::Phrase(_) => {
                let is_it = |window: &&[u32]| window.iter().zip(&words).all(|(one, other)| Some(*one) == *other);
                vec![tokens.windows(words.len()).filter(is_it).count() as u32]
            }
            _ => words.iter().map(|word| tokens.iter().filter(|&&token| Some(token) == *word).count() as u32).collect(),
        };
        if matches!(asked, TextQuestion::All(_)) && counts.contains(&0) {
            return 0.0;
        }
        let weights = self.weights(asked, &known.frequencies, known.matches);
        counts.iter().zip(weights).map(|(&count, weight)| weight * self.saturated(row, count)).sum()
    }

    /// Are these the best answers, with the scores that they say? Which of equal ones are found does not matter.
    ///
    /// # Errors
    /// When they are not.
    pub(super) fn check(&self, number: usize, hits: &[TextHit]) -> Result<()> {
        self.wrong(number, hits).map_or(Ok(()), |wrong| {
            let Question { class, asked } = &self.questions[number];
            Err(format!("wrong answer to '{}' ({class}): {wrong}", asked.words().join(" ")).into())
        })
    }

    fn wrong(&self, number: usize, hits: &[TextHit]) -> Option<String> {
        let best = &self.truth[number].best;
        if hits.len() != best.len() {
            return Some(format!("{} texts, expected {}", hits.len(), best.len()));
        }
        for (place, (hit, &expected)) in hits.iter().zip(best).enumerate() {
            let TextHit { id, score } = *hit;
            if id >= self.texts.rows() as u64 || hits[..place].iter().any(|before| before.id == id) {
                return Some(format!("text {id} of {}, or for a second time", self.texts.rows()));
            }
            let own = self.score(number, id as usize);
            for (what, truth) in [("its place", expected), ("itself", own)] {
                if (f64::from(score) - truth).abs() > ROUNDING * truth.abs() + 1e-9 {
                    return Some(format!("text {id} at place {place} scores {score}, where {what} has {truth}"));
                }
            }
        }
        None
    }

    /// The share of answers that are as good as the last of the best ones by this formula, whatever formula found them.
    pub(super) fn share(&self, answers: &[Vec<TextHit>]) -> f64 {
        let (mut good, mut all) = (0, 0);
        for (number, hits) in answers.iter().enumerate() {
            let Some(last) = self.truth[number].best.last() else { continue };
            let least = last * (1.0 - ROUNDING);
            good += hits.iter().filter(|hit| self.score(number, hit.id as usize) >= least).count();
            all += self.truth[number].best.len();
        }
        if all == 0 { 1.0 } else { good as f64 / all as f64 }
    }
}

impl Postings {
    /// Reads all texts once.
    fn of(texts: &TextSet, questions: &[Question]) -> Postings {
        let mut is_asked = vec![false; texts.words()];
        let mut phrases: HashMap<u32, Vec<(usize, Vec<u32>)>> = HashMap::new();
        for (number, question) in questions.iter().enumerate() {
            let words: Vec<u32> = question.asked.words().iter().filter_map(|word| texts.number(word)).collect();
            words.iter().for_each(|&word| is_asked[word as usize] = true);
            let is_whole = words.len() == question.asked.words().len();
            if let (TextQuestion::Phrase(_), true, [first, ..]) = (&question.asked, is_whole, words.as_slice()) {
                phrases.entry(*first).or_default().push((number, words));
            }
        }
        let mut postings = Postings::default();
        let count = |list: &mut Vec<(u32, u32)>, row: u32| match list.last_mut() {
            Some((last, occurrences)) if *last == row => *occurrences += 1,
            _ => list.push((row, 1)),
        };
        for row in 0..texts.rows() {
            let tokens = texts.tokens(row);
            for (place, &word) in tokens.iter().enumerate() {
                if is_asked[word as usize] {
                    count(postings.words.entry(word).or_default(), row as u32);
                    for (number, words) in phrases.get(&word).into_iter().flatten() {
                        if tokens[place..].starts_with(words) {
                            count(postings.phrases.entry(*number).or_default(), row as u32);
                        }
                    }
                }
            }
        }
        postings
    }
}

#[cfg(test)]
mod tests {
    use super::super::question::{self, Class, Shape, Stratum};
    use super::*;

    fn asked(asked: TextQuestion) -> Question {
        Question { class: Class { shape: Shape::One, stratum: Stratum::Rare }, asked }
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn scores_are_those_of_the_formula() {
        let mut texts = TextSet::default();
        for text in [&["a", "rose"][..], &["a", "rose", "is", "a", "rose"], &["is", "a"], &["a"]] {
            texts.add(text.iter().copied());
        }
        let questions = [
            asked(TextQuestion::Any(strings(&["rose", "was"]))),
            asked(TextQuestion::All(strings(&["rose", "is"]))),
            asked(TextQuestion::Phrase(strings(&["a", "rose"]))),
        ];
        let kept = tempfile::tempdir().unwrap();
        let judge = Judge::new(&texts, &questions, 10, TextFormula::EXACT, kept.path()).unwrap();
        let average = 10.0 / 4.0;
        let saturated = |count: f64, length: f64| count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / average));
        let idf = |count: f64| (1.0 + (4.0 - count + 0.5) / (count + 0.5)).ln();
        let near = |found: &[f64], expected: &[f64]| {
            found.len() == expected.len() && found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-9)
        };
        let [any, all, phrase] = &judge.truth[..] else { panic!("three questions") };
        let both = [saturated(2.0, 5.0) * idf(2.0), saturated(1.0, 2.0) * idf(2.0)];
        assert!(near(&any.best, &[both[1].max(both[0]), both[0].min(both[1])]), "{any:?}");
        assert_eq!((any.frequencies.as_slice(), all.matches, phrase.matches), (&[2, 0][..], 1, 2));
        assert!(near(&all.best, &[both[0] + saturated(1.0, 5.0) * idf(2.0)]), "{all:?}");
        assert!(near(
            &phrase.best[..1],
            &[(saturated(1.0, 2.0) * (idf(4.0) + idf(2.0))).max(saturated(2.0, 5.0) * (idf(4.0) + idf(2.0)))]
        ));
        // What is kept is what was found out.
        let again = Judge::new(&texts, &questions, 10, TextFormula::EXACT, kept.path()).unwrap();
        assert_eq!(again.truth, judge.truth);
    }

    #[test]
    fn only_the_best_answers_with_their_scores_are_right() {
        let texts = TextSet::generated(500);
        let questions = question::make(&texts);
        let kept = tempfile::tempdir().unwrap();
        for formula in
            [TextFormula::EXACT, TextFormula { name: "classic", weight: WordWeight::Classic, ..TextFormula::EXACT }]
        {
            let judge = Judge::new(&texts, &questions, 10, formula, kept.path()).unwrap();
            let mut answers = Vec::new();
            for number in 0..questions.len() {
                let mut all: Vec<TextHit> = (0..500_u64)
                    .map(|id| TextHit { id, score: judge.score(number, id as usize) as f32 })
                    .filter(|hit| hit.score > 0.0)
                    .collect();
                all.sort_by(|one, other| other.score.total_cmp(&one.score));
                let matches = all.len();
                assert_eq!(judge.truth[number].matches as usize, matches);
                all.truncate(10);
                judge.check(number, &all).unwrap();
                let mut wrong = all.clone();
                wrong[0].score *= 1.01;
                assert!(judge.check(number, &wrong).is_err());
                assert!(judge.check(number, &all[1..]).is_err());
                let twice = [&all[..1], &all[..all.len() - 1]].concat();
                assert!(all.len() == 1 || judge.check(number, &twice).is_err());
                answers.push(all);
            }
            assert_eq!(judge.share(&answers), 1.0);
        }
    }
}
