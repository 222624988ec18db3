//! Texts that are searched by their words: generated ones, and those of files.

pub mod cranfield;
mod generated;

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::corpus::Corpus;
use crate::Result;

/// Texts as words, which the harness has made of them: runs of ASCII letters and digits in lower case. Joined by blanks they
/// are the same words for every engine, however it analyses what it gets.
///
/// ```
/// use blaze_bench::dataset::text::TextSet;
///
/// let mut texts = TextSet::default();
/// texts.add(["a", "rose", "is", "a", "rose"]);
/// assert_eq!((texts.text(0).as_str(), texts.tokens(0).len(), texts.words()), ("a rose is a rose", 5, 3));
/// ```
#[derive(Clone, Debug, Default)]
pub struct TextSet {
    words: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    tokens: Vec<u32>,
    ends: Vec<usize>,
}

impl TextSet {
    /// The films: title and description in one text.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn movies(data: Option<&Path>) -> Result<TextSet> {
        #[derive(Deserialize)]
        struct Film {
            title: String,
            #[serde(default)]
            extract: Option<String>,
        }
        let mut texts = TextSet::default();
        Corpus::Movies(data.map(Path::to_path_buf)).for_each(|line| {
            let film: Film = serde_json::from_str(line)?;
            let extract = film.extract.unwrap_or_default();
            let words: Vec<String> = words_of(&film.title).chain(words_of(&extract)).collect();
            texts.add(words.iter().map(String::as_str));
            Ok(())
        })?;
        Ok(texts)
    }

    /// `rows` texts of about 60 words, whose frequencies are those of a language: few words are everywhere, most are rare. A
    /// text is the same one whatever their number.
    #[must_use]
    pub fn generated(rows: u64) -> TextSet {
        generated::texts(rows)
    }

    /// Adds a text by its words.
    pub fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        for word in words {
            let number = self.number_of(word);
            self.tokens.push(number);
        }
        self.ends.push(self.tokens.len());
    }

    fn number_of(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.push(word.into());
        self.numbers.insert(word.into(), number);
        number
    }

    /// How many texts there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// How many different words there are.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// How many words all texts have together.
    #[must_use]
    pub fn total_tokens(&self) -> u64 {
        self.tokens.len() as u64
    }

    /// The words of a text by their numbers.
    #[must_use]
    pub fn tokens(&self, row: usize) -> &[u32] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.tokens[start..self.ends[row]]
    }

    /// A word by its number.
    #[must_use]
    pub fn word(&self, number: u32) -> &str {
        &self.words[number as usize]
    }

    /// The number of a word, if a text has it.
    #[must_use]
    pub fn number(&self, word: &str) -> Option<u32> {
        self.numbers.get(word).copied()
    }

    /// A text: its words with a blank between each two.
    #[must_use]
    pub fn text(&self, row: usize) -> String {
        let mut text = String::new();
        for &token in self.tokens(row) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(self.word(token));
        }
        text
    }

    /// How many texts have each word, by its number.
    #[must_use]
    pub fn frequencies(&self) -> Vec<u32> {
        let (mut counts, mut last) = (vec![0; self.words()], vec![u32::MAX; self.words()]);
        for row in 0..self.rows() {
            for &token in self.tokens(row) {
                if last[token as usize] != row as u32 {
                    last[token as usize] = row as u32;
                    counts[token as usize] += 1;
                }
            }
        }
        counts
    }
}

/// Runs of ASCII letters and digits, in lower case.
pub fn words_of(text: &str) -> impl Iterator<Item = String> {
    let runs = text.split(|character: char| !character.is_ascii_alphanumeric());
    runs.filter(|run| !run.is_empty()).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_ascii_letters_and_digits_in_lower_case() {
        let words: Vec<String> = words_of("Don't look now: 1973, café").collect();
        assert_eq!(words, ["don", "t", "look", "now", "1973", "caf"]);
    }

    #[test]
    fn a_text_may_be_empty_and_a_word_counts_once_in_each() {
        let mut texts = TextSet::default();
        texts.add(["rose", "is", "rose"]);
        texts.add([]);
        texts.add(["is"]);
        assert_eq!((texts.rows(), texts.text(1), texts.tokens(2).len()), (3, String::new(), 1));
        assert_eq!(texts.frequencies(), [1, 2]);
        assert_eq!((texts.number("is"), texts.number("was"), texts.total_tokens()), (Some(1), None, 4));
    }

    #[test]
    fn generated_texts_are_the_same_however_many_there_are() {
        let (few, many) = (TextSet::generated(20), TextSet::generated(200));
        assert_eq!(
            (0..20).map(|row| few.text(row)).collect::<Vec<_>>(),
            (0..20).map(|row| many.text(row)).collect::<Vec<_>>()
        );
        let lengths = (0..200).map(|row| many.tokens(row).len());
        assert!((11_000..13_000).contains(&lengths.sum::<usize>()));
        // Few words are in nearly all texts, and most words are in one.
        let mut frequencies = many.frequencies();
        frequencies.sort_unstable();
        assert!(frequencies.last() > Some(&180) && frequencies[frequencies.len() / 2] == 1, "{frequencies:?}");
    }
}
