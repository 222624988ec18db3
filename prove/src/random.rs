//! Choices that a seed fixes.

use blaze::{Entropy, SeededEntropy};

/// A source of choices: the same numbers choose the same.
#[derive(Debug)]
pub struct Random(SeededEntropy);

impl Random {
    /// The source that some numbers fix together.
    #[must_use]
    pub fn of(parts: &[u64]) -> Random {
        let mix = |mixed: u64, part: &u64| SeededEntropy::new(mixed ^ part.rotate_left(17)).next_u64();
        Random(SeededEntropy::new(parts.iter().fold(0, mix)))
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_numbers_choose_the_same_and_others_otherwise() {
        let choose = |parts: &[u64]| {
            let random = Random::of(parts);
            [random.below(1 << 40), random.below(1 << 40)]
        };
        assert_eq!(choose(&[1, 2]), choose(&[1, 2]));
        assert_ne!(choose(&[1, 2]), choose(&[2, 1]));
    }
}
