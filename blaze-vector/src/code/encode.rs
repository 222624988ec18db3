//! From vectors to codes.

use crate::code::rounding::rounded_byte;
use crate::code::{Code, Coded, Codes, Terms};
use crate::kernel::code::LINE;

/// The steps of what four bits say: 16 from the least number to the greatest.
#[derive(Clone, Copy, Debug)]
struct Steps {
    min: f32,
    /// From one step to the next; 0 if all numbers are equal, or as good as that.
    scale: f32,
    per_scale: f32,
}

/// What is added to positions, so that ties are above the half: from one number to the next, where positions are largest.
const TIES_UP: f32 = 1.0 / (1 << 20) as f32;

impl Steps {
    fn of(numbers: &[f32]) -> Steps {
        // In several lanes, or each comparison waits for the one before it.
        const LANES: usize = 16;
        let (blocks, rest) = numbers.as_chunks::<LANES>();
        let (mut least, mut greatest) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        for block in blocks {
            for lane in 0..LANES {
                least[lane] = least[lane].min(block[lane]);
                greatest[lane] = greatest[lane].max(block[lane]);
            }
        }
        let min = least.iter().chain(rest).fold(f32::INFINITY, |min, &x| min.min(x));
        let max = greatest.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &x| max.max(x));
        let scale = (max - min) / 15.0;
        let per_scale = if scale > 0.0 && scale.recip().is_finite() { scale.recip() } else { 0.0 };
        Steps { min, scale: if per_scale > 0.0 { scale } else { 0.0 }, per_scale }
    }

    fn position(&self, number: f32) -> f32 {
        (number - self.min) * self.per_scale
    }

    /// The step that is nearest to a number, of two the upper one: the finer half reaches half a step down and less up.
    #[inline(always)]
    fn nearest(&self, number: f32) -> u8 {
        // The mask keeps what is no number out of the other half of a byte.
        rounded_byte(self.position(number).clamp(0.0, 15.0) + TIES_UP) & 15
    }
}

impl Codes {
    /// Codes numbers.
    pub(crate) fn encode(&self, numbers: &[f32]) -> Coded {
        let steps = Steps::of(numbers);
        let mut coded = self.coarse(numbers, steps);
        if self.code == Code::Eight {
            coded.low = vec![0; self.high.stride()];
        }
        let (mut total, mut square, mut fine_square) = (0, 0.0f64, 0.0f64);
        for (i, &number) in numbers.iter().enumerate() {
            let high = steps.nearest(number);
            let low = rounded_byte(((steps.position(number) - f32::from(high)) * 16.0 + 8.0).clamp(0.0, 15.0)) & 15;
            let (byte, shift) = (i / (2 * LINE) * LINE + i % LINE, if i % (2 * LINE) < LINE { 0 } else { 4 });
            if let Some(place) = coded.low.get_mut(byte) {
                *place |= low << shift;
            }
            total += u16::from(high); // at most 15·4096
            let coarse = f64::from(steps.min) + f64::from(steps.scale) * f64::from(high);
            let fine = coarse + f64::from(steps.scale) * (f64::from(low) / 16.0 - 0.5);
            square += coarse * coarse;
            fine_square += fine * fine;
        }
        coded.total = total;
        coded.terms.square = square as f32;
        coded.terms.fine_square = fine_square as f32;
        coded
    }

    /// The part of the code of numbers that tells it from others.
    pub(crate) fn encode_coarsely(&self, numbers: &[f32]) -> Coded {
        self.coarse(numbers, Steps::of(numbers))
    }

    fn coarse(&self, numbers: &[f32], steps: Steps) -> Coded {
        let mut high = vec![0; self.high.stride()];
        for (bytes, numbers) in high.chunks_exact_mut(LINE).zip(numbers.chunks(2 * LINE)) {
            let (lower, upper) = numbers.split_at(numbers.len().min(LINE));
            bytes.iter_mut().zip(lower).for_each(|(byte, &number)| *byte = steps.nearest(number));
            bytes.iter_mut().zip(upper).for_each(|(byte, &number)| *byte |= steps.nearest(number) << 4);
        }
        let terms = Terms { offset: steps.min, scale: steps.scale, ..Terms::default() };
        Coded { high, terms, ..Coded::default() }
    }

    /// The squared distance of numbers from what the first half of their code says of them: what
    /// the walk goes wrong by.
    pub(crate) fn error(&self, numbers: &[f32]) -> f64 {
        let steps = Steps::of(numbers);
        let wrong = |&number: &f32| {
            let high = f32::from(steps.nearest(number));
            f64::from(number - (steps.min + steps.scale * high)).powi(2)
        };
        numbers.iter().map(wrong).sum()
    }

    /// Codes bits: they are their own code.
    pub(crate) fn encode_bits(bits: &[u8]) -> Coded {
        Coded { high: bits.to_vec(), ..Coded::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_halfway_between_two_steps_is_coded_exactly_by_eight_bits() {
        let codes = Codes::new(Code::Eight, 17);
        for scale in [2.0_f32, 0.1, 1e6] {
            let mut numbers = vec![0.0, 15.0 * scale];
            numbers.extend((0..15).map(|step| (step as f32 + 0.5) * scale));
            let coded = codes.encode(&numbers);
            assert_eq!(coded.high, codes.encode_coarsely(&numbers).high);
            for (place, number) in numbers.iter().enumerate().skip(2) {
                let (high, low) = (f32::from(coded.high[place]), f32::from(coded.low[place]));
                let fine = coded.terms.offset + coded.terms.scale * (high + low / 16.0 - 0.5);
                assert!((fine - number).abs() <= 1e-5 * scale * 16.0, "{number} became {fine}");
            }
        }
    }

    #[test]
    fn every_number_is_within_half_a_step_by_four_bits_and_a_sixteenth_by_eight() {
        const DIMENSION: usize = 300; // more than two lines
        let codes = Codes::new(Code::Eight, DIMENSION);
        let numbers: Vec<f32> = (0..DIMENSION).map(|i| ((i * 7919) % DIMENSION) as f32 / 299.0 * 15.0 - 4.0).collect();
        let coded = codes.encode(&numbers);
        for (i, number) in numbers.iter().enumerate() {
            let (byte, shift) = (i / (2 * LINE) * LINE + i % LINE, if i % (2 * LINE) < LINE { 0 } else { 4 });
            let (high, low) = (coded.high[byte] >> shift & 15, coded.low[byte] >> shift & 15);
            let coarse = f32::from(high) - 4.0;
            let fine = coarse + f32::from(low) / 16.0 - 0.5;
            assert!((coarse - number).abs() <= 0.501, "{number} became {coarse}");
            assert!((fine - number).abs() <= 0.063, "{number} became {fine}");
        }
    }

    #[test]
    fn numbers_that_are_all_equal_have_one_code() {
        let coded = Codes::new(Code::Eight, 5).encode(&[3.0; 5]);
        assert_eq!((coded.terms.offset, coded.terms.scale, coded.total), (3.0, 0.0, 0));
        assert!(coded.high.iter().all(|byte| *byte == 0));
    }
}
