//! A rotation by chance: afterwards no component of a vector is larger than others for a reason.
//!
//! Codes divide the range of a vector's components into equal steps. Where one component varies a hundred times as much as
//! the others, as in embeddings with outliers or in features of different units, all steps go to that one. A rotation spreads
//! it over all, and changes no distance. It is made of flipped signs and Walsh-Hadamard transforms, which take n·log n steps
//! (Ailon and Chazelle, "The fast Johnson-Lindenstrauss transform", 2009), of the longest power of two that fits, in turn at
//! the front and at the end.

use crate::chance::mix;

/// The rotation of one dimension and one seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rotation {
    /// A bit for each component and round: whether its sign is flipped.
    signs: Vec<Vec<u64>>,
    /// The length of the transforms, a power of two.
    window: usize,
}

/// Rounds where the dimension is a power of two, and where the transforms have to meet in the middle.
const ROUNDS: (usize, usize) = (2, 4);

impl Rotation {
    pub(crate) fn new(dimension: usize, seed: u64) -> Rotation {
        let window = 1 << dimension.max(1).ilog2();
        let rounds = if window == dimension { ROUNDS.0 } else { ROUNDS.1 };
        let words = dimension.div_ceil(64) as u64;
        let signs = |round: u64| (0..words).map(|word| mix(seed ^ mix((round << 32) | word))).collect();
        Rotation { signs: (0..rounds as u64).map(signs).collect(), window }
    }

    /// Rotates numbers in their place.
    pub(crate) fn apply(&self, numbers: &mut [f32]) {
        let scale = (self.window as f32).sqrt().recip();
        for (round, signs) in self.signs.iter().enumerate() {
            for (numbers, signs) in numbers.chunks_mut(64).zip(signs) {
                for (i, number) in numbers.iter_mut().enumerate() {
                    *number = f32::from_bits(number.to_bits() ^ (((signs >> i) & 1) as u32) << 31);
                }
            }
            let start = if round % 2 == 0 { 0 } else { numbers.len().saturating_sub(self.window) };
            if let Some(window) = numbers.get_mut(start..start + self.window) {
                transform(window);
                window.iter_mut().for_each(|number| *number *= scale);
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.signs.iter().map(|signs| signs.capacity() * 8).sum()
    }
}

/// Numbers whose transform is written out, as compilers turn steps of less than a vector's width into single additions.
const SHORT: usize = 16;

/// The Walsh-Hadamard transform of a power of two of numbers, which makes them longer by the root of how many they are.
fn transform(numbers: &mut [f32]) {
    let mut half = 1;
    if numbers.len() >= SHORT {
        numbers.as_chunks_mut().0.iter_mut().for_each(|short| *short = transform_short(*short));
        half = SHORT;
    }
    while half < numbers.len() {
        for block in numbers.chunks_exact_mut(2 * half) {
            let (left, right) = block.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

/// The same of few numbers: in half the time (2026-11-23).
fn transform_short(numbers: [f32; SHORT]) -> [f32; SHORT] {
    step::<8>(step::<4>(step::<2>(step::<1>(numbers))))
}

/// Adds and subtracts numbers that are `HALF` apart.
#[inline(always)]
fn step<const HALF: usize>(numbers: [f32; SHORT]) -> [f32; SHORT] {
    std::array::from_fn(|i| match i & HALF {
        0 => numbers[i] + numbers[i | HALF],
        _ => numbers[i & !HALF] - numbers[i],
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn distances_stay(
            dimension in 1usize..300,
            seed in any::<u64>(),
            numbers in proptest::collection::vec(-1e3f32..1e3, 600),
        ) {
            let rotation = Rotation::new(dimension, seed);
            let (mut a, mut b) = (numbers[..dimension].to_vec(), numbers[300..300 + dimension].to_vec());
            let before = crate::kernel::squared_l2(&a, &b);
            rotation.apply(&mut a);
            rotation.apply(&mut b);
            let after = crate::kernel::squared_l2(&a, &b);
            prop_assert!((before - after).abs() <= before * 1e-5 + 1e-3, "{before} became {after}");
        }
    }

    proptest! {
        #[test]
        fn a_transform_adds_and_subtracts_by_the_bits_that_places_share(
            exponent in 0u32..9, numbers in proptest::collection::vec(-100i8..100, 256),
        ) {
            let length = 1usize << exponent;
            let numbers: Vec<f32> = numbers[..length].iter().map(|&number| f32::from(number)).collect();
            let sign = |i: usize, j: usize| if (i & j).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
            let expected: Vec<f32> =
                (0..length).map(|i| numbers.iter().enumerate().map(|(j, number)| sign(i, j) * number).sum()).collect();
            let mut transformed = numbers;
            transform(&mut transformed);
            prop_assert_eq!(transformed, expected); // of whole numbers, exact
        }
    }

    #[test]
    fn one_large_component_is_spread_over_all() {
        for dimension in [16, 100, 384, 768, 784, 1_536, 4_096] {
            let rotation = Rotation::new(dimension, 7);
            for place in [0, dimension / 2, dimension - 1] {
                let mut numbers = vec![0.0; dimension];
                numbers[place] = 1.0;
                rotation.apply(&mut numbers);
                let largest = numbers.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
                let even = (dimension as f32).sqrt().recip();
                assert!(largest < 6.0 * even, "component {place} of {dimension}: {largest}, evenly {even}");
            }
        }
    }

    #[test]
    fn the_largest_numbers_stay_finite() {
        for dimension in [1, 2, 3, 4_095, 4_096] {
            let mut numbers = vec![1e18 / (dimension as f32).sqrt(); dimension];
            Rotation::new(dimension, 1).apply(&mut numbers);
            assert!(numbers.iter().all(|number| number.is_finite()));
        }
    }
}
