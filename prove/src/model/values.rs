//! Values that documents have.

use blaze::{Value, Vector};

use crate::random::Random;

/// Dimension of the vectors of notes.
pub const DIMENSION: usize = 6;

/// Cities that people live in.
pub const CITIES: [&str; 6] = ["Oslo", "Lima", "Kyoto", "Accra", "Quito", "Malmö"];

/// Tags that people have.
pub const TAGS: [&str; 7] = ["red", "green", "blue", "old", "new", "large", "small"];

/// Words that notes are made of; no analyzer changes or drops one of them.
pub const WORDS: [&str; 16] = [
    "ocean", "whale", "river", "stone", "cloud", "tower", "amber", "lemon", "violet", "copper", "meadow", "harbor",
    "walnut", "ginger", "falcon", "pepper",
];

pub(super) fn words(random: &Random, most: u64) -> String {
    let words: Vec<&str> =
        (0..1 + random.below(most)).map(|_| WORDS[random.below(WORDS.len() as u64) as usize]).collect();
    words.join(" ")
}

pub(super) fn tags(random: &Random) -> Value {
    let first = random.below(TAGS.len() as u64) as usize;
    TAGS.iter().cycle().skip(first).take(random.below(4) as usize).copied().collect()
}

pub(super) fn vector(random: &Random) -> Value {
    // The last number keeps it from being all zero, which has no direction.
    let mut numbers: Vec<f32> = (0..DIMENSION).map(|_| random.below(2_001) as f32 / 1_000.0 - 1.0).collect();
    numbers[DIMENSION - 1] = 1.0;
    Value::from(Vector::from(numbers))
}
