//! Vectors: numbers of one type, for search by similarity.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::half::{f16_of_f32, f32_of_f16};

/// A vector of numbers of one type.
///
/// In JSON it is an array of numbers; in a Rust type, a `Vec<f32>` field becomes one.
///
/// Vectors are ordered by kind, then number by number, then by length; NaN is equal to itself and below every other
/// number, −0.0 is equal to 0.0.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Vector {
    /// Single precision.
    F32(Vec<f32>),
    /// Half precision, as the 16 bits of IEEE 754 binary16.
    F16(Vec<u16>),
    /// Signed bytes.
    I8(Vec<i8>),
    /// Bits, eight to a byte, the first in the lowest place; the dimension is a multiple of eight.
    Bits(Vec<u8>),
}

/// The type of a vector's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VectorKind {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// Signed bytes.
    I8,
    /// Bits.
    Bits,
}

impl Vector {
    /// The type of the numbers.
    #[must_use]
    pub fn kind(&self) -> VectorKind {
        match self {
            Vector::F32(_) => VectorKind::F32,
            Vector::F16(_) => VectorKind::F16,
            Vector::I8(_) => VectorKind::I8,
            Vector::Bits(_) => VectorKind::Bits,
        }
    }

    /// How many numbers, or bits, there are.
    #[must_use]
    pub fn dimension(&self) -> usize {
        match self {
            Vector::F32(numbers) => numbers.len(),
            Vector::F16(numbers) => numbers.len(),
            Vector::I8(numbers) => numbers.len(),
            Vector::Bits(bytes) => bytes.len() * 8,
        }
    }

    /// A vector of half precision: each number is rounded to the nearest one of 11 bits, ties to even.
    #[must_use]
    pub fn half_precision(numbers: &[f32]) -> Vector {
        Vector::F16(numbers.iter().map(|&number| f16_of_f32(number)).collect())
    }

    /// The numbers in single precision, which holds all of them exactly; `None` for bits.
    ///
    /// ```
    /// use blaze_core::Vector;
    ///
    /// assert_eq!(Vector::half_precision(&[0.5, -2.0]).to_f32(), Some(vec![0.5, -2.0]));
    /// ```
    #[must_use]
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        match self {
            Vector::F32(numbers) => Some(numbers.clone()),
            Vector::F16(numbers) => Some(numbers.iter().map(|&number| f32_of_f16(number)).collect()),
            Vector::I8(numbers) => Some(numbers.iter().map(|&number| f32::from(number)).collect()),
            Vector::Bits(_) => None,
        }
    }
}

impl From<Vec<f32>> for Vector {
    fn from(numbers: Vec<f32>) -> Vector {
        Vector::F32(numbers)
    }
}

impl From<&Vec<f32>> for Vector {
    fn from(numbers: &Vec<f32>) -> Vector {
        Vector::F32(numbers.clone())
    }
}

impl From<&[f32]> for Vector {
    fn from(numbers: &[f32]) -> Vector {
        Vector::F32(numbers.to_vec())
    }
}

impl<const N: usize> From<&[f32; N]> for Vector {
    fn from(numbers: &[f32; N]) -> Vector {
        Vector::F32(numbers.to_vec())
    }
}

impl From<&Vector> for Vector {
    fn from(vector: &Vector) -> Vector {
        vector.clone()
    }
}

impl Ord for Vector {
    fn cmp(&self, other: &Vector) -> Ordering {
        match (self, other) {
            (Vector::F32(a), Vector::F32(b)) => {
                a.iter().map(|a| ordered_f32(*a)).cmp(b.iter().map(|b| ordered_f32(*b)))
            }
            (Vector::F16(a), Vector::F16(b)) => {
                a.iter().map(|a| ordered_f16(*a)).cmp(b.iter().map(|b| ordered_f16(*b)))
            }
            (Vector::I8(a), Vector::I8(b)) => a.cmp(b),
            (Vector::Bits(a), Vector::Bits(b)) => {
                a.iter().map(|a| a.reverse_bits()).cmp(b.iter().map(|b| b.reverse_bits()))
            }
            (a, b) => a.kind().cmp(&b.kind()),
        }
    }
}

impl PartialOrd for Vector {
    fn partial_cmp(&self, other: &Vector) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Vector {
    fn eq(&self, other: &Vector) -> bool {
        self.dimension() == other.dimension() && self.cmp(other).is_eq()
    }
}

impl Eq for Vector {}

impl Hash for Vector {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind().hash(state);
        self.dimension().hash(state);
        match self {
            Vector::F32(numbers) => numbers.iter().for_each(|&number| ordered_f32(number).hash(state)),
            Vector::F16(numbers) => numbers.iter().for_each(|&number| ordered_f16(number).hash(state)),
            Vector::I8(numbers) => numbers.hash(state),
            Vector::Bits(bytes) => bytes.hash(state),
        }
    }
}

/// Bits whose order is that of the numbers; NaN gives 0, both zeros the same.
pub(crate) fn ordered_f32(number: f32) -> u32 {
    if number.is_nan() {
        return 0;
    }
    let bits = (number + 0.0).to_bits(); // -0.0 + 0.0 is 0.0
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The number of these [`ordered_f32`] bits.
pub(crate) fn f32_of_ordered(bits: u32) -> f32 {
    match bits {
        0 => f32::NAN,
        _ => f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits }),
    }
}

/// As [`ordered_f32`], in half precision.
pub(crate) fn ordered_f16(number: u16) -> u16 {
    match number & 0x7FFF {
        0x7C01.. => 0,
        0 => 1 << 15,
        _ if number >> 15 == 1 => !number,
        _ => number | 1 << 15,
    }
}

/// The half-precision number of these [`ordered_f16`] bits.
pub(crate) fn f16_of_ordered(bits: u16) -> u16 {
    match bits {
        0 => 0x7E00,
        _ if bits >> 15 == 1 => bits & 0x7FFF,
        _ => !bits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordered_bits_have_the_order_of_the_numbers_and_lead_back() {
        let ascending = [f32::NAN, f32::NEG_INFINITY, -1.5, -1e-45, 0.0, 1e-45, 0.1, 1.0, f32::INFINITY];
        assert!(ascending.map(ordered_f32).is_sorted_by(|a, b| a < b));
        assert_eq!((ordered_f32(-0.0), ordered_f32(-f32::NAN)), (ordered_f32(0.0), 0));
        for number in ascending {
            assert_eq!(ordered_f32(f32_of_ordered(ordered_f32(number))), ordered_f32(number));
        }
        for a in 0..=u16::MAX {
            let wide = f32_of_f16(a);
            assert_eq!(ordered_f16(f16_of_ordered(ordered_f16(a))), ordered_f16(a), "{a:#06x}");
            for b in [a.wrapping_add(1), a ^ 0x8000, a ^ 0x1234] {
                let order = ordered_f32(wide).cmp(&ordered_f32(f32_of_f16(b)));
                assert_eq!(ordered_f16(a).cmp(&ordered_f16(b)), order, "{a:#06x} and {b:#06x}");
            }
        }
    }

    #[test]
    fn conversion_to_single_precision_is_exact() {
        assert_eq!(Vector::I8(vec![-128, 0, 127]).to_f32(), Some(vec![-128.0, 0.0, 127.0]));
        assert_eq!(Vector::F32(vec![0.1]).to_f32(), Some(vec![0.1]));
        assert_eq!(Vector::half_precision(&[1.0, 65504.0, 1e9]).to_f32(), Some(vec![1.0, 65504.0, f32::INFINITY]));
        assert_eq!(Vector::Bits(vec![1]).to_f32(), None);
    }

    #[test]
    fn vectors_are_ordered_by_kind_then_by_number_then_by_length() {
        let f32 = |numbers: &[f32]| Vector::F32(numbers.to_vec());
        assert!(f32(&[9.0]) < Vector::half_precision(&[1.0]));
        assert!(f32(&[1.0, 5.0]) < f32(&[2.0]));
        assert!(f32(&[1.0]) < f32(&[1.0, f32::NAN]));
        assert!(f32(&[f32::NAN]) < f32(&[f32::NEG_INFINITY]));
        assert_eq!(f32(&[0.0, f32::NAN]), f32(&[-0.0, f32::NAN]));
    }
}
