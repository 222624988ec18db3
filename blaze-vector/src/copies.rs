//! Copies of vectors, as an index stores them.

use std::fmt;
use std::str::FromStr;

use blaze_core::half::{bf16_of_f32, f16_of_f32, f32_of_bf16, f32_of_f16};
use blaze_core::{Error, Result};

use crate::metric::Metric;
use crate::vector::{VectorRef, length, read_numbers, validate, write_vector};

/// The precision in which an index keeps its copies of vectors. Distances are computed from the copies, in single
/// precision; bits are always kept as they are.
///
/// | copies | name | bytes of a number | precision | range |
/// |---|---|---|---|---|
/// | [`F32`](Copies::F32) | `f32` | 4 | 24 bits | that of the vectors |
/// | [`F16`](Copies::F16) | `f16` | 2 | 11 bits | to ±65504, full precision from 6·10⁻⁵ |
/// | [`Bf16`](Copies::Bf16) | `bf16` | 2 | 8 bits | that of single precision |
///
/// ```
/// use blaze_vector::Copies;
///
/// let copies: Copies = "f16".parse()?;
/// assert_eq!(copies, Copies::F16);
/// let mut stored = Vec::new();
/// copies.write(&[1.0, 0.1], &mut stored);
/// assert_eq!(stored.len(), copies.bytes(2));
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Copies {
    /// Single precision, as the vectors are.
    #[default]
    F32,
    /// Half precision: IEEE 754 binary16.
    F16,
    /// Brain floating point: half the bytes at the range of single precision.
    Bf16,
}

impl Copies {
    /// All of them.
    pub const ALL: [Copies; 3] = [Copies::F32, Copies::F16, Copies::Bf16];

    /// The name, as [`Display`](fmt::Display) prints it and [`FromStr`] reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Copies::F32 => "f32",
            Copies::F16 => "f16",
            Copies::Bf16 => "bf16",
        }
    }

    /// Bytes that the copy of a vector of `dimension` numbers takes.
    ///
    /// ```
    /// use blaze_vector::Copies;
    ///
    /// assert_eq!(Copies::ALL.map(|copies| copies.bytes(768)), [3_072, 1_536, 1_536]);
    /// ```
    #[must_use]
    pub const fn bytes(self, dimension: usize) -> usize {
        match self {
            Copies::F32 => 4 * dimension,
            Copies::F16 | Copies::Bf16 => 2 * dimension,
        }
    }

    /// As [`validate`](crate::validate), of the vector and of its copy.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](crate::validate); [`Invalid`](blaze_core::ErrorKind::Invalid) also if a component is beyond the
    /// range of the copies, or if for [`Metric::Cosine`] the copy has no direction.
    ///
    /// ```
    /// use blaze_vector::{Copies, Metric};
    ///
    /// Copies::F32.validate(Metric::L2, 1, &[70_000.0])?;
    /// assert!(Copies::F16.validate(Metric::L2, 1, &[70_000.0]).is_err(), "half precision ends at 65504");
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    pub fn validate<'a>(self, metric: Metric, dimension: usize, vector: impl Into<VectorRef<'a>>) -> Result<()> {
        let vector = vector.into();
        validate(metric, dimension, vector)?;
        let VectorRef::F32(numbers) = vector else { return Ok(()) };
        if self == Copies::F32 {
            return Ok(());
        }
        let rounded: Vec<f32> = numbers.iter().map(|number| self.round(*number)).collect();
        if let Some(index) = rounded.iter().position(|number| !number.is_finite()) {
            let number = numbers.get(index).copied().unwrap_or(f32::NAN);
            return Err(Error::invalid(format!(
                "component {index} of the vector is {number}, copies in {self} end before"
            )));
        }
        length(metric, &rounded).map(drop).map_err(|error| error.context(format!("rounded to copies in {self}")))
    }

    /// Appends the copy of a vector: each number rounded to the nearest one, ties to even, in little-endian order.
    pub fn write<'a>(self, vector: impl Into<VectorRef<'a>>, out: &mut Vec<u8>) {
        match (vector.into(), self) {
            (VectorRef::F32(numbers), Copies::F16) => {
                out.extend(numbers.iter().flat_map(|number| f16_of_f32(*number).to_le_bytes()));
            }
            (VectorRef::F32(numbers), Copies::Bf16) => {
                out.extend(numbers.iter().flat_map(|number| bf16_of_f32(*number).to_le_bytes()));
            }
            (vector, _) => write_vector(vector, out),
        }
    }

    /// Reads the copy of a vector of numbers into `numbers`, which it clears first.
    ///
    /// # Errors
    ///
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if the bytes are not `dimension` numbers. The numbers themselves
    /// are not checked.
    pub fn read(self, bytes: &[u8], dimension: usize, numbers: &mut Vec<f32>) -> Result<()> {
        if self == Copies::F32 {
            return read_numbers(bytes, dimension, numbers);
        }
        numbers.clear();
        let (halves, rest) = bytes.as_chunks::<2>();
        if halves.len() != dimension || !rest.is_empty() {
            let found = bytes.len();
            return Err(Error::corruption(format!(
                "stored vector is {found} bytes, not {dimension} numbers of 2 bytes"
            )));
        }
        if self == Copies::F16 {
            numbers.extend(halves.iter().map(|half| f32_of_f16(u16::from_le_bytes(*half))));
        } else {
            numbers.extend(halves.iter().map(|half| f32_of_bf16(u16::from_le_bytes(*half))));
        }
        Ok(())
    }

    pub(crate) fn round(self, number: f32) -> f32 {
        match self {
            Copies::F32 => number,
            Copies::F16 => f32_of_f16(f16_of_f32(number)),
            Copies::Bf16 => f32_of_bf16(bf16_of_f32(number)),
        }
    }
}

impl fmt::Display for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Copies {
    type Err = Error;

    fn from_str(name: &str) -> Result<Copies> {
        let known = Copies::ALL.into_iter().find(|copies| copies.name() == name);
        known.ok_or_else(|| Error::invalid(format!("copies in {name:?} are none of f32, f16 and bf16")))
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::ErrorKind;
    use proptest::prelude::*;

    use super::*;

    fn refused(copies: Copies, metric: Metric, vector: &[f32]) -> String {
        let error = copies.validate(metric, vector.len(), vector).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    }

    #[test]
    fn what_a_copy_cannot_hold_is_refused_by_component() {
        assert_eq!(
            refused(Copies::F16, Metric::L2, &[1.0, 70_000.0]),
            "component 1 of the vector is 70000, copies in f16 end before"
        );
        assert!(
            refused(Copies::F16, Metric::Cosine, &[1e-9, 0.0]).starts_with("rounded to copies in f16: vector is zero")
        );
        assert!(refused(Copies::F16, Metric::L2, &[1.0, f32::NAN]).contains("component 1 of the vector is NaN"));
        for copies in [Copies::F32, Copies::Bf16] {
            copies.validate(Metric::L2, 2, &[1.0, 70_000.0]).unwrap();
            copies.validate(Metric::Cosine, 2, &[1e-9, 0.0]).unwrap();
        }
        Copies::F16.validate(Metric::Hamming, 8, &[1_u8]).unwrap();
    }

    #[test]
    fn stored_bytes_of_another_size_are_corruption() {
        for copies in Copies::ALL {
            assert_eq!(copies.name().parse::<Copies>().unwrap(), copies);
            for bytes in (0..12).filter(|bytes| *bytes != copies.bytes(2)) {
                let error = copies.read(&vec![0; bytes], 2, &mut Vec::new()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corruption, "{copies}, {bytes} bytes");
            }
        }
        assert_eq!("f64".parse::<Copies>().unwrap_err().kind(), ErrorKind::Invalid);
    }

    proptest! {
        #[test]
        fn copies_read_back_as_they_were_rounded(numbers in proptest::collection::vec(-6e4f32..6e4, 0..70)) {
            for copies in Copies::ALL {
                let (mut bytes, mut read) = (Vec::new(), vec![1.0]);
                copies.write(&numbers, &mut bytes);
                copies.read(&bytes, numbers.len(), &mut read).unwrap();
                let rounded: Vec<f32> = numbers.iter().map(|number| copies.round(*number)).collect();
                prop_assert_eq!(&read, &rounded);
                let mut again = Vec::new();
                copies.write(&read, &mut again);
                prop_assert_eq!(again, bytes, "a copy of a copy is the same");
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40), dimension in 0usize..20) {
            for copies in Copies::ALL {
                let mut numbers = Vec::new();
                let fits = bytes.len() == copies.bytes(dimension);
                prop_assert_eq!(copies.read(&bytes, dimension, &mut numbers).is_ok(), fits);
            }
        }
    }
}
