//! A vector as the code kernels compare it with codes.

use crate::code::rounding::{rounded, rounded_byte};
use crate::kernel::code::LINE;

/// A vector in signed bytes, and what makes distances of sums of products.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    /// A byte for each component; of bits, the bits.
    pub(crate) coarse: Vec<u8>,
    /// What `coarse` lacks, in 128ths.
    pub(crate) fine: Vec<u8>,
    pub(crate) per_square: f64,
    pub(crate) per_offset: f64,
    pub(crate) per_product: f64,
    /// Not zero if the vector is an offset from what `coarse` says.
    pub(crate) per_total: f64,
    pub(crate) constant: f64,
}

/// The largest magnitude of a byte in a probe.
const LARGEST: f32 = 127.0;
/// How many parts the finer bytes divide a unit into.
const PARTS: f32 = 128.0;

/// Sums in several lanes, so that additions overlap.
fn sum(numbers: &[f32], term: impl Fn(f32) -> f64) -> f64 {
    let (blocks, rest) = numbers.as_chunks::<8>();
    let mut sums = [0.0f64; 8];
    for block in blocks {
        for lane in 0..8 {
            sums[lane] += term(block[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&number| term(number)).sum::<f64>()
}

/// In several lanes, or each comparison waits for the one before it.
fn largest_magnitude(numbers: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut largest = [0.0f32; LANES];
    for block in blocks {
        for lane in 0..LANES {
            largest[lane] = largest[lane].max(block[lane].abs());
        }
    }
    rest.iter().chain(&largest).fold(0.0, |largest, number| largest.max(number.abs()))
}

impl Probe {
    /// The distance from a code: `product` is the sum of the products of the bytes with `h` (and `l`).
    #[inline(always)]
    pub(crate) fn distance(&self, terms: &super::Terms, product: f64) -> f64 {
        self.per_square * f64::from(terms.square)
            + self.per_offset * f64::from(terms.offset)
            + self.per_product * f64::from(terms.scale) * product
            + self.constant
    }

    /// For the squared Euclidean distance from `numbers`, times `factor`.
    pub(crate) fn squared_l2(numbers: &[f32], factor: f64) -> Probe {
        let square = sum(numbers, |number| f64::from(number) * f64::from(number));
        Probe { per_square: factor, constant: factor * square, ..Probe::product(numbers, -2.0 * factor) }
    }

    /// For the dot product with `numbers`, times `factor`.
    pub(crate) fn product(numbers: &[f32], factor: f64) -> Probe {
        let largest = largest_magnitude(numbers);
        // In between, quotients could overflow, and such numbers are nothing beside those of other vectors.
        let unit = if largest > 1e-35 { largest / LARGEST } else { 1.0 };
        let per_unit = unit.recip();
        let bytes = numbers.len().div_ceil(2 * LINE) * 2 * LINE;
        let (mut coarse, mut fine) = (vec![0; bytes], vec![0; bytes]);
        for ((&number, coarse), fine) in numbers.iter().zip(&mut coarse).zip(&mut fine) {
            let units = number * per_unit;
            let (whole, byte) = rounded(units);
            *coarse = byte;
            *fine = rounded_byte((units - whole) * PARTS);
        }
        let (factor, unit, sum) = (factor, f64::from(unit), sum(numbers, f64::from));
        Probe {
            coarse,
            fine,
            per_square: 0.0,
            per_offset: factor * sum,
            per_product: factor * unit,
            per_total: 0.0,
            constant: 0.0,
        }
    }

    /// For the number of bits that differ from `bits`.
    pub(crate) fn bits(bits: &[u8]) -> Probe {
        Probe { coarse: bits.to_vec(), ..Probe::default() }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.coarse.capacity() + self.fine.capacity()
    }
}
