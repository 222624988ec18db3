//! BM25 by looking at every document, of texts that are words with blanks between them.

use std::collections::BTreeMap;

use blaze::{Document, Entropy, TextQuery, Value};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Words that begin alike, so that prefixes find several.
pub(crate) const WORDS: [&str; 24] = [
    "space", "spade", "spare", "opera", "open", "station", "state", "ocean", "planet", "plan", "river", "rivet",
    "moon", "mood", "star", "stare", "night", "light", "might", "dune", "tune", "desert", "dessert", "zebra",
];

/// The fields of the index, with their boosts.
pub(crate) const FIELDS: [(&str, f64); 2] = [("title", 2.0), ("body", 1.0)];

/// Documents by their ids, and the answers that a search over them must give.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    pub(crate) documents: BTreeMap<i64, Document>,
}

/// A random text: mostly of words that are frequent.
pub(crate) fn random_text(random: &dyn Entropy, words: usize) -> String {
    let word = |_| {
        let (a, b) = (random.next_u64() as usize % WORDS.len(), random.next_u64() as usize % WORDS.len());
        WORDS[a.min(b)]
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

/// A document of a title, mostly a body, and a group from 0 to 9.
pub(crate) fn random_document(random: &dyn Entropy) -> Document {
    let title = random_text(random, 1 + random.next_u64() as usize % 4);
    let document = Document::new().with("title", title).with("group", (random.next_u64() % 10) as i64);
    match random.next_u64() % 8 {
        0 => document,
        _ => document.with("body", random_text(random, random.next_u64() as usize % 30)),
    }
}

/// A query of which every document can be told whether it matches, and how well.
pub(crate) fn random_query(random: &dyn Entropy, depth: usize) -> TextQuery {
    let text = |words: usize| random_text(random, 1 + random.next_u64() as usize % words);
    let kinds = if depth == 0 { 4 } else { 9 };
    let part = || random_query(random, depth - 1);
    match random.next_u64() % kinds {
        0 | 1 => TextQuery::words(text(4)),
        2 => TextQuery::all_words(text(3)),
        3 => TextQuery::phrase(text(2)),
        4 => part().in_field(FIELDS[random.next_u64() as usize % 2].0),
        5 => part().boost(0.5 + (random.next_u64() % 8) as f32 / 4.0),
        6 => TextQuery::all_of([part(), part()]),
        7 => TextQuery::at_least(1 + random.next_u64() as usize % 2, [part(), part(), part()]),
        _ => part().and_not(TextQuery::words(text(1))),
    }
}

fn words<'a>(document: &'a Document, field: &str) -> Vec<&'a str> {
    document.get(field).and_then(Value::as_str).map_or_else(Vec::new, |text| text.split_whitespace().collect())
}

impl Naive {
    /// All documents that match and are among those that `admits` says, with their scores, the best first.
    pub(crate) fn search(&self, query: &TextQuery, admits: impl Fn(&Document) -> bool) -> Vec<(i64, f64)> {
        let admitted = self.documents.iter().filter(|(_, document)| admits(document));
        let scored = admitted.filter_map(|(id, document)| Some((*id, self.score(query, document, &FIELDS, 1.0)?)));
        let mut all: Vec<_> = scored.collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all
    }

    /// The score of a document, if it matches.
    fn score(&self, query: &TextQuery, document: &Document, fields: &[(&str, f64)], boost: f64) -> Option<f64> {
        let parts = |queries: &[TextQuery]| -> Vec<Option<f64>> {
            queries.iter().map(|query| self.score(query, document, fields, boost)).collect()
        };
        match query {
            TextQuery::AnyWord(text) => {
                let scores = text.split_whitespace().filter_map(|word| self.phrase(&[word], document, fields, boost));
                sum(scores)
            }
            TextQuery::AllWords(text) => {
                let scores = text.split_whitespace().map(|word| self.phrase(&[word], document, fields, boost));
                scores.sum()
            }
            TextQuery::Phrase { text, slop: 0 } => {
                self.phrase(&text.split_whitespace().collect::<Vec<_>>(), document, fields, boost)
            }
            TextQuery::Boolean { must, should, must_not, least_should } => {
                let (must, should) = (parts(must), parts(should));
                let found = should.iter().flatten().count();
                if must.contains(&None) || found < *least_should || parts(must_not).iter().any(Option::is_some) {
                    return None;
                }
                sum(must.into_iter().chain(should).flatten())
            }
            TextQuery::In(path, query) => {
                let field: Vec<_> = FIELDS.into_iter().filter(|(name, _)| *name == path.to_string()).collect();
                self.score(query, document, &field, boost)
            }
            TextQuery::Boost(query, factor) => self.score(query, document, fields, boost * f64::from(*factor)),
            other => panic!("{other} has no naive score"),
        }
    }

    /// The score of words that follow each other, in any of the fields.
    fn phrase(&self, phrase: &[&str], document: &Document, fields: &[(&str, f64)], boost: f64) -> Option<f64> {
        sum(fields.iter().filter_map(|(field, of_field)| {
            let text = words(document, field);
            let frequency = text.windows(phrase.len()).filter(|window| *window == phrase).count() as f64;
            if frequency == 0.0 {
                return None;
            }
            let texts = || self.documents.values().map(|document| words(document, field));
            let with_field = texts().filter(|text| !text.is_empty()).count() as f64;
            let average = texts().map(|text| text.len() as f64).sum::<f64>() / with_field;
            let idf = |word: &&str| {
                let with_word = texts().filter(|text| text.contains(word)).count() as f64;
                (1.0 + (with_field - with_word + 0.5) / (with_word + 0.5)).ln()
            };
            let weight = boost * of_field * phrase.iter().map(idf).sum::<f64>();
            let length = text.len() as f64 / average;
            Some(weight * frequency * (K1 + 1.0) / (frequency + K1 * (1.0 - B + B * length)))
        }))
    }
}

/// The sum, if there is anything to sum up.
fn sum(scores: impl Iterator<Item = f64>) -> Option<f64> {
    scores.fold(None, |sum, score| Some(sum.unwrap_or_default() + score))
}
