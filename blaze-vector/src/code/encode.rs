//! From vectors to codes.

use crate::code::rounding::rounded;
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

    /// The step that is nearest to a number.
    #[inline(always)]
    fn nearest(&self, number: f32) -> u8 {
        rounded(self.position(number).clamp(0.0, 15.0)).1 & 15
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
            let low = rounded(((steps.position(number) - f32::from(high)) * 16.0 + 8.0).clamp(0.0, 15.0)).1 & 15;
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
