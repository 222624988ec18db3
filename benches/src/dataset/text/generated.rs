//! Texts that a seed makes.

use super::TextSet;
use crate::distribution::{Random, Zipfian};

/// Words that may occur.
const VOCABULARY: u64 = 500_000;
/// The fewest words of a text, and how many more it may have.
const FEWEST: u64 = 40;
const MORE: u64 = 41;
/// One of so many words is one that the text has before.
const AGAIN: u64 = 5;
/// Fixed, since the questions about these texts are.
const SEED: u64 = 42;

pub(super) fn texts(rows: u64) -> TextSet {
    let ranks = Zipfian::new(VOCABULARY);
    let mut texts = TextSet::default();
    // Numbers of words are given as they come, by rank they are looked up.
    let mut numbers = vec![u32::MAX; VOCABULARY as usize];
    for row in 0..rows {
        let mut random = Random::seeded(SEED.wrapping_add(row));
        let start = texts.tokens.len();
        for place in 0..FEWEST + random.below(MORE) {
            let token = if place > 0 && random.below(AGAIN) == 0 {
                texts.tokens[start + random.below(place) as usize]
            } else {
                let rank = ranks.choose(&mut random) as usize;
                if numbers[rank] == u32::MAX {
                    numbers[rank] = texts.number_of(&word(rank));
                }
                numbers[rank]
            };
            texts.tokens.push(token);
        }
        texts.ends.push(texts.tokens.len());
    }
    texts
}

/// The word of a rank: frequent ones are short.
fn word(rank: usize) -> String {
    const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
    const VOWELS: &[u8] = b"aeiou";
    let syllables = CONSONANTS.len() * VOWELS.len();
    let mut word = Vec::new();
    // Counting without a zero, so that no two ranks have the same word.
    let mut left = rank + 1;
    while left > 0 {
        let syllable = (left - 1) % syllables;
        word.extend([CONSONANTS[syllable / VOWELS.len()], VOWELS[syllable % VOWELS.len()]]);
        left = (left - 1) / syllables;
    }
    word.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_rank_has_a_word_of_its_own_and_frequent_words_are_short() {
        let words: BTreeSet<String> = (0..20_000).map(word).collect();
        assert_eq!(words.len(), 20_000);
        assert_eq!([word(0).len(), word(69).len(), word(70).len(), word(499_999).len()], [2, 2, 4, 8]);
    }
}
