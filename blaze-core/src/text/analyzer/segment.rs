//! Where words are in a text: [UAX #29](https://www.unicode.org/reports/tr29/) with a short way for ASCII.
//!
//! Scripts that are written without spaces are left to [`runs`](super::runs). Colons never join words, as the annex allows.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::{UnicodeSegmentation, UnicodeWordIndices};

use super::runs::{end_of_run, is_unspaced};

/// A part of a text, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// A word.
    Word(usize, usize),
    /// Characters of scripts without spaces.
    Run(usize, usize),
}

/// The words and runs of a text, in order.
pub(super) struct Stretches<'a> {
    text: &'a str,
    at: usize,
    /// Words of a chunk that is not ASCII, and where it begins.
    chunk: Option<(usize, UnicodeWordIndices<'a>)>,
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const UNDERSCORE: u8 = 4;
const WORD: u8 = LETTER | DIGIT | UNDERSCORE;
const JOINS_LETTERS: u8 = 8;
const JOINS_DIGITS: u8 = 16;
/// What is no part of a word in ASCII, but among Hebrew letters.
const JOINS_OTHERS: u8 = 32;
const OTHER: u8 = 64;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'_' => UNDERSCORE,
            b'.' | b'\'' => JOINS_LETTERS | JOINS_DIGITS,
            b',' | b';' => JOINS_DIGITS,
            b'"' => JOINS_OTHERS,
            0x80..=0xff => OTHER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

impl<'a> Stretches<'a> {
    pub(super) fn new(text: &'a str) -> Stretches<'a> {
        Stretches { text, at: 0, chunk: None }
    }

    fn class_at(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).map_or(0, |byte| class(*byte))
    }

    /// The end of the word of ASCII that begins here, unless it may go on with what is not ASCII.
    fn end_of_ascii(&self) -> Option<usize> {
        let mut end = self.at;
        loop {
            let mut last = 0;
            while self.class_at(end) & WORD != 0 {
                last = self.class_at(end);
                end += 1;
            }
            let (between, next) = (self.class_at(end), self.class_at(end + 1));
            if between == OTHER || (between & (JOINS_LETTERS | JOINS_DIGITS) != 0 && next == OTHER) {
                return None;
            }
            let joins_letters = between & JOINS_LETTERS != 0 && last == LETTER && next == LETTER;
            let joins_digits = between & JOINS_DIGITS != 0 && last == DIGIT && next == DIGIT;
            if !(joins_letters || joins_digits) {
                return Some(end);
            }
            end += 1;
        }
    }

    /// The end of what is to be cut into words together: before ASCII that ends any word, or before a run.
    fn end_of_chunk(&self) -> usize {
        let rest = &self.text[self.at..];
        let ends = |character: char| match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => class(byte) == 0,
            _ => is_unspaced(character),
        };
        rest.find(ends).map_or(self.text.len(), |length| self.at + length)
    }

    fn character(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }
}

/// False for a word that is none without its marks, some of which count as letters.
fn has_letter(word: &str) -> bool {
    word.chars().any(|character| character.is_alphanumeric() && !is_combining_mark(character))
}

impl Iterator for Stretches<'_> {
    type Item = Stretch;

    fn next(&mut self) -> Option<Stretch> {
        loop {
            if let Some((start, words)) = &mut self.chunk {
                if let Some((at, word)) = words.find(|(_, word)| has_letter(word)) {
                    return Some(Stretch::Word(*start + at, *start + at + word.len()));
                }
                self.chunk = None;
            }
            let start = self.at;
            match self.class_at(start) {
                OTHER => {}
                found if found & WORD != 0 => {
                    if let Some(end) = self.end_of_ascii() {
                        self.at = end;
                        if self.text.as_bytes()[start..end].iter().any(u8::is_ascii_alphanumeric) {
                            return Some(Stretch::Word(start, end));
                        }
                        continue;
                    }
                }
                _ if start >= self.text.len() => return None,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if self.character().is_some_and(is_unspaced) {
                self.at = end_of_run(self.text, start);
                return Some(Stretch::Run(start, self.at));
            }
            let end = self.end_of_chunk();
            self.chunk = Some((start, self.text[start..end].unicode_word_indices()));
            self.at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let range = |stretch| match stretch {
            Stretch::Word(start, end) | Stretch::Run(start, end) => &text[start..end],
        };
        Stretches::new(text).map(range).collect()
    }

    #[test]
    fn words_are_those_of_the_annex() {
        let brown = words("The quick (\"brown\") fox can't jump 32.3 feet, right?");
        assert_eq!(brown, ["The", "quick", "brown", "fox", "can't", "jump", "32.3", "feet", "right"]);
        let joined = words("state-of e.g. 1,000;2 a,b x_1 ___ é.a");
        assert_eq!(joined, ["state", "of", "e.g", "1,000;2", "a", "b", "x_1", "é.a"]);
        assert_eq!(words("צה\"ל Größe naïve’s"), ["צה\"ל", "Größe", "naïve’s"]);
    }

    #[test]
    fn colons_never_join() {
        assert_eq!(words("title:dune std::fmt é:a"), ["title", "dune", "std", "fmt", "é", "a"]);
    }

    #[test]
    fn scripts_without_spaces_are_runs_of_their_own() {
        assert_eq!(words("Rust言語 の本。ไทย, 한국어와abc"), ["Rust", "言語", "の本", "ไทย", "한국어와", "abc"]);
    }

    /// Text in which everything is near to something else.
    fn text() -> impl Strategy<Value = String> {
        let characters = "aZ09_.',;\" -\n\u{e9}\u{301}\u{ad}\u{2019}\u{200d}\u{5d0}\u{661}\u{66b}\u{387}\u{1f600}";
        prop::collection::vec(select(characters.chars().collect::<Vec<_>>()), 0..24)
            .prop_map(|text| text.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_short_way_finds_the_words_of_the_long_way(text in text()) {
            prop_assert_eq!(words(&text), text.unicode_words().collect::<Vec<_>>());
        }

        #[test]
        fn stretches_of_any_text_are_in_order_and_not_empty(text: String) {
            let mut end = 0;
            for stretch in Stretches::new(&text) {
                let (Stretch::Word(from, to) | Stretch::Run(from, to)) = stretch;
                prop_assert!(end <= from && from < to && text.get(from..to).is_some());
                end = to;
            }
        }
    }
}
