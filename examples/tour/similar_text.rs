//! "Similar text": a vector for a text, made of the runs of three to five characters that occur in it.
//!
//! Texts that share rare runs get vectors that point the same way. It compares spelling and claims nothing about
//! meaning: an application would store the vectors of a language model in the same kind of field.

use crate::checksum::mix;

/// Numbers in a vector.
pub(crate) const DIMENSIONS: usize = 512;

/// Runs of characters are told apart by this many hash values.
const BUCKETS: usize = 1 << 16;
const SHORTEST: usize = 3;
const LONGEST: usize = 5;

/// Enough for most alphabets, and five characters fit in 64 bits; characters that share them count as the same.
const CHARACTER_BITS: usize = 12;

/// Knows how common each run of characters is, so that rare ones count for more.
pub(crate) struct SimilarText {
    texts: u32,
    /// In how many texts each bucket occurs.
    occurrences: Vec<u32>,
    counter: Counter,
}

/// Counts the runs of one text; kept from text to text, since clearing it touches only what the last one used.
pub(crate) struct Counter {
    counts: Vec<u32>,
    used: Vec<u16>,
}

impl Counter {
    pub(crate) fn new() -> Counter {
        Counter { counts: vec![0; BUCKETS], used: Vec::new() }
    }

    fn count(&mut self, text: &str) {
        for bucket in self.used.drain(..) {
            self.counts[usize::from(bucket)] = 0;
        }
        let mut latest = 0_u64; // the latest characters, twelve bits of each, the last one lowest
        for (place, character) in folded(text).enumerate() {
            latest = (latest << CHARACTER_BITS) | u64::from(character as u32 & ((1 << CHARACTER_BITS) - 1));
            for length in SHORTEST..=LONGEST.min(place + 1) {
                let run = latest & ((1 << (CHARACTER_BITS * length)) - 1);
                let bucket = (run.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16;
                let count = &mut self.counts[usize::from(bucket)];
                if *count == 0 {
                    self.used.push(bucket);
                }
                *count += 1;
            }
        }
    }
}

/// Lower case, with every run of white space as one blank.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let mut blank = false;
    text.chars().filter_map(move |character| {
        let was_blank = std::mem::replace(&mut blank, character.is_whitespace());
        match (blank, was_blank) {
            (true, true) => None,
            (true, false) => Some(' '),
            (false, _) => Some(character.to_ascii_lowercase()),
        }
    })
}

impl SimilarText {
    pub(crate) fn new() -> SimilarText {
        SimilarText { texts: 0, occurrences: vec![0; BUCKETS], counter: Counter::new() }
    }

    /// Takes note of the runs in a text of the corpus.
    pub(crate) fn learn(&mut self, text: &str) {
        self.counter.count(text);
        for &bucket in &self.counter.used {
            self.occurrences[usize::from(bucket)] += 1;
        }
        self.texts += 1;
    }

    /// The vector of a text, of length one; empty if the text is too short to point anywhere.
    pub(crate) fn vector(&self, text: &str, counter: &mut Counter) -> Vec<f32> {
        counter.count(text);
        let mut vector = vec![0.0_f32; DIMENSIONS];
        for &bucket in &counter.used {
            let count = counter.counts[usize::from(bucket)] as f32;
            let rarity = ((self.texts as f32 + 1.0) / (self.occurrences[usize::from(bucket)] as f32 + 1.0)).ln();
            let weight = (1.0 + count.ln()) * rarity.powf(1.5);
            // Random signs let collisions cancel out instead of adding up.
            let scattered = mix(u64::from(bucket));
            let place = scattered as usize % DIMENSIONS;
            vector[place] += if scattered >> 40 & 1 == 0 { weight } else { -weight };
        }
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        if length == 0.0 {
            return Vec::new();
        }
        vector.iter_mut().for_each(|number| *number /= length);
        vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(left: &[f32], right: &[f32]) -> f32 {
        left.iter().zip(right).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn a_text_is_more_like_its_variant_than_like_another() {
        let texts =
            ["fn push(&mut self, item: T)", "fn push(&mut self,   ITEM: U)", "static int compare(const void *a)"];
        let mut similar = SimilarText::new();
        texts.iter().for_each(|text| similar.learn(text));
        let vectors = texts.map(|text| similar.vector(text, &mut Counter::new()));
        assert!((likeness(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5);
        assert!(likeness(&vectors[0], &vectors[1]) > likeness(&vectors[0], &vectors[2]) + 0.2);
    }

    #[test]
    fn a_text_without_runs_has_no_vector() {
        assert!(SimilarText::new().vector("ab", &mut Counter::new()).is_empty());
    }
}
