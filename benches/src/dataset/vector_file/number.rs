//! The types of numbers in files of vectors, all little-endian.

/// A type of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberType {
    F32,
    F16,
    U8,
    I8,
    I32,
}

impl NumberType {
    /// Bytes of a number.
    pub(super) fn bytes(self) -> usize {
        match self {
            NumberType::F32 | NumberType::I32 => 4,
            NumberType::F16 => 2,
            NumberType::U8 | NumberType::I8 => 1,
        }
    }

    /// Decodes as many numbers as `out` has room for, from [`bytes`](NumberType::bytes) bytes each. Fails at the position of
    /// the first one that is not finite or that single precision does not hold, and says what it is.
    pub(super) fn decode(self, bytes: &[u8], out: &mut [f32]) -> Result<(), (usize, String)> {
        match self {
            NumberType::F32 => {
                let numbers = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
                out.iter_mut().zip(numbers).for_each(|(out, number)| *out = number);
            }
            NumberType::F16 => {
                let numbers = bytes.as_chunks().0.iter().map(|&bytes| f32_of_half(u16::from_le_bytes(bytes)));
                out.iter_mut().zip(numbers).for_each(|(out, number)| *out = number);
            }
            NumberType::U8 => out.iter_mut().zip(bytes).for_each(|(out, &byte)| *out = f32::from(byte)),
            NumberType::I8 => out.iter_mut().zip(bytes).for_each(|(out, &byte)| *out = f32::from(byte as i8)),
            NumberType::I32 => {
                let numbers = bytes.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes));
                for (position, (out, number)) in out.iter_mut().zip(numbers).enumerate() {
                    *out = number as f32;
                    if f64::from(*out) != f64::from(number) {
                        return Err((position, format!("{number} is no number of single precision")));
                    }
                }
            }
        }
        match out.iter().position(|number| !number.is_finite()) {
            Some(position) => Err((position, format!("{} is not finite", out[position]))),
            None => Ok(()),
        }
    }
}

/// The number of half precision with these bits: a sign, 5 bits of exponent, 10 of mantissa.
fn f32_of_half(bits: u16) -> f32 {
    const SMALLEST: f32 = 1.0 / (1 << 24) as f32;
    let (exponent, mantissa) = (u32::from(bits >> 10 & 0x1F), u32::from(bits & 0x3FF));
    let magnitude = match exponent {
        0 => mantissa as f32 * SMALLEST,
        0x1F => f32::from_bits(0xFF << 23 | mantissa << 13),
        _ => f32::from_bits((exponent + 127 - 15) << 23 | mantissa << 13),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use blaze_core::Vector;

    use super::*;

    #[test]
    fn halves_are_what_blaze_takes_them_for() {
        let all: Vec<u16> = (0..=u16::MAX).collect();
        let expected = Vector::F16(all.clone()).to_f32().unwrap();
        for (bits, expected) in all.into_iter().zip(expected) {
            let found = f32_of_half(bits);
            assert!(
                found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(),
                "{bits:#06x}: {found}"
            );
        }
    }

    #[test]
    fn what_is_not_finite_or_not_exact_is_refused_with_its_position() {
        let mut out = [0.0; 2];
        let halves = [0x00, 0x3C, 0x00, 0xFC];
        assert_eq!(NumberType::F16.decode(&halves, &mut out), Err((1, "-inf is not finite".to_owned())));
        let integers = [16_777_216_i32, 16_777_217].map(i32::to_le_bytes).concat();
        let error = (1, "16777217 is no number of single precision".to_owned());
        assert_eq!(NumberType::I32.decode(&integers, &mut out), Err(error));
        assert_eq!(NumberType::I8.decode(&[0x80, 0x7F], &mut out).map(|()| out), Ok([-128.0, 127.0]));
        assert_eq!(NumberType::U8.decode(&[0x80, 0x7F], &mut out).map(|()| out), Ok([128.0, 127.0]));
    }
}
