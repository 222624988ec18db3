//! Borrowed vectors: which ones a metric accepts, and how they are stored.

use blaze_core::limits::VECTOR_DIMENSIONS_MAX;
use blaze_core::{Error, Result};

use crate::metric::Metric;

/// The longest vector: the square of the distance of two such vectors still fits `f32`.
const LENGTH_MAX: f64 = 1e18;

/// The shortest vector that has a direction: the square of its length keeps the full precision of `f32`.
const LENGTH_MIN: f64 = 1e-15;

/// A borrowed vector: numbers, or bits for [`Metric::Hamming`].
///
/// Made with `From`, so that every function here takes `&[f32]`, `&[u8]`, `&Vec<_>` and `&[_; N]` as they are.
///
/// ```
/// use blaze_vector::VectorRef;
///
/// assert_eq!(VectorRef::from(&[0.5, 1.0, 2.0]).dimension(), 3);
/// assert_eq!(VectorRef::from(&[0b1010_0000_u8]), VectorRef::Bits(&[0b1010_0000]));
/// assert_eq!(VectorRef::from(&[0b1010_0000_u8]).dimension(), 8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum VectorRef<'a> {
    /// Numbers in single precision.
    F32(&'a [f32]),
    /// Bits, eight to a byte.
    Bits(&'a [u8]),
}

impl<'a> VectorRef<'a> {
    /// How many numbers, or bits, there are.
    #[must_use]
    pub fn dimension(self) -> usize {
        match self {
            VectorRef::F32(numbers) => numbers.len(),
            VectorRef::Bits(bytes) => bytes.len() * 8,
        }
    }

    /// Fails unless this is the kind of vector that `metric` compares and has `dimension` components.
    pub(crate) fn check_shape(self, metric: Metric, dimension: usize) -> Result<()> {
        if self.dimension() != dimension {
            let found = self.dimension();
            return Err(Error::invalid(format!("vector has {found} components, the index has {dimension}")));
        }
        match (self, metric.is_binary()) {
            (VectorRef::F32(_), false) | (VectorRef::Bits(_), true) => Ok(()),
            (VectorRef::F32(_), true) => {
                Err(Error::invalid(format!("vector is of numbers, metric {metric} compares bits")))
            }
            (VectorRef::Bits(_), false) => {
                Err(Error::invalid(format!("vector is of bits, metric {metric} compares numbers")))
            }
        }
    }
}

macro_rules! from {
    ($variant:ident, $number:ty) => {
        impl<'a> From<&'a [$number]> for VectorRef<'a> {
            fn from(components: &'a [$number]) -> VectorRef<'a> {
                VectorRef::$variant(components)
            }
        }

        impl<'a> From<&'a Vec<$number>> for VectorRef<'a> {
            fn from(components: &'a Vec<$number>) -> VectorRef<'a> {
                VectorRef::$variant(components)
            }
        }

        impl<'a, const N: usize> From<&'a [$number; N]> for VectorRef<'a> {
            fn from(components: &'a [$number; N]) -> VectorRef<'a> {
                VectorRef::$variant(components)
            }
        }
    };
}

from!(F32, f32);
from!(Bits, u8);

/// Checks that an index with this metric and dimension can hold the vector: distances between vectors that pass are
/// finite.
///
/// ```
/// use blaze_vector::{Metric, validate};
///
/// validate(Metric::L2, 2, &[0.0, 0.0])?;
/// let error = validate(Metric::Cosine, 2, &[0.0, 0.0]).unwrap_err();
/// assert!(error.to_string().contains("no direction"), "{error}");
/// assert!(validate(Metric::L2, 3, &[0.0, 0.0]).is_err());
/// # Ok::<(), blaze_core::Error>(())
/// ```
///
/// # Errors
///
/// [`Invalid`](blaze_core::ErrorKind::Invalid) if the vector has another dimension, is of bits where the metric compares
/// numbers or the other way round, holds NaN or an infinity, is longer than 1e18, or, for [`Metric::Cosine`], is shorter
/// than 1e-15 and so has no direction.
pub fn validate<'a>(metric: Metric, dimension: usize, vector: impl Into<VectorRef<'a>>) -> Result<()> {
    let vector = vector.into();
    vector.check_shape(metric, dimension)?;
    match vector {
        VectorRef::F32(numbers) => length(metric, numbers).map(|_| ()),
        VectorRef::Bits(_) => Ok(()),
    }
}

/// Checks that an index can be created with this metric and dimension.
///
/// # Errors
///
/// [`Invalid`](blaze_core::ErrorKind::Invalid) if the dimension is zero or, for [`Metric::Hamming`], no multiple of
/// eight; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) above [`VECTOR_DIMENSIONS_MAX`].
pub fn validate_dimension(metric: Metric, dimension: usize) -> Result<()> {
    if dimension == 0 {
        return Err(Error::invalid("a vector of 0 components has no distance"));
    }
    if dimension > VECTOR_DIMENSIONS_MAX {
        return Err(Error::limit_exceeded(format!(
            "a vector of {dimension} components is above the limit of {VECTOR_DIMENSIONS_MAX}"
        )));
    }
    if metric.is_binary() && !dimension.is_multiple_of(8) {
        return Err(Error::invalid(format!("a vector of {dimension} bits is not a whole number of bytes")));
    }
    Ok(())
}

/// The Euclidean length, if `metric` can work with it.
pub(crate) fn length(metric: Metric, numbers: &[f32]) -> Result<f64> {
    let (blocks, rest) = numbers.as_chunks::<8>();
    let square = |number: f32| f64::from(number) * f64::from(number);
    let mut squares = [0.0f64; 8]; // several, so that additions overlap
    for block in blocks {
        (0..8).for_each(|lane| squares[lane] += square(block[lane]));
    }
    let length = (squares.iter().sum::<f64>() + rest.iter().map(|&number| square(number)).sum::<f64>()).sqrt();
    if !length.is_finite() {
        // Squares of finite f32 do not overflow f64, so there is a culprit.
        let (index, number) =
            numbers.iter().enumerate().find(|(_, number)| !number.is_finite()).unwrap_or((0, &f32::NAN));
        return Err(Error::invalid(format!("component {index} of the vector is {number}")));
    }
    if length > LENGTH_MAX {
        return Err(Error::invalid(format!("vector has length {length:.1e}, at most {LENGTH_MAX:e} can be compared")));
    }
    if metric == Metric::Cosine && length == 0.0 {
        return Err(Error::invalid("vector is zero and has no direction, which metric cosine compares"));
    }
    if metric == Metric::Cosine && length < LENGTH_MIN {
        return Err(Error::invalid(format!("vector has length {length:.1e}, metric cosine needs {LENGTH_MIN:e}")));
    }
    Ok(length)
}

/// Appends the stored form of a vector: numbers as four bytes each in little-endian order, bits as they are.
///
/// The stored form has no header: metric and dimension are the index's.
///
/// ```
/// use blaze_vector::{read_numbers, write_vector};
///
/// let (mut stored, mut numbers) = (Vec::new(), Vec::new());
/// write_vector(&[0.1, 2.0], &mut stored);
/// read_numbers(&stored, 2, &mut numbers)?;
/// assert_eq!((stored.len(), numbers), (8, vec![0.1, 2.0]));
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub fn write_vector<'a>(vector: impl Into<VectorRef<'a>>, out: &mut Vec<u8>) {
    match vector.into() {
        VectorRef::F32(numbers) => out.extend(numbers.iter().flat_map(|number| number.to_le_bytes())),
        VectorRef::Bits(bytes) => out.extend_from_slice(bytes),
    }
}

/// Reads the stored form of a vector of numbers into `numbers`, which it clears first.
///
/// # Errors
///
/// [`Corruption`](blaze_core::ErrorKind::Corruption) if the bytes are not `dimension` numbers. The numbers themselves
/// are not checked.
pub fn read_numbers(bytes: &[u8], dimension: usize, numbers: &mut Vec<f32>) -> Result<()> {
    numbers.clear();
    let (words, rest) = bytes.as_chunks::<4>();
    if words.len() != dimension || !rest.is_empty() {
        let found = bytes.len();
        return Err(Error::corruption(format!("stored vector is {found} bytes, not {dimension} numbers of 4 bytes")));
    }
    numbers.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use blaze_core::ErrorKind;
    use proptest::prelude::*;

    use super::*;

    fn message(metric: Metric, vector: &[f32]) -> String {
        let error = validate(metric, vector.len(), vector).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    }

    #[test]
    fn a_vector_of_another_dimension_or_kind_is_named() {
        let error = validate(Metric::L2, 384, &[1.0, 2.0, 3.0]).unwrap_err();
        assert_eq!(error.to_string(), "vector has 3 components, the index has 384");
        let error = validate(Metric::L2, 8, &[1u8]).unwrap_err();
        assert_eq!(error.to_string(), "vector is of bits, metric l2 compares numbers");
        let error = validate(Metric::Hamming, 8, &[0.0; 8]).unwrap_err();
        assert_eq!(error.to_string(), "vector is of numbers, metric hamming compares bits");
    }

    #[test]
    fn the_first_component_that_is_not_finite_is_named() {
        assert_eq!(message(Metric::Dot, &[0.0, 1.0, 2.0, f32::NAN]), "component 3 of the vector is NaN");
        assert_eq!(message(Metric::L2, &[f32::NEG_INFINITY, f32::NAN]), "component 0 of the vector is -inf");
    }

    #[test]
    fn lengths_that_would_overflow_or_have_no_direction_are_refused() {
        assert_eq!(message(Metric::L2, &[3e18, 4e18]), "vector has length 5.0e18, at most 1e18 can be compared");
        assert_eq!(
            message(Metric::Cosine, &[0.0, -0.0]),
            "vector is zero and has no direction, which metric cosine compares"
        );
        assert!(message(Metric::Cosine, &[1e-20, 0.0]).ends_with("metric cosine needs 1e-15"));
        validate(Metric::L2, 2, &[0.0, 0.0]).unwrap();
        validate(Metric::Cosine, 2, &[1e-14, 0.0]).unwrap();
        validate(Metric::L2, 2, &[1.1e18, 0.0]).unwrap_err();
        validate(Metric::L2, 2, &[0.9e18, 0.0]).unwrap();
    }

    #[test]
    fn the_dimension_of_an_index_is_bounded_and_whole_bytes() {
        assert_eq!(validate_dimension(Metric::L2, 0).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(validate_dimension(Metric::L2, 4097).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(validate_dimension(Metric::Hamming, 12).unwrap_err().kind(), ErrorKind::Invalid);
        validate_dimension(Metric::Hamming, 4096).unwrap();
        validate_dimension(Metric::Cosine, 1).unwrap();
    }

    #[test]
    fn stored_bytes_of_another_size_are_corruption() {
        for len in [0, 3, 7, 9, 12] {
            let error = read_numbers(&vec![0; len], 2, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corruption, "{len} bytes");
        }
    }

    proptest! {
        #[test]
        fn numbers_read_back_bit_by_bit(bits in proptest::collection::vec(any::<u32>(), 0..40)) {
            let numbers: Vec<f32> = bits.iter().copied().map(f32::from_bits).collect();
            let mut bytes = vec![7];
            write_vector(&numbers, &mut bytes);
            let mut read = vec![1.0];
            read_numbers(&bytes[1..], numbers.len(), &mut read).unwrap();
            prop_assert_eq!(read.into_iter().map(f32::to_bits).collect::<Vec<_>>(), bits);
        }
    }
}
