//! Indexes on text: what they keep of documents agrees with them, whatever happens.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod damage;
mod folds;
mod highlights;
mod hybrid;
mod killed;
mod life;
mod loads;
mod naive;
mod refused;
mod search;
mod suggestions;
mod together;

use std::fs;
use std::path::Path;

use blaze::{Analyzer, Collection, Database, Document, Durability, Index, Language};
use blaze_core::FEATURE_TEXT_INDEXES;

const WORDS: [&str; 12] =
    ["ocean", "space", "opera", "whale", "sea", "star", "night", "mountain", "river", "Söhne", "東京", "running"];

/// A text of some words.
fn words(n: i64, count: i64) -> String {
    let word = |at: i64| WORDS[((n * 7 + at * (n % 5 + 1)) % WORDS.len() as i64) as usize];
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// A film with a title, an extract and tags; each seventh has no text.
fn film(n: i64) -> Document {
    let film = Document::new().with("n", n);
    if n % 7 == 0 {
        return film;
    }
    film.with("title", words(n, 3)).with("extract", words(n + 1, n % 40)).with("tags", vec![words(n, 1), words(n, 2)])
}

fn index() -> Index {
    Index::text(["title", "extract", "tags"]).field_boost("title", 2.0).named("text")
}

fn english() -> Index {
    Index::text(["title", "extract"]).analyzer(Analyzer::standard().language(Language::English)).named("text")
}

fn open(path: &Path) -> Database {
    Database::builder().durability(Durability::Buffered).open(path).unwrap()
}

fn films(db: &Database) -> Collection<Document> {
    db.collection("films").unwrap()
}

fn fill(films: &Collection<Document>, numbers: std::ops::Range<i64>) {
    films.bulk().insert_with_ids(numbers.map(|n| (n, film(n)))).unwrap();
}

fn assert_healthy(db: &Database) {
    let report = db.verify().unwrap();
    assert!(report.is_healthy(), "{:?}", report.problems);
}

/// Whether what is needed to read a database are its text indexes, as its marker says.
fn needs_texts(path: &Path) -> bool {
    let marker = fs::read(path.join("BLAZE")).unwrap();
    u64::from_be_bytes(marker[12..20].try_into().unwrap()) & FEATURE_TEXT_INDEXES != 0
}
