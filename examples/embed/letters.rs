//! An embedder without a model: the groups of three letters of a text, counted in as many places as the vector has.

use blaze::{Embedder, Result};

/// Places for the groups: several share one.
pub(crate) const DIMENSION: usize = 512;

pub(crate) struct Letters;

impl Embedder for Letters {
    fn model(&self) -> &str {
        "letters-v1" // another way of counting would get another label
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        Ok(texts.iter().map(|text| count(text)).collect())
    }
}

fn count(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSION];
    for word in text.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() > 3) {
        let letters: Vec<char> = format!(" {word} ").chars().collect();
        for group in letters.windows(3) {
            vector[place_of(group)] += 1.0;
        }
    }
    if vector.iter().all(|count| *count == 0.0) {
        vector[0] = 1.0; // a vector without direction is near to nothing
    }
    vector
}

/// Where a group is counted: by the hash of Fowler, Noll and Vo.
fn place_of(group: &[char]) -> usize {
    let hash = group.iter().fold(0x811C_9DC5_u32, |hash, letter| (hash ^ u32::from(*letter)).wrapping_mul(0x0100_0193));
    hash as usize % DIMENSION
}
