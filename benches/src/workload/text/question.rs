//! Questions about texts, in classes by their shape and by how frequent their words are.

use std::collections::BTreeSet;
use std::fmt;

use crate::Result;
use crate::dataset::text::TextSet;
use crate::distribution::Random;
use crate::engine::TextQuestion;

/// A question and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) class: Class,
    pub(super) asked: TextQuestion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    pub(super) shape: Shape,
    pub(super) stratum: Stratum,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    One,
    AnyOfTwo,
    AllOfTwo,
    AnyOfThree,
    AllOfThree,
    Phrase,
}

/// How many texts have the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stratum {
    /// At most one text in 500.
    Rare,
    /// More, but at most one in 50.
    Medium,
    /// More than that.
    Frequent,
    /// Words of several strata together.
    Mixed,
    /// Words as they follow each other in a text.
    Two,
    Three,
}

/// Questions of each class.
const EACH: usize = 20;
/// What the rule begins with.
const SEED: u64 = 7;
const TRIES: usize = 100_000;

impl Shape {
    pub(super) const ALL: [Shape; 6] =
        [Shape::One, Shape::AnyOfTwo, Shape::AllOfTwo, Shape::AnyOfThree, Shape::AllOfThree, Shape::Phrase];

    pub(super) fn name(self) -> &'static str {
        match self {
            Shape::One => "one word",
            Shape::AnyOfTwo => "any of two words",
            Shape::AllOfTwo => "all of two words",
            Shape::AnyOfThree => "any of three words",
            Shape::AllOfThree => "all of three words",
            Shape::Phrase => "phrase",
        }
    }

    fn strata(self) -> &'static [Stratum] {
        match self {
            Shape::One => &[Stratum::Rare, Stratum::Medium, Stratum::Frequent],
            Shape::Phrase => &[Stratum::Two, Stratum::Three],
            _ => &[Stratum::Rare, Stratum::Medium, Stratum::Frequent, Stratum::Mixed],
        }
    }

    fn words(self) -> usize {
        match self {
            Shape::One => 1,
            Shape::AnyOfTwo | Shape::AllOfTwo => 2,
            Shape::AnyOfThree | Shape::AllOfThree | Shape::Phrase => 3,
        }
    }

    fn ask(self, words: Vec<String>) -> TextQuestion {
        match self {
            Shape::One | Shape::AnyOfTwo | Shape::AnyOfThree => TextQuestion::Any(words),
            Shape::AllOfTwo | Shape::AllOfThree => TextQuestion::All(words),
            Shape::Phrase => TextQuestion::Phrase(words),
        }
    }
}

impl Class {
    pub(super) fn all() -> impl Iterator<Item = Class> {
        Shape::ALL.into_iter().flat_map(|shape| shape.strata().iter().map(move |&stratum| Class { shape, stratum }))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stratum = match self.stratum {
            Stratum::Rare => "rare",
            Stratum::Medium => "medium",
            Stratum::Frequent => "frequent",
            Stratum::Mixed => "mixed",
            Stratum::Two => "of two words",
            Stratum::Three => "of three words",
        };
        match self.shape {
            Shape::Phrase => write!(f, "{} {stratum}", self.shape.name()),
            _ => write!(f, "{}, {stratum}", self.shape.name()),
        }
    }
}

/// Makes questions of texts: a text is drawn, and of its words some of the frequencies that are wanted. So what asks for all
/// words of a question finds something, and a phrase occurs.
pub(super) fn make(texts: &TextSet) -> Vec<Question> {
    let frequencies = texts.frequencies();
    let mut random = Random::seeded(SEED);
    let mut questions = Vec::new();
    for class in Class::all() {
        let mut made = BTreeSet::new();
        for _ in 0..TRIES {
            if made.len() >= EACH || texts.rows() == 0 {
                break;
            }
            let row = random.below(texts.rows() as u64) as usize;
            let chosen = match class.stratum {
                Stratum::Two => window(texts.tokens(row), 2, &mut random),
                Stratum::Three => window(texts.tokens(row), 3, &mut random),
                _ => choose(texts, row, class, &frequencies, &mut random),
            };
            if let Some(chosen) = chosen
                && made.insert(chosen.clone())
            {
                let words = chosen.iter().map(|&word| texts.word(word).to_owned()).collect();
                questions.push(Question { class, asked: class.shape.ask(words) });
            }
        }
    }
    questions
}

fn window(tokens: &[u32], length: usize, random: &mut Random) -> Option<Vec<u32>> {
    let places = (tokens.len() + 1).checked_sub(length).filter(|places| *places > 0)?;
    let start = random.below(places as u64) as usize;
    Some(tokens[start..start + length].to_vec())
}

/// Different words of a text, one for each stratum that is wanted.
fn choose(texts: &TextSet, row: usize, class: Class, frequencies: &[u32], random: &mut Random) -> Option<Vec<u32>> {
    let wanted: &[Stratum] = match (class.stratum, class.shape.words()) {
        (Stratum::Mixed, 2) => &[Stratum::Rare, Stratum::Frequent],
        (Stratum::Mixed, _) => &[Stratum::Rare, Stratum::Medium, Stratum::Frequent],
        (stratum, words) => &[stratum; 3][..words],
    };
    let mut chosen: Vec<u32> = Vec::new();
    for stratum in wanted {
        let is_it = |&word: &u32| {
            stratum_of(frequencies[word as usize], texts.rows()) == Some(*stratum) && !chosen.contains(&word)
        };
        let candidates: BTreeSet<u32> = texts.tokens(row).iter().copied().filter(is_it).collect();
        let place = random.below(candidates.len() as u64) as usize;
        chosen.push(candidates.into_iter().nth(place)?);
    }
    Some(chosen)
}

/// `None` for words that are too rare to be asked for.
fn stratum_of(frequency: u32, rows: usize) -> Option<Stratum> {
    let (frequency, rare) = (frequency as usize, rows.div_ceil(500));
    match frequency {
        few if few < (rare / 10).clamp(1, 10) => None,
        few if few <= rare => Some(Stratum::Rare),
        some if some <= rows.div_ceil(50) => Some(Stratum::Medium),
        _ => Some(Stratum::Frequent),
    }
}

/// Writes questions, one on each line behind its class.
pub(super) fn write(questions: &[Question]) -> String {
    let line = |question: &Question| format!("{}: {}\n", question.class, question.asked.words().join(" "));
    questions.iter().map(line).collect()
}

/// Reads what [`make`] has made and a file holds.
pub(super) fn read(text: &str) -> Result<Vec<Question>> {
    let classes: Vec<(String, Class)> = Class::all().map(|class| (class.to_string(), class)).collect();
    let question = |line: &str| -> Option<Question> {
        let (name, words) = line.split_once(": ")?;
        let (_, class) = classes.iter().find(|(known, _)| known == name)?;
        Some(Question { class: *class, asked: class.shape.ask(words.split(' ').map(str::to_owned).collect()) })
    };
    text.lines().map(|line| question(line).ok_or_else(|| format!("'{line}' is no question").into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_questions_and_a_file_gives_them_back() {
        let texts = TextSet::generated(3000);
        let questions = make(&texts);
        for class in Class::all() {
            let of_class = questions.iter().filter(|question| question.class == class);
            assert_eq!(of_class.count(), EACH, "{class}");
        }
        assert_eq!(read(&write(&questions)).unwrap(), questions);
        assert_eq!(make(&texts), questions);
        assert!(read("one word, often: a").unwrap_err().to_string().contains("one word, often"));
    }

    #[test]
    fn words_are_as_frequent_as_their_class_says_and_stand_together_in_a_text() {
        let texts = TextSet::generated(3000);
        let frequencies = texts.frequencies();
        for Question { class, asked } in make(&texts) {
            let numbers: Vec<u32> = asked.words().iter().map(|word| texts.number(word).unwrap()).collect();
            let together = (0..texts.rows()).any(|row| numbers.iter().all(|word| texts.tokens(row).contains(word)));
            assert!(together, "{class}: {asked:?}");
            let strata: Vec<_> =
                numbers.iter().map(|&word| stratum_of(frequencies[word as usize], texts.rows())).collect();
            match class.stratum {
                Stratum::Two | Stratum::Three => {}
                Stratum::Mixed => {
                    assert!(strata[0] == Some(Stratum::Rare) && strata.last() == Some(&Some(Stratum::Frequent)))
                }
                stratum => assert!(strata.iter().all(|found| *found == Some(stratum)), "{class}: {strata:?}"),
            }
        }
    }
}
