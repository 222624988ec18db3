//! The generator that everything random comes from.

/// A fast generator that a seed fixes: xoshiro256++ (Blackman and Vigna, "Scrambled Linear Pseudorandom Number
/// Generators", 2021), its state filled by `SplitMix64` as they recommend.
///
/// ```
/// use blaze_bench::distribution::Random;
///
/// let (mut one, mut other) = (Random::seeded(7), Random::seeded(7));
/// assert_eq!(one.next_u64(), other.next_u64());
/// assert!(one.below(10) < 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The generator that `seed` fixes. Those of neighbouring seeds have nothing in common.
    #[must_use]
    pub fn seeded(seed: u64) -> Random {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        // Counts from the mixed seed: from the seed itself, the generator of `seed + STEP` would overlap with this one.
        let mut counter = mix(seed);
        let mut next = || {
            counter = counter.wrapping_add(STEP);
            mix(counter)
        };
        Random { state: [next(), next(), next(), next()] }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let state = &mut self.state;
        let result = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }

    /// A number below `limit`, 0 for a limit of 0. By multiplication (Lemire 2019): some numbers are more frequent than
    /// others by a share of at most `limit` / 2⁶⁴.
    #[inline]
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 to below 1, a multiple of 2⁻⁵³.
    #[inline]
    pub fn fraction(&mut self) -> f64 {
        const STEPS: f64 = (1_u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 / STEPS
    }

    /// Fills `bytes` with random ones.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        let (words, rest) = bytes.as_chunks_mut::<8>();
        for word in words {
            *word = self.next_u64().to_le_bytes();
        }
        let last = self.next_u64().to_le_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// The output function of `SplitMix64`: two seeds never give the same.
fn mix(seed: u64) -> u64 {
    let mut z = seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_xoshiro256_plus_plus() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let expected =
            [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162];
        assert_eq!(std::array::from_fn(|_| random.next_u64()), expected); // of the authors' own C
    }

    #[test]
    fn neighbouring_seeds_give_unrelated_numbers() {
        let numbers = |seed: u64| {
            let mut random = Random::seeded(seed);
            [random.next_u64(), random.next_u64(), random.next_u64(), random.next_u64()]
        };
        for neighbour in [1, 0x9E37_79B9_7F4A_7C15] {
            let (one, other) = (numbers(5), numbers(5_u64.wrapping_add(neighbour)));
            assert!(one.iter().all(|number| !other.contains(number)), "{one:?} and {other:?}");
        }
        assert_eq!(numbers(5), numbers(5));
    }

    #[test]
    fn numbers_are_spread_evenly_below_their_limit() {
        let mut random = Random::seeded(1);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[random.below(10) as usize] += 1;
            assert!((0.0..1.0).contains(&random.fraction()));
        }
        // Nine degrees of freedom: 33.7 is exceeded once in 10,000 seeds.
        let chi_squared: f64 = counts.iter().map(|&count| (f64::from(count) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi_squared < 33.7, "{counts:?}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn every_byte_is_filled_whatever_the_length() {
        for length in 0..40 {
            let mut bytes = vec![0; length];
            let mut random = Random::seeded(9);
            let mut ever = vec![0; length];
            for _ in 0..8 {
                random.fill(&mut bytes);
                ever.iter_mut().zip(&bytes).for_each(|(ever, byte)| *ever |= byte);
            }
            assert!(ever.iter().all(|&byte| byte != 0), "{ever:?}");
        }
    }
}
