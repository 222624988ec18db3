//! Vectors: numbers of one type, for search by similarity.

/// A vector of numbers of one type.
///
/// In JSON it is an array of numbers; in a Rust type, a `Vec<f32>` field becomes one.
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
}
